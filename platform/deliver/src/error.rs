//! Why packing, opening or a key was refused.

use std::io;

use kiban_audit::{LogError, note::NoteError};
use kiban_govern::Refusal;
use kiban_kernel::LawKey;
use kiban_release::{ActError, manifest::ManifestError};

/// Why a payload cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A path that could point outside the package, or is reserved.
    #[error("file {position} has a path that is not allowed")]
    Path {
        /// Which file, from 1.
        position: usize,
    },
    /// Two files of one path.
    #[error("{path} stands twice in the payload")]
    Twice {
        /// Its path.
        path: String,
    },
    /// A file every package needs is missing.
    #[error("the payload has no {path}")]
    Missing {
        /// Its path.
        path: &'static str,
    },
    /// A column without an entry in the dictionary.
    #[error("{count} columns are not in the dictionary, the first is {table}.{column}")]
    Dictionary {
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// How many.
        count: usize,
    },
    /// A CSV file or the dictionary does not read.
    #[error("{path} does not read as CSV")]
    Csv {
        /// Its path.
        path: String,
    },
    /// The file is not the one of the approved manifest.
    #[error("{path} is not the file that was approved")]
    NotApproved {
        /// Its path.
        path: String,
    },
}

impl PayloadError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Path { position } => format!("{position}番目のファイルのパスは使えません。"),
            Self::Twice { path } => format!("ファイル {path} が重複しています。"),
            Self::Missing { path } => format!("提供データに {path} がありません。"),
            Self::Dictionary { table, column, count } => format!(
                "データ辞書にない列が{count}列あります（最初は {table}.{column}）。辞書を補ってください。"
            ),
            Self::Csv { path } => format!("{path} を CSV として読めません。"),
            Self::NotApproved { path } => {
                format!(
                    "{path} は承認されたものと一致しません。承認された版から作り直してください。"
                )
            }
        }
    }
}

