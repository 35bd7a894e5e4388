//! Independent votes with reasons, counted when the session closes.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Id, LawKey, kinds};

use crate::law_key;

/// What the committee advises. The producer decides.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 承認
    Approve,
    /// 条件付き承認
    ApproveWithConditions,
    /// 継続審査（要修正）
    Revise,
    /// 不承認
    Reject,
}

impl Outcome {
    /// All, from the most favourable.
    pub const ALL: [Self; 4] =
        [Self::Approve, Self::ApproveWithConditions, Self::Revise, Self::Reject];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::ApproveWithConditions => "approve_with_conditions",
            Self::Revise => "revise",
            Self::Reject => "reject",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Approve => "承認",
            Self::ApproveWithConditions => "条件付き承認",
            Self::Revise => "継続審査（要修正）",
            Self::Reject => "不承認",
        }
    }
    /// Does it let the producer provide?
    pub fn is_favourable(self) -> bool {
        matches!(self, Self::Approve | Self::ApproveWithConditions)
    }
}

/// One member's vote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ballot {
    /// For what.
    pub vote: Outcome,
    /// Why.
    pub reason: String,
    /// Conditions asked for, when approving with conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
}

/// How the votes fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Approve.
    pub approve: usize,
    /// Approve with conditions.
    pub approve_with_conditions: usize,
    /// Revise.
    pub revise: usize,
    /// Reject.
    pub reject: usize,
}

/// The committee's advice. Made by closing a session alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Opinion {
    outcome: Outcome,
    tally: Tally,
    conditions: Vec<String>,
}

impl Opinion {
    /// What is advised.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }
    /// How the votes fell.
    pub fn tally(&self) -> Tally {
        self.tally
    }
    /// All conditions asked for, in the members' order, each once.
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }
}

/// Why the votes cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VoteError {
    /// A recused member's vote.
    #[error("vote {position} is of a recused member")]
    Recused {
        /// Which, from 1, in the order of accounts.
        position: usize,
    },
    /// A vote of somebody not present.
    #[error("vote {position} is of somebody not present")]
    NotPresent {
        /// Which, from 1.
        position: usize,
    },
    /// A vote without a reason.
    #[error("vote {position} gives no reason")]
    NoReason {
        /// Which, from 1.
        position: usize,
    },
    /// An approval with conditions that names none.
    #[error("vote {position} asks for conditions and names none")]
    NoConditions {
        /// Which, from 1.
        position: usize,
    },
    /// Too few of those present voted.
    #[error("{cast} of {present} present members voted")]
    TooFewVotes {
        /// Votes cast.
        cast: usize,
        /// Members present.
        present: usize,
    },
}

impl VoteError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Recused { position } => {
                format!(
                    "{position}番目の票は、利益相反により審議・議決に加われない委員のものです。"
                )
            }
            Self::NotPresent { position } => {
                format!("{position}番目の票は、出席していない者のものです。")
            }
            Self::NoReason { position } => {
                format!("{position}番目の票に理由がありません。理由を記入してください。")
            }
            Self::NoConditions { position } => {
                format!(
                    "{position}番目の票は条件付き承認ですが、条件がありません。条件を記入してください。"
                )
            }
            Self::TooFewVotes { cast, present } => {
                format!(
                    "出席委員{present}人のうち{cast}人しか評決していません。過半数の票が必要です。"
                )
            }
        }
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key("committee")
    }
}

type Account = Id<kinds::Account>;

/// Ladder: the most favourable outcome that more than `percent` of the votes cast support, a vote for a more
/// favourable one counting as support; if none has it, rejection.
pub(super) fn count(
    percent: usize,
    present: &BTreeSet<Account>,
    recused: &BTreeSet<Account>,
    votes: &BTreeMap<Account, Ballot>,
) -> Result<Opinion, VoteError> {
    let mut tally = Tally::default();
    let mut conditions = Vec::new();
    for (i, (account, ballot)) in votes.iter().enumerate() {
        let position = i + 1;
        if recused.contains(account) {
            return Err(VoteError::Recused { position });
        }
        if !present.contains(account) {
            return Err(VoteError::NotPresent { position });
        }
        if ballot.reason.trim().is_empty() {
            return Err(VoteError::NoReason { position });
        }
        match ballot.vote {
            Outcome::Approve => tally.approve += 1,
            Outcome::ApproveWithConditions => {
                if ballot.conditions.iter().all(|c| c.trim().is_empty()) {
                    return Err(VoteError::NoConditions { position });
                }
                tally.approve_with_conditions += 1;
            }
            Outcome::Revise => tally.revise += 1,
            Outcome::Reject => tally.reject += 1,
        }
        for condition in ballot.conditions.iter().filter(|c| !c.trim().is_empty()) {
            if !conditions.contains(condition) {
                conditions.push(condition.clone());
            }
        }
    }
    if votes.len() * 2 <= present.len() {
        return Err(VoteError::TooFewVotes { cast: votes.len(), present: present.len() });
    }
    let enough = |support: usize| support * 100 > percent * votes.len();
    let outcome = if enough(tally.approve) {
        Outcome::Approve
    } else if enough(tally.approve + tally.approve_with_conditions) {
        Outcome::ApproveWithConditions
    } else if enough(tally.approve + tally.approve_with_conditions + tally.revise) {
        Outcome::Revise
    } else {
        Outcome::Reject
    };
    Ok(Opinion { outcome, tally, conditions })
}
