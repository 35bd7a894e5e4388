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

use kiban_kernel::{Date, Id, Rules, kinds};

mod lack;
mod vote;

pub use lack::{CompositionError, Lack, Stage};
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
    /// Is the member recused: tied to an organization with an interest, or for reasons of its own?
    pub fn touch(&self, member: &Member) -> bool {
        self.members.contains(&member.account)
            || member.ties().any(|o| self.organizations.contains(o))
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
