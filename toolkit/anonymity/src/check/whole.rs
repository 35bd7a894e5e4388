//! Conditions on all kept classes together.

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

/// Sizes of classes, ascending, with their numbers; of the unique ones only so many.
fn histogram(sorted: impl Iterator<Item = u32>, unique: u64) -> Vec<(u32, u64)> {
    let mut sizes: Vec<(u32, u64)> = Vec::new();
    for size in sorted {
        match sizes.last_mut() {
            Some((last, n)) if *last == size => *n += 1,
            _ => sizes.push((size, 1)),
        }
    }
    if let Some((1, n)) = sizes.first_mut() {
        *n = unique;
    }
    sizes.retain(|(_, n)| *n > 0);
    sizes
}

impl<const N: usize> Problem<'_, N> {
    /// The classes to suppress, smallest first, until a condition on all kept classes holds. Among classes of one
    /// size those with the smallest loss go first, then those whose first row comes first (as in ARX).
    pub(super) fn enforce(
        &self,
        whole: Whole,
        classes: &Classes<N>,
        failed: &[bool],
        levels: &[usize],
    ) -> Vec<u32> {
        let counts = &classes.counts;
        let mut kept: Vec<u32> = (0..counts.len() as u32)
            .filter(|at| !failed[*at as usize] && counts[*at as usize] > 0)
            .collect();
        kept.sort_by_key(|at| counts[*at as usize]);
        let rows: u64 = kept.iter().map(|at| u64::from(counts[*at as usize])).sum();
        let unique = kept.iter().filter(|at| counts[**at as usize] == 1).count() as u64;
        let cut = match whole {
            Whole::Population { .. } => {
                let sizes = || kept.iter().map(|at| counts[*at as usize]);
                // Once all unique records are gone it holds; fewer are looked for by halving.
                let holds = |gone: u64| whole.holds(&histogram(sizes(), unique - gone));
                let (mut low, mut high) = (0, unique);
                if unique == 0 || holds(0) {
                    return Vec::new();
                }
                while high - low > 1 {
                    let middle = low.midpoint(high);
                    if holds(middle) { high = middle } else { low = middle }
                }
                high as usize
            }
            _ => {
                let (mut rows, mut unique, mut cut) = (rows, unique, 0);
                while cut < kept.len() {
                    let left = (kept.len() - cut) as u64;
                    if whole.holds_for(rows, left, unique, Vec::new) {
                        break;
                    }
                    let count = u64::from(counts[kept[cut] as usize]);
                    rows -= count;
                    unique -= u64::from(count == 1);
                    cut += 1;
                }
                cut
            }
        };
        if cut > 0 && cut < kept.len() {
            let size = counts[kept[cut - 1] as usize];
            let start = kept.partition_point(|at| counts[*at as usize] < size);
            let end = kept.partition_point(|at| counts[*at as usize] <= size);
            let loss = |at: u32| -> f64 {
                let root = 1.0 / levels.len() as f64;
                self.shares
                    .attributes
                    .iter()
                    .enumerate()
                    .map(|(a, costs)| {
                        let label = self.fields[a].get(&classes.keys[at as usize]);
                        let share = costs.cost[levels[a]][label] as f64 / costs.full as f64;
                        (f64::from(size) * share + 1.0).powf(root)
                    })
                    .product()
            };
            let mut tied: Vec<(f64, u32)> =
                kept[start..end].iter().map(|at| (loss(*at), *at)).collect();
            tied.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (place, (_, at)) in kept[start..end].iter_mut().zip(tied) {
                *place = at;
            }
        }
        kept.truncate(cut);
        kept
    }
}
