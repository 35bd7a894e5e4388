//! Datasets and packages that a stop concerns.
//!
//! A dataset is no store of rows, it is a manifest; but one that was approved and is not yet handed over would be run
//! again over what is left, and one that lies packed for its recipient holds the person's rows. Which datasets hold a
//! person is only known while the vault still has the rows: it is written down when the stop is received.
//!
//! What was handed over stays with its recipient: whether a list of persons is sent after it is a dated rule, off
//! (`stop.cease_and_delete_list`).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use async_trait::async_trait;
use kiban_audit::{Log, Tx};
use kiban_deliver::{DeliverError, Packages};
use kiban_govern::{Act, Actor, Permit, delivery::Route, permit};
use kiban_kernel::{Bases, Id, Regime, kinds};
use kiban_lake::{DataClass, Snapshot, schema};
use kiban_register::{Ack, EraseError, Erases, ErasureOrder, Stop};
use kiban_release::Manifest;
use sqlx::{AnyConnection, Row as _};

use crate::{
    Deployment, Error,
    enquiry::{self, erase::RemoveError},
    inspect,
};

type DatasetId = Id<kinds::Dataset>;
type Person = Id<kinds::PersonSource>;

/// What became of a dataset that holds the persons of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The store has not answered yet.
    Open,
    /// Not handed over: it can only be made anew.
    Withdrawn,
    /// Packed and never fetched: the package was erased, it can only be made anew.
    PackageErased,
    /// With its recipient.
    HandedOver,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Open, Self::Withdrawn, Self::PackageErased, Self::HandedOver];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Withdrawn => "withdrawn",
            Self::PackageErased => "package_erased",
            Self::HandedOver => "handed_over",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Open => "未反映",
            Self::Withdrawn => "要再作成（提供前）",
            Self::PackageErased => "要再作成（包みを消去）",
            Self::HandedOver => "提供済み",
        }
    }
}

/// Put down the datasets that hold persons of stops, in the transaction that receives them. One pass over the tables of a
/// dataset serves all.
pub(crate) async fn note(on: &Deployment, tx: &mut Tx, stops: &[&Stop]) -> Result<(), Error> {
    let mut persons: Vec<Person> = stops.iter().flat_map(|s| s.persons.iter().copied()).collect();
    persons.sort_unstable();
    persons.dedup();
    if persons.is_empty() {
        return Ok(());
    }
    for (dataset, held) in holding(on, tx.conn(), &persons).await? {
        for stop in stops.iter().filter(|s| s.persons.iter().any(|p| held.contains(p))) {
            sqlx::query(
                "INSERT INTO journeys_stop_dataset (stop, dataset, state) VALUES ($1, $2, 'open')",
            )
            .bind(stop.id.to_string())
            .bind(dataset.to_string())
            .execute(tx.conn())
            .await?;
        }
    }
    Ok(())
}

/// The datasets that were made of rows of some persons, each with those it holds.
pub(crate) async fn holding(
    on: &Deployment,
    conn: &mut AnyConnection,
    persons: &[Person],
) -> Result<Vec<(DatasetId, BTreeSet<Person>)>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT dataset FROM release_dataset ORDER BY dataset")
            .fetch_all(&mut *conn)
            .await?;
    // Many datasets are made of one snapshot: each is asked once.
    let mut known: BTreeMap<(u64, Regime, BTreeSet<String>), BTreeSet<Person>> = BTreeMap::new();
    let mut out = Vec::new();
    for id in ids {
        let dataset: DatasetId = id.parse().map_err(|_| Error::Unknown { what: "dataset" })?;
        let note = kiban_release::manifest_note(conn, dataset).await?;
        let manifest = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
        let tables: BTreeSet<String> = manifest.tables.iter().map(|t| t.name.clone()).collect();
        let key = (manifest.snapshot, manifest.product.regime(), tables);
        let held = match known.get(&key) {
            Some(held) => held.clone(),
            None => {
                let held = holds(on, &key, persons).await?;
                known.insert(key, held.clone());
                held
            }
        };
        if !held.is_empty() {
            out.push((dataset, held));
        }
    }
    Ok(out)
}

