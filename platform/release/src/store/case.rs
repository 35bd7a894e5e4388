//! SQL of an application's history: which there are, what happened to each, every version of its content.

use kiban_audit::sqlx::{self, Row as _};
use kiban_govern::{Actor, committee::Member};
use kiban_kernel::{Id, Timestamp, kinds};

use super::{Conn, Result, parse, read};
use crate::{
    application::{Content, Step},
    session::Minutes,
};

/// A step as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// What.
    pub step: Step,
}

/// All applications, in the order in which they were begun.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn applications(conn: Conn<'_>) -> Result<Vec<Id<kinds::Application>>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT application FROM release_step WHERE seq = 1 ORDER BY at, application",
    )
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| parse("release_application", id)).collect()
}

/// The steps of an application, oldest first.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn taken(conn: Conn<'_>, id: Id<kinds::Application>) -> Result<Vec<Taken>> {
    const TABLE: &str = "release_step";
    let rows =
        sqlx::query("SELECT at, actor, step FROM release_step WHERE application = $1 ORDER BY seq")
            .bind(id.to_string())
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            Ok(Taken {
                at: parse(TABLE, &row.try_get::<String, _>(0)?)?,
                by: read(TABLE, &row.try_get::<String, _>(1)?)?,
                step: read(TABLE, &row.try_get::<String, _>(2)?)?,
            })
        })
        .collect()
}

/// Every version of an application's content, oldest first.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn contents(conn: Conn<'_>, id: Id<kinds::Application>) -> Result<Vec<(i64, Content)>> {
    let rows = sqlx::query(
        "SELECT version, content FROM release_content WHERE application = $1 ORDER BY version",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, read("release_content", &row.try_get::<String, _>(1)?)?)))
        .collect()
}

/// The minutes of a session, with the roster of its day.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn minutes(
    conn: Conn<'_>,
    id: Id<kinds::Session>,
) -> Result<Option<(Minutes, Vec<Member>)>> {
    Ok(super::session(conn, id).await?.map(|(_, minutes, members)| (minutes, members)))
}
