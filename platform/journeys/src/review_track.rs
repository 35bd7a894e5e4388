//! The track of a review, its day clock, and who has the next step: for the applicant too.

use kiban_audit::Event;
use kiban_govern::{
    Act, Actor, permit,
    track::{self, Clock, Facts, NotExpedited, Track},
};
use kiban_kernel::{Id, LawKey, jst_date, kinds};
use kiban_release::application::{State, Step};
use serde_json::json;

use crate::{
    Deployment, Error,
    amendment::{Change, amended, amendment},
    review,
};

type ApplicationId = Id<kinds::Application>;

/// Who has the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The applicant writes or agrees.
    Applicant,
    /// The secretariat screens.
    Secretariat,
    /// Members vote: how many of those entitled have.
    Members {
        /// Votes given.
        voted: u64,
        /// Members entitled to vote.
        entitled: u64,
    },
    /// The presiding member closes.
    Chair,
    /// The secretariat records the minutes.
    Minutes,
    /// The general manager decides, or draws up and signs the contract.
    Manager,
    /// Nobody: it is over, or handed on to processing.
    Nobody,
}

impl Next {
    /// Japanese name.
    pub fn label_ja(self) -> String {
        match self {
            Self::Applicant => "申請者".into(),
            Self::Secretariat => "審査委員会事務局（付議または差戻し）".into(),
            Self::Members { voted, entitled } => {
                format!("審査委員（{entitled}人のうち{voted}人が評決済み）")
            }
            Self::Chair => "議長（評決の締切り）".into(),
            Self::Minutes => "審査委員会事務局（議事録の確定）".into(),
            Self::Manager => "統括管理責任者".into(),
            Self::Nobody => "なし".into(),
        }
    }
}

/// Where a review stands.
#[derive(Debug, Clone)]
pub struct Progress {
    /// How it is reviewed.
    pub track: Track,
    /// Its clock, once the committee has it.
    pub clock: Option<Clock>,
    /// Who has the next step.
    pub next: Next,
    /// What is changed against what was approved before; none for a first application.
    pub changes: Option<Vec<Change>>,
    /// Why it cannot be expedited; empty if it can.
    pub not_expedited: Vec<NotExpedited>,
}

/// Why a track cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrackRefused {
    /// The expedited track is not open.
    #[error("the expedited track is not open to the application")]
    NotExpedited(Vec<NotExpedited>),
    /// The application is neither submitted nor under review.
    #[error("the application is neither submitted nor under review")]
    State,
}

impl TrackRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NotExpedited(why) => why.iter().map(|w| w.ja()).collect(),
            Self::State => "審査の方法は、提出から評決の締切りまでの間に選びます。".into(),
        }
    }
}

impl Deployment {
    async fn track(&self, id: ApplicationId) -> Result<Track, Error> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT track FROM journeys_track WHERE application = $1 ORDER BY seq DESC LIMIT 1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        let found = found.and_then(|text| Track::ALL.into_iter().find(|t| t.as_str() == text));
        Ok(found.unwrap_or(Track::Meeting))
    }
}

/// Where the review of an application stands, for everybody who may see the application. It shows how many voted, never
/// what.
///
/// # Errors
/// There is no such application for the actor, no rule is in force, or the database failed.
/// # Law
/// `committee`
pub async fn progress(
    on: &Deployment,
    actor: &Actor,
    id: ApplicationId,
) -> Result<Progress, Error> {
    let head = on.seen(actor, id).await?;
    let changes = amendment(on, actor, id).await?;
    let facts = Facts {
        product: head.application.product,
        joint_use: !head.content.co_users.is_empty(),
        entrusted: !head.content.trustees.is_empty(),
        amendment: changes.as_deref().map(amended),
    };
    let today = on.today();
    let not_expedited = track::expedited(&facts, &on.rules, today)?.err().unwrap_or_default();
    let track = on.track(id).await?;
    let next = match &head.application.state {
        State::Draft { .. } => Next::Applicant,
        State::Submitted { .. } => Next::Secretariat,
        State::UnderReview { .. } => {
            let review = review::review(on, actor, id).await?;
            let entitled = review.seats.iter().filter(|s| !s.recused).count() as u64;
            let voted = review.seats.iter().filter(|s| s.voted && !s.recused).count() as u64;
            match review.closed {
                Some(_) => Next::Minutes,
                None if voted == entitled => Next::Chair,
                None => Next::Members { voted, entitled },
            }
        }
        State::Advised { .. } | State::Accepted { .. } => Next::Manager,
        State::Refused { .. } | State::Withdrawn { .. } => Next::Nobody,
    };
    let begun = head.steps.iter().rev().find(|s| matches!(s.step, Step::Screen));
    let running = matches!(head.application.state, State::UnderReview { .. });
    let clock = match begun.filter(|_| running) {
        Some(step) => Some(track::clock(track, jst_date(step.at), today, &on.rules)?),
        None => None,
    };
    Ok(Progress { track, clock, next, changes, not_expedited })
}

/// Choose how an application is reviewed; it may be changed until the votes are closed.
///
/// # Errors
/// The actor may not, the application is in another state, the expedited track is not open to it, or the log failed.
/// # Law
/// `committee`
pub async fn choose_track(
    on: &Deployment,
    actor: &Actor,
    id: ApplicationId,
    track: Track,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ScreenApplication)?;
    let head = on.seen(actor, id).await?;
    if !matches!(head.application.state, State::Submitted { .. } | State::UnderReview { .. }) {
        return Err(TrackRefused::State.into());
    }
    let progress = progress(on, actor, id).await?;
    if progress.next == Next::Minutes {
        return Err(TrackRefused::State.into());
    }
    if track == Track::Expedited && !progress.not_expedited.is_empty() {
        return Err(TrackRefused::NotExpedited(progress.not_expedited).into());
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_track (application, seq, track, at, account) VALUES ($1, \
         (SELECT COALESCE(MAX(seq), 0) + 1 FROM journeys_track WHERE application = $2), $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(id.to_string())
    .bind(track.as_str())
    .bind(at)
    .bind(actor.account.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.track",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("committee").ok(),
        body: json!({ "track": track.as_str() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
