//! The review committee: who sits on it, whether a session can advise, what it advises.
//!
//! Members' categories: ① natural sciences, ② humanities and social sciences, ③ general standpoint incl. that
//! of persons and bereaved families. ④ is no category of its own but an attribute added to them: neither
//! officer nor employee of *this* producer or *its* trustees. Recused members leave the base; what remains must
//! still hold ①②③, plural ④ and a majority present.
//!
//! # Law
//! `committee`

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Date, Id, LawKey, RuleError, Rules, kinds};

use crate::law_key;

mod vote;

pub use vote::{Ballot, Opinion, Outcome, Tally, VoteError};

type Account = Id<kinds::Account>;
type Organization = Id<kinds::Organization>;

/// A member's field. A member may hold several.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// ① natural sciences: medicine and the like.
    NaturalScience,
    /// ② humanities and social sciences: ethics, law and the like.
    Humanities,
    /// ③ a general standpoint, that of persons and bereaved families included.
    General,
}

impl Category {
    /// All three.
    pub const ALL: [Self; 3] = [Self::NaturalScience, Self::Humanities, Self::General];
    /// Text form, as in the rule pack.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NaturalScience => "natural_science",
            Self::Humanities => "humanities",
            Self::General => "general",
        }
    }
    /// Japanese name with its number.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::NaturalScience => "①自然科学の有識者",
            Self::Humanities => "②人文・社会科学の有識者",
            Self::General => "③本人・遺族等の観点を含む一般の立場の者",
        }
    }
}

/// As the composition rule counts it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 女
    Female,
    /// 男
    Male,
}

/// Office in the committee.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Office {
    /// 委員長
    Chair,
    /// 副委員長, presides when the chair is absent or recused.
    ViceChair,
    /// 委員
    Member,
}

/// A member of the committee.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Member {
    /// The member's account.
    pub account: Account,
    /// ①②③, one or more.
    pub categories: BTreeSet<Category>,
    /// As the composition rule counts it.
    pub sex: Sex,
    /// Organizations that employ the member.
    pub employers: BTreeSet<Organization>,
    /// Organizations of which the member is an officer.
    pub officer_of: BTreeSet<Organization>,
    /// Office.
    pub office: Office,
    /// First day in office.
    pub from: Date,
    /// First day no longer in office.
    pub until: Option<Date>,
}

impl Member {
    /// In office on a day?
    pub fn in_office(&self, on: Date) -> bool {
        self.from <= on && self.until.is_none_or(|until| on < until)
    }
    /// ④: tied neither to this producer nor to one of its trustees.
    pub fn is_outsider(&self, bodies: &Bodies) -> bool {
        !self.ties().any(|o| *o == bodies.producer || bodies.trustees.contains(o))
    }
    fn ties(&self) -> impl Iterator<Item = &Organization> {
        self.employers.iter().chain(&self.officer_of)
    }
}

/// The producer and its own trustees (sub-entrusted ones included): what ④ is judged against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bodies {
    /// The producer.
    pub producer: Organization,
    /// Its trustees.
    pub trustees: BTreeSet<Organization>,
}

/// Who has an interest in an application: these do not deliberate or vote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interests {
    /// Applicant, affiliates, collaborators, funders: members tied to one of them are recused.
    pub organizations: BTreeSet<Organization>,
    /// Members recused for reasons of their own.
    pub members: BTreeSet<Account>,
}

impl Interests {
    fn touch(&self, member: &Member) -> bool {
        self.members.contains(&member.account)
            || member.ties().any(|o| self.organizations.contains(o))
    }
}

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

fn found(stage: Stage, lacks: Vec<Lack>) -> Result<(), CompositionError> {
    if lacks.is_empty() { Ok(()) } else { Err(CompositionError { stage, lacks }) }
}

/// The dated numbers of one day.
struct Numbers {
    min_members: usize,
    required: Vec<Category>,
    min_outsiders: usize,
    both_sexes: bool,
    quorum_percent: usize,
    min_present: usize,
    session_both_sexes: bool,
    approval_percent: usize,
}

impl Numbers {
    fn on(rules: &Rules, on: Date) -> Result<Self, Lack> {
        let int = |name| -> Result<usize, Lack> {
            Ok(usize::try_from(rules.int(name, on)?).unwrap_or(usize::MAX))
        };
        let mut required = Vec::new();
        for name in rules.list("committee.required_categories", on)? {
            let category = Category::ALL.into_iter().find(|c| c.as_str() == name);
            required.push(category.ok_or(Lack::UnknownCategory)?);
        }
        Ok(Self {
            min_members: int("committee.min_members")?,
            required,
            min_outsiders: int("committee.min_outsiders")?,
            both_sexes: rules.flag("committee.both_sexes", on)?,
            quorum_percent: int("committee.quorum_percent")?,
            min_present: int("committee.session_min_present")?,
            session_both_sexes: rules.flag("committee.session_both_sexes", on)?,
            approval_percent: int("committee.approval_percent")?,
        })
    }
    fn lacks(&self, members: &[&Member], bodies: &Bodies, both_sexes: bool) -> Vec<Lack> {
        let mut lacks = Vec::new();
        for category in &self.required {
            if !members.iter().any(|m| m.categories.contains(category)) {
                lacks.push(Lack::Category(*category));
            }
        }
        let have = members.iter().filter(|m| m.is_outsider(bodies)).count();
        if have < self.min_outsiders {
            lacks.push(Lack::Outsiders { have, need: self.min_outsiders });
        }
        let sexes: BTreeSet<_> = members.iter().map(|m| m.sex).collect();
        if both_sexes && sexes.len() < 2 {
            lacks.push(Lack::OneSexOnly);
        }
        lacks
    }
}

