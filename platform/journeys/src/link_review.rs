//! The review of links: pairs that linking left open, read by two, by a third if they disagree.
//!
//! Blind: whoever reads a pair sees the two records and why they score as they do, never what another reader answered,
//! before the own answer is given. Two equal answers decide; else a third reader is asked, and two equal of three decide;
//! what is then still open stays two persons and is closed as unsettled. What was decided binds the next run of linking.
//! An undone decision binds no more; what it had joined or parted is then found anew, and the datasets touched are marked.

use std::collections::{BTreeMap, BTreeSet};

use kiban_audit::{Event, Tx};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, Timestamp, kinds};
use kiban_register::link::{Candidate, Constraint};
use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{
    AfterAnswer, Deployment, Error, LinkAnswer, LinkRefused, link_answer::after,
    link_reading::Reading,
};

pub(crate) type CaseId = Id<kinds::Event>;
type Source = Id<kinds::PersonSource>;

/// A pair on the list, without names and without others' answers.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkCase {
    /// Its id.
    pub id: CaseId,
    /// The two.
    pub sources: [Source; 2],
    /// Log2 odds.
    pub score: f64,
    /// What an answer tells, in bits.
    pub information: f64,
    /// Information times the pairs of records that an answer may change.
    pub priority: f64,
    /// Does it wait for the third reader?
    pub third: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
}

const COLUMNS: &str = "SELECT c.id, c.a_source, c.b_source, c.score, c.information, c.priority, c.opened_at, c.outcome, \
     (SELECT COUNT(*) FROM journeys_link_answer a WHERE a.link_case = c.id) AS answers FROM journeys_link_case c";

pub(crate) fn read(row: &AnyRow) -> Result<LinkCase, Error> {
    let damaged = || Error::Unknown { what: "link case" };
    let id = |i: usize| -> Result<Source, Error> {
        row.try_get::<String, _>(i)?.parse().map_err(|_| damaged())
    };
    Ok(LinkCase {
        id: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
        sources: [id(1)?, id(2)?],
        score: row.try_get(3)?,
        information: row.try_get(4)?,
        priority: row.try_get(5)?,
        opened_at: row.try_get::<String, _>(6)?.parse().map_err(|_| damaged())?,
        third: row.try_get::<i64, _>(8)? >= 2,
    })
}

/// Open pairs nobody answered yet, by their two sources.
async fn untouched(conn: &mut AnyConnection) -> Result<BTreeMap<(String, String), String>, Error> {
    let rows = sqlx::query(
        "SELECT a_source, b_source, id FROM journeys_link_case c WHERE outcome IS NULL AND NOT EXISTS \
         (SELECT 1 FROM journeys_link_answer a WHERE a.link_case = c.id)",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|r| Ok(((r.try_get(0)?, r.try_get(1)?), r.try_get(2)?))).collect()
}

/// Pairs on the list at all, open or decided and not undone.
async fn spoken(conn: &mut AnyConnection) -> Result<BTreeSet<(String, String)>, Error> {
    let rows =
        sqlx::query("SELECT a_source, b_source FROM journeys_link_case WHERE undone_at IS NULL")
            .fetch_all(conn)
            .await?;
    rows.iter().map(|r| Ok((r.try_get(0)?, r.try_get(1)?))).collect()
}

fn pair_of(c: &Candidate) -> (String, String) {
    (c.a.min(c.b).to_string(), c.a.max(c.b).to_string())
}

/// Would [`refill`] change anything?
pub(crate) async fn differs(on: &Deployment, candidates: &[Candidate]) -> Result<bool, Error> {
    let mut conn = on.reader().await?;
    let (waiting, spoken) = (untouched(&mut conn).await?, spoken(&mut conn).await?);
    let wanted: BTreeSet<_> = candidates.iter().map(pair_of).collect();
    Ok(wanted.iter().any(|pair| !spoken.contains(pair))
        || waiting.keys().any(|pair| !wanted.contains(pair)))
}

