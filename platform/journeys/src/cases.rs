//! The case of an application, as far as whoever looks may see it: state, contents, steps, session, contracts.
//!
//! An applicant's people see their own organization's; the producer's people all that was ever submitted; committee
//! members what is or was before the committee. Anything else does not exist for them.

use kiban_govern::{Actor, Employer, Role, committee::Member};
use kiban_kernel::{Id, kinds};
use kiban_release::{
    Taken,
    application::{Application, Content, State, Step},
    contract::Contract,
    session::Minutes,
};

use crate::{Deployment, Error};

/// An application with the newest content: a row of a list.
#[derive(Debug, Clone)]
pub struct CaseHead {
    /// The application.
    pub application: Application,
    /// Version of the content.
    pub version: i64,
    /// What is applied for.
    pub content: Content,
    /// What happened, oldest first.
    pub steps: Vec<Taken>,
}

/// The session that advised.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its id.
    pub id: Id<kinds::Session>,
    /// What was written down.
    pub minutes: Minutes,
    /// The roster of its day.
    pub members: Vec<Member>,
}

/// Everything about an application.
#[derive(Debug, Clone)]
pub struct Case {
    /// The application and its newest content.
    pub head: CaseHead,
    /// The content before the newest, to show what changed.
    pub earlier: Option<Content>,
    /// The session that advised on it, once one did.
    pub session: Option<Held>,
    /// Its contracts.
    pub contracts: Vec<Contract>,
}

/// Roles of the producer's own people that see applications.
const STAFF: [Role; 8] = [
    Role::CommitteeSecretary,
    Role::GeneralManager,
    Role::Processor,
    Role::Examiner,
    Role::ReleaseApprover,
    Role::DeliveryOfficer,
    Role::SecurityOfficer,
    Role::Auditor,
];

/// Was it submitted at least once?
fn submitted(steps: &[Taken]) -> bool {
    steps.iter().any(|taken| matches!(taken.step, Step::Submit { .. }))
}

fn may_see(actor: &Actor, application: &Application, steps: &[Taken]) -> bool {
    let own = actor.has(Role::Researcher) && actor.organization == application.applicant;
    let staff = actor.employer == Employer::Producer && STAFF.iter().any(|role| actor.has(*role));
    let member = actor.has(Role::CommitteeMember);
    let before_committee = steps.iter().any(|taken| matches!(taken.step, Step::Screen));
    own || staff && submitted(steps) || member && before_committee
}

impl Deployment {
    pub(crate) async fn head_of(&self, id: Id<kinds::Application>) -> Result<CaseHead, Error> {
        let mut conn = self.reader().await?;
        let application = kiban_release::application(&mut conn, id).await?;
        let (version, content) = kiban_release::content(&mut conn, id).await?;
        let steps = kiban_release::taken(&mut conn, id).await?;
        Ok(CaseHead { application, version, content, steps })
    }

    /// An application for the platform's own use, whoever may see it.
    pub(crate) async fn any_case(
        &self,
        system: &Actor,
        id: Id<kinds::Application>,
    ) -> Result<CaseHead, Error> {
        debug_assert!(system.has(Role::System));
        self.head_of(id).await
    }

    /// The application, if the actor may see it; else it does not exist.
    pub(crate) async fn seen(
        &self,
        actor: &Actor,
        id: Id<kinds::Application>,
    ) -> Result<CaseHead, Error> {
        let head = match self.head_of(id).await {
            Err(Error::Release(kiban_release::ActError::NotFound { .. })) => {
                return Err(Error::Unknown { what: "申請" });
            }
            other => other?,
        };
        if may_see(actor, &head.application, &head.steps) {
            Ok(head)
        } else {
            Err(Error::Unknown { what: "申請" })
        }
    }
}

/// The applications the actor may see, oldest first.
///
/// # Errors
/// The database failed.
pub async fn cases(on: &Deployment, actor: &Actor) -> Result<Vec<CaseHead>, Error> {
    let ids = kiban_release::applications(&mut *on.reader().await?).await?;
    let mut out = Vec::new();
    for id in ids {
        let head = on.head_of(id).await?;
        if may_see(actor, &head.application, &head.steps) {
            out.push(head);
        }
    }
    Ok(out)
}

/// One application with all that hangs on it.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn case(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Case, Error> {
    let head = on.seen(actor, id).await?;
    let mut conn = on.reader().await?;
    let contents = kiban_release::contents(&mut conn, id).await?;
    let earlier = contents.len().checked_sub(2).and_then(|i| contents.into_iter().nth(i));
    let held = match &head.application.state {
        State::Advised { session, .. } | State::Accepted { session, .. } => Some(*session),
        _ => head.steps.iter().rev().find_map(|taken| match &taken.step {
            Step::Advise { session, .. } => Some(*session),
            _ => None,
        }),
    };
    let session =
        match held {
            Some(id) => kiban_release::minutes(&mut conn, id)
                .await?
                .map(|(minutes, members)| Held { id, minutes, members }),
            None => None,
        };
    let contracts = kiban_release::contracts(&mut conn, id).await?;
    // A contract is between the two that sign it.
    let party =
        actor.employer == Employer::Producer || actor.organization == head.application.applicant;
    Ok(Case {
        head,
        earlier: earlier.map(|(_, content)| content),
        session,
        contracts: if party { contracts } else { Vec::new() },
    })
}

/// The application of a contract, and the contract itself, if the actor may see both.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn contract_case(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Contract>,
) -> Result<(Case, Contract), Error> {
    let missing = || Error::Unknown { what: "契約" };
    let found = kiban_release::contract(&mut *on.reader().await?, id).await;
    let application = match found {
        Err(kiban_release::ActError::NotFound { .. }) => return Err(missing()),
        other => other?.terms.application,
    };
    let case = case(on, actor, application).await?;
    let contract = case.contracts.iter().find(|c| c.id == id).cloned().ok_or_else(missing)?;
    Ok((case, contract))
}

/// A project that the producer decided to provide for: a row of the public list.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its place in the order of decisions, from 1.
    pub number: usize,
    /// When the producer decided.
    pub decided_at: kiban_kernel::Timestamp,
    /// Title.
    pub title: String,
    /// Which product.
    pub product: kiban_kernel::Product,
    /// Tables that the application names.
    pub tables: Vec<String>,
    /// Who uses it.
    pub user: Id<kinds::Organization>,
    /// Academia, company or both, if it is on the register.
    pub user_class: Option<String>,
}

/// The public list: every project ever decided to be provided for, in the order of decision.
///
/// # Errors
/// The database failed.
/// # Law
/// `committee`
pub async fn projects(on: &Deployment) -> Result<Vec<Project>, Error> {
    let ids = kiban_release::applications(&mut *on.reader().await?).await?;
    let mut out = Vec::new();
    for id in ids {
        let head = on.head_of(id).await?;
        let accepted = head.steps.iter().find(|t| matches!(t.step, Step::Accept { .. }));
        let Some(accepted) = accepted else { continue };
        let mut tables: Vec<String> = head
            .content
            .items
            .iter()
            .filter_map(|item| item.split('.').next())
            .map(str::to_owned)
            .collect();
        tables.sort();
        tables.dedup();
        out.push(Project {
            number: 0,
            decided_at: accepted.at,
            title: head.content.title.clone(),
            product: head.application.product,
            tables,
            user: head.application.applicant,
            user_class: on.user_class(head.application.applicant).await?,
        });
    }
    out.sort_by_key(|p| p.decided_at);
    out.iter_mut().enumerate().for_each(|(i, p)| p.number = i + 1);
    Ok(out)
}
