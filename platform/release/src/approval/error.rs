//! Why a dataset may not be approved or handed over.

use kiban_govern::{
    certification::NotEffective, delivery::RouteRefusal, two_person::TwoPersonError,
};
use kiban_kernel::{LawKey, Product};

use crate::{manifest::ManifestError, session::MinutesError};

/// Why a dataset may not be approved or handed over.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The manifest is not one of ours.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is not the one recorded when the dataset was made.
    #[error("the manifest is not the one recorded for this dataset")]
    OtherManifest,
    /// The dataset is of another product.
    #[error("the dataset is {}, not {}", .has.as_str(), .asked.as_str())]
    OtherProduct {
        /// What it is.
        has: Product,
        /// What was asked for.
        asked: Product,
    },
    /// The manifest and the application differ.
    #[error("the manifest's {field} is not the application's")]
    OtherApplication {
        /// Which field.
        field: &'static str,
    },
    /// The producer did not accept the application.
    #[error("the producer has not accepted the application; it is {state}")]
    NotAccepted {
        /// Its state.
        state: &'static str,
    },
    /// No minutes of the session on record.
    #[error("the committee's session is not on record")]
    NoSession,
    /// The session deliberated other content than was accepted.
    #[error("the session deliberated another version of the application")]
    OtherContent,
    /// Judged again, the session is not valid.
    #[error("the committee's session is not valid")]
    Session(#[source] MinutesError),
    /// Judged again, the opinion is not favourable.
    #[error("the committee did not advise approval")]
    Unfavourable,
    /// No contract in force with this specification.
    #[error("no contract in force is bound to this specification")]
    NoContract,
    /// Findings without a decision.
    #[error("{count} findings are undecided")]
    Undecided {
        /// How many.
        count: usize,
    },
    /// Findings whose decision to coarsen or drop was not applied.
    #[error("the decisions on {count} findings were not applied in making the dataset")]
    NotApplied {
        /// How many.
        count: usize,
    },
    /// The findings on record are not those of the manifest.
    #[error("the findings on record are not those of the manifest")]
    OtherFindings,
    /// The producer is not certified for the product.
    #[error("the producer is not certified")]
    Producer(#[source] NotEffective),
    /// The recipient may not receive it so.
    #[error(transparent)]
    Route(#[from] RouteRefusal),
    /// Stops have come since.
    #[error("{count} stops since the dataset was made touch it")]
    StopsSince {
        /// How many.
        count: u64,
    },
    /// The approvals do not suffice.
    #[error(transparent)]
    Approvers(#[from] TwoPersonError),
    /// An approval is of another manifest.
    #[error("approval {position} is of another manifest")]
    ApprovedOther {
        /// Which, from 1.
        position: usize,
    },
}

impl ApprovalError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Manifest(e) => e.ja(),
            Self::OtherManifest => "目録が、作成時に記録されたものと異なります。".to_owned(),
            Self::OtherProduct { has, asked } => {
                format!(
                    "このデータは{}です（{}としての提供はできません）。",
                    has.label_ja(),
                    asked.label_ja()
                )
            }
            Self::OtherApplication { .. } => "目録の内容が申請と一致しません。".to_owned(),
            Self::NotAccepted { .. } => {
                "作成事業者による提供の決定がありません。統括管理責任者の決定を得てください。"
                    .to_owned()
            }
            Self::NoSession => "審査委員会の記録がありません。".to_owned(),
            Self::OtherContent => {
                "審査された申請内容と決定された申請内容が異なります。再度付議してください。"
                    .to_owned()
            }
            Self::Session(e) => e.ja(),
            Self::Unfavourable => "審査委員会の意見が承認ではありません。".to_owned(),
            Self::NoContract => {
                "この加工仕様に結び付いた、有効な利用契約がありません。契約を締結し直してください。"
                    .to_owned()
            }
            Self::Undecided { count } => {
                format!(
                    "組合せ所見のうち{count}件が未判断です。確認担当者が判断してから承認してください。"
                )
            }
            Self::NotApplied { count } => {
                format!(
                    "「粗くする」「削除する」と判断した所見のうち{count}件が反映されていません。再度加工してください。"
                )
            }
            Self::OtherFindings => "登録された所見が目録と一致しません。".to_owned(),
            Self::Producer(e) => e.ja(),
            Self::Route(e) => e.ja(),
            Self::StopsSince { count } => {
                format!("作成後に提供停止の求めが{count}件ありました。再度加工してください。")
            }
            Self::Approvers(e) => e.ja(),
            Self::ApprovedOther { position } => {
                format!("{position}人目の承認は別の目録に対するものです。承認し直してください。")
            }
        }
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        match self {
            Self::Route(e) => e.law(),
            Self::Producer(e) => e.law(),
            Self::Approvers(e) => e.law(),
            other => LawKey::new(match other {
                Self::NoSession | Self::OtherContent | Self::Session(_) | Self::Unfavourable => {
                    "committee"
                }
                Self::Undecided { .. } | Self::NotApplied { .. } | Self::OtherFindings => {
                    "pseudonymized.identifiers"
                }
                Self::StopsSince { .. } => "stop",
                Self::NotAccepted { .. } | Self::NoContract => "contract",
                _ => "security",
            })
            .ok(),
        }
    }
}
