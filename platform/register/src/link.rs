//! Who is who over all holders: exact keys and a linker over the lake's person rows, written as `person_link`.
//!
//! Enters: the `person` and `coverage` tables at the newest snapshot, the links of before. Leaves: the
//! table `person_link` anew. A person keeps the oldest member's id; what was created, merged and split is
//! counted in the event. Refuses: to commit over a lake that changed meanwhile.

mod assign;
mod constraint;
pub mod events;
mod graph;
mod history;
mod model;
mod read;
mod side;

use std::collections::{BTreeMap, BTreeSet};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    error::ArrowError,
};
use kiban_audit::Tx;
use kiban_kernel::{Id, kinds};
use kiban_lake::{Lake, LakeError, Snapshot, Staged};
use kiban_linkage::{Edge, Pairs, Strength, exact};

pub use constraint::Constraint;
pub use events::{LinkChange, LinkEvent, StoredLinkEvent};
pub use graph::{Graph, GraphEdge};
pub(crate) use history::members;
pub use history::{HistoryAnswers, answers_of, history_constraints, record_answers, request_of};
pub use kiban_linkage::review::{Group, GroupReport};
pub use kiban_linkage::{Identity, RawIdentity, Sex};
pub use model::{Candidate, FEWEST, LINK_BITS, Memory, Why};
pub use read::identities_of;
pub use side::{Compared, Side, SideMark, SidePiece, compared};

use crate::keys::RegisterKeys;

const TABLE: &str = "person_link";

/// Why persons could not be linked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The lake failed.
    #[error("the lake failed")]
    Lake(#[from] LakeError),
    /// A stored table lacks a column or has another type.
    #[error("column {column} of {table} cannot be read")]
    Column {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// Rows could not be built.
    #[error("rows could not be built")]
    Arrow(#[from] ArrowError),
    /// The linker failed.
    #[error("the linker failed")]
    Model(#[from] kiban_linkage::tool::ToolError),
    /// The linker's thread ended.
    #[error("the linker's thread ended")]
    Thread(#[from] tokio::task::JoinError),
    /// The lake has a newer snapshot than the one that was linked: prepare again.
    #[error("the lake changed since the links were prepared")]
    Stale,
}

impl LinkError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Lake(e) => e.ja(),
            Self::Column { table, column } => {
                format!("表 {table} の列 {column} を読み取れません。")
            }
            Self::Arrow(_) => "名寄せの結果を書き出せません。".to_owned(),
            Self::Model(e) => e.ja(),
            Self::Thread(_) => "名寄せの処理が止まりました。もう一度実行してください。".to_owned(),
            Self::Stale => {
                "名寄せの間に保管庫が更新されました。もう一度実行してください。".to_owned()
            }
        }
    }
}

/// What linking found, in counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct LinkReport {
    /// Person sources (a person as one holder knows him or her).
    pub person_sources: u64,
    /// Persons.
    pub persons: u64,
    /// Persons with records of more than one holder.
    pub across_holders: u64,
    /// Pairs joined, by rule.
    pub pairs: BTreeMap<String, u64>,
    /// Pairs that share a key and were kept apart, by reason.
    pub kept_apart: BTreeMap<String, u64>,
    /// Keys that joined nobody because too many share them.
    pub hot_keys: u64,
    /// Persons that are new.
    pub created: u64,
    /// Person ids that were merged into another.
    pub merged: u64,
    /// Persons split off from another.
    pub split: u64,
}

/// Links of a snapshot, staged and not yet visible.
#[must_use = "links are not visible until they are committed"]
pub struct PreparedLinks {
    base: Snapshot,
    staged: Option<Staged>,
    /// Counts.
    pub report: LinkReport,
    /// What became of persons since the links of before.
    pub events: Vec<LinkEvent>,
    /// Pairs that people should look at, the most telling first; none from [`prepare`].
    pub candidates: Vec<Candidate>,
}

impl PreparedLinks {
    /// Do the links differ from those of before?
    pub fn changed(&self) -> bool {
        self.staged.is_some()
    }

