//! The register's tables of stops.

use std::collections::BTreeMap;

use kiban_kernel::{Bases, Id, Regime, Timestamp, kinds};
use kiban_linkage::Identity;
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Requester, Scope, Stop, VAULT,
    answers::{StoreState, stores},
};
use crate::keys::RegisterKeys;
use crate::store::{StoreError, int, maybe, maybe_parsed, parsed, text};

const TABLE: &str = "register_stop";
const PERSONS: &str = "register_stop_person";

/// A stop that came after a watermark, and whom of a given set it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchingStop {
    /// The stop.
    pub stop: Id<kinds::Stop>,
    /// Its number.
    pub no: u64,
    /// Its regimes.
    pub regimes: Bases,
    /// Persons.
    pub persons: Vec<Id<kinds::PersonSource>>,
}

pub(super) async fn add(
    conn: &mut AnyConnection,
    stop: &Stop,
    evidence: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_stop (id, stop_no, holder, receipt_number, requested_on, requester, evidence, \
         scope, regimes, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(stop.id.to_string())
    .bind(stop.no as i64)
    .bind(stop.holder.to_string())
    .bind(stop.receipt_number.as_str())
    .bind(stop.requested_on.to_string())
    .bind(stop.requester.as_str())
    .bind(evidence)
    .bind(stop.scope.as_str())
    .bind(i64::from(stop.regimes.bits()))
    .bind(stop.received_at.to_string())
    .execute(&mut *conn)
    .await?;
    for person in &stop.persons {
        sqlx::query("INSERT INTO register_stop_person (stop, person_source) VALUES ($1, $2)")
            .bind(stop.id.to_string())
            .bind(person.to_string())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

pub(super) async fn suppress(
    conn: &mut AnyConnection,
    stop: &Stop,
    hash: &str,
    scope: Scope,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_suppression (stop, hash, scope, regimes, requested_on) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(stop.id.to_string())
    .bind(hash)
    .bind(scope.as_str())
    .bind(i64::from(stop.regimes.bits()))
    .bind(stop.requested_on.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn close(
    conn: &mut AnyConnection,
    stop: Id<kinds::Stop>,
    at: Timestamp,
    proof: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE register_stop SET closed_at = $2, proof = $3 WHERE id = $1")
        .bind(stop.to_string())
        .bind(at.to_string())
        .bind(proof)
        .execute(conn)
        .await?;
    Ok(())
}

/// All stops, in the order of receipt.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Stop>, StoreError> {
    let heads =
        sqlx::query("SELECT * FROM register_stop ORDER BY stop_no").fetch_all(&mut *conn).await?;
    let rows =
        sqlx::query("SELECT stop, person_source FROM register_stop_person ORDER BY person_source")
            .fetch_all(conn)
            .await?;
    let mut persons: BTreeMap<String, Vec<Id<kinds::PersonSource>>> = BTreeMap::new();
    for row in &rows {
        persons.entry(text(row, PERSONS, "stop")?).or_default().push(parsed(
            row,
            PERSONS,
            "person_source",
        )?);
    }
    heads.iter().map(|row| read(row, &mut persons)).collect()
}

/// One stop.
///
/// # Errors
/// There is none, or the database failed.
pub async fn find(conn: &mut AnyConnection, id: Id<kinds::Stop>) -> Result<Stop, StoreError> {
    let row = sqlx::query("SELECT * FROM register_stop WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(StoreError::Missing { what: "提供停止の求め" })?;
    one(conn, &row).await
}

pub(super) async fn by_receipt(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    receipt_number: &str,
) -> Result<Option<Stop>, StoreError> {
    let row = sqlx::query("SELECT * FROM register_stop WHERE holder = $1 AND receipt_number = $2")
        .bind(holder.to_string())
        .bind(receipt_number)
        .fetch_optional(&mut *conn)
        .await?;
    match row {
        Some(row) => Ok(Some(one(conn, &row).await?)),
        None => Ok(None),
    }
}

async fn one(conn: &mut AnyConnection, row: &AnyRow) -> Result<Stop, StoreError> {
    let id = text(row, TABLE, "id")?;
    let rows = sqlx::query(
        "SELECT person_source FROM register_stop_person WHERE stop = $1 ORDER BY person_source",
    )
    .bind(id.as_str())
    .fetch_all(conn)
    .await?;
    let list: Result<Vec<_>, StoreError> =
        rows.iter().map(|r| parsed(r, PERSONS, "person_source")).collect();
    read(row, &mut BTreeMap::from([(id, list?)]))
}

fn read(
    row: &AnyRow,
    persons: &mut BTreeMap<String, Vec<Id<kinds::PersonSource>>>,
) -> Result<Stop, StoreError> {
    let malformed = |column| StoreError::Malformed { table: TABLE, column };
    let (requester, scope) = (text(row, TABLE, "requester")?, text(row, TABLE, "scope")?);
    Ok(Stop {
        id: parsed(row, TABLE, "id")?,
        no: int(row, TABLE, "stop_no")? as u64,
        holder: parsed(row, TABLE, "holder")?,
        receipt_number: text(row, TABLE, "receipt_number")?,
        requested_on: parsed(row, TABLE, "requested_on")?,
        requester: Requester::of(&requester).ok_or_else(|| malformed("requester"))?,
        scope: Scope::ALL
            .into_iter()
            .find(|s| s.as_str() == scope)
            .ok_or_else(|| malformed("scope"))?,
        regimes: Bases::from_bits(int(row, TABLE, "regimes")? as u8),
        received_at: parsed(row, TABLE, "received_at")?,
        closed_at: maybe_parsed(row, TABLE, "closed_at")?,
        proof: maybe(row, TABLE, "proof")?,
        persons: persons.remove(&text(row, TABLE, "id")?).unwrap_or_default(),
    })
}

/// Stops that some store has not acknowledged, with the state of each store.
///
/// # Errors
/// The database failed.
pub async fn open(conn: &mut AnyConnection) -> Result<Vec<(Stop, Vec<StoreState>)>, StoreError> {
    let mut out = Vec::new();
    for stop in all(&mut *conn).await? {
        if stop.closed_at.is_none() {
            let stores = stores(&mut *conn, stop.id).await?;
            out.push((stop, stores));
        }
    }
    Ok(out)
}

/// Number of stops received: the watermark a dataset carries.
///
/// # Errors
/// The database failed.
pub async fn watermark(conn: &mut AnyConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(stop_no), 0) AS stop_no FROM register_stop")
        .fetch_one(conn)
        .await?;
    Ok(int(&row, TABLE, "stop_no")? as u64)
}

/// Number of stops under a regime that the vault has not acknowledged.
///
/// # Errors
/// The database failed.
pub async fn unapplied(conn: &mut AnyConnection, regime: Regime) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "SELECT s.regimes FROM register_stop s JOIN register_stop_store a ON a.stop = s.id \
         WHERE a.store = $1 AND a.acknowledged_at IS NULL",
    )
    .bind(VAULT)
    .fetch_all(conn)
    .await?;
    let mut count = 0;
    for row in &rows {
        count += u64::from(Bases::from_bits(int(row, TABLE, "regimes")? as u8).contains(regime));
    }
    Ok(count)
}

/// Stops that came after a watermark, of either regime: where a stop names one regime, the vault writes
/// what the other keeps anew, so that older snapshots lack the person under both.
///
/// # Errors
/// The database failed.
pub async fn since(
    conn: &mut AnyConnection,
    watermark: u64,
) -> Result<Vec<TouchingStop>, StoreError> {
    let stops = all(conn).await?;
    Ok(stops
        .into_iter()
        .filter(|s| s.no > watermark)
        .map(|s| TouchingStop { stop: s.id, no: s.no, regimes: s.regimes, persons: s.persons })
        .collect())
}

/// Of the stops after a watermark, those that touch a person for whom `includes` says yes (a person of the
/// dataset), with these persons alone.
///
/// # Errors
/// The database failed.
pub async fn affected(
    conn: &mut AnyConnection,
    watermark: u64,
    includes: impl Fn(&Id<kinds::PersonSource>) -> bool,
) -> Result<Vec<TouchingStop>, StoreError> {
    let mut stops = since(conn, watermark).await?;
    for stop in &mut stops {
        stop.persons.retain(&includes);
    }
    stops.retain(|s| !s.persons.is_empty());
    Ok(stops)
}

/// The stops that concern a person, in the order of receipt.
///
/// # Errors
/// The database failed.
pub async fn of_person(
    conn: &mut AnyConnection,
    person: Id<kinds::PersonSource>,
) -> Result<Vec<Stop>, StoreError> {
    let rows = sqlx::query(
        "SELECT s.* FROM register_stop s JOIN register_stop_person p ON p.stop = s.id \
         WHERE p.person_source = $1 ORDER BY s.stop_no",
    )
    .bind(person.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        out.push(one(&mut *conn, row).await?);
    }
    Ok(out)
}

/// The stops passed on to all holders that name one of some identities, in the order of receipt.
///
/// # Errors
/// The database failed.
pub async fn of_identities(
    conn: &mut AnyConnection,
    keys: &RegisterKeys,
    identities: &[Identity],
) -> Result<Vec<Stop>, StoreError> {
    let mut out: Vec<Stop> = Vec::new();
    for hash in identities.iter().flat_map(|i| keys.suppressed_anywhere(i)) {
        let rows = sqlx::query(
            "SELECT DISTINCT s.* FROM register_stop s JOIN register_suppression h ON h.stop = s.id \
             WHERE h.hash = $1",
        )
        .bind(hash)
        .fetch_all(&mut *conn)
        .await?;
        for row in &rows {
            let stop = one(&mut *conn, row).await?;
            if out.iter().all(|s| s.id != stop.id) {
                out.push(stop);
            }
        }
    }
    out.sort_by_key(|s| s.no);
    Ok(out)
}

/// Regimes under which each keyed hash is stopped, stops that were withdrawn left out
/// ([`crate::RegisterKeys::suppression_of`]).
///
/// # Errors
/// The database failed.
pub async fn suppressed(
    conn: &mut AnyConnection,
) -> Result<std::collections::HashMap<String, Bases>, StoreError> {
    const HASHES: &str = "register_suppression";
    let rows = sqlx::query(
        "SELECT s.hash, s.regimes FROM register_suppression s \
         LEFT JOIN register_stop_withdrawal w ON w.stop = s.stop WHERE w.stop IS NULL",
    )
    .fetch_all(conn)
    .await?;
    let mut out: std::collections::HashMap<String, Bases> = std::collections::HashMap::new();
    for row in &rows {
        let bases = Bases::from_bits(int(row, HASHES, "regimes")? as u8);
        let entry = out.entry(text(row, HASHES, "hash")?).or_insert(Bases::NONE);
        *entry = Bases::from_bits(entry.bits() | bases.bits());
    }
    Ok(out)
}
