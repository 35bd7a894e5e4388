//! What somebody is still writing: kept beside the draft, so that a closed browser loses nothing. It is no version: it
//! becomes one when it is saved, and it goes stale when another version is.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, LawKey, Timestamp, kinds};
use kiban_release::application::Content;
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error};

/// What was kept.
#[derive(Debug, Clone)]
pub struct WorkingCopy {
    /// When.
    pub kept_at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// What was written so far.
    pub content: Content,
}

/// Keep what is being written; a later copy replaces it.
///
/// # Errors
/// The actor may not, there is no such application of his or her organization, or the log failed.
pub async fn keep_working_copy(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    content: &Content,
) -> Result<Timestamp, Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    let head = on.seen(actor, id).await?;
    let text = serde_json::to_string(content).map_err(|_| Error::Unknown { what: "content" })?;
    let mut tx = on.log.begin().await?;
    let at = tx.now();
    sqlx::query(
        "INSERT INTO journeys_working_copy (application, version, kept_at, account, content) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (application) DO UPDATE SET \
         version = excluded.version, kept_at = excluded.kept_at, account = excluded.account, \
         content = excluded.content",
    )
    .bind(id.to_string())
    .bind(head.version)
    .bind(at.to_string())
    .bind(actor.account.to_string())
    .bind(text.clone())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.kept",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({ "content": Digest::of(text.as_bytes()).to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(at)
}

/// What was kept on the newest version of an application, if it differs from it.
///
/// # Errors
/// There is no such application for the actor, or the database failed.
pub async fn working_copy(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Option<WorkingCopy>, Error> {
    permit(actor, Act::SubmitApplication)?;
    let head = on.seen(actor, id).await?;
    let row = sqlx::query(
        "SELECT kept_at, account, content FROM journeys_working_copy WHERE application = $1 AND version = $2",
    )
    .bind(id.to_string())
    .bind(head.version)
    .fetch_optional(&mut *on.reader().await?)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let damaged = || Error::Unknown { what: "working copy" };
    let copy = WorkingCopy {
        kept_at: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
        account: row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
        content: serde_json::from_str(&row.try_get::<String, _>(2)?).map_err(|_| damaged())?,
    };
    Ok((copy.content != head.content).then_some(copy))
}
