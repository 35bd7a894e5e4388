//! Recall of a provided dataset: who holds a copy of it, a task for each of them, the proofs that come, and what is overdue.
//!
//! From the moment of the recall the package is given to nobody. Each holder of a copy proves that it is erased; the
//! producer's staff may hand in a proof that came on paper, but whoever handed one in does not check it.

use jiff::Span;
use kiban_audit::Event;
use kiban_deliver::DeliveryRow;
use kiban_govern::{Act, Actor, Employer, Role, permit};
use kiban_kernel::{Id, LawKey, kinds};
use kiban_release::application::Content;
use serde_json::json;

use crate::{
    Deployment, Error,
    attachments::{self, AttachmentRefused},
    erasure_proof,
};

mod model;
mod store;

pub use model::{CopyOf, CopyProof, CopyTask, Recall, RecallRefused};

type DatasetId = Id<kinds::Dataset>;
type RecallId = Id<kinds::Event>;
type Organization = Id<kinds::Organization>;

/// Who holds a copy of a delivered dataset: its user, those who use it jointly or handle it for the user as the
/// application names them, and the producer's environment if the data stay there.
pub fn holders_of_copies(
    delivery: &DeliveryRow,
    content: &Content,
    producer: Organization,
) -> Vec<(Organization, CopyOf)> {
    let mut out = vec![(delivery.recipient, CopyOf::User)];
    out.extend(content.co_users.iter().map(|o| (*o, CopyOf::JointUser)));
    out.extend(content.trustees.iter().map(|o| (*o, CopyOf::Trustee)));
    if !delivery.route.leaves() {
        out.push((producer, CopyOf::Environment));
    }
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|(organization, _)| seen.insert(*organization));
    out
}

/// Staff of the producer that follow recalls.
const STAFF: [Role; 5] = [
    Role::DeliveryOfficer,
    Role::ReleaseApprover,
    Role::GeneralManager,
    Role::SecurityOfficer,
    Role::Auditor,
];

fn is_staff(actor: &Actor) -> bool {
    actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r))
}

