//! Why a sheet was refused.

use crate::HierarchyError;
use crate::dp::DpError;
use crate::perturb::PerturbError;
use crate::setvalued::SetError;
use crate::tool::ToolError;
use crate::utility::UtilityError;

/// Why a sheet was refused. Rows and names only, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// The table, a column or a line.
    #[error(transparent)]
    Table(#[from] ToolError),
    /// Text where a number is needed.
    #[error("row {row} of column {column:?} is not a number")]
    NotNumber {
        /// Row of the data, from 1, without the header.
        row: u64,
        /// Name of the column.
        column: String,
    },
    /// No column was named.
    #[error("no column was named")]
    NoColumn,
    /// A method refused.
    #[error(transparent)]
    Perturb(#[from] PerturbError),
    /// Sets of items were refused.
    #[error(transparent)]
    Sets(#[from] SetError),
    /// The hierarchy of the items was refused.
    #[error("hierarchy of the items")]
    Hierarchy(#[source] HierarchyError),
    /// Differential privacy refused.
    #[error(transparent)]
    Privacy(#[from] DpError),
    /// The comparison refused.
    #[error(transparent)]
    Utility(#[from] UtilityError),
}

impl From<HierarchyError> for SheetError {
    fn from(error: HierarchyError) -> Self {
        Self::Hierarchy(error)
    }
}

impl SheetError {
    /// The Japanese sentence for the person at the command line.
    pub fn ja(&self) -> String {
        match self {
            Self::Table(error) => error.ja(),
            Self::NotNumber { row, column } => {
                format!("「{column}」の{row}行目の値は数値ではありません。")
            }
            Self::NoColumn => "列が指定されていません。".into(),
            Self::Perturb(error) => error.ja(),
            Self::Sets(error) => error.ja(),
            Self::Hierarchy(error) => error.ja(),
            Self::Privacy(error) => error.ja(),
            Self::Utility(error) => error.ja(),
        }
    }
}
