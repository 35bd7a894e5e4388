//! What a user hands to a regulator (承認審査機関等), what the regulator asks about its rows, and the answer.
//!
//! A submission is the delivered dataset, made again, found to be the same byte for byte, and sealed to the regulator. An
//! enquiry names rows of it. Two different people of the producer agree before anybody opens them; then those rows are
//! traced to the records they were made from, and no others. The answer holds the columns that were submitted beside what
//! the source says, no name and no place; it can be read until its last day, and each reading is on record; a
//! stop that touches the dataset ends it at once. A holder whose
//! chart must be looked at is told, by the number of the enquiry alone.
//!
//! # Law
//! `pseudonymized.enquiry`

use std::{collections::BTreeSet, fs};

use jiff::Span;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, Employer, Permit, Role, permit, two_person};
use kiban_kernel::{Digest, Id, LawKey, kinds};
use kiban_register::stop;
use serde_json::json;

use crate::{Deployment, Error, directory, reminders, sealed_files::SealedFolder};

pub(crate) mod erase;
mod model;
mod store;
mod submission;
mod trace;

pub use model::{
    AnswerGiven, AnswerRead, Cell, ChartAsked, Enquiry, EnquiryRefused, OpenedRow, RowAsked,
    SourceOf, Submission,
};
pub use submission::{fetch_submission, regulators, submission, submissions, submit_to_regulator};

type Subject = Id<kinds::Event>;
type OrganizationId = Id<kinds::Organization>;

/// Most rows of an enquiry.
pub const MOST_ROWS: usize = 20;
/// How many people open an enquiry.
pub const KEYS: usize = 2;

const ANSWERS: SealedFolder = SealedFolder("enquiries");
const SUBMISSIONS: &str = "submissions";

/// Staff of the producer that follow enquiries.
const STAFF: [Role; 4] =
    [Role::EnquiryOfficer, Role::GeneralManager, Role::SecurityOfficer, Role::Auditor];

fn is_staff(actor: &Actor) -> bool {
    actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r))
}

fn is_regulator(actor: &Actor) -> bool {
    actor.employer == Employer::Other && actor.has(Role::RegulatorOfficer)
}

fn event<'a>(
    kind: &'static str,
    permit: &'a Permit,
    id: Subject,
    body: serde_json::Value,
) -> Event<'a> {
    let law = LawKey::new("pseudonymized.enquiry").ok();
    Event { kind, actor: permit.actor(), subject: id.to_string(), law, body }
}

fn written<'a>(text: &'a str, field: &'static str, ja: &'static str) -> Result<&'a str, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 4_000 {
        return Err(Error::Field { field, ja });
    }
    Ok(text)
}

/// What an answer's sealed pack holds.
#[derive(serde::Serialize, serde::Deserialize)]
struct Pack {
    text: String,
    rows: Vec<OpenedRow>,
}

/// Ask about rows of a submitted dataset.
///
/// # Errors
/// The actor may not, there is no such submission, no question or no row, a row the dataset has not, or the log failed.
pub async fn ask_enquiry(
    on: &Deployment,
    actor: &Actor,
    about: Subject,
    question: &str,
    rows: &[RowAsked],
) -> Result<Subject, Error> {
    let permit = permit(actor, Act::AskEnquiry)?;
    let of = submission(on, actor, about).await?;
    let question = written(question, "question", "照会の内容を4,000字以内で書いてください。")?;
    let rows: BTreeSet<&RowAsked> = rows.iter().collect();
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return Err(Error::Field {
            field: "rows",
            ja: "照会する行を1行に1つ、「表の名前 行の番号」の形で、20行までで書いてください。",
        });
    }
    let known =
        |r: &RowAsked| of.tables.iter().any(|t| t.name == r.table && (1..=t.rows).contains(&r.row));
    if !rows.iter().all(|r| known(r)) {
        return Err(EnquiryRefused::NoRow.into());
    }
    let id: Subject = on.new_id()?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_enquiry (id, submission, at, account, question) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(about.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(question.to_owned())
    .execute(tx.conn())
    .await?;
    for (no, row) in (1_i64..).zip(&rows) {
        sqlx::query(
            "INSERT INTO journeys_enquiry_row (enquiry, no, dataset_table, dataset_row) VALUES ($1, $2, $3, $4)",
        )
        .bind(id.to_string())
        .bind(no)
        .bind(row.table.clone())
        .bind(i64::try_from(row.row).unwrap_or(i64::MAX))
        .execute(tx.conn())
        .await?;
    }
    let body = json!({ "submission": about.to_string(), "rows": rows.len() });
    let _ = tx.commit(event("enquiry.asked", &permit, id, body)).await?;
    Ok(id)
}

/// The enquiries that the actor may see, the newest first: a regulator its own, staff all.
///
/// # Errors
/// The database failed.
pub async fn enquiries(on: &Deployment, actor: &Actor) -> Result<Vec<Enquiry>, Error> {
    let (staff, regulator) = (is_staff(actor), is_regulator(actor));
    let mut all = store::enquiries(on).await?;
    all.retain(|e| staff || regulator && e.submission.regulator == actor.organization);
    Ok(all)
}

