//! Conditions on all kept classes together: the smallest classes are suppressed until they hold.

use super::Problem;
use crate::group::Classes;
use crate::model::Whole;
use crate::risk;

impl Whole {
    /// Does it hold for classes of these sizes (ascending, with their numbers)?
    pub(crate) fn holds(self, sizes: &[(u32, u64)]) -> bool {
        let rows: u64 = sizes.iter().map(|(size, n)| u64::from(*size) * n).sum();
        let classes: u64 = sizes.iter().map(|(_, n)| n).sum();
        let unique = sizes.first().filter(|(size, _)| *size == 1).map_or(0, |(_, n)| *n);
        rows == 0 || self.holds_for(rows, classes, unique, || sizes.to_vec())
    }

    fn holds_for(
        self,
        rows: u64,
        classes: u64,
        unique: u64,
        sizes: impl FnOnce() -> Vec<(u32, u64)>,
    ) -> bool {
        match self {
            Self::AverageRisk(threshold) => 1.0 / (rows as f64 / classes as f64) <= threshold,
            Self::Uniqueness(threshold) => unique as f64 / rows as f64 <= threshold,
            Self::Population { threshold, population, rule } => {
                let estimate = risk::estimate(&sizes(), population, rule);
                estimate.share().is_some_and(|share| share <= threshold)
            }
        }
    }
}

/// Sizes under this one are counted without sorting.
const SMALL: usize = 256;

/// Which kept classes have to go: all that are smaller than `size`, and `tied` of that size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    size: u32,
    tied: usize,
    /// All classes of that size.
    all: usize,
    /// Rows of all these classes.
    pub(super) rows: u64,
}

/// Sizes of the kept classes, ascending, with their numbers.
fn histogram(counts: &[u32], failed: &[bool]) -> Vec<(u32, u64)> {
    let mut small = [0_u64; SMALL];
    let mut large = Vec::new();
    for (count, _) in counts.iter().zip(failed).filter(|(count, failed)| **count > 0 && !**failed) {
        match small.get_mut(*count as usize) {
            Some(n) => *n += 1,
            None => large.push(*count),
        }
    }
    large.sort_unstable();
    let few = small.iter().enumerate().filter(|(_, n)| **n > 0).map(|(size, n)| (size as u32, *n));
    few.chain(large.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64))).collect()
}

impl Whole {
    /// The smallest classes that have to go until it holds for the others; none if it holds for all.
    pub(super) fn cut(self, counts: &[u32], failed: &[bool]) -> Option<Cut> {
        let sizes = histogram(counts, failed);
        let mut rows: u64 = sizes.iter().map(|(size, n)| u64::from(*size) * n).sum();
        let mut classes: u64 = sizes.iter().map(|(_, n)| n).sum();
        let unique = sizes.first().filter(|(size, _)| *size == 1).map_or(0, |(_, n)| *n);
        let at_size = |size: u32, n: u64, gone: u64, before: u64| Cut {
            size,
            tied: gone as usize,
            all: n as usize,
            rows: before + u64::from(size) * gone,
        };
        // The least number in 1..=n for which it holds; it holds for all above.
        let least = |n: u64, holds: &dyn Fn(u64) -> bool| {
            let (mut low, mut high) = (0, n);
            while high - low > 1 {
                let middle = low.midpoint(high);
                if holds(middle) { high = middle } else { low = middle }
            }
            high
        };
        if let Self::Population { .. } = self {
            let holds = |gone: u64| {
                let mut sizes = sizes.clone();
                if let Some((1, n)) = sizes.first_mut() {
                    *n = unique - gone;
                }
                sizes.retain(|(_, n)| *n > 0);
                self.holds(&sizes)
            };
            if unique == 0 || holds(0) {
                return None;
            }
            // Once all unique records are gone it holds; fewer are looked for by halving.
            return Some(at_size(1, unique, least(unique, &holds), 0));
        }
        if rows == 0 || self.holds_for(rows, classes, unique, Vec::new) {
            return None;
        }
        let mut before = 0;
        for (at, (size, n)) in sizes.iter().enumerate() {
            let holds = |gone: u64| {
                let (rows, unique) =
                    (rows - u64::from(*size) * gone, if *size == 1 { unique - gone } else { 0 });
                self.holds_for(rows, classes - gone, unique, Vec::new)
            };
            if at + 1 == sizes.len() || holds(*n) {
                let gone = least(*n, &|gone| gone < classes && holds(gone));
                return Some(at_size(*size, *n, gone, before));
            }
            rows -= u64::from(*size) * n;
            before += u64::from(*size) * n;
            classes -= n;
        }
        None
    }

    /// True if no node keeps more rows than one that generalises it, where there are no tests of classes: the classes that
    /// it keeps lie in as many or fewer larger ones, none of which is unique unless they are.
    pub(super) fn monotone(self) -> bool {
        matches!(self, Self::AverageRisk(_) | Self::Uniqueness(_))
    }
}

impl<const N: usize> Problem<'_, N> {
    /// The classes of a cut. Among classes of one size those with the smallest loss go first, then those whose first row
    /// comes first (as in ARX).
    pub(super) fn of_cut(
        &self,
        cut: Cut,
        classes: &Classes<N>,
        failed: &[bool],
        levels: &[usize],
    ) -> Vec<u32> {
        let kept = |at: &u32| !failed[*at as usize] && classes.counts[*at as usize] > 0;
        let count = |at: u32| classes.counts[at as usize];
        let all = || (0..classes.counts.len() as u32).filter(kept);
        if cut.tied == cut.all {
            return all().filter(|at| count(*at) <= cut.size).collect();
        }
        let mut gone: Vec<u32> = all().filter(|at| count(*at) < cut.size).collect();
        let root = 1.0 / levels.len() as f64;
        let size = f64::from(cut.size);
        let factor = |a: usize, label: usize| {
            let costs = &self.shares.attributes[a];
            let share = costs.cost[levels[a]][label] as f64 / costs.full as f64;
            (size * share + 1.0).powf(root)
        };
        // Of each label once.
        let mut factors: Vec<Vec<f64>> = (0..levels.len())
            .map(|a| vec![f64::NAN; self.shares.attributes[a].cost[levels[a]].len()])
            .collect();
        let mut loss = |at: u32| -> f64 {
            let key = &classes.keys[at as usize];
            factors
                .iter_mut()
                .enumerate()
                .map(|(a, known)| {
                    let label = self.fields[a].get(key);
                    if known[label].is_nan() {
                        known[label] = factor(a, label);
                    }
                    known[label]
                })
                .product()
        };
        let mut tied: Vec<(f64, u32)> =
            all().filter(|at| count(*at) == cut.size).map(|at| (loss(at), at)).collect();
        tied.select_nth_unstable_by(cut.tied, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        gone.extend(tied[..cut.tied].iter().map(|(_, at)| *at));
        gone
    }
}
