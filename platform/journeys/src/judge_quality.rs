//! The quality of a delivery under the thresholds on record: judged when somebody looks.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_intake::{
    store::{self as deliveries, DeliveryRow},
    thresholds::{Limit, Scope, Threshold},
    validation::{Population, Reference, ReferenceError},
};
use kiban_kernel::{Digest, Id, LawKey, kinds};
use serde_json::json;

use crate::{Deployment, Error};

/// A threshold to set.
#[derive(Debug, Clone, PartialEq)]
pub struct NewThreshold {
    /// Which cells.
    pub scope: Scope,
    /// How much may fail; none: the scope is not judged from here on.
    pub limit: Option<Limit>,
    /// Who answers for it.
    pub owner: String,
    /// Why this much.
    pub reason: String,
}

/// Set a threshold of the quality grid. Earlier ones stay on record; nothing is counted again.
///
/// # Errors
/// The actor may not, the threshold has no sound limit, owner or reason, or the log failed.
/// # Law
/// `receipt_record`
pub async fn set_quality_threshold(
    on: &Deployment,
    actor: &Actor,
    new: NewThreshold,
) -> Result<Threshold, Error> {
    let permit = permit(actor, Act::SetQualityThreshold)?;
    let mut tx = on.log.begin().await?;
    let NewThreshold { scope, limit, owner, reason } = new;
    let (set_by, set_at) = (permit.actor().account, tx.now());
    let threshold = Threshold { scope, limit, owner, reason, set_by, set_at };
    threshold.check()?;
    let recorded = deliveries::add_threshold(&mut tx, &threshold).await?;
    let scope = &threshold.scope;
    let event = Event {
        kind: "quality.threshold_set",
        actor: permit.actor(),
        subject: scope.holder.map(|h| h.to_string()).unwrap_or_default(),
        law: LawKey::new("receipt_record").ok(),
        // Events hold no free text: the digest binds owner and reason, which stand in the register.
        body: json!({
            "table": scope.table, "check": scope.check, "aspect": scope.aspect,
            "limit": threshold.limit, "threshold": Digest::of(&recorded).to_string(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(threshold)
}

/// A reference table to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReference {
    /// Persons by class, as [`kiban_intake::validation::parse_reference`] reads them.
    pub persons: Population,
    /// One holder; none: all that have no table of their own.
    pub holder: Option<Id<kinds::Organization>>,
    /// Where the numbers come from.
    pub source: String,
    /// Who answers for it.
    pub owner: String,
}

/// Set what deliveries are compared with. Earlier tables stay on record; nothing is received again.
///
/// # Errors
/// The actor may not, the table is empty, nobody answers for it, or the log failed.
/// # Law
/// `receipt_record`
pub async fn set_reference(
    on: &Deployment,
    actor: &Actor,
    new: NewReference,
) -> Result<Reference, Error> {
    let permit = permit(actor, Act::SetQualityThreshold)?;
    let empty = |text: &str| text.trim().is_empty() || text.chars().count() > 200;
    if new.persons.values().all(|n| *n == 0) || empty(&new.source) || empty(&new.owner) {
        return Err(ReferenceError { line: 0 }.into());
    }
    let mut tx = on.log.begin().await?;
    let NewReference { persons, holder, source, owner } = new;
    let (set_by, set_at) = (permit.actor().account, tx.now());
    let reference = Reference { persons, holder, source, owner, set_by, set_at };
    let recorded = deliveries::add_reference(&mut tx, &reference).await?;
    let event = Event {
        kind: "quality.reference_set",
        actor: permit.actor(),
        subject: holder.map(|h| h.to_string()).unwrap_or_default(),
        law: LawKey::new("receipt_record").ok(),
        body: json!({
            "classes": reference.persons.len(), "reference": Digest::of(&recorded).to_string(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(reference)
}

/// Every threshold that was ever set, oldest first: the history, and what [`kiban_intake::thresholds::judge`] takes.
///
/// # Errors
/// The database failed.
pub async fn quality_thresholds(on: &Deployment) -> Result<Vec<Threshold>, Error> {
    Ok(deliveries::thresholds(on.log.db().pool()).await?)
}

/// The deliveries on record, oldest first; of one holder if given.
///
/// # Errors
/// The database failed.
pub async fn deliveries_of(
    on: &Deployment,
    holder: Option<Id<kinds::Organization>>,
) -> Result<Vec<DeliveryRow>, Error> {
    Ok(deliveries::list(on.log.db().pool(), holder).await?)
}
