//! Persons that keep their ids while clusters change, and the log of what became of them.
//!
//! Enters: the log so far and the clusters of now, by record ids. Leaves: a longer log. Nothing else is kept: replaying
//! the log gives the persons, so two who have the same log agree on every id.
//!
//! Who keeps an id: of all pairs of an old person and a new cluster the one with most records in common comes first, at
//! a tie the oldest person, then the cluster with the first record id; each person and each cluster is taken once. A
//! cluster that is left over is a new person; a person that is left over was merged. Ids are numbers in the order of
//! creation and are never used again.
//!
//! A record that is erased goes out of the events before, too: the log then tells that somebody's record went, and how
//! many, but not which.

mod changes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

/// Who somebody is, for good: a number in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub u64);

impl fmt::Display for PersonId {
    /// `P` and ten digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:010}", self.0)
    }
}

/// What happened to a person. `records` are those that changed sides, sorted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A new person, of records that were not there before.
    Created {
        /// The new one.
        person: PersonId,
        /// All its records.
        records: Vec<String>,
    },
    /// New records of a person.
    Joined {
        /// Who.
        person: PersonId,
        /// The new records.
        records: Vec<String>,
    },
    /// A person ended: these records, the most of what it had, are of another.
    Merged {
        /// Who ended.
        from: PersonId,
        /// Who goes on.
        into: PersonId,
        /// The records.
        records: Vec<String>,
    },
    /// Records of a person are of a new one.
    Split {
        /// Who goes on with fewer.
        from: PersonId,
        /// The new one.
        into: PersonId,
        /// The records.
        records: Vec<String>,
    },
    /// Records went from one person to another; both were there before, or the other was made by a split.
    Moved {
        /// Who had them.
        from: PersonId,
        /// Who has them.
        into: PersonId,
        /// The records.
        records: Vec<String>,
    },
    /// Records of a person were erased.
    Erased {
        /// Whose.
        person: PersonId,
        /// How many.
        count: u64,
        /// The person has none left.
        gone: bool,
    },
}

impl fmt::Debug for Event {
    /// Never a record's id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}, {} records)", self.id(), self.person(), self.records().len())
    }
}

impl Event {
    /// Id of the kind.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Joined { .. } => "joined",
            Self::Merged { .. } => "merged",
            Self::Split { .. } => "split",
            Self::Moved { .. } => "moved",
            Self::Erased { .. } => "erased",
        }
    }

    /// One Japanese sentence for whoever reads the log.
    pub fn ja(&self) -> String {
        let n = self.records().len();
        match self {
            Self::Created { person, .. } => format!("{person} を新しく作りました（記録{n}件）。"),
            Self::Joined { person, .. } => format!("{person} に新しい記録{n}件を加えました。"),
            Self::Merged { from, into, .. } => {
                format!("{from} を {into} に統合しました（記録{n}件）。")
            }
            Self::Split { from, into, .. } => {
                format!("{from} から記録{n}件を分け、{into} を作りました。")
            }
            Self::Moved { from, into, .. } => {
                format!("記録{n}件を {from} から {into} に移しました。")
            }
            Self::Erased { person, count, gone } => {
                let rest = if *gone { "残る記録はありません。" } else { "" };
                format!("{person} の記録{count}件を消去しました。{rest}")
            }
        }
    }

    /// The person who has the records afterwards; of an erasure the one who had them.
    pub fn person(&self) -> PersonId {
        match self {
            Self::Created { person, .. }
            | Self::Joined { person, .. }
            | Self::Erased { person, .. } => *person,
            Self::Merged { into, .. } | Self::Split { into, .. } | Self::Moved { into, .. } => {
                *into
            }
        }
    }

    /// The records.
    pub fn records(&self) -> &[String] {
        match self {
            Self::Created { records, .. }
            | Self::Joined { records, .. }
            | Self::Merged { records, .. }
            | Self::Split { records, .. }
            | Self::Moved { records, .. } => records,
            Self::Erased { .. } => &[],
        }
    }

    fn records_mut(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Created { records, .. }
            | Self::Joined { records, .. }
            | Self::Merged { records, .. }
            | Self::Split { records, .. }
            | Self::Moved { records, .. } => Some(records),
            Self::Erased { .. } => None,
        }
    }
}

