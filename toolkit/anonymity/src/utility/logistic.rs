//! Logistic regression by iteratively reweighted least squares, with a ridge.

use super::{UtilityError, same};
use crate::linear::{back_substitute, cholesky};

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Intercept first, then a slope per column, on the standardised scale.
    weights: Vec<f64>,
    /// Mean and 1 / standard deviation of each column (0 if it is constant).
    scales: Vec<(f64, f64)>,
}

/// Most steps; Newton's method needs about ten.
const STEPS: usize = 100;

impl Logistic {
    /// Fit `outcome` by `columns`, for the rows that `rows` picks. Columns are standardised; `ridge` is added to the
    /// diagonal for all but the intercept (per row: the penalty is ridge x rows / 2 x squared slopes), which keeps
    /// separated and collinear data solvable. Steps that do not lower the penalised deviance are halved.
    ///
    /// # Errors
    /// Lengths differ; `ridge` is not above 0; no rows; or no convergence.
    pub fn fit(
        columns: &[&[f64]],
        outcome: &[bool],
        rows: &[usize],
        ridge: f64,
    ) -> Result<Self, UtilityError> {
        let mut lengths = vec![outcome.len()];
        lengths.extend(columns.iter().map(|column| column.len()));
        same(&lengths)?;
        if !(ridge > 0.0 && ridge.is_finite()) {
            return Err(UtilityError::Range { parameter: "ridge" });
        }
        if rows.is_empty() {
            return Err(UtilityError::Range { parameter: "rows" });
        }
        let n = rows.len() as f64;
        let scales: Vec<(f64, f64)> = columns
            .iter()
            .map(|column| {
                let mean = rows.iter().map(|row| column[*row]).sum::<f64>() / n;
                let square = rows.iter().map(|row| (column[*row] - mean).powi(2)).sum::<f64>() / n;
                (mean, if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 })
            })
            .collect();
        let width = columns.len() + 1;
        let mut design = vec![1.0; rows.len() * width];
        for (point, row) in design.chunks_mut(width).zip(rows) {
            for ((x, column), (mean, scale)) in point[1..].iter_mut().zip(columns).zip(&scales) {
                *x = (column[*row] - mean) * scale;
            }
        }
        let penalty = ridge * n;
        let objective = |weights: &[f64]| -> f64 {
            let fit: f64 = design
                .chunks(width)
                .zip(rows)
                .map(|(point, row)| {
                    let score = dot(point, weights);
                    softplus(if outcome[*row] { -score } else { score })
                })
                .sum();
            fit + penalty / 2.0 * weights[1..].iter().map(|w| w * w).sum::<f64>()
        };
        // A hair of ridge on the intercept, for outcomes that are all alike.
        let ridge_of = |at: usize| if at == 0 { 1e-9 * n } else { penalty };
        let mut weights = vec![0.0; width];
        let mut value = objective(&weights);
        for _ in 0..STEPS {
            let mut hessian = vec![0.0; width * width];
            let mut gradient = vec![0.0; width];
            for (point, row) in design.chunks(width).zip(rows) {
                let p = logistic(dot(point, &weights));
                let (residual, weight) = (f64::from(u8::from(outcome[*row])) - p, p * (1.0 - p));
                for a in 0..width {
                    gradient[a] += residual * point[a];
                    let scaled = weight * point[a];
                    for b in 0..=a {
                        hessian[a * width + b] += scaled * point[b];
                    }
                }
            }
            for a in 0..width {
                gradient[a] -= if a == 0 { 0.0 } else { penalty * weights[a] };
                hessian[a * width + a] += ridge_of(a);
            }
            let lower = cholesky(&hessian, width).ok_or(UtilityError::NotConverged)?;
            let mut step = gradient;
            back_substitute(&lower, &mut step);
            let mut factor = 1.0;
            let (next, reached) = loop {
                let next: Vec<f64> =
                    weights.iter().zip(&step).map(|(w, s)| w + factor * s).collect();
                let reached = objective(&next);
                if reached <= value || factor < 1e-9 {
                    break (next, reached);
                }
                factor /= 2.0;
            };
            let moved = step.iter().fold(0.0_f64, |most, s| most.max((factor * s).abs()));
            let gained = value - reached;
            if reached <= value {
                weights = next;
                value = reached;
            }
            if moved < 1e-9 || gained.abs() <= 1e-12 * n {
                return Ok(Self { weights, scales });
            }
        }
        Err(UtilityError::NotConverged)
    }

    /// Probability of a row.
    pub fn probability(&self, columns: &[&[f64]], row: usize) -> f64 {
        let terms = columns.iter().zip(&self.scales).zip(&self.weights[1..]);
        let score: f64 =
            terms.map(|((column, (mean, scale)), w)| (column[row] - mean) * scale * w).sum();
        logistic(score + self.weights[0])
    }

    /// Slopes per unit of each column, intercept first.
    pub fn coefficients(&self) -> Vec<f64> {
        let slopes: Vec<f64> =
            self.weights[1..].iter().zip(&self.scales).map(|(w, (_, scale))| w * scale).collect();
        let shift: f64 = slopes.iter().zip(&self.scales).map(|(w, (mean, _))| w * mean).sum();
        let mut all = vec![self.weights[0] - shift];
        all.extend(slopes);
        all
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}
