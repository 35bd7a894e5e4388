//! Can a model tell original rows from released ones? (Snoke, Raab, Nowok, Dibben and Slavkovic 2018)

use super::{Logistic, UtilityError, same};

/// The propensity score of a release.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Propensity {
    /// Mean of (p - c)²: p a row's estimated probability to be released, c the share of released rows. 0: cannot be
    /// told apart; c (1 - c): perfectly.
    pub pmse: f64,
    /// Its expectation for rows drawn from a correct model that was fitted to the original: terms x (1 - c)² c / rows.
    /// (Two independent samples of one population differ by 1 / (1 - c) times as much.)
    pub expected: f64,
    /// pmse / expected; about 1 for a correct synthesis.
    pub ratio: f64,
}

/// Fit a logistic regression of "released" on the columns, their squares if asked for, and all products of two of them.
///
/// # Errors
/// The tables differ in their number of columns, columns of one table in length; or no convergence.
pub fn propensity(
    before: &[&[f64]],
    after: &[&[f64]],
    interactions: bool,
) -> Result<Propensity, UtilityError> {
    same(&[before.len(), after.len()])?;
    let n = same(&before.iter().map(|column| column.len()).collect::<Vec<_>>())?;
    let m = same(&after.iter().map(|column| column.len()).collect::<Vec<_>>())?;
    if n == 0 || m == 0 {
        return Err(UtilityError::Range { parameter: "rows" });
    }
    let mut columns: Vec<Vec<f64>> =
        before.iter().zip(after).map(|(a, b)| [*a, *b].concat()).collect();
    for (at, column) in columns.iter().enumerate() {
        if let Some(row) = column.iter().position(|x| !x.is_finite()) {
            return Err(UtilityError::NotFinite { row, column: at });
        }
    }
    if interactions {
        let width = columns.len();
        // Around the mean, so that products are not merely the columns again.
        for column in &mut columns {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            for x in column {
                *x -= mean;
            }
        }
        for a in 0..width {
            for b in a..width {
                let product =
                    columns[a].iter().zip(&columns[b]).map(|(x, y)| x * y).collect::<Vec<_>>();
                columns.push(product);
            }
        }
    }
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let released: Vec<bool> = (0..n + m).map(|row| row >= n).collect();
    let rows: Vec<usize> = (0..n + m).collect();
    let model = Logistic::fit(&views, &released, &rows, 1e-8)?;
    let all = (n + m) as f64;
    let c = m as f64 / all;
    let pmse =
        rows.iter().map(|row| (model.probability(&views, *row) - c).powi(2)).sum::<f64>() / all;
    let expected = views.len() as f64 * (1.0 - c).powi(2) * c / all;
    Ok(Propensity { pmse, expected, ratio: if expected > 0.0 { pmse / expected } else { 0.0 } })
}
