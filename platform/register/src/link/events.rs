//! What became of persons in one run: created, joined, merged, split, moved, erased. The events of all runs, replayed,
//! give the links of now.
//!
//! An erased source goes out of the events before, too ([`forget`]): they then tell that somebody's record went, and how
//! many, but not which.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Id, Timestamp, kinds};
use sqlx::AnyConnection;

use super::{PersonLink, read::Before};
use crate::store::{StoreError, int, maybe_parsed, parsed, text};

type Source = Id<kinds::PersonSource>;
type Person = Id<kinds::Person>;
const TABLE: &str = "register_link_event";
/// Rows written by one statement.
const PER_INSERT: usize = 500;

/// What happened to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkChange {
    /// A new person, of sources that were not there before.
    Created,
    /// New sources of a person.
    Joined,
    /// A person ended; its sources are of another.
    Merged,
    /// Sources of a person are of a new one.
    Split,
    /// Sources went from one person to another.
    Moved,
    /// Sources of a person are gone.
    Erased,
}

impl LinkChange {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Joined, Self::Merged, Self::Split, Self::Moved, Self::Erased];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined => "joined",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::Moved => "moved",
            Self::Erased => "erased",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Created => "新規",
            Self::Joined => "追加",
            Self::Merged => "統合",
            Self::Split => "分割",
            Self::Moved => "移動",
            Self::Erased => "消去",
        }
    }
    /// Does it change what was one person before? Then datasets made before are touched.
    pub fn regroups(self) -> bool {
        matches!(self, Self::Merged | Self::Split | Self::Moved)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEvent {
    /// What happened.
    pub change: LinkChange,
    /// Who has the sources afterwards; of an erasure, who had them.
    pub person: Person,
    /// Who had them before, if somebody else.
    pub from: Option<Person>,
    /// The sources, sorted; of an erasure none is named.
    pub sources: Vec<Source>,
    /// How many they were when it happened.
    pub count: u64,
}

/// The events between two states of the links.
pub(super) fn between(before: &BTreeMap<Source, Before>, now: &[PersonLink]) -> Vec<LinkEvent> {
    let was: BTreeSet<Person> = before.values().map(|b| b.link.person).collect();
    let is: BTreeSet<Person> = now.iter().map(|l| l.person).collect();
    let mut grouped: BTreeMap<(LinkChange, Person, Option<Person>), Vec<Source>> = BTreeMap::new();
    for link in now {
        let (change, from) = match before.get(&link.person_source).map(|b| b.link.person) {
            None if was.contains(&link.person) => (LinkChange::Joined, None),
            None => (LinkChange::Created, None),
            Some(old) if old == link.person => continue,
            Some(old) if !is.contains(&old) => (LinkChange::Merged, Some(old)),
            Some(old) if !was.contains(&link.person) => (LinkChange::Split, Some(old)),
            Some(old) => (LinkChange::Moved, Some(old)),
        };
        grouped.entry((change, link.person, from)).or_default().push(link.person_source);
    }
    let there: BTreeSet<Source> = now.iter().map(|l| l.person_source).collect();
    let mut events: Vec<LinkEvent> = grouped
        .into_iter()
        .map(|((change, person, from), mut sources)| {
            sources.sort_unstable();
            LinkEvent { change, person, from, count: sources.len() as u64, sources }
        })
        .collect();
    let mut gone: BTreeMap<Person, u64> = BTreeMap::new();
    for (_, b) in before.iter().filter(|(source, _)| !there.contains(*source)) {
        *gone.entry(b.link.person).or_default() += 1;
    }
    events.extend(gone.into_iter().map(|(person, count)| LinkEvent {
        change: LinkChange::Erased,
        person,
        from: None,
        sources: Vec::new(),
        count,
    }));
    events
}

/// Puts the events of a run on the log of persons; returns its step.
///
/// # Errors
/// The database failed.
pub async fn record(
    conn: &mut AnyConnection,
    at: Timestamp,
    events: &[LinkEvent],
) -> Result<u64, StoreError> {
    let next = "SELECT COALESCE(MAX(step), 0) + 1 AS step FROM register_link_event";
    let step = int(&sqlx::query(next).fetch_one(&mut *conn).await?, TABLE, "step")?;
    let numbered: Vec<(i64, &LinkEvent)> = (1_i64..).zip(events).collect();
    for part in numbered.chunks(PER_INSERT) {
        let mut insert = sqlx::QueryBuilder::<sqlx::Any>::new(
            "INSERT INTO register_link_event (step, no, at, change, person, from_person, sources) ",
        );
        insert.push_values(part, |mut row, (no, event)| {
            row.push_bind(step)
                .push_bind(*no)
                .push_bind(at.to_string())
                .push_bind(event.change.as_str())
                .push_bind(event.person.to_string())
                .push_bind(event.from.map(|p| p.to_string()))
                .push_bind(event.count as i64);
        });
        insert.build().execute(&mut *conn).await?;
    }
    let members: Vec<(i64, Source)> =
        numbered.iter().flat_map(|(no, e)| e.sources.iter().map(|s| (*no, *s))).collect();
    for part in members.chunks(PER_INSERT) {
        let mut insert = sqlx::QueryBuilder::<sqlx::Any>::new(
            "INSERT INTO register_link_member (step, no, person_source) ",
        );
        insert.push_values(part, |mut row, (no, source)| {
            row.push_bind(step).push_bind(*no).push_bind(source.to_string());
        });
        insert.build().execute(&mut *conn).await?;
    }
    Ok(step.unsigned_abs())
}

/// An event with its step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLinkEvent {
    /// Step of the log: one run.
    pub step: u64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub event: LinkEvent,
}