/// Why a dataset was not handed over; nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
    /// The actor may not.
    #[error(transparent)]
    Permit(#[from] Refusal),
    /// The payload is not the approved one, or incomplete.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Judged again at hand-over, the dataset may not go.
    #[error(transparent)]
    Release(#[from] ActError),
    /// The approval shown is not of what is on record now.
    #[error("the approval shown is not the one on record")]
    OtherApproval,
    /// No key is registered for whom it must be sealed to.
    #[error("no key is registered for the {whose}")]
    NoKey {
        /// `recipient` or `producer's environment`.
        whose: &'static str,
    },
    /// The registered key is no age recipient.
    #[error("the key is not an age recipient")]
    BadKey,
    /// It was handed over before.
    #[error("the dataset was handed over before")]
    Already,
    /// It was not handed over, or is erased.
    #[error("there is no such delivery")]
    NotFound,
    /// A stored row does not read.
    #[error("a stored row of {table} cannot be read")]
    Damaged {
        /// Which table.
        table: &'static str,
    },
    /// Sealing failed.
    #[error("the package cannot be sealed")]
    Seal(#[source] age::EncryptError),
    /// The manifest cannot be signed.
    #[error("the manifest cannot be signed")]
    Sign(#[from] NoteError),
    /// The disk failed.
    #[error("the package cannot be written")]
    Io(#[from] io::Error),
    /// The packages cannot be read.
    #[error("the packages cannot be read")]
    Read(#[source] io::Error),
    /// The erasure is recorded, but the bytes could not be removed yet.
    #[error("the erasure is recorded, but the package could not be removed yet")]
    NotRemoved(#[source] io::Error),
    /// The log or its database failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<kiban_audit::sqlx::Error> for DeliverError {
    fn from(e: kiban_audit::sqlx::Error) -> Self {
        Self::Log(e.into())
    }
}

impl DeliverError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Permit(e) => e.ja(),
            Self::Payload(e) => e.ja(),
            Self::Release(e) => e.ja(),
            Self::OtherApproval => "示された承認は現在の記録と一致しません。承認からやり直してください。".to_owned(),
            Self::NoKey { whose: "recipient" } => {
                "提供先の公開鍵が登録されていません。提供先から受け取って登録してください。".to_owned()
            }
            Self::NoKey { .. } => "作成事業者の利用環境の公開鍵が登録されていません。".to_owned(),
            Self::BadKey => "公開鍵の形式が正しくありません（age の受信者鍵ではありません）。".to_owned(),
            Self::Already => "このデータは既に提供されています。".to_owned(),
            Self::NotFound => "この提供の記録がないか、既に消去されています。".to_owned(),
            Self::Damaged { table } => {
                format!("登録（{table}）の行を読めません。kiban audit verify で確認してください。")
            }
            Self::Seal(_) => "提供データを封緘できません。".to_owned(),
            Self::Sign(e) => e.ja(),
            Self::Io(_) => {
                "提供データを書き込めません。空き容量と権限を確認してください。提供は記録されていません。".to_owned()
            }
            Self::Read(_) => "提供データのフォルダを読めません。場所と権限を確認してください。".to_owned(),
            Self::NotRemoved(_) => {
                "消去を記録しましたが、ファイルをまだ削除できていません。権限を確認して起動し直すと回収されます。".to_owned()
            }
            Self::Log(e) => e.ja(),
        }
    }
    /// Law key, where a provision stands behind the refusal.
    pub fn law(&self) -> Option<LawKey> {
        match self {
            Self::Permit(e) => e.law(),
            Self::Release(e) => e.law(),
            _ => None,
        }
    }
}

/// Why a key file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It cannot be read.
    #[error("the key file cannot be read")]
    Read(#[source] io::Error),
    /// It cannot be written, or exists already.
    #[error("the key file cannot be written")]
    Write(#[source] io::Error),
    /// Others than the owner may read it.
    #[error("the key file may be read by others than its owner")]
    TooOpen,
    /// It holds no age identity.
    #[error("the file holds no age identity")]
    NoIdentity,
    /// Its line naming the producer's key does not read.
    #[error("the key file's line {line} does not read")]
    Producer {
        /// Which line, from 1.
        line: usize,
    },
}

impl KeyError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Read(_) => "鍵ファイルを読めません。場所と権限を確認してください。".to_owned(),
            Self::Write(_) => {
                "鍵ファイルを書けません。既にあるか、書き込みの権限がありません。".to_owned()
            }
            Self::TooOpen => {
                "鍵ファイルが所有者以外にも読める状態です。権限を 600 にしてください。".to_owned()
            }
            Self::NoIdentity => {
                "鍵ファイルに age の秘密鍵がありません。正しいファイルを指定してください。"
                    .to_owned()
            }
            Self::Producer { line } => {
                format!("鍵ファイルの{line}行目（作成事業者の検証鍵）を読めません。")
            }
        }
    }
}

/// Why a package could not be opened; nothing was left in the folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The key file is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody's key to check the producer's signature with.
    #[error("the producer's key is not known")]
    ProducerUnknown,
    /// The package cannot be read.
    #[error("the package cannot be read")]
    Read(#[source] io::Error),
    /// Not an age file.
    #[error("the file is not a sealed package")]
    NotSealed,
    /// Sealed to another key.
    #[error("the package is not sealed to this key")]
    WrongKey,
    /// Cut, or changed: the seal does not hold.
    #[error("the package is damaged: its seal does not hold at file {position}")]
    Damaged {
        /// Which entry, from 1.
        position: usize,
    },
    /// The first entry is not the manifest.
    #[error("the package does not begin with its manifest")]
    NoManifest,
    /// The manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest beside the package names other bytes.
    #[error("the manifest beside the package is of another package")]
    Beside,
    /// An entry whose path is not allowed, or that is no plain file.
    #[error("entry {position} of the package is not a plain file inside it")]
    Path {
        /// Which entry, from 1.
        position: usize,
    },
    /// An entry the manifest does not name, or names in another place.
    #[error("entry {position} is not the one the manifest names")]
    Foreign {
        /// Which entry, from 1.
        position: usize,
    },
    /// A file's bytes are not those of the manifest.
    #[error("{path} is not the file the manifest names")]
    Changed {
        /// Its path.
        path: String,
    },
    /// A file of the manifest is not in the package.
    #[error("{path} is missing from the package")]
    Missing {
        /// Its path.
        path: String,
    },
    /// The folder to open into has something in it.
    #[error("the folder to open into is not empty")]
    NotEmpty,
    /// The folder cannot be written.
    #[error("the folder cannot be written")]
    Write(#[source] io::Error),
}

impl OpenError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Key(e) => e.ja(),
            Self::ProducerUnknown => {
                "作成事業者の検証鍵が分かりません。鍵ファイルに「# producer: 検証鍵」の行を加えるか、検証鍵を指定してください。".to_owned()
            }
            Self::Read(_) => "提供ファイルを読めません。場所と権限を確認してください。".to_owned(),
            Self::NotSealed => "封緘された提供ファイル（package.age）ではありません。".to_owned(),
            Self::WrongKey => "この鍵では開封できません。提供先として登録した鍵を指定してください。".to_owned(),
            Self::Damaged { position } => format!(
                "提供ファイルが途中で切れているか、改変されています（{position}番目のファイル付近）。再送を依頼してください。"
            ),
            Self::NoManifest => "提供ファイルの先頭に目録がありません。再送を依頼してください。".to_owned(),
            Self::Manifest(e) => e.ja(),
            Self::Beside => "隣の manifest.note は別の提供ファイルのものです。組になっているか確かめてください。".to_owned(),
            Self::Path { position } => {
                format!("{position}番目のファイルのパスが許されない形です。開封を中止しました。")
            }
            Self::Foreign { position } => {
                format!("{position}番目のファイルは目録にありません。開封を中止しました。")
            }
            Self::Changed { path } => format!("{path} の内容が目録と一致しません。再送を依頼してください。"),
            Self::Missing { path } => format!("目録にある {path} が入っていません。再送を依頼してください。"),
            Self::NotEmpty => "開封先のフォルダが空ではありません。空のフォルダを指定してください。".to_owned(),
            Self::Write(_) => "開封先に書き込めません。空き容量と権限を確認してください。".to_owned(),
        }
    }
}
