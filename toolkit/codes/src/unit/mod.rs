//! Units: text to dimension and exact factor, and values from one unit to another with the original kept.
//!
//! Enters: unit text as a source wrote it (UCUM, or the ways of Japanese laboratory systems), a value as text, and where
//! chemistry is needed an analyte. Leaves: a [`Unit`], and a [`Converted`] with both values, the exact factor and the rule.
//! Refuses: units it does not know (named, left alone), and conversions that no rule states.

mod analyte;
mod convert;
mod dimension;
mod parse;
mod spelling;
mod table;

pub use analyte::{Analyte, Confidence, Line};
pub use convert::{Conversion, Converted, KeptReason, convert, factor_between};
pub use dimension::{Base, Dimension};
pub use parse::Reading;

use crate::exact::Rational;

/// A unit: what it measures, its exact size in base units, its UCUM code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    factor: Rational,
    dimension: Dimension,
    code: String,
    reading: Reading,
}

impl Unit {
    /// Read unit text; `None` where it is not known. Nothing is guessed beyond what [`Unit::reading`] reports.
    ///
    /// Width, blanks, superscripts, Greek mu, `×10^4`, `10E4`, `万`, middle dots, Japanese names and the case of letters are
    /// read; the grammar is UCUM's (The Unified Code for Units of Measure 2.1, without special functions).
    /// ```
    /// use kiban_codes::unit::Unit;
    /// let same = ["10*3/uL", "×10³/μl", "x10^3/mm3", "千／μＬ", "K/uL"].map(|t| Unit::parse(t).unwrap());
    /// assert!(same.iter().all(|unit| unit.factor() == same[0].factor()));
    /// assert!(Unit::parse("単位不明").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        parse::parse(text)
    }

    /// One of this unit in base units (g, m, s, mol, K, U, Eq, osm).
    pub const fn factor(&self) -> Rational {
        self.factor
    }

    /// What it measures.
    pub const fn dimension(&self) -> &Dimension {
        &self.dimension
    }

    /// The unit in UCUM codes (those in curly brackets are ours).
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What was read generously.
    pub const fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether both have the same size and measure the same.
    pub fn same(&self, other: &Self) -> bool {
        self.factor == other.factor && self.dimension == other.dimension
    }
}
