//! The register's table of stores that must acknowledge a stop.

use kiban_kernel::{Id, Timestamp, kinds};
use sqlx::AnyConnection;

use super::Ack;
use crate::store::{StoreError, int, maybe, maybe_int, maybe_parsed, text, to_json};

const STORES: &str = "register_stop_store";

/// A store that must acknowledge a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// Its name.
    pub store: String,
    /// When it acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// What it erased so far.
    pub ack: Ack,
    /// How often it was asked.
    pub attempts: u64,
    /// Place of its acknowledgement in the log; none for one that was written before places were kept.
    pub event: Option<u64>,
}

pub(super) async fn await_store(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
    store: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO register_stop_store (stop, store, attempts) VALUES ($1, $2, 0)")
        .bind(stop.to_string())
        .bind(store)
        .execute(conn)
        .await?;
    Ok(())
}

/// What a store erased so far; `at`: it acknowledges, in the event of that place.
pub(super) async fn answered(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
    store: &str,
    ack: &Ack,
    at: Option<(Timestamp, u64)>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE register_stop_store SET counts = $3, acknowledged_at = $4, event_no = $5, \
         attempts = attempts + 1 WHERE stop = $1 AND store = $2",
    )
    .bind(stop.to_string())
    .bind(store)
    .bind(to_json(ack, STORES, "counts")?)
    .bind(at.map(|(t, _)| t.to_string()))
    .bind(at.map(|(_, place)| place as i64))
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn not_answered(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
    store: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE register_stop_store SET attempts = attempts + 1 WHERE stop = $1 AND store = $2",
    )
    .bind(stop.to_string())
    .bind(store)
    .execute(conn)
    .await?;
    Ok(())
}

/// The stores that must acknowledge a stop, and how far each is.
///
/// # Errors
/// The database failed.
pub async fn stores(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
) -> Result<Vec<StoreState>, StoreError> {
    let rows = sqlx::query("SELECT * FROM register_stop_store WHERE stop = $1 ORDER BY store")
        .bind(stop.to_string())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let counts = maybe(row, STORES, "counts")?;
            Ok(StoreState {
                store: text(row, STORES, "store")?,
                acknowledged_at: maybe_parsed(row, STORES, "acknowledged_at")?,
                ack: counts
                    .map(|c| serde_json::from_str(&c))
                    .transpose()
                    .map_err(|_| StoreError::Malformed { table: STORES, column: "counts" })?
                    .unwrap_or_default(),
                attempts: int(row, STORES, "attempts")? as u64,
                event: maybe_int(row, STORES, "event_no")?.map(|n| n as u64),
            })
        })
        .collect()
}
