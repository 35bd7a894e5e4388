//! The end of a use: when it comes, the reminder before, the user's report that everything is erased with its proof, and the
//! producer's check. A proof is a file, sealed and kept as an attachment is; what is closed names its digest.

use jiff::Span;
use kiban_audit::Event;
use kiban_deliver::DeliveryRow;
use kiban_govern::{Act, Actor, Employer, Role, certification, permit};
use kiban_kernel::{Date, Digest, Id, LawKey, Product, Timestamp, jst_date, kinds};
use kiban_release::contract::State;
use serde_json::json;
use sqlx::Row as _;

use crate::{
    Deployment, Error,
    attachments::{self, AttachmentRefused},
    erasure_proof,
};

type DatasetId = Id<kinds::Dataset>;

/// Where the end of a use stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndState {
    /// The contract runs.
    InUse {
        /// Its end is near: the user is reminded.
        soon: bool,
    },
    /// The contract is over; the report is awaited.
    Awaited {
        /// Its last day has passed.
        overdue: bool,
    },
    /// The user reported; the producer checks the proof.
    Reported,
    /// The proof was sent back.
    SentBack {
        /// Why.
        reason: String,
        /// The last day of the report has passed.
        overdue: bool,
    },
    /// Closed.
    Closed {
        /// When.
        at: Timestamp,
    },
}

/// A proof that the user handed in.
#[derive(Debug, Clone)]
pub struct Proof {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// How it was erased.
    pub method: String,
    /// Name of the file.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// A delivered dataset and the end of its use.
#[derive(Debug, Clone)]
pub struct UseEnd {
    /// The delivery.
    pub delivery: DeliveryRow,
    /// Title of the project.
    pub title: String,
    /// First day on which it may not be used any more.
    pub ends_on: Date,
    /// Last day of the report.
    pub due: Date,
    /// Where it stands.
    pub state: EndState,
    /// The newest proof.
    pub proof: Option<Proof>,
}

/// Why an act at the end of a use is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndRefused {
    /// It is closed already.
    #[error("it is closed already")]
    Closed,
    /// No proof waits to be checked.
    #[error("no proof waits to be checked")]
    NothingToCheck,
}

impl EndRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Closed => "この利用の消去は、既に確認されて終わっています。",
            Self::NothingToCheck => "確認を待っている消去の報告がありません。",
        }
    }
}

/// Staff of the producer that follow the ends of uses.
const STAFF: [Role; 5] = [
    Role::DeliveryOfficer,
    Role::ReleaseApprover,
    Role::GeneralManager,
    Role::SecurityOfficer,
    Role::Auditor,
];

fn may_see(actor: &Actor, recipient: Id<kinds::Organization>) -> bool {
    let staff = actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r));
    staff || actor.has(Role::Researcher) && actor.organization == recipient
}

/// The deliveries that the actor may see with the end of their use, the most urgent first.
///
/// # Errors
/// No rule is in force, or the database failed.
pub async fn ends_of_use(on: &Deployment, actor: &Actor) -> Result<Vec<UseEnd>, Error> {
    let deliveries = kiban_deliver::deliveries(&mut *on.reader().await?).await?;
    let mut out = Vec::new();
    for delivery in deliveries {
        if may_see(actor, delivery.recipient) {
            out.push(end_of(on, delivery).await?);
        }
    }
    out.sort_by_key(|e| (matches!(e.state, EndState::Closed { .. }), e.due, e.delivery.dataset));
    Ok(out)
}

async fn one(on: &Deployment, actor: &Actor, dataset: DatasetId) -> Result<UseEnd, Error> {
    let found = ends_of_use(on, actor).await?.into_iter().find(|e| e.delivery.dataset == dataset);
    found.ok_or(Error::Unknown { what: "delivery" })
}

