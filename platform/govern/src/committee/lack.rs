//! What a committee or session lacks, named.

use kiban_kernel::{LawKey, RuleError};

use super::Category;
use crate::law_key;

/// What a committee or session lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    /// Too few members in office.
    #[error("{have} of {need} members in office")]
    Members {
        /// In office.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// Nobody of a category.
    #[error("nobody of category {}", .0.as_str())]
    Category(Category),
    /// Members of one sex only.
    #[error("members of one sex only")]
    OneSexOnly,
    /// Too few outsiders (④).
    #[error("{have} of {need} outsiders (4)")]
    Outsiders {
        /// Counted.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// Nobody can preside: the committee has no chair, or neither chair nor vice-chair is present unrecused.
    #[error("nobody to preside")]
    Chair,
    /// Too few present.
    #[error("{present} of {entitled} entitled members present, {need} needed")]
    Quorum {
        /// Entitled members present.
        present: usize,
        /// Members entitled to vote.
        entitled: usize,
        /// Needed.
        need: usize,
    },
    /// An attendee who is not a member in office.
    #[error("attendee {position} is not a member in office")]
    NotAMember {
        /// Which, from 1.
        position: usize,
    },
    /// The same account twice on the roster.
    #[error("an account stands twice on the roster")]
    Twice,
    /// A category of the rule pack this version does not know.
    #[error("the rule asks for a category this version does not know")]
    UnknownCategory,
    /// A rule is not in force.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl Lack {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Members { have, need } => format!("委員が{have}人です（{need}人以上が必要）"),
            Self::Category(c) => format!("{}がいません", c.label_ja()),
            Self::OneSexOnly => "男女両性で構成されていません".to_owned(),
            Self::Outsiders { have, need } => format!(
                "④作成事業者・その受託事業者の役職員でない者が{have}人です（{need}人以上が必要）"
            ),
            Self::Chair => "議長となる委員長・副委員長がいません".to_owned(),
            Self::Quorum { present, entitled, need } => format!(
                "議決に加わることのできる委員{entitled}人のうち出席は{present}人です（{need}人以上が必要）"
            ),
            Self::NotAMember { position } => {
                format!("出席者の{position}人目は在任中の委員ではありません")
            }
            Self::Twice => "同じアカウントが名簿に重複しています".to_owned(),
            Self::UnknownCategory => "規則が求める委員区分を本版は扱えません".to_owned(),
            Self::Rule(_) => "その日に効力のある委員会の規則がありません".to_owned(),
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The roster in office.
    Composition,
    /// What remains when the recused have left.
    Base,
    /// Those present.
    Attendance,
}

/// Why the committee cannot advise: everything it lacks at one stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the committee cannot advise ({stage:?}): {}", .lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct CompositionError {
    /// Where it fails.
    pub stage: Stage,
    /// All that is missing.
    pub lacks: Vec<Lack>,
}

impl CompositionError {
    /// Sentence for the user, naming all that is missing.
    pub fn ja(&self) -> String {
        let head = match self.stage {
            Stage::Composition => "審査委員会の構成が要件を満たしません",
            Stage::Base => "利益相反のある委員を除くと、審査委員会の構成が要件を満たしません",
            Stage::Attendance => "出席が要件を満たさず、会議を開けません",
        };
        let lacks: Vec<_> = self.lacks.iter().map(Lack::ja).collect();
        format!("{head}：{}。", lacks.join("、"))
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key("committee")
    }
}
