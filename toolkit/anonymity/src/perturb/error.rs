//! Why columns could not be perturbed.

/// Why columns could not be perturbed. Positions and names of parameters only, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PerturbError {
    /// A parameter is out of its range.
    #[error("parameter {parameter} is out of range")]
    Range {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// A column is shorter or longer than the first.
    #[error("column {column} has {found} rows, the first has {expected}")]
    Length {
        /// Column, from 0.
        column: usize,
        /// Its rows.
        found: usize,
        /// Rows of the first column.
        expected: usize,
    },
    /// There is not one key per row.
    #[error("there are {found} keys for {expected} rows")]
    Keys {
        /// Keys given.
        found: usize,
        /// Rows.
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
    /// A code has no place in the table of transitions.
    #[error("the code of row {row} has no transition")]
    Code {
        /// Row, from 0.
        row: usize,
    },
    /// A row of a matrix of transitions is no distribution.
    #[error("row {row} of the transitions is not a distribution")]
    NotStochastic {
        /// Row of the matrix, from 0.
        row: usize,
    },
    /// A matrix has no inverse.
    #[error("the matrix has no inverse")]
    Singular,
    /// Too few rows.
    #[error("there are {rows} rows, at least {needed} are needed")]
    TooFew {
        /// Rows.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A shifted date is out of the calendar's range.
    #[error("the date of row {row} cannot be shifted")]
    Date {
        /// Row, from 0.
        row: usize,
    },
}

impl PerturbError {
    /// The Japanese sentence for the person who chose the method.
    pub fn ja(&self) -> String {
        match self {
            Self::Range { parameter } => format!("パラメータ「{parameter}」が範囲外です。"),
            Self::Length { column, found, expected } => {
                format!("{}番目の列は{found}行ですが、最初の列は{expected}行です。", column + 1)
            }
            Self::Keys { found, expected } => {
                format!("行は{expected}行ですが、個人の番号は{found}個です。")
            }
            Self::NotFinite { row, column } => {
                format!("{}番目の列の{}行目の値は数値ではありません。", column + 1, row + 1)
            }
            Self::Code { row } => format!("{}行目のコードは遷移行列にありません。", row + 1),
            Self::NotStochastic { row } => {
                format!("遷移行列の{}行目は確率分布ではありません(0以上、合計1)。", row + 1)
            }
            Self::Singular => "行列に逆行列がないため計算できません。".into(),
            Self::TooFew { rows, needed } => {
                format!("行数が足りません({rows}行、{needed}行以上必要)。")
            }
            Self::Date { row } => {
                format!("{}行目の日付は暦の範囲を超えるためずらせません。", row + 1)
            }
        }
    }
}