/// Brings the list to the candidates of a run: new ones come, those that nobody answered and that are none any more go.
/// Returns how many are open.
pub(crate) async fn refill(
    on: &Deployment,
    tx: &mut Tx,
    candidates: &[Candidate],
) -> Result<u64, Error> {
    let (waiting, spoken) = (untouched(tx.conn()).await?, spoken(tx.conn()).await?);
    let at = tx.now().to_string();
    let mut wanted = BTreeSet::new();
    for c in candidates {
        let pair = pair_of(c);
        if !spoken.contains(&pair) {
            let id: CaseId = on.new_id()?;
            sqlx::query(
                "INSERT INTO journeys_link_case (id, a_source, b_source, score, information, effect, priority, opened_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(id.to_string())
            .bind(pair.0.clone())
            .bind(pair.1.clone())
            .bind(c.score)
            .bind(c.information)
            .bind(i64::try_from(c.effect).unwrap_or(i64::MAX))
            .bind(c.priority)
            .bind(at.clone())
            .execute(tx.conn())
            .await?;
        }
        wanted.insert(pair);
    }
    for (_, id) in waiting.iter().filter(|(pair, _)| !wanted.contains(*pair)) {
        sqlx::query("DELETE FROM journeys_link_case WHERE id = $1")
            .bind(id.clone())
            .execute(tx.conn())
            .await?;
    }
    let open: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM journeys_link_case WHERE outcome IS NULL")
            .fetch_one(tx.conn())
            .await?;
    Ok(open.unsigned_abs())
}

/// What readers decided, for the next run of linking.
pub(crate) async fn decided(conn: &mut AnyConnection) -> Result<Vec<Constraint>, Error> {
    let rows = sqlx::query(
        "SELECT a_source, b_source, outcome FROM journeys_link_case \
         WHERE outcome IN ('same', 'different') AND undone_at IS NULL ORDER BY closed_at, id",
    )
    .fetch_all(conn)
    .await?;
    let damaged = || Error::Unknown { what: "link case" };
    rows.iter()
        .map(|row| {
            let source = |i: usize| -> Result<Source, Error> {
                row.try_get::<String, _>(i)?.parse().map_err(|_| damaged())
            };
            // Of the two the one is as doubtful as the other: the higher gives way.
            Ok(Constraint::read(source(1)?, source(0)?, row.try_get::<String, _>(2)? == "same"))
        })
        .collect()
}

/// The pairs that this reader may answer now, the most telling first. Nothing of what others answered is in it.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn link_queue(on: &Deployment, actor: &Actor) -> Result<Vec<LinkCase>, Error> {
    permit(actor, Act::ReviewLinks)?;
    let sql = format!(
        "{COLUMNS} WHERE c.outcome IS NULL AND NOT EXISTS (SELECT 1 FROM journeys_link_answer a \
         WHERE a.link_case = c.id AND a.account = $1) ORDER BY c.priority DESC, c.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(actor.account.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
    rows.iter().map(read).collect()
}

async fn case(conn: &mut AnyConnection, id: CaseId) -> Result<(LinkCase, Option<String>), Error> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE c.id = $1")))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(Error::LinkReview(LinkRefused::NoSuchCase))?;
    Ok((read(&row)?, row.try_get(7)?))
}

/// Read a pair: both records side by side, what differs, and why they score as they do. The reading is on record.
///
/// # Errors
/// The actor may not, there is no such pair, or log or lake failed.
/// # Law
/// `security`
pub async fn read_link_case(on: &Deployment, actor: &Actor, id: CaseId) -> Result<Reading, Error> {
    permit(actor, Act::ReviewLinks)?;
    let (case, _) = case(&mut *on.reader().await?, id).await?;
    let receipt = on.log.read(actor, READING, &id.to_string()).await?;
    crate::link_reading::reading(on, case.sources, &receipt).await
}

