//! Correlations.

use super::{UtilityError, finite, same};
use hashbrown::HashMap;

/// Which correlation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// Of the values.
    Pearson,
    /// Of the ranks, equal values sharing their mean rank.
    Spearman,
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (a, b) = (x - mx, y - my);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same =
            order[from..].iter().take_while(|at| values[**at] <= values[order[from]]).count();
        for at in &order[from..from + same] {
            ranks[*at] = from as f64 + (same - 1) as f64 / 2.0;
        }
        from += same;
    }
    ranks
}

/// All pairs (row by row) over the rows where both are known; `None` where a column is constant there.
///
/// # Errors
/// Columns differ in length, or a value is not finite.
pub fn correlations(
    columns: &[&[Option<f64>]],
    kind: Correlation,
) -> Result<Vec<Vec<Option<f64>>>, UtilityError> {
    same(&columns.iter().map(|column| column.len()).collect::<Vec<_>>())?;
    for (at, column) in columns.iter().enumerate() {
        finite(at, column)?;
    }
    let mut matrix = vec![vec![None; columns.len()]; columns.len()];
    for a in 0..columns.len() {
        for b in a..columns.len() {
            let both = columns[a].iter().zip(columns[b]).filter_map(|(x, y)| (*x).zip(*y));
            let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
            let found = match kind {
                Correlation::Pearson => pearson(&x, &y),
                Correlation::Spearman => pearson(&ranks(&x), &ranks(&y)),
            };
            (matrix[a][b], matrix[b][a]) = (found, found);
        }
    }
    Ok(matrix)
}

/// Two matrices of correlations.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CorrelationChange {
    /// Before.
    pub before: Vec<Vec<Option<f64>>>,
    /// After.
    pub after: Vec<Vec<Option<f64>>>,
    /// Largest change, of the pairs that exist in both.
    pub largest: f64,
    /// Pairs that exist in only one of them.
    pub lost: usize,
}

/// Correlations before and after.
///
/// # Errors
/// As [`correlations`]; the tables differ in the number of columns.
pub fn correlation_change(
    before: &[&[Option<f64>]],
    after: &[&[Option<f64>]],
    kind: Correlation,
) -> Result<CorrelationChange, UtilityError> {
    same(&[before.len(), after.len()])?;
    let (before, after) = (correlations(before, kind)?, correlations(after, kind)?);
    let (mut largest, mut lost) = (0.0_f64, 0);
    for a in 0..before.len() {
        for b in a + 1..before.len() {
            match (before[a][b], after[a][b]) {
                (Some(x), Some(y)) => largest = largest.max((x - y).abs()),
                (None, None) => {}
                _ => lost += 1,
            }
        }
    }
    Ok(CorrelationChange { before, after, largest, lost })
}

/// Cramér's V of two columns of categories, over the rows where both are known, 0 to 1; `None` if one of them has a
/// single category there.
///
/// # Errors
/// Columns differ in length.
pub fn cramers_v(a: &[Option<u32>], b: &[Option<u32>]) -> Result<Option<f64>, UtilityError> {
    same(&[a.len(), b.len()])?;
    let mut joint: HashMap<(u32, u32), f64> = HashMap::new();
    let (mut left, mut right): (HashMap<u32, f64>, HashMap<u32, f64>) = Default::default();
    let mut n = 0.0;
    for (x, y) in a.iter().zip(b).filter_map(|(x, y)| (*x).zip(*y)) {
        *joint.entry((x, y)).or_insert(0.0) += 1.0;
        *left.entry(x).or_insert(0.0) += 1.0;
        *right.entry(y).or_insert(0.0) += 1.0;
        n += 1.0;
    }
    let least = left.len().min(right.len());
    if least < 2 {
        return Ok(None);
    }
    // Chi-square / n = sum of n_xy^2 / (n_x n_y) - 1, in a fixed order.
    let mut cells: Vec<((u32, u32), f64)> = joint.into_iter().collect();
    cells.sort_unstable_by_key(|(key, _)| *key);
    let share: f64 = cells.iter().map(|((x, y), n)| n * n / (left[x] * right[y])).sum();
    debug_assert!(n > 0.0);
    Ok(Some(((share - 1.0).max(0.0) / (least - 1) as f64).sqrt().min(1.0)))
}
