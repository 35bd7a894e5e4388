//! Findings of the combination scan and what people decide about them.
//!
//! A finding names columns and counts persons; it never quotes a value. Who must see the value looks the
//! persons up in the product by their pseudonyms. A finding's id is keyed by the product's domain and depends
//! on kind, columns and value alone, so a decision survives a second run.

use kiban_govern::{Act, Permit, Refusal};
use kiban_kernel::{Id, LawKey, Timestamp, kinds};

/// What kind of combination could name somebody.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A very high age.
    VeryHighAge,
    /// An occupation that hardly anybody holds.
    Occupation,
    /// An occupation that hardly anybody holds in the municipality.
    OccupationInMunicipality,
    /// A municipality with hardly anybody.
    SmallMunicipality,
    /// A disease that is rare in the population, in a region with hardly another case.
    RareDiseaseInRegion,
    /// An event that hardly anybody has, in one municipality.
    SingleCaseInMunicipality,
    /// An event that hardly anybody has, at one facility.
    SingleCaseAtFacility,
}

impl FindingKind {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VeryHighAge => "very_high_age",
            Self::Occupation => "occupation",
            Self::OccupationInMunicipality => "occupation_in_municipality",
            Self::SmallMunicipality => "small_municipality",
            Self::RareDiseaseInRegion => "rare_disease_in_region",
            Self::SingleCaseInMunicipality => "single_case_in_municipality",
            Self::SingleCaseAtFacility => "single_case_at_facility",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::VeryHighAge => "きわめて高い年齢",
            Self::Occupation => "該当者のごく少ない職業",
            Self::OccupationInMunicipality => "職業と市区町村の組合せ",
            Self::SmallMunicipality => "該当者のごく少ない市区町村",
            Self::RareDiseaseInRegion => "希少疾患と地域の組合せ",
            Self::SingleCaseInMunicipality => "ごく少ない事象と市区町村の組合せ",
            Self::SingleCaseAtFacility => "ごく少ない事象と医療機関の組合せ",
        }
    }
}

/// Persons whom one value or a combination of values could identify.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// Stable id.
    pub id: Id<kinds::Finding>,
    /// Kind.
    pub kind: FindingKind,
    /// The columns whose values combine, as `table.column`.
    pub columns: Vec<String>,
    /// How many persons share the combination.
    pub persons: u64,
    /// Their pseudonyms in the product.
    pub pseudonyms: Vec<String>,
    /// The provision.
    pub law: LawKey,
    /// The decision, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

impl Finding {
    /// The Japanese sentence; no value in it.
    pub fn ja(&self) -> String {
        format!(
            "{}: {} の組合せが{}人に絞られます（{} {}）。残す・粗くする・消すのいずれかを理由とともに決めてください。",
            self.kind.label_ja(),
            self.columns.join("、"),
            self.persons,
            self.law.article(),
            self.law.title_ja()
        )
    }
    /// Decide it.
    ///
    /// # Errors
    /// The permit is for another act, or no reason is given.
    pub fn decide(
        &self,
        permit: &Permit,
        choice: Choice,
        reason: &str,
        at: Timestamp,
    ) -> Result<Decision, DecideError> {
        let actor = permit.expect(Act::DecideFinding)?;
        if reason.trim().is_empty() {
            return Err(DecideError::NoReason);
        }
        Ok(Decision {
            finding: self.id,
            choice,
            by: actor.account,
            reason: reason.trim().to_owned(),
            at,
        })
    }
}

/// What becomes of a finding's values.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// They stay: the person is not identified by them, for the reason given.
    Keep,
    /// They become coarser for these persons: municipality to prefecture, age and occupation and event to a residual.
    Coarsen,
    /// They are emptied for these persons.
    Drop,
}

impl Choice {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Coarsen => "coarsen",
            Self::Drop => "drop",
        }
    }
    /// From the text form.
    pub fn named(text: &str) -> Option<Self> {
        [Self::Keep, Self::Coarsen, Self::Drop].into_iter().find(|c| c.as_str() == text)
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Keep => "残す",
            Self::Coarsen => "粗くする",
            Self::Drop => "消す",
        }
    }
}

/// A named person's decision about a finding.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// Which finding.
    pub finding: Id<kinds::Finding>,
    /// What.
    pub choice: Choice,
    /// Who.
    pub by: Id<kinds::Account>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why a decision was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// Not permitted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A decision needs a reason.
    #[error("a decision needs a reason")]
    NoReason,
}

impl DecideError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.ja(),
            Self::NoReason => "判断には理由が必要です。".to_owned(),
        }
    }
}
