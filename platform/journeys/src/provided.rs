//! The public answer to: who gave, for what, which projects used it.
//!
//! Of every project that the producer decided to provide for: its purpose in the applicant's words, the years of the data,
//! and the holders whose records went into the datasets that were handed over. Counts of persons are not told.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use kiban_kernel::{Bases, Date, Id, Timestamp, kinds};
use kiban_lake::Snapshot;
use kiban_release::{Manifest, application::Step};
use sqlx::Row as _;

use crate::{Deployment, Error};

/// A project of the public list with what it used.
#[derive(Debug, Clone)]
pub struct ProvidedBy {
    /// Its place in the public list ([`crate::Project::number`]).
    pub number: usize,
    /// Title.
    pub title: String,
    /// What for, in the applicant's words.
    pub purpose: String,
    /// First and last day of the data asked for.
    pub period: (Date, Date),
    /// Datasets handed over so far.
    pub datasets: u64,
    /// Holders whose records were in them, by name; none before the first is handed over.
    pub holders: Vec<String>,
}

/// What the answer of [`provided_by`] depends on: the newest snapshot, decided projects, deliveries to users.
///
/// # Errors
/// Lake or database failed.
pub async fn provided_stand(on: &Deployment) -> Result<(u64, u64, u64), Error> {
    let delivered: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM deliver_delivery")
        .fetch_one(&mut *on.reader().await?)
        .await?;
    let projects = crate::projects(on).await?.len() as u64;
    Ok((on.lake.head().await?.0, projects, delivered.unsigned_abs()))
}

/// Every project ever decided to be provided for, in the order of decision, with who gave. Reads the persons of each
/// snapshot that a dataset was made of, once, a file at a time: keep the answer for a while.
///
/// # Errors
/// Lake or database failed.
/// # Law
/// `committee`
pub async fn provided_by(on: &Deployment) -> Result<Vec<ProvidedBy>, Error> {
    let names: BTreeMap<String, String> =
        crate::organizations(on).await?.into_iter().map(|o| (o.id.to_string(), o.name)).collect();
    let mut datasets: BTreeMap<String, Vec<Id<kinds::Dataset>>> = BTreeMap::new();
    let mut conn = on.reader().await?;
    for row in sqlx::query(
        "SELECT r.application, r.dataset FROM release_dataset r \
         JOIN deliver_delivery d ON d.dataset = r.dataset ORDER BY r.dataset",
    )
    .fetch_all(&mut *conn)
    .await?
    {
        let id: String = row.try_get(1)?;
        let id = id.parse().map_err(|_| Error::Unknown { what: "dataset" })?;
        let of = datasets.entry(row.try_get(0)?).or_default();
        if of.last() != Some(&id) {
            of.push(id);
        }
    }
    let mut known: BTreeMap<(u64, u8), BTreeSet<String>> = BTreeMap::new();
    let mut out: Vec<(Timestamp, ProvidedBy)> = Vec::new();
    for application in kiban_release::applications(&mut conn).await? {
        let head = on.head_of(application).await?;
        let accepted = head.steps.iter().find(|t| matches!(t.step, Step::Accept { .. }));
        let Some(accepted) = accepted else { continue };
        let made = datasets.remove(&application.to_string()).unwrap_or_default();
        let mut holders = BTreeSet::new();
        for dataset in &made {
            let note = kiban_release::manifest_note(&mut conn, *dataset).await?;
            let manifest = Manifest::open(&note, &[on.signer.verify_key().clone()])?;
            let bit = Bases::NONE.with(manifest.product.regime()).bits();
            let key = (manifest.snapshot, bit);
            let gave = match known.entry(key) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(new) => {
                    new.insert(givers(on, Snapshot(manifest.snapshot), bit).await?)
                }
            };
            holders.extend(gave.iter().filter_map(|h| names.get(h).cloned()));
        }
        out.push((
            accepted.at,
            ProvidedBy {
                number: 0,
                title: head.content.title.clone(),
                purpose: head.content.purpose.clone(),
                period: (head.content.data_from, head.content.data_until),
                datasets: made.len() as u64,
                holders: holders.into_iter().collect(),
            },
        ));
    }
    out.sort_by_key(|(at, _)| *at);
    Ok(out
        .into_iter()
        .enumerate()
        .map(|(i, (_, one))| ProvidedBy { number: i + 1, ..one })
        .collect())
}

/// Holders with a person who was cleared under a regime at a snapshot.
async fn givers(on: &Deployment, at: Snapshot, bit: u8) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for file in on.lake.files("person", at).await? {
        for batch in on.lake.read_files(vec![file]).await? {
            let bases = batch
                .column_by_name("bases")
                .and_then(|c| c.as_primitive_opt::<UInt8Type>())
                .ok_or(Error::Unknown { what: "bases" })?;
            let holders = batch
                .column_by_name("holder")
                .and_then(|c| c.as_string_opt::<i32>())
                .ok_or(Error::Unknown { what: "holder" })?;
            for (bases, holder) in bases.iter().zip(holders.iter()) {
                if let (Some(bases), Some(holder)) = (bases, holder)
                    && bases & bit != 0
                    && !found.contains(holder)
                {
                    found.insert(holder.to_owned());
                }
            }
        }
    }
    Ok(found)
}
