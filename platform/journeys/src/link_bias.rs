//! Whom linkage serves worse, by sex, age, kind of name and holder; and a person drawn. Both name nobody.
//!
//! Recall is counted on pairs known from elsewhere: answers of the insured-number history, and pairs that readers found to
//! be one person. Without any, the model's own expectation stands in, and the report says so.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray as _;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, kinds};
use kiban_register::link::{self, Graph, Group, GroupReport};
use serde::Serialize;

use crate::{Deployment, Error, link_memory::Store, link_review, organizations};

type Source = Id<kinds::PersonSource>;

/// The report by group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkBias {
    /// Records that the linker holds.
    pub records: u64,
    /// Pairs of one person known from elsewhere; zero: recall is what the model expects.
    pub known_pairs: u64,
    /// The groups, the surely weakest first. A group of a holder has the holder's name.
    pub groups: Vec<GroupReport>,
}

/// Pairs known from elsewhere to be one person.
async fn known(on: &Deployment) -> Result<Vec<(Source, Source)>, Error> {
    let mut conn = on.reader().await?;
    let mut pairs = BTreeSet::new();
    for c in link::history_constraints(&mut conn).await? {
        if c.one_person {
            pairs.insert((c.doubtful.min(c.other), c.doubtful.max(c.other)));
        }
    }
    for c in link_review::decided(&mut conn).await? {
        if c.one_person {
            pairs.insert((c.doubtful.min(c.other), c.doubtful.max(c.other)));
        }
    }
    Ok(pairs.into_iter().collect())
}

/// Whom linkage serves worse.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn link_bias(on: &Deployment, actor: &Actor) -> Result<LinkBias, Error> {
    permit(actor, Act::SeeLinks)?;
    let known = known(on).await?;
    let names: BTreeMap<String, String> =
        organizations(on).await?.into_iter().map(|o| (o.id.to_string(), o.name)).collect();
    let (store, pairs) = (Store::of(on), known.clone());
    let (records, mut groups) = tokio::task::spawn_blocking(move || {
        let memory = store.read();
        (memory.records() as u64, memory.bias(&pairs))
    })
    .await
    .map_err(|_| Error::Unknown { what: "linker's memory" })?;
    for group in groups.iter_mut().filter(|g| g.group == Group::Source) {
        if let Some(name) = names.get(&group.value) {
            group.value.clone_from(name);
        }
    }
    let counted = groups.iter().filter(|g| g.group == Group::Sex).map(|g| g.known).sum::<u64>();
    let known_pairs = if counted == 0 { 0 } else { known.len() as u64 };
    Ok(LinkBias { records, known_pairs, groups })
}

/// A person drawn for the review screen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonGraph {
    /// Nodes and edges.
    pub graph: Graph,
    /// Name of the holder of each node.
    pub holders: Vec<String>,
}

/// Draws the person that a source belongs to; a source linked to no other is drawn alone. Names nobody.
///
/// # Errors
/// The actor may not, nothing is known of the source, or lake or database failed.
pub async fn link_graph(
    on: &Deployment,
    actor: &Actor,
    source: Source,
) -> Result<PersonGraph, Error> {
    permit(actor, Act::SeeLinks)?;
    let head = on.lake.head().await?;
    if head.0 == 0 {
        return Err(Error::Unknown { what: "本人" });
    }
    let links = link::at(&on.lake, head).await?;
    let person = links.get(&source).ok_or(Error::Unknown { what: "本人" })?;
    let sources: Vec<Source> =
        links.iter().filter(|(_, p)| *p == person).map(|(s, _)| *s).collect();
    drawn(on, sources).await
}

/// Draws two sources that wait for readers, with the persons they belong to.
///
/// # Errors
/// As [`link_graph`].
pub async fn link_pair_graph(
    on: &Deployment,
    actor: &Actor,
    pair: [Source; 2],
) -> Result<PersonGraph, Error> {
    permit(actor, Act::SeeLinks)?;
    let head = on.lake.head().await?;
    if head.0 == 0 {
        return Err(Error::Unknown { what: "本人" });
    }
    let links = link::at(&on.lake, head).await?;
    let persons: BTreeSet<_> = pair.iter().filter_map(|s| links.get(s)).collect();
    let mut sources: Vec<Source> =
        links.iter().filter(|(_, p)| persons.contains(p)).map(|(s, _)| *s).collect();
    sources.extend(pair);
    drawn(on, sources).await
}

async fn drawn(on: &Deployment, sources: Vec<Source>) -> Result<PersonGraph, Error> {
    let bad = || Error::Unknown { what: "person" };
    let names: BTreeMap<String, String> =
        organizations(on).await?.into_iter().map(|o| (o.id.to_string(), o.name)).collect();
    let mut holder_of: BTreeMap<String, String> = BTreeMap::new();
    let head = on.lake.head().await?;
    for batch in on.lake.scan_persons("person", head, &sources).await? {
        let column = |name: &str| {
            batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(bad)
        };
        let (source, holder) = (column("person_source")?, column("holder")?);
        for row in 0..batch.num_rows() {
            let holder = holder.value(row);
            let name = names.get(holder).map_or(holder, String::as_str);
            holder_of.insert(source.value(row).to_owned(), name.to_owned());
        }
    }
    let store = Store::of(on);
    let graph = tokio::task::spawn_blocking(move || store.read().graph(&sources))
        .await
        .map_err(|_| Error::Unknown { what: "linker's memory" })?;
    let holders = graph
        .nodes
        .iter()
        .map(|s| holder_of.get(&s.to_string()).cloned().unwrap_or_default())
        .collect();
    Ok(PersonGraph { graph, holders })
}
