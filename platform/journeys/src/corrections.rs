//! Corrections of persons that holders sent: put on record with their delivery, and the datasets they touch.

use std::collections::BTreeSet;

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use kiban_audit::Tx;
use kiban_govern::{Actor, Employer, Role};
use kiban_intake::{
    Opened,
    revisions::{Correction, CorrectionKind},
};
use kiban_kernel::{Bases, Digest, Id, Regime, kinds};
use kiban_lake::{DataClass, Snapshot, schema};
use kiban_register::{
    RegisterKeys,
    correction::{self, Correction as Recorded, NewCorrection},
};
use kiban_release::Manifest;
use sqlx::{AnyConnection, Row as _};

use crate::{Deployment, Error};

/// A correction on record with the datasets it touches.
#[derive(Debug, Clone)]
pub struct CorrectionOnRecord {
    /// The correction.
    pub correction: Recorded,
    /// What was wrong.
    pub kind: CorrectionKind,
    /// Datasets made of a snapshot that holds rows of the two persons, with how many.
    pub datasets: Vec<(Id<kinds::Dataset>, u64)>,
}

const STAFF: [Role; 6] = [
    Role::IntakeOfficer,
    Role::Processor,
    Role::SecurityOfficer,
    Role::GeneralManager,
    Role::EnquiryOfficer,
    Role::Auditor,
];

/// The corrections on record, the newest first.
///
/// # Errors
/// The actor is no staff of the producer, or the database failed.
pub async fn corrections(on: &Deployment, actor: &Actor) -> Result<Vec<CorrectionOnRecord>, Error> {
    if actor.employer != Employer::Producer || !STAFF.iter().any(|r| actor.has(*r)) {
        return Err(Error::Unknown { what: "訂正" });
    }
    let mut conn = on.reader().await?;
    let mut out = Vec::new();
    for correction in correction::all(&mut conn).await?.into_iter().rev() {
        let rows = sqlx::query(
            "SELECT dataset, rows FROM journeys_correction_dataset WHERE correction = $1 ORDER BY dataset",
        )
        .bind(i64::try_from(correction.no).unwrap_or(i64::MAX))
        .fetch_all(&mut *conn)
        .await?;
        let damaged = || Error::Unknown { what: "correction" };
        let mut datasets = Vec::with_capacity(rows.len());
        for row in rows {
            let dataset: String = row.try_get(0)?;
            let rows: i64 = row.try_get(1)?;
            datasets.push((dataset.parse().map_err(|_| damaged())?, rows.unsigned_abs()));
        }
        let kind = CorrectionKind::of(&correction.kind).ok_or_else(damaged)?;
        out.push(CorrectionOnRecord { correction, kind, datasets });
    }
    Ok(out)
}

/// A correction that was not applied before, with what it touches.
pub(crate) struct Fresh {
    pub(crate) correction: Correction,
    digest: Digest,
    touched: Vec<(Id<kinds::Dataset>, u64)>,
}

/// The corrections of a delivery that are new, each once.
pub(crate) async fn fresh(
    on: &Deployment,
    conn: &mut AnyConnection,
    keys: &RegisterKeys,
    delivery: &Opened,
) -> Result<Vec<Fresh>, Error> {
    if delivery.corrections().is_empty() {
        return Ok(Vec::new());
    }
    let holder = delivery.manifest().holder;
    let mut seen: BTreeSet<Digest> = correction::applied(conn, holder).await?.into_iter().collect();
    let mut out = Vec::new();
    for correction in delivery.corrections() {
        let digest = correction.digest();
        if seen.insert(digest) {
            let persons =
                [&correction.from, &correction.to].map(|id| keys.person_source(holder, id));
            let touched = touched(on, conn, &persons).await?;
            out.push(Fresh { correction: correction.clone(), digest, touched });
        }
    }
    Ok(out)
}

/// Every dataset whose snapshot holds rows of the persons under its regime, in the tables it was made of.
pub(crate) async fn touched(
    on: &Deployment,
    conn: &mut AnyConnection,
    persons: &[Id<kinds::PersonSource>],
) -> Result<Vec<(Id<kinds::Dataset>, u64)>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT dataset FROM release_dataset ORDER BY dataset")
            .fetch_all(&mut *conn)
            .await?;
    let mut out = Vec::new();
    for id in ids {
        let dataset = id.parse().map_err(|_| Error::Unknown { what: "dataset" })?;
        let note = kiban_release::manifest_note(conn, dataset).await?;
        let manifest = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
        let bit = Bases::NONE.with(manifest.product.regime()).bits();
        let mut rows = 0;
        for table in schema::tables().iter().filter(|t| {
            t.data_class == DataClass::Identified
                && manifest.tables.iter().any(|made| made.name == t.name)
        }) {
            let at = Snapshot(manifest.snapshot);
            for batch in on.lake.scan_persons(&table.name, at, persons).await? {
                let bases = batch
                    .column_by_name("bases")
                    .and_then(|c| c.as_primitive_opt::<UInt8Type>())
                    .ok_or(Error::Unknown { what: "bases" })?;
                rows += bases.iter().flatten().filter(|b| b & bit != 0).count() as u64;
            }
        }
        if rows > 0 {
            out.push((dataset, rows));
        }
    }
    Ok(out)
}

/// Datasets that hold rows of these persons, each with the regime it was made under.
pub(crate) async fn touched_by_regime(
    on: &Deployment,
    conn: &mut AnyConnection,
    persons: &[Id<kinds::PersonSource>],
) -> Result<Vec<(Regime, Id<kinds::Dataset>)>, Error> {
    let mut out = Vec::new();
    for (dataset, _) in touched(on, &mut *conn, persons).await? {
        let note = kiban_release::manifest_note(&mut *conn, dataset).await?;
        let manifest = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
        out.push((manifest.product.regime(), dataset));
    }
    Ok(out)
}

/// Puts corrections on record, in the transaction of their delivery. Returns what the event says of them.
pub(crate) async fn record(
    tx: &mut Tx,
    keys: &RegisterKeys,
    delivery: &Opened,
    fresh: &[Fresh],
) -> Result<Vec<serde_json::Value>, Error> {
    let (now, manifest) = (tx.now(), delivery.manifest());
    let mut told = Vec::new();
    for one in fresh {
        let c = &one.correction;
        let new = NewCorrection {
            holder: manifest.holder,
            delivery: manifest.delivery,
            digest: one.digest,
            kind: c.kind.as_str(),
            from: &c.from,
            to: &c.to,
            about: c.delivery,
            made_on: c.on,
            reason: &c.reason,
        };
        let no = correction::add(tx.conn(), keys, &new, now).await?;
        for (dataset, rows) in &one.touched {
            sqlx::query(
                "INSERT INTO journeys_correction_dataset (correction, dataset, rows) VALUES ($1, $2, $3)",
            )
            .bind(i64::try_from(no).unwrap_or(i64::MAX))
            .bind(dataset.to_string())
            .bind(i64::try_from(*rows).unwrap_or(i64::MAX))
            .execute(tx.conn())
            .await?;
        }
        let datasets: Vec<String> = one.touched.iter().map(|(d, _)| d.to_string()).collect();
        told.push(serde_json::json!({
            "no": no, "kind": c.kind.as_str(), "row": one.digest.to_string(), "datasets": datasets,
        }));
    }
    Ok(told)
}
