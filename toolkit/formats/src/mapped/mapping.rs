//! The mapping itself: which column goes into which column of which canonical table.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::record::Record;

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// `auto` (byte order mark, else strict UTF-8, else CP932, told by the first line), `utf-8`, `cp932`.
    #[serde(default = "auto")]
    pub encoding: String,
    /// What stands between cells; quotes are known with the comma only.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Has the file a header? Without one columns are named `1`, `2` …
    #[serde(default = "yes")]
    pub header: bool,
    /// Columns that together are the person's key, joined by `:`.
    pub person: Vec<String>,
    /// What a row says.
    pub record: Vec<RecordRule>,
}

/// One record per row, if its condition holds and any of its columns is filled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRule {
    /// Canonical table.
    pub table: String,
    /// Only rows for which this holds.
    pub when: Option<When>,
    /// Canonical column and where its value comes from.
    pub columns: BTreeMap<String, Source>,
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Column of the file.
    pub column: String,
    /// Values for which it holds.
    pub is: Vec<String>,
    /// Holds for all other values instead.
    #[serde(default)]
    pub not: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Column of the file.
    pub column: Option<String>,
    /// A constant instead.
    pub value: Option<String>,
    /// Pattern of a date; it becomes ISO 8601. See [`super::read_date`].
    pub date: Option<String>,
    /// The file's codes and what they become.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
    /// Cells that mean nothing, such as `-` and `99999999`.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Only the number in the cell.
    #[serde(default)]
    pub number: bool,
}

fn auto() -> String {
    "auto".to_owned()
}
fn comma() -> char {
    ','
}
fn yes() -> bool {
    true
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not TOML, not JSON, or not of the shape of a mapping.
    #[error("the mapping cannot be read: {reason}")]
    Text {
        /// What the parser says; a mapping holds no data of persons.
        reason: String,
    },
    /// A table that does not exist.
    #[error("there is no canonical table {table}")]
    Table {
        /// Its name.
        table: String,
    },
    /// A canonical column that does not exist.
    #[error("table {table} has no column {column}")]
    Target {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A source with both or neither of `column` and `value`.
    #[error("column {column} of {table} needs either a column or a value")]
    Source {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// No person, no record, or an unknown encoding.
    #[error("the mapping lacks {what}")]
    Lacks {
        /// What.
        what: &'static str,
    },
    /// The file has no such column.
    #[error("the file has no column {column}")]
    Missing {
        /// Its name in the mapping.
        column: String,
    },
    /// The first line is not of the encoding.
    #[error("the first line is not of the encoding")]
    Encoding,
    /// The quotes of the first line do not close, or it has too many columns.
    #[error("the first line cannot be cut into columns")]
    Quotes,
}

impl MappingError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Text { .. } => {
                "対応表を読めません。TOMLまたはJSONの書式を確認してください。".into()
            }
            Self::Table { table } => format!("対応表の表「{table}」は存在しません。"),
            Self::Target { table, column } => {
                format!("対応表の項目「{table}.{column}」は存在しません。")
            }
            Self::Source { table, column } => {
                format!(
                    "対応表の項目「{table}.{column}」にはcolumnかvalueのどちらか一方が必要です。"
                )
            }
            Self::Lacks { what } => format!("対応表に{what}がありません。"),
            Self::Missing { column } => format!("ファイルに列「{column}」がありません。"),
            Self::Encoding => "1行目の文字コードが対応表と異なります。".into(),
            Self::Quotes => {
                "1行目を列に分けられません。引用符と区切り文字を確認してください。".into()
            }
        }
    }
}

impl Mapping {
    /// Reads and checks a mapping in TOML.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        let read: Result<Self, _> = toml::from_str(text);
        read.map_err(|e| MappingError::Text { reason: e.message().to_owned() })?.checked()
    }

    /// Reads and checks a mapping in JSON.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        let read: Result<Self, _> = serde_json::from_str(text);
        read.map_err(|e| MappingError::Text { reason: e.to_string() })?.checked()
    }

    fn checked(self) -> Result<Self, MappingError> {
        if self.person.is_empty() {
            return Err(MappingError::Lacks { what: "person" });
        }
        if self.record.is_empty() {
            return Err(MappingError::Lacks { what: "record" });
        }
        if !["auto", "utf-8", "cp932"].contains(&self.encoding.as_str()) {
            return Err(MappingError::Lacks { what: "encoding" });
        }
        for rule in &self.record {
            let table = || rule.table.clone();
            let columns = Record::columns_of(&rule.table)
                .ok_or_else(|| MappingError::Table { table: table() })?;
            for (column, source) in &rule.columns {
                if !columns.contains(&column.as_str()) {
                    return Err(MappingError::Target { table: table(), column: column.clone() });
                }
                if source.column.is_some() == source.value.is_some() {
                    return Err(MappingError::Source { table: table(), column: column.clone() });
                }
            }
        }
        Ok(self)
    }
}
