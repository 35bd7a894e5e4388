//! Post-randomisation: each category becomes another with known probability (Gouweleeuw, Kooiman, Willenborg and
//! de Wolf 1998).

use super::{PerturbError, same_length};
use crate::linear::solve;
use crate::{Chance, Keys};

/// Probabilities of a category becoming another: square, row by row, each row a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    size: usize,
    /// Row by row.
    cells: Vec<f64>,
}

impl Transition {
    /// The given probabilities, row by row.
    ///
    /// # Errors
    /// [`PerturbError::NotStochastic`] with the first row that has a negative entry, a wrong number of entries, or a
    /// sum that differs from 1 by more than 1e-9.
    pub fn new(rows: &[Vec<f64>]) -> Result<Self, PerturbError> {
        let size = rows.len();
        if size == 0 {
            return Err(PerturbError::Range { parameter: "categories" });
        }
        for (row, cells) in rows.iter().enumerate() {
            let sum: f64 = cells.iter().sum();
            let fits = cells.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() <= 1e-9;
            if cells.len() != size || !fits {
                return Err(PerturbError::NotStochastic { row });
            }
        }
        Ok(Self { size, cells: rows.concat() })
    }

    /// Invariant: the expected count of each category stays its count. Category k is left with probability
    /// `theta` x smallest count / count of k, towards all others alike, so that rare categories change most.
    /// Categories without rows stay as they are.
    ///
    /// # Errors
    /// `theta` is not in 0 to 1.
    pub fn invariant(counts: &[u64], theta: f64) -> Result<Self, PerturbError> {
        if !(0.0..=1.0).contains(&theta) {
            return Err(PerturbError::Range { parameter: "theta" });
        }
        if counts.is_empty() {
            return Err(PerturbError::Range { parameter: "categories" });
        }
        let size = counts.len();
        let present = counts.iter().filter(|n| **n > 0).count();
        let least = counts.iter().filter(|n| **n > 0).min().copied().unwrap_or(0) as f64;
        let mut cells = vec![0.0; size * size];
        for (k, count) in counts.iter().enumerate() {
            if *count == 0 || present < 2 {
                cells[k * size + k] = 1.0;
                continue;
            }
            let leave = theta * least / *count as f64;
            for (l, other) in counts.iter().enumerate() {
                cells[k * size + l] = match (k == l, *other > 0) {
                    (true, _) => 1.0 - leave,
                    (false, true) => leave / (present - 1) as f64,
                    (false, false) => 0.0,
                };
            }
        }
        Ok(Self { size, cells })
    }

    /// Make these transitions invariant for the given counts, by a second stage that draws the original back by
    /// Bayes' rule (the two-stage method of the paper): R = P Q, with t R = t.
    ///
    /// # Errors
    /// Another number of counts than categories.
    pub fn two_stage(&self, counts: &[u64]) -> Result<Self, PerturbError> {
        let size = self.size;
        if counts.len() != size {
            let found = counts.len();
            return Err(PerturbError::Length { column: 0, found, expected: size });
        }
        // Q[l][m] = p[m][l] t[m] / sum over j of p[j][l] t[j].
        let mut back = vec![0.0; size * size];
        for l in 0..size {
            let reached = |m: usize| self.cells[m * size + l] * counts[m] as f64;
            let sum: f64 = (0..size).map(reached).sum();
            for m in 0..size {
                back[l * size + m] =
                    if sum > 0.0 { reached(m) / sum } else { f64::from(u8::from(l == m)) };
            }
        }
        let mut cells = vec![0.0; size * size];
        for k in 0..size {
            for l in 0..size {
                for m in 0..size {
                    cells[k * size + m] += self.cells[k * size + l] * back[l * size + m];
                }
            }
        }
        Ok(Self { size, cells })
    }

    /// Number of categories.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Probability that category `from` becomes `to`.
    pub fn probability(&self, from: usize, to: usize) -> f64 {
        self.cells[from * self.size + to]
    }

    /// Draw a new category for every row. Missing values stay missing. Rows of one key that hold one category get
    /// one new category, so that repetition gives nothing away.
    ///
    /// # Guarantee
    /// In expectation the counts are t P; with an invariant matrix, the original counts.
    /// # Errors
    /// [`PerturbError::Code`] for a category outside of the matrix.
    pub fn apply(
        &self,
        codes: &[Option<u32>],
        keys: Keys<'_>,
        chance: &Chance,
    ) -> Result<Vec<Option<u32>>, PerturbError> {
        same_length(keys, codes.len())?;
        let draw = |(row, code): (usize, &Option<u32>)| {
            let Some(code) = *code else { return Ok(None) };
            if code as usize >= self.size {
                return Err(PerturbError::Code { row });
            }
            let row_of_matrix = &self.cells[code as usize * self.size..][..self.size];
            let mut left = chance.record(keys, row).unit();
            for (to, probability) in row_of_matrix.iter().enumerate() {
                if left < *probability {
                    return Ok(Some(to as u32));
                }
                left -= probability;
            }
            Ok(Some(code))
        };
        codes.iter().enumerate().map(draw).collect()
    }

    /// The unbiased estimate of the original counts from the perturbed ones: the solution of t P = observed. It can
    /// be negative for rare categories.
    ///
    /// # Errors
    /// [`PerturbError::Singular`], or another number of counts than categories.
    pub fn estimate(&self, observed: &[f64]) -> Result<Vec<f64>, PerturbError> {
        let size = self.size;
        if observed.len() != size {
            let found = observed.len();
            return Err(PerturbError::Length { column: 0, found, expected: size });
        }
        let transposed: Vec<f64> =
            (0..size * size).map(|at| self.cells[(at % size) * size + at / size]).collect();
        solve(transposed, observed.to_vec()).ok_or(PerturbError::Singular)
    }
}
