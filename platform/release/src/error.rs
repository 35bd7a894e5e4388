//! Why an act was refused.

use kiban_audit::LogError;
use kiban_govern::{
    Actor, Refusal,
    committee::{CompositionError, Outcome, VoteError},
    two_person::TwoPersonError,
};
use kiban_kernel::{Id, LawKey, kinds};

use crate::{ApprovalError, manifest::ManifestError};

/// A step that its state machine lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{who} cannot take this from {from} to {to}: {why}")]
pub struct StepRefused {
    /// Present state.
    pub from: &'static str,
    /// State asked for.
    pub to: &'static str,
    /// Who asked.
    pub who: Id<kinds::Account>,
    /// Why.
    pub why: Why,
}

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is no such step from here.
    #[error("there is no such step from here")]
    NoSuchStep,
    /// The actor belongs to another organization than the applicant.
    #[error("the actor is not of the applicant's organization")]
    NotTheApplicant,
    /// Fields of the application are missing.
    #[error("missing fields: {}", .0.join(", "))]
    Incomplete(Vec<&'static str>),
    /// The committee did not advise approval.
    #[error("the committee advised: {}", .0.as_str())]
    Advice(Outcome),
    /// No reason was given.
    #[error("no reason is given")]
    NoReason,
    /// The contract's period is empty or over.
    #[error("the contract's period is empty")]
    EmptyPeriod,
    /// The application is not accepted by the producer.
    #[error("the application is not accepted")]
    NotAccepted,
    /// The session's day is before the application was put to the committee, or in the future.
    #[error("the session's day is outside the time of review")]
    SessionDate,
    /// It was decided already.
    #[error("it is decided already")]
    DecidedAlready,
}

impl StepRefused {
    pub(crate) fn new(from: &'static str, to: &'static str, who: &Actor, why: Why) -> Self {
        Self { from, to, who: who.account, why }
    }
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let why = match &self.why {
            Why::NoSuchStep => "この状態からは進めません".to_owned(),
            Why::NotTheApplicant => "申請者の所属ではありません".to_owned(),
            Why::Incomplete(fields) => {
                let names: Vec<_> =
                    fields.iter().map(|f| crate::application::label_ja(f)).collect();
                format!("記入のない項目があります（{}）", names.join("、"))
            }
            Why::Advice(outcome) => format!("審査委員会の意見が「{}」です", outcome.label_ja()),
            Why::NoReason => "理由の記入がありません".to_owned(),
            Why::EmptyPeriod => "契約期間が正しくありません".to_owned(),
            Why::NotAccepted => "作成事業者による提供の決定がありません".to_owned(),
            Why::SessionDate => "開催日が付議の前か、未来の日付です".to_owned(),
            Why::DecidedAlready => "既に判断されています".to_owned(),
        };
        format!("「{}」から「{}」へ進めません：{why}。", state_ja(self.from), state_ja(self.to))
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        LawKey::new(match self.why {
            Why::Advice(_) | Why::SessionDate => "committee",
            _ => "contract",
        })
        .ok()
    }
}

fn state_ja(state: &str) -> &str {
    match state {
        "nothing" => "未作成",
        "draft" => "下書き",
        "submitted" => "提出済み",
        "under_review" => "審査中",
        "advised" => "審査済み",
        "accepted" => "提供決定",
        "refused" => "提供しない決定",
        "withdrawn" => "取下げ",
        "drawn" => "契約案",
        "accepted_by_user" => "利用者同意済み",
        "signed" => "締結済み",
        "ended" => "終了",
        "undecided" => "未判断",
        "decided" => "判断済み",
        other => other,
    }
}

/// Why an act of this crate was not done; nothing was committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// The actor may not.
    #[error(transparent)]
    Permit(#[from] Refusal),
    /// The state machine lacks the step.
    #[error(transparent)]
    Step(#[from] StepRefused),
    /// The committee cannot advise.
    #[error(transparent)]
    Committee(#[from] CompositionError),
    /// The votes cannot be counted.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// The approval does not count.
    #[error(transparent)]
    TwoPerson(#[from] TwoPersonError),
    /// The dataset cannot be approved.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// The manifest is not one of ours.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Nothing of this id.
    #[error("there is no such {what}")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
    },
    /// A stored row does not read: run the verifier.
    #[error("a stored row of {table} cannot be read")]
    Damaged {
        /// Which table.
        table: &'static str,
    },
    /// The source of chance failed.
    #[error(transparent)]
    Entropy(#[from] kiban_kernel::EntropyError),
    /// The log or its database failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<kiban_audit::sqlx::Error> for ActError {
    fn from(e: kiban_audit::sqlx::Error) -> Self {
        Self::Log(e.into())
    }
}

impl ActError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Permit(e) => e.ja(),
            Self::Step(e) => e.ja(),
            Self::Committee(e) => e.ja(),
            Self::Vote(e) => e.ja(),
            Self::TwoPerson(e) => e.ja(),
            Self::Approval(e) => e.ja(),
            Self::Manifest(e) => e.ja(),
            Self::NotFound { .. } => {
                "指定されたものが登録にありません。識別子を確かめてください。".to_owned()
            }
            Self::Damaged { table } => {
                format!("登録（{table}）の行を読めません。kiban audit verify で確認してください。")
            }
            Self::Entropy(_) => "乱数を得られません。機器の状態を確認してください。".to_owned(),
            Self::Log(e) => e.ja(),
        }
    }
    /// Law key, where a provision stands behind the refusal.
    pub fn law(&self) -> Option<LawKey> {
        match self {
            Self::Permit(e) => e.law(),
            Self::Step(e) => e.law(),
            Self::Committee(e) => e.law(),
            Self::Vote(e) => e.law(),
            Self::TwoPerson(e) => e.law(),
            Self::Approval(e) => e.law(),
            _ => None,
        }
    }
}