/// The log of persons from a step on, oldest first.
///
/// # Errors
/// The database failed.
pub async fn since(
    conn: &mut AnyConnection,
    step: u64,
) -> Result<Vec<StoredLinkEvent>, StoreError> {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let members = sqlx::query(
        "SELECT step, no, person_source FROM register_link_member WHERE step >= $1 ORDER BY step, no, person_source",
    )
    .bind(step)
    .fetch_all(&mut *conn)
    .await?;
    let mut of: BTreeMap<(i64, i64), Vec<Source>> = BTreeMap::new();
    for row in &members {
        let key = (int(row, TABLE, "step")?, int(row, TABLE, "no")?);
        of.entry(key).or_default().push(parsed(row, TABLE, "person_source")?);
    }
    let rows = sqlx::query(
        "SELECT step, no, at, change, person, from_person, sources FROM register_link_event \
         WHERE step >= $1 ORDER BY step, no",
    )
    .bind(step)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let change = text(row, TABLE, "change")?;
            let key = (int(row, TABLE, "step")?, int(row, TABLE, "no")?);
            Ok(StoredLinkEvent {
                step: key.0.unsigned_abs(),
                at: parsed(row, TABLE, "at")?,
                event: LinkEvent {
                    change: LinkChange::ALL
                        .into_iter()
                        .find(|c| c.as_str() == change)
                        .ok_or(StoreError::Malformed { table: TABLE, column: "change" })?,
                    person: parsed(row, TABLE, "person")?,
                    from: maybe_parsed(row, TABLE, "from_person")?,
                    sources: of.remove(&key).unwrap_or_default(),
                    count: int(row, TABLE, "sources")?.unsigned_abs(),
                },
            })
        })
        .collect()
}

/// The links that a log gives when it is replayed from its beginning. Erased sources are in no event any more.
pub fn replay(log: &[StoredLinkEvent]) -> BTreeMap<Source, Person> {
    let mut links = BTreeMap::new();
    for stored in log {
        for source in &stored.event.sources {
            links.insert(*source, stored.event.person);
        }
    }
    links
}

/// Takes the names of erased sources out of the log; how many there were.
///
/// # Errors
/// The database failed.
pub async fn forget(conn: &mut AnyConnection, sources: &[Source]) -> Result<u64, StoreError> {
    let mut gone = 0;
    for source in sources {
        gone += sqlx::query("DELETE FROM register_link_member WHERE person_source = $1")
            .bind(source.to_string())
            .execute(&mut *conn)
            .await?
            .rows_affected();
    }
    Ok(gone)
}
