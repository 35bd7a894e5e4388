//! Before a dataset is released: does it join with what was approved before it?
//!
//! Earlier datasets are recorded as manifests, so each is run again over its own snapshot for the comparison: one
//! production per earlier dataset. Datasets of one project line share their pseudonyms on purpose and are not compared.

use kiban_audit::{Event, Tx};
use kiban_deid::{joins, report::JoinFigures};
use kiban_govern::Permit;
use kiban_kernel::{Id, LawKey, Product, kinds};
use kiban_release::Manifest;
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{
    Deployment, Error,
    produce_dataset::{self, Basis},
    rebuild_dataset::recorded,
    run_dataset::{Content, Stand, run_unmeasured},
};

/// A comparison with one earlier dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The dataset approved earlier.
    pub other: Id<kinds::Dataset>,
    /// What came of it.
    pub figures: JoinFigures,
}

impl Joined {
    /// Why the dataset must not be released, if so.
    fn reason_ja(&self) -> Option<String> {
        let other = self.other;
        self.figures
            .exceeded
            .then(|| format!("データセット {other} との結合：{}", self.figures.verdict_ja))
    }
}

/// Compares the content of a dataset with the approved ones, again too: the content may be new.
pub(crate) async fn compare(
    on: &Deployment,
    basis: &Basis,
    content: &Content,
) -> Result<Vec<Joined>, Error> {
    let mut conn = on.reader().await?;
    let others = open(on, &mut conn, basis, false).await?;
    drop(conn);
    compare_with(on, basis, content, others).await
}

async fn compare_with(
    on: &Deployment,
    basis: &Basis,
    content: &Content,
    others: Vec<Manifest>,
) -> Result<Vec<Joined>, Error> {
    let rule = basis.spec.document().joins.clone().unwrap_or_default();
    let mut joined = Vec::new();
    for other in others {
        let (manifest, earlier) = recorded(on, other.dataset).await?;
        let stand = Stand::recorded(&manifest);
        let (earlier, _) = Box::pin(run_unmeasured(on, &earlier, &stand)).await?;
        let figures = joins::compare(content.produced(), earlier.produced(), &rule)?;
        joined.push(Joined { other: other.dataset, figures });
    }
    Ok(joined)
}

/// Approved datasets of another domain, the latest first, as many as the specification asks for. With `fresh_only`,
/// those alone that the dataset was not compared with.
async fn open(
    on: &Deployment,
    conn: &mut AnyConnection,
    basis: &Basis,
    fresh_only: bool,
) -> Result<Vec<Manifest>, Error> {
    let latest = basis.spec.document().joins.as_ref().and_then(|j| j.latest);
    let mut others = Vec::new();
    for id in kiban_release::approved_datasets(conn).await? {
        if latest.is_some_and(|n| others.len() as u64 >= u64::from(n)) {
            break;
        }
        let note = kiban_release::manifest_note(conn, id).await?;
        let other = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
        let one_line = other.product == Product::Pseudonymized
            && basis.application.product == Product::Pseudonymized
            && other.project == basis.application.project;
        if id != basis.dataset && !one_line {
            others.push(other);
        }
    }
    if fresh_only {
        let compared: Vec<String> =
            sqlx::query_scalar("SELECT other FROM journeys_joins WHERE dataset = $1")
                .bind(basis.dataset.to_string())
                .fetch_all(&mut *conn)
                .await?;
        others.retain(|other| !compared.contains(&other.dataset.to_string()));
    }
    Ok(others)
}

/// Puts comparisons on record. Gives the reasons against the release.
pub(crate) async fn record(
    tx: &mut Tx,
    dataset: Id<kinds::Dataset>,
    joined: &[Joined],
) -> Result<Vec<String>, Error> {
    let at = tx.now().to_string();
    for one in joined {
        let figures = serde_json::to_string(&one.figures)
            .map_err(|_| Error::Unknown { what: "comparison" })?;
        sqlx::query(
            "INSERT INTO journeys_joins (dataset, other, at, figures, exceeded) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (dataset, other) DO UPDATE SET \
             at = excluded.at, figures = excluded.figures, exceeded = excluded.exceeded",
        )
        .bind(dataset.to_string())
        .bind(one.other.to_string())
        .bind(at.clone())
        .bind(figures)
        .bind(i64::from(one.figures.exceeded))
        .execute(tx.conn())
        .await?;
    }
    Ok(joined.iter().filter_map(Joined::reason_ja).collect())
}

/// What was approved since a dataset was made is compared with before the dataset is approved itself.
pub(crate) async fn complete(
    on: &Deployment,
    permit: &Permit,
    dataset: Id<kinds::Dataset>,
) -> Result<(), Error> {
    let (manifest, basis) = recorded(on, dataset).await?;
    let mut conn = on.reader().await?;
    let others = open(on, &mut conn, &basis, true).await?;
    drop(conn);
    if others.is_empty() {
        return Ok(());
    }
    let stand = Stand::recorded(&manifest);
    let (content, _) = run_unmeasured(on, &basis, &stand).await?;
    let joined = compare_with(on, &basis, &content, others).await?;
    let mut tx = on.log.begin().await?;
    let reasons = record(&mut tx, dataset, &joined).await?;
    if !reasons.is_empty() {
        produce_dataset::mark_risk(&mut tx, dataset, &reasons).await?;
    }
    let event = Event {
        kind: "dataset.joins_compared",
        actor: permit.actor(),
        subject: dataset.to_string(),
        law: LawKey::new(produce_dataset::law(manifest.product)).ok(),
        body: json!({ "compared": joined.len(), "over_limits": reasons.len() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The comparisons of a dataset on record, by the id of the other one.
///
/// # Errors
/// Database or disk failed, or a row is damaged.
pub async fn joins_of(on: &Deployment, dataset: Id<kinds::Dataset>) -> Result<Vec<Joined>, Error> {
    let damaged = || Error::Unknown { what: "comparison" };
    let mut conn = on.reader().await?;
    let rows =
        sqlx::query("SELECT other, figures FROM journeys_joins WHERE dataset = $1 ORDER BY other")
            .bind(dataset.to_string())
            .fetch_all(&mut *conn)
            .await?;
    let mut joined = Vec::with_capacity(rows.len());
    for row in rows {
        let other: String = row.try_get(0)?;
        let figures: String = row.try_get(1)?;
        joined.push(Joined {
            other: other.parse().map_err(|_| damaged())?,
            figures: serde_json::from_str(&figures).map_err(|_| damaged())?,
        });
    }
    Ok(joined)
}