/// What others answered: only for who has answered, or when it is decided.
///
/// # Errors
/// The actor may not, has not answered an open pair, or the database failed.
pub async fn answers_of_link_case(
    on: &Deployment,
    actor: &Actor,
    id: CaseId,
) -> Result<Vec<(LinkAnswer, String)>, Error> {
    permit(actor, Act::ReviewLinks)?;
    let mut conn = on.reader().await?;
    let (_, outcome) = case(&mut conn, id).await?;
    let rows = sqlx::query(
        "SELECT answer, reason, account FROM journeys_link_answer WHERE link_case = $1 ORDER BY reader",
    )
    .bind(id.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut own = false;
    let mut out = Vec::new();
    for row in &rows {
        own |= row.try_get::<String, _>(2)? == actor.account.to_string();
        let answer = LinkAnswer::of(&row.try_get::<String, _>(0)?)
            .ok_or(Error::Unknown { what: "answer" })?;
        out.push((answer, row.try_get(1)?));
    }
    if outcome.is_none() && !own {
        return Ok(Vec::new());
    }
    Ok(out)
}

/// What a reading of a pair is called in the log.
const READING: &str = "link.case";

/// Did this reader open the records of the pair? The log knows.
async fn has_read(on: &Deployment, actor: &Actor, id: CaseId) -> Result<bool, Error> {
    let account = actor.account.to_string();
    Ok(on.log.about(&id.to_string()).await?.iter().any(|e| {
        e.kind == "identified.opened" && e.actor == account && e.body["purpose"] == READING
    }))
}

/// Answer a pair whose records this reader has opened.
///
/// # Errors
/// The actor may not, there is no such pair, it is decided, this reader has not opened its records or answered already, there
/// is no reason, or the log failed.
pub async fn answer_link_case(
    on: &Deployment,
    actor: &Actor,
    id: CaseId,
    answer: LinkAnswer,
    reason: &str,
) -> Result<AfterAnswer, Error> {
    let permit = permit(actor, Act::ReviewLinks)?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(LinkRefused::NoReason.into());
    }
    let read = has_read(on, actor, id).await?;
    let mut tx = on.log.begin().await?;
    let (_, outcome) = case(tx.conn(), id).await?;
    if outcome.is_some() {
        return Err(LinkRefused::Closed.into());
    }
    if !read {
        return Err(LinkRefused::NotRead.into());
    }
    let rows = sqlx::query(
        "SELECT answer, account FROM journeys_link_answer WHERE link_case = $1 ORDER BY reader",
    )
    .bind(id.to_string())
    .fetch_all(tx.conn())
    .await?;
    let mut answers = Vec::new();
    for row in &rows {
        if row.try_get::<String, _>(1)? == actor.account.to_string() {
            return Err(LinkRefused::Answered.into());
        }
        answers.extend(LinkAnswer::of(&row.try_get::<String, _>(0)?));
    }
    answers.push(answer);
    let (at, reader) = (tx.now().to_string(), answers.len() as i64);
    sqlx::query(
        "INSERT INTO journeys_link_answer (link_case, reader, account, answer, reason, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(reader)
    .bind(actor.account.to_string())
    .bind(answer.as_str())
    .bind(reason.to_owned())
    .bind(at.clone())
    .execute(tx.conn())
    .await?;
    let after = after(&answers);
    let outcome = match after {
        AfterAnswer::Waits => None,
        AfterAnswer::Decided(answer) => Some(answer.as_str()),
        AfterAnswer::Unsettled => Some("unsettled"),
    };
    if let Some(outcome) = outcome {
        sqlx::query("UPDATE journeys_link_case SET outcome = $2, closed_at = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(outcome)
            .bind(at)
            .execute(tx.conn())
            .await?;
    }
    let event = Event {
        kind: "link.answered",
        actor: permit.actor(),
        subject: id.to_string(),
        law: None,
        body: json!({ "reader": reader, "outcome": outcome.unwrap_or("open") }),
    };
    let _ = tx.commit(event).await?;
    Ok(after)
}

/// Take back what was decided of a pair; the next run of linking goes without it.
///
/// # Errors
/// The actor may not, nothing was decided, there is no reason, or the log failed.
pub async fn undo_link_case(
    on: &Deployment,
    actor: &Actor,
    id: CaseId,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::UndoLink)?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(LinkRefused::NoReason.into());
    }
    let mut tx = on.log.begin().await?;
    case(tx.conn(), id).await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_link_case SET undone_at = $2, undone_by = $3, undone_why = $4 \
         WHERE id = $1 AND outcome IS NOT NULL AND undone_at IS NULL",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(reason.to_owned())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() != 1 {
        return Err(LinkRefused::NotDecided.into());
    }
    let event = Event {
        kind: "link.undone",
        actor: permit.actor(),
        subject: id.to_string(),
        law: None,
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
