//! What a recall is: copies, tasks, proofs.

use kiban_kernel::{Date, Digest, Id, Timestamp, kinds};

type DatasetId = Id<kinds::Dataset>;
type RecallId = Id<kinds::Event>;
type Organization = Id<kinds::Organization>;

/// Why somebody has a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyOf {
    /// The user that it was provided to.
    User,
    /// A user that uses it jointly.
    JointUser,
    /// A trustee of the user.
    Trustee,
    /// The producer's own environment, where a type II user works.
    Environment,
}

impl CopyOf {
    /// All.
    pub const ALL: [Self; 4] = [Self::User, Self::JointUser, Self::Trustee, Self::Environment];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::JointUser => "joint_user",
            Self::Trustee => "trustee",
            Self::Environment => "environment",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::User => "利用者",
            Self::JointUser => "共同利用者",
            Self::Trustee => "取扱受託者",
            Self::Environment => "作成事業者の解析環境",
        }
    }
}

/// A proof that a copy is erased.
#[derive(Debug, Clone)]
pub struct CopyProof {
    /// When it was handed in.
    pub at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// How the copy was erased.
    pub method: String,
    /// Name of the file.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Checked: accepted, or sent back with a reason.
    pub checked: Option<Result<Timestamp, String>>,
    pub(super) file: String,
}

/// What one holder of a copy is asked.
#[derive(Debug, Clone)]
pub struct CopyTask {
    /// Who.
    pub organization: Organization,
    /// Why it has a copy.
    pub copy: CopyOf,
    /// The newest proof.
    pub proof: Option<CopyProof>,
    /// The last day has passed, and the task is not done.
    pub overdue: bool,
}

impl CopyTask {
    /// Proved and accepted.
    pub fn done(&self) -> bool {
        matches!(self.proof.as_ref().and_then(|p| p.checked.as_ref()), Some(Ok(_)))
    }
    /// A proof waits to be checked.
    pub fn waits(&self) -> bool {
        self.proof.as_ref().is_some_and(|p| p.checked.is_none())
    }
}

/// A recall with its tasks.
#[derive(Debug, Clone)]
pub struct Recall {
    /// Its id.
    pub id: RecallId,
    /// The dataset.
    pub dataset: DatasetId,
    /// Title of the project.
    pub title: String,
    /// When it was recalled.
    pub at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// Why.
    pub reason: String,
    /// Last day of the answers.
    pub due: Date,
    /// When the last proof was accepted.
    pub closed_at: Option<Timestamp>,
    /// The tasks: for staff all, for others their own.
    pub tasks: Vec<CopyTask>,
}

/// Why an act in a recall is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecallRefused {
    /// It is recalled already.
    #[error("the dataset is recalled already")]
    Already,
    /// The task is done.
    #[error("the task is done")]
    Done,
    /// No proof waits to be checked.
    #[error("no proof waits to be checked")]
    NothingToCheck,
    /// The proof was handed in by the same person.
    #[error("the proof was handed in by the same person")]
    SamePerson,
}

impl RecallRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Already => "このデータセットは、既に回収しています。",
            Self::Done => "この保有者の消去は、既に確認されています。",
            Self::NothingToCheck => "確認を待っている消去の証拠がありません。",
            Self::SamePerson => "証拠を提出した人とは別の人が確かめてください。",
        }
    }
}
