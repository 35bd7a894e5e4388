//! Certifications: kinds, states, and whether one is effective on a day.
//!
//! # Law
//! `certification.anon_producer`, `certification.pseudo_producer`, `certification.pseudo_user`,
//! `certification.change`, `entrustment`

use kiban_kernel::{Date, Id, LawKey, Product, kinds};

use crate::law_key;

mod effective;

pub use effective::{NotEffective, PseudoUser, WhyNot, lapsed_on, pseudo_user, require};

/// Where a certified user works on pseudonymized data.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum UserType {
    /// Ⅰ型: in its own secure environment.
    I,
    /// Ⅱ型: only inside the producer's environment.
    II,
}

/// What is certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificationKind {
    /// 認定匿名加工医療情報作成事業者
    AnonProducer,
    /// 認定仮名加工医療情報作成事業者
    PseudoProducer,
    /// 認定仮名加工医療情報利用事業者
    PseudoUser(UserType),
    /// 認定医療情報等取扱受託事業者
    Trustee,
}

impl CertificationKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::AnonProducer,
        Self::PseudoProducer,
        Self::PseudoUser(UserType::I),
        Self::PseudoUser(UserType::II),
        Self::Trustee,
    ];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnonProducer => "anon_producer",
            Self::PseudoProducer => "pseudo_producer",
            Self::PseudoUser(UserType::I) => "pseudo_user_1",
            Self::PseudoUser(UserType::II) => "pseudo_user_2",
            Self::Trustee => "trustee",
        }
    }
    /// The Act's title, reserved to certified bodies (Art. 15).
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::AnonProducer => "認定匿名加工医療情報作成事業者",
            Self::PseudoProducer => "認定仮名加工医療情報作成事業者",
            Self::PseudoUser(UserType::I) => "認定仮名加工医療情報利用事業者（Ⅰ型）",
            Self::PseudoUser(UserType::II) => "認定仮名加工医療情報利用事業者（Ⅱ型）",
            Self::Trustee => "認定医療情報等取扱受託事業者",
        }
    }
    /// The kind a producer needs to make a product.
    pub fn for_product(product: Product) -> Self {
        match product {
            Product::Anonymized => Self::AnonProducer,
            Product::Pseudonymized => Self::PseudoProducer,
        }
    }
    /// Law key.
    pub fn law(self) -> Option<LawKey> {
        law_key(match self {
            Self::AnonProducer => "certification.anon_producer",
            Self::PseudoProducer => "certification.pseudo_producer",
            Self::PseudoUser(_) => "certification.pseudo_user",
            Self::Trustee => "entrustment",
        })
    }
}

impl std::str::FromStr for CertificationKind {
    type Err = UnknownKind;
    fn from_str(s: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or(UnknownKind)
    }
}

impl serde::Serialize for CertificationKind {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for CertificationKind {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that names no kind of certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such kind of certification")]
pub struct UnknownKind;

/// Where a certification stands; each state carries exactly its facts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Applied for.
    Applied,
    /// Not granted.
    Denied,
    /// In effect.
    Certified {
        /// Certificate number, as `T-20-01`.
        number: String,
        /// First day no longer in effect, if limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Date>,
    },
    /// In effect; a change waits for its own certification.
    ChangePending {
        /// Certificate number.
        number: String,
        /// First day no longer in effect, if limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Date>,
    },
    /// Another body succeeded to it (merger, transfer, split).
    Succeeded {
        /// Who.
        by: Id<kinds::Organization>,
    },
    /// The business was abolished.
    Abolished,
    /// The body was dissolved.
    Dissolved,
    /// The ministers revoked it.
    Revoked,
}

impl State {
    /// Name, as stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Denied => "denied",
            Self::Certified { .. } => "certified",
            Self::ChangePending { .. } => "change_pending",
            Self::Succeeded { .. } => "succeeded",
            Self::Abolished => "abolished",
            Self::Dissolved => "dissolved",
            Self::Revoked => "revoked",
        }
    }
    /// Japanese name.
    pub fn label_ja(&self) -> &'static str {
        match self {
            Self::Applied => "申請中",
            Self::Denied => "不認定",
            Self::Certified { .. } => "認定",
            Self::ChangePending { .. } => "変更認定の申請中",
            Self::Succeeded { .. } => "承継",
            Self::Abolished => "廃止",
            Self::Dissolved => "解散",
            Self::Revoked => "取消し",
        }
    }
    /// Does the state end the certification, so that assets held under it must be erased or handed over?
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Denied
                | Self::Succeeded { .. }
                | Self::Abolished
                | Self::Dissolved
                | Self::Revoked
        )
    }
    fn may_follow(&self, from: Option<&Self>) -> bool {
        match (from, self) {
            (None, Self::Applied) => true,
            (Some(Self::Applied), Self::Certified { .. } | Self::Denied) => true,
            // A certified body may be renewed or corrected: certified after certified.
            (
                Some(Self::Certified { .. }),
                Self::Certified { .. }
                | Self::ChangePending { .. }
                | Self::Succeeded { .. }
                | Self::Abolished
                | Self::Dissolved
                | Self::Revoked,
            ) => true,
            (
                Some(Self::ChangePending { .. }),
                Self::Certified { .. }
                | Self::Succeeded { .. }
                | Self::Abolished
                | Self::Dissolved
                | Self::Revoked,
            ) => true,
            _ => false,
        }
    }
}

