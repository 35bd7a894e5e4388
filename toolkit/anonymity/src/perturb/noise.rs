//! Additive noise (Kim 1986; Brand 2002; exact moments as in Burridge 2003).

use super::{PerturbError, finite, mean, same_length};
use crate::linear::{back_substitute, cholesky, forward};
use crate::{Chance, Keys};

/// How the noise of several columns hangs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoiseShape {
    /// Each column has noise of its own: variance `share` x that of the column. Correlations shrink.
    #[default]
    Uncorrelated,
    /// Covariances of the noise are `share` x those of the columns: correlations stay.
    Correlated,
}

/// Which moments are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moments {
    /// x + noise: means stay in expectation, variances grow by 1 + `share`.
    #[default]
    Free,
    /// Shrunk back to the mean: means and variances (with correlated noise, covariances, too) stay in expectation.
    Expected,
    /// Means and variances (with correlated noise, covariances, too) of the rows stay exactly, to rounding: noise is
    /// made orthogonal to the columns. Rows of one key no longer have quite the same noise.
    Exact,
}

/// Columns with zero mean, and the means.
fn centred(columns: &[&[f64]]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
    let around = |(column, middle): (&&[f64], &f64)| column.iter().map(|x| x - middle).collect();
    let centred = columns.iter().zip(&means).map(around).collect();
    (means, centred)
}

/// Products of centred columns, divided by the rows.
fn covariances(left: &[Vec<f64>], right: &[Vec<f64>]) -> Vec<f64> {
    let rows = left.first().map_or(1, Vec::len).max(1) as f64;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / rows;
    left.iter().flat_map(|a| right.iter().map(move |b| dot(a, b))).collect()
}

/// Add normal noise with `share` times the variance of each column.
///
/// Noise is drawn by key: rows of one key (a person) move by the same amount, so that differences inside a person
/// stay, and repeated rows give nothing away (but see [`Moments::Exact`]).
///
/// # Guarantee
/// As [`Moments`] says. A constant column stays as it is (uncorrelated noise).
/// # Errors
/// `share` is not above 0 and finite, keys are missing, a value is no finite number; [`PerturbError::Singular`] if
/// correlated noise is asked for columns of which one follows from the others; too few rows for exact moments.
pub fn add_noise(
    columns: &[&[f64]],
    share: f64,
    shape: NoiseShape,
    moments: Moments,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<Vec<Vec<f64>>, PerturbError> {
    let rows = finite(columns)?;
    same_length(keys, rows)?;
    if !(share > 0.0 && share.is_finite()) {
        return Err(PerturbError::Range { parameter: "share" });
    }
    if rows == 0 {
        return Ok(vec![Vec::new(); columns.len()]);
    }
    let mut noise: Vec<Vec<f64>> = vec![Vec::with_capacity(rows); columns.len()];
    for row in 0..rows {
        let mut stream = chance.record(keys, row);
        for column in &mut noise {
            column.push(stream.normal());
        }
    }
    let (means, centred) = centred(columns);
    let width = columns.len();
    match shape {
        NoiseShape::Uncorrelated => {
            for (column, noise) in centred.iter().zip(&mut noise) {
                let parts = (core::slice::from_ref(column), core::slice::from_mut(noise));
                shape_noise(parts.0, parts.1, share, moments, true)?;
            }
        }
        NoiseShape::Correlated => shape_noise(&centred, &mut noise, share, moments, false)?,
    }
    let shrink = if moments == Moments::Free { 1.0 } else { 1.0 / (1.0 + share).sqrt() };
    for at in 0..width {
        for (noise, x) in noise[at].iter_mut().zip(&centred[at]) {
            *noise = means[at] + (x + *noise) * shrink;
        }
    }
    Ok(noise)
}

/// Turn independent standard noise into noise with `share` times the covariances of the centred columns.
fn shape_noise(
    centred: &[Vec<f64>],
    noise: &mut [Vec<f64>],
    share: f64,
    moments: Moments,
    constant_allowed: bool,
) -> Result<(), PerturbError> {
    let width = centred.len();
    let covariance = covariances(centred, centred);
    if constant_allowed && covariance.iter().all(|c| *c == 0.0) {
        for column in noise.iter_mut() {
            column.fill(0.0);
        }
        return Ok(());
    }
    let lower = cholesky(&covariance, width).ok_or(PerturbError::Singular)?;
    let own = if moments == Moments::Exact {
        let (rows, needed) = (centred[0].len(), 2 * width + 2);
        if rows < needed {
            return Err(PerturbError::TooFew { rows, needed });
        }
        for column in noise.iter_mut() {
            let middle = mean(column);
            for e in column.iter_mut() {
                *e -= middle;
            }
            // Twice, so that what rounding left of the columns goes, too.
            for _ in 0..2 {
                let mut slopes = covariances(centred, core::slice::from_ref(column));
                back_substitute(&lower, &mut slopes);
                for (slope, x) in slopes.iter().zip(centred) {
                    column.iter_mut().zip(x).for_each(|(e, x)| *e -= slope * x);
                }
            }
        }
        Some(cholesky(&covariances(noise, noise), width).ok_or(PerturbError::Singular)?)
    } else {
        None
    };
    let scale = share.sqrt();
    let mut point = vec![0.0; width];
    for row in 0..centred[0].len() {
        for (at, column) in noise.iter().enumerate() {
            point[at] = column[row];
        }
        if let Some(own) = &own {
            forward(own, &mut point);
        }
        for (at, column) in noise.iter_mut().enumerate() {
            let dot: f64 = (0..=at).map(|k| lower[at * width + k] * point[k]).sum();
            column[row] = dot * scale;
        }
    }
    Ok(())
}
