//! What can be done to a mapping set, and why it may be refused.

use jiff::civil::Date;

use super::{By, Key, MappingId, Meaning};

/// One act of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Propose a mapping. It gets the next number.
    Propose {
        /// Who and when.
        by: By,
        /// The local code.
        key: Key,
        /// What it means.
        meaning: Meaning,
        /// First day of results.
        from: Date,
        /// Last day of results.
        until: Option<Date>,
        /// A signed mapping of the same local code, whose place this one takes when signed.
        replaces: Option<MappingId>,
    },
    /// Sign a proposal of somebody else.
    Sign {
        /// Who and when.
        by: By,
        /// The proposal.
        id: MappingId,
    },
    /// Refuse a proposal.
    Refuse {
        /// Who and when.
        by: By,
        /// The proposal.
        id: MappingId,
        /// Why.
        reason: String,
    },
    /// Take back a proposal or a signed mapping.
    Withdraw {
        /// Who and when.
        by: By,
        /// The mapping.
        id: MappingId,
        /// Why.
        reason: String,
    },
}

impl Act {
    /// Who and when.
    pub const fn by(&self) -> &By {
        match self {
            Self::Propose { by, .. }
            | Self::Sign { by, .. }
            | Self::Refuse { by, .. }
            | Self::Withdraw { by, .. } => by,
        }
    }
}

/// Why an act is refused. The set is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// The person's id is empty or has blanks around it.
    #[error("no person")]
    NoPerson,
    /// Earlier than the act before.
    #[error("earlier than the act before")]
    Backwards,
    /// The system, the holder, the local code or the target code is empty.
    #[error("an empty code")]
    EmptyCode,
    /// The last day is before the first.
    #[error("the period ends before it begins")]
    Period,
    /// No rule joins the two units, or the analyte is unknown.
    #[error("no rule joins the two units")]
    Unit,
    /// No mapping of this number.
    #[error("no mapping of this number")]
    Unknown,
    /// The mapping to be replaced is not signed, or of another local code.
    #[error("what is to be replaced is not in effect or of another local code")]
    Replaces,
    /// It is not a proposal (any more).
    #[error("not a proposal any more")]
    NotProposed,
    /// It is refused, withdrawn or replaced already.
    #[error("ended already")]
    Ended,
    /// The person who proposed may not sign.
    #[error("the proposer may not sign")]
    SamePerson,
    /// Another signed mapping of the local code covers some of the days.
    #[error("another mapping of this local code is in effect on some of the days")]
    Overlap,
    /// A refusal or withdrawal without a reason.
    #[error("no reason")]
    NoReason,
}

impl ActError {
    /// The rule's id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoPerson => "mapping.no-person",
            Self::Backwards => "mapping.backwards",
            Self::EmptyCode => "mapping.empty-code",
            Self::Period => "mapping.period",
            Self::Unit => "mapping.unit",
            Self::Unknown => "mapping.unknown",
            Self::Replaces => "mapping.replaces",
            Self::NotProposed => "mapping.not-proposed",
            Self::Ended => "mapping.ended",
            Self::SamePerson => "mapping.same-person",
            Self::Overlap => "mapping.overlap",
            Self::NoReason => "mapping.no-reason",
        }
    }

    /// The sentence shown to staff.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::NoPerson => "担当者が記されていません。",
            Self::Backwards => "直前の操作より前の日時です。",
            Self::EmptyCode => "コード体系、提供元、院内コード、対応先コードのいずれかが空です。",
            Self::Period => "適用期間の終わりが始まりより前です。",
            Self::Unit => "二つの単位を結ぶ換算規則がないか、分析物の指定が誤っています。",
            Self::Unknown => "この番号の対応付けはありません。",
            Self::Replaces => "置き換える対応付けが有効でないか、別の院内コードのものです。",
            Self::NotProposed => "提案中の対応付けではありません。",
            Self::Ended => "既に却下、取下げ、または置換えされた対応付けです。",
            Self::SamePerson => "提案した本人は承認できません。別の担当者が承認してください。",
            Self::Overlap => "同じ院内コードの有効な対応付けと適用期間が重なっています。",
            Self::NoReason => "理由が記されていません。",
        }
    }
}
