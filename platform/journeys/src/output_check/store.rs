//! SQL of outputs.

use std::collections::{BTreeMap, btree_map::Entry};

use kiban_govern::{
    Actor,
    output_check::{CHECKERS, State, Verdict},
};
use kiban_kernel::{Id, kinds};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Output, OutputVersion, OutputVote};
use crate::Error;

fn damaged() -> Error {
    Error::Unknown { what: "output" }
}

fn text(row: &AnyRow, i: usize) -> Result<String, Error> {
    Ok(row.try_get(i)?)
}

fn number(row: &AnyRow, i: usize) -> Result<u64, Error> {
    u64::try_from(row.try_get::<i64, _>(i)?).map_err(|_| damaged())
}

type OfVersion = (String, u64);

async fn votes(conn: &mut AnyConnection) -> Result<BTreeMap<OfVersion, Vec<OutputVote>>, Error> {
    let rows = sqlx::query(
        "SELECT output, no, seat, at, account, verdict, reason FROM journeys_output_vote ORDER BY output, no, seat",
    )
    .fetch_all(conn)
    .await?;
    let mut out: BTreeMap<OfVersion, Vec<OutputVote>> = BTreeMap::new();
    for row in &rows {
        out.entry((text(row, 0)?, number(row, 1)?)).or_default().push(OutputVote {
            seat: number(row, 2)?,
            at: text(row, 3)?.parse().map_err(|_| damaged())?,
            account: text(row, 4)?.parse().map_err(|_| damaged())?,
            verdict: Verdict::named(&text(row, 5)?).ok_or_else(damaged)?,
            reason: text(row, 6)?,
        });
    }
    Ok(out)
}

/// All outputs with all votes, the newest first.
pub(super) async fn all(conn: &mut AnyConnection) -> Result<Vec<Output>, Error> {
    let mut votes = votes(conn).await?;
    let rows = sqlx::query(
        "SELECT output, no, at, account, file, name, size, digest, context, exception, marks \
         FROM journeys_output_version ORDER BY output, no",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut versions: BTreeMap<String, Vec<OutputVersion>> = BTreeMap::new();
    for row in &rows {
        let (output, no) = (text(row, 0)?, number(row, 1)?);
        let votes = votes.remove(&(output.clone(), no)).unwrap_or_default();
        versions.entry(output).or_default().push(OutputVersion {
            no,
            at: text(row, 2)?.parse().map_err(|_| damaged())?,
            account: text(row, 3)?.parse().map_err(|_| damaged())?,
            file: text(row, 4)?,
            name: text(row, 5)?,
            size: number(row, 6)?,
            digest: text(row, 7)?.parse().map_err(|_| damaged())?,
            context: text(row, 8)?,
            exception: text(row, 9)?,
            marks: serde_json::from_str(&text(row, 10)?).map_err(|_| damaged())?,
            given: votes.len(),
            votes,
        });
    }
    let rows = sqlx::query(
        "SELECT id, dataset, organization, title, state, asked_at, turned_at FROM journeys_output \
         ORDER BY asked_at DESC, id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut projects: BTreeMap<Id<kinds::Dataset>, String> = BTreeMap::new();
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = text(row, 0)?;
        let dataset = text(row, 1)?.parse().map_err(|_| damaged())?;
        if let Entry::Vacant(vacant) = projects.entry(dataset) {
            let row = kiban_deliver::delivery(conn, dataset).await?.ok_or_else(damaged)?;
            let (_, content) = kiban_release::content(conn, row.application).await?;
            vacant.insert(content.title);
        }
        out.push(Output {
            dataset,
            project: projects.get(&dataset).cloned().unwrap_or_default(),
            organization: text(row, 2)?.parse().map_err(|_| damaged())?,
            title: text(row, 3)?,
            state: State::named(&text(row, 4)?).ok_or_else(damaged)?,
            asked_at: text(row, 5)?.parse().map_err(|_| damaged())?,
            turned_at: text(row, 6)?.parse().map_err(|_| damaged())?,
            versions: versions.remove(&id).ok_or_else(damaged)?,
            id: id.parse().map_err(|_| damaged())?,
        });
    }
    Ok(out)
}

/// Takes away what a reader may not know yet: others' votes on a version that not both have voted on.
pub(super) fn blind(outputs: &mut [Output], reader: &Actor) {
    for version in outputs.iter_mut().flat_map(|o| &mut o.versions) {
        if version.votes.len() < CHECKERS {
            version.votes.retain(|v| v.account == reader.account);
        }
    }
}
