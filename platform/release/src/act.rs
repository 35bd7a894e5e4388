//! The acts: each needs its permit, takes one step, and commits one event.

use kiban_audit::{Committed, Event, Log, Tx, sqlx::AnyConnection};
use kiban_govern::{Act, Actor, Permit, committee::Member, two_person};
use kiban_kernel::{Entropy, Id, LawKey, Product, Rules, Timestamp, kinds};
use serde_json::{Value, json};

use crate::{
    ActError, Approved, Context, Manifest, Releasable,
    application::{Application, Content, State, Step},
    approval,
    contract::{self, Terms},
    error::{StepRefused, Why},
    finding::{Decided, Decision, Finding},
    session::{Minutes, MinutesError},
    store,
};

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
/// `minutes.content` and `minutes.roster` are set here from what is stored, and the applicant, its co-users and
/// those it names as interested are added to the interested organizations.
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
    minutes.interested.extend(content.co_users.iter().chain(&content.interested).copied());
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
