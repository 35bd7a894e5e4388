//! A lower bound of the score of all nodes, from what was checked: how far a search that did not see every node may be
//! from the best.
//!
//! Branch and bound over boxes of the lattice. No node of a box is more special than its lowest corner, and what a
//! checked node above its highest corner surely suppresses, each node of the box suppresses: both cost at least so much.
//! The box that promises most is split until its promise is no better than the score that was found.

use crate::check::Problem;
use std::collections::BinaryHeap;

/// Boxes that are split before the bound is taken as it stands.
const SPLITS: usize = 2_000;

/// A checked node and the penalties it hands down.
pub(crate) type Top = (Vec<usize>, Vec<f64>);

struct Part {
    promise: f64,
    low: Vec<usize>,
    high: Vec<usize>,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Part {}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Part {
    /// The smallest promise is the greatest part: it leaves the heap first.
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        other
            .promise
            .total_cmp(&self.promise)
            .then_with(|| (&other.low, &other.high).cmp(&(&self.low, &self.high)))
    }
}

/// A score that no node undercuts, at most `best`. None for measures that have no bound.
pub(crate) fn lower<const N: usize>(
    problem: &Problem<'_, N>,
    tops: &[Top],
    best: f64,
) -> Option<f64> {
    let cells = problem.cells.as_ref()?;
    let promise = |low: &[usize], high: &[usize]| {
        let mut most = vec![0.0; low.len()];
        for (top, penalties) in tops {
            if top.iter().zip(high).all(|(top, high)| top >= high) {
                for (most, penalty) in most.iter_mut().zip(penalties) {
                    *most = f64::max(*most, *penalty);
                }
            }
        }
        let values: Vec<f64> =
            (0..low.len()).map(|at| cells.value(at, low[at], most[at])).collect();
        cells.aggregate.of(&values, &cells.weights)
    };
    let low = problem.lowest.clone();
    let high = problem.highest();
    let mut parts = BinaryHeap::new();
    parts.push(Part { promise: promise(&low, &high), low, high });
    for _ in 0..SPLITS {
        let Some(part) = parts.pop() else { break };
        // The attribute whose upper half costs most leaves most of the box behind.
        let halves = |at: usize| (part.low[at] + part.high[at]).div_ceil(2);
        let worth = |at: usize| {
            let rise = cells.value(at, halves(at), 0.0) - cells.value(at, part.low[at], 0.0);
            rise * cells.weights[at]
        };
        let split = (0..part.low.len())
            .filter(|at| part.low[*at] < part.high[*at])
            .max_by(|a, b| worth(*a).total_cmp(&worth(*b)).then(b.cmp(a)));
        let Some(at) = split.filter(|_| part.promise < best) else {
            parts.push(part);
            break;
        };
        let middle = halves(at);
        let (mut below, mut above) = (part.high.clone(), part.low.clone());
        below[at] = middle - 1;
        above[at] = middle;
        let keep = |promise: f64| f64::max(promise, part.promise);
        let lower = keep(promise(&part.low, &below));
        let upper = keep(promise(&above, &part.high));
        parts.push(Part { promise: lower, low: part.low.clone(), high: below });
        parts.push(Part { promise: upper, low: above, high: part.high });
    }
    Some(parts.peek().map_or(best, |part| part.promise.min(best)))
}
