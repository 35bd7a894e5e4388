//! The state of a mapping set: what a holder's local codes mean, who said so, who agreed, and since when.
//!
//! Enters: [`Act`]s, one after the other, each with the person and the instant (time and identity are the caller's). Leaves: a
//! [`MappingSet`] at a version, what is in effect on a day, the difference of two versions and what it changes in the data.
//! Refuses: a signature by the proposer, two mappings of one local code at one time, units that no rule joins.
//!
//! # Guarantee
//! - `codes.mapping-signed`: nothing unsigned, refused or withdrawn has effect.
//! - `codes.mapping-two`: every mapping in effect was proposed and signed by two different persons.
//! - `codes.mapping-one`: on one day a local code has at most one mapping.
//! - `codes.mapping-replay`: the acts written and read again give the same set, at every version.

mod act;
mod diff;
mod file;
mod set;

pub use act::{Act, ActError};
pub use diff::{Change, Count, Persons, Preview, changes, preview};
pub use file::{FileError, read_acts, read_csv, read_json, write_act, write_csv, write_json};
pub use set::MappingSet;

use jiff::{Timestamp, civil::Date};

use crate::unit::{Analyte, KeptReason, convert};

/// A local code of a holder, in the realm of one target system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The target code system (`jlac10`, `yj`, `icd10` …).
    pub system: String,
    /// The holder, by the caller's id.
    pub holder: String,
    /// The holder's own code.
    pub local: String,
}

/// How values are brought to the target's unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRule {
    /// The unit of the holder.
    pub from: String,
    /// The unit wanted.
    pub to: String,
    /// The analyte's key where chemistry is needed (`glucose`).
    pub analyte: Option<String>,
    /// The analyte that the target measures, where it is another of the family (urea nitrogen for urea).
    pub target_analyte: Option<String>,
}

impl UnitRule {
    fn analytes(&self) -> (Option<&'static Analyte>, Option<&'static Analyte>) {
        let of = |key: &Option<String>| key.as_deref().and_then(Analyte::of_key);
        let analyte = of(&self.analyte);
        (analyte, of(&self.target_analyte).or(analyte))
    }

    /// Convert a value by this rule.
    pub fn convert(&self, value: &str) -> Result<crate::unit::Converted, KeptReason> {
        let (analyte, target) = self.analytes();
        convert(value, &self.from, &self.to, analyte, target)
    }

    /// Whether some rule joins the two units, and the analytes are known.
    pub(crate) fn holds(&self) -> bool {
        let known =
            |key: &Option<String>| key.as_deref().is_none_or(|key| Analyte::of_key(key).is_some());
        known(&self.analyte) && known(&self.target_analyte) && self.convert("1").is_ok()
    }
}

/// What a local code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The code of the target system.
    pub code: String,
    /// How values are converted; `None` leaves them as they are.
    pub unit: Option<UnitRule>,
}

/// A number of a mapping inside its set, from 1 in the order of proposals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId(pub u64);

/// Who and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The person, by the caller's id.
    pub person: String,
    /// The instant.
    pub at: Timestamp,
}

/// Where a mapping stands. Each variant carries the facts that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Proposed, without effect.
    Proposed {
        /// Who proposed.
        proposed: By,
    },
    /// Signed by a second person: in effect over its period.
    Signed {
        /// Who proposed.
        proposed: By,
        /// Who signed.
        signed: By,
    },
    /// Refused instead of signed: never in effect.
    Refused {
        /// Who proposed.
        proposed: By,
        /// Who refused.
        refused: By,
    },
    /// Taken back, by anybody and at once; without effect from then on.
    Withdrawn {
        /// Who proposed.
        proposed: By,
        /// Who had signed, if anybody.
        signed: Option<By>,
        /// Who took it back.
        withdrawn: By,
    },
    /// Another mapping took its place when that one was signed.
    Replaced {
        /// Who proposed.
        proposed: By,
        /// Who had signed.
        signed: By,
        /// The mapping that took its place.
        by: MappingId,
    },
}

/// One mapping and its standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its number.
    pub id: MappingId,
    /// The local code.
    pub key: Key,
    /// What it means.
    pub meaning: Meaning,
    /// First day of results to which it applies.
    pub from: Date,
    /// Last day; `None` = open.
    pub until: Option<Date>,
    /// The mapping whose place it takes when signed.
    pub replaces: Option<MappingId>,
    /// Where it stands.
    pub standing: Standing,
}

impl Mapping {
    /// Whether it is signed and stands.
    pub const fn is_signed(&self) -> bool {
        matches!(self.standing, Standing::Signed { .. })
    }

    /// Whether results of a day are in its period.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| a.until.is_some_and(|until| until < b.from);
        !before(self, other) && !before(other, self)
    }
}
