//! The same cohort again: an application in the project line of an earlier one, and how its dataset goes on from the one
//! delivered before: who is in both under the same id, who is gone because of a stop, who is gone or new for other reasons.

use std::collections::BTreeSet;

use arrow::array::AsArray as _;
use kiban_audit::Event;
use kiban_deid::Produced;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, LawKey, Product, Timestamp, kinds};
use kiban_release::application::State;
use serde_json::json;
use sqlx::Row as _;

use crate::{
    Deployment, Error, dataset,
    rebuild_dataset::recorded,
    run_dataset::{Stand, run_unmeasured},
};

type DatasetId = Id<kinds::Dataset>;

/// How a dataset goes on from the one before it in its project line. All counts are of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuity {
    /// The dataset delivered before.
    pub earlier: DatasetId,
    /// When the two were compared.
    pub at: Timestamp,
    /// Persons of the earlier dataset when it was delivered.
    pub persons_before: u64,
    /// Of them, gone because they asked to stop since.
    pub stopped: u64,
    /// Of them, in both under the same id.
    pub continued: u64,
    /// Of them, not in the new one for other reasons: they no longer belong to the cohort.
    pub left: u64,
    /// Persons that are new.
    pub added: u64,
}

/// Why a follow-up is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowRefused {
    /// The earlier application was not accepted.
    #[error("the earlier application was not accepted")]
    NotAccepted,
    /// Ids of anonymized products are of one dataset alone.
    #[error("the ids of anonymized products are of one dataset alone")]
    Anonymized,
    /// No dataset of the line was delivered before.
    #[error("no dataset of the project line was delivered before")]
    NothingBefore,
}

impl FollowRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NotAccepted => "提供が決定した申請だけを、続きの申請の元にできます。",
            Self::Anonymized => {
                "匿名加工医療情報の識別子はデータセットごとに変わるため、同じ集団の続きとして結べません。"
            }
            Self::NothingBefore => {
                "同じ研究の系列で、これより前に提供したデータセットがありません。"
            }
        }
    }
}

/// Draft the application for the next dataset of the same cohort: in the project line of an earlier one, so that its ids
/// go on, with what was written there.
///
/// # Errors
/// The actor may not, there is no such application of the actor's organization, it was not accepted or is for anonymized
/// data, or the log failed.
/// # Law
/// `contract`
pub async fn draft_follow_up(
    on: &Deployment,
    actor: &Actor,
    earlier: Id<kinds::Application>,
) -> Result<Id<kinds::Application>, Error> {
    let permit = permit(actor, Act::SubmitApplication)?;
    let head = on.seen(actor, earlier).await?;
    if head.application.applicant != actor.organization {
        return Err(Error::Unknown { what: "申請" });
    }
    if head.application.product == Product::Anonymized {
        return Err(FollowRefused::Anonymized.into());
    }
    if !matches!(head.application.state, State::Accepted { .. }) {
        return Err(FollowRefused::NotAccepted.into());
    }
    let (project, product) = (head.application.project, head.application.product);
    let entropy = &*on.world.entropy;
    let content = &head.content;
    Ok(kiban_release::apply(&on.log, &permit, entropy, project, product, content).await?.id)
}

/// The newest dataset of the line that was delivered before this one was made.
async fn before(
    on: &Deployment,
    id: DatasetId,
    project: Id<kinds::Project>,
    made_at: Timestamp,
) -> Result<Option<DatasetId>, Error> {
    let mut conn = on.reader().await?;
    let mut newest: Option<(Timestamp, DatasetId)> = None;
    for row in kiban_deliver::deliveries(&mut conn).await? {
        let of = kiban_release::application(&mut conn, row.application).await?.project;
        if of == project && row.dataset != id && row.at < made_at {
            newest = newest.max(Some((row.at, row.dataset)));
        }
    }
    Ok(newest.map(|(_, dataset)| dataset))
}

/// The ids that a dataset shows: the first column of each table.
fn ids(of: &Produced) -> BTreeSet<String> {
    of.tables()
        .iter()
        .flat_map(|(_, batches)| batches)
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten())
        .map(str::to_owned)
        .collect()
}

/// The ids of a dataset as its manifest records it, without those who stopped since; and how many persons it had.
async fn again(on: &Deployment, id: DatasetId) -> Result<(BTreeSet<String>, u64), Error> {
    let (manifest, basis) = recorded(on, id).await?;
    let stand = Stand::recorded(&manifest);
    let (content, _) = Box::pin(run_unmeasured(on, &basis, &stand)).await?;
    Ok((ids(content.produced()), manifest.persons))
}

/// Compare a dataset with the one delivered before it in its project line, and put the counts on record. Both are run again:
/// the cost of two productions.
///
/// # Guarantee
/// Before = stopped + continued + left.
/// # Errors
/// The actor may not, there is no such dataset with a manifest, none was delivered before it, or the engine failed.
/// # Law
/// `pseudonymized.provision`
pub async fn record_continuity(
    on: &Deployment,
    actor: &Actor,
    id: DatasetId,
) -> Result<Continuity, Error> {
    let permit = permit(actor, Act::ProduceDataset)?;
    let this = dataset(on, actor, id).await?;
    let application = &this.application.application;
    if application.product == Product::Anonymized {
        return Err(FollowRefused::Anonymized.into());
    }
    let earlier = before(on, id, application.project, this.at).await?;
    let earlier = earlier.ok_or(FollowRefused::NothingBefore)?;
    let (was, persons_before) = again(on, earlier).await?;
    let (is, _) = again(on, id).await?;
    let continued = was.intersection(&is).count() as u64;
    let mut tx = on.log.begin().await?;
    let found = Continuity {
        earlier,
        at: tx.now(),
        persons_before,
        stopped: persons_before.saturating_sub(was.len() as u64),
        continued,
        left: was.len() as u64 - continued,
        added: is.len() as u64 - continued,
    };
    sqlx::query("DELETE FROM journeys_continuity WHERE dataset = $1")
        .bind(id.to_string())
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "INSERT INTO journeys_continuity (dataset, earlier, at, persons_before, stopped, continued, left_out, added) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(earlier.to_string())
    .bind(found.at.to_string())
    .bind(found.persons_before as i64)
    .bind(found.stopped as i64)
    .bind(found.continued as i64)
    .bind(found.left as i64)
    .bind(found.added as i64)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "dataset.followed",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("pseudonymized.provision").ok(),
        body: json!({
            "earlier": earlier.to_string(),
            "before": found.persons_before,
            "stopped": found.stopped,
            "continued": found.continued,
            "left": found.left,
            "added": found.added,
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(found)
}

/// What is on record of a dataset that the actor may see.
///
/// # Errors
/// There is no such dataset for the actor, or the database failed.
pub async fn continuity(
    on: &Deployment,
    actor: &Actor,
    id: DatasetId,
) -> Result<Option<Continuity>, Error> {
    dataset(on, actor, id).await?;
    let row = sqlx::query(
        "SELECT earlier, at, persons_before, stopped, continued, left_out, added FROM journeys_continuity \
         WHERE dataset = $1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *on.reader().await?)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let damaged = || Error::Unknown { what: "continuity" };
    let count = |i: usize| -> Result<u64, Error> {
        u64::try_from(row.try_get::<i64, _>(i)?).map_err(|_| damaged())
    };
    Ok(Some(Continuity {
        earlier: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
        at: row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
        persons_before: count(2)?,
        stopped: count(3)?,
        continued: count(4)?,
        left: count(5)?,
        added: count(6)?,
    }))
}
