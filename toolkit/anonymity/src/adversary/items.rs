//! Who has an item: lists of ranks per set of labels that a value may have become.

use super::trie::{Trie, holds, total};
use crate::holdings::{Facts, HoldingsError, Lists};
use core::ops::Range;
use hashbrown::HashMap;

/// Lists of ranks for one attribute.
#[derive(Debug)]
pub(crate) struct Postings {
    /// Place of the list of each original value.
    pub(crate) of_value: Vec<u32>,
    /// Ranks, ascending, of records that show a fitting label and are not wild.
    lists: Lists,
    /// Ranks, ascending, of records that may show anything.
    wild: Vec<u32>,
}

/// One item known: its records are `specific` and `wild`, which have no common member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    specific: &'a [u32],
    wild: &'a [u32],
}

impl Postings {
    pub(crate) fn of(facts: &Facts, attribute: usize, trie: &Trie) -> Result<Self, HoldingsError> {
        let labels = facts.labels(attribute)?;
        let column = facts.shown(attribute);
        let mut by_label: Vec<Vec<u32>> = vec![Vec::new(); labels.residual.len()];
        let mut wild = Vec::new();
        for (rank, record) in trie.record_at.iter().enumerate() {
            let shown = column.of(*record);
            if labels.wild(shown) {
                wild.push(rank as u32);
                continue;
            }
            let mut last = None;
            for label in shown.iter().filter(|l| last.replace(**l) != Some(**l)) {
                by_label[*label as usize].push(rank as u32);
            }
        }
        let mut numbers: HashMap<&[u32], u32> = HashMap::new();
        let mut lists = Lists::of([]);
        let mut of_value = Vec::with_capacity(labels.of_value.len());
        for value in 0..labels.of_value.len() {
            let wanted = labels.of_value.at(value);
            let next = lists.len() as u32;
            let number = *numbers.entry(wanted).or_insert(next);
            if number == next {
                let mut ranks: Vec<u32> = Vec::new();
                for label in wanted {
                    ranks.extend_from_slice(&by_label[*label as usize]);
                }
                if wanted.len() > 1 {
                    ranks.sort_unstable();
                    ranks.dedup();
                }
                lists.push(&ranks);
            }
            of_value.push(number);
        }
        Ok(Self { of_value, lists, wild })
    }

    pub(crate) fn item(&self, list: u32) -> Item<'_> {
        Item { specific: self.lists.at(list as usize), wild: &self.wild }
    }
}

fn within<'a>(list: &'a [u32], range: &Range<u32>) -> &'a [u32] {
    // Mostly the range holds all: no search then.
    let from = if range.start == 0 { 0 } else { list.partition_point(|r| *r < range.start) };
    let rest = &list[from..];
    match rest.last() {
        Some(last) if *last >= range.end => &rest[..rest.partition_point(|r| *r < range.end)],
        _ => rest,
    }
}

impl<'a> Item<'a> {
    /// Ranks, ascending.
    pub(crate) fn list(ranks: &'a [u32]) -> Self {
        Self { specific: ranks, wild: &[] }
    }

    pub(crate) fn has(&self, rank: u32) -> bool {
        self.specific.binary_search(&rank).is_ok() || self.wild.binary_search(&rank).is_ok()
    }

    pub(crate) fn len(&self) -> u64 {
        (self.specific.len() + self.wild.len()) as u64
    }

    fn count(&self, ranges: &[Range<u32>]) -> u64 {
        let count = |r: &Range<u32>| within(self.specific, r).len() + within(self.wild, r).len();
        ranges.iter().map(count).sum::<usize>() as u64
    }
}

/// Calls `each` with every rank in the ranges that has all items; stops when it says so.
pub(crate) fn visit(ranges: &[Range<u32>], items: &[Item<'_>], mut each: impl FnMut(u32)) {
    let rarest = (0..items.len()).min_by_key(|at| items[*at].len());
    let Some(rarest) = rarest.filter(|at| items[*at].len() < total(ranges)) else {
        for rank in ranges.iter().cloned().flatten() {
            if items.iter().all(|i| i.has(rank)) {
                each(rank);
            }
        }
        return;
    };
    for list in [items[rarest].specific, items[rarest].wild] {
        for rank in list {
            let others = items.iter().enumerate().all(|(at, i)| at == rarest || i.has(*rank));
            if others && holds(ranges, *rank) {
                each(*rank);
            }
        }
    }
}

/// Records in the ranges that have all items.
pub(crate) fn count(ranges: &[Range<u32>], items: &[Item<'_>]) -> u64 {
    match items {
        [] => total(ranges),
        [item] => item.count(ranges),
        _ => {
            let mut found = 0;
            visit(ranges, items, |_| found += 1);
            found
        }
    }
}

/// No more than so many records have to be looked at by [`visit`].
pub(crate) fn bound(ranges: &[Range<u32>], items: &[Item<'_>]) -> u64 {
    items.iter().map(Item::len).min().unwrap_or(u64::MAX).min(total(ranges))
}
