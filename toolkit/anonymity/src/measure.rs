//! Measures of utility that a search minimises.
//!
//! Most are *cell measures*: each cell costs what its label costs, a suppressed cell costs the most, costs are
//! whole numbers of a unit. Sums are therefore exact, whatever the order and the number of threads. The others
//! look at class sizes.

use crate::table::Attribute;

/// What a search minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Measure {
    /// Share of the domain's leaves that a label covers (Iyengar 2002, as ARX computes it).
    #[default]
    Loss,
    /// Level divided by height (Sweeney 2002).
    Precision,
    /// Bits lost by not knowing the original value (de Waal and Willenborg 1999).
    Entropy,
    /// Sum of squared class sizes; suppressed records count as many as the table has rows (Bayardo and Agrawal 2005).
    Discernibility,
    /// Sum of squared class sizes, suppressed or not: DM*, which rises with every generalisation.
    DiscernibilityMonotonic,
    /// Average class size, suppressed records being one class (LeFevre 2006, without the division by k).
    ClassSize,
    /// Possible original records per record (Goldberger and Tassa 2009).
    Ambiguity,
}

impl Measure {
    /// True if each cell has a cost of its own, so that a search can bound the score.
    pub fn costs_cells(self) -> bool {
        matches!(self, Self::Loss | Self::Precision | Self::Entropy)
    }
}

/// How the values of all attributes become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Aggregate {
    /// Geometric mean of (1 + value), minus 1.
    #[default]
    GeometricMean,
    /// Arithmetic mean.
    ArithmeticMean,
    /// Sum.
    Sum,
    /// Largest.
    Max,
}

impl Aggregate {
    /// The score of these values.
    pub fn of(self, values: &[f64], weights: &[f64]) -> f64 {
        let n = values.len() as f64;
        let weighted = values.iter().zip(weights).map(|(value, weight)| value * weight);
        match self {
            Self::GeometricMean => {
                weighted.map(|value| (value + 1.0).powf(1.0 / n)).product::<f64>() - 1.0
            }
            Self::ArithmeticMean => weighted.sum::<f64>() / n,
            Self::Sum => weighted.sum(),
            Self::Max => weighted.fold(0.0, f64::max),
        }
    }

    /// A quantity that grows with the score and needs no root.
    fn quick(self, values: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::GeometricMean => values.map(|value| value + 1.0).product(),
            Self::ArithmeticMean | Self::Sum => values.sum(),
            Self::Max => values.fold(0.0, f64::max),
        }
    }

    fn quick_of_score(self, score: f64, n: usize) -> f64 {
        match self {
            Self::GeometricMean => (score + 1.0).powi(n as i32),
            Self::ArithmeticMean => score * n as f64,
            Self::Sum | Self::Max => score,
        }
    }
}

/// Costs of one attribute, in whole units.
#[derive(Debug, Clone)]
pub(crate) struct CellCosts {
    /// Per level and label.
    pub(crate) cost: Vec<Vec<u64>>,
    /// Of a suppressed cell.
    pub(crate) full: u64,
    /// Per level, over all rows.
    pub(crate) total: Vec<u64>,
    /// Per level, the dearest label first: rows up to it, their cost, and the cost of one more row of it.
    dearest: Vec<Vec<[u64; 3]>>,
    smallest: f64,
    largest: f64,
}

/// A cell measure over one set of bottom classes.
#[derive(Debug, Clone)]
pub(crate) struct Cells {
    pub(crate) attributes: Vec<CellCosts>,
    pub(crate) weights: Vec<f64>,
    pub(crate) aggregate: Aggregate,
    generalisation: f64,
    suppression: f64,
}

/// The floor that ARX applies to each attribute's loss; ties depend on it.
fn floor_to_ten_decimals(value: f64) -> f64 {
    (value * 1e10).floor() / 1e10
}

/// Rows per label of each level of an attribute.
pub(crate) fn histogram(attribute: &Attribute, leaves: &[u64]) -> Vec<Vec<u64>> {
    attribute
        .hierarchy
        .levels
        .iter()
        .map(|level| {
            let mut rows = vec![0; level.labels.len()];
            for (leaf, count) in leaves.iter().enumerate() {
                rows[level.of_leaf[leaf] as usize] += count;
            }
            rows
        })
        .collect()
}

/// Labels of one level by falling cost: the rows of all dearer labels, what those cost, and the cost of the label.
fn dearest(rows: &[u64], cost: &[u64]) -> Vec<[u64; 3]> {
    let mut labels: Vec<(u64, u64)> =
        rows.iter().zip(cost).filter(|(n, _)| **n > 0).map(|(n, cost)| (*cost, *n)).collect();
    labels.sort_unstable_by_key(|(cost, _)| core::cmp::Reverse(*cost));
    let (mut before, mut sum) = (0, 0);
    let mut steps: Vec<[u64; 3]> = Vec::new();
    for (cost, n) in labels {
        if steps.last().is_none_or(|step| step[2] != cost) {
            steps.push([before, sum, cost]);
        }
        before += n;
        sum += n * cost;
    }
    steps
}

/// 2^20 units to a bit: 10^8 rows of 27 bits still fit 64 bits.
const BIT: f64 = 1_048_576.0;