/// A step: from this day, this state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// First day of the state.
    pub on: Date,
    /// The state.
    #[serde(flatten)]
    pub state: State,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The machine has no such step.
    #[error("a certification cannot go from {from} to {to}")]
    NotAllowed {
        /// Present state, `nothing` at the beginning.
        from: &'static str,
        /// State asked for.
        to: &'static str,
    },
    /// The step is dated before the last one.
    #[error("the step is dated {on}, before the last one on {last}")]
    Backwards {
        /// Date of the step.
        on: Date,
        /// Date of the last one.
        last: Date,
    },
    /// A certificate without a number.
    #[error("the certificate has no number")]
    NoNumber,
}

impl StepError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NotAllowed { from, to } => {
                format!("認定の状態を「{from}」から「{to}」へは変更できません。")
            }
            Self::Backwards { on, last } => {
                format!(
                    "日付（{on}）が直前の状態の日付（{last}）より前です。日付を確かめてください。"
                )
            }
            Self::NoNumber => "認定番号がありません。認定証の番号を入力してください。".to_owned(),
        }
    }
}

/// One certification of one organization, with its whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    organization: Id<kinds::Organization>,
    kind: CertificationKind,
    history: Vec<Step>,
}

impl Certification {
    /// From its steps, oldest first; each must be allowed after the one before.
    ///
    /// # Errors
    /// The first step that is not allowed.
    pub fn from_history(
        organization: Id<kinds::Organization>,
        kind: CertificationKind,
        steps: impl IntoIterator<Item = Step>,
    ) -> Result<Self, StepError> {
        let mut this = Self { organization, kind, history: Vec::new() };
        for step in steps {
            this.step(step)?;
        }
        Ok(this)
    }

    /// Take a step.
    ///
    /// # Errors
    /// The machine has no such step, or it goes back in time.
    pub fn step(&mut self, step: Step) -> Result<(), StepError> {
        let last = self.history.last();
        if !step.state.may_follow(last.map(|l| &l.state)) {
            return Err(StepError::NotAllowed {
                from: last.map_or("nothing", |l| l.state.as_str()),
                to: step.state.as_str(),
            });
        }
        if let Some(last) = last.filter(|l| step.on < l.on) {
            return Err(StepError::Backwards { on: step.on, last: last.on });
        }
        if let State::Certified { number, .. } | State::ChangePending { number, .. } = &step.state
            && number.trim().is_empty()
        {
            return Err(StepError::NoNumber);
        }
        self.history.push(step);
        Ok(())
    }

    /// Whose.
    pub fn organization(&self) -> Id<kinds::Organization> {
        self.organization
    }
    /// Of what.
    pub fn kind(&self) -> CertificationKind {
        self.kind
    }
    /// All steps, oldest first.
    pub fn history(&self) -> &[Step] {
        &self.history
    }
    /// The state on a day.
    pub fn state(&self, on: Date) -> Option<&State> {
        self.history.iter().rev().find(|s| s.on <= on).map(|s| &s.state)
    }

    /// Is it effective on the day? Gives the certificate's number.
    ///
    /// # Errors
    /// Why not.
    pub fn effective(&self, on: Date) -> Result<&str, NotEffective> {
        let not = |why| NotEffective { kind: self.kind, on, why };
        match self.state(on) {
            Some(
                State::Certified { number, expires } | State::ChangePending { number, expires },
            ) => match expires {
                Some(expires) if *expires <= on => Err(not(WhyNot::Expired { since: *expires })),
                _ => Ok(number),
            },
            Some(other) => Err(not(WhyNot::State { state: other.as_str(), ja: other.label_ja() })),
            None => Err(not(WhyNot::None)),
        }
    }
}

#[cfg(test)]
mod tests;
