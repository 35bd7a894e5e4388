//! Whether a certification is effective, and the proof that a user is certified.

use kiban_kernel::{Date, Id, LawKey, kinds};

use super::{Certification, CertificationKind, State, UserType};

/// Why there is no effective certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no effective certification as {kind} on {on}: {why}", kind = .kind.as_str())]
pub struct NotEffective {
    /// The kind needed.
    pub kind: CertificationKind,
    /// The day.
    pub on: Date,
    /// Why.
    pub why: WhyNot,
}

/// What stands against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNot {
    /// None of this kind on the register on that day.
    #[error("none on the register")]
    None,
    /// In a state that gives no right.
    #[error("its state is {state}")]
    State {
        /// The state.
        state: &'static str,
        /// Its Japanese name.
        ja: &'static str,
    },
    /// Ran out.
    #[error("it expired on {since}")]
    Expired {
        /// First day no longer in effect.
        since: Date,
    },
}

impl NotEffective {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let kind = match self.kind {
            CertificationKind::PseudoUser(_) => "認定仮名加工医療情報利用事業者",
            other => other.label_ja(),
        };
        let why = match self.why {
            WhyNot::None => "登録がありません".to_owned(),
            WhyNot::State { ja, .. } => format!("状態が「{ja}」です"),
            WhyNot::Expired { since } => format!("{since}に有効期間が終わっています"),
        };
        format!(
            "{}の時点で有効な{kind}の認定を確認できません（{why}）。認定の登録を確かめてください。",
            self.on
        )
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        self.kind.law()
    }
}

/// Proof that an organization was a certified user of pseudonymized data on a day. Made by
/// [`pseudo_user`] alone: the only recipient a pseudonymized dataset has.
///
/// ```compile_fail,E0451
/// use kiban_govern::certification::{PseudoUser, UserType};
/// use kiban_kernel::{Date, Id};
/// let forged = PseudoUser { organization: Id::from_bytes([0; 16]), user_type: UserType::I,
///     number: String::new(), on: Date::MIN };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PseudoUser {
    organization: Id<kinds::Organization>,
    user_type: UserType,
    number: String,
    on: Date,
}

impl PseudoUser {
    /// Whose certification.
    pub fn organization(&self) -> Id<kinds::Organization> {
        self.organization
    }
    /// Type I or II.
    pub fn user_type(&self) -> UserType {
        self.user_type
    }
    /// Certificate number.
    pub fn number(&self) -> &str {
        &self.number
    }
    /// The day it was checked for.
    pub fn on(&self) -> Date {
        self.on
    }
}

/// The proof for `organization` on a day, from the certifications on file. With both types in effect, type I
/// wins: it includes what type II may do.
///
/// # Errors
/// None is effective; names the nearest reason.
pub fn pseudo_user(
    organization: Id<kinds::Organization>,
    certifications: &[Certification],
    on: Date,
) -> Result<PseudoUser, NotEffective> {
    let mut nearest =
        NotEffective { kind: CertificationKind::PseudoUser(UserType::I), on, why: WhyNot::None };
    for wanted in [UserType::I, UserType::II] {
        for c in certifications {
            if c.organization != organization || c.kind != CertificationKind::PseudoUser(wanted) {
                continue;
            }
            match c.effective(on) {
                Ok(number) => {
                    let number = number.to_owned();
                    return Ok(PseudoUser { organization, user_type: wanted, number, on });
                }
                Err(e) => nearest = e,
            }
        }
    }
    Err(nearest)
}

/// Is `organization` certified as `kind` on a day?
///
/// # Errors
/// Not; names the nearest reason.
pub fn require(
    organization: Id<kinds::Organization>,
    kind: CertificationKind,
    certifications: &[Certification],
    on: Date,
) -> Result<&Certification, NotEffective> {
    let mut nearest = NotEffective { kind, on, why: WhyNot::None };
    for c in certifications.iter().filter(|c| c.organization == organization && c.kind == kind) {
        match c.effective(on) {
            Ok(_) => return Ok(c),
            Err(e) => nearest = e,
        }
    }
    Err(nearest)
}

/// The first day on which a user that was certified no longer is, of the interruption that lasts until `today`; none if it
/// is certified today or never was.
pub fn lapsed_on(
    organization: Id<kinds::Organization>,
    certifications: &[Certification],
    today: Date,
) -> Option<Date> {
    let certified = |on| pseudo_user(organization, certifications, on).is_ok();
    if certified(today) {
        return None;
    }
    // A certification begins and ends on days that its history names.
    let of = |c: &&Certification| {
        c.organization == organization && matches!(c.kind, CertificationKind::PseudoUser(_))
    };
    let mut days: Vec<Date> = certifications
        .iter()
        .filter(of)
        .flat_map(|c| c.history())
        .flat_map(|step| {
            let expires = match &step.state {
                State::Certified { expires, .. } | State::ChangePending { expires, .. } => *expires,
                _ => None,
            };
            [Some(step.on), expires]
        })
        .flatten()
        .filter(|day| *day <= today)
        .collect();
    days.sort_unstable();
    let last = days.iter().rposition(|day| certified(*day))?;
    days.get(last + 1).copied()
}
