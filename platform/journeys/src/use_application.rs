//! From an application to a contract in force: the acts of `release`, with the deployment's log, rules and
//! register behind them.

use std::collections::{BTreeMap, BTreeSet};

use kiban_govern::{
    Act, Actor,
    committee::{Ballot, Member, Opinion},
    permit,
};
use kiban_kernel::{Digest, Id, Product, kinds};
use kiban_register::{certification, entrustment};
use kiban_release::{application::Content, contract::Terms, session::Minutes};

use crate::{Deployment, Error, conditions, joint_use};

/// Keep a new version of the committee's roster.
///
/// # Errors
/// The actor may not, or the log failed.
pub async fn keep_roster(on: &Deployment, actor: &Actor, members: &[Member]) -> Result<(), Error> {
    let permit = permit(actor, Act::KeepRoster)?;
    kiban_release::keep_roster(&on.log, &permit, members).await?;
    Ok(())
}

/// Draft and submit an application for one product, in a project line.
///
/// # Errors
/// The actor may not, fields are missing (named), or the log failed.
pub async fn apply_for_use(
    on: &Deployment,
    actor: &Actor,
    project: Id<kinds::Project>,
    product: Product,
    content: &Content,
) -> Result<Id<kinds::Application>, Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    joint_use::hold(on, product, content).await?;
    let application =
        kiban_release::apply(&on.log, &permit, &*on.world.entropy, project, product, content)
            .await?;
    let _ = kiban_release::submit(&on.log, &permit, application.id).await?;
    Ok(application.id)
}

/// Begin an application as a draft, in a project line of its own or of an earlier application.
///
/// # Errors
/// The actor may not, or the log failed.
pub async fn draft_application(
    on: &Deployment,
    actor: &Actor,
    product: Product,
    content: &Content,
) -> Result<Id<kinds::Application>, Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    let project = on.new_id()?;
    let entropy = &*on.world.entropy;
    Ok(kiban_release::apply(&on.log, &permit, entropy, project, product, content).await?.id)
}

/// Write a draft anew (a new version).
///
/// # Errors
/// The actor may not, it is not the actor's, there is no such step, or the log failed.
pub async fn amend_application(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    content: &Content,
) -> Result<(), Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    on.seen(actor, id).await?;
    let _ = kiban_release::amend(&on.log, &permit, id, content).await?;
    Ok(())
}

/// Submit a draft.
///
/// # Errors
/// The actor may not, it is not the actor's, fields are missing (named), or the log failed.
pub async fn submit_application(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<(), Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    let head = on.seen(actor, id).await?;
    joint_use::hold(on, head.application.product, &head.content).await?;
    let _ = kiban_release::submit(&on.log, &permit, id).await?;
    Ok(())
}

/// Withdraw an application.
///
/// # Errors
/// The actor may not, it is not the actor's, there is no such step, or the log failed.
pub async fn withdraw_application(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<(), Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    on.seen(actor, id).await?;
    let _ = kiban_release::withdraw(&on.log, &permit, id).await?;
    Ok(())
}

/// Send a submitted application back to the applicant.
///
/// # Errors
/// The actor may not, no reason is given, it is not submitted, or the log failed.
pub async fn return_application(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ScreenApplication)?;
    let _ = kiban_release::send_back(&on.log, &permit, id, reason).await?;
    Ok(())
}

/// A new project line.
///
/// # Errors
/// No id could be made.
pub fn new_project(on: &Deployment) -> Result<Id<kinds::Project>, Error> {
    on.new_id()
}

/// Put an application before the committee.
///
/// # Errors
/// The actor may not, or the application is not submitted.
pub async fn screen(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ScreenApplication)?;
    let _ = kiban_release::screen(&on.log, &permit, id).await?;
    Ok(())
}

/// What happened at a session.
#[derive(Debug, Clone, Default)]
pub struct Sitting {
    /// Who attended.
    pub attendance: Vec<Id<kinds::Account>>,
    /// Organizations with an interest besides those the application names.
    pub interested: BTreeSet<Id<kinds::Organization>>,
    /// Members recused for reasons of their own.
    pub recused: BTreeSet<Id<kinds::Account>>,
    /// The votes.
    pub ballots: BTreeMap<Id<kinds::Account>, Ballot>,
}

