//! What two versions of a set say differently, and how much of the data that is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Key, Mapping, MappingSet, Meaning};

/// A local code means something else over a run of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The local code.
    pub key: Key,
    /// First day.
    pub from: Date,
    /// Last day; `None` = open.
    pub until: Option<Date>,
    /// What it meant.
    pub before: Option<Meaning>,
    /// What it means.
    pub after: Option<Meaning>,
}

impl Change {
    fn covers_some(&self, days: (Date, Date)) -> bool {
        self.from <= days.1 && self.until.is_none_or(|until| days.0 <= until)
    }
}

/// Persons of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persons {
    /// How many.
    Number(u64),
    /// Which, by numbers of the caller that mean nothing outside; the union over local codes is then exact.
    Set(BTreeSet<u64>),
}

impl Persons {
    fn number(&self) -> u64 {
        match self {
            Self::Number(n) => *n,
            Self::Set(set) => set.len() as u64,
        }
    }
}

/// How much of the data has a local code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The local code.
    pub key: Key,
    /// First and last day of these rows; `None` = any day. With counts by month a change of part of the time is counted
    /// closely.
    pub days: Option<(Date, Date)>,
    /// Rows.
    pub rows: u64,
    /// Persons.
    pub persons: Persons,
}

/// What a change of mappings changes in the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The changes.
    pub changes: Vec<Change>,
    /// Rows whose meaning changes (rows of counts that touch a changed day).
    pub rows: u64,
    /// At least so many persons.
    pub persons_least: u64,
    /// At most so many persons; equal to the least where the counts tell which persons, or where one count is touched.
    pub persons_most: u64,
    /// Rows by what happens: they get a code, lose it, get another one, or only another unit rule.
    pub mapped: u64,
    /// Rows that lose their code.
    pub unmapped: u64,
    /// Rows that get another code.
    pub recoded: u64,
    /// Rows that keep their code and are converted otherwise.
    pub reunited: u64,
    /// Changed local codes for which no count was given.
    pub uncounted: Vec<Key>,
}

/// What differs between two sets, by local code and day; neighbouring runs with the same difference are one.
pub fn changes(before: &MappingSet, after: &MappingSet) -> Vec<Change> {
    let keys: BTreeSet<&Key> =
        before.mappings().iter().chain(after.mappings()).map(|m| &m.key).collect();
    let mut changes = Vec::new();
    for key in keys {
        let signed = |set: &MappingSet| -> Vec<Mapping> {
            set.of(key).filter(|m| m.is_signed()).cloned().collect()
        };
        let (old, new) = (signed(before), signed(after));
        // The days on which anything begins or is over.
        let mut edges: BTreeSet<Date> = BTreeSet::new();
        for mapping in old.iter().chain(&new) {
            edges.insert(mapping.from);
            edges.extend(mapping.until.and_then(|until| until.tomorrow().ok()));
        }
        let edges: Vec<Date> = edges.into_iter().collect();
        let mut run: Option<Change> = None;
        for (at, from) in edges.iter().enumerate() {
            let until = edges.get(at + 1).and_then(|next| next.yesterday().ok());
            let meaning =
                |list: &[Mapping]| list.iter().find(|m| m.covers(*from)).map(|m| m.meaning.clone());
            let (was, is) = (meaning(&old), meaning(&new));
            match &mut run {
                Some(run) if run.before == was && run.after == is => run.until = until,
                _ => {
                    changes.extend(run.take().filter(|c| c.before != c.after));
                    run = Some(Change {
                        key: key.clone(),
                        from: *from,
                        until,
                        before: was,
                        after: is,
                    });
                }
            }
        }
        changes.extend(run.filter(|c| c.before != c.after));
    }
    changes
}

/// What the difference of two sets changes in the data, from counts by local code.
pub fn preview(before: &MappingSet, after: &MappingSet, counts: &[Count]) -> Preview {
    let changes = changes(before, after);
    let mut by_key: BTreeMap<&Key, Vec<&Change>> = BTreeMap::new();
    for change in &changes {
        by_key.entry(&change.key).or_default().push(change);
    }
    let mut preview = Preview {
        rows: 0,
        persons_least: 0,
        persons_most: 0,
        mapped: 0,
        unmapped: 0,
        recoded: 0,
        reunited: 0,
        uncounted: Vec::new(),
        changes: Vec::new(),
    };
    let mut together: BTreeSet<u64> = BTreeSet::new();
    let (mut all_sets, mut sum, mut most) = (true, 0_u64, 0_u64);
    let mut counted: BTreeSet<&Key> = BTreeSet::new();
    for count in counts {
        let Some(of_key) = by_key.get(&count.key) else { continue };
        counted.insert(&count.key);
        let touched = of_key.iter().find(|c| count.days.is_none_or(|days| c.covers_some(days)));
        let Some(change) = touched else { continue };
        preview.rows += count.rows;
        *match (&change.before, &change.after) {
            (None, _) => &mut preview.mapped,
            (_, None) => &mut preview.unmapped,
            (Some(a), Some(b)) if a.code != b.code => &mut preview.recoded,
            _ => &mut preview.reunited,
        } += count.rows;
        match &count.persons {
            Persons::Set(set) => together.extend(set),
            Persons::Number(_) => all_sets = false,
        }
        sum = sum.saturating_add(count.persons.number());
        most = most.max(count.persons.number());
    }
    let exact = together.len() as u64;
    (preview.persons_least, preview.persons_most) =
        if all_sets { (exact, exact) } else { (most.max(exact), sum) };
    preview.uncounted =
        by_key.keys().filter(|key| !counted.contains(*key)).map(|key| (*key).clone()).collect();
    preview.changes = changes;
    preview
}
