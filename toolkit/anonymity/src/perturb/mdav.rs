//! Multivariate microaggregation: MDAV (Domingo-Ferrer and Mateo-Sanz 2002; with fixed size k as in Domingo-Ferrer
//! and Torra 2005).

use super::{PerturbError, finite, mean};
use core::cmp::Ordering;
use rayon::prelude::*;
use std::collections::BinaryHeap;

/// Groups of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Group of each row, from 0.
    pub of: Vec<u32>,
    /// Rows of each group.
    pub sizes: Vec<u32>,
}

/// What stands for the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Centre {
    /// The mean: the mean of the column is preserved, its variance falls.
    #[default]
    Mean,
    /// The median: an original value (of an even group, the lower one).
    Median,
}

impl Groups {
    /// The column with each value replaced by the centre of its group.
    ///
    /// # Guarantee
    /// With [`Centre::Mean`] the column keeps its sum (to rounding); every value occurs at least as often as its
    /// group has rows.
    /// # Errors
    /// Another length, or a value that is no finite number.
    pub fn aggregate(&self, column: &[f64], centre: Centre) -> Result<Vec<f64>, PerturbError> {
        finite(&[column])?;
        if column.len() != self.of.len() {
            let expected = self.of.len();
            return Err(PerturbError::Length { column: 0, found: column.len(), expected });
        }
        let mut members: Vec<Vec<f64>> =
            self.sizes.iter().map(|n| Vec::with_capacity(*n as usize)).collect();
        for (group, value) in self.of.iter().zip(column) {
            members[*group as usize].push(*value);
        }
        let centres: Vec<f64> = members
            .iter_mut()
            .map(|values| match centre {
                Centre::Mean => mean(values),
                Centre::Median => {
                    values.sort_unstable_by(f64::total_cmp);
                    values[(values.len() - 1) / 2]
                }
            })
            .collect();
        Ok(self.of.iter().map(|group| centres[*group as usize]).collect())
    }

    /// Share of the variance that lies inside the groups, over all (standardised) columns: SSE / SST, 0 to 1. What
    /// aggregation by the mean loses.
    ///
    /// # Errors
    /// As [`Self::aggregate`].
    pub fn loss(&self, columns: &[&[f64]]) -> Result<f64, PerturbError> {
        let (mut inside, mut counted) = (0.0, 0_u32);
        for column in columns {
            let centres = self.aggregate(column, Centre::Mean)?;
            let middle = mean(column);
            let total: f64 = column.iter().map(|x| (x - middle).powi(2)).sum();
            if total > 0.0 {
                let sse: f64 = column.iter().zip(&centres).map(|(x, c)| (x - c).powi(2)).sum();
                inside += sse / total;
                counted += 1;
            }
        }
        Ok(if counted == 0 { 0.0 } else { inside / f64::from(counted) })
    }
}

/// Mean 0 and variance 1 (a constant column becomes 0).
pub(super) fn standardised(column: &[f64]) -> Vec<f64> {
    let middle = mean(column);
    let square = column.iter().map(|x| (x - middle).powi(2)).sum::<f64>();
    let deviation = (square / column.len() as f64).sqrt();
    let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
    column.iter().map(|x| (x - middle) * scale).collect()
}

/// Rows from which distances are computed in parallel.
const MANY: usize = 16_384;

/// What is left to group: standardised values, column by column, and row numbers, ascending.
struct Rest {
    columns: Vec<Vec<f64>>,
    rows: Vec<u32>,
    taken: Vec<bool>,
    distances: Vec<f64>,
}

/// A row at a distance; the greatest is the worst: far, and late.
#[derive(PartialEq)]
struct Near(f64, u32);

