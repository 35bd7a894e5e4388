//! Analytes and straight lines, from `data/analytes.csv` and `data/linear.csv`, read once.

use std::sync::OnceLock;

use super::{Unit, table::number};
use crate::exact::Rational;

/// How sure a row of the tables is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// A convention (what is weighed is a mixture or a chosen reference molecule).
    Medium,
    /// A formula or a published equation.
    High,
}

/// A measured substance, as far as its units need it.
#[derive(Debug)]
pub struct Analyte {
    key: Box<str>,
    name: Box<str>,
    family: Box<str>,
    molar_mass: Option<Rational>,
    valence: Option<Rational>,
    enzyme: bool,
    jlac10: Vec<Box<str>>,
    confidence: Confidence,
    source: Box<str>,
}

/// A straight line between two scales: `y = slope x + intercept`.
#[derive(Debug)]
pub struct Line {
    pub(super) rule: Box<str>,
    pub(super) from_analyte: Box<str>,
    pub(super) from: Unit,
    pub(super) to_analyte: Box<str>,
    pub(super) to: Unit,
    pub(super) slope: Rational,
    pub(super) intercept: Rational,
    pub(super) confidence: Confidence,
    source: Box<str>,
}

impl Line {
    /// Its id.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Where the equation is published.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every line of the table.
    pub fn all() -> &'static [Self] {
        static LINES: OnceLock<Vec<Line>> = OnceLock::new();
        // Safety of expect: the table is shipped with the crate and read by every test.
        LINES.get_or_init(|| read_lines().expect("data/linear.csv"))
    }
}

impl Analyte {
    /// Every analyte of the table.
    pub fn all() -> &'static [Self] {
        static ANALYTES: OnceLock<Vec<Analyte>> = OnceLock::new();
        // Safety of expect: the table is shipped with the crate and read by every test.
        ANALYTES.get_or_init(|| read_analytes().expect("data/analytes.csv"))
    }

    /// The analyte of this key (`glucose`).
    pub fn of_key(key: &str) -> Option<&'static Self> {
        Self::all().iter().find(|analyte| &*analyte.key == key)
    }

    /// The analyte of a JLAC10 code, by its first five characters, where the table knows it.
    pub fn of_jlac10(code: &str) -> Option<&'static Self> {
        let head = code.get(..5)?;
        Self::all().iter().find(|analyte| analyte.jlac10.iter().any(|known| &**known == head))
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its Japanese name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Analytes of one family are one molecule counted differently (urea and its nitrogen).
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Gram of it per mole of its family's molecule.
    pub const fn molar_mass(&self) -> Option<Rational> {
        self.molar_mass
    }

    /// Equivalents per mole.
    pub const fn valence(&self) -> Option<Rational> {
        self.valence
    }

    /// Whether U means micromole per minute, so that katal converts.
    pub const fn enzyme(&self) -> bool {
        self.enzyme
    }

    /// How sure the row is.
    pub const fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// Formula or convention behind the numbers.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn optional(text: &str) -> Result<Option<Rational>, ()> {
    if text.is_empty() { Ok(None) } else { number(text).map(Some).ok_or(()) }
}

fn sure(text: &str) -> Option<Confidence> {
    match text {
        "high" => Some(Confidence::High),
        "medium" => Some(Confidence::Medium),
        _ => None,
    }
}

fn read_analytes() -> Option<Vec<Analyte>> {
    crate::shipped::rows(include_str!("../../data/analytes.csv"))
        .map(|row| {
            let [key, name, family, mass, valence, enzyme, jlac10, confidence, source] =
                row.as_slice()
            else {
                return None;
            };
            Some(Analyte {
                key: key.as_str().into(),
                name: name.as_str().into(),
                family: family.as_str().into(),
                molar_mass: optional(mass).ok()?,
                valence: optional(valence).ok()?,
                enzyme: enzyme == "yes",
                jlac10: jlac10.split_whitespace().map(Into::into).collect(),
                confidence: sure(confidence)?,
                source: source.as_str().into(),
            })
        })
        .collect()
}

fn read_lines() -> Option<Vec<Line>> {
    crate::shipped::rows(include_str!("../../data/linear.csv"))
        .map(|row| {
            let [rule, from_analyte, from, to_analyte, to, slope, intercept, confidence, source] =
                row.as_slice()
            else {
                return None;
            };
            Some(Line {
                rule: rule.as_str().into(),
                from_analyte: from_analyte.as_str().into(),
                from: Unit::parse(from)?,
                to_analyte: to_analyte.as_str().into(),
                to: Unit::parse(to)?,
                slope: number(slope)?,
                intercept: number(intercept)?,
                confidence: sure(confidence)?,
                source: source.as_str().into(),
            })
        })
        .collect()
}
