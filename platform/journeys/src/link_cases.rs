//! The pairs of the review as lists and pages show them, without names: how each stands, why it scores as it does, and
//! which datasets an undo would touch.

use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, Timestamp, kinds};
use kiban_register::link::Why;
use sqlx::{Row as _, any::AnyRow};

use crate::{
    Deployment, Error, LinkAnswer, LinkCase, LinkRefused, corrections, link_reading,
    link_review::{CaseId, read},
};

/// What readers made of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOutcome {
    /// One person.
    Same,
    /// Two persons.
    Different,
    /// No two of three agreed: two persons stay two.
    Unsettled,
}

impl LinkOutcome {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Same => "同じ人",
            Self::Different => "別の人",
            Self::Unsettled => "意見が分かれ、別の人のまま",
        }
    }
    fn of(text: &str) -> Option<Self> {
        match text {
            "same" => Some(Self::Same),
            "different" => Some(Self::Different),
            "unsettled" => Some(Self::Unsettled),
            _ => None,
        }
    }
}

/// A decision that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkUndone {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Id<kinds::Account>,
    /// Why, in the manager's words.
    pub why: String,
}

/// How a pair stands.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkStanding {
    /// The pair.
    pub case: LinkCase,
    /// What readers made of it; `None` while it is open.
    pub outcome: Option<LinkOutcome>,
    /// When it was decided.
    pub closed_at: Option<Timestamp>,
    /// The decision was taken back.
    pub undone: Option<LinkUndone>,
    /// What this actor answered.
    pub own: Option<LinkAnswer>,
}

impl LinkStanding {
    /// Is there a decision that can be taken back?
    pub fn is_binding(&self) -> bool {
        self.outcome.is_some() && self.undone.is_none()
    }
}

/// The columns of [`read`] first, then what is known once it is closed, then the actor's own answer.
const STANDING: &str = "SELECT c.id, c.a_source, c.b_source, c.score, c.information, c.priority, c.opened_at, c.outcome, \
     (SELECT COUNT(*) FROM journeys_link_answer a WHERE a.link_case = c.id) AS answers, \
     c.closed_at, c.undone_at, c.undone_by, c.undone_why, \
     (SELECT a.answer FROM journeys_link_answer a WHERE a.link_case = c.id AND a.account = $1) AS own \
     FROM journeys_link_case c";

fn standing(row: &AnyRow) -> Result<LinkStanding, Error> {
    let damaged = || Error::Unknown { what: "link case" };
    let text = |i: usize| -> Result<Option<String>, Error> { Ok(row.try_get(i)?) };
    let at = |i: usize| -> Result<Option<Timestamp>, Error> {
        text(i)?.map(|t| t.parse().map_err(|_| damaged())).transpose()
    };
    let undone = match (at(10)?, text(11)?) {
        (Some(at), Some(by)) => {
            let by = by.parse().map_err(|_| damaged())?;
            Some(LinkUndone { at, by, why: text(12)?.unwrap_or_default() })
        }
        _ => None,
    };
    Ok(LinkStanding {
        case: read(row)?,
        outcome: text(7)?.map(|t| LinkOutcome::of(&t).ok_or_else(damaged)).transpose()?,
        closed_at: at(9)?,
        undone,
        own: text(13)?.map(|t| LinkAnswer::of(&t).ok_or_else(damaged)).transpose()?,
    })
}

/// How a pair stands. Names nobody, and tells nothing of what others answered.
///
/// # Errors
/// The actor may not, there is no such pair, or the database failed.
pub async fn link_case(on: &Deployment, actor: &Actor, id: CaseId) -> Result<LinkStanding, Error> {
    permit(actor, Act::SeeLinks)?;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{STANDING} WHERE c.id = $2")))
        .bind(actor.account.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut *on.reader().await?)
        .await?
        .ok_or(Error::LinkReview(LinkRefused::NoSuchCase))?;
    standing(&row)
}

/// The pairs that were decided, the latest first.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn closed_link_cases(on: &Deployment, actor: &Actor) -> Result<Vec<LinkStanding>, Error> {
    permit(actor, Act::SeeLinks)?;
    let sql = format!("{STANDING} WHERE c.outcome IS NOT NULL ORDER BY c.closed_at DESC, c.id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(actor.account.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
    rows.iter().map(standing).collect()
}

/// Why the two of a pair score as they do; `None` if the linker does not hold them any more.
///
/// # Errors
/// The actor may not, there is no such pair, or the database failed.
pub async fn why_of_link_case(
    on: &Deployment,
    actor: &Actor,
    id: CaseId,
) -> Result<Option<Why>, Error> {
    let found = link_case(on, actor, id).await?;
    link_reading::why(on, found.case.sources).await
}

/// Datasets that hold rows of the two, with how many: what changes if the decision is taken back or takes effect.
///
/// # Errors
/// The actor may not, there is no such pair, or database or lake failed.
pub async fn datasets_of_link_case(
    on: &Deployment,
    actor: &Actor,
    id: CaseId,
) -> Result<Vec<(Id<kinds::Dataset>, u64)>, Error> {
    let found = link_case(on, actor, id).await?;
    corrections::touched(on, &mut *on.reader().await?, &found.case.sources).await
}
