//! What can go wrong with a run of the tool.

use super::ModelText;
use crate::{AnonymizeError, HierarchyError, ModelError, TableError};

/// Why the tool refused. Lines and names only, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The input cannot be read.
    #[error("the data cannot be read")]
    Read(#[source] std::io::Error),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] std::io::Error),
    /// A line is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// Line, from 1.
        line: u64,
    },
    /// A quote is opened and not closed.
    #[error("the quote opened in the record of line {line} is not closed")]
    UnclosedQuote {
        /// First line of the record, from 1.
        line: u64,
    },
    /// The delimiter is a quote or a line break.
    #[error("the delimiter cannot be a quote or a line break")]
    Delimiter,
    /// There is no header line.
    #[error("the data have no header line")]
    NoHeader,
    /// A column was named that the header lacks.
    #[error("the data have no column {column:?}")]
    Column {
        /// Name asked for.
        column: String,
    },
    /// A column was named that the header has more than once.
    #[error("the header has the column {column:?} more than once")]
    ColumnTwice {
        /// Name asked for.
        column: String,
    },
    /// A column was given two roles, or one role twice.
    #[error("the column {column:?} is named twice")]
    NamedTwice {
        /// Name of the column.
        column: String,
    },
    /// An attribute without a hierarchy.
    #[error("there is no hierarchy for the attribute {attribute:?}")]
    NoHierarchy {
        /// Name of the attribute.
        attribute: String,
    },
    /// A hierarchy was refused.
    #[error("hierarchy of {attribute:?}")]
    Hierarchy {
        /// Name of the attribute.
        attribute: String,
        /// Why.
        #[source]
        source: HierarchyError,
    },
    /// A line has another number of columns than the header.
    #[error("line {line} has {found} columns, the header has {expected}")]
    Width {
        /// Line, from 1 (the header).
        line: u64,
        /// Columns of the line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A model cannot be parsed.
    #[error("model {position}: {problem}")]
    Model {
        /// Position among the models, from 1.
        position: usize,
        /// What is wrong with it.
        problem: ModelText,
    },
    /// The table was refused.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A row of the population table was refused.
    #[error("population table")]
    PopulationTable(#[source] TableError),
    /// The question was refused, or has no answer.
    #[error(transparent)]
    Anonymize(#[from] AnonymizeError),
    /// What is to be attacked was refused.
    #[error(transparent)]
    Holdings(#[from] crate::holdings::HoldingsError),
    /// A pair names a person that one of the files lacks.
    #[error("line {line} of the pairs names a person that is not in the data")]
    Pair {
        /// Line, from 1.
        line: u64,
    },
    /// The files have different numbers of rows, and no pairs were given.
    #[error("the original has {original} rows, the release {released}, and there are no pairs")]
    Rows {
        /// Rows of the original.
        original: u64,
        /// Rows of the release.
        released: u64,
    },
    /// The population of an estimate is smaller than the data.
    #[error("the population is smaller than the data")]
    Population,
    /// The data were changed while the tool worked on them.
    #[error("the data changed between the first and the second reading")]
    Changed,
}

impl From<ModelError> for ToolError {
    fn from(error: ModelError) -> Self {
        Self::Anonymize(error.into())
    }
}

impl ToolError {
    /// The Japanese sentence for the person at the command line.
    pub fn ja(&self) -> String {
        match self {
            Self::Read(_) => "データを読み取れません。".into(),
            Self::Write(_) => "出力を書き込めません。".into(),
            Self::NotUtf8 { line } => {
                format!("{line}行目がUTF-8ではありません。文字コードをUTF-8に変換してください。")
            }
            Self::UnclosedQuote { line } => {
                format!("{line}行目から始まる引用符(\")が閉じられていません。")
            }
            Self::Delimiter => "区切り文字に引用符や改行は使えません。".into(),
            Self::NoHeader => "データに見出し行がありません。".into(),
            Self::Column { column } => {
                format!("データに列「{column}」がありません。列名を確認してください。")
            }
            Self::ColumnTwice { column } => {
                format!("見出しに列「{column}」が二つ以上あります。列名を一意にしてください。")
            }
            Self::NamedTwice { column } => format!(
                "列「{column}」が二度指定されています。準識別子、機微な属性などの役割は一列に一つです。"
            ),
            Self::NoHierarchy { attribute } => format!(
                "「{attribute}」の階層ファイルがありません。--hierarchies のフォルダに {attribute}.csv を置いてください。"
            ),
            Self::Hierarchy { attribute, source } => format!("「{attribute}」:{}", source.ja()),
            Self::Width { line, found, expected } => {
                format!("{line}行目は{found}列ですが、見出しは{expected}列です。")
            }
            Self::Model { position, problem } => {
                format!("{position}番目の --model を解釈できません:{}", problem.ja())
            }
            Self::Table(error) => error.ja(),
            Self::PopulationTable(error) => format!("母集団の表:{}", error.ja()),
            Self::Anonymize(error) => error.ja(),
            Self::Holdings(error) => error.ja(),
            Self::Pair { line } => {
                format!("対応表の{line}行目の人が、元データか加工データにいません。")
            }
            Self::Rows { original, released } => format!(
                "元データは{original}行、加工データは{released}行です。行の順で対応づけられないため、--truth に対応表を指定してください。"
            ),
            Self::Population => "母集団の人数がデータの行数より小さくなっています。".into(),
            Self::Changed => {
                "処理中にデータが書き換えられました。出力は使わず、もう一度実行してください。"
                    .into()
            }
        }
    }
}
