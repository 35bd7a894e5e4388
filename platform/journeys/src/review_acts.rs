//! What members and secretariat do in a review: declare, vote, close, record.

use kiban_audit::Event;
use kiban_govern::{
    Act, Actor,
    committee::{self, Ballot, Office, Opinion},
    permit,
};
use kiban_kernel::{Digest, Id, LawKey, kinds};
use serde_json::json;

use crate::{
    Deployment, Error, ReviewRefused, Sitting,
    review::{stored, under_review},
    use_application,
};

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
