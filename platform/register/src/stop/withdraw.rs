//! A stop taken back: it stays on the register, and lets pass what a new notice covers.
//!
//! Enters: the facts of the holder's document of the withdrawal. Leaves: a row beside the stop. From then on the gate
//! lets the person pass under a notice given on or after the day of the withdrawal, once its wait is over, and only with
//! what arose since that notice (`gate`). What the stop erased does not come back.
//!
//! # Law
//! `stop`, `notice.anonymized`, `notice.pseudonymized`

use std::collections::BTreeMap;

use kiban_audit::Tx;
use kiban_kernel::{Date, Id, Timestamp, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use super::{Requester, StopError, rows};
use crate::store::{StoreError, parsed, text};

const TABLE: &str = "register_stop_withdrawal";

/// A withdrawal with the facts of the holder's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Of which stop.
    pub stop: Id<kinds::Stop>,
    /// Day of the withdrawal.
    pub withdrawn_on: Date,
    /// Number of the holder's document.
    pub receipt_number: String,
    /// Who took it back.
    pub requester: Requester,
    /// Reference of what proves the requester's standing.
    pub evidence: String,
}

/// Put a withdrawal on the register, in the caller's transaction. Leaves the note `withdrawal`.
///
/// # Errors
/// There is no such stop, it was withdrawn before, a store has not acknowledged it, the document lacks its number or
/// evidence, or the day is before the request.
pub async fn withdraw(tx: &mut Tx, new: &Withdrawal) -> Result<(), StopError> {
    if new.receipt_number.trim().is_empty() {
        return Err(StopError::NoReceipt);
    }
    if new.evidence.trim().is_empty() {
        return Err(StopError::NoEvidence);
    }
    let stop = rows::find(tx.conn(), new.stop).await?;
    // Nobody asked, so nobody takes it back; a new notice is what lets the person pass.
    if !stop.requester.is_request() {
        return Err(StoreError::Missing { what: "提供停止の求め" }.into());
    }
    if stop.closed_at.is_none() {
        return Err(StopError::Open);
    }
    if new.withdrawn_on < stop.requested_on {
        return Err(StopError::TooEarly);
    }
    if withdrawal(tx.conn(), new.stop).await?.is_some() {
        return Err(StopError::Withdrawn);
    }
    let now = tx.now();
    insert(tx.conn(), new, now).await?;
    tx.note(
        "withdrawal",
        serde_json::json!({ "no": stop.no, "on": new.withdrawn_on.to_string(), "requester": new.requester.as_str() }),
    );
    Ok(())
}

pub(super) async fn insert(
    conn: &mut AnyConnection,
    new: &Withdrawal,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_stop_withdrawal (stop, withdrawn_on, receipt_number, requester, evidence, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new.stop.to_string())
    .bind(new.withdrawn_on.to_string())
    .bind(new.receipt_number.trim())
    .bind(new.requester.as_str())
    .bind(new.evidence.trim())
    .bind(now.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// The withdrawal of a stop, if it was taken back.
///
/// # Errors
/// The database failed.
pub async fn withdrawal(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
) -> Result<Option<Withdrawal>, StoreError> {
    let row = sqlx::query("SELECT * FROM register_stop_withdrawal WHERE stop = $1")
        .bind(stop.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All withdrawals, by stop.
///
/// # Errors
/// The database failed.
pub async fn withdrawals(
    conn: &mut AnyConnection,
) -> Result<BTreeMap<Id<kinds::Stop>, Withdrawal>, StoreError> {
    let rows = sqlx::query("SELECT * FROM register_stop_withdrawal").fetch_all(conn).await?;
    rows.iter().map(|row| read(row).map(|w| (w.stop, w))).collect()
}

fn read(row: &AnyRow) -> Result<Withdrawal, StoreError> {
    let requester = text(row, TABLE, "requester")?;
    Ok(Withdrawal {
        stop: parsed(row, TABLE, "stop")?,
        withdrawn_on: parsed(row, TABLE, "withdrawn_on")?,
        receipt_number: text(row, TABLE, "receipt_number")?,
        requester: Requester::ALL
            .into_iter()
            .find(|r| r.as_str() == requester)
            .ok_or(StoreError::Malformed { table: TABLE, column: "requester" })?,
        evidence: text(row, TABLE, "evidence")?,
    })
}