/// One enquiry.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn enquiry(on: &Deployment, actor: &Actor, id: Subject) -> Result<Enquiry, Error> {
    let all = enquiries(on, actor).await?;
    all.into_iter().find(|e| e.id == id).ok_or(Error::Unknown { what: "照会" })
}

/// Agree that the rows of an enquiry are opened. Two different people must; one alone opens nothing. Returns how many have.
///
/// # Errors
/// The actor may not, there is no such enquiry, it was answered, two have agreed, the same person agreed before, or the log
/// failed.
pub async fn unlock_enquiry(on: &Deployment, actor: &Actor, id: Subject) -> Result<usize, Error> {
    let permit = permit(actor, Act::OpenIdentified)?;
    let of = enquiry(on, actor, id).await?;
    if of.answer.is_some() {
        return Err(EnquiryRefused::Answered.into());
    }
    let mut tx = on.log.begin().await?;
    let given = given(tx.conn(), id).await?;
    two_person::admit(Act::OpenIdentified, &given, actor).map_err(EnquiryRefused::from)?;
    let seat = given.len() + 1;
    if seat > KEYS {
        return Err(EnquiryRefused::OtherPerson.into());
    }
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_enquiry_seat (enquiry, seat, at, account) VALUES ($1, $2, $3, $4)",
    )
    .bind(id.to_string())
    .bind(seat as i64)
    .bind(at)
    .bind(actor.account.to_string())
    .execute(tx.conn())
    .await?;
    let _ = tx.commit(event("enquiry.unlocked", &permit, id, json!({ "seat": seat }))).await?;
    Ok(seat)
}

async fn given(conn: &mut sqlx::AnyConnection, id: Subject) -> Result<Vec<Actor>, Error> {
    let mut out = Vec::new();
    for (account, _) in store::seats_of(conn, id).await? {
        out.push(directory::person_of(conn, account).await?);
    }
    Ok(out)
}

/// Both agreed, and they are two different people by today's list.
async fn unlocked(on: &Deployment, id: Subject) -> Result<Vec<Actor>, Error> {
    let given = given(&mut *on.reader().await?, id).await?;
    if given.len() < KEYS {
        return Err(EnquiryRefused::Closed { given: given.len() }.into());
    }
    two_person::check(Act::OpenIdentified, &given, &on.rules, on.today())
        .map_err(EnquiryRefused::from)?;
    Ok(given)
}

async fn opened(on: &Deployment, actor: &Actor, of: &Enquiry) -> Result<Vec<OpenedRow>, Error> {
    let receipt = on.log.read(actor, "enquiry.rows", &of.id.to_string()).await?;
    let again = trace::again(on, of.submission.dataset).await?;
    let mut out = Vec::with_capacity(of.rows.len());
    for row in &of.rows {
        out.push(trace::open(on, &again, row, &receipt).await?);
    }
    Ok(out)
}

/// Open the rows that were asked for, and no others: for one of the two who agreed.
///
/// # Errors
/// The actor may not or is none of the two, not two agreed, stops came since, or lake or log failed.
pub async fn open_enquiry(
    on: &Deployment,
    actor: &Actor,
    id: Subject,
) -> Result<Vec<OpenedRow>, Error> {
    permit(actor, Act::OpenIdentified)?;
    let of = enquiry(on, actor, id).await?;
    let two = unlocked(on, id).await?;
    if two.iter().all(|a| a.account != actor.account) {
        return Err(EnquiryRefused::OtherPerson.into());
    }
    opened(on, actor, &of).await
}

