//! The SQL of this crate: deliveries received and the record of each receipt.

use kiban_audit::{
    Tx,
    sqlx::{self, AnyConnection, AnyPool, Row as _},
};
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use serde_json::{Value, json};

use crate::{
    report::{Counts, DeliveryReport},
    seal::Checked,
    thresholds::Threshold,
    validation::{Population, Reference},
};

/// Why a delivery could not be recorded or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed.
    #[error("the governance database failed")]
    Db(#[from] sqlx::Error),
    /// The same sealed bytes were received before: nothing is to be done.
    #[error("this sealed file was received before as {0}")]
    AlreadyReceived(Id<kinds::Delivery>),
    /// Another sealed file carries the id of a delivery on record.
    #[error("the id of this delivery was used before for other bytes")]
    IdReused,
    /// A stored value does not parse.
    #[error("a stored delivery cannot be read")]
    Stored,
    /// There is no such delivery, or it has its receipt already.
    #[error("there is no such delivery without a receipt")]
    NotReceived,
}

impl StoreError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Db(_) => "データベースの処理に失敗しました。変更は行われていません。".into(),
            Self::AlreadyReceived(id) => {
                format!("この封緘ファイルは既に受領済みです（{id}）。何も変わっていません。")
            }
            Self::IdReused => {
                "別の内容で使用済みの提供番号です。提供元に封緘し直してもらってください。".into()
            }
            Self::Stored => "保存された受領記録を解釈できません。".into(),
            Self::NotReceived => "受領書を出せる受領記録がありません。".into(),
        }
    }
}

/// How far a delivery got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its rows are kept; the receipt is still to be issued.
    Received,
    /// The receipt was issued.
    Receipted,
}

/// A delivery on record.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// The delivery.
    pub id: Id<kinds::Delivery>,
    /// The sender.
    pub holder: Id<kinds::Organization>,
    /// Digest of the sealed file.
    pub sealed_sha256: Digest,
    /// Digest of the signed list of files.
    pub files_sha256: Digest,
    /// State.
    pub state: State,
    /// When the holder sealed it.
    pub sealed_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// What became of it.
    pub counts: Counts,
    /// The signed receipt, once issued.
    pub receipt: Option<String>,
}

/// A selection of deliveries, in the order [`row`] reads.
macro_rules! deliveries {
    ($tail:literal) => {
        concat!(
            "SELECT id, holder, sealed_sha256, files_sha256, state, sealed_at, received_at, counts, receipt \
             FROM intake_delivery ",
            $tail
        )
    };
}

fn row(r: &sqlx::any::AnyRow) -> Result<DeliveryRow, StoreError> {
    let text = |i: usize| r.try_get::<String, _>(i).map_err(StoreError::from);
    let receipt = text(8)?;
    Ok(DeliveryRow {
        id: text(0)?.parse().map_err(|_| StoreError::Stored)?,
        holder: text(1)?.parse().map_err(|_| StoreError::Stored)?,
        sealed_sha256: text(2)?.parse().map_err(|_| StoreError::Stored)?,
        files_sha256: text(3)?.parse().map_err(|_| StoreError::Stored)?,
        state: match text(4)?.as_str() {
            "received" => State::Received,
            "receipted" => State::Receipted,
            _ => return Err(StoreError::Stored),
        },
        sealed_at: text(5)?.parse().map_err(|_| StoreError::Stored)?,
        received_at: text(6)?.parse().map_err(|_| StoreError::Stored)?,
        counts: serde_json::from_str(&text(7)?).map_err(|_| StoreError::Stored)?,
        receipt: (!receipt.is_empty()).then_some(receipt),
    })
}

/// The delivery with this sealed digest, if it was received. Ask before doing any work.
///
/// # Errors
/// The database failed.
pub async fn find_by_digest(
    pool: &AnyPool,
    digest: Digest,
) -> Result<Option<DeliveryRow>, StoreError> {
    let found = sqlx::query(deliveries!("WHERE sealed_sha256 = $1"))
        .bind(digest.to_string())
        .fetch_optional(pool)
        .await?;
    found.as_ref().map(row).transpose()
}

/// One delivery.
///
/// # Errors
/// The database failed.
pub async fn find(
    pool: &AnyPool,
    id: Id<kinds::Delivery>,
) -> Result<Option<DeliveryRow>, StoreError> {
    let found =
        sqlx::query(deliveries!("WHERE id = $1")).bind(id.to_string()).fetch_optional(pool).await?;
    found.as_ref().map(row).transpose()
}

