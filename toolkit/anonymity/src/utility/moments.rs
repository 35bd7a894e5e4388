//! Means, variances and quantiles.

use super::{UtilityError, finite};

/// Moments and quantiles of the known values of a column.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Moments {
    /// Known values.
    pub known: usize,
    /// Missing values.
    pub missing: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Variance (divided by n - 1).
    pub variance: Option<f64>,
    /// Smallest, 5, 25, 50, 75, 95 % and largest.
    pub quantiles: Option<[f64; 7]>,
}

/// Where [`Moments::quantiles`] are taken.
const AT: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

/// Quantile of sorted values by linear interpolation (Hyndman and Fan 1996, type 7). `at` from 0 to 1; 0 if there
/// are no values.
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = at.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// The moments of a column.
///
/// # Errors
/// A value is not finite.
pub fn moments(column: &[Option<f64>]) -> Result<Moments, UtilityError> {
    finite(0, column)?;
    let mut known: Vec<f64> = column.iter().flatten().copied().collect();
    known.sort_unstable_by(f64::total_cmp);
    let n = known.len();
    let mean = (n > 0).then(|| known.iter().sum::<f64>() / n as f64);
    let variance = mean
        .filter(|_| n > 1)
        .map(|mean| known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64);
    let quantiles = (n > 0).then(|| AT.map(|at| quantile(&known, at)));
    Ok(Moments { known: n, missing: column.len() - n, mean, variance, quantiles })
}

/// What happened to a column of numbers.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MomentChange {
    /// Before.
    pub before: Moments,
    /// After.
    pub after: Moments,
    /// Change of the mean in standard deviations of the original.
    pub mean_shift: Option<f64>,
    /// Variance after / before.
    pub variance_ratio: Option<f64>,
    /// Largest change of one of the quantiles, in standard deviations of the original.
    pub quantile_shift: Option<f64>,
    /// Largest distance between the two distribution functions (Kolmogorov and Smirnov).
    pub distribution_distance: Option<f64>,
}

fn kolmogorov(before: &[Option<f64>], after: &[Option<f64>]) -> Option<f64> {
    let sorted = |column: &[Option<f64>]| {
        let mut known: Vec<f64> = column.iter().flatten().copied().collect();
        known.sort_unstable_by(f64::total_cmp);
        known
    };
    let (a, b) = (sorted(before), sorted(after));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (mut i, mut j, mut worst) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        while i < a.len() && a[i] <= at {
            i += 1;
        }
        while j < b.len() && b[j] <= at {
            j += 1;
        }
        worst = worst.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    Some(worst)
}

/// Compare a column before and after; lengths may differ.
///
/// # Errors
/// A value is not finite.
pub fn moment_change(
    before: &[Option<f64>],
    after: &[Option<f64>],
) -> Result<MomentChange, UtilityError> {
    let distribution_distance = kolmogorov(before, after);
    let (before, after) = (moments(before)?, moments(after)?);
    let variance = before.variance.filter(|variance| *variance > 0.0);
    let scaled = |change: f64| variance.map(|variance| change / variance.sqrt());
    let mean_shift = before.mean.zip(after.mean).and_then(|(a, b)| scaled(b - a));
    let quantile_shift = before
        .quantiles
        .zip(after.quantiles)
        .and_then(|(a, b)| scaled(a.iter().zip(b).map(|(a, b)| (b - a).abs()).fold(0.0, f64::max)));
    Ok(MomentChange {
        mean_shift,
        variance_ratio: variance.zip(after.variance).map(|(a, b)| b / a),
        quantile_shift,
        distribution_distance,
        before,
        after,
    })
}
