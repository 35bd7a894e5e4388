//! Outputs (出力検査): whoever works in the producer's environment asks to take a file out; two checkers look at it, blind.
//!
//! The file is bounded and scanned as every upload is; a first look of our own marks small cells and the like. Nobody but
//! checkers sees the file before it is released, and each look at it is on record. What one checker said is hidden from the
//! other until both have spoken, on pages, in the interface and in the log. Each change of turn is one event.

use kiban_audit::Event;
use kiban_deliver::DeliveryRow;
use kiban_govern::{
    Act, Actor, Employer, Role,
    output_check::{self, NotChecker, State, Verdict},
    permit,
};
use kiban_kernel::{Id, LawKey, kinds};
use serde_json::json;

use crate::{
    Deployment, Error,
    attachments::{self, FOLDER, FileKind},
    dataset_cases, directory,
};

mod marks;
mod model;
mod opening;
mod store;

pub use marks::Mark;
pub use model::{Asked, Output, OutputRefused, OutputVersion, OutputVote};
pub use opening::open_output;

type OutputId = Id<kinds::Event>;
type DatasetId = Id<kinds::Dataset>;

/// Staff of the producer that follow outputs.
const STAFF: [Role; 5] =
    [Role::Examiner, Role::Processor, Role::GeneralManager, Role::SecurityOfficer, Role::Auditor];

fn is_staff(actor: &Actor) -> bool {
    actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r))
}

/// The deliveries from which the actor may take outputs today: they stay in the producer's environment, and are the actor's
/// own organization's (its user's, or that of a joint user), or the actor works in it as the producer's staff. With the titles
/// of their projects.
///
/// # Errors
/// The database failed.
pub async fn output_sources(
    on: &Deployment,
    actor: &Actor,
) -> Result<Vec<(DeliveryRow, String)>, Error> {
    if permit(actor, Act::AskOutput).is_err() {
        return Ok(Vec::new());
    }
    let mut conn = on.reader().await?;
    let mut own = Vec::new();
    for row in kiban_deliver::deliveries(&mut conn).await? {
        let (_, content) = kiban_release::content(&mut conn, row.application).await?;
        let theirs = row.recipient == actor.organization
            || content.co_users.contains(&actor.organization)
            || actor.employer == Employer::Producer;
        if theirs && !row.route.leaves() && row.erased_at.is_none() {
            own.push((row, content.title));
        }
    }
    drop(conn);
    let mut out = Vec::new();
    for (row, title) in own {
        if dataset_cases::still_entitled(on, &row).await.is_ok()
            && !crate::recall::is_recalled(on, row.dataset).await?
        {
            out.push((row, title));
        }
    }
    Ok(out)
}

async fn source(on: &Deployment, actor: &Actor, dataset: DatasetId) -> Result<(), Error> {
    let known = output_sources(on, actor).await?;
    if known.iter().any(|(row, _)| row.dataset == dataset) {
        Ok(())
    } else {
        Err(OutputRefused::NoDataset.into())
    }
}

/// A version ready to be put on record.
struct Version {
    file: String,
    name: String,
    size: i64,
    digest: String,
    context: String,
    exception: String,
    marks: String,
    found: usize,
}

async fn judged(on: &Deployment, asked: &Asked<'_>) -> Result<Version, Error> {
    let context = asked.context.trim();
    if context.is_empty() || context.chars().count() > 4_000 {
        return Err(Error::Field {
            field: "context",
            ja: "出力の内容と作り方を4,000字以内で書いてください。",
        });
    }
    let exception = asked.exception.trim();
    if exception.chars().count() > 2_000 {
        return Err(Error::Field {
            field: "exception",
            ja: "例外を求める理由は2,000字以内で書いてください。",
        });
    }
    let smallest = on.rules.int("output.smallest_shown", on.today())?;
    let file = attachments::keep_file(on, asked.name, asked.bytes).await?;
    let marks = match file.kind {
        FileKind::Text => marks::of_text(asked.bytes, smallest),
        FileKind::Pdf | FileKind::Png | FileKind::Jpeg => vec![Mark::Unread],
        FileKind::Document | FileKind::Sheet | FileKind::Slides => {
            let _ = std::fs::remove_file(FOLDER.path(on, &file.id.to_string()));
            return Err(OutputRefused::Office.into());
        }
    };
    Ok(Version {
        file: file.id.to_string(),
        name: file.name,
        size: i64::try_from(asked.bytes.len()).unwrap_or(i64::MAX),
        digest: file.digest.to_string(),
        context: context.to_owned(),
        exception: exception.to_owned(),
        marks: serde_json::to_string(&marks).map_err(|_| Error::Unknown { what: "marks" })?,
        found: marks.iter().filter(|m| **m != Mark::Unread).count(),
    })
}

