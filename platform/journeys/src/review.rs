//! The committee at work on one application: declarations of interest, votes that nobody sees before the own vote,
//! closing by the member who presides, minutes by the secretariat.
//!
//! # Guarantee
//! - `journeys.secret-votes`: a vote is shown to its member, to members who voted themselves, and after the closing;
//!   to nobody else, and never to a recused member before the closing.

use std::collections::{BTreeMap, BTreeSet};

use kiban_audit::Event;
use kiban_govern::{
    Act, Actor, Role,
    committee::{self, Ballot, Bodies, Category, Interests, Member, Office, Opinion, Session},
    permit,
};
use kiban_kernel::{Digest, Id, LawKey, Timestamp, kinds};
use kiban_register::entrustment;
use kiban_release::application::{Application, State};
use serde_json::json;
use sqlx::Row as _;

use crate::{CaseHead, Deployment, Error, Sitting, use_application};

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
struct Stored {
    head: CaseHead,
    content: Digest,
    members: Vec<Member>,
    bodies: Bodies,
    interests: Interests,
    declared: BTreeMap<Account, Declared>,
    ballots: BTreeMap<Account, Ballot>,
    closed: Option<(Account, Timestamp)>,
}

impl Stored {
    fn member(&self, account: Account, on: &Deployment) -> Result<&Member, Error> {
        self.members
            .iter()
            .find(|m| m.account == account && m.in_office(on.today()))
            .ok_or(Error::Review(ReviewRefused::NotAMember))
    }

