//! `profile.toml`: who the holder is, to whom it provides, under which filings and notices.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kiban_formats::Format;
use kiban_kernel::{Date, Id, Regime, kinds};

use super::SealError;
use crate::{
    manifest::Provider,
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
    /// Kinds of items it lists (names of canonical tables).
    pub items: Vec<String>,
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
    /// List of notices; relative to the profile's folder.
    pub notices: PathBuf,
    /// List of stop requests; relative to the profile's folder.
    pub stops: PathBuf,
    /// Filings under each regime.
    pub filing: Vec<ProfileFiling>,
    /// Versions of the notice.
    pub notice: Vec<NoticeVersion>,
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

    /// The items a version lists under a regime.
    pub(crate) fn items(&self, regime: Regime, version: &str) -> Option<&[String]> {
        self.notice
            .iter()
            .find(|n| n.regime == regime && n.version == version)
            .map(|n| n.items.as_slice())
    }
}
