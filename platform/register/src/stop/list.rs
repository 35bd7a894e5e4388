//! The list of erasures: what a restored register needs to know of stops that came after the backup. Names nobody.

use kiban_kernel::{Bases, Date, Id, Timestamp, kinds};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::{Requester, Scope, Stop, Withdrawal, rows, withdraw};
use crate::store::{StoreError, text};

/// A stop on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnList {
    id: Id<kinds::Stop>,
    no: u64,
    holder: Id<kinds::Organization>,
    receipt_number: String,
    requested_on: Date,
    requester: String,
    evidence: String,
    scope: String,
    regimes: u8,
    received_at: Timestamp,
    persons: Vec<Id<kinds::PersonSource>>,
    /// Keyed hash and scope.
    suppressed: Vec<(String, String)>,
    /// Day, number of the document, who, evidence.
    withdrawn: Option<(Date, String, String, String)>,
}

impl OnList {
    /// The stop.
    pub fn id(&self) -> Id<kinds::Stop> {
        self.id
    }
}

fn requester(of: &str) -> Result<Requester, StoreError> {
    Requester::of(of).ok_or(StoreError::Malformed { table: "erasures", column: "requester" })
}

/// All stops as the list has them, in the order of receipt.
///
/// # Errors
/// The database failed.
pub async fn list(conn: &mut AnyConnection) -> Result<Vec<OnList>, StoreError> {
    let withdrawals = withdraw::withdrawals(&mut *conn).await?;
    let mut out = Vec::new();
    for stop in rows::all(&mut *conn).await? {
        let id = stop.id.to_string();
        let evidence = sqlx::query("SELECT evidence FROM register_stop WHERE id = $1")
            .bind(id.as_str())
            .fetch_one(&mut *conn)
            .await?;
        let suppressed = sqlx::query(
            "SELECT hash, scope FROM register_suppression WHERE stop = $1 ORDER BY hash",
        )
        .bind(id.as_str())
        .fetch_all(&mut *conn)
        .await?;
        let table = "register_suppression";
        let suppressed: Result<Vec<_>, StoreError> = suppressed
            .iter()
            .map(|row| Ok((text(row, table, "hash")?, text(row, table, "scope")?)))
            .collect();
        out.push(OnList {
            id: stop.id,
            no: stop.no,
            holder: stop.holder,
            receipt_number: stop.receipt_number,
            requested_on: stop.requested_on,
            requester: stop.requester.as_str().to_owned(),
            evidence: text(&evidence, "register_stop", "evidence")?,
            scope: stop.scope.as_str().to_owned(),
            regimes: stop.regimes.bits(),
            received_at: stop.received_at,
            persons: stop.persons,
            suppressed: suppressed?,
            withdrawn: withdrawals.get(&stop.id).map(|w| {
                (
                    w.withdrawn_on,
                    w.receipt_number.clone(),
                    w.requester.as_str().to_owned(),
                    w.evidence.clone(),
                )
            }),
        });
    }
    Ok(out)
}

/// Put a stop of the list back on a register that lacks it, as open in every one of `stores`. False if it has it.
///
/// # Errors
/// The list cannot be read, its holder is unknown here, or the database failed.
pub async fn put_back(
    conn: &mut AnyConnection,
    one: &OnList,
    stores: &[&str],
) -> Result<bool, StoreError> {
    let known = sqlx::query("SELECT id FROM register_stop WHERE id = $1")
        .bind(one.id.to_string())
        .fetch_optional(&mut *conn)
        .await?;
    if known.is_some() {
        return Ok(false);
    }
    let taken = sqlx::query("SELECT id FROM register_stop WHERE stop_no = $1")
        .bind(i64::try_from(one.no).unwrap_or(i64::MAX))
        .fetch_optional(&mut *conn)
        .await?
        .is_some();
    let no = if taken { rows::watermark(&mut *conn).await? + 1 } else { one.no };
    let scope = |of: &str| {
        Scope::ALL
            .into_iter()
            .find(|s| s.as_str() == of)
            .ok_or(StoreError::Malformed { table: "erasures", column: "scope" })
    };
    let stop = Stop {
        id: one.id,
        no,
        holder: one.holder,
        receipt_number: one.receipt_number.clone(),
        requested_on: one.requested_on,
        requester: requester(&one.requester)?,
        scope: scope(&one.scope)?,
        regimes: Bases::from_bits(one.regimes),
        received_at: one.received_at,
        closed_at: None,
        proof: None,
        persons: one.persons.clone(),
    };
    rows::add(&mut *conn, &stop, &one.evidence).await?;
    for (hash, of) in &one.suppressed {
        rows::suppress(&mut *conn, &stop, hash, scope(of)?).await?;
    }
    for store in stores {
        super::answers::await_store(&mut *conn, stop.id, store).await?;
    }
    if let Some((withdrawn_on, number, who, evidence)) = &one.withdrawn {
        let back = Withdrawal {
            stop: stop.id,
            withdrawn_on: *withdrawn_on,
            receipt_number: number.clone(),
            requester: requester(who)?,
            evidence: evidence.clone(),
        };
        withdraw::insert(conn, &back, one.received_at).await?;
    }
    Ok(true)
}