/// All deliveries, oldest first; of one holder if given.
///
/// # Errors
/// The database failed.
pub async fn list(
    pool: &AnyPool,
    holder: Option<Id<kinds::Organization>>,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = match holder {
        None => sqlx::query(deliveries!("ORDER BY received_at, id")).fetch_all(pool).await?,
        Some(holder) => {
            sqlx::query(deliveries!("WHERE holder = $1 ORDER BY received_at, id"))
                .bind(holder.to_string())
                .fetch_all(pool)
                .await?
        }
    };
    rows.iter().map(row).collect()
}

/// Deliveries whose receipt is still to be issued: what a restart has to finish.
///
/// # Errors
/// The database failed.
pub async fn without_receipt(pool: &AnyPool) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = sqlx::query(deliveries!("WHERE state = 'received' ORDER BY received_at, id"))
        .fetch_all(pool)
        .await?;
    rows.iter().map(row).collect()
}

/// The report of a delivery.
///
/// # Errors
/// The database failed, or the report does not parse.
pub async fn report(
    pool: &AnyPool,
    id: Id<kinds::Delivery>,
) -> Result<Option<DeliveryReport>, StoreError> {
    let found: Option<(String,)> =
        sqlx::query_as("SELECT report FROM intake_delivery WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(pool)
            .await?;
    found.map(|(text,)| serde_json::from_str(&text).map_err(|_| StoreError::Stored)).transpose()
}

/// Records a delivery and the record of its receipt, in the transaction that makes its rows visible.
///
/// # Errors
/// [`StoreError::AlreadyReceived`] for the same sealed bytes: roll back, nothing is to be done.
/// # Law
/// `receipt_record`
pub async fn insert(
    tx: &mut Tx,
    checked: &Checked,
    report: &DeliveryReport,
) -> Result<(), StoreError> {
    let manifest = checked.manifest();
    let now = tx.now();
    let conn = tx.conn();
    refuse_known(conn, checked).await?;
    let counts = serde_json::to_string(&report.counts).map_err(|_| StoreError::Stored)?;
    let text = serde_json::to_string(report).map_err(|_| StoreError::Stored)?;
    let items: Vec<&String> =
        report.counts.rows.iter().filter(|(_, n)| **n > 0).map(|(t, _)| t).collect();
    let items = serde_json::to_string(&items).map_err(|_| StoreError::Stored)?;
    sqlx::query(
        "INSERT INTO intake_delivery (id, holder, sealed_sha256, sealed_bytes, files_sha256, state, sealed_at, \
         received_at, manifest, counts, report) VALUES ($1, $2, $3, $4, $5, 'received', $6, $7, $8, $9, $10)",
    )
    .bind(manifest.delivery.to_string())
    .bind(manifest.holder.to_string())
    .bind(checked.sealed_digest().to_string())
    .bind(i64::try_from(checked.sealed_bytes()).unwrap_or(i64::MAX))
    .bind(manifest.files.sha256.to_string())
    .bind(manifest.created_at.to_string())
    .bind(now.to_string())
    .bind(checked.manifest_note().to_owned())
    .bind(counts)
    .bind(text)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO intake_receipt_record (delivery, verified_at, holder_name, holder_address, representative, \
         acquisition, persons, items) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(manifest.delivery.to_string())
    .bind(now.to_string())
    .bind(manifest.provider.name.clone())
    .bind(manifest.provider.address.clone())
    .bind(manifest.provider.representative.clone())
    .bind(manifest.provider.acquisition.clone())
    .bind(i64::try_from(report.counts.accepted_persons).unwrap_or(i64::MAX))
    .bind(items)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

async fn refuse_known(conn: &mut AnyConnection, checked: &Checked) -> Result<(), StoreError> {
    let known: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, sealed_sha256 FROM intake_delivery WHERE sealed_sha256 = $1 OR id = $2",
    )
    .bind(checked.sealed_digest().to_string())
    .bind(checked.manifest().delivery.to_string())
    .fetch_all(conn)
    .await?;
    match known.first() {
        None => Ok(()),
        Some((id, digest)) if *digest == checked.sealed_digest().to_string() => {
            Err(StoreError::AlreadyReceived(id.parse().map_err(|_| StoreError::Stored)?))
        }
        Some(_) => Err(StoreError::IdReused),
    }
}

/// Records the receipt that was issued for a delivery.
///
/// # Errors
/// The delivery is unknown or has one already.
pub async fn record_receipt(
    tx: &mut Tx,
    id: Id<kinds::Delivery>,
    receipt: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE intake_delivery SET state = 'receipted', receipt = $1 WHERE id = $2 AND state = 'received'",
    )
    .bind(receipt.to_owned())
    .bind(id.to_string())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotReceived) }
}

