//! What an output is: versions, marks, votes.

use kiban_govern::output_check::{NotChecker, State, Verdict};
use kiban_kernel::{Digest, Id, Timestamp, kinds};

use super::Mark;

type Account = Id<kinds::Account>;

/// What somebody asks to take out.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the file shows and how it was made.
    pub context: &'a str,
    /// Why it is asked for although the first look found something; empty: nothing is asked.
    pub exception: &'a str,
    /// Name of the file.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A checker's vote.
#[derive(Debug, Clone)]
pub struct OutputVote {
    /// 1 or 2.
    pub seat: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Account,
    /// What.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// A version of an output, with the votes that the reader may know.
#[derive(Debug, Clone)]
pub struct OutputVersion {
    /// From 1.
    pub no: u64,
    /// When it was handed in.
    pub at: Timestamp,
    /// By whom.
    pub account: Account,
    /// Name of the file.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What it shows and how it was made.
    pub context: String,
    /// Why it is asked for although something was found.
    pub exception: String,
    /// What the first look found.
    pub marks: Vec<Mark>,
    /// How many have voted.
    pub given: usize,
    /// The votes: all once both have voted, before that the reader's own.
    pub votes: Vec<OutputVote>,
    pub(super) file: String,
}

/// An output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its id.
    pub id: Id<kinds::Event>,
    /// From which dataset it was made.
    pub dataset: Id<kinds::Dataset>,
    /// Title of the project.
    pub project: String,
    /// Whose it is.
    pub organization: Id<kinds::Organization>,
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// When it was first asked for.
    pub asked_at: Timestamp,
    /// Since when the turn is where it is.
    pub turned_at: Timestamp,
    /// Its versions, oldest first; there is one at least.
    pub versions: Vec<OutputVersion>,
}

/// Why an act on an output is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputRefused {
    /// The dataset does not stay in the producer's environment, or is not in use.
    #[error("nothing is taken out of this dataset")]
    NoDataset,
    /// Office documents hold more than they show.
    #[error("an office document is not taken as an output")]
    Office,
    /// It is not the turn of this act.
    #[error("it is not the turn of this act")]
    Turn,
    /// The actor may not check it.
    #[error(transparent)]
    Checker(#[from] NotChecker),
    /// Something was found and no exception is asked for.
    #[error("something was found and no exception is asked for")]
    NoException,
    /// It may not be taken out (yet).
    #[error("the output may not be taken out")]
    NotReleased,
}

impl OutputRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NoDataset => {
                "作成事業者の環境の中で利用しているデータセットについてだけ、出力の持出しを申請できます。"
            }
            Self::Office => {
                "Office 文書は、見えないシートなどを含むことがあるため持ち出せません。CSV・テキスト・PDF・画像にしてください。"
            }
            Self::Turn => "いまはこの操作の番ではありません。画面を開き直して状態を確かめてください。",
            Self::Checker(e) => return e.ja(),
            Self::NoException => {
                "自動の確認で指摘があり、申請者が例外を求めていないため、持出しを認められません。差し戻すか、認めない判断をしてください。"
            }
            Self::NotReleased => "持出しが認められていないため、受け取れません。",
        }
        .to_owned()
    }
}
