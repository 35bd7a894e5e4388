//! The acts: each needs its permit, takes one step, and commits one event.

use kiban_audit::{Committed, Event, Log, Tx};
use kiban_govern::{Act, Actor, Permit, committee::Member};
use kiban_kernel::{Entropy, Id, LawKey, Product, Rules, jst_date, kinds};
use serde_json::{Value, json};

use crate::{
    ActError,
    application::{Application, Content, State, Step},
    error::{StepRefused, Why},
    session::{Minutes, MinutesError},
    store,
};

mod contract;
mod dataset;

pub use contract::{accept_contract, draw_contract, end_contract, sign_contract};
pub use dataset::{approve, approved, decide_finding, record_dataset, record_findings};

type Result<T> = std::result::Result<T, ActError>;

fn law(key: &str) -> Option<LawKey> {
    LawKey::new(key).ok()
}

async fn commit(
    tx: Tx,
    actor: &Actor,
    act: Act,
    kind: &'static str,
    subject: String,
    body: Value,
) -> Result<Committed> {
    Ok(tx.commit(Event { kind, actor, subject, law: law(act.law()), body }).await?)
}

/// Only the applicant's own people move an application.
fn own(a: &Application, actor: &Actor, to: &'static str) -> Result<()> {
    if actor.organization == a.applicant {
        return Ok(());
    }
    Err(StepRefused::new(a.state.as_str(), to, actor, Why::NotTheApplicant).into())
}

async fn take(tx: &mut Tx, a: &mut Application, actor: &Actor, step: &Step) -> Result<()> {
    let at = tx.now();
    a.state = State::after(Some(&a.state), step, actor, at)?;
    a.steps += 1;
    store::add_step(tx.conn(), a.id, a.steps, at, actor, step).await
}

/// Begin an application as a draft.
///
/// # Errors
/// No permit, or the log fails.
pub async fn apply(
    log: &Log,
    permit: &Permit,
    entropy: &dyn Entropy,
    project: Id<kinds::Project>,
    product: Product,
    content: &Content,
) -> Result<Application> {
    let actor = permit.expect(Act::SubmitApplication)?;
    let mut tx = log.begin().await?;
    let (step, at) = (Step::Draft { version: 1 }, tx.now());
    let application = Application {
        id: Id::new(entropy)?,
        project,
        applicant: actor.organization,
        product,
        state: State::after(None, &step, actor, at)?,
        steps: 1,
    };
    store::add_application(tx.conn(), &application).await?;
    store::add_content(tx.conn(), application.id, 1, content).await?;
    store::add_step(tx.conn(), application.id, 1, at, actor, &step).await?;
    let body = json!({ "product": product.as_str(), "project": project.to_string(), "content": content.digest().to_string() });
    let subject = application.id.to_string();
    let _ = commit(tx, actor, Act::SubmitApplication, "application.drafted", subject, body).await?;
    Ok(application)
}