/// The events of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the caller says of it: a batch, a day, a decision. No value of a record.
    pub note: String,
    /// What happened, sorted.
    pub events: Vec<Event>,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// The number of the next new person, less one.
    pub(crate) created: u64,
    pub(crate) steps: Vec<Step>,
}

/// Why clusters cannot be taken in, or a log is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A record is in two clusters.
    #[error("{count} records stand in more than one cluster")]
    Twice {
        /// How many records.
        count: u64,
    },
    /// An event speaks of a person that was not made, or takes a record from somebody who does not have it.
    #[error("event {event} of step {step} does not follow from those before")]
    Broken {
        /// Which step, from 1.
        step: usize,
        /// Which event of it, from 1.
        event: usize,
    },
}

impl HistoryError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Twice { count } => {
                format!("{count}件の記録が複数の人に含まれています。")
            }
            Self::Broken { step, event } => format!(
                "人の履歴の{step}番目の変更の{event}番目の出来事が、それより前の履歴と合いません。"
            ),
        }
    }
}

/// Persons with their records.
pub type Persons = BTreeMap<PersonId, BTreeSet<String>>;

impl History {
    /// All changes so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The persons that the log tells of.
    ///
    /// # Errors
    /// [`HistoryError::Broken`].
    pub fn persons(&self) -> Result<Persons, HistoryError> {
        let mut out = Persons::new();
        for (record, person) in self.replay()? {
            out.entry(person).or_default().insert(record.to_owned());
        }
        Ok(out)
    }

    /// Of each record its person.
    fn replay(&self) -> Result<HashMap<&str, PersonId>, HistoryError> {
        let mut of: HashMap<&str, PersonId> = HashMap::new();
        for (s, step) in self.steps.iter().enumerate() {
            for (e, event) in step.events.iter().enumerate() {
                let broken = HistoryError::Broken { step: s + 1, event: e + 1 };
                let from = match event {
                    Event::Created { .. } | Event::Joined { .. } => None,
                    Event::Merged { from, .. }
                    | Event::Split { from, .. }
                    | Event::Moved { from, .. } => Some(*from),
                    Event::Erased { .. } => continue,
                };
                let person = event.person();
                if person.0 == 0 || person.0 > self.created {
                    return Err(broken);
                }
                for record in event.records() {
                    if of.insert(record, person) != from {
                        return Err(broken);
                    }
                }
            }
        }
        Ok(of)
    }

    /// The log after a change to these clusters. Their order, and the order inside them, says nothing; empty ones are
    /// no persons. Records that are in no cluster were erased: they go out of the whole log.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn advance(&self, clusters: &[Vec<String>], note: &str) -> Result<Self, HistoryError> {
        let old = self.replay()?;
        let mut clusters: Vec<Vec<&str>> = clusters
            .iter()
            .filter(|c| !c.is_empty())
            .map(|c| {
                let mut records: Vec<&str> = c.iter().map(String::as_str).collect();
                records.sort_unstable();
                records
            })
            .collect();
        clusters.sort_unstable();
        let mut there: HashSet<&str> = HashSet::new();
        let all = clusters.iter().flatten();
        let count = all.filter(|r| !there.insert(*r)).count() as u64;
        if count > 0 {
            return Err(HistoryError::Twice { count });
        }
        let (events, created) = changes::changes(&old, &clusters, self.created);
        let mut out = Self { created, steps: self.steps.clone() };
        if old.keys().any(|r| !there.contains(r)) {
            for event in out.steps.iter_mut().flat_map(|s| &mut s.events) {
                if let Some(records) = event.records_mut() {
                    records.retain(|r| there.contains(r.as_str()));
                }
            }
        }
        out.steps.push(Step { note: note.to_owned(), events });
        Ok(out)
    }
}
