//! What a user hands to a regulator: the delivered dataset once more, sealed to another key.

use std::{collections::BTreeSet, fs, path::PathBuf};

use kiban_govern::{Act, Actor, Employer, Permit, Role, permit};
use kiban_kernel::{Id, Product, kinds};
use kiban_register::{Organization, OrganizationKind, organization};
use serde_json::json;

use super::{
    EnquiryRefused, OrganizationId, Subject, Submission, event, is_regulator, is_staff, store,
    trace, written,
};
use crate::{Deployment, Error, dataset_cases};

/// The regulators to which a dataset can be submitted: bodies with an officer on the register.
///
/// # Errors
/// The database failed.
pub async fn regulators(on: &Deployment) -> Result<Vec<Organization>, Error> {
    let officers: BTreeSet<OrganizationId> = crate::accounts(on)
        .await?
        .into_iter()
        .filter(|a| a.roles.contains(&Role::RegulatorOfficer))
        .map(|a| a.organization)
        .collect();
    let all = organization::all(&mut *on.reader().await?).await?;
    let is = |o: &Organization| o.kind == OrganizationKind::Other && officers.contains(&o.id);
    Ok(all.into_iter().filter(is).collect())
}

/// Hand a dataset that was provided to a regulator: what was delivered, made again and sealed to its key.
///
/// # Errors
/// The actor may not; the dataset is none of his or her organization, not pseudonymized, erased or recalled; certification or
/// contract ended; no regulator with a key; it was submitted before; stops came since; disk or log failed.
/// # Law
/// `pseudonymized.user_duties`
pub async fn submit_to_regulator(
    on: &Deployment,
    actor: &Actor,
    dataset: Id<kinds::Dataset>,
    regulator: OrganizationId,
    purpose: &str,
) -> Result<Subject, Error> {
    let permit = permit(actor, Act::SubmitToRegulator)?;
    let purpose = written(purpose, "purpose", "提出の目的を4,000字以内で書いてください。")?;
    let row = kiban_deliver::delivery(&mut *on.reader().await?, dataset).await?;
    let row = row.filter(|row| row.recipient == actor.organization);
    let row = row.ok_or(Error::Unknown { what: "データセット" })?;
    if row.product != Product::Pseudonymized {
        return Err(EnquiryRefused::NotPseudonymized.into());
    }
    if row.erased_at.is_some() || crate::recall::is_recalled(on, dataset).await? {
        return Err(EnquiryRefused::Gone.into());
    }
    dataset_cases::still_entitled(on, &row).await?;
    if regulators(on).await?.iter().all(|o| o.id != regulator) {
        return Err(EnquiryRefused::NoRegulator.into());
    }
    let key = kiban_deliver::public_key(&mut *on.reader().await?, regulator).await?;
    let key = key.ok_or(EnquiryRefused::NoRegulator)?;
    let known = store::submissions(on).await?;
    if known.iter().any(|s| s.dataset == dataset && s.regulator == regulator) {
        return Err(EnquiryRefused::Already.into());
    }
    let again = trace::again(on, dataset).await?;
    let note = kiban_release::manifest_note(&mut *on.reader().await?, dataset).await?;
    let id: Subject = on.new_id()?;
    let path = on.submitted(id);
    let fact = kiban_deliver::seal_copy(&path, &key, &again.manifest, &note, &again.payload)?;
    let done = record_submission(on, &permit, (id, dataset, regulator), purpose, &row, &fact).await;
    if done.is_err() {
        // What cannot be removed now is collected at the next start.
        let _ = fs::remove_file(path);
    }
    done?;
    Ok(id)
}

async fn record_submission(
    on: &Deployment,
    permit: &Permit,
    (id, dataset, regulator): (Subject, Id<kinds::Dataset>, OrganizationId),
    purpose: &str,
    row: &kiban_deliver::DeliveryRow,
    fact: &kiban_deliver::PackageFact,
) -> Result<(), Error> {
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_submission (id, dataset, regulator, at, account, purpose, payload, package, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id.to_string())
    .bind(dataset.to_string())
    .bind(regulator.to_string())
    .bind(at)
    .bind(permit.actor().account.to_string())
    .bind(purpose.to_owned())
    .bind(row.payload.to_string())
    .bind(fact.sha256.to_string())
    .bind(i64::try_from(fact.size).unwrap_or(i64::MAX))
    .execute(tx.conn())
    .await?;
    let body = json!({
        "dataset": dataset.to_string(),
        "regulator": regulator.to_string(),
        "payload": row.payload.to_string(),
        "package": fact.sha256.to_string(),
    });
    let _ = tx.commit(event("submission.made", permit, id, body)).await?;
    Ok(())
}

/// The submissions that the actor may see, the newest first: a regulator those to it, a user its own, staff all.
///
/// # Errors
/// The database failed.
pub async fn submissions(on: &Deployment, actor: &Actor) -> Result<Vec<Submission>, Error> {
    let (staff, regulator) = (is_staff(actor), is_regulator(actor));
    let user = actor.employer == Employer::User && actor.has(Role::Researcher);
    let mut all = store::submissions(on).await?;
    all.retain(|s| {
        staff
            || regulator && s.regulator == actor.organization
            || user && s.user == actor.organization
    });
    Ok(all)
}

/// One submission.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn submission(on: &Deployment, actor: &Actor, id: Subject) -> Result<Submission, Error> {
    let all = submissions(on, actor).await?;
    all.into_iter().find(|s| s.id == id).ok_or(Error::Unknown { what: "提出" })
}

/// The package of a submission, sealed to the regulator, for its people. On the record.
///
/// # Errors
/// The actor may not, there is no such submission to his or her body, a stop ended it, or the log failed.
pub async fn fetch_submission(
    on: &Deployment,
    actor: &Actor,
    id: Subject,
) -> Result<PathBuf, Error> {
    let permit = permit(actor, Act::SeeSubmission)?;
    let of = submission(on, actor, id).await?;
    if of.erased {
        return Err(EnquiryRefused::Erased.into());
    }
    let body = json!({ "package": of.package.to_string() });
    let _ = on.log.begin().await?.commit(event("submission.fetched", &permit, id, body)).await?;
    Ok(on.submitted(id))
}
