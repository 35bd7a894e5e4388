//! Sets of items per person, such as the diagnoses of a lifetime: k^m-anonymity and LKC-privacy.
//!
//! Enters: pairs of person and item. Leaves: whether somebody who knows up to m items of a person always meets at
//! least k persons, and a coarser version of the items for which this holds. Refuses: limits out of range, items a
//! hierarchy lacks; by position, never by value.

mod anonymize;
mod check;
mod lkc;
mod mine;

pub use anonymize::{Fate, KmAnswer, KmSettings, anonymize_km};
pub use check::{KmReport, KmSize, check_km};
pub use lkc::{LkcReport, check_lkc};

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

/// Most items an adversary can be said to know.
pub const MOST_KNOWN: usize = 8;

/// Why sets were refused. Positions and counts only, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// A parameter is out of its range.
    #[error("parameter {parameter} is out of range")]
    Range {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// The hierarchy lacks an item.
    #[error("the hierarchy lacks item {position}")]
    ItemMissing {
        /// Position of the item, from 0, in the order of first occurrence.
        position: usize,
    },
    /// There is not one sensitive value per person.
    #[error("there are {found} sensitive values for {expected} persons")]
    Length {
        /// Values given.
        found: usize,
        /// Persons.
        expected: usize,
    },
    /// Nothing reaches k: there are too few persons, and suppression is not allowed.
    #[error("{persons} persons have items, fewer than k = {k}, and no item may be suppressed")]
    Impossible {
        /// Persons with an item.
        persons: u32,
        /// k.
        k: u32,
    },
    /// More than 2^32 - 1 persons, items or pairs.
    #[error("there are more pairs of person and item than can be counted")]
    TooMany,
}

impl SetError {
    /// The Japanese sentence for the person who asked.
    pub fn ja(&self) -> String {
        match self {
            Self::Range { parameter } => format!("パラメータ「{parameter}」が範囲外です。"),
            Self::ItemMissing { position } => {
                format!("{}番目に現れた項目が階層ファイルにありません。", position + 1)
            }
            Self::Length { found, expected } => {
                format!("機微な値は{found}個ですが、{expected}人分が必要です。")
            }
            Self::Impossible { persons, k } => format!(
                "項目を持つ人は{persons}人で、k={k}に足りません。項目の削除を許すか、kを下げてください。"
            ),
            Self::TooMany => "人と項目の組が多すぎて数えられません。".into(),
        }
    }
}

/// The set of items of every person; items are numbers from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemSets {
    /// Where each person's items start; one more than there are persons.
    starts: Vec<u32>,
    /// Ascending within a person, each once.
    items: Vec<u32>,
    kinds: u32,
}

impl ItemSets {
    /// From pairs (person, item), in any order, repetitions counting once.
    ///
    /// # Errors
    /// [`SetError::TooMany`]; [`SetError::Range`] if a number is not below `persons` or `kinds`.
    pub fn new(persons: u32, kinds: u32, mut pairs: Vec<(u32, u32)>) -> Result<Self, SetError> {
        pairs.sort_unstable();
        pairs.dedup();
        if u32::try_from(pairs.len()).is_err() {
            return Err(SetError::TooMany);
        }
        if pairs.iter().any(|(person, item)| *person >= persons || *item >= kinds) {
            return Err(SetError::Range { parameter: "pairs" });
        }
        let mut starts = vec![0; persons as usize + 1];
        for (person, _) in &pairs {
            starts[*person as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Ok(Self { starts, items: pairs.into_iter().map(|(_, item)| item).collect(), kinds })
    }

    /// Number of persons, with or without items.
    pub fn persons(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// Number of items there are.
    pub fn kinds(&self) -> u32 {
        self.kinds
    }

    /// Pairs of person and item.
    pub fn pairs(&self) -> usize {
        self.items.len()
    }

    /// The items of a person, ascending.
    pub fn of(&self, person: u32) -> &[u32] {
        &self.items
            [self.starts[person as usize] as usize..self.starts[person as usize + 1] as usize]
    }

    /// Persons with each item.
    pub fn supports(&self) -> Vec<u32> {
        let mut supports = vec![0; self.kinds as usize];
        for item in &self.items {
            supports[*item as usize] += 1;
        }
        supports
    }

    /// The sets with every item replaced, or left out.
    fn mapped(&self, kinds: u32, map: &[Option<u32>]) -> Self {
        let mut starts = vec![0];
        let mut items = Vec::with_capacity(self.items.len());
        for person in 0..self.persons() {
            let from = items.len();
            items.extend(self.of(person).iter().filter_map(|item| map[*item as usize]));
            items[from..].sort_unstable();
            let mut kept = from;
            for at in from..items.len() {
                if kept == from || items[kept - 1] != items[at] {
                    items[kept] = items[at];
                    kept += 1;
                }
            }
            items.truncate(kept);
            starts.push(items.len() as u32);
        }
        Self { starts, items, kinds }
    }
}

/// Reads pairs as text and numbers persons and items in the order of first occurrence.
#[derive(Debug, Clone, Default)]
pub struct PairReader {
    persons: HashMap<Box<str>, u32>,
    numbers: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    pairs: Vec<(u32, u32)>,
}

impl PairReader {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One pair; repetitions count once. Returns the numbers of person and item.
    pub fn push(&mut self, person: &str, item: &str) -> (u32, u32) {
        let person = self.person(person);
        let next = self.names.len() as u32;
        let item = match self.numbers.entry_ref(item) {
            EntryRef::Occupied(known) => *known.get(),
            EntryRef::Vacant(free) => {
                self.names.push(item.into());
                free.insert(next);
                next
            }
        };
        self.pairs.push((person, item));
        (person, item)
    }

    /// A person, perhaps without items.
    pub fn person(&mut self, person: &str) -> u32 {
        let next = self.persons.len() as u32;
        *self.persons.entry_ref(person).or_insert(next)
    }

    /// The sets, and the names of the items.
    ///
    /// # Errors
    /// [`SetError::TooMany`].
    pub fn finish(self) -> Result<(ItemSets, Vec<Box<str>>), SetError> {
        let (persons, kinds) = (self.persons.len() as u32, self.names.len() as u32);
        Ok((ItemSets::new(persons, kinds, self.pairs)?, self.names))
    }
}
