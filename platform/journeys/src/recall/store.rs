//! SQL of recalls.

use std::collections::BTreeMap;

use sqlx::{Row as _, any::AnyRow};

use super::{CopyOf, CopyProof, CopyTask, Recall};
use crate::{Deployment, Error};

fn damaged() -> Error {
    Error::Unknown { what: "recall" }
}

fn text(row: &AnyRow, i: usize) -> Result<String, Error> {
    Ok(row.try_get(i)?)
}

/// The newest proof of each recall and holder.
async fn proofs(on: &Deployment) -> Result<BTreeMap<(String, String), CopyProof>, Error> {
    let rows = sqlx::query(
        "SELECT recall, organization, file, at, account, method, name, digest, checked_at, accepted, why \
         FROM journeys_recall_proof ORDER BY seq",
    )
    .fetch_all(&mut *on.reader().await?)
    .await?;
    let mut out = BTreeMap::new();
    for row in &rows {
        let checked_at: Option<String> = row.try_get(8)?;
        let accepted: Option<i64> = row.try_get(9)?;
        let why: Option<String> = row.try_get(10)?;
        let checked = match (checked_at, accepted) {
            (Some(at), Some(1)) => Some(Ok(at.parse().map_err(|_| damaged())?)),
            (Some(_), _) => Some(Err(why.unwrap_or_default())),
            (None, _) => None,
        };
        let proof = CopyProof {
            file: text(row, 2)?,
            at: text(row, 3)?.parse().map_err(|_| damaged())?,
            account: text(row, 4)?.parse().map_err(|_| damaged())?,
            method: text(row, 5)?,
            name: text(row, 6)?,
            digest: text(row, 7)?.parse().map_err(|_| damaged())?,
            checked,
        };
        out.insert((text(row, 0)?, text(row, 1)?), proof);
    }
    Ok(out)
}

/// All recalls with all their tasks.
pub(super) async fn all(on: &Deployment) -> Result<Vec<Recall>, Error> {
    let mut proofs = proofs(on).await?;
    let today = on.today();
    let mut conn = on.reader().await?;
    let tasks = sqlx::query(
        "SELECT recall, organization, copy FROM journeys_recall_task ORDER BY recall, copy, organization",
    )
    .fetch_all(&mut *conn)
    .await?;
    let rows = sqlx::query(
        "SELECT id, dataset, at, account, reason, due, closed_at FROM journeys_recall ORDER BY at, id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = text(row, 0)?;
        let dataset = text(row, 1)?.parse().map_err(|_| damaged())?;
        let due = text(row, 5)?.parse().map_err(|_| damaged())?;
        let closed_at: Option<String> = row.try_get(6)?;
        let delivery = kiban_deliver::delivery(&mut conn, dataset).await?.ok_or_else(damaged)?;
        let (_, content) = kiban_release::content(&mut conn, delivery.application).await?;
        let mut of = Vec::new();
        for task in &tasks {
            if text(task, 0)? != id {
                continue;
            }
            let (organization, copy) = (text(task, 1)?, text(task, 2)?);
            let mut task = CopyTask {
                copy: CopyOf::ALL.into_iter().find(|c| c.as_str() == copy).ok_or_else(damaged)?,
                proof: proofs.remove(&(id.clone(), organization.clone())),
                organization: organization.parse().map_err(|_| damaged())?,
                overdue: false,
            };
            task.overdue = !task.done() && today > due;
            of.push(task);
        }
        out.push(Recall {
            dataset,
            title: content.title,
            at: text(row, 2)?.parse().map_err(|_| damaged())?,
            account: text(row, 3)?.parse().map_err(|_| damaged())?,
            reason: text(row, 4)?,
            due,
            closed_at: closed_at.map(|at| at.parse()).transpose().map_err(|_| damaged())?,
            tasks: of,
            id: id.parse().map_err(|_| damaged())?,
        });
    }
    Ok(out)
}
