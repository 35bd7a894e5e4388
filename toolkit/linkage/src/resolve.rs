//! Persons from pairs.
//!
//! Enters: rows, and the pairs whose score is not hopeless. Leaves: for each row the first row of its person. Connected
//! components are only where to look: inside one, all pairs are scored, those that no key proposed too, and groups are
//! joined while the evidence between them, averaged over all their pairs, speaks for one person (average linkage). So
//! one record between two persons does not chain them, and what speaks against counts as well as what speaks for.

mod evidence;
mod groups;
mod union;

pub(crate) use groups::{NEAR, Rules, Scored, persons};
pub(crate) use union::Union;

use crate::{
    compare::{Pattern, compare},
    model::{Frequency, Model, Weighed},
    typed::{Row, Typed},
};
use hashbrown::HashMap;

/// Gives scores.
pub(crate) struct Scorer<'a> {
    pub(crate) typed: &'a Typed,
    pub(crate) model: &'a Model,
    pub(crate) frequency: &'a Frequency,
    pub(crate) weighed: HashMap<Pattern, Weighed>,
}

impl Scorer<'_> {
    /// Log2 odds that two rows are of one person, with the pattern that says so.
    pub(crate) fn score(&self, a: &Row, b: &Row) -> (Pattern, f64) {
        let pattern = compare(self.typed, a, b);
        (pattern, self.score_of(pattern, a, b))
    }
    /// Are two rows of two people by their branch numbers?
    pub(crate) fn two_by_branch(&self, a: &Row, b: &Row) -> bool {
        evidence::two_by_branch(compare(self.typed, a, b))
    }
    pub(crate) fn score_of(&self, pattern: Pattern, a: &Row, b: &Row) -> f64 {
        let weighed =
            self.weighed.get(&pattern).copied().unwrap_or_else(|| self.model.weigh(pattern));
        weighed.score(self.frequency.rarity(pattern, a, b))
    }
}
