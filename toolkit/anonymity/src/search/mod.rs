//! Searching the lattice of levels for the node with the smallest score.

mod bound;
mod explored;
pub(crate) mod heuristic;
pub(crate) mod optimal;
mod starts;
pub(crate) mod walker;

pub(crate) use explored::Explored;
pub use explored::Point;
pub(crate) use starts::Starts;

use core::cmp::Ordering;

/// Asked now and then by a search, and told how far it is. No clock: who wants a time limit brings it.
pub trait Control: Sync {
    /// True if the search shall end with the best node found so far.
    fn stop(&self) -> bool {
        false
    }

    /// So many nodes were checked, and the best score so far.
    fn progress(&self, _checked: u64, _best: f64) {}
}

/// Never stops a search.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToTheEnd;

impl Control for ToTheEnd {}

/// A node that fulfils the models, and its score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Best {
    pub(crate) score: f64,
    pub(crate) levels: Vec<usize>,
}

impl Best {
    /// Smaller score first; then less generalisation; then the levels themselves: the same for any order of search.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let sum = |best: &Self| best.levels.iter().sum::<usize>();
        self.score
            .total_cmp(&other.score)
            .then_with(|| sum(self).cmp(&sum(other)))
            .then_with(|| self.levels.cmp(&other.levels))
    }
}

/// A node that was checked, and what it hands down.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) levels: Vec<usize>,
    /// Rows surely suppressed.
    pub(crate) sure: u64,
    /// Their penalty, per attribute.
    pub(crate) penalties: Vec<f64>,
}

/// Keep the better one.
pub(crate) fn improve(best: &mut Option<Best>, found: Best) {
    if best.as_ref().is_none_or(|best| found.order(best) == Ordering::Less) {
        *best = Some(found);
    }
}

/// What a search found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) best: Option<Best>,
    pub(crate) checked: u64,
    /// True if no node can be better.
    pub(crate) optimal: bool,
    /// A score that no node undercuts, where the measure has such a bound.
    pub(crate) bound: Option<f64>,
    pub(crate) explored: Explored,
}
