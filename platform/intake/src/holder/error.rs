//! Why nothing was sealed.

use std::{collections::BTreeMap, io};

use kiban_audit::note::{KeyFileError, NoteError};
use kiban_govern::{gate::Reason, slot::Slot};
use kiban_kernel::EntropyError;

use crate::{error::io_ja, notices::ListError, place::FileRef};

/// Why nothing was sealed. What an interrupted run left is removed by the next one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The profile cannot be read.
    #[error("the profile cannot be read")]
    Profile(#[source] io::Error),
    /// The profile does not parse.
    #[error("the profile has an error at line {line}")]
    ProfileSyntax {
        /// Line, from 1; 0 if unknown.
        line: u64,
    },
    /// The folder is already a holder's folder.
    #[error("the folder holds a profile already")]
    AlreadyInitialised,
    /// The producer's recipient is not an age recipient.
    #[error("the producer's recipient is malformed")]
    Recipient,
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key's name is not the holder's id.
    #[error("the signing key is not this holder's")]
    OtherKey,
    /// The list of notices is missing or cannot be read.
    #[error("the list of notices cannot be read: {0}")]
    Notices(ListError),
    /// The list of stop requests is missing or cannot be read.
    #[error("the list of stop requests cannot be read: {0}")]
    Stops(ListError),
    /// The list of letters that came back cannot be read.
    #[error("the list of returned letters cannot be read: {0}")]
    Returned(ListError),
    /// The list of addresses is missing or cannot be read.
    #[error("the list of addresses cannot be read: {0}")]
    Recipients(ListError),
    /// Letters cannot be made or recorded.
    #[error("letters: {0}")]
    Letters(#[from] super::letters::LettersRefused),
    /// The list of what is taken back cannot be read.
    #[error("the list of retractions cannot be read: {0}")]
    Retractions(ListError),
    /// The list of corrections cannot be read.
    #[error("the list of corrections cannot be read: {0}")]
    Corrections(ListError),
    /// No input file of an accepted format.
    #[error("there is nothing to send")]
    NoInput,
    /// An input cannot be read.
    #[error("{file} cannot be read")]
    Input {
        /// Which.
        file: FileRef,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder of inputs cannot be walked.
    #[error("the folder of inputs cannot be read")]
    Walk(#[source] io::Error),
    /// An `.xz` input expands too far.
    #[error("{file} expands to more than {max_bytes} bytes or {max_ratio} times its size")]
    Expansion {
        /// Which.
        file: FileRef,
        /// Limit of bytes.
        max_bytes: u64,
        /// Limit of the ratio.
        max_ratio: u64,
    },
    /// An `.xz` input is damaged.
    #[error("{file} is a damaged xz file")]
    DamagedXz {
        /// Which.
        file: FileRef,
    },
    /// A line, row or SS-MIX2 file is too long.
    #[error("{file} line {line} is longer than {max_bytes} bytes")]
    SegmentTooLong {
        /// Which.
        file: FileRef,
        /// Line, from 1.
        line: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// A file is larger than may be sent.
    #[error("{file} is larger than {max_bytes} bytes")]
    FileTooLarge {
        /// Which.
        file: FileRef,
        /// The limit.
        max_bytes: u64,
    },
    /// More files, segments or bytes than one delivery may hold.
    #[error("more than one delivery may hold")]
    TooMuch,
    /// A path that may not stand in a delivery.
    #[error("{file} has a path that is not allowed")]
    BadPath {
        /// Which.
        file: FileRef,
    },
    /// The CSV header is of no known layout.
    #[error("{file} has a header of no known layout")]
    UnknownHeader {
        /// Which.
        file: FileRef,
    },
    /// An input changed between the two passes.
    #[error("{file} changed while it was being sealed")]
    ChangedMeanwhile {
        /// Which.
        file: FileRef,
    },
    /// The sealed file or a record cannot be written.
    #[error("the sealed delivery cannot be written")]
    Write(#[source] io::Error),
    /// Sealing failed.
    #[error("the delivery cannot be encrypted")]
    Encrypt,
    /// Signing failed.
    #[error(transparent)]
    Sign(#[from] NoteError),
    /// Chance failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A record of an earlier delivery does not parse.
    #[error("a record in the outbox does not parse")]
    Record,
    /// A receipt does not belong to a delivery of this holder, or its digests differ.
    #[error("the receipt does not match what was sent")]
    ReceiptMismatch,
    /// The delivery slot is locked: a filing or a notice is missing under both regimes.
    #[error("the delivery slot is locked: {0}")]
    Locked(Slot),
    /// Nobody may be sent today.
    #[error("nobody may be sent: {withheld} persons are withheld")]
    NobodyToSend {
        /// Persons withheld.
        withheld: u64,
        /// How many of them why, by the codes of the gate's reasons.
        reasons: BTreeMap<String, u64>,
    },
}

impl SealError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        let at = |f: &FileRef| format!("{}番目のファイル（{}）", f.number, f.hint);
        let list = |e: &ListError| match (e.line, e.column) {
            (0, _) => "ファイルがないか、読み取れません".to_owned(),
            (l, "") => format!("{l}行目"),
            (l, c) => format!("{l}行目、列「{c}」"),
        };
        match self {
            Self::Profile(e) => format!("profile.toml を読み取れません（{}）。", io_ja(e)),
            Self::ProfileSyntax { line } => format!("profile.toml の{line}行目に誤りがあります。"),
            Self::AlreadyInitialised => {
                "このフォルダーは既に初期化されています。上書きはしません。".into()
            }
            Self::Recipient => "認定事業者の公開鍵（recipient）の形式が正しくありません。".into(),
            Self::Key(e) => e.ja(),
            Self::OtherKey => "署名鍵がこの事業者のものではありません。".into(),
            Self::Notices(e) => format!(
                "通知一覧を読み取れません（{}）。一覧が正しくない限り、何も送付しません。",
                list(e)
            ),
            Self::Stops(e) => format!(
                "停止の求めの一覧を読み取れません（{}）。一覧が正しくない限り、何も送付しません。",
                list(e)
            ),
            Self::Returned(e) => format!(
                "返送された通知の一覧（returned.csv）を読み取れません（{}）。一覧が正しくない限り、何も送付しません。",
                list(e)
            ),
            Self::Recipients(e) => format!(
                "宛先の一覧（recipients.csv）を読み取れません（{}）。見出しと値を確かめてください。",
                list(e)
            ),
            Self::Letters(e) => e.ja().to_owned(),
            Self::Retractions(e) => format!(
                "取消の一覧（retractions.csv）を読み取れません（{}）。一覧が正しくない限り、何も送付しません。",
                list(e)
            ),
            Self::Corrections(e) => format!(
                "訂正の一覧（corrections.csv）を読み取れません（{}）。一覧が正しくない限り、何も送付しません。",
                list(e)
            ),
            Self::NoInput => "送付できる形式のファイルがありません。".into(),
            Self::Input { file, source } => {
                format!("{}を読み取れません（{}）。", at(file), io_ja(source))
            }
            Self::Walk(e) => format!("入力フォルダーを読み取れません（{}）。", io_ja(e)),
            Self::Expansion { file, max_bytes, max_ratio } => {
                format!(
                    "{}の展開後の大きさが上限（{max_bytes}バイトまたは{max_ratio}倍）を超えます。圧縮爆弾の疑いがあるため中止しました。",
                    at(file)
                )
            }
            Self::DamagedXz { file } => format!("{}は壊れた xz ファイルです。", at(file)),
            Self::SegmentTooLong { file, line, max_bytes } => {
                format!("{}の{line}行目が上限（{max_bytes}バイト）を超えています。", at(file))
            }
            Self::FileTooLarge { file, max_bytes } => {
                format!("{}が上限（{max_bytes}バイト）を超えています。分割してください。", at(file))
            }
            Self::TooMuch => "1回の提供の上限を超えています。分割してください。".into(),
            Self::BadPath { file } => {
                format!("{}のパスは使えません。ファイル名を変えてください。", at(file))
            }
            Self::UnknownHeader { file } => {
                format!("{}の見出し行が既知の様式と一致しません。", at(file))
            }
            Self::ChangedMeanwhile { file } => {
                format!("封緘中に{}が変わりました。やり直してください。", at(file))
            }
            Self::Write(e) => format!(
                "封緘ファイルを書き込めません（{}）。空き容量と権限を確認してください。何も送付していません。",
                io_ja(e)
            ),
            Self::Encrypt => "暗号化に失敗しました。認定事業者の公開鍵を確認してください。".into(),
            Self::Sign(e) => e.ja(),
            Self::Entropy(_) => "乱数を得られません。機器の状態を確認してください。".into(),
            Self::Record => {
                "outbox の記録を解釈できません。バックアップから戻してください。".into()
            }
            Self::ReceiptMismatch => {
                "受領書が送付した内容と一致しません。認定事業者に確認してください。".into()
            }
            Self::Locked(slot) => format!(
                "提供の枠が閉じているため、封緘できません。{}登録を済ませてから profile.toml に反映してください。何も送付していません。",
                slot.ja()
            ),
            Self::NobodyToSend { withheld, reasons } => {
                let why = reasons.iter().filter_map(|(code, persons)| {
                    Some(format!("{persons}人：{}", Reason::ja_of_code(code)?))
                });
                let why: String = why.collect();
                format!("本日送付できる人がいません（保留・除外 {withheld}人）。{why}")
            }
        }
    }
}