    /// Replace the table in the caller's transaction; leaves the note `link`. Unchanged links make no new
    /// snapshot.
    ///
    /// # Errors
    /// The lake changed since: prepare again. Or the lake failed.
    pub async fn commit(self, lake: &Lake, tx: &mut Tx) -> Result<Snapshot, LinkError> {
        if lake.head().await? != self.base {
            return Err(LinkError::Stale);
        }
        let snapshot = match self.staged {
            Some(staged) => lake.replace(tx, TABLE, vec![staged]).await?,
            None => self.base,
        };
        let report = &self.report;
        tx.note(
            "link",
            serde_json::json!({
                "person_sources": report.person_sources,
                "persons": report.persons,
                "pairs": report.pairs,
                "kept_apart": report.kept_apart,
                "hot_keys": report.hot_keys,
                "created": report.created,
                "merged": report.merged,
                "split": report.split,
            }),
        );
        Ok(snapshot)
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonLink {
    /// A person as one holder knows him or her.
    pub person_source: Id<kinds::PersonSource>,
    /// The person.
    pub person: Id<kinds::Person>,
    /// Snapshot in which the source first took part.
    pub since: i64,
}

/// Link the newest snapshot by exact keys alone, under constraints from outside ([`crate::correction::constraints`]).
/// Reads the whole `person` table; run it outside a transaction.
///
/// # Errors
/// The lake failed, or a table cannot be read.
pub async fn prepare(
    lake: &Lake,
    keys: &RegisterKeys,
    constraints: &[Constraint],
) -> Result<PreparedLinks, LinkError> {
    Ok(go(lake, keys, constraints, None).await?.0)
}

/// As [`prepare`], with the linker beside the exact keys; the memory of next time comes with it.
///
/// # Errors
/// As [`prepare`], or the linker failed.
pub async fn prepare_with(
    lake: &Lake,
    keys: &RegisterKeys,
    constraints: &[Constraint],
    memory: Memory,
) -> Result<(PreparedLinks, Memory), LinkError> {
    go(lake, keys, constraints, Some(memory)).await
}

async fn go(
    lake: &Lake,
    keys: &RegisterKeys,
    constraints: &[Constraint],
    memory: Option<Memory>,
) -> Result<(PreparedLinks, Memory), LinkError> {
    let base = lake.head().await?;
    if base.0 == 0 {
        let report = LinkReport::default();
        let (events, candidates) = (Vec::new(), Vec::new());
        let links = PreparedLinks { base, staged: None, report, events, candidates };
        return Ok((links, memory.unwrap_or_default()));
    }
    let mut sources =
        read::sources(&lake.scan("person", base).await?, &lake.scan("coverage", base).await?)?;
    let (memory, model) = match memory {
        None => (Memory::default(), model::Found::default()),
        Some(memory) => {
            let (ids, rows) = (sources.ids.clone(), std::mem::take(&mut sources.rows));
            tokio::task::spawn_blocking(move || model::link(memory, &ids, &rows)).await??
        }
    };
    let before = read::links(&lake.scan(TABLE, base).await?)?;
    let holders: Vec<u32> = sources.members.iter().map(|m| m.holder).collect();
    let found = constraint::constrained(
        &sources.ids,
        &holders,
        with_model(exact::pairs(&sources.members), &model.edges),
        constraints,
    );
    let assigned = assign::persons(&sources.ids, &found.persons, &before, keys, base.0 as i64 + 1);

    let mut rules: Vec<Option<&'static str>> = vec![None; sources.ids.len()];
    let mut report = LinkReport {
        person_sources: sources.ids.len() as u64,
        persons: found.persons.len() as u64,
        created: assigned.created,
        merged: assigned.merged,
        split: assigned.split,
        hot_keys: found.hot_keys.values().map(|n| u64::from(*n)).sum(),
        ..LinkReport::default()
    };
    for edge in &found.edges {
        *report.pairs.entry(edge.rule.code().to_owned()).or_default() += 1;
        for end in [edge.a, edge.b] {
            let rule = &mut rules[end as usize];
            if rule.is_none() || edge.strength == Strength::Sure {
                *rule = Some(edge.rule.code());
            }
        }
    }
    for kept in &found.kept {
        *report.kept_apart.entry(kept.reason.code().to_owned()).or_default() += 1;
    }
    for person in &found.persons {
        let of: BTreeSet<u32> = person.iter().map(|m| holders[*m as usize]).collect();
        report.across_holders += u64::from(of.len() > 1);
    }

    let unchanged = before.len() == assigned.links.len()
        && assigned.links.iter().zip(&rules).all(|(link, rule)| {
            before.get(&link.person_source).is_some_and(|b| {
                b.link.person == link.person
                    && b.link.since == link.since
                    && b.rule == rule.unwrap_or("alone")
            })
        });
    let staged = if unchanged {
        None
    } else {
        Some(lake.stage(TABLE, vec![batch(&assigned.links, &rules)?]).await?)
    };
    let events = events::between(&before, &assigned.links);
    let mut candidates = model.candidates;
    let told: BTreeSet<(Id<kinds::PersonSource>, Id<kinds::PersonSource>)> =
        constraints.iter().map(|c| (c.doubtful.min(c.other), c.doubtful.max(c.other))).collect();
    candidates.retain(|c| !told.contains(&(c.a.min(c.b), c.a.max(c.b))));
    Ok((PreparedLinks { base, staged, report, events, candidates }, memory))
}

/// Exact pairs, and the model's where no exact key speaks of the two.
fn with_model(mut pairs: Pairs, edges: &[Edge]) -> Pairs {
    let ends = |a: u32, b: u32| (a.min(b), a.max(b));
    let spoken: BTreeSet<(u32, u32)> = pairs
        .edges
        .iter()
        .map(|e| ends(e.a, e.b))
        .chain(pairs.apart.iter().map(|e| ends(e.a, e.b)))
        .collect();
    pairs.edges.extend(edges.iter().filter(|e| !spoken.contains(&ends(e.a, e.b))));
    pairs
}

fn batch(links: &[PersonLink], rules: &[Option<&'static str>]) -> Result<RecordBatch, ArrowError> {
    let text = |f: &dyn Fn(&PersonLink) -> String| -> ArrayRef {
        std::sync::Arc::new(links.iter().map(|l| Some(f(l))).collect::<StringArray>())
    };
    let rules: StringArray = rules.iter().map(|r| Some(r.unwrap_or("alone"))).collect();
    let since: Int64Array = links.iter().map(|l| Some(l.since)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("person_source", text(&|l| l.person_source.to_string()), false),
        ("person", text(&|l| l.person.to_string()), false),
        ("rule", std::sync::Arc::new(rules) as ArrayRef, false),
        ("since", std::sync::Arc::new(since) as ArrayRef, false),
    ])
}

/// The links at a snapshot, by person source.
///
/// # Errors
/// The lake failed, or the table cannot be read.
pub async fn at(
    lake: &Lake,
    at: Snapshot,
) -> Result<BTreeMap<Id<kinds::PersonSource>, Id<kinds::Person>>, LinkError> {
    let links = read::links(&lake.scan(TABLE, at).await?)?;
    Ok(links.into_iter().map(|(source, before)| (source, before.link.person)).collect())
}

/// Every source linked to the same person as `source` at the newest snapshot.
pub(crate) async fn same_person(
    lake: &Lake,
    source: Id<kinds::PersonSource>,
) -> Result<Vec<Id<kinds::PersonSource>>, LakeError> {
    let head = lake.head().await?;
    if head.0 == 0 {
        return Ok(Vec::new());
    }
    let unreadable = |_| LakeError::Catalog { table: "person_link", column: "person" };
    let links = read::links(&lake.scan(TABLE, head).await?).map_err(unreadable)?;
    let Some(person) = links.get(&source).map(|b| b.link.person) else { return Ok(Vec::new()) };
    Ok(links
        .into_values()
        .map(|b| b.link)
        .filter(|l| l.person == person)
        .map(|l| l.person_source)
        .collect())
}
