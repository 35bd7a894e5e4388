//! Why a product could not be made. Tables, columns and counts only, never values.

use kiban_anonymity::ClassError;
use kiban_kernel::{EntropyError, Product};
use kiban_lake::{LakeError, plan::DataFusionError};

use crate::payload::PayloadError;

/// Why a product could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProduceError {
    /// The specification was checked for the other product.
    #[error("the specification was checked for {}", .checked_for.as_str())]
    WrongProduct {
        /// For which.
        checked_for: Product,
    },
    /// The specification is about a plain table.
    #[error("the specification is about a plain table, not about the canonical tables")]
    NotCanonical,
    /// A declared column is not in the data.
    #[error("the data have no column {table}.{column}")]
    MissingColumn {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// A fixed id stands for one person only.
    #[error("a fixed id is for one person, the data hold {persons}")]
    FixedIdForMany {
        /// How many there are.
        persons: u64,
    },
    /// A table's rows do not add up: rows in are not rows out plus removals.
    #[error("rows of {table} do not add up")]
    RowsDoNotAddUp {
        /// Which table.
        table: String,
    },
    /// No levels could be chosen.
    #[error("no levels could be chosen")]
    Search(#[from] crate::spec::SearchError),
    /// The lake cannot be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// The engine failed.
    #[error("the engine failed")]
    Engine(#[from] DataFusionError),
    /// A batch of rows cannot be handled.
    #[error("rows cannot be handled")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Classes cannot be counted.
    #[error("classes cannot be counted")]
    Classes(#[from] ClassError),
    /// An adversary cannot be measured.
    #[error("an adversary cannot be measured")]
    Adversary(#[from] kiban_anonymity::holdings::HoldingsError),
    /// The payload cannot be written.
    #[error("the payload cannot be written")]
    Payload(#[from] PayloadError),
    /// No random numbers for keys.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl ProduceError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::WrongProduct { checked_for } => {
                format!(
                    "加工仕様書は{}として検査されています。作成するものに合わせて検査し直してください。",
                    checked_for.label_ja()
                )
            }
            Self::NotCanonical => {
                "単一の表についての加工仕様書です。実運用では標準スキーマの表を宣言してください。"
                    .to_owned()
            }
            Self::MissingColumn { table, column } => format!(
                "データの表 {table} に列 {column} がありません。列名を確かめるか、仕様書から宣言を除いてください。"
            ),
            Self::FixedIdForMany { persons } => {
                format!("固定の番号は1人のときだけ使えます（データには{persons}人います）。")
            }
            Self::RowsDoNotAddUp { table } => {
                format!("表 {table} の行数が合いません（入力＝出力＋除外）。出力を中止しました。")
            }
            Self::Search(e) => e.ja(),
            Self::Lake(e) => e.ja(),
            Self::Engine(e) => kiban_lake::ClusterError::within(e).map_or_else(
                || "加工の実行中に内部エラーが起きました。出力はありません。".to_owned(),
                kiban_lake::ClusterError::ja,
            ),
            Self::Arrow(_) | Self::Classes(_) => {
                "加工の途中で行を処理できません。出力はありません。".to_owned()
            }
            Self::Adversary(e) => e.ja(),
            Self::Payload(e) => e.ja(),
            Self::Entropy(_) => "乱数を得られないため鍵を作れません。".to_owned(),
        }
    }
}
