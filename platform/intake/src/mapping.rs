//! The mapping bench on record: masters that the operator brought, and every act of the mapping set.
//!
//! Enters: acts that the set accepted, masters that were read. Leaves: the set at any version, the masters' facts. Refuses:
//! nothing by itself: what a person may do is the permit's, what an act may be is the set's.

use std::collections::BTreeMap;

use kiban_audit::{
    Tx,
    sqlx::{self, AnyConnection, AnyPool, Row as _},
};
use kiban_codes::mapping::{Act, MappingSet, read_acts, write_act};
use kiban_kernel::{Digest, Id, Timestamp, kinds};

use crate::store::StoreError;

/// A code master on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterRow {
    /// Names its file.
    pub id: Id<kinds::Event>,
    /// The layout it was read by, which is its code system (`jlac10`, `hot`, `disease` …).
    pub layout: String,
    /// The operator's name of the edition.
    pub edition: String,
    /// Where it came from and under which terms.
    pub source: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Entries.
    pub entries: u64,
    /// Rows that were not used.
    pub dropped: u64,
    /// How often each rule was broken.
    pub defects: BTreeMap<String, u64>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
}

/// Records a master; its file is written before.
///
/// # Errors
/// The database failed.
pub async fn add_master(tx: &mut Tx, master: &MasterRow) -> Result<(), StoreError> {
    let count = |n: u64| i64::try_from(n).map_err(|_| StoreError::Stored);
    sqlx::query(
        "INSERT INTO intake_master (no, id, layout, edition, source, digest, entries, dropped, defects, \
         imported_at, account) \
         SELECT COALESCE(MAX(no), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM intake_master",
    )
    .bind(master.id.to_string())
    .bind(master.layout.clone())
    .bind(master.edition.clone())
    .bind(master.source.clone())
    .bind(master.digest.to_string())
    .bind(count(master.entries)?)
    .bind(count(master.dropped)?)
    .bind(serde_json::to_string(&master.defects).map_err(|_| StoreError::Stored)?)
    .bind(master.imported_at.to_string())
    .bind(master.account.to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Every master on record, oldest first; of one layout the last counts.
///
/// # Errors
/// The database failed, or a row does not parse.
pub async fn masters(pool: &AnyPool) -> Result<Vec<MasterRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, layout, edition, source, digest, entries, dropped, defects, imported_at, account \
         FROM intake_master ORDER BY no",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(master).collect()
}

fn master(row: &sqlx::any::AnyRow) -> Result<MasterRow, StoreError> {
    let text = |i: usize| row.try_get::<String, _>(i).map_err(StoreError::from);
    let count = |i: usize| u64::try_from(row.try_get::<i64, _>(i)?).map_err(|_| StoreError::Stored);
    Ok(MasterRow {
        id: text(0)?.parse().map_err(|_| StoreError::Stored)?,
        layout: text(1)?,
        edition: text(2)?,
        source: text(3)?,
        digest: text(4)?.parse().map_err(|_| StoreError::Stored)?,
        entries: count(5)?,
        dropped: count(6)?,
        defects: serde_json::from_str(&text(7)?).map_err(|_| StoreError::Stored)?,
        imported_at: text(8)?.parse().map_err(|_| StoreError::Stored)?,
        account: text(9)?.parse().map_err(|_| StoreError::Stored)?,
    })
}

/// Adds acts behind those on record. Give the set's version before the first of them: two that were made on the same
/// version exclude each other.
///
/// # Errors
/// The database failed, or others acted meanwhile.
pub async fn add_acts(tx: &mut Tx, version: usize, acts: &[Act]) -> Result<(), StoreError> {
    for (act, no) in acts.iter().zip(version as u64 + 1..) {
        sqlx::query("INSERT INTO intake_mapping_act (no, at, act) VALUES ($1, $2, $3)")
            .bind(i64::try_from(no).map_err(|_| StoreError::Stored)?)
            .bind(act.by().at.to_string())
            .bind(write_act(act))
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// The set as the acts on record make it, up to a version if given.
///
/// # Errors
/// The database failed, the acts cannot be replayed, or there are fewer than the version says.
pub async fn mapping_set(
    conn: &mut AnyConnection,
    version: Option<u64>,
) -> Result<MappingSet, StoreError> {
    let most = version.unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
    let acts: Vec<(String,)> =
        sqlx::query_as("SELECT act FROM intake_mapping_act WHERE no <= $1 ORDER BY no")
            .bind(most.cast_signed())
            .fetch_all(conn)
            .await?;
    let set = read_acts(acts.iter().map(|(act,)| act.as_str())).map_err(|_| StoreError::Stored)?;
    match version {
        Some(version) if set.version() as u64 != version => Err(StoreError::Stored),
        _ => Ok(set),
    }
}

/// The version of the set on record: the number of its acts.
///
/// # Errors
/// The database failed.
pub async fn version(conn: &mut AnyConnection) -> Result<u64, StoreError> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM intake_mapping_act").fetch_one(conn).await?;
    u64::try_from(count).map_err(|_| StoreError::Stored)
}
