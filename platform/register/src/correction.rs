//! Corrections of persons that holders sent: what linking and the gate have to respect from then on.
//!
//! Enters: a row of a holder's list, checked and signed in its delivery. Leaves: constraints on links (two local
//! ids are one person, or two persons), and the other hash under which a stop counts. Refuses: nothing; the newest
//! word on a pair holds, and of contradicting words over several ids two persons stay apart.
//!
//! # Law
//! `receipt_record`, `stop`

use std::collections::BTreeMap;

use kiban_kernel::{Date, Digest, Id, Timestamp, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    keys::RegisterKeys,
    link::Constraint,
    store::{StoreError, int, maybe_parsed, parsed, text},
};

const TABLE: &str = "register_correction";

/// A correction to be put on record.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCorrection<'a> {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// The delivery it came in.
    pub delivery: Id<kinds::Delivery>,
    /// Digest of its row.
    pub digest: Digest,
    /// `same_person`, `two_persons` or `wrong_patient`.
    pub kind: &'static str,
    /// The local id given up, in doubt, or wrongly written.
    pub from: &'a str,
    /// The other local id.
    pub to: &'a str,
    /// The one delivery it is about.
    pub about: Option<Id<kinds::Delivery>>,
    /// Day of the holder's correction.
    pub made_on: Date,
    /// Why.
    pub reason: &'a str,
}

impl std::fmt::Debug for NewCorrection<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewCorrection({})", self.kind)
    }
}

/// A correction on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Order in which it was applied.
    pub no: u64,
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// The delivery it came in.
    pub delivery: Id<kinds::Delivery>,
    /// `same_person`, `two_persons` or `wrong_patient`.
    pub kind: String,
    /// The person source given up, in doubt, or wrongly written.
    pub from: Id<kinds::PersonSource>,
    /// The other.
    pub to: Id<kinds::PersonSource>,
    /// The one delivery it is about.
    pub about: Option<Id<kinds::Delivery>>,
    /// Day of the holder's correction.
    pub made_on: Date,
    /// Why, in the holder's words.
    pub reason: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// Under one of the two ids somebody asked to stop.
    pub stopped: bool,
}

const SAME: &str = "same_person";

/// Digests of the rows of a holder that were applied.
///
/// # Errors
/// The database failed.
pub async fn applied(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
) -> Result<Vec<Digest>, StoreError> {
    let rows = sqlx::query("SELECT digest FROM register_correction WHERE holder = $1")
        .bind(holder.to_string())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|r| parsed(r, TABLE, "digest")).collect()
}

/// Puts a correction on record; returns its number.
///
/// # Errors
/// The row was applied before, or the database failed.
pub async fn add(
    conn: &mut AnyConnection,
    keys: &RegisterKeys,
    new: &NewCorrection<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let next = "SELECT COALESCE(MAX(no), 0) + 1 AS no FROM register_correction";
    let no = int(&sqlx::query(next).fetch_one(&mut *conn).await?, TABLE, "no")?;
    sqlx::query(
        "INSERT INTO register_correction (no, holder, delivery, digest, kind, from_source, to_source, from_hash, \
         to_hash, about_delivery, made_on, reason, applied_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(no)
    .bind(new.holder.to_string())
    .bind(new.delivery.to_string())
    .bind(new.digest.to_string())
    .bind(new.kind)
    .bind(keys.person_source(new.holder, new.from).to_string())
    .bind(keys.person_source(new.holder, new.to).to_string())
    .bind(keys.suppressed_at(new.holder, new.from))
    .bind(keys.suppressed_at(new.holder, new.to))
    .bind(new.about.map(|d| d.to_string()))
    .bind(new.made_on.to_string())
    .bind(new.reason.to_owned())
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok(no.unsigned_abs())
}

/// All corrections on record, oldest first.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Correction>, StoreError> {
    const ALL: &str = "SELECT c.*, CASE WHEN EXISTS (SELECT 1 FROM register_suppression s \
         WHERE s.hash = c.from_hash OR s.hash = c.to_hash) THEN 1 ELSE 0 END AS stopped \
         FROM register_correction c ORDER BY c.no";
    let rows = sqlx::query(ALL).fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Correction, StoreError> {
    Ok(Correction {
        no: int(row, TABLE, "no")?.unsigned_abs(),
        holder: parsed(row, TABLE, "holder")?,
        delivery: parsed(row, TABLE, "delivery")?,
        kind: text(row, TABLE, "kind")?,
        from: parsed(row, TABLE, "from_source")?,
        to: parsed(row, TABLE, "to_source")?,
        about: maybe_parsed(row, TABLE, "about_delivery")?,
        made_on: parsed(row, TABLE, "made_on")?,
        reason: text(row, TABLE, "reason")?,
        applied_at: parsed(row, TABLE, "applied_at")?,
        stopped: int(row, TABLE, "stopped")? == 1,
    })
}

/// What linking has to respect: the newest word on each pair.
///
/// # Errors
/// The database failed.
pub async fn constraints(conn: &mut AnyConnection) -> Result<Vec<Constraint>, StoreError> {
    let mut newest = BTreeMap::new();
    for correction in all(conn).await? {
        let pair = (correction.from.min(correction.to), correction.from.max(correction.to));
        newest.insert(pair, (correction.from, correction.kind == SAME));
    }
    Ok(newest
        .into_iter()
        .map(|((a, b), (doubtful, one_person))| Constraint {
            doubtful,
            other: if doubtful == a { b } else { a },
            one_person,
            by: kiban_linkage::KeyRule::Review,
        })
        .collect())
}

/// Hashes of local ids that are one person, in pairs: a stop under the one counts under the other.
///
/// # Errors
/// The database failed.
pub(crate) async fn merged_hashes(
    conn: &mut AnyConnection,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, from_source, to_source, from_hash, to_hash FROM register_correction ORDER BY no",
    )
    .fetch_all(conn)
    .await?;
    let mut newest: BTreeMap<(String, String), (bool, String, String)> = BTreeMap::new();
    for row in &rows {
        let (from, to) = (text(row, TABLE, "from_source")?, text(row, TABLE, "to_source")?);
        let pair = if from < to { (from, to) } else { (to, from) };
        let same = text(row, TABLE, "kind")? == SAME;
        newest.insert(pair, (same, text(row, TABLE, "from_hash")?, text(row, TABLE, "to_hash")?));
    }
    Ok(newest.into_values().filter(|(same, ..)| *same).map(|(_, a, b)| (a, b)).collect())
}

/// Person sources that a holder says are the same person as `source`, beside itself.
///
/// # Errors
/// The database failed.
pub(crate) async fn merged_with(
    conn: &mut AnyConnection,
    source: Id<kinds::PersonSource>,
) -> Result<Vec<Id<kinds::PersonSource>>, StoreError> {
    let pairs: Vec<Constraint> =
        constraints(conn).await?.into_iter().filter(|c| c.one_person).collect();
    let mut found = vec![source];
    let mut at = 0;
    while let Some(one) = found.get(at).copied() {
        for c in &pairs {
            let other = match one {
                id if id == c.doubtful => c.other,
                id if id == c.other => c.doubtful,
                _ => continue,
            };
            if !found.contains(&other) {
                found.push(other);
            }
        }
        at += 1;
    }
    Ok(found.split_off(1))
}