async fn add_version(
    tx: &mut kiban_audit::Tx,
    actor: &Actor,
    id: OutputId,
    no: u64,
    version: &Version,
) -> Result<(), Error> {
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_output_version (output, no, at, account, file, name, size, digest, context, exception, marks) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id.to_string())
    .bind(no as i64)
    .bind(at)
    .bind(actor.account.to_string())
    .bind(version.file.clone())
    .bind(version.name.clone())
    .bind(version.size)
    .bind(version.digest.clone())
    .bind(version.context.clone())
    .bind(version.exception.clone())
    .bind(version.marks.clone())
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn event<'a>(
    kind: &'static str,
    actor: &'a Actor,
    id: OutputId,
    body: serde_json::Value,
) -> Event<'a> {
    Event { kind, actor, subject: id.to_string(), law: LawKey::new("security").ok(), body }
}

/// Ask that a file made from a dataset in the producer's environment may be taken out.
///
/// # Errors
/// The actor may not, the dataset is none of his or hers that stays in the environment, a field is not filled in, the file is
/// refused, or the log failed.
/// # Law
/// `pseudonymized.user_duties`
pub async fn ask_output(
    on: &Deployment,
    actor: &Actor,
    dataset: DatasetId,
    title: &str,
    asked: &Asked<'_>,
) -> Result<OutputId, Error> {
    let permit = permit(actor, Act::AskOutput)?;
    source(on, actor, dataset).await?;
    let title = title.trim();
    if title.is_empty() || title.chars().count() > 200 {
        return Err(Error::Field {
            field: "title", ja: "出力の名前を200字以内で書いてください。"
        });
    }
    let version = judged(on, asked).await?;
    let id: OutputId = on.new_id()?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_output (id, dataset, organization, title, state, asked_at, turned_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.to_string())
    .bind(dataset.to_string())
    .bind(actor.organization.to_string())
    .bind(title.to_owned())
    .bind(State::Checking.as_str())
    .bind(at.clone())
    .bind(at)
    .execute(tx.conn())
    .await?;
    add_version(&mut tx, actor, id, 1, &version).await?;
    let body = json!({ "dataset": dataset.to_string(), "version": 1, "digest": version.digest, "marks": version.found });
    let _ = tx.commit(event("output.asked", permit.actor(), id, body)).await?;
    Ok(id)
}

/// Hand in another version of an output that was sent back.
///
/// # Errors
/// The actor may not, there is no such output of his or her organization, it was not sent back, a field is not filled in, the
/// file is refused, or the log failed.
/// # Law
/// `pseudonymized.user_duties`
pub async fn ask_output_again(
    on: &Deployment,
    actor: &Actor,
    id: OutputId,
    asked: &Asked<'_>,
) -> Result<(), Error> {
    let permit = permit(actor, Act::AskOutput)?;
    let own = output(on, actor, id).await?;
    if own.organization != actor.organization {
        return Err(Error::Unknown { what: "出力" });
    }
    if own.state != State::Returned {
        return Err(OutputRefused::Turn.into());
    }
    source(on, actor, own.dataset).await?;
    let version = judged(on, asked).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    turn(&mut tx, id, State::Returned, State::Checking, at).await?;
    let no = own.versions.len() as u64 + 1;
    add_version(&mut tx, actor, id, no, &version).await?;
    let body = json!({ "version": no, "digest": version.digest, "marks": version.found });
    let _ = tx.commit(event("output.asked_again", permit.actor(), id, body)).await?;
    Ok(())
}

/// Moves the turn, if it is still where it was.
async fn turn(
    tx: &mut kiban_audit::Tx,
    id: OutputId,
    from: State,
    to: State,
    at: String,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE journeys_output SET state = $2, turned_at = $3 WHERE id = $1 AND state = $4",
    )
    .bind(id.to_string())
    .bind(to.as_str())
    .bind(at)
    .bind(from.as_str())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(OutputRefused::Turn.into()) }
}

