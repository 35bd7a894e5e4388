//! Why an act on the lake failed. Tables, columns, counts and acts only, never a value.

use std::io;

use kiban_kernel::EntropyError;

/// Why a key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The folder already holds a deployment key.
    #[error("the folder already holds a deployment key")]
    Exists,
    /// A key file is not there.
    #[error("a key file is missing")]
    Missing,
    /// Others than the owner may read a key file.
    #[error("a key file can be read by others than its owner")]
    Permissions,
    /// A key file is not of the known shape.
    #[error("a key file is malformed")]
    Malformed,
    /// A wrapped key does not open: another deployment key, another name, or changed.
    #[error("a wrapped key does not open with this deployment's key")]
    Unwrap,
    /// The ring holds no key of that id and class.
    #[error("the key ring holds no such key")]
    UnknownKey,
    /// The cipher refused.
    #[error("the cipher failed")]
    Cipher,
    /// No random numbers.
    #[error("no random numbers")]
    Entropy(#[source] EntropyError),
    /// Reading or writing failed.
    #[error("could not {act}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The governance database failed.
    #[error("the governance database failed")]
    Database(#[source] sqlx::Error),
}

impl KeyError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Exists => "このフォルダーには既に鍵があります。別のフォルダーを指定してください。",
            Self::Missing => "鍵ファイルが見つかりません。鍵フォルダーの指定を確認してください。",
            Self::Permissions => "鍵ファイルを所有者以外が読める状態です。権限を 600 にしてください。",
            Self::Malformed => "鍵ファイルの形式が正しくありません。控えから戻してください。",
            Self::Unwrap | Self::UnknownKey => {
                "保管されている鍵を、この環境の鍵で開けません。鍵フォルダーとデータベースの組合せを確認してください。"
            }
            Self::Cipher | Self::Entropy(_) => "暗号処理に失敗しました。システムの状態を確認してください。",
            Self::Io { .. } => "鍵ファイルを読み書きできません。空き容量と権限を確認してください。",
            Self::Database(_) => "データベースの処理に失敗しました。変更は行われていません。",
        }
        .into()
    }
}