/// Adds a threshold of the quality grid; those before it stay on record. Returns the bytes on record.
///
/// # Errors
/// The database failed.
pub async fn add_threshold(tx: &mut Tx, threshold: &Threshold) -> Result<Vec<u8>, StoreError> {
    let text = serde_json::to_string(threshold).map_err(|_| StoreError::Stored)?;
    sqlx::query(
        "INSERT INTO intake_quality_threshold (no, set_at, threshold) \
         SELECT COALESCE(MAX(no), 0) + 1, $1, $2 FROM intake_quality_threshold",
    )
    .bind(threshold.set_at.to_string())
    .bind(text.clone())
    .execute(tx.conn())
    .await?;
    Ok(text.into_bytes())
}

/// All thresholds that were ever set, oldest first.
///
/// # Errors
/// The database failed, or one does not parse.
pub async fn thresholds(pool: &AnyPool) -> Result<Vec<Threshold>, StoreError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT threshold FROM intake_quality_threshold ORDER BY no")
            .fetch_all(pool)
            .await?;
    let parsed = |(text,): &(String,)| serde_json::from_str(text).map_err(|_| StoreError::Stored);
    rows.iter().map(parsed).collect()
}

/// Adds a reference table; those before it stay on record. Returns the bytes on record.
///
/// # Errors
/// The database failed.
pub async fn add_reference(tx: &mut Tx, reference: &Reference) -> Result<Vec<u8>, StoreError> {
    let text = serde_json::to_string(reference).map_err(|_| StoreError::Stored)?;
    sqlx::query(
        "INSERT INTO intake_reference (no, holder, set_at, reference) \
         SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3 FROM intake_reference",
    )
    .bind(reference.holder.map(|h| h.to_string()).unwrap_or_default())
    .bind(reference.set_at.to_string())
    .bind(text.clone())
    .execute(tx.conn())
    .await?;
    Ok(text.into_bytes())
}

/// The reference table that counts for a holder: its own newest, else the newest for all.
///
/// # Errors
/// The database failed, or it does not parse.
pub async fn reference(
    pool: &AnyPool,
    holder: Id<kinds::Organization>,
) -> Result<Option<Reference>, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT reference FROM intake_reference WHERE holder = $1 OR holder = '' \
         ORDER BY CASE WHEN holder = '' THEN 1 ELSE 0 END, no DESC LIMIT 1",
    )
    .bind(holder.to_string())
    .fetch_optional(pool)
    .await?;
    found.map(|(text,)| serde_json::from_str(&text).map_err(|_| StoreError::Stored)).transpose()
}

/// Who came in a holder's deliveries before a moment, by class of sex and age.
///
/// # Errors
/// The database failed, or a report does not parse.
pub async fn population_before(
    pool: &AnyPool,
    holder: Id<kinds::Organization>,
    before: Timestamp,
) -> Result<Population, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT received_at, report FROM intake_delivery WHERE holder = $1")
            .bind(holder.to_string())
            .fetch_all(pool)
            .await?;
    let mut out = Population::new();
    for (at, report) in rows {
        let at: Timestamp = at.parse().map_err(|_| StoreError::Stored)?;
        if at >= before {
            continue;
        }
        let report: DeliveryReport =
            serde_json::from_str(&report).map_err(|_| StoreError::Stored)?;
        for (class, n) in report.population {
            *out.entry(class).or_default() += n;
        }
    }
    Ok(out)
}

/// The body of the event `delivery.received`: ids, digests, counts.
pub fn event_body(checked: &Checked, counts: &Counts) -> Value {
    let m = checked.manifest();
    json!({
        "delivery": m.delivery.to_string(),
        "holder": m.holder.to_string(),
        "sealed_sha256": checked.sealed_digest().to_string(),
        "files_sha256": m.files.sha256.to_string(),
        "files": m.files.count,
        "segments": counts.segments,
        "accepted_segments": counts.accepted_segments,
        "duplicate_segments": counts.duplicate_segments,
        "superseded_segments": counts.superseded_segments,
        "withdrawn_records": counts.withdrawn_records,
        "retractions": m.retractions.map_or(0, |l| l.count),
        "corrections_sent": m.corrections.map_or(0, |l| l.count),
        "accepted_persons": counts.accepted_persons,
        "refused_persons": counts.refused_persons,
        "refused_segments": counts.refused_segments,
        "quarantined_segments": counts.quarantined_segments,
        "rows": counts.rows,
        "register_differences": counts.register_differences,
    })
}