async fn holds(
    on: &Deployment,
    (snapshot, regime, tables): &(u64, Regime, BTreeSet<String>),
    persons: &[Person],
) -> Result<BTreeSet<Person>, Error> {
    let bit = Bases::NONE.with(*regime).bits();
    let mut out = BTreeSet::new();
    for table in schema::tables()
        .iter()
        .filter(|t| t.data_class == DataClass::Identified && tables.contains(&t.name))
    {
        for batch in on.lake.scan_persons(&table.name, Snapshot(*snapshot), persons).await? {
            let bases = batch
                .column_by_name("bases")
                .and_then(|c| c.as_primitive_opt::<UInt8Type>())
                .ok_or(Error::Unknown { what: "bases" })?;
            for (person, bases) in inspect::texts(&batch, "person_source")?.into_iter().zip(bases) {
                if let (Some(person), true) = (person, bases.is_some_and(|b| b & bit != 0)) {
                    out.insert(person.parse().map_err(|_| Error::Unknown { what: "person" })?);
                }
            }
        }
    }
    Ok(out)
}

/// The datasets that hold persons of a stop, and what became of each.
///
/// # Errors
/// The database failed.
pub async fn datasets_of_stop(
    on: &Deployment,
    stop: Id<kinds::Stop>,
) -> Result<Vec<(DatasetId, Fate)>, Error> {
    let rows = sqlx::query(
        "SELECT dataset, state FROM journeys_stop_dataset WHERE stop = $1 ORDER BY dataset",
    )
    .bind(stop.to_string())
    .fetch_all(&mut *on.reader().await?)
    .await?;
    let damaged = || Error::Unknown { what: "dataset" };
    rows.iter()
        .map(|row| {
            let (dataset, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let fate = Fate::ALL.into_iter().find(|f| f.as_str() == state).ok_or_else(damaged)?;
            Ok((dataset.parse().map_err(|_| damaged())?, fate))
        })
        .collect()
}

/// A dataset of a stop as the ports see it.
struct Concerned {
    dataset: DatasetId,
    fate: Fate,
}

/// The datasets of a stop on which nothing was decided yet.
async fn concerned(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
) -> Result<Vec<Concerned>, EraseError> {
    const SQL: &str = "SELECT s.dataset, d.route, e.dataset, \
         (SELECT COUNT(*) FROM audit_event a WHERE a.subject = s.dataset AND a.kind = 'package.fetched') \
         FROM journeys_stop_dataset s LEFT JOIN deliver_delivery d ON d.dataset = s.dataset \
         LEFT JOIN deliver_erasure e ON e.dataset = s.dataset \
         WHERE s.stop = $1 AND s.state = 'open' ORDER BY s.dataset";
    const MALFORMED: EraseError =
        EraseError::Malformed { table: "journeys_stop_dataset", column: "dataset" };
    let rows = sqlx::query(SQL).bind(stop.to_string()).fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            let dataset: String = row.try_get(0)?;
            let route: Option<String> = row.try_get(1)?;
            let erased: Option<String> = row.try_get(2)?;
            let fetched: i64 = row.try_get(3)?;
            let route = route.map(|r| r.parse::<Route>()).transpose().map_err(|_| MALFORMED)?;
            let fate = match route {
                None => Fate::Withdrawn,
                // It waits to be fetched; a medium was carried away, and what stays here is in use here.
                Some(Route::SealedTransfer) if fetched == 0 && erased.is_none() => {
                    Fate::PackageErased
                }
                Some(_) => Fate::HandedOver,
            };
            Ok(Concerned { dataset: dataset.parse().map_err(|_| MALFORMED)?, fate })
        })
        .collect()
}

/// All datasets that hold persons of a stop.
async fn held(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
) -> Result<Vec<DatasetId>, EraseError> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT dataset FROM journeys_stop_dataset WHERE stop = $1")
            .bind(stop.to_string())
            .fetch_all(conn)
            .await?;
    const MALFORMED: EraseError =
        EraseError::Malformed { table: "journeys_stop_dataset", column: "dataset" };
    ids.iter().map(|id| id.parse().map_err(|_| MALFORMED)).collect()
}

