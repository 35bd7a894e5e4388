//! The list of notices that travels with a delivery, packed: a file of some gigabytes may name millions of persons.
//!
//! Enters: rows, one after the other. Leaves: the rows in their order, and the persons with what each was told. Refuses:
//! nothing; a list of more than 4 GiB of local ids is longer than [`Limits`](crate::Limits) let in.
//!
//! # Memory
//! The local id and 8 bytes for rows of one person that follow each other: what is told is told to many in the same words
//! on the same day, and stands here once.

use std::{collections::HashMap, fmt};

use kiban_kernel::{Date, PartialDate, Regime};

use super::NoticeRow;

/// What a row says of its person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Told {
    /// Regime.
    pub regime: Regime,
    /// Version of the holder's notice.
    pub notice_version: String,
    /// Day of the notice.
    pub notified_on: Date,
    /// How it was given.
    pub channel: String,
    /// Was a guardian notified?
    pub guardian: bool,
    /// Day of death, if the holder knows it.
    pub died_on: Option<PartialDate>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Told({})", self.regime)
    }
}

/// Rows of one person that follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Where the local id ends in the text.
    end: u32,
    /// Which of the lists.
    list: u32,
}

/// The rows of a delivery's `notices.csv`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Notices {
    local_ids: String,
    runs: Vec<Run>,
    /// Every list of rows once.
    lists: Vec<Box<[u32]>>,
    /// Everything that is said, once.
    told: Vec<Told>,
    rows: usize,
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notices({} rows)", self.rows)
    }
}

impl Notices {
    /// Packs rows.
    pub fn of(rows: impl IntoIterator<Item = NoticeRow>) -> Self {
        let mut packing = Packing::default();
        rows.into_iter().for_each(|row| packing.push(row));
        packing.finish()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The local id and the content of each row, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Told)> {
        self.runs().flat_map(|(local_id, list)| self.list(list).map(move |told| (local_id, told)))
    }

    /// Rows of one person that follow each other: the local id, and which of the [`lists`](Self::lists) it is. A person may
    /// come again.
    pub fn runs(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut from = 0;
        self.runs.iter().map(move |run| {
            let local_id = &self.local_ids[from..run.end as usize];
            from = run.end as usize;
            (local_id, run.list as usize)
        })
    }

    /// How many different lists there are.
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    /// What a list says, row by row; nothing if there is no such list.
    pub fn list(&self, list: usize) -> impl Iterator<Item = &Told> {
        let rows = self.lists.get(list).map_or(&[][..], |rows| rows);
        rows.iter().map(|at| &self.told[*at as usize])
    }
}

/// A list being packed.
#[derive(Default)]
pub(super) struct Packing {
    out: Notices,
    /// Of the run that goes on.
    rows: Vec<u32>,
    told: HashMap<Told, u32>,
    lists: HashMap<Box<[u32]>, u32>,
}

impl Packing {
    pub(super) fn push(&mut self, row: NoticeRow) {
        let from = self.out.runs.last().map_or(0, |run| run.end as usize);
        let goes_on = !self.rows.is_empty() && self.out.local_ids[from..] == *row.local_id;
        if !goes_on {
            self.end_run();
            self.out.local_ids.push_str(&row.local_id);
        }
        let told = Told {
            regime: row.regime,
            notice_version: row.notice_version,
            notified_on: row.notified_on,
            channel: row.channel,
            guardian: row.guardian,
            died_on: row.died_on,
        };
        let at = match self.told.get(&told) {
            Some(at) => *at,
            None => {
                let at = self.out.told.len() as u32;
                self.out.told.push(told.clone());
                self.told.insert(told, at);
                at
            }
        };
        self.rows.push(at);
        self.out.rows += 1;
    }

    fn end_run(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let list = match self.lists.get(&*self.rows) {
            Some(list) => *list,
            None => {
                let list = self.out.lists.len() as u32;
                self.out.lists.push(self.rows.as_slice().into());
                self.lists.insert(self.rows.as_slice().into(), list);
                list
            }
        };
        self.out.runs.push(Run { end: self.out.local_ids.len() as u32, list });
        self.rows.clear();
    }

    pub(super) fn finish(mut self) -> Notices {
        self.end_run();
        self.out.runs.shrink_to_fit();
        self.out.local_ids.shrink_to_fit();
        self.out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<NoticeRow>> {
        let day = |n: i8| Date::constant(2026, 4, 1).with().day(n).build().unwrap();
        let row = (0..4_u32, any::<bool>(), 1..3_i8, any::<bool>(), any::<bool>());
        let row = row.prop_map(move |(person, anon, on, guardian, dead)| NoticeRow {
            local_id: "p".repeat(person as usize),
            regime: if anon { Regime::Anon52 } else { Regime::Pseudo57 },
            notice_version: format!("v{on}"),
            notified_on: day(on),
            channel: "post".into(),
            guardian,
            died_on: dead.then(|| day(on).into()),
            returned_on: None,
        });
        proptest::collection::vec(row, 0..40)
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_came(rows in rows()) {
            let packed = Notices::of(rows.clone());
            let back: Vec<NoticeRow> = packed
                .iter()
                .map(|(local_id, told)| NoticeRow {
                    local_id: local_id.to_owned(),
                    regime: told.regime,
                    notice_version: told.notice_version.clone(),
                    notified_on: told.notified_on,
                    channel: told.channel.clone(),
                    guardian: told.guardian,
                    died_on: told.died_on,
                    returned_on: None,
                })
                .collect();
            prop_assert!(back == rows);
            prop_assert_eq!(packed.len(), rows.len());
            let of_runs: usize = packed.runs().map(|(_, list)| packed.list(list).count()).sum();
            prop_assert_eq!(of_runs, rows.len());
        }
    }

    #[test]
    fn what_is_told_alike_stands_once() {
        let told = |n: u32, regime| NoticeRow {
            local_id: format!("{n:05}"),
            regime,
            notice_version: "v1".into(),
            notified_on: Date::constant(2026, 4, 1),
            channel: "post".into(),
            guardian: false,
            died_on: None,
            returned_on: None,
        };
        let packed = Notices::of((0..1000).flat_map(|n| Regime::ALL.map(|r| told(n, r))));
        assert_eq!((packed.len(), packed.lists(), packed.told.len()), (2000, 1, 2));
        assert_eq!((packed.local_ids.len(), packed.runs.len()), (5000, 1000));
        assert_eq!(size_of::<Run>(), 8);
    }
}