/// Write a draft anew: while drafting, after advice to revise, or to change an accepted application, which then
/// needs review again.
///
/// # Errors
/// No permit, not the applicant's, no such step, or the log fails.
pub async fn amend(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Application>,
    content: &Content,
) -> Result<Committed> {
    let actor = permit.expect(Act::SubmitApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    own(&a, actor, "draft")?;
    let (version, _) = store::content(tx.conn(), id).await?;
    take(&mut tx, &mut a, actor, &Step::Draft { version: version + 1 }).await?;
    store::add_content(tx.conn(), id, version + 1, content).await?;
    let body = json!({ "version": version + 1, "content": content.digest().to_string() });
    commit(tx, actor, Act::SubmitApplication, "application.amended", id.to_string(), body).await
}

/// Submit a draft; nothing may be missing.
///
/// # Errors
/// No permit, not the applicant's, fields missing (named), no such step, or the log fails.
pub async fn submit(log: &Log, permit: &Permit, id: Id<kinds::Application>) -> Result<Committed> {
    let actor = permit.expect(Act::SubmitApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    own(&a, actor, "submitted")?;
    let (_, content) = store::content(tx.conn(), id).await?;
    let gaps = content.gaps();
    if !gaps.is_empty() {
        let why = Why::Incomplete(gaps);
        return Err(StepRefused::new(a.state.as_str(), "submitted", actor, why).into());
    }
    let digest = content.digest();
    take(&mut tx, &mut a, actor, &Step::Submit { content: digest }).await?;
    let body = json!({ "content": digest.to_string() });
    commit(tx, actor, Act::SubmitApplication, "application.submitted", id.to_string(), body).await
}

/// Withdraw an application.
///
/// # Errors
/// No permit, not the applicant's, no such step, or the log fails.
pub async fn withdraw(log: &Log, permit: &Permit, id: Id<kinds::Application>) -> Result<Committed> {
    let actor = permit.expect(Act::SubmitApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    own(&a, actor, "withdrawn")?;
    take(&mut tx, &mut a, actor, &Step::Withdraw).await?;
    commit(tx, actor, Act::SubmitApplication, "application.withdrawn", id.to_string(), Value::Null)
        .await
}

/// Put a submitted application before the committee.
///
/// # Errors
/// No permit, no such step, or the log fails.
pub async fn screen(log: &Log, permit: &Permit, id: Id<kinds::Application>) -> Result<Committed> {
    let actor = permit.expect(Act::ScreenApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    take(&mut tx, &mut a, actor, &Step::Screen).await?;
    commit(tx, actor, Act::ScreenApplication, "application.screened", id.to_string(), Value::Null)
        .await
}

/// Send a submitted application back to the applicant, who can write it anew.
///
/// # Errors
/// No permit, no reason, no such step, or the log fails.
pub async fn send_back(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Application>,
    reason: &str,
) -> Result<Committed> {
    let actor = permit.expect(Act::ScreenApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    let (version, _) = store::content(tx.conn(), id).await?;
    take(&mut tx, &mut a, actor, &Step::Return { version, reason: reason.to_owned() }).await?;
    let body = json!({ "version": version });
    commit(tx, actor, Act::ScreenApplication, "application.returned", id.to_string(), body).await
}

/// Keep a new version of the committee's roster. A roster that could not advise is kept too: sessions are judged
/// when they are held.
///
/// # Errors
/// No permit, or the log fails.
pub async fn keep_roster(log: &Log, permit: &Permit, members: &[Member]) -> Result<i64> {
    let actor = permit.expect(Act::KeepRoster)?;
    let mut tx = log.begin().await?;
    let at = tx.now();
    let version = store::add_roster(tx.conn(), at, members).await?;
    let body = json!({ "members": members.len() });
    let _ =
        commit(tx, actor, Act::KeepRoster, "committee.roster", format!("roster_{version}"), body)
            .await?;
    Ok(version)
}

/// The committee advises on an application: its minutes are judged and, if valid, recorded.
///
/// `minutes.content` and `minutes.roster` are set here from what is stored, and the applicant, its co-users,
/// its trustees and those it names as interested are added to the interested organizations.
///
/// # Errors
/// No permit, no such step, the committee cannot advise (all that is missing is named), the votes cannot be
/// counted, or the log fails.
pub async fn advise(
    log: &Log,
    permit: &Permit,
    entropy: &dyn Entropy,
    id: Id<kinds::Application>,
    minutes: &Minutes,
    rules: &Rules,
) -> Result<kiban_govern::committee::Opinion> {
    let actor = permit.expect(Act::RecordSession)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    let (roster, members) = store::roster(tx.conn()).await?;
    let (_, content) = store::content(tx.conn(), id).await?;
    let mut minutes = minutes.clone();
    minutes.content = content.digest();
    minutes.roster = roster;
    minutes.interested.insert(a.applicant);
    let named = content.co_users.iter().chain(&content.trustees).chain(&content.interested);
    minutes.interested.extend(named.copied());
    // Held after it was put before the committee, and not in the future: the day decides which rules apply.
    if let State::UnderReview { at, .. } = &a.state
        && !(jst_date(*at)..=jst_date(tx.now())).contains(&minutes.held_on)
    {
        let why = Why::SessionDate;
        return Err(StepRefused::new(a.state.as_str(), "advised", actor, why).into());
    }
    let (held, opinion) = minutes.judge(&members, rules).map_err(|e| match e {
        MinutesError::Composition(e) => ActError::Committee(e),
        MinutesError::Vote(e) => ActError::Vote(e),
    })?;
    let session = Id::new(entropy)?;
    let outcome = opinion.outcome();
    take(&mut tx, &mut a, actor, &Step::Advise { session, outcome }).await?;
    store::add_session(tx.conn(), session, id, &minutes, outcome.as_str()).await?;
    let tally = opinion.tally();
    let body = json!({
        "session": session.to_string(),
        "held_on": minutes.held_on.to_string(),
        "content": minutes.content.to_string(),
        "outcome": outcome.as_str(),
        "present": held.present().len(),
        "entitled": held.entitled().len(),
        "recused": held.recused().len(),
        "votes": [tally.approve, tally.approve_with_conditions, tally.revise, tally.reject],
    });
    let _ =
        commit(tx, actor, Act::RecordSession, "committee.advised", id.to_string(), body).await?;
    Ok(opinion)
}

/// The producer decides: `accept` with conditions, or not; either needs a reason. It cannot accept against the
/// committee's advice.
///
/// # Errors
/// No permit, no such step, no reason, advice unfavourable, or the log fails.
pub async fn decide(
    log: &Log,
    permit: &Permit,
    id: Id<kinds::Application>,
    accept: bool,
    reason: &str,
    conditions: &[String],
) -> Result<Committed> {
    let actor = permit.expect(Act::DecideApplication)?;
    let mut tx = log.begin().await?;
    let mut a = store::application(tx.conn(), id).await?;
    let reason = reason.to_owned();
    let step = if accept {
        Step::Accept { reason, conditions: conditions.to_vec() }
    } else {
        Step::Refuse { reason }
    };
    take(&mut tx, &mut a, actor, &step).await?;
    let body = json!({ "accepted": accept, "conditions": conditions.len() });
    commit(tx, actor, Act::DecideApplication, "application.decided", id.to_string(), body).await
}
