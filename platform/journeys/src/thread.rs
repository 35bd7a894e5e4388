//! The thread of an application: what applicant and secretariat write to each other.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, LawKey, Timestamp, kinds};
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error};

/// Longest message, in characters.
pub const LONGEST_MESSAGE: usize = 4_000;

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// Whose account.
    pub account: Id<kinds::Account>,
    /// Of which organization.
    pub organization: Id<kinds::Organization>,
    /// What was written.
    pub text: String,
}

/// Write in the thread of an application that the actor may see. The event holds the text's digest.
///
/// # Errors
/// The actor may not, there is no such application, the text is empty or too long, or the log failed.
pub async fn write_message(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
    text: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::WriteMessage)?;
    on.seen(actor, application).await?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_MESSAGE {
        return Err(Error::Field {
            field: "text", ja: "1字以上4,000字以内で書いてください。"
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let seq: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM journeys_message WHERE application = $1",
    )
    .bind(application.to_string())
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO journeys_message (application, seq, at, account, organization, message) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(application.to_string())
    .bind(seq)
    .bind(at)
    .bind(actor.account.to_string())
    .bind(actor.organization.to_string())
    .bind(text.to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.message",
        actor: permit.actor(),
        subject: application.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({ "seq": seq, "text": Digest::of(text.as_bytes()).to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The thread of an application that the actor may see, oldest first.
///
/// # Errors
/// There is no such application, or the database failed.
pub async fn messages(
    on: &Deployment,
    actor: &Actor,
    application: Id<kinds::Application>,
) -> Result<Vec<Message>, Error> {
    on.seen(actor, application).await?;
    let rows = sqlx::query(
        "SELECT at, account, organization, message FROM journeys_message WHERE application = $1 ORDER BY seq",
    )
    .bind(application.to_string())
    .fetch_all(&mut *on.reader().await?)
    .await?;
    let damaged = || Error::Unknown { what: "message" };
    rows.iter()
        .map(|row| {
            Ok(Message {
                at: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
                account: row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
                organization: row.try_get::<String, _>(2)?.parse().map_err(|_| damaged())?,
                text: row.try_get(3)?,
            })
        })
        .collect()
}
