//! The committee at work on one application: declarations of interest, votes that nobody sees before the own vote,
//! closing by the member who presides, minutes by the secretariat.
//!
//! # Guarantee
//! - `journeys.secret-votes`: a vote is shown to its member, to members who voted themselves, and after the closing;
//!   to nobody else, and never to a recused member before the closing.

use std::collections::{BTreeMap, BTreeSet};

use kiban_govern::{
    Actor, Role,
    committee::{self, Ballot, Bodies, Category, Interests, Member, Office, Opinion, Session},
};
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use kiban_register::entrustment;
use kiban_release::application::{Application, State};
use sqlx::Row as _;

use crate::{CaseHead, Deployment, Error};

type Account = Id<kinds::Account>;

/// A member's seat in the review of one application.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Whose.
    pub account: Account,
    /// ①②③.
    pub categories: BTreeSet<Category>,
    /// ④: tied neither to this producer nor to one of its trustees.
    pub outsider: bool,
    /// Office.
    pub office: Office,
    /// Organizations the member is employed by.
    pub employers: BTreeSet<Id<kinds::Organization>>,
    /// Tied to an organization with an interest, or declared one.
    pub recused: bool,
    /// What the member declared.
    pub declared: Option<Declared>,
    /// Did the member vote?
    pub voted: bool,
    /// The vote, if whoever looks may see it.
    pub ballot: Option<Ballot>,
}

/// A declaration of interest.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Has the member an interest?
    pub interest: bool,
    /// Which, in the member's words; may be empty without one.
    pub reason: String,
}

/// The review of one application.
#[derive(Debug, Clone)]
pub struct Review {
    /// The seats, chair first.
    pub seats: Vec<Seat>,
    /// Who closed the votes, and when.
    pub closed: Option<(Account, Timestamp)>,
    /// Why the votes could not be closed now: everything that is missing. None if they could.
    pub lacks: Option<String>,
    /// Who presides, if the session is valid as it stands.
    pub presiding: Option<Account>,
    /// What the votes give; known once they are closed.
    pub opinion: Option<Opinion>,
}

/// What is stored of a review.
pub(crate) struct Stored {
    pub(crate) head: CaseHead,
    pub(crate) content: Digest,
    pub(crate) members: Vec<Member>,
    pub(crate) bodies: Bodies,
    pub(crate) interests: Interests,
    pub(crate) declared: BTreeMap<Account, Declared>,
    pub(crate) ballots: BTreeMap<Account, Ballot>,
    pub(crate) closed: Option<(Account, Timestamp)>,
}

impl Stored {
    pub(crate) fn member(&self, account: Account, on: &Deployment) -> Result<&Member, Error> {
        self.members
            .iter()
            .find(|m| m.account == account && m.in_office(on.today()))
            .ok_or(Error::Review(ReviewRefused::NotAMember))
    }

    pub(crate) fn attendance(&self) -> Vec<Account> {
        self.ballots.keys().copied().collect()
    }

    /// The session as it stands: those who voted are present.
    fn session(&self, on: &Deployment) -> Result<Session, Error> {
        let (rules, today) = (&on.rules, on.today());
        committee::session(
            &self.members,
            &self.bodies,
            &self.attendance(),
            &self.interests,
            rules,
            today,
        )
        .map_err(|e| Error::Release(e.into()))
    }

    pub(crate) fn opinion(&self, on: &Deployment) -> Result<(Session, Opinion), Error> {
        let session = self.session(on)?;
        let opinion = session.close(&self.ballots).map_err(|e| Error::Release(e.into()))?;
        Ok((session, opinion))
    }
}

/// Why a member's act in a review is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewRefused {
    /// The application is not before the committee.
    #[error("the application is not before the committee")]
    NotUnderReview,
    /// The account is no member in office.
    #[error("the account is no member in office")]
    NotAMember,
    /// The member is recused.
    #[error("the member is recused")]
    Recused,
    /// The member has not declared yet whether there is an interest.
    #[error("the member has not declared interests")]
    NotDeclared,
    /// The member voted already.
    #[error("the member voted already")]
    VotedAlready,
    /// The votes are closed.
    #[error("the votes are closed")]
    Closed,
    /// The votes are not closed yet.
    #[error("the votes are not closed")]
    NotClosed,
    /// Another member presides.
    #[error("another member presides")]
    NotPresiding,
}

