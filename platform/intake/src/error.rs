//! Why a sealed delivery is refused. Positions, counts and rules only; never a value.

use std::io;

use crate::place::FileRef;

/// Why a sealed delivery was refused. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The sealed file cannot be read.
    #[error("the sealed file cannot be read")]
    Read(#[source] io::Error),
    /// The file ends too early.
    #[error("the sealed file is truncated{}", after(.file.as_ref()))]
    Truncated {
        /// The file in which, or after which, it ends.
        file: Option<FileRef>,
    },
    /// The file was altered (or cut inside a block).
    #[error("the sealed file was altered or cut{}", after(.file.as_ref()))]
    Altered {
        /// The file in which it was noticed.
        file: Option<FileRef>,
    },
    /// Not an age file at all.
    #[error("not a sealed delivery")]
    NotSealed,
    /// Sealed to another recipient.
    #[error("the delivery was sealed to another recipient")]
    WrongKey,
    /// What was signed names another recipient than the one it was sealed to.
    #[error("the delivery was signed for another recipient")]
    OtherRecipient,
    /// The signature does not verify.
    #[error("the holder's signature does not verify")]
    WrongSignature,
    /// The sender is not on the register.
    #[error("the sender is not a registered data holder")]
    UnknownHolder,
    /// The manifest is missing (the last entry must be it).
    #[error("the delivery has no manifest")]
    NoManifest,
    /// The manifest is of an unknown format or does not parse.
    #[error("the manifest cannot be understood")]
    BadManifest,
    /// Something follows the manifest.
    #[error("something follows the manifest")]
    AfterManifest,
    /// A file's bytes are not those that were signed.
    #[error("{file} differs from what was signed")]
    HashMismatch {
        /// Which file.
        file: FileRef,
    },
    /// The list of notices is not the one that was signed.
    #[error("the list of notices differs from what was signed")]
    NoticesMismatch,
    /// The list of notices is missing, repeated or cannot be read.
    #[error("the list of notices cannot be read (line {line})")]
    BadNotices {
        /// Line, 0 if the list is missing.
        line: u64,
    },
    /// A list of retractions or corrections is not the one that was signed, or is missing.
    #[error("{list} differs from what was signed")]
    ListMismatch {
        /// Its name.
        list: &'static str,
    },
    /// A list of retractions or corrections cannot be read.
    #[error("{list} cannot be read (line {line})")]
    BadList {
        /// Its name.
        list: &'static str,
        /// Line, from 1.
        line: u64,
    },
    /// A file that was signed is not there.
    #[error("{file} was signed but is missing")]
    MissingFile {
        /// Which file.
        file: FileRef,
    },
    /// A file is there that was not signed.
    #[error("{file} was not signed")]
    ForeignFile {
        /// Which file.
        file: FileRef,
    },
    /// Two files of one name.
    #[error("{file} occurs twice")]
    DuplicateFile {
        /// The second.
        file: FileRef,
    },
    /// A path that is absolute, leaves the delivery, or holds forbidden characters.
    #[error("{file} has a path that is not allowed")]
    BadPath {
        /// Which file.
        file: FileRef,
    },
    /// A link, device, folder or other thing that is not a plain file.
    #[error("{file} is not a plain file")]
    NotAFile {
        /// Which entry.
        file: FileRef,
    },
    /// An archive or compressed file inside the delivery.
    #[error("{file} is an archive")]
    ArchiveInside {
        /// Which file.
        file: FileRef,
    },
    /// A file of a format that is not accepted.
    #[error("{file} is of no accepted format")]
    UnknownFormat {
        /// Which file.
        file: FileRef,
    },
    /// The format the holder declared is not the format found.
    #[error("{file} is not of the declared format")]
    OtherFormat {
        /// Which file.
        file: FileRef,
    },
    /// The CSV header is of no known layout.
    #[error("{file} has a header of no known layout")]
    UnknownHeader {
        /// Which file.
        file: FileRef,
    },
    /// Text that must be UTF-8 is not.
    #[error("{file} is not UTF-8 at line {line}")]
    NotUtf8 {
        /// Which file.
        file: FileRef,
        /// Line, from 1.
        line: u64,
    },
    /// A line, row or SS-MIX2 file is too long.
    #[error("{file} line {line} is longer than {max_bytes} bytes")]
    SegmentTooLong {
        /// Which file.
        file: FileRef,
        /// Line, from 1.
        line: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// A file is too large.
    #[error("{file} is larger than {max_bytes} bytes")]
    FileTooLarge {
        /// Which file.
        file: FileRef,
        /// The limit.
        max_bytes: u64,
    },
    /// The whole is too large.
    #[error("the delivery holds more than {max_bytes} bytes")]
    TotalTooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// Too many files.
    #[error("the delivery holds more than {max_files} files")]
    TooManyFiles {
        /// The limit.
        max_files: u64,
    },
    /// Too many segments.
    #[error("the delivery holds more than {max_segments} segments")]
    TooManySegments {
        /// The limit.
        max_segments: u64,
    },
    /// Declared and found numbers of segments differ.
    #[error("{file} holds another number of segments than declared")]
    SegmentCount {
        /// Which file.
        file: FileRef,
    },
    /// The sealed file changed while it was being read.
    #[error("the sealed file changed while it was being read")]
    ChangedMeanwhile,
}

fn after(file: Option<&FileRef>) -> String {
    file.map(|f| format!(", noticed at {f}")).unwrap_or_default()
}

impl ReceiveError {
    /// Rule id, for counting and for the page's key.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "seal.read",
            Self::Truncated { .. } => "seal.truncated",
            Self::Altered { .. } => "seal.altered",
            Self::NotSealed => "seal.not-sealed",
            Self::WrongKey => "seal.wrong-key",
            Self::OtherRecipient => "seal.other-recipient",
            Self::WrongSignature => "seal.wrong-signature",
            Self::UnknownHolder => "seal.unknown-holder",
            Self::NoManifest => "seal.no-manifest",
            Self::BadManifest => "seal.bad-manifest",
            Self::AfterManifest => "seal.after-manifest",
            Self::HashMismatch { .. } => "seal.hash-mismatch",
            Self::NoticesMismatch => "seal.notices-mismatch",
            Self::BadNotices { .. } => "seal.bad-notices",
            Self::ListMismatch { .. } => "seal.list-mismatch",
            Self::BadList { .. } => "seal.bad-list",
            Self::MissingFile { .. } => "seal.missing-file",
            Self::ForeignFile { .. } => "seal.foreign-file",
            Self::DuplicateFile { .. } => "seal.duplicate-file",
            Self::BadPath { .. } => "seal.bad-path",
            Self::NotAFile { .. } => "seal.not-a-file",
            Self::ArchiveInside { .. } => "seal.archive-inside",
            Self::UnknownFormat { .. } => "seal.unknown-format",
            Self::OtherFormat { .. } => "seal.other-format",
            Self::UnknownHeader { .. } => "seal.unknown-header",
            Self::NotUtf8 { .. } => "seal.not-utf8",
            Self::SegmentTooLong { .. } => "seal.segment-too-long",
            Self::FileTooLarge { .. } => "seal.file-too-large",
            Self::TotalTooLarge { .. } => "seal.total-too-large",
            Self::TooManyFiles { .. } => "seal.too-many-files",
            Self::TooManySegments { .. } => "seal.too-many-segments",
            Self::SegmentCount { .. } => "seal.segment-count",
            Self::ChangedMeanwhile => "seal.changed-meanwhile",
        }
    }

    /// The sentence shown to staff: what happened, where, what to do.
    pub fn ja(&self) -> String {
        let at = |f: &FileRef| format!("{}番目のファイル（{}）", f.number, f.hint);
        let noticed = |f: &Option<FileRef>| {
            f.as_ref().map(|f| format!("{}で検出しました。", at(f))).unwrap_or_default()
        };
        let what = match self {
            Self::Read(e) => {
                return format!(
                    "受領ファイルを読み取れません（{}）。保存先の状態を確認してください。何も保存していません。",
                    io_ja(e)
                );
            }
            Self::Truncated { file } => format!(
                "受領ファイルが途中で切れています。{}もう一度送ってもらってください。",
                noticed(file)
            ),
            Self::Altered { file } => format!(
                "受領ファイルが書き換えられているか、途中で切れています。{}もう一度送ってもらってください。",
                noticed(file)
            ),
            Self::NotSealed => {
                "封緘されたファイルではありません。提供元の封緘手順を確認してください。".to_owned()
            }
            Self::WrongKey => {
                "当事業者の鍵で開封できません。別の宛先あてに封緘されています。".to_owned()
            }
            Self::OtherRecipient => {
                "署名された宛先が当事業者ではありません。提供元に確認してください。".to_owned()
            }
            Self::WrongSignature => {
                "提供元の署名を確認できません。提供元の鍵が登録と一致するか確認してください。"
                    .to_owned()
            }
            Self::UnknownHolder => {
                "登録されていない提供元です。医療情報取扱事業者の登録を先に行ってください。"
                    .to_owned()
            }
            Self::NoManifest => {
                "目録（manifest.note）がありません。途中で切れている可能性があります。".to_owned()
            }
            Self::BadManifest => {
                "目録を解釈できません。提供元のソフトウェアの版を確認してください。".to_owned()
            }
            Self::AfterManifest => "目録の後ろに余分な内容があります。".to_owned(),
            Self::HashMismatch { file } => {
                format!("{}の内容が署名された目録と一致しません。", at(file))
            }
            Self::NoticesMismatch => "通知一覧の内容が署名された目録と一致しません。".to_owned(),
            Self::BadNotices { line } => format!("通知一覧を読み取れません（{line}行目）。"),
            Self::ListMismatch { list } => {
                format!("{list} の内容が署名された目録と一致しません。")
            }
            Self::BadList { list, line } => format!("{list} を読み取れません（{line}行目）。"),
            Self::MissingFile { file } => format!("目録にある{}が入っていません。", at(file)),
            Self::ForeignFile { file } => format!("{}は目録にありません。", at(file)),
            Self::DuplicateFile { file } => {
                format!("{}と同じ名前のファイルが既にあります。", at(file))
            }
            Self::BadPath { file } => format!(
                "{}のパスは許可されていません（絶対パス、上位フォルダー、制御文字など）。",
                at(file)
            ),
            Self::NotAFile { file } => {
                format!("{}は通常のファイルではありません（リンク、フォルダーなど）。", at(file))
            }
            Self::ArchiveInside { file } => {
                format!("{}は圧縮ファイルです。展開して封緘し直してもらってください。", at(file))
            }
            Self::UnknownFormat { file } => {
                format!("{}は受け付けている形式ではありません。", at(file))
            }
            Self::OtherFormat { file } => format!("{}の形式が目録の記載と異なります。", at(file)),
            Self::UnknownHeader { file } => {
                format!("{}の見出し行が既知の様式と一致しません。", at(file))
            }
            Self::NotUtf8 { file, line } => format!(
                "{}の{line}行目がUTF-8ではありません。文字コードを確認してください。",
                at(file)
            ),
            Self::SegmentTooLong { file, line, max_bytes } => {
                format!("{}の{line}行目が上限（{max_bytes}バイト）を超えています。", at(file))
            }
            Self::FileTooLarge { file, max_bytes } => format!(
                "{}が上限（{max_bytes}バイト）を超えています。分割して送ってもらってください。",
                at(file)
            ),
            Self::TotalTooLarge { max_bytes } => format!(
                "合計が上限（{max_bytes}バイト）を超えています。分割して送ってもらってください。"
            ),
            Self::TooManyFiles { max_files } => format!(
                "ファイル数が上限（{max_files}）を超えています。分割して送ってもらってください。"
            ),
            Self::TooManySegments { max_segments } => format!(
                "件数が上限（{max_segments}）を超えています。分割して送ってもらってください。"
            ),
            Self::SegmentCount { file } => format!("{}の件数が目録の記載と異なります。", at(file)),
            Self::ChangedMeanwhile => {
                "読み取り中に受領ファイルが変わりました。やり直してください。".to_owned()
            }
        };
        format!("{what}受領を拒否し、何も保存していません。")
    }
}

/// The Japanese cause of an I/O error, without paths.
pub(crate) fn io_ja(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::NotFound => "ファイルまたはフォルダーがありません",
        io::ErrorKind::PermissionDenied => "アクセス権がありません",
        io::ErrorKind::StorageFull => "保存先の空き容量がありません",
        io::ErrorKind::QuotaExceeded => "保存先の割当容量を超えました",
        io::ErrorKind::FileTooLarge => "保存先が扱える大きさを超えました",
        io::ErrorKind::ReadOnlyFilesystem => "保存先が書き込み禁止です",
        io::ErrorKind::AlreadyExists => "同じ名前のファイルが既にあります",
        _ => "入出力の失敗",
    }
}
