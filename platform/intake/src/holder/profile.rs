//! `profile.toml`: who the holder is, to whom it provides, under which filings and notices.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kiban_formats::Format;
use kiban_kernel::{Date, Id, Regime, Rules, kinds};

use kiban_govern::{
    gate::FilingFact,
    slot::{NoticeState, Slot, SlotFacts},
};

use super::SealError;
use crate::{
    manifest::{CORRECTIONS_NAME, Provider, RETRACTIONS_NAME},
    segment::{format_name, format_of},
};

/// A filing with the ministers, as the holder knows its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFiling {
    /// Regime.
    pub regime: Regime,
    /// First day in effect.
    pub effective_from: Date,
    /// First day no longer in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Date>,
    /// The wait the notice promises, if longer than the rule's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_days: Option<i64>,
}

/// A version of the holder's notice and what it lists.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeVersion {
    /// Version, as in `notices.csv`.
    pub version: String,
    /// Regime.
    pub regime: Regime,
    /// First day on which it is given; without it the slot stays locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Date>,
    /// Kinds of items it lists (names of canonical tables).
    pub items: Vec<String>,
    /// Its words, for letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<NoticeText>,
}

/// The words of a notice that the profile does not say elsewhere (法52条1項・57条1項).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeText {
    /// (2) That data go to a certified producer, and for what.
    pub purpose: String,
    /// (3) Items of data provided.
    pub data_items: String,
    /// (4) How the holder acquired them.
    pub acquisition: String,
    /// (5) Method of provision.
    pub method: String,
    /// (6) That provision stops on request.
    pub stop_on_request: String,
    /// (7) How requests are received.
    pub request_desk: String,
}

/// The holder's settings.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The id the producer's register gave this holder.
    pub holder: Id<kinds::Organization>,
    /// Name, address, representative, how the data were acquired.
    pub provider: Provider,
    /// Name of the producer provided to: for the provision record.
    pub producer_name: String,
    /// Address of the producer.
    pub producer_address: String,
    /// age recipient of the producer.
    pub producer_recipient: String,
    /// Format that is sent (`ssmix2`, `fhir_ndjson`, `municipal_csv`, `uke` …, see
    /// [`format_of`](crate::format_of)). Files of another are left out.
    #[serde(default, with = "format_text", skip_serializing_if = "Option::is_none")]
    pub input_format: Option<Format>,
    /// Claims are an insurer's: persons are known as `insurer:symbol:number:branch:birth:sex`, the parts as the claims
    /// have them, in ASCII and without marks; without a branch number the name takes its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claims_of_insurer: bool,
    /// List of notices; relative to the profile's folder.
    pub notices: PathBuf,
    /// List of stop requests; relative to the profile's folder.
    pub stops: PathBuf,
    /// List of records taken back, which need not be there; relative to the profile's folder.
    #[serde(default = "retractions")]
    pub retractions: PathBuf,
    /// List of corrections of persons, which need not be there; relative to the profile's folder.
    #[serde(default = "corrections")]
    pub corrections: PathBuf,
    /// Filings under each regime.
    pub filing: Vec<ProfileFiling>,
    /// Versions of the notice.
    pub notice: Vec<NoticeVersion>,
}

pub(super) fn retractions() -> PathBuf {
    RETRACTIONS_NAME.into()
}
pub(super) fn corrections() -> PathBuf {
    CORRECTIONS_NAME.into()
}

mod format_text {
    use super::*;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde's with-modules are called so")]
    pub(super) fn serialize<S: Serializer>(f: &Option<Format>, s: S) -> Result<S::Ok, S::Error> {
        match f {
            Some(f) => s.serialize_str(format_name(*f)),
            None => s.serialize_none(),
        }
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Format>, D::Error> {
        let text = String::deserialize(d)?;
        format_of(&text).map(Some).ok_or_else(|| D::Error::custom("unknown format"))
    }
}

impl Profile {
    /// Reads `profile.toml` in `dir`.
    ///
    /// # Errors
    /// Missing, or it does not parse (the line is named).
    pub fn load(dir: &Path) -> Result<Self, SealError> {
        let text = fs::read_to_string(dir.join("profile.toml")).map_err(SealError::Profile)?;
        toml::from_str(&text).map_err(|e| SealError::ProfileSyntax {
            line: e
                .span()
                .map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() as u64 + 1),
        })
    }

    /// The profile's text.
    ///
    /// # Errors
    /// Never for a value of this type.
    pub fn to_text(&self) -> Result<String, SealError> {
        toml::to_string_pretty(self).map_err(|_| SealError::ProfileSyntax { line: 0 })
    }

    /// The delivery slot on a day: what is missing before anything may be sealed.
    pub fn slot(&self, on: Date, rules: &Rules) -> Slot {
        let facts = Regime::ALL.map(|regime| SlotFacts {
            filing: self.deciding_filing(regime, on),
            notice: self
                .notice
                .iter()
                .filter(|n| n.regime == regime)
                .map(|n| NoticeState::of(!n.items.is_empty(), n.effective_from, on))
                .max()
                .unwrap_or_default(),
        });
        Slot::judge(facts, on, rules)
    }

    /// The filing in effect on the day, or the last one there is.
    pub(crate) fn deciding_filing(&self, regime: Regime, on: Date) -> Option<FilingFact> {
        let fact = |f: &ProfileFiling| FilingFact {
            effective_from: f.effective_from,
            ended: f.ended,
            wait_days: f.wait_days,
        };
        let own = || self.filing.iter().filter(move |f| f.regime == regime);
        own()
            .find(|f| f.effective_from <= on && f.ended.is_none_or(|e| on < e))
            .or_else(|| own().max_by_key(|f| f.effective_from))
            .map(fact)
    }

    /// The items a version lists under a regime.
    pub(crate) fn items(&self, regime: Regime, version: &str) -> Option<&[String]> {
        self.notice
            .iter()
            .find(|n| n.regime == regime && n.version == version)
            .map(|n| n.items.as_slice())
    }
}
