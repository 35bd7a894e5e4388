//! Link person records over holders and make the links visible.

use kiban_audit::{Event, Tx};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, kinds};
use kiban_register::{
    RegisterKeys, correction,
    link::{self, Candidate, Constraint, LinkEvent, LinkReport, StoredLinkEvent, events},
};
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error, corrections, link_memory::Store, link_review};

/// Link the newest snapshot by exact keys, the linker, and what is known from outside; links that did not change make no
/// new one. Pairs of which it is not sure wait for readers.
///
/// # Errors
/// The actor may not, or the lake or log failed.
pub async fn link_persons(on: &Deployment, actor: &Actor) -> Result<LinkReport, Error> {
    let permit = permit(actor, Act::LinkPersons)?;
    let keys = on.register_keys().await?;
    let store = Store::of(on);
    loop {
        let constraints = constraints(on).await?;
        let (prepared, memory) =
            link::prepare_with(&on.lake, &keys, &constraints, store.read()).await?;
        on.world.steps.step("journeys.links_prepared");
        let report = prepared.report.clone();
        let (candidates, changes) = (prepared.candidates.clone(), prepared.events.clone());
        let queue = link_review::differs(on, &candidates).await?;
        if !prepared.changed() && changes.is_empty() && !queue {
            store.write(&memory)?;
            return Ok(report);
        }
        let touched = touched(on, &changes).await?;
        let mut tx = on.log.begin().await?;
        match prepared.commit(&on.lake, &mut tx).await {
            Ok(_) => {}
            // Somebody delivered in between: once more over the new snapshot.
            Err(link::LinkError::Stale) => continue,
            Err(e) => return Err(e.into()),
        }
        let waiting = put_down(on, &mut tx, &changes, &touched, &candidates).await?;
        let event = Event {
            kind: "person.linked",
            actor: permit.actor(),
            subject: permit.actor().organization.to_string(),
            law: None,
            body: json!({ "events": changes.len(), "remake": touched.len(), "waiting": waiting }),
        };
        let _ = tx.commit(event).await?;
        store.write(&memory)?;
        return Ok(report);
    }
}

/// What is known from outside: corrections of holders, answers of the history, what readers decided. Of one pair the
/// last of these three counts.
async fn constraints(on: &Deployment) -> Result<Vec<Constraint>, Error> {
    let mut conn = on.reader().await?;
    let mut all = std::collections::BTreeMap::new();
    let told = correction::constraints(&mut conn).await?;
    let history = link::history_constraints(&mut conn).await?;
    let decided = link_review::decided(&mut conn).await?;
    for c in told.into_iter().chain(history).chain(decided) {
        all.insert((c.doubtful.min(c.other), c.doubtful.max(c.other)), c);
    }
    Ok(all.into_values().collect())
}

/// Datasets that hold rows of sources which changed persons.
async fn touched(
    on: &Deployment,
    changes: &[LinkEvent],
) -> Result<Vec<(Id<kinds::Dataset>, u64)>, Error> {
    let mut persons: Vec<Id<kinds::PersonSource>> = changes
        .iter()
        .filter(|e| e.change.regroups())
        .flat_map(|e| e.sources.iter().copied())
        .collect();
    persons.sort_unstable();
    persons.dedup();
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    corrections::touched(on, &mut *on.reader().await?, &persons).await
}

async fn put_down(
    on: &Deployment,
    tx: &mut Tx,
    changes: &[LinkEvent],
    touched: &[(Id<kinds::Dataset>, u64)],
    candidates: &[Candidate],
) -> Result<u64, Error> {
    if !changes.is_empty() {
        let at = tx.now();
        let step = events::record(tx.conn(), at, changes).await?;
        for (dataset, rows) in touched {
            sqlx::query(
                "INSERT INTO journeys_link_dataset (step, dataset, rows) VALUES ($1, $2, $3)",
            )
            .bind(i64::try_from(step).unwrap_or(i64::MAX))
            .bind(dataset.to_string())
            .bind(i64::try_from(*rows).unwrap_or(i64::MAX))
            .execute(tx.conn())
            .await?;
        }
    }
    link_review::refill(on, tx, candidates).await
}

/// The log of persons from a step on.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn link_log(
    on: &Deployment,
    actor: &Actor,
    since: u64,
) -> Result<Vec<StoredLinkEvent>, Error> {
    permit(actor, Act::SeeLinks)?;
    Ok(events::since(&mut *on.reader().await?, since).await?)
}

/// A dataset that a change of persons touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remake {
    /// Step of the log of persons.
    pub step: u64,
    /// The dataset.
    pub dataset: Id<kinds::Dataset>,
    /// Rows of the sources that changed persons.
    pub rows: u64,
}

/// Datasets to be made anew (要再作成) because persons in them were merged, split or moved since.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn datasets_to_remake(on: &Deployment, actor: &Actor) -> Result<Vec<Remake>, Error> {
    permit(actor, Act::SeeLinks)?;
    let rows =
        sqlx::query("SELECT step, dataset, rows FROM journeys_link_dataset ORDER BY step, dataset")
            .fetch_all(&mut *on.reader().await?)
            .await?;
    rows.iter()
        .map(|row| {
            let dataset: String = row.try_get(1)?;
            Ok(Remake {
                step: row.try_get::<i64, _>(0)?.unsigned_abs(),
                dataset: dataset.parse().map_err(|_| Error::Unknown { what: "dataset" })?,
                rows: row.try_get::<i64, _>(2)?.unsigned_abs(),
            })
        })
        .collect()
}

impl Deployment {
    /// The register's keys; made in a transaction of their own on first use.
    pub(crate) async fn register_keys(&self) -> Result<RegisterKeys, Error> {
        let mut conn = self.reader().await?;
        Ok(RegisterKeys::load(&mut conn, self.lake.ring()).await?)
    }
}