/// Recall a dataset that was provided.
///
/// # Errors
/// The actor may not, there is no such delivery, it is recalled already, no reason is given, or the log failed.
/// # Law
/// `erasure`
pub async fn recall_dataset(
    on: &Deployment,
    actor: &Actor,
    dataset: DatasetId,
    reason: &str,
) -> Result<RecallId, Error> {
    let permit = permit(actor, Act::RecallDataset)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 1_000 {
        return Err(Error::Field {
            field: "reason",
            ja: "回収する理由を1,000字以内で書いてください。",
        });
    }
    let mut conn = on.reader().await?;
    let delivery = kiban_deliver::delivery(&mut conn, dataset).await?;
    let delivery = delivery.ok_or(Error::Unknown { what: "提供" })?;
    let (_, content) = kiban_release::content(&mut conn, delivery.application).await?;
    let producer = crate::inspect::producer(&mut conn).await?;
    drop(conn);
    let holders = holders_of_copies(&delivery, &content, producer);
    let days = on.rules.int("use.recall_days", on.today())?;
    let due = on.today().saturating_add(Span::new().try_days(days).unwrap_or_default());
    let id: RecallId = on.new_id()?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM journeys_recall WHERE dataset = $1")
        .bind(dataset.to_string())
        .fetch_one(tx.conn())
        .await?;
    if known > 0 {
        return Err(RecallRefused::Already.into());
    }
    sqlx::query(
        "INSERT INTO journeys_recall (id, dataset, at, account, reason, due) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(dataset.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(reason.to_owned())
    .bind(due.to_string())
    .execute(tx.conn())
    .await?;
    for (organization, copy) in &holders {
        sqlx::query(
            "INSERT INTO journeys_recall_task (recall, organization, copy) VALUES ($1, $2, $3)",
        )
        .bind(id.to_string())
        .bind(organization.to_string())
        .bind(copy.as_str())
        .execute(tx.conn())
        .await?;
    }
    let event = Event {
        kind: "dataset.recalled",
        actor: permit.actor(),
        subject: dataset.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({ "recall": id.to_string(), "copies": holders.len(), "due": due.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(id)
}

/// Is a dataset recalled?
pub(crate) async fn is_recalled(on: &Deployment, dataset: DatasetId) -> Result<bool, Error> {
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM journeys_recall WHERE dataset = $1")
        .bind(dataset.to_string())
        .fetch_one(&mut *on.reader().await?)
        .await?;
    Ok(known > 0)
}

/// The recalls that the actor may see, open ones first: for staff with every task, for others with their own.
///
/// # Errors
/// The database failed.
pub async fn recalls(on: &Deployment, actor: &Actor) -> Result<Vec<Recall>, Error> {
    let staff = is_staff(actor);
    if !(staff || actor.has(Role::Researcher) && actor.employer == Employer::User) {
        return Ok(Vec::new());
    }
    let mut all = store::all(on).await?;
    if !staff {
        for recall in &mut all {
            recall.tasks.retain(|t| t.organization == actor.organization);
        }
        all.retain(|r| !r.tasks.is_empty());
    }
    all.sort_by_key(|r| (r.closed_at.is_some(), r.due, r.id));
    Ok(all)
}

/// One recall.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn recall(on: &Deployment, actor: &Actor, id: RecallId) -> Result<Recall, Error> {
    let all = recalls(on, actor).await?;
    all.into_iter().find(|r| r.id == id).ok_or(Error::Unknown { what: "回収" })
}

fn task(recall: &Recall, organization: Organization) -> Result<&CopyTask, Error> {
    let found = recall.tasks.iter().find(|t| t.organization == organization);
    found.ok_or(Error::Unknown { what: "回収" })
}

/// Prove that a copy is erased: its holder's own people, or the producer's staff for a holder that proved it on paper.
///
/// # Errors
/// The actor may not, there is no such task, it is done, the file is refused, or the log failed.
/// # Law
/// `erasure`
pub async fn prove_copy_erased(
    on: &Deployment,
    actor: &Actor,
    id: RecallId,
    organization: Organization,
    method: &str,
    name: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let permit = match actor.employer {
        Employer::User => permit(actor, Act::ReportErasure)?,
        _ => permit(actor, Act::RecallDataset)?,
    };
    let recall = recall(on, actor, id).await?;
    if task(&recall, organization)?.done() {
        return Err(RecallRefused::Done.into());
    }
    let method = erasure_proof::method(method)?;
    let file = attachments::keep_file(on, name, bytes).await?;
    let digest = file.digest.to_string();
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let seq: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM journeys_recall_proof WHERE recall = $1 AND organization = $2",
    )
    .bind(id.to_string())
    .bind(organization.to_string())
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO journeys_recall_proof (recall, organization, seq, file, at, account, method, name, digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id.to_string())
    .bind(organization.to_string())
    .bind(seq)
    .bind(file.id.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(method.to_owned())
    .bind(file.name)
    .bind(digest.clone())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "recall.proved",
        actor: permit.actor(),
        subject: recall.dataset.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({ "recall": id.to_string(), "holder": organization.to_string(), "proof": digest }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Accept a proof, or send it back with a reason. With the last one accepted the recall is closed.
///
/// # Errors
/// The actor may not, handed the proof in, no proof waits, no reason is given for sending it back, or the log failed.
/// # Law
/// `erasure`
pub async fn check_copy_erased(
    on: &Deployment,
    actor: &Actor,
    id: RecallId,
    organization: Organization,
    accept: bool,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ConfirmErasure)?;
    let recall = recall(on, actor, id).await?;
    let this = task(&recall, organization)?;
    let Some(proof) = this.proof.as_ref().filter(|_| this.waits()) else {
        return Err(RecallRefused::NothingToCheck.into());
    };
    if proof.account == actor.account {
        return Err(RecallRefused::SamePerson.into());
    }
    let reason = erasure_proof::reason(accept, reason)?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_recall_proof SET checked_at = $1, checked_by = $2, accepted = $3, why = $4 \
         WHERE recall = $5 AND organization = $6 AND digest = $7 AND checked_at IS NULL",
    )
    .bind(at.clone())
    .bind(actor.account.to_string())
    .bind(i64::from(accept))
    .bind(reason.to_owned())
    .bind(id.to_string())
    .bind(organization.to_string())
    .bind(proof.digest.to_string())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Err(RecallRefused::NothingToCheck.into());
    }
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM journeys_recall_task t WHERE t.recall = $1 AND NOT EXISTS (SELECT 1 FROM \
         journeys_recall_proof p WHERE p.recall = t.recall AND p.organization = t.organization AND p.accepted = 1)",
    )
    .bind(id.to_string())
    .fetch_one(tx.conn())
    .await?;
    if open == 0 {
        sqlx::query("UPDATE journeys_recall SET closed_at = $1 WHERE id = $2")
            .bind(at)
            .bind(id.to_string())
            .execute(tx.conn())
            .await?;
    }
    let event = Event {
        kind: "recall.checked",
        actor: permit.actor(),
        subject: recall.dataset.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({
            "recall": id.to_string(),
            "holder": organization.to_string(),
            "accepted": accept,
            "closed": open == 0,
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The file of a holder's newest proof: its name and bytes.
///
/// # Errors
/// There is none for the actor, or what is stored is not what was handed in.
pub async fn open_copy_proof(
    on: &Deployment,
    actor: &Actor,
    id: RecallId,
    organization: Organization,
) -> Result<(String, Vec<u8>), Error> {
    let recall = recall(on, actor, id).await?;
    let proof = task(&recall, organization)?.proof.clone();
    let proof = proof.ok_or(Error::Unknown { what: "proof" })?;
    let bytes = attachments::FOLDER.read(on, &proof.file, proof.digest)?;
    Ok((proof.name, bytes.ok_or(AttachmentRefused::Damaged)?))
}