/// The committee advises, today.
///
/// # Errors
/// The actor may not, the committee could not advise (what is missing is named), or the log failed.
/// # Law
/// `committee`
pub async fn advise(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    sitting: &Sitting,
) -> Result<Opinion, Error> {
    let permit = permit(actor, Act::RecordSession)?;
    let producer = actor.organization;
    let today = on.today();
    let edges = entrustment::all(&mut *on.reader().await?).await?;
    let minutes = Minutes {
        content: Digest::of(b""),
        roster: 0,
        held_on: today,
        producer,
        trustees: entrustment::reached(producer, &edges, today),
        attendance: sitting.attendance.clone(),
        interested: sitting.interested.clone(),
        recused: sitting.recused.clone(),
        ballots: sitting.ballots.clone(),
    };
    Ok(kiban_release::advise(&on.log, &permit, &*on.world.entropy, id, &minutes, &on.rules).await?)
}

/// The producer decides.
///
/// # Errors
/// The actor may not, no reason is given, the advice stands against it, or the log failed.
pub async fn decide(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    accept: bool,
    reason: &str,
    conditions: &[String],
) -> Result<(), Error> {
    let permit = permit(actor, Act::DecideApplication)?;
    let _ = kiban_release::decide(&on.log, &permit, id, accept, reason, conditions).await?;
    Ok(())
}

/// Draw up the contract, let the user and then the producer sign it.
///
/// # Errors
/// An actor may not, the application is not accepted, or the log failed.
/// # Law
/// `contract`
pub async fn conclude_contract(
    on: &Deployment,
    manager: &Actor,
    user: &Actor,
    terms: &Terms,
) -> Result<Id<kinds::Contract>, Error> {
    let ours = permit(manager, Act::SignContract)?;
    conditions::hold_for_contract(on, terms.application, terms.specification).await?;
    let theirs = permit(user, Act::AcceptContract)?;
    let id = kiban_release::draw_contract(&on.log, &ours, &*on.world.entropy, terms).await?;
    let _ = kiban_release::accept_contract(&on.log, &theirs, id).await?;
    let _ = kiban_release::sign_contract(&on.log, &ours, id).await?;
    Ok(id)
}

/// Draw up a contract.
///
/// # Errors
/// The actor may not, the application is not accepted, the period is empty, or the log failed.
/// # Law
/// `contract`
pub async fn draw_contract(
    on: &Deployment,
    manager: &Actor,
    terms: &Terms,
) -> Result<Id<kinds::Contract>, Error> {
    let ours = permit(manager, Act::SignContract)?;
    conditions::hold_for_contract(on, terms.application, terms.specification).await?;
    Ok(kiban_release::draw_contract(&on.log, &ours, &*on.world.entropy, terms).await?)
}

/// The user agrees to a contract.
///
/// # Errors
/// The actor may not, it is another user's, there is no such step, or the log failed.
/// # Law
/// `contract`
pub async fn accept_contract(
    on: &Deployment,
    user: &Actor,
    id: Id<kinds::Contract>,
) -> Result<(), Error> {
    let theirs = permit(user, Act::AcceptContract)?;
    let contract = contract_of(on, id).await?;
    if contract.terms.recipient != user.organization {
        return Err(Error::Unknown { what: "契約" });
    }
    let _ = kiban_release::accept_contract(&on.log, &theirs, id).await?;
    Ok(())
}

/// The producer signs, after the user.
///
/// # Errors
/// The actor may not, there is no such step, or the log failed.
/// # Law
/// `contract`
pub async fn sign_contract(
    on: &Deployment,
    manager: &Actor,
    id: Id<kinds::Contract>,
) -> Result<(), Error> {
    let ours = permit(manager, Act::SignContract)?;
    contract_of(on, id).await?;
    let _ = kiban_release::sign_contract(&on.log, &ours, id).await?;
    Ok(())
}

async fn contract_of(
    on: &Deployment,
    id: Id<kinds::Contract>,
) -> Result<kiban_release::contract::Contract, Error> {
    match kiban_release::contract(&mut *on.reader().await?, id).await {
        Err(kiban_release::ActError::NotFound { .. }) => Err(Error::Unknown { what: "契約" }),
        other => Ok(other?),
    }
}

impl Deployment {
    /// All certifications on the register.
    pub(crate) async fn certifications(
        &self,
    ) -> Result<Vec<kiban_govern::certification::Certification>, Error> {
        Ok(certification::all(&mut *self.reader().await?).await?)
    }
}