/// Why a sealed file does not open, or could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Does not begin as a sealed file does.
    #[error("not a sealed file")]
    Format,
    /// No sealed file has this size: it was cut or lengthened.
    #[error("no sealed file has this size")]
    Size,
    /// A piece was changed, cut, moved, or belongs to another file or path.
    #[error("piece {piece} does not authenticate")]
    Tampered {
        /// Number of the piece, from 0.
        piece: u64,
    },
    /// The path's first part names no data class.
    #[error("the path lies under no data class")]
    NoClass,
    /// A range lies outside the file.
    #[error("the range lies outside the file")]
    Range,
    /// The upload was already completed or aborted.
    #[error("the upload is closed")]
    Closed,
    /// A key is missing or refused.
    #[error("the key failed")]
    Key(#[source] KeyError),
    /// Writing failed.
    #[error("could not write")]
    Io(#[source] io::Error),
}

/// Why rows could not be written as, or read from, a table file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableFileError {
    /// A declared column is not there.
    #[error("column {column} is missing")]
    MissingColumn {
        /// Its name.
        column: String,
    },
    /// A column that is not declared.
    #[error("column {column} is not declared")]
    UnknownColumn {
        /// Its name.
        column: String,
    },
    /// A column of another type.
    #[error("column {column} has another type")]
    ColumnType {
        /// Its name.
        column: String,
    },
    /// A column that may not be empty is.
    #[error("column {column} is empty in {rows} rows")]
    Empty {
        /// Its name.
        column: String,
        /// In how many rows.
        rows: usize,
    },
    /// Arrow refused.
    #[error("the rows could not be processed")]
    Arrow(#[source] arrow::error::ArrowError),
    /// Parquet refused.
    #[error("the table file could not be written or read")]
    Parquet(#[source] parquet::errors::ParquetError),
}

/// Why an act on the lake failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// No table of that name.
    #[error("there is no table of that name")]
    UnknownTable,
    /// Rows do not fit their table.
    #[error("rows do not fit table {table}")]
    Rows {
        /// The table.
        table: &'static str,
        /// Which column and how.
        #[source]
        source: TableFileError,
    },
    /// A row's person is not an id.
    #[error("row {row} of table {table} names no person")]
    Person {
        /// The table.
        table: &'static str,
        /// The row, from 0.
        row: usize,
    },
    /// No such snapshot.
    #[error("there is no snapshot {at}; the newest is {head}")]
    NoSnapshot {
        /// Asked for.
        at: u64,
        /// The newest.
        head: u64,
    },
    /// Files were added or erased since the erasure was prepared: prepare it again.
    #[error("the lake changed since the erasure was prepared")]
    Stale,
    /// Another writer took the snapshot number: roll back and try again.
    #[error("another writer was faster")]
    Race,
    /// Key rows of the segment's person are gone: the bytes can never be read again.
    #[error("the segment's key was destroyed")]
    Shredded,
    /// No room left.
    #[error("the disk is full")]
    DiskFull(#[source] io::Error),
    /// The catalog is older than the lake's folder: one of them was put back from a copy.
    #[error("the catalog ends at snapshot {head}, the lake's folder has seen {known}")]
    RolledBack {
        /// The newest snapshot the folder has seen.
        known: u64,
        /// The catalog's newest.
        head: u64,
    },
    /// Reading or writing failed.
    #[error("could not {act}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A sealed file does not open.
    #[error("a sealed file failed")]
    Seal(#[source] SealError),
    /// A table file does not read.
    #[error("a table file failed")]
    TableFile(#[source] TableFileError),
    /// A key failed.
    #[error("a key failed")]
    Key(#[source] KeyError),
    /// The governance database failed.
    #[error("the governance database failed")]
    Database(#[source] sqlx::Error),
    /// The catalog holds something this software never writes.
    #[error("the lake's catalog is inconsistent in {table}.{column}")]
    Catalog {
        /// Table of the governance database.
        table: &'static str,
        /// Its column.
        column: &'static str,
    },
    /// The engine failed.
    #[error("the engine failed")]
    Engine(#[source] Box<datafusion::error::DataFusionError>),
    /// The cluster could not be used.
    #[error("the cluster failed")]
    Cluster(#[source] crate::ClusterError),
    /// A background task was cancelled or panicked.
    #[error("a background task ended early")]
    Task(#[source] tokio::task::JoinError),
}

impl LakeError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::UnknownTable => "その名前の表はありません。".into(),
            Self::Rows { table, .. } => format!("表 {table} の定義に合わない行があります。取り込みは行われていません。"),
            Self::Person { table, row } => {
                format!("表 {table} の {row} 行目に本人IDがありません。取り込みは行われていません。")
            }
            Self::NoSnapshot { at, head } => format!("スナップショット {at} はありません（最新は {head}）。"),
            Self::Stale | Self::Race => "他の処理が同時に更新しました。もう一度実行してください。".into(),
            Self::Shredded => "この原本は利用停止により消去されています。".into(),
            Self::DiskFull(_) => "ディスクに空きがありません。空きを作って、もう一度実行してください。変更は行われていません。".into(),
            Self::RolledBack { known, head } => format!(
                "データベース（スナップショット {head}）が保管庫（{known}）より古いため、停止しました。\
                 同じ時点の控えを戻してください。ファイルは消していません。"
            ),
            Self::Io { .. } => "保管庫のファイルを読み書きできません。権限とディスクの状態を確認してください。変更は行われていません。".into(),
            Self::Seal(_) | Self::TableFile(_) => {
                "保管庫のファイルが壊れているか、書き換えられています。検証（audit verify）を実行してください。".into()
            }
            Self::Key(e) => e.ja(),
            Self::Database(_) => "データベースの処理に失敗しました。変更は行われていません。".into(),
            Self::Catalog { .. } => "保管庫の目録に矛盾があります。検証（audit verify）を実行してください。".into(),
            Self::Cluster(e) => e.ja(),
            Self::Engine(e) => crate::ClusterError::within(e)
                .map_or_else(|| "問合せの処理に失敗しました。".into(), crate::ClusterError::ja),
            Self::Task(_) => "問合せの処理に失敗しました。".into(),
        }
    }

    /// An I/O error, with a full disk told apart.
    pub(crate) fn io(act: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(source),
            _ => Self::Io { act, source },
        }
    }
}

impl From<SealError> for LakeError {
    fn from(e: SealError) -> Self {
        match e {
            SealError::Io(source) => Self::io("write a sealed file")(source),
            e => Self::Seal(e),
        }
    }
}

impl From<KeyError> for LakeError {
    fn from(e: KeyError) -> Self {
        Self::Key(e)
    }
}

impl From<sqlx::Error> for LakeError {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Database(d) if d.is_unique_violation() => Self::Race,
            _ => Self::Database(e),
        }
    }
}

impl From<datafusion::error::DataFusionError> for LakeError {
    fn from(e: datafusion::error::DataFusionError) -> Self {
        Self::Engine(Box::new(e))
    }
}

impl From<crate::ClusterError> for LakeError {
    fn from(e: crate::ClusterError) -> Self {
        Self::Cluster(e)
    }
}

impl From<TableFileError> for LakeError {
    /// A full disk reaches us through Parquet's writer.
    fn from(e: TableFileError) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&e);
        while let Some(at) = source {
            if let Some(io) = at.downcast_ref::<io::Error>() {
                return Self::io("write a table file")(io::Error::from(io.kind()));
            }
            source = at.source();
        }
        Self::TableFile(e)
    }
}
