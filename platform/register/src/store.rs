//! What reading and writing the register's tables share.

use std::str::FromStr;

use sqlx::{Row as _, any::AnyRow};

/// A table of the register could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed.
    #[error("the governance database failed")]
    Db(#[from] sqlx::Error),
    /// A stored value does not parse.
    #[error("column {column} of {table} holds what this version cannot read")]
    Malformed {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// There is none.
    #[error("no such {what}")]
    Missing {
        /// What was asked for.
        what: &'static str,
    },
    /// A field that must be filled is empty.
    #[error("{field} is empty")]
    Empty {
        /// Which field.
        field: &'static str,
    },
}

impl StoreError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Db(_) => {
                "データベースを読み書きできません。管理者に知らせてください。".to_owned()
            }
            Self::Malformed { table, column } => {
                format!("登録簿（{table} の {column}）を読み取れません。管理者に知らせてください。")
            }
            Self::Missing { what } => format!("登録がありません（{what}）。先に登録してください。"),
            Self::Empty { field } => format!("「{field}」が空です。入力してください。"),
        }
    }
}

pub(crate) fn text(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<String, StoreError> {
    row.try_get::<String, _>(column).map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn maybe(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<String>, StoreError> {
    row.try_get::<Option<String>, _>(column).map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn maybe_int(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<i64>, StoreError> {
    row.try_get::<Option<i64>, _>(column).map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn int(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<i64, StoreError> {
    row.try_get::<i64, _>(column).map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn parsed<T: FromStr>(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    text(row, table, column)?.parse().map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn maybe_parsed<T: FromStr>(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    maybe(row, table, column)?
        .map(|t| t.parse().map_err(|_| StoreError::Malformed { table, column }))
        .transpose()
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(&text(row, table, column)?)
        .map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn to_json<T: serde::Serialize>(
    value: &T,
    table: &'static str,
    column: &'static str,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Malformed { table, column })
}

pub(crate) fn filled(value: &str, field: &'static str) -> Result<(), StoreError> {
    if value.trim().is_empty() { Err(StoreError::Empty { field }) } else { Ok(()) }
}