/// Answer an enquiry: the text, and of each row asked for the columns that were submitted beside what the source says. With
/// `charts` every holder of a source is told that its chart must be looked at.
///
/// # Errors
/// The actor may not, not two agreed, it was answered, there is no text, stops came since, or lake, disk or log failed.
pub async fn answer_enquiry(
    on: &Deployment,
    actor: &Actor,
    id: Subject,
    text: &str,
    charts: bool,
) -> Result<(), Error> {
    let permit = permit(actor, Act::AnswerEnquiry)?;
    let of = enquiry(on, actor, id).await?;
    if of.answer.is_some() {
        return Err(EnquiryRefused::Answered.into());
    }
    let text = written(text, "text", "回答を4,000字以内で書いてください。")?;
    unlocked(on, id).await?;
    let known = stop::watermark(&mut *on.reader().await?).await?;
    let days = on.rules.int("enquiry.answer_days", on.today())?;
    let last = on.today().saturating_add(Span::new().try_days(days).unwrap_or_default());
    let rows = opened(on, actor, &of).await?;
    let holders: BTreeSet<String> =
        rows.iter().filter(|_| charts).flat_map(|r| &r.sources).map(|s| s.holder.clone()).collect();
    let pack = serde_json::to_vec(&Pack { text: text.to_owned(), rows })
        .map_err(|_| Error::Unknown { what: "answer" })?;
    let digest = Digest::of(&pack);
    let path = ANSWERS.path(on, &id.to_string());
    // What an ended process left of an answer that no row names.
    let _ = fs::remove_file(&path);
    ANSWERS.write(on, &id.to_string(), &pack)?;
    let mut tx = on.log.begin().await?;
    // A stop that came after the rows were opened may have been applied already: it did not find this answer.
    let stops = stop::watermark(tx.conn()).await?.saturating_sub(known);
    if stops > 0 {
        let _ = fs::remove_file(&path);
        return Err(EnquiryRefused::Stopped { stops }.into());
    }
    let at = tx.now();
    sqlx::query(
        "INSERT INTO journeys_enquiry_answer (enquiry, at, account, digest, last_day) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(at.to_string())
    .bind(actor.account.to_string())
    .bind(digest.to_string())
    .bind(last.to_string())
    .execute(tx.conn())
    .await?;
    let desks: Vec<_> = crate::accounts(on)
        .await?
        .into_iter()
        .filter(|a| a.roles.contains(&Role::HolderStaff))
        .collect();
    for holder in &holders {
        sqlx::query(
            "INSERT INTO journeys_enquiry_holder (enquiry, holder, at) VALUES ($1, $2, $3)",
        )
        .bind(id.to_string())
        .bind(holder.clone())
        .bind(at.to_string())
        .execute(tx.conn())
        .await?;
        for desk in desks.iter().filter(|a| a.organization.to_string() == *holder) {
            reminders::tell_chart(on, &mut tx, desk.id, &id.to_string()).await?;
        }
    }
    let body = json!({
        "pack": digest.to_string(),
        "rows": of.rows.len(),
        "holders": holders.len(),
        "last_day": last.to_string(),
    });
    let _ = tx.commit(event("enquiry.answered", &permit, id, body)).await?;
    Ok(())
}

/// The pack of an answer that has not expired.
async fn pack(on: &Deployment, id: Subject, answer: Option<&AnswerGiven>) -> Result<Pack, Error> {
    let answer = answer.ok_or(EnquiryRefused::NoAnswer)?;
    if answer.erased {
        return Err(EnquiryRefused::Erased.into());
    }
    if answer.expired {
        // It went, or goes now.
        let _ = fs::remove_file(ANSWERS.path(on, &id.to_string()));
        return Err(EnquiryRefused::Expired.into());
    }
    let digest = store::pack_digest(&mut *on.reader().await?, id).await?;
    let bytes = ANSWERS.read(on, &id.to_string(), digest)?;
    let damaged = || Error::Unknown { what: "answer" };
    serde_json::from_slice(&bytes.ok_or_else(damaged)?).map_err(|_| damaged())
}

/// Read the answer as the regulator that asked. Each reading is on record.
///
/// # Errors
/// The actor may not, there is no such enquiry of his or her body, no answer yet, it has expired, or the log failed.
pub async fn read_answer(on: &Deployment, actor: &Actor, id: Subject) -> Result<AnswerRead, Error> {
    let permit = permit(actor, Act::AskEnquiry)?;
    let of = enquiry(on, actor, id).await?;
    let pack = pack(on, id, of.answer.as_ref()).await?;
    let tx = on.log.begin().await?;
    let viewed = event("enquiry.answer_viewed", &permit, id, json!({ "rows": pack.rows.len() }));
    let _ = tx.commit_reading(viewed).await?;
    let mut rows = pack.rows;
    for source in rows.iter_mut().flat_map(|r| &mut r.sources) {
        source.place.clear();
    }
    Ok(AnswerRead { text: pack.text, rows })
}

/// The enquiries for which the actor's holder must look at a chart, and until when they can be read there.
///
/// # Errors
/// The database failed.
pub async fn charts_to_see(
    on: &Deployment,
    actor: &Actor,
) -> Result<Vec<(Subject, AnswerGiven)>, Error> {
    if permit(actor, Act::AnswerStopRequest).is_err() {
        return Ok(Vec::new());
    }
    let all = store::enquiries(on).await?;
    Ok(all
        .into_iter()
        .filter_map(|e| Some((e.id, e.answer?)))
        .filter(|(_, a)| a.readable() && a.holders.contains(&actor.organization))
        .collect())
}

/// Which of its own records a holder is asked to look at. On the record.
///
/// # Errors
/// The actor is no holder's staff, nothing is asked of the holder, the answer has expired, or the log failed.
pub async fn read_charts(
    on: &Deployment,
    actor: &Actor,
    id: Subject,
) -> Result<Vec<ChartAsked>, Error> {
    let permit = permit(actor, Act::AnswerStopRequest)?;
    let asked = charts_to_see(on, actor).await?;
    let (_, answer) =
        asked.into_iter().find(|(of, _)| *of == id).ok_or(Error::Unknown { what: "照会" })?;
    let pack = pack(on, id, Some(&answer)).await?;
    let own = actor.organization.to_string();
    let mut out = Vec::new();
    for row in &pack.rows {
        for source in row.sources.iter().filter(|s| s.holder == own) {
            out.push(ChartAsked { table: row.table.clone(), place: source.place.clone() });
        }
    }
    let tx = on.log.begin().await?;
    let viewed = event("enquiry.chart_viewed", &permit, id, json!({ "records": out.len() }));
    let _ = tx.commit_reading(viewed).await?;
    Ok(out)
}
