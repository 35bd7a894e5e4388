//! The list of handlers notified to the ministers, and their training.

use kiban_govern::{HandlerNo, entitlement::Handler};
use kiban_kernel::{Date, Id, kinds};
use sqlx::AnyConnection;

use crate::store::{StoreError, filled, maybe_parsed, parsed};

const TABLE: &str = "register_handler";

/// Enter a person into the list, under the number by which the ministers know him or her.
///
/// # Errors
/// The number is taken, the organization does not exist, or the database failed.
pub async fn add(
    conn: &mut AnyConnection,
    number: &HandlerNo,
    organization: Id<kinds::Organization>,
    notified_on: Date,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_handler (number, organization, notified_on) VALUES ($1, $2, $3)",
    )
    .bind(number.as_str().to_owned())
    .bind(organization.to_string())
    .bind(notified_on.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Take a person off the list from a day on.
///
/// # Errors
/// There is no such person, or the database failed.
pub async fn end(conn: &mut AnyConnection, number: &HandlerNo, on: Date) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE register_handler SET ended_on = $2 WHERE number = $1")
        .bind(number.as_str().to_owned())
        .bind(on.to_string())
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::Missing { what: "取扱者" }) } else { Ok(()) }
}

/// Record a completed training. The same day twice is one training.
///
/// # Errors
/// There is no such person, the course is not named, or the database failed.
pub async fn add_training(
    conn: &mut AnyConnection,
    number: &HandlerNo,
    completed_on: Date,
    course: &str,
) -> Result<(), StoreError> {
    filled(course, "教育の名称")?;
    if of(conn, number).await?.is_none() {
        return Err(StoreError::Missing { what: "取扱者" });
    }
    sqlx::query(
        "INSERT INTO register_training (handler, completed_on, course) VALUES ($1, $2, $3) \
         ON CONFLICT (handler, completed_on) DO NOTHING",
    )
    .bind(number.as_str().to_owned())
    .bind(completed_on.to_string())
    .bind(course.trim().to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

/// What the list says of a number.
///
/// # Errors
/// The database failed or a row is malformed.
pub async fn of(
    conn: &mut AnyConnection,
    number: &HandlerNo,
) -> Result<Option<Handler>, StoreError> {
    let row = sqlx::query(
        "SELECT notified_on, ended_on, \
         (SELECT MAX(completed_on) FROM register_training WHERE handler = number) AS trained_on \
         FROM register_handler WHERE number = $1",
    )
    .bind(number.as_str().to_owned())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Handler {
        notified_on: parsed(&row, TABLE, "notified_on")?,
        ended_on: maybe_parsed(&row, TABLE, "ended_on")?,
        trained_on: maybe_parsed(&row, TABLE, "trained_on")?,
    }))
}
