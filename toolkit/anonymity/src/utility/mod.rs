//! What researchers lose: tables and columns compared before and after.
//!
//! Enters: aligned columns (numbers, or codes of categories with missing values), classes of a released table.
//! Leaves: figures, each with its definition. Refuses: columns of different length, categories without a number,
//! parameters out of range; by position, never by value.
//!
//! Missing values (suppressed cells, rows dropped) are left out of moments, and are a category of their own in
//! distributions. A figure that does not exist (the correlation of a constant) is `None`, never 0.

mod classes;
mod correlation;
mod distribution;
mod divergence;
mod logistic;
mod model;
mod moments;
mod propensity;

pub use classes::{ClassUtility, class_utility};
pub use correlation::{
    Correlation, CorrelationChange, correlation_change, correlations, cramers_v,
};
pub use distribution::{
    PrevalenceShift, divergence, pair_divergences, prevalence_shift, total_variation,
};
pub use divergence::class_divergence;
pub use logistic::Logistic;
pub use model::{Performance, auc, performance};
pub use moments::{MomentChange, Moments, moment_change, moments, quantile};
pub use propensity::{Propensity, propensity};

/// Why nothing was compared. Positions only, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UtilityError {
    /// Columns that belong together differ in length, or tables in the number of columns.
    #[error("column {column} has {found} entries, expected {expected}")]
    Length {
        /// Column, from 0.
        column: usize,
        /// Entries found.
        found: usize,
        /// Entries expected.
        expected: usize,
    },
    /// A value is not a finite number.
    #[error("row {row} of column {column} is not a finite number")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },
    /// A parameter is out of its range.
    #[error("parameter {parameter} is out of range")]
    Range {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// A fit did not converge.
    #[error("the logistic regression did not converge")]
    NotConverged,
}

impl UtilityError {
    /// The Japanese sentence for the person who asked.
    pub fn ja(&self) -> String {
        match self {
            Self::Length { column, found, expected } => {
                format!("{}番目の列の要素は{found}個ですが、{expected}個必要です。", column + 1)
            }
            Self::NotFinite { row, column } => {
                format!("{}番目の列の{}行目の値は数値ではありません。", column + 1, row + 1)
            }
            Self::Range { parameter } => format!("パラメータ「{parameter}」が範囲外です。"),
            Self::NotConverged => "ロジスティック回帰が収束しませんでした。".into(),
        }
    }
}

fn same(columns: &[usize]) -> Result<usize, UtilityError> {
    let expected = columns.first().copied().unwrap_or(0);
    for (column, found) in columns.iter().enumerate() {
        if *found != expected {
            return Err(UtilityError::Length { column, found: *found, expected });
        }
    }
    Ok(expected)
}

fn finite(column: usize, values: &[Option<f64>]) -> Result<(), UtilityError> {
    match values.iter().position(|x| x.is_some_and(|x| !x.is_finite())) {
        Some(row) => Err(UtilityError::NotFinite { row, column }),
        None => Ok(()),
    }
}