async fn settle(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
    of: &Concerned,
) -> Result<(), EraseError> {
    sqlx::query("UPDATE journeys_stop_dataset SET state = $3 WHERE stop = $1 AND dataset = $2")
        .bind(stop.to_string())
        .bind(of.dataset.to_string())
        .bind(of.fate.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Datasets that wait for their release: none of them can be released any more, each has to be made anew.
pub(crate) struct Datasets;

#[async_trait]
impl Erases for Datasets {
    fn name(&self) -> &'static str {
        "datasets"
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        let mut ack = Ack::default();
        for one in concerned(tx.conn(), order.stop).await? {
            let what = match one.fate {
                Fate::Withdrawn => "datasets_withdrawn",
                Fate::HandedOver => "datasets_handed_over",
                Fate::Open | Fate::PackageErased => continue,
            };
            settle(tx.conn(), order.stop, &one).await?;
            ack = ack.with(what, 1);
        }
        Ok(ack)
    }
}

/// Packages that nobody has fetched: their bytes go; and what lies here for a regulator.
pub(crate) struct UnfetchedPackages {
    log: Log,
    dir: PathBuf,
    packages: Packages,
    permit: Permit,
}

impl UnfetchedPackages {
    pub(crate) async fn new(on: &Deployment) -> Result<Self, Error> {
        // Erased by the producer itself, whoever applies the stop.
        let system: Actor = inspect::system_actor(on).await?;
        let permit = permit(&system, Act::EraseDataset)?;
        let dir = on.dir().to_owned();
        Ok(Self { log: on.log.clone(), dir, packages: on.packages()?, permit })
    }
}

#[async_trait]
impl Erases for UnfetchedPackages {
    fn name(&self) -> &'static str {
        "packages"
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        let mut ack = Ack::default();
        let at = tx.now();
        for dataset in held(tx.conn(), order.stop).await? {
            let ended = enquiry::erase::end(tx.conn(), dataset, at).await?;
            if ended.answers + ended.submissions > 0 {
                ack = ack.with("answers", ended.answers).with("submissions", ended.submissions);
            }
        }
        for one in concerned(tx.conn(), order.stop).await? {
            if one.fate != Fate::PackageErased {
                continue;
            }
            let row = kiban_deliver::delivery(tx.conn(), one.dataset).await.map_err(failed)?;
            settle(tx.conn(), order.stop, &one).await?;
            ack = ack.with("packages", 1).with("bytes", row.map_or(0, |r| r.package_bytes));
        }
        Ok(ack)
    }

    async fn sweep(&self) -> Result<(), EraseError> {
        const SQL: &str = "SELECT DISTINCT s.dataset FROM journeys_stop_dataset s \
             LEFT JOIN deliver_erasure e ON e.dataset = s.dataset \
             WHERE s.state = 'package_erased' AND e.dataset IS NULL ORDER BY s.dataset";
        let mut conn = self.log.db().pool().acquire().await?;
        let waiting: Vec<String> = sqlx::query_scalar(SQL).fetch_all(&mut *conn).await?;
        drop(conn);
        for dataset in waiting {
            let dataset = dataset.parse().map_err(|_| EraseError::Malformed {
                table: "journeys_stop_dataset",
                column: "dataset",
            })?;
            match self.packages.erase(&self.log, &self.permit, dataset, "stopped").await {
                Ok(_) => {}
                Err(DeliverError::NotRemoved(_)) => return Err(EraseError::BytesRemain),
                Err(e) => return Err(failed(e)),
            }
        }
        let mut conn = self.log.db().pool().acquire().await?;
        enquiry::erase::remove_ended(&mut conn, &self.dir).await.map_err(|e| match e {
            RemoveError::Database(e) => EraseError::from(e),
            RemoveError::Remains => EraseError::BytesRemain,
        })?;
        drop(conn);
        // What an ended process left of erased packages.
        self.packages.collect(&self.log).await.map_err(failed)?;
        Ok(())
    }
}

fn failed(_: DeliverError) -> EraseError {
    EraseError::Unavailable
}
