//! An auditor's random sample of cases, and all the evidence of one: every event about the application, its contracts
//! and its datasets, with the checkpoint that covers them.

use kiban_audit::StoredEvent;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, kinds};

use crate::{Case, CaseHead, Deployment, Error};

/// How many cases a sample holds at most.
pub const MOST_SAMPLED: usize = 50;

/// The evidence of a case.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The case.
    pub case: Case,
    /// Its datasets.
    pub datasets: Vec<Id<kinds::Dataset>>,
    /// Events about any of it, in the order of the log.
    pub events: Vec<StoredEvent>,
    /// Events in the log.
    pub size: u64,
    /// The newest signed checkpoint, which covers them all.
    pub checkpoint: String,
}

/// A sample of the cases that the actor may see: the `count` that a seed puts first. The same seed gives the same sample,
/// and nobody can choose one that leaves out a given case without trying seeds, which are on the sheet.
///
/// # Guarantee
/// Whichever case is added later, the order of those that are there stays as it is.
/// # Errors
/// The actor may not, or the database failed.
/// # Law
/// `inspection`
pub async fn sample_cases(
    on: &Deployment,
    actor: &Actor,
    seed: u64,
    count: usize,
) -> Result<Vec<CaseHead>, Error> {
    permit(actor, Act::VerifyAudit)?;
    let mut cases = crate::cases(on, actor).await?;
    cases.sort_by_cached_key(|case| {
        let text = format!("{seed}/{}", case.application.id);
        (Digest::of(text.as_bytes()).to_string(), case.application.id)
    });
    cases.truncate(count.min(MOST_SAMPLED));
    Ok(cases)
}

/// All the evidence of a case.
///
/// # Errors
/// The actor may not, there is no such case for the actor, or the log cannot be read.
/// # Law
/// `inspection`
pub async fn evidence(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Evidence, Error> {
    permit(actor, Act::VerifyAudit)?;
    let case = crate::case(on, actor, id).await?;
    let datasets: Vec<Id<kinds::Dataset>> = crate::datasets(on, actor)
        .await?
        .iter()
        .filter(|d| d.application.application.id == id)
        .map(|d| d.id)
        .collect();
    let mut subjects = vec![id.to_string()];
    subjects.extend(case.contracts.iter().map(|c| c.id.to_string()));
    subjects.extend(datasets.iter().map(ToString::to_string));
    let mut events = Vec::new();
    for subject in &subjects {
        events.extend(on.log.about(subject).await?);
    }
    events.sort_by_key(|e| e.index);
    let size = on.log.size().await?;
    let checkpoint = on.log.checkpoint().await?.unwrap_or_default();
    Ok(Evidence { case, datasets, events, size, checkpoint })
}
