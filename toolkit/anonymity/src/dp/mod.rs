//! (ε, δ)-differential privacy for counts, histograms and k-anonymized samples.
//!
//! Enters: counts per cell with bounded contributions, or a table with hierarchies, and a budget. Leaves: noisy
//! whole numbers with the accuracy they have, or records. Refuses: budgets out of range, and whatever would exceed
//! the budget.
//!
//! Neighbours differ in one person, who is there or not. Noise is drawn exactly, from whole random numbers: no
//! floating point takes part in a draw, so that the holes of floating-point noise (Mironov 2012) do not occur.
//! Parameters become fractions rounded to the private side. A seed serves one release: the same noise on two
//! versions of the data would cancel out.

mod account;
mod delta;
mod exact;
mod histogram;
mod noise;
mod safe;

pub use account::{Accounting, Budget, Odometer, Spending};
pub use delta::{safe_delta, safe_k};
pub use histogram::{Released, StableHistogram, bounded_counts, release_counts, stable_histogram};
pub use noise::{Gaussian, Laplace, Noise};
pub use safe::{Choice, SafeAnswer, SafeSettings, safe_anonymize};

/// Why nothing was released. Names of parameters and positions only.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DpError {
    /// A parameter is out of its range.
    #[error("parameter {parameter} is out of range")]
    Range {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// The budget does not allow it; nothing was spent.
    #[error("the release would spend epsilon = {epsilon}, delta = {delta} in all, over the budget")]
    Budget {
        /// ε that would be spent in all.
        epsilon: f64,
        /// δ that would be spent in all.
        delta: f64,
    },
    /// Concentrated privacy has no ε without δ: basic and advanced accounting cannot add it up.
    #[error("this accounting cannot add up concentrated differential privacy")]
    Concentrated,
    /// A cell is outside of the domain.
    #[error("the cell of row {row} is outside of the domain")]
    Cell {
        /// Row, from 0.
        row: usize,
    },
    /// There is not one key per row.
    #[error("there are {found} keys for {expected} rows")]
    Keys {
        /// Keys given.
        found: usize,
        /// Rows.
        expected: usize,
    },
    /// Too many generalisations to choose from.
    #[error("there are {nodes} generalisations to choose from, at most {most} are possible")]
    TooManyNodes {
        /// Generalisations.
        nodes: u128,
        /// Most.
        most: u128,
    },
}

impl DpError {
    /// The Japanese sentence for the person who asked.
    pub fn ja(&self) -> String {
        match self {
            Self::Range { parameter } => format!("パラメータ「{parameter}」が範囲外です。"),
            Self::Budget { epsilon, delta } => format!(
                "プライバシー予算を超えるため公表できません(実行後の合計 ε={epsilon:.6}、δ={delta:e})。"
            ),
            Self::Concentrated => {
                "この計上方法では集中型の差分プライバシーを合算できません。".into()
            }
            Self::Cell { row } => format!("{}行目の区分は定義域にありません。", row + 1),
            Self::Keys { found, expected } => {
                format!("行は{expected}行ですが、個人の番号は{found}個です。")
            }
            Self::TooManyNodes { nodes, most } => {
                format!("一般化の候補が{nodes}通りあります(上限{most})。候補を絞ってください。")
            }
        }
    }
}

fn share_open(value: f64, parameter: &'static str) -> Result<f64, DpError> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(DpError::Range { parameter }) }
}