impl Cells {
    /// Costs of a cell measure (of Loss, for a measure that looks at classes).
    pub(crate) fn new(
        measure: Measure,
        aggregate: Aggregate,
        gs_factor: f64,
        attributes: &[Attribute],
        leaf_counts: &[Vec<u64>],
    ) -> Self {
        let generalisation = if gs_factor <= 0.5 { 1.0 } else { 1.0 - 2.0 * (gs_factor - 0.5) };
        let suppression = if gs_factor < 0.5 { 2.0 * gs_factor } else { 1.0 };
        let mut costs = Vec::new();
        for (attribute, counts) in attributes.iter().zip(leaf_counts) {
            let rows: u64 = counts.iter().sum();
            let hierarchy = &attribute.hierarchy;
            let histogram = histogram(attribute, counts);
            let (cost, full): (Vec<Vec<u64>>, u64) = match measure {
                Measure::Precision => (
                    (0..hierarchy.levels())
                        .map(|level| vec![level as u64; hierarchy.labels(level)])
                        .collect(),
                    (hierarchy.levels() - 1).max(1) as u64,
                ),
                Measure::Entropy => {
                    let bits = |n: u64| ((n.max(1) as f64).log2() * BIT) as u64;
                    (
                        histogram
                            .iter()
                            .map(|level| level.iter().map(|n| bits(*n)).collect())
                            .collect(),
                        bits(rows),
                    )
                }
                _ => (
                    hierarchy
                        .levels
                        .iter()
                        .map(|level| level.leaves.iter().map(|n| u64::from(*n)).collect())
                        .collect(),
                    hierarchy.leaves() as u64,
                ),
            };
            let total: Vec<u64> = histogram
                .iter()
                .zip(&cost)
                .map(|(rows, cost)| rows.iter().zip(cost).map(|(n, cost)| n * cost).sum())
                .collect();
            let dearest =
                histogram.iter().zip(&cost).map(|(rows, cost)| dearest(rows, cost)).collect();
            let smallest = match measure {
                // Loss, as in ARX: one leaf of the domain per row, weighted.
                Measure::Precision | Measure::Entropy => generalisation * total[0] as f64,
                _ => generalisation * rows as f64,
            };
            let largest = rows as f64 * full as f64;
            costs.push(CellCosts { cost, full, total, dearest, smallest, largest });
        }
        Self {
            attributes: costs,
            weights: attributes.iter().map(|a| a.weight).collect(),
            aggregate,
            generalisation,
            suppression,
        }
    }

    /// What suppressing rows adds to an attribute: `rows` of them, whose cells cost `kept` so far.
    pub(crate) fn penalty(&self, attribute: usize, rows: u64, kept: u64) -> f64 {
        let full = self.attributes[attribute].full as f64;
        self.suppression * full * rows as f64
            + (1.0 - self.suppression - self.generalisation) * kept as f64
    }

    /// What suppressing any `rows` rows adds to an attribute at least: as if their cells were the dearest there are.
    pub(crate) fn least_penalty(&self, attribute: usize, level: usize, rows: u64) -> f64 {
        let steps = &self.attributes[attribute].dearest[level];
        let after = steps.partition_point(|[before, ..]| *before < rows);
        let kept = after.checked_sub(1).map_or(0, |at| {
            let [before, sum, cost] = steps[at];
            sum + (rows - before) * cost
        });
        self.penalty(attribute, rows, kept)
    }

    /// The value of an attribute at a level with a penalty.
    pub(crate) fn value(&self, attribute: usize, level: usize, penalty: f64) -> f64 {
        let costs = &self.attributes[attribute];
        let span = costs.largest - costs.smallest;
        if span <= 0.0 {
            return 0.0;
        }
        let sum = self.generalisation * costs.total[level] as f64 + penalty;
        floor_to_ten_decimals(((sum - costs.smallest) / span).max(0.0))
    }

    /// True if no node with these levels and at least these penalties can score less than `best`
    /// (with room for rounding).
    pub(crate) fn hopeless(&self, levels: &[usize], penalties: &[f64], best: f64) -> bool {
        if best == f64::INFINITY {
            return false;
        }
        let values = levels
            .iter()
            .zip(penalties)
            .enumerate()
            .map(|(at, (level, penalty))| self.value(at, *level, *penalty) * self.weights[at]);
        let bound = self.aggregate.quick(values);
        let limit = self.aggregate.quick_of_score(best, levels.len());
        bound > limit + limit.abs().max(1.0) * 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_of_two_values() {
        let weights = [1.0, 1.0];
        let values = [0.0, 0.44];
        assert!((Aggregate::GeometricMean.of(&values, &weights) - 0.2).abs() < 1e-12);
        assert!((Aggregate::ArithmeticMean.of(&values, &weights) - 0.22).abs() < 1e-12);
        assert!((Aggregate::Sum.of(&values, &weights) - 0.44).abs() < 1e-12);
        assert!((Aggregate::Max.of(&values, &weights) - 0.44).abs() < 1e-12);
    }

    #[test]
    fn values_are_cut_after_ten_decimals() {
        assert_eq!(
            floor_to_ten_decimals(0.123_456_789_19).to_bits(),
            0.123_456_789_1_f64.to_bits()
        );
    }
}
