//! Who has days with a known gap: an index by gap, built in blocks of bounded size.

use super::items::{self, Item};
use super::trie::{Trie, holds};
use crate::holdings::{Column, days_fit};
use core::ops::Range;
use rayon::prelude::*;

/// Up to so many records are looked at one by one.
pub(crate) const ONE_BY_ONE: u64 = 8_192;
/// Pairs of days in one block of the index; 12 bytes each.
const BLOCK: u64 = 1 << 25;

/// The released days, and the rule between them and the known ones.
#[derive(Debug)]
pub(crate) struct Days<'a> {
    pub(crate) column: &'a Column,
    pub(crate) trie: &'a Trie,
    /// Most days that all days of a person were moved by.
    pub(crate) shift: i32,
    pub(crate) missing: bool,
    /// Ranks of the records without any day, where those may have had any.
    blank: Vec<u32>,
}

/// What is asked: who, within ranges and with items, has these days?
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    pub(crate) ranges: &'a [Range<u32>],
    pub(crate) items: Vec<Item<'a>>,
    /// Ascending, not empty.
    pub(crate) days: Vec<i32>,
}

impl Query<'_> {
    fn gap(&self) -> u32 {
        (self.days[self.days.len() - 1] - self.days[0]) as u32
    }
}

impl<'a> Days<'a> {
    pub(crate) fn new(column: &'a Column, trie: &'a Trie, shift: i32, missing: bool) -> Self {
        let ranks = trie.record_at.iter().enumerate();
        let blank = ranks.filter(|(_, record)| missing && column.of(**record).is_empty());
        let blank = blank.map(|(rank, _)| rank as u32).collect();
        Self { column, trie, shift, missing, blank }
    }

    pub(crate) fn fit(&self, days: &[i32], rank: u32) -> bool {
        let shown = self.column.of(self.trie.record_at[rank as usize]);
        days_fit(days, shown, self.shift, self.missing)
    }

    /// How many records answer each query.
    pub(crate) fn count(&self, queries: &[Query<'_>]) -> Vec<u64> {
        let mut sizes = vec![0; queries.len()];
        let mut by_gap: Vec<(u32, u32)> = Vec::new();
        for (at, query) in queries.iter().enumerate() {
            if items::bound(query.ranges, &query.items) > ONE_BY_ONE {
                by_gap.push((query.gap(), at as u32));
            }
        }
        sizes.par_iter_mut().zip(queries).for_each(|(size, query)| {
            if items::bound(query.ranges, &query.items) <= ONE_BY_ONE {
                items::visit(query.ranges, &query.items, |rank| {
                    *size += u64::from(self.fit(&query.days, rank));
                });
            }
        });
        by_gap.sort_unstable();
        for block in self.blocks(&by_gap) {
            let gaps = Gaps::of(block);
            let index = self.index(&gaps);
            let counted: Vec<(u32, u64)> = block
                .par_iter()
                .map(|(gap, at)| {
                    let place = gaps.place[*gap as usize];
                    (*at, self.among(&index, place, &queries[*at as usize]))
                })
                .collect();
            for (at, size) in counted {
                sizes[at as usize] = size;
            }
        }
        sizes
    }

    /// Cut the queries, ascending by gap, so that the pairs of days of each part fit a block.
    fn blocks<'q>(&self, queries: &'q [(u32, u32)]) -> Vec<&'q [(u32, u32)]> {
        let pairs = self.pairs(&Gaps::of(queries));
        let mut blocks = Vec::new();
        let (mut from, mut size) = (0, 0);
        let mut at = 0;
        let parts = queries.chunk_by(|a, b| a.0 == b.0);
        for (part, own) in parts.zip(pairs) {
            if size > 0 && size + own > BLOCK {
                blocks.push(&queries[from..at]);
                (from, size) = (at, 0);
            }
            size += own;
            at += part.len();
        }
        if from < queries.len() {
            blocks.push(&queries[from..]);
        }
        blocks
    }

    fn pairs(&self, gaps: &Gaps) -> Vec<u64> {
        let add = |mut all: Vec<u64>, record: &u32| {
            gaps.each_pair(self.column.of(*record), |place, _| all[place as usize] += 1);
            all
        };
        let both = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let none = || vec![0; gaps.asked];
        self.trie.record_at.par_iter().fold(none, add).reduce(none, both)
    }

    /// (place of the gap, first day, rank), ascending, for the gaps of these queries.
    fn index(&self, gaps: &Gaps) -> Vec<(u32, i32, u32)> {
        let ranks = self.trie.record_at.par_iter().enumerate();
        let mut index: Vec<(u32, i32, u32)> = ranks
            .fold(Vec::new, |mut all, (rank, record)| {
                gaps.each_pair(self.column.of(*record), |place, first| {
                    all.push((place, first, rank as u32));
                });
                all
            })
            .reduce(Vec::new, |mut a, mut b| {
                a.append(&mut b);
                a
            });
        index.par_sort_unstable();
        index
    }

    fn among(&self, index: &[(u32, i32, u32)], place: u32, query: &Query<'_>) -> u64 {
        let first = query.days[0];
        let from = index.partition_point(|e| (e.0, e.1) < (place, first - self.shift));
        let near = index[from..].iter().take_while(|e| e.0 == place && e.1 <= first + self.shift);
        let inner = &query.days[1..query.days.len().saturating_sub(1).max(1)];
        let mut found: Vec<u32> = near
            .filter(|(_, day, rank)| {
                holds(query.ranges, *rank)
                    && query.items.iter().all(|i| i.has(*rank))
                    && (inner.is_empty() || {
                        let shown = self.column.of(self.trie.record_at[*rank as usize]);
                        inner.iter().all(|d| shown.binary_search(&(day + (d - first))).is_ok())
                    })
            })
            .map(|e| e.2)
            .collect();
        found.sort_unstable();
        found.dedup();
        let blank = Item::list(&self.blank);
        let items: Vec<Item<'_>> = query.items.iter().copied().chain([blank]).collect();
        found.len() as u64 + items::count(query.ranges, &items)
    }
}

/// The gaps that are asked for, numbered ascending.
struct Gaps {
    /// Number of each gap; `u32::MAX`: not asked for.
    place: Vec<u32>,
    asked: usize,
}

impl Gaps {
    /// Of queries ascending by gap.
    fn of(queries: &[(u32, u32)]) -> Self {
        let mut place = vec![u32::MAX; queries.last().map_or(0, |q| q.0 as usize + 1)];
        let mut asked = 0;
        for part in queries.chunk_by(|a, b| a.0 == b.0) {
            place[part[0].0 as usize] = asked as u32;
            asked += 1;
        }
        Self { place, asked }
    }

    /// Calls `each` with the gap's number and the first day of every pair of a record's days whose gap is asked for.
    fn each_pair(&self, shown: &[i32], mut each: impl FnMut(u32, i32)) {
        for (at, first) in shown.iter().enumerate() {
            for day in &shown[at..] {
                match self.place.get((day - first) as usize) {
                    None => break,
                    Some(&u32::MAX) => {}
                    Some(place) => each(*place, *first),
                }
            }
        }
    }
}
