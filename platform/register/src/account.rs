//! Accounts: whose staff a person is, and what it is trusted with.

use kiban_govern::{Actor, Employer, HandlerNo, Role};
use kiban_kernel::{Date, Id, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::store::{StoreError, json, maybe, maybe_parsed, parsed, text, to_json};

const TABLE: &str = "register_account";

/// An account of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Id<kinds::Account>,
    /// Its organization.
    pub organization: Id<kinds::Organization>,
    /// Whose staff, seen from the producer.
    pub employer: Employer,
    /// The natural person's number on the list of notified handlers.
    pub handler: Option<HandlerNo>,
    /// What it is trusted with.
    pub roles: Vec<Role>,
    /// First day.
    pub active_from: Date,
    /// First day on which it is closed.
    pub ended_on: Option<Date>,
}

/// Register an account.
///
/// # Errors
/// It exists, its organization does not, or the database failed.
pub async fn add(conn: &mut AnyConnection, account: &Account) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_account (id, organization, employer, handler, roles, active_from, ended_on) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(account.id.to_string())
    .bind(account.organization.to_string())
    .bind(account.employer.as_str())
    .bind(account.handler.as_ref().map(|h| h.as_str().to_owned()))
    .bind(to_json(&account.roles, TABLE, "roles")?)
    .bind(account.active_from.to_string())
    .bind(account.ended_on.map(|d| d.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Close an account from a day on.
///
/// # Errors
/// There is none, or the database failed.
pub async fn close(
    conn: &mut AnyConnection,
    id: Id<kinds::Account>,
    on: Date,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE register_account SET ended_on = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(on.to_string())
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 {
        Err(StoreError::Missing { what: "アカウント" })
    } else {
        Ok(())
    }
}

/// The actor behind an account that is active on a day.
///
/// # Errors
/// There is none, it is not active, or the database failed.
pub async fn actor(
    conn: &mut AnyConnection,
    id: Id<kinds::Account>,
    on: Date,
) -> Result<Actor, StoreError> {
    let row = sqlx::query("SELECT * FROM register_account WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(StoreError::Missing { what: "アカウント" })?;
    let account = read(&row)?;
    if on < account.active_from || account.ended_on.is_some_and(|e| e <= on) {
        return Err(StoreError::Missing { what: "有効なアカウント" });
    }
    let actor = Actor::new(account.id, account.organization, account.employer, account.roles);
    Ok(match account.handler {
        Some(handler) => actor.with_handler(handler),
        None => actor,
    })
}

/// All accounts, by id.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Account>, StoreError> {
    let rows = sqlx::query("SELECT * FROM register_account ORDER BY id").fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Account, StoreError> {
    let employer = text(row, TABLE, "employer")?;
    Ok(Account {
        id: parsed(row, TABLE, "id")?,
        organization: parsed(row, TABLE, "organization")?,
        employer: Employer::ALL
            .into_iter()
            .find(|e| e.as_str() == employer)
            .ok_or(StoreError::Malformed { table: TABLE, column: "employer" })?,
        handler: maybe(row, TABLE, "handler")?.as_deref().and_then(HandlerNo::new),
        roles: json(row, TABLE, "roles")?,
        active_from: parsed(row, TABLE, "active_from")?,
        ended_on: maybe_parsed(row, TABLE, "ended_on")?,
    })
}