/// The outputs that the actor may see, the newest first: staff all, others those of their organization.
///
/// # Errors
/// The database failed.
pub async fn outputs(on: &Deployment, actor: &Actor) -> Result<Vec<Output>, Error> {
    let staff = is_staff(actor);
    let mut all = store::all(&mut *on.reader().await?).await?;
    let own = actor.has(Role::Researcher) && actor.employer == Employer::User;
    all.retain(|o| staff || own && o.organization == actor.organization);
    store::blind(&mut all, actor);
    Ok(all)
}

/// One output.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn output(on: &Deployment, actor: &Actor, id: OutputId) -> Result<Output, Error> {
    let all = outputs(on, actor).await?;
    all.into_iter().find(|o| o.id == id).ok_or(Error::Unknown { what: "出力" })
}

/// Why the actor may not vote on the newest version now; `None`: he or she may.
///
/// # Errors
/// The actor may not check at all, or the database failed.
pub async fn why_no_vote(
    on: &Deployment,
    actor: &Actor,
    id: OutputId,
) -> Result<Option<OutputRefused>, Error> {
    permit(actor, Act::CheckOutput)?;
    output(on, actor, id).await?;
    let found = admitted(&mut *on.reader().await?, actor, id).await;
    match found {
        Ok(_) => Ok(None),
        Err(Error::Output(refused)) => Ok(Some(refused)),
        Err(e) => Err(e),
    }
}

/// The output with all its votes, if the actor may vote on its newest version.
async fn admitted(
    conn: &mut sqlx::AnyConnection,
    actor: &Actor,
    id: OutputId,
) -> Result<Output, Error> {
    let all = store::all(conn).await?;
    let found = all.into_iter().find(|o| o.id == id).ok_or(Error::Unknown { what: "出力" })?;
    let mut authors = Vec::new();
    for version in &found.versions {
        authors.push(directory::person_of(conn, version.account).await?);
    }
    let mut given = Vec::new();
    for vote in found.versions.iter().next_back().into_iter().flat_map(|v| &v.votes) {
        given.push(directory::person_of(conn, vote.account).await?);
    }
    // Who asked is told so whatever the turn.
    if let Err(e @ NotChecker::Author) = output_check::admit(&authors, &[], actor) {
        return Err(OutputRefused::from(e).into());
    }
    if found.state != State::Checking {
        return Err(OutputRefused::Turn.into());
    }
    output_check::admit(&authors, &given, actor).map_err(OutputRefused::from)?;
    Ok(found)
}

/// Vote on the newest version of an output. With the second vote it is decided, or goes back.
///
/// # Errors
/// The actor may not check it (asked for it, voted on it, is no checker), it is not the checkers' turn, no reason is given,
/// something was found and no exception is asked for, or the log failed.
/// # Law
/// `security`
pub async fn check_output(
    on: &Deployment,
    actor: &Actor,
    id: OutputId,
    verdict: Verdict,
    reason: &str,
) -> Result<State, Error> {
    let permit = permit(actor, Act::CheckOutput)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 2_000 {
        return Err(Error::Field {
            field: "reason",
            ja: "判断の理由を2,000字以内で書いてください。",
        });
    }
    let mut tx = on.log.begin().await?;
    let found = admitted(tx.conn(), actor, id).await?;
    let Some(version) = found.versions.last() else {
        return Err(Error::Unknown { what: "出力" });
    };
    let marked = version.marks.iter().any(|m| *m != Mark::Unread);
    if verdict == Verdict::Release && marked && version.exception.is_empty() {
        return Err(OutputRefused::NoException.into());
    }
    let at = tx.now().to_string();
    let seat = version.votes.len() as u64 + 1;
    sqlx::query(
        "INSERT INTO journeys_output_vote (output, no, seat, at, account, verdict, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.to_string())
    .bind(version.no as i64)
    .bind(seat as i64)
    .bind(at.clone())
    .bind(actor.account.to_string())
    .bind(verdict.as_str())
    .bind(reason.to_owned())
    .execute(tx.conn())
    .await?;
    let votes: Vec<Verdict> = version.votes.iter().map(|v| v.verdict).chain([verdict]).collect();
    let state = output_check::outcome(&votes);
    if state != State::Checking {
        turn(&mut tx, id, State::Checking, state, at).await?;
    }
    // What this vote was is not in the event: the other checker may read the log.
    let body = json!({ "version": version.no, "seat": seat, "state": state.as_str() });
    let _ = tx.commit(event("output.checked", permit.actor(), id, body)).await?;
    Ok(state)
}
