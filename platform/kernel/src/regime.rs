//! The Act's two regimes, never collapsed into one.

use std::fmt;

/// Under which regime a record may be used.
///
/// # Law
/// `notice.anonymized` (Art. 52), `notice.pseudonymized` (Art. 57)
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Anonymized processing.
    Anon52,
    /// Pseudonymized processing.
    Pseudo57,
}

impl Regime {
    /// Both, in the Act's order.
    pub const ALL: [Self; 2] = [Self::Anon52, Self::Pseudo57];
    /// Text form `anon52`, `pseudo57`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anon52 => "anon52",
            Self::Pseudo57 => "pseudo57",
        }
    }
    /// The Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Anon52 => "匿名加工（法52条）",
            Self::Pseudo57 => "仮名加工（法57条）",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such regime (anon52, pseudo57)")]
pub struct UnknownRegime;

impl std::str::FromStr for Regime {
    type Err = UnknownRegime;
    fn from_str(s: &str) -> Result<Self, UnknownRegime> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(UnknownRegime)
    }
}

/// The set of regimes a record is cleared for; stored as bits 1 (Art. 52) and 2 (Art. 57).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Bases(u8);

impl Bases {
    /// No basis: the record may not be kept.
    pub const NONE: Self = Self(0);
    /// Both regimes.
    pub const BOTH: Self = Self(3);

    /// From stored bits; unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 3)
    }
    /// Stored bits.
    pub fn bits(self) -> u8 {
        self.0
    }
    /// With `regime` added.
    pub fn with(self, regime: Regime) -> Self {
        Self(self.0 | Self::bit(regime))
    }
    /// With `regime` taken away.
    pub fn without(self, regime: Regime) -> Self {
        Self(self.0 & !Self::bit(regime))
    }
    /// Is `regime` in the set?
    pub fn contains(self, regime: Regime) -> bool {
        self.0 & Self::bit(regime) != 0
    }
    /// Is the set empty?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    fn bit(regime: Regime) -> u8 {
        match regime {
            Regime::Anon52 => 1,
            Regime::Pseudo57 => 2,
        }
    }
}

impl FromIterator<Regime> for Bases {
    fn from_iter<T: IntoIterator<Item = Regime>>(iter: T) -> Self {
        iter.into_iter().fold(Self::NONE, Self::with)
    }
}
