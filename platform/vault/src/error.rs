//! Why rows could not be stored, read or traced. Tables, columns and counts only.

use arrow::error::ArrowError;
use kiban_intake::{ReceiveError, rows::RowsError};
use kiban_lake::{KeyError, LakeError};
use kiban_register::StoreError;

/// Why an act on the vault failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The delivery could not be read to its end.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// Rows could not be built.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// Rows could not be rebuilt.
    #[error("the rows of a table could not be processed")]
    Arrow(#[from] ArrowError),
    /// The register could not be read.
    #[error(transparent)]
    Register(#[from] StoreError),
    /// A secret could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Stops were received, or the lake changed, since the delivery was prepared: prepare it again.
    #[error("stops were received or the lake changed since the delivery was prepared")]
    Stale,
    /// There is no such segment of this person in the snapshot.
    #[error("there is no such segment in the snapshot")]
    NoSegment,
    /// The segment's source bytes are not kept, because part of it was refused.
    #[error("the source bytes of the segment are not kept")]
    NoBytes,
    /// A stored column is missing or of another type.
    #[error("column {column} of {table} cannot be read")]
    Column {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// A background task ended early.
    #[error("a background task ended early")]
    Task(#[source] tokio::task::JoinError),
    /// The thread that writes rows ended early.
    #[error("the thread that writes rows ended early")]
    Writer,
}

impl VaultError {
    /// Whether preparing again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Stale | Self::Lake(LakeError::Race | LakeError::Stale))
    }

    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Lake(e) => e.ja(),
            Self::Receive(e) => e.ja(),
            Self::Rows(e) => e.ja(),
            Self::Register(e) => e.ja(),
            Self::Key(e) => e.ja(),
            Self::Arrow(_) => "表の行を組み立てられません。取り込みは行われていません。".to_owned(),
            Self::Stale => {
                "受入れの間に提供停止の求めまたは他の更新がありました。もう一度実行してください。何も保管されていません。".to_owned()
            }
            Self::NoSegment => "指定の原本は、このスナップショットにありません。".to_owned(),
            Self::NoBytes => {
                "この原本は、受け入れられない項目を含むため保管されていません（行だけが保管されています）。".to_owned()
            }
            Self::Column { table, column } => format!("表 {table} の列 {column} を読み取れません。"),
            Self::Task(_) | Self::Writer => "処理が途中で終了しました。もう一度実行してください。".to_owned(),
        }
    }
}