async fn end_of(on: &Deployment, delivery: DeliveryRow) -> Result<UseEnd, Error> {
    let today = on.today();
    let mut conn = on.reader().await?;
    let contract = kiban_release::contract(&mut conn, delivery.contract).await?;
    let (_, content) = kiban_release::content(&mut conn, delivery.application).await?;
    let row = sqlx::query(
        "SELECT at, account, method, name, digest, sent_back_at, sent_back_why, closed_at \
         FROM journeys_erasure_proof WHERE dataset = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(delivery.dataset.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    drop(conn);
    let ends_on = match contract.state {
        State::Ended { at, .. } => jst_date(at).min(contract.terms.until),
        _ => contract.terms.until,
    };
    // A user whose certification ended may not use pseudonymized data from that day on.
    let lapsed = match delivery.product {
        Product::Pseudonymized => {
            certification::lapsed_on(delivery.recipient, &on.certifications().await?, today)
        }
        Product::Anonymized => None,
    };
    let ends_on = lapsed.map_or(ends_on, |day| ends_on.min(day.max(jst_date(delivery.at))));
    let rule = |name: &str| on.rules.int(name, today);
    let days = |n: i64| Span::new().try_days(n).unwrap_or_default();
    let due = ends_on.saturating_add(days(rule("use.erasure_days")?));
    let remind = ends_on.saturating_sub(days(rule("use.reminder_days")?));
    let (over, overdue) = (today >= ends_on, today > due);
    let damaged = || Error::Unknown { what: "erasure proof" };
    let mut proof = None;
    let mut state = if over {
        EndState::Awaited { overdue }
    } else {
        EndState::InUse { soon: today >= remind }
    };
    if let Some(row) = row {
        let text = |i: usize| -> Result<String, Error> { Ok(row.try_get(i)?) };
        let maybe = |i: usize| -> Result<Option<String>, Error> { Ok(row.try_get(i)?) };
        proof = Some(Proof {
            at: text(0)?.parse().map_err(|_| damaged())?,
            account: text(1)?.parse().map_err(|_| damaged())?,
            method: text(2)?,
            name: text(3)?,
            digest: text(4)?.parse().map_err(|_| damaged())?,
        });
        state = match (maybe(5)?, maybe(7)?) {
            (_, Some(at)) => EndState::Closed { at: at.parse().map_err(|_| damaged())? },
            (Some(_), None) => {
                EndState::SentBack { reason: maybe(6)?.unwrap_or_default(), overdue }
            }
            (None, None) => EndState::Reported,
        };
    }
    Ok(UseEnd { delivery, title: content.title, ends_on, due, state, proof })
}

/// Report, with a file as proof, that everything provided is erased. It may come before the contract ends.
///
/// # Errors
/// The actor may not, there is no such delivery to his or her organization, it is closed, the file is refused, or the log
/// failed.
/// # Law
/// `erasure`
pub async fn report_erasure(
    on: &Deployment,
    actor: &Actor,
    dataset: DatasetId,
    method: &str,
    name: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let permit = permit(actor, Act::ReportErasure)?;
    let end = one(on, actor, dataset).await?;
    if matches!(end.state, EndState::Closed { .. }) {
        return Err(EndRefused::Closed.into());
    }
    let method = erasure_proof::method(method)?;
    let file = attachments::keep_file(on, name, bytes).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let seq: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM journeys_erasure_proof WHERE dataset = $1",
    )
    .bind(dataset.to_string())
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO journeys_erasure_proof (dataset, seq, file, at, account, method, name, digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(dataset.to_string())
    .bind(seq)
    .bind(file.id.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(method.to_owned())
    .bind(file.name)
    .bind(file.digest.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "use.erasure_reported",
        actor: permit.actor(),
        subject: dataset.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({ "seq": seq, "proof": file.digest.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Close a use, or send its proof back with a reason.
///
/// # Errors
/// The actor may not, no proof waits, no reason is given for sending it back, or the log failed.
/// # Law
/// `erasure`
pub async fn check_erasure(
    on: &Deployment,
    actor: &Actor,
    dataset: DatasetId,
    accept: bool,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ConfirmErasure)?;
    let end = one(on, actor, dataset).await?;
    let (EndState::Reported, Some(proof)) = (&end.state, end.proof) else {
        return Err(EndRefused::NothingToCheck.into());
    };
    let reason = erasure_proof::reason(accept, reason)?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    const CLOSE: &str = "UPDATE journeys_erasure_proof SET closed_at = $3, closed_by = $4, sent_back_why = $5 \
         WHERE dataset = $1 AND digest = $2 AND closed_at IS NULL AND sent_back_at IS NULL";
    const SEND_BACK: &str = "UPDATE journeys_erasure_proof SET sent_back_at = $3, closed_by = $4, sent_back_why = $5 \
         WHERE dataset = $1 AND digest = $2 AND closed_at IS NULL AND sent_back_at IS NULL";
    let done = sqlx::query(if accept { CLOSE } else { SEND_BACK })
        .bind(dataset.to_string())
        .bind(proof.digest.to_string())
        .bind(at)
        .bind(actor.account.to_string())
        .bind(reason.to_owned())
        .execute(tx.conn())
        .await?;
    if done.rows_affected() == 0 {
        return Err(EndRefused::NothingToCheck.into());
    }
    let event = Event {
        kind: "use.erasure_checked",
        actor: permit.actor(),
        subject: dataset.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({ "accepted": accept, "proof": proof.digest.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The file of the newest proof: its name and bytes.
///
/// # Errors
/// There is none for the actor, or what is stored is not what was handed in.
pub async fn open_proof(
    on: &Deployment,
    actor: &Actor,
    dataset: DatasetId,
) -> Result<(String, Vec<u8>), Error> {
    let proof = one(on, actor, dataset).await?.proof.ok_or(Error::Unknown { what: "proof" })?;
    let file: String = sqlx::query_scalar(
        "SELECT file FROM journeys_erasure_proof WHERE dataset = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(dataset.to_string())
    .fetch_one(&mut *on.reader().await?)
    .await?;
    let bytes = crate::attachments::FOLDER.read(on, &file, proof.digest)?;
    Ok((proof.name, bytes.ok_or(AttachmentRefused::Damaged)?))
}