impl Eq for Near {}
impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl Rest {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn centroid(&self) -> Vec<f64> {
        self.columns.iter().map(|column| mean(column)).collect()
    }

    /// Squared distances of all to a point.
    fn measure(&mut self, point: &[f64]) {
        let columns = &self.columns;
        let fill = |start: usize, part: &mut [f64]| {
            part.fill(0.0);
            for (column, at) in columns.iter().zip(point) {
                for (sum, value) in part.iter_mut().zip(&column[start..]) {
                    let apart = value - at;
                    *sum += apart * apart;
                }
            }
        };
        let distances = &mut self.distances;
        distances.resize(self.rows.len(), 0.0);
        if distances.len() < MANY {
            fill(0, distances);
        } else {
            let blocks = distances.par_chunks_mut(MANY / 4).enumerate();
            blocks.for_each(|(at, part)| fill(at * (MANY / 4), part));
        }
    }

    /// The farthest that is not taken, the first of several.
    fn farthest(&self) -> usize {
        let mut best = (f64::NEG_INFINITY, 0);
        for (at, (distance, taken)) in self.distances.iter().zip(&self.taken).enumerate() {
            if *distance > best.0 && !taken {
                best = (*distance, at);
            }
        }
        best.1
    }

    fn point(&self, at: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[at]).collect()
    }

    /// Take the `k` nearest that are not taken (the first of several equally near), the centre itself first.
    fn take_nearest(&mut self, centre: usize, k: usize, group: u32, of: &mut [u32]) {
        let mut heap: BinaryHeap<Near> = BinaryHeap::with_capacity(k);
        let mut worst = f64::INFINITY;
        self.distances[centre] = -1.0;
        for (at, (distance, taken)) in self.distances.iter().zip(&self.taken).enumerate() {
            // Later rows at the worst distance lose against earlier ones.
            if *distance >= worst || *taken {
                continue;
            }
            if heap.len() == k {
                heap.pop();
            }
            heap.push(Near(*distance, at as u32));
            if heap.len() == k {
                worst = heap.peek().map_or(f64::INFINITY, |near| near.0);
            }
        }
        for Near(_, at) in heap {
            self.taken[at as usize] = true;
            of[self.rows[at as usize] as usize] = group;
        }
    }

    /// Drop what is taken.
    fn compact(&mut self) {
        let taken = &self.taken;
        for column in &mut self.columns {
            let mut at = 0;
            column.retain(|_| {
                at += 1;
                !taken[at - 1]
            });
        }
        let mut at = 0;
        self.rows.retain(|_| {
            at += 1;
            !taken[at - 1]
        });
        self.taken.clear();
        self.taken.resize(self.rows.len(), false);
    }
}

/// Group rows by closeness, `k` to `2k - 1` in each: take the row farthest from the centre with its `k - 1`
/// nearest, then the row farthest from that one with its nearest, and so on until fewer than `3k` rows are left.
/// Columns are standardised first. Of rows equally far the first counts.
///
/// Costs O(n^2 d / k): 100,000 rows of 3 columns take seconds, a million takes minutes. For one column
/// [`super::microaggregate_sorted`] is both faster and optimal.
///
/// # Guarantee
/// Every group has at least `k` rows and at most `2k - 1`; the result does not depend on the number of threads.
/// # Errors
/// `k` is 0, there are fewer than `k` rows, columns differ in length, or a value is no finite number.
pub fn mdav(columns: &[&[f64]], k: usize) -> Result<Groups, PerturbError> {
    let rows = finite(columns)?;
    if k == 0 || columns.is_empty() {
        return Err(PerturbError::Range { parameter: "k" });
    }
    if rows < k || u32::try_from(rows).is_err() {
        return Err(PerturbError::TooFew { rows, needed: k });
    }
    let mut rest = Rest {
        columns: columns.iter().map(|column| standardised(column)).collect(),
        rows: (0..rows as u32).collect(),
        taken: vec![false; rows],
        distances: Vec::new(),
    };
    let mut of = vec![0; rows];
    let mut group = 0;
    while rest.len() >= 2 * k {
        let two = rest.len() >= 3 * k;
        let centroid = rest.centroid();
        rest.measure(&centroid);
        let far = rest.farthest();
        rest.measure(&rest.point(far));
        rest.take_nearest(far, k, group, &mut of);
        group += 1;
        if two {
            let opposite = rest.farthest();
            rest.measure(&rest.point(opposite));
            rest.take_nearest(opposite, k, group, &mut of);
            group += 1;
        }
        rest.compact();
    }
    if rest.len() > 0 {
        for row in &rest.rows {
            of[*row as usize] = group;
        }
        group += 1;
    }
    let mut sizes = vec![0; group as usize];
    for group in &of {
        sizes[*group as usize] += 1;
    }
    Ok(Groups { of, sizes })
}
