//! The insured-number history (履歴照会): a file out, a file in.

use std::collections::BTreeSet;

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, kinds};
use kiban_register::link;
use serde_json::json;

use crate::{Deployment, Error};

/// The request's file: about the persons of open pairs of the review, or about everybody.
///
/// # Errors
/// The actor may not, or lake or log failed.
pub async fn history_request(
    on: &Deployment,
    actor: &Actor,
    everybody: bool,
) -> Result<String, Error> {
    let permit = permit(actor, Act::AskHistory)?;
    let mut of: BTreeSet<Id<kinds::PersonSource>> = BTreeSet::new();
    if !everybody {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT a_source FROM journeys_link_case WHERE outcome IS NULL \
             UNION SELECT b_source FROM journeys_link_case WHERE outcome IS NULL",
        )
        .fetch_all(&mut *on.reader().await?)
        .await?;
        of.extend(rows.iter().filter_map(|r| r.parse::<Id<kinds::PersonSource>>().ok()));
    }
    if !everybody && of.is_empty() {
        return Err(Error::Field {
            field: "of",
            ja: "確認待ちの組がありません。全員について照会するには --everybody を指定してください。",
        });
    }
    let keys = on.register_keys().await?;
    let text = link::request_of(&on.lake, &keys, &of).await?;
    let event = Event {
        kind: "link.history_asked",
        actor: permit.actor(),
        subject: permit.actor().organization.to_string(),
        law: None,
        body: json!({ "lines": text.lines().count().saturating_sub(2) }),
    };
    let _ = on.log.begin().await?.commit(event).await?;
    Ok(text)
}

/// What came of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryTaken {
    /// Queries answered.
    pub queries: u64,
    /// Pairs of our sources that are one person by it.
    pub pairs: u64,
    /// Of these, not known before.
    pub new: u64,
    /// Queries that we did not ask, or of which nobody is here any more.
    pub unknown: u64,
    /// Lines that are no answer.
    pub unread: u64,
}

/// Take in the answer; it binds the next run of linking, with the reason 「履歴」.
///
/// # Errors
/// The actor may not, or lake or log failed.
pub async fn take_history(
    on: &Deployment,
    actor: &Actor,
    file: &str,
) -> Result<HistoryTaken, Error> {
    let permit = permit(actor, Act::AskHistory)?;
    on.scan(file.as_bytes()).await?;
    let keys = on.register_keys().await?;
    let answers = link::answers_of(&on.lake, &keys, file).await?;
    let today = on.today();
    let mut tx = on.log.begin().await?;
    let new = link::record_answers(tx.conn(), &answers, today).await?;
    let event = Event {
        kind: "link.history_answered",
        actor: permit.actor(),
        subject: permit.actor().organization.to_string(),
        law: None,
        body: json!({ "file": answers.digest.to_string(), "queries": answers.queries, "new": new }),
    };
    let _ = tx.commit(event).await?;
    Ok(HistoryTaken {
        queries: answers.queries,
        pairs: answers.pairs.len() as u64,
        new,
        unknown: answers.unknown,
        unread: answers.unread,
    })
}
