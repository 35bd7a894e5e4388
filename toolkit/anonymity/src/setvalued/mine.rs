//! Counting itemsets that occur, but rarely; size by size.
//!
//! A *minimal violator* occurs in fewer than k persons while each of its parts occurs in at least k. Items are
//! numbered from the rarest on; sets are grown in that order, and each step only looks at the persons who hold the
//! set so far (a projected database, as in Agrawal and Srikant 1994; Han et al. 2000). Which sets are counted does
//! not depend on threads, and neither does the order of what is found.

use super::{ItemSets, MOST_KNOWN};
use core::sync::atomic::{AtomicBool, Ordering};
use hashbrown::HashSet;
use rayon::prelude::*;

type Set = [u32; MOST_KNOWN];

/// Up to so many items, pairs are kept as bits.
const BIT_ITEMS: usize = 16_384;

/// Minimal violators that are known; numbers are those of the miner.
#[derive(Debug, Default)]
struct Known {
    items: usize,
    bits: Vec<u64>,
    sets: HashSet<Set>,
}

impl Known {
    fn insert(&mut self, set: &[u32]) {
        if set.len() == 2 && self.items <= BIT_ITEMS {
            let at = set[0] as usize * self.items + set[1] as usize;
            self.bits.resize((self.items * self.items).div_ceil(64), 0);
            self.bits[at / 64] |= 1 << (at % 64);
            return;
        }
        let mut key = [u32::MAX; MOST_KNOWN];
        key[..set.len()].copy_from_slice(set);
        self.sets.insert(key);
    }

    fn pair(&self, a: u32, b: u32) -> bool {
        if self.items <= BIT_ITEMS {
            let at = a as usize * self.items + b as usize;
            return self.bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        }
        let mut key = [u32::MAX; MOST_KNOWN];
        (key[0], key[1]) = (a, b);
        self.sets.contains(&key)
    }

    /// True if a known violator is a part of prefix and item, the item included. (None lies in the prefix.)
    fn inside(&self, prefix: &[u32], item: u32) -> bool {
        if prefix.iter().any(|a| self.pair(*a, item)) {
            return true;
        }
        if self.sets.is_empty() {
            return false;
        }
        (1_u32..1 << prefix.len()).filter(|chosen| chosen.count_ones() >= 2).any(|chosen| {
            let mut key = [u32::MAX; MOST_KNOWN];
            let mut size = 0;
            for (bit, a) in prefix.iter().enumerate() {
                if chosen >> bit & 1 == 1 {
                    key[size] = *a;
                    size += 1;
                }
            }
            key[size] = item;
            self.sets.contains(&key)
        })
    }
}

/// Minimal violators of one size.
#[derive(Debug, Default, Clone)]
pub(super) struct Violators {
    pub(super) size: usize,
    /// Sets one after the other, as numbers of the sets' items.
    pub(super) items: Vec<u32>,
    /// How many persons hold each.
    pub(super) supports: Vec<u32>,
}

/// Rows of one person: which, and where the rest of its items begins.
pub(super) type Place = (u32, u32);

/// Buffers of one thread.
#[derive(Debug)]
pub(super) struct Counter {
    counts: Vec<u32>,
    touched: Vec<u32>,
}

impl Counter {
    pub(super) fn new(items: usize) -> Self {
        Self { counts: vec![0; items], touched: Vec::new() }
    }
}

/// Sets of persons, made ready for counting.
pub(super) struct Miner {
    pub(super) k: u32,
    /// Items of persons, rarest first, those below k left out.
    pub(super) sets: ItemSets,
    /// The item of each number.
    pub(super) original: Vec<u32>,
    /// Persons who hold each item, and where the rest of their items begins.
    holders: Vec<Vec<Place>>,
    known: Known,
    /// Persons who hold a violator.
    at_risk: Vec<AtomicBool>,
    singles: Violators,
}

impl Miner {
    /// Counts single items.
    pub(super) fn new(sets: &ItemSets, k: u32) -> Self {
        let supports = sets.supports();
        let rare = |item: &u32| (1..k).contains(&supports[*item as usize]);
        let mut original: Vec<u32> =
            (0..sets.kinds).filter(|item| supports[*item as usize] > 0).collect();
        let singles: Vec<u32> = original.iter().copied().filter(rare).collect();
        original.retain(|item| !rare(item));
        original.sort_by_key(|item| supports[*item as usize]);
        let mut map = vec![None; sets.kinds as usize];
        for (number, item) in original.iter().enumerate() {
            map[*item as usize] = Some(number as u32);
        }
        let at_risk = (0..sets.persons())
            .map(|person| AtomicBool::new(sets.of(person).iter().any(rare)))
            .collect();
        let frequent = sets.mapped(original.len() as u32, &map);
        let mut holders: Vec<Vec<Place>> = original
            .iter()
            .map(|item| Vec::with_capacity(supports[*item as usize] as usize))
            .collect();
        for person in 0..frequent.persons() {
            for (at, item) in frequent.of(person).iter().enumerate() {
                holders[*item as usize].push((person, at as u32 + 1));
            }
        }
        let known = Known { items: original.len(), ..Known::default() };
        let singles = Violators {
            size: 1,
            supports: singles.iter().map(|item| supports[*item as usize]).collect(),
            items: singles,
        };
        Self { k, sets: frequent, original, holders, known, at_risk, singles }
    }

