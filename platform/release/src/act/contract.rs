//! Acts on contracts.

use kiban_audit::{Committed, Log};
use kiban_govern::{Act, Actor, Permit};
use kiban_kernel::{Entropy, Id, kinds};
use serde_json::{Value, json};

use super::{Result, commit};
use crate::{
    application::State,
    contract::{self, Terms},
    error::{StepRefused, Why},
    store,
};

/// Draw up a contract for an accepted application.
///
/// # Errors
/// No permit, the application is not accepted or not the recipient's, the period is empty, or the log fails.
pub async fn draw_contract(
    log: &Log,
    permit: &Permit,
    entropy: &dyn Entropy,
    terms: &Terms,
) -> Result<Id<kinds::Contract>> {
    let actor = permit.expect(Act::SignContract)?;
    let mut tx = log.begin().await?;
    let a = store::application(tx.conn(), terms.application).await?;
    let refused = |why| Err(StepRefused::new("nothing", "drawn", actor, why).into());
    if !matches!(a.state, State::Accepted { .. }) {
        return refused(Why::NotAccepted);
    }
    if a.applicant != terms.recipient {
        return refused(Why::NotTheApplicant);
    }
    if terms.until <= terms.from {
        return refused(Why::EmptyPeriod);
    }
    let (id, at) = (Id::new(entropy)?, tx.now());
    store::add_contract(tx.conn(), id, terms).await?;
    store::add_contract_step(tx.conn(), id, 1, at, actor, contract::Step::Draw).await?;
    let body = contract_body(terms);
    let _ = commit(tx, actor, Act::SignContract, "contract.drawn", id.to_string(), body).await?;
    Ok(id)
}

fn contract_body(terms: &Terms) -> Value {
    json!({
        "application": terms.application.to_string(),
        "specification": terms.specification.to_string(),
        "terms": terms.digest().to_string(),
        "from": terms.from.to_string(),
        "until": terms.until.to_string(),
    })
}

async fn contract_step(
    log: &Log,
    actor: &Actor,
    act: Act,
    kind: &'static str,
    id: Id<kinds::Contract>,
) -> Result<Committed> {
    let mut tx = log.begin().await?;
    let at = tx.now();
    let c = store::contract(tx.conn(), id).await?;
    let terms = c.terms.digest();
    let step = match kind {
        "contract.accepted" => contract::Step::Accept { terms },
        "contract.signed" => contract::Step::Sign { terms },
        _ => contract::Step::End,
    };
    if matches!(step, contract::Step::Accept { .. }) && actor.organization != c.terms.recipient {
        let why = Why::NotTheApplicant;
        return Err(StepRefused::new(c.state.as_str(), "accepted_by_user", actor, why).into());
    }
    contract::State::after(Some(&c.state), &step, actor, at)?;
    store::add_contract_step(tx.conn(), id, c.steps + 1, at, actor, step).await?;
    commit(tx, actor, act, kind, id.to_string(), contract_body(&c.terms)).await
}

/// The user signs.
///
/// # Errors
/// No permit, not the recipient's, no such step, or the log fails.
pub async fn accept_contract(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Contract>,
) -> Result<Committed> {
    let actor = permit.expect(Act::AcceptContract)?;
    contract_step(log, actor, Act::AcceptContract, "contract.accepted", id).await
}

/// The producer signs, after the user.
///
/// # Errors
/// No permit, no such step, or the log fails.
pub async fn sign_contract(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Contract>,
) -> Result<Committed> {
    let actor = permit.expect(Act::SignContract)?;
    contract_step(log, actor, Act::SignContract, "contract.signed", id).await
}

/// End a contract before its time.
///
/// # Errors
/// No permit, no such step, or the log fails.
pub async fn end_contract(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Contract>,
) -> Result<Committed> {
    let actor = permit.expect(Act::SignContract)?;
    contract_step(log, actor, Act::SignContract, "contract.ended", id).await
}