    fn attendance(&self) -> Vec<Account> {
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

    fn opinion(&self, on: &Deployment) -> Result<(Session, Opinion), Error> {
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

async fn stored(
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

fn under_review(application: &Application) -> Result<(), Error> {
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

/// Declare whether the member has an interest in an application, before voting.
///
/// # Errors
/// The actor may not, is no member, voted already, an interest has no reason, or the log failed.
/// # Law
/// `committee`
pub async fn declare_interest(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    interest: bool,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::Vote)?;
    let s = stored(on, actor, id).await?;
    under_review(&s.head.application)?;
    s.member(actor.account, on)?;
    if s.closed.is_some() {
        return Err(Error::Review(ReviewRefused::Closed));
    }
    if s.ballots.contains_key(&actor.account) {
        return Err(Error::Review(ReviewRefused::VotedAlready));
    }
    if interest && reason.trim().is_empty() {
        return Err(Error::Field {
            field: "reason", ja: "利益相反の内容を書いてください。"
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_interest (application, content, account, at, has_interest, reason) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (application, content, account) DO UPDATE \
         SET at = excluded.at, has_interest = excluded.has_interest, reason = excluded.reason",
    )
    .bind(id.to_string())
    .bind(s.content.to_string())
    .bind(actor.account.to_string())
    .bind(at)
    .bind(i64::from(interest))
    .bind(reason.trim().to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "committee.declared",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("committee").ok(),
        body: json!({ "interest": interest, "content": s.content.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Vote, once. The event binds the vote by a digest over a salt and the vote.
///
/// # Errors
/// The actor may not, is no member, is recused, has not declared, voted already, the votes are closed, the vote has
/// no reason or no conditions it asks for, or the log failed.
/// # Law
/// `committee`
pub async fn cast_vote(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    ballot: &Ballot,
) -> Result<(), Error> {
    let permit = permit(actor, Act::Vote)?;
    let s = stored(on, actor, id).await?;
    under_review(&s.head.application)?;
    let refused = |why| Err(Error::Review(why));
    let member = s.member(actor.account, on)?;
    if s.interests.touch(member) {
        return refused(ReviewRefused::Recused);
    }
    if s.closed.is_some() {
        return refused(ReviewRefused::Closed);
    }
    if !s.declared.contains_key(&actor.account) {
        return refused(ReviewRefused::NotDeclared);
    }
    if ballot.reason.trim().is_empty() {
        return Err(Error::Field {
            field: "reason", ja: "評決の理由を書いてください。"
        });
    }
    let asks = ballot.vote == committee::Outcome::ApproveWithConditions;
    if asks && ballot.conditions.iter().all(|c| c.trim().is_empty()) {
        return Err(Error::Field {
            field: "conditions",
            ja: "条件付き承認には条件を書いてください。",
        });
    }
    let text = serde_json::to_string(ballot).map_err(|_| Error::Unknown { what: "vote" })?;
    let salt = on.new_id::<kinds::Event>()?.to_string();
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let bound = Digest::of(format!("{salt}\n{text}").as_bytes()).to_string();
    // Judged again inside the transaction: nobody votes after the closing.
    let closings: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM journeys_closing WHERE application = $1 AND content = $2",
    )
    .bind(id.to_string())
    .bind(s.content.to_string())
    .fetch_one(tx.conn())
    .await?;
    if closings > 0 {
        return refused(ReviewRefused::Closed);
    }
    let done = sqlx::query(
        "INSERT INTO journeys_ballot (application, content, account, at, salt, ballot) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (application, content, account) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(s.content.to_string())
    .bind(actor.account.to_string())
    .bind(at)
    .bind(salt)
    .bind(text)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return refused(ReviewRefused::VotedAlready);
    }
    let event = Event {
        kind: "committee.voted",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("committee").ok(),
        body: json!({ "vote": bound, "content": s.content.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The member who presides closes the votes. The session must be valid as it stands: those who voted are present.
///
/// # Errors
/// The actor may not or does not preside; the session lacks something (all of it is named); closed already; or the
/// log failed.
/// # Law
/// `committee`
pub async fn close_votes(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Opinion, Error> {
    let permit = permit(actor, Act::CloseVotes)?;
    let s = stored(on, actor, id).await?;
    under_review(&s.head.application)?;
    let member = s.member(actor.account, on)?;
    if s.closed.is_some() {
        return Err(Error::Review(ReviewRefused::Closed));
    }
    if member.office == Office::Member || s.interests.touch(member) {
        return Err(Error::Review(ReviewRefused::NotPresiding));
    }
    let (session, opinion) = s.opinion(on)?;
    if session.presiding() != actor.account {
        return Err(Error::Review(ReviewRefused::NotPresiding));
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_closing (application, content, account, at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id.to_string())
    .bind(s.content.to_string())
    .bind(actor.account.to_string())
    .bind(at)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "committee.closed",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("committee").ok(),
        body: json!({
            "content": s.content.to_string(),
            "votes": s.ballots.len(),
            "outcome": opinion.outcome().as_str(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(opinion)
}

/// The secretariat records the minutes of the closed session: the committee has advised.
///
/// # Errors
/// The actor may not, the votes are not closed, or the committee cannot advise today.
/// # Law
/// `committee`
pub async fn record_minutes(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Opinion, Error> {
    permit(actor, Act::RecordSession)?;
    let s = stored(on, actor, id).await?;
    under_review(&s.head.application)?;
    if s.closed.is_none() {
        return Err(Error::Review(ReviewRefused::NotClosed));
    }
    let sitting = Sitting {
        attendance: s.attendance(),
        interested: s.interests.organizations.clone(),
        recused: s.interests.members.clone(),
        ballots: s.ballots.clone(),
    };
    use_application::advise(on, actor, id, &sitting).await
}

/// A member of the newest roster, and whether ④ holds today.
#[derive(Debug, Clone)]
pub struct RosterSeat {
    /// The member.
    pub member: Member,
    /// ④: tied neither to this producer nor to one of its trustees.
    pub outsider: bool,
}

/// The newest roster.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Members in office today, chair first.
    pub members: Vec<RosterSeat>,
    /// What it lacks to be a valid committee today; empty if nothing.
    pub lacks: String,
}

/// The newest roster, judged by today's rules.
///
/// # Errors
/// There is none, or the database failed.
pub async fn roster(on: &Deployment) -> Result<Roster, Error> {
    let mut conn = on.reader().await?;
    let (_, members) = kiban_release::roster(&mut conn).await?;
    let producer = crate::inspect::producer(&mut conn).await?;
    let edges = entrustment::all(&mut conn).await?;
    let today = on.today();
    let bodies = Bodies { producer, trustees: entrustment::reached(producer, &edges, today) };
    let composed = committee::composition(&members, &bodies, &on.rules, today);
    let mut members: Vec<RosterSeat> = members
        .into_iter()
        .filter(|m| m.in_office(today))
        .map(|member| RosterSeat { outsider: member.is_outsider(&bodies), member })
        .collect();
    members.sort_by_key(|seat| (seat.member.office, seat.member.account));
    Ok(Roster { members, lacks: composed.err().map(|e| e.ja()).unwrap_or_default() })
}

/// Count a held session again by the rules of its day: who was recused, and the opinion.
///
/// # Errors
/// The Japanese sentence of what does not hold.
pub fn judge(on: &Deployment, held: &crate::Held) -> Result<(BTreeSet<Account>, Opinion), String> {
    let (session, opinion) = held.minutes.judge(&held.members, &on.rules).map_err(|e| e.ja())?;
    Ok((session.recused().clone(), opinion))
}