/// Is the roster in office a valid committee on the day?
///
/// # Errors
/// Everything it lacks.
pub fn composition(
    members: &[Member],
    bodies: &Bodies,
    rules: &Rules,
    on: Date,
) -> Result<(), CompositionError> {
    let stage = Stage::Composition;
    let numbers = Numbers::on(rules, on).map_err(|l| CompositionError { stage, lacks: vec![l] })?;
    let office: Vec<&Member> = members.iter().filter(|m| m.in_office(on)).collect();
    let mut lacks = Vec::new();
    let distinct: BTreeSet<_> = office.iter().map(|m| m.account).collect();
    if distinct.len() != office.len() {
        lacks.push(Lack::Twice);
    }
    if distinct.len() < numbers.min_members {
        lacks.push(Lack::Members { have: distinct.len(), need: numbers.min_members });
    }
    lacks.extend(numbers.lacks(&office, bodies, numbers.both_sexes));
    if !office.iter().any(|m| m.office == Office::Chair) {
        lacks.push(Lack::Chair);
    }
    found(stage, lacks)
}

/// Proof that a session can advise on one application. Made by [`session`] alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Session {
    on: Date,
    present: BTreeSet<Account>,
    recused: BTreeSet<Account>,
    entitled: BTreeSet<Account>,
    presiding: Account,
    outsiders_present: usize,
    approval_percent: usize,
}

impl Session {
    /// The day.
    pub fn on(&self) -> Date {
        self.on
    }
    /// Entitled members present.
    pub fn present(&self) -> &BTreeSet<Account> {
        &self.present
    }
    /// Members recused from this application.
    pub fn recused(&self) -> &BTreeSet<Account> {
        &self.recused
    }
    /// Members entitled to vote: in office and not recused; the base of the quorum.
    pub fn entitled(&self) -> &BTreeSet<Account> {
        &self.entitled
    }
    /// Who presides.
    pub fn presiding(&self) -> Account {
        self.presiding
    }
    /// Close the session with the votes of those present.
    ///
    /// # Errors
    /// A vote of somebody not entitled or not present, a vote without a reason, or no vote.
    pub fn close(&self, votes: &BTreeMap<Account, Ballot>) -> Result<Opinion, VoteError> {
        vote::count(self.approval_percent, &self.present, &self.recused, votes)
    }
}

/// Can the committee advise on an application with these interests, with these attendees, on this day?
///
/// # Errors
/// Everything the committee, the base left by recusals, or the attendance lacks; the first failing stage.
pub fn session(
    members: &[Member],
    bodies: &Bodies,
    attendance: &[Account],
    interests: &Interests,
    rules: &Rules,
    on: Date,
) -> Result<Session, CompositionError> {
    composition(members, bodies, rules, on)?;
    let numbers = Numbers::on(rules, on)
        .map_err(|l| CompositionError { stage: Stage::Composition, lacks: vec![l] })?;
    let (recused, base): (Vec<&Member>, Vec<&Member>) =
        members.iter().filter(|m| m.in_office(on)).partition(|m| interests.touch(m));
    found(Stage::Base, numbers.lacks(&base, bodies, false))?;

    let mut lacks = Vec::new();
    for (i, account) in attendance.iter().enumerate() {
        if !members.iter().any(|m| m.account == *account && m.in_office(on)) {
            lacks.push(Lack::NotAMember { position: i + 1 });
        }
    }
    let here: Vec<&Member> =
        base.iter().copied().filter(|m| attendance.contains(&m.account)).collect();
    // "More than this share": 50 percent of 8 needs 5.
    let need = (base.len() * numbers.quorum_percent / 100 + 1).max(numbers.min_present);
    if here.len() < need {
        lacks.push(Lack::Quorum { present: here.len(), entitled: base.len(), need });
    }
    lacks.extend(numbers.lacks(&here, bodies, numbers.session_both_sexes));
    let presiding = here
        .iter()
        .filter(|m| m.office != Office::Member)
        .min_by_key(|m| m.office)
        .map(|m| m.account);
    let Some(presiding) = presiding else {
        lacks.push(Lack::Chair);
        return Err(CompositionError { stage: Stage::Attendance, lacks });
    };
    found(Stage::Attendance, lacks)?;
    Ok(Session {
        on,
        present: here.iter().map(|m| m.account).collect(),
        recused: recused.iter().map(|m| m.account).collect(),
        entitled: base.iter().map(|m| m.account).collect(),
        presiding,
        outsiders_present: here.iter().filter(|m| m.is_outsider(bodies)).count(),
        approval_percent: numbers.approval_percent,
    })
}

#[cfg(test)]
mod tests;
