//! Scores that follow from the sizes of classes.

use super::Problem;
use crate::group::Classes;
use crate::measure::Measure;

impl<const N: usize> Problem<'_, N> {
    pub(super) fn class_score(
        &self,
        classes: &Classes<N>,
        failed: &[bool],
        levels: &[usize],
        suppressed: u64,
        kept: u64,
    ) -> f64 {
        let rows = self.rows as f64;
        let each = classes.counts.iter().map(|n| f64::from(*n)).zip(failed);
        match self.measure {
            Measure::DiscernibilityMonotonic => each.map(|(n, _)| n * n).sum(),
            Measure::Discernibility => {
                each.map(|(n, failed)| n * if *failed { rows } else { n }).sum()
            }
            Measure::ClassSize => rows / (kept + u64::from(suppressed > 0)).max(1) as f64,
            _ => {
                let all: f64 = self.shares.attributes.iter().map(|a| a.full as f64).product();
                let sum: f64 = each
                    .zip(&classes.keys)
                    .map(|((n, failed), key)| {
                        let labels = self.shares.attributes.iter().enumerate();
                        n * if *failed {
                            all
                        } else {
                            labels
                                .map(|(a, c)| c.cost[levels[a]][self.fields[a].get(key)] as f64)
                                .product()
                        }
                    })
                    .sum();
                sum / rows
            }
        }
    }
}