    /// The minimal violators of each size up to `most`, one size after the other. With `stop`, sizes after the first
    /// that has violators are not looked at.
    pub(super) fn run(mut self, most: usize, stop: bool) -> (Vec<Violators>, usize) {
        let mut found = vec![core::mem::take(&mut self.singles)];
        for size in 2..=most {
            if stop && found.last().is_some_and(|last| !last.supports.is_empty()) {
                break;
            }
            let mut violators = self.of_size(size);
            if size < most {
                for set in violators.items.chunks(size) {
                    self.known.insert(set);
                }
            }
            for item in &mut violators.items {
                *item = self.original[*item as usize];
            }
            found.push(violators);
        }
        let at_risk = self.at_risk.into_iter().filter(|flag| flag.load(Ordering::Relaxed)).count();
        (found, at_risk)
    }

    fn of_size(&self, size: usize) -> Violators {
        let items = self.original.len();
        let parts: Vec<Violators> = (0..items)
            .into_par_iter()
            .with_max_len(8)
            .map_init(
                || Counter::new(items),
                |counter, item| {
                    let mut found = Violators { size, ..Violators::default() };
                    let mut prefix = vec![item as u32];
                    self.grow(&mut prefix, &self.holders[item], size - 1, counter, &mut found);
                    found
                },
            )
            .collect();
        let mut all = Violators { size, ..Violators::default() };
        for part in parts {
            all.items.extend(part.items);
            all.supports.extend(part.supports);
        }
        all
    }

    fn grow(
        &self,
        prefix: &mut Vec<u32>,
        places: &[Place],
        left: usize,
        counter: &mut Counter,
        found: &mut Violators,
    ) {
        if left == 1 {
            self.last(prefix, places, counter, found);
            return;
        }
        for (item, own) in self.split(places, counter) {
            if (own.len() as u32) < self.k || self.known.inside(prefix, item) {
                continue;
            }
            prefix.push(item);
            self.grow(prefix, &own, left - 1, counter, found);
            prefix.pop();
        }
    }

    /// The places of each further item, ascending.
    pub(super) fn split(&self, places: &[Place], counter: &mut Counter) -> Vec<(u32, Vec<Place>)> {
        self.count(places, counter);
        counter.touched.sort_unstable();
        let mut parts: Vec<(u32, Vec<Place>)> = Vec::with_capacity(counter.touched.len());
        for item in counter.touched.drain(..) {
            let count = &mut counter.counts[item as usize];
            parts.push((item, Vec::with_capacity(*count as usize)));
            *count = parts.len() as u32 - 1;
        }
        for (person, from) in places {
            for (at, item) in self.sets.of(*person).iter().enumerate().skip(*from as usize) {
                parts[counter.counts[*item as usize] as usize].1.push((*person, at as u32 + 1));
            }
        }
        for (item, _) in &parts {
            counter.counts[*item as usize] = 0;
        }
        parts
    }

    pub(super) fn holders(&self, item: usize) -> &[Place] {
        &self.holders[item]
    }

    /// Which further items there are, and how often.
    fn count(&self, places: &[Place], counter: &mut Counter) {
        for (person, from) in places {
            for item in &self.sets.of(*person)[*from as usize..] {
                let count = &mut counter.counts[*item as usize];
                if *count == 0 {
                    counter.touched.push(*item);
                }
                *count += 1;
            }
        }
    }

    fn last(&self, prefix: &[u32], places: &[Place], counter: &mut Counter, found: &mut Violators) {
        self.count(places, counter);
        counter.touched.sort_unstable();
        let mut any = false;
        let Counter { counts, touched } = counter;
        for item in touched.iter() {
            let count = &mut counts[*item as usize];
            if *count < self.k && !self.known.inside(prefix, *item) {
                found.items.extend_from_slice(prefix);
                found.items.push(*item);
                found.supports.push(*count);
                *count = u32::MAX;
                any = true;
            }
        }
        if any {
            for (person, from) in places {
                let rest = &self.sets.of(*person)[*from as usize..];
                if rest.iter().any(|item| counts[*item as usize] == u32::MAX) {
                    self.at_risk[*person as usize].store(true, Ordering::Relaxed);
                }
            }
        }
        for item in touched.drain(..) {
            counts[item as usize] = 0;
        }
    }
}
