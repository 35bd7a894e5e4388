//! Letters that came back, as the producer's register knows them: the notice counts for nothing from then on.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`

use std::collections::HashMap;

use kiban_kernel::{Bases, Date, Id, Regime, Timestamp, kinds};
use sqlx::AnyConnection;

use crate::store::{StoreError, filled, int, parsed, text};

const TABLE: &str = "register_notice_return";

/// Which notice of whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReturnKey {
    /// The person as the holder knows him or her.
    pub person: Id<kinds::PersonSource>,
    /// Under which regime.
    pub regime: Regime,
    /// Version of the notice.
    pub version: String,
    /// Day of the notice.
    pub notified_on: Date,
}

/// Puts on record that a letter came back; false if it was there before.
///
/// # Errors
/// The version is empty, or the database failed.
pub async fn add(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    key: &ReturnKey,
    returned_on: Date,
    now: Timestamp,
) -> Result<bool, StoreError> {
    filled(&key.version, "版")?;
    let done = sqlx::query(
        "INSERT INTO register_notice_return (person_source, holder, regime, notice_version, notified_on, returned_on, \
         recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (person_source, regime, notice_version, notified_on) DO NOTHING",
    )
    .bind(key.person.to_string())
    .bind(holder.to_string())
    .bind(key.regime.as_str())
    .bind(key.version.as_str())
    .bind(key.notified_on.to_string())
    .bind(returned_on.to_string())
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The letters of a holder that had come back by a day, with the day.
///
/// # Errors
/// The database failed.
pub async fn of(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    on: Date,
) -> Result<HashMap<ReturnKey, Date>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM register_notice_return WHERE holder = $1 AND returned_on <= $2")
            .bind(holder.to_string())
            .bind(on.to_string())
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            let key = ReturnKey {
                person: parsed(row, TABLE, "person_source")?,
                regime: parsed(row, TABLE, "regime")?,
                version: text(row, TABLE, "notice_version")?,
                notified_on: parsed(row, TABLE, "notified_on")?,
            };
            Ok((key, parsed(row, TABLE, "returned_on")?))
        })
        .collect()
}

/// How many letters came back, by holder.
///
/// # Errors
/// The database failed.
pub async fn counts(
    conn: &mut AnyConnection,
) -> Result<HashMap<Id<kinds::Organization>, u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT holder, COUNT(*) AS n FROM register_notice_return GROUP BY holder ORDER BY holder",
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((parsed(row, TABLE, "holder")?, int(row, TABLE, "n")?.unsigned_abs())))
        .collect()
}

/// Removes what is on record of persons under regimes, for a stop. Returns how many rows went.
///
/// # Errors
/// The database failed.
pub async fn forget(
    conn: &mut AnyConnection,
    persons: &[Id<kinds::PersonSource>],
    regimes: Bases,
) -> Result<u64, sqlx::Error> {
    let mut gone = 0;
    for person in persons {
        for regime in Regime::ALL.into_iter().filter(|r| regimes.contains(*r)) {
            let done = sqlx::query(
                "DELETE FROM register_notice_return WHERE person_source = $1 AND regime = $2",
            )
            .bind(person.to_string())
            .bind(regime.as_str())
            .execute(&mut *conn)
            .await?;
            gone += done.rows_affected();
        }
    }
    Ok(gone)
}
