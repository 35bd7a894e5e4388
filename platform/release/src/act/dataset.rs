//! Acts on datasets: findings, manifests, approvals.

use kiban_audit::{Committed, Log, Tx, sqlx::AnyConnection};
use kiban_govern::{Act, Actor, Permit, two_person};
use kiban_kernel::{Id, Timestamp, kinds};
use serde_json::json;

use super::{Result, commit};
use crate::{
    Approved, Context, Manifest, Releasable, approval,
    error::{StepRefused, Why},
    finding::{Decided, Decision, Finding},
    store,
};

/// Record the findings of a scan, inside the transaction that scanned. Findings of the same dataset recorded by
/// an earlier scan keep their decisions.
///
/// # Errors
/// No permit, or the database fails.
pub async fn record_findings(
    tx: &mut Tx,
    permit: &Permit,
    dataset: Id<kinds::Dataset>,
    findings: &[Finding],
) -> Result<()> {
    permit.expect(Act::ProduceDataset)?;
    for finding in findings {
        store::add_finding(tx.conn(), dataset, finding).await?;
    }
    tx.note("findings", json!({ "dataset": dataset.to_string(), "count": findings.len() }));
    Ok(())
}

/// Decide a finding of a dataset, once, with a reason.
///
/// # Errors
/// No permit, no reason, decided already, or the log fails.
pub async fn decide_finding(
    log: &Log,
    permit: &Permit,
    dataset: Id<kinds::Dataset>,
    id: Id<kinds::Finding>,
    decision: Decision,
    reason: &str,
) -> Result<Committed> {
    let actor = permit.expect(Act::DecideFinding)?;
    let refused = |why| Err(StepRefused::new("undecided", "decided", actor, why).into());
    if reason.trim().is_empty() {
        return refused(Why::NoReason);
    }
    let mut tx = log.begin().await?;
    let at = tx.now();
    let decided = Decided { decision, reason: reason.to_owned(), by: actor.clone(), at };
    if !store::set_decision(tx.conn(), dataset, id, &decided).await? {
        return refused(Why::DecidedAlready);
    }
    let body = json!({ "dataset": dataset.to_string(), "decision": decision.as_str() });
    commit(tx, actor, Act::DecideFinding, "finding.decided", id.to_string(), body).await
}

/// Record a produced dataset by its signed manifest, inside the transaction that produced it.
///
/// # Errors
/// No permit, the manifest is not signed by one of `keys`, recorded before, or the database fails.
pub async fn record_dataset(
    tx: &mut Tx,
    permit: &Permit,
    note: &str,
    keys: &[kiban_audit::note::VerifyKey],
) -> Result<Manifest> {
    permit.expect(Act::ProduceDataset)?;
    let manifest = Manifest::open(note, keys)?;
    let (at, digest) = (tx.now(), manifest.digest());
    // The application must exist.
    store::application(tx.conn(), manifest.application).await?;
    store::add_dataset(tx.conn(), manifest.dataset, manifest.application, at, note, digest).await?;
    tx.note(
        "manifest",
        json!({
            "dataset": manifest.dataset.to_string(),
            "digest": digest.to_string(),
            "payload": manifest.payload.to_string(),
            "snapshot": manifest.snapshot,
            "specification": manifest.specification.to_string(),
        }),
    );
    Ok(manifest)
}

/// One person approves. Everything but the number of approvals is judged now, so that a reason to refuse shows at
/// the first approval.
///
/// # Errors
/// No permit, not a distinct person, anything that stands against release, or the log fails.
pub async fn approve(
    log: &Log,
    permit: &Permit,
    dataset: Id<kinds::Dataset>,
    context: &Context<'_>,
) -> Result<Committed> {
    let actor = permit.expect(Act::ApproveRelease)?;
    let mut tx = log.begin().await?;
    let at = tx.now();
    let evidence = store::evidence(tx.conn(), dataset).await?;
    let product = evidence.application.product;
    let digest = approval::examine(&evidence, context, product, at)?.manifest.digest();
    let given: Vec<Actor> = evidence.approvals.iter().map(|(actor, _)| actor.clone()).collect();
    two_person::admit(Act::ApproveRelease, &given, actor)?;
    let seq = given.len() as i64 + 1;
    store::add_approval(tx.conn(), dataset, seq, at, actor, digest).await?;
    let body = json!({ "approval": seq, "manifest": digest.to_string() });
    commit(tx, actor, Act::ApproveRelease, "release.approved", dataset.to_string(), body).await
}

/// The approved dataset, minted from everything on record, judged at `at`.
///
/// # Errors
/// Anything that stands against release, or the database fails.
pub async fn approved<D: Releasable>(
    conn: &mut AnyConnection,
    dataset: Id<kinds::Dataset>,
    context: &Context<'_>,
    at: Timestamp,
) -> Result<Approved<D>> {
    let evidence = store::evidence(conn, dataset).await?;
    Ok(approval::mint(&evidence, context, at)?)
}