impl ReviewRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NotUnderReview => "この申請は審査中ではありません。",
            Self::NotAMember => "在任中の審査委員ではありません。",
            Self::Recused => "利益相反により、この申請の審議・議決に加わることはできません。",
            Self::NotDeclared => "評決の前に、利益相反の有無を申告してください。",
            Self::VotedAlready => "既に評決しています。評決は変更できません。",
            Self::Closed => "評決は締め切られています。",
            Self::NotClosed => "評決がまだ締め切られていません。",
            Self::NotPresiding => {
                "締切りは、議長（委員長、または委員長が加わらないときは副委員長）が行います。"
            }
        }
    }
}

pub(crate) async fn stored(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Stored, Error> {
    let head = on.seen(actor, id).await?;
    let mut conn = on.reader().await?;
    let (_, members) = kiban_release::roster(&mut conn).await?;
    let producer = crate::inspect::producer(&mut conn).await?;
    let edges = entrustment::all(&mut conn).await?;
    let bodies = Bodies { producer, trustees: entrustment::reached(producer, &edges, on.today()) };
    let content = head.content.digest();
    let (mut declared, mut ballots) = (BTreeMap::new(), BTreeMap::new());
    let damaged = || Error::Unknown { what: "ballot" };
    let rows = sqlx::query(
        "SELECT account, has_interest, reason FROM journeys_interest WHERE application = $1 AND content = $2",
    )
    .bind(id.to_string())
    .bind(content.to_string())
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let account = row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?;
        let interest = row.try_get::<i64, _>(1)? != 0;
        declared.insert(account, Declared { interest, reason: row.try_get(2)? });
    }
    let rows = sqlx::query(
        "SELECT account, ballot FROM journeys_ballot WHERE application = $1 AND content = $2",
    )
    .bind(id.to_string())
    .bind(content.to_string())
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let account: Account = row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?;
        let ballot = serde_json::from_str(&row.try_get::<String, _>(1)?).map_err(|_| damaged())?;
        ballots.insert(account, ballot);
    }
    let row = sqlx::query(
        "SELECT account, at FROM journeys_closing WHERE application = $1 AND content = $2",
    )
    .bind(id.to_string())
    .bind(content.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let closed = match row {
        Some(row) => Some((
            row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
            row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
        )),
        None => None,
    };
    let mut interests = Interests::default();
    interests.organizations.insert(head.application.applicant);
    let named =
        head.content.co_users.iter().chain(&head.content.trustees).chain(&head.content.interested);
    interests.organizations.extend(named.copied());
    interests.members.extend(declared.iter().filter(|(_, d)| d.interest).map(|(a, _)| *a));
    Ok(Stored { head, content, members, bodies, interests, declared, ballots, closed })
}

pub(crate) fn under_review(application: &Application) -> Result<(), Error> {
    match application.state {
        State::UnderReview { .. } => Ok(()),
        _ => Err(Error::Review(ReviewRefused::NotUnderReview)),
    }
}

/// The review of an application, with the votes that the actor may see.
///
/// # Errors
/// There is no such application for the actor, no roster, or the database failed.
pub async fn review(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Review, Error> {
    let s = stored(on, actor, id).await?;
    let me = s.members.iter().find(|m| m.account == actor.account);
    let recused = me.is_some_and(|m| s.interests.touch(m));
    let staff = actor.has(Role::CommitteeSecretary) || actor.has(Role::GeneralManager);
    // Before the closing: a member who voted. After it: members who were not recused, and the secretariat.
    let all_open = match s.closed {
        None => s.ballots.contains_key(&actor.account) && !recused,
        Some(_) => (me.is_some() && !recused) || staff,
    };
    let mut seats: Vec<Seat> = s
        .members
        .iter()
        .filter(|m| m.in_office(on.today()))
        .map(|m| Seat {
            account: m.account,
            categories: m.categories.clone(),
            outsider: m.is_outsider(&s.bodies),
            office: m.office,
            employers: m.employers.clone(),
            recused: s.interests.touch(m),
            declared: (m.account == actor.account || staff)
                .then(|| s.declared.get(&m.account).cloned())
                .flatten(),
            voted: s.ballots.contains_key(&m.account),
            ballot: (all_open || m.account == actor.account)
                .then(|| s.ballots.get(&m.account).cloned())
                .flatten(),
        })
        .collect();
    seats.sort_by_key(|seat| (seat.office, seat.account));
    let judged = s.opinion(on);
    let presiding = judged.as_ref().ok().map(|(session, _)| session.presiding());
    Ok(Review {
        seats,
        closed: s.closed,
        lacks: judged.as_ref().err().map(Error::ja),
        presiding,
        opinion: s.closed.and(judged.ok()).map(|(_, opinion)| opinion),
    })
}
