//! OMOP Common Data Model 5.4 as CSV files.
//!
//! Enters: a closed [`Survey`], then rows. Leaves: `person.csv`, `visit_occurrence.csv` … with every column of the model
//! in its order; codes of the source in `*_source_value`, their systems and texts once each in
//! `source_to_concept_map.csv`. Refuses: nothing silently. Rules:
//!
//! - A concept is what the caller's vocabulary says, else 0. Concepts of the model's own lists (type of record, sex, kind of
//!   visit, comparators) are those of the OHDSI documentation.
//! - A required date whose day or month is unknown becomes the first; a missing end becomes the beginning (drugs: the
//!   beginning and the days of supply). Both are counted in [`Summary::imputed`].
//! - A person without year of birth is left out with all rows, as the model wants it.
//! - Where a diagnosis has a code and an ICD-10 code, `condition_source_value` is `code|ICD-10`.

mod billing;
mod clinical;
mod events;
mod layout;
mod people;
mod results;
mod sheet;

use std::collections::{BTreeMap, HashMap};

pub use self::layout::{Column, Kind, TABLES, Table};
use self::sheet::Sheet;
pub(super) use self::{results::bounds, sheet::number};
use super::{
    Moment, Options, OutError, Reason, Sinks, Summary, Survey,
    stands::{span, stands},
};
use crate::record::Record;

/// Deals out the integer keys of the model, by first appearance; none twice.
///
/// Handed from one writer to the next, several sets of rows share one key space, and a person keeps the number.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    last: BTreeMap<&'static str, i64>,
    people: HashMap<Box<str>, i64>,
}

impl Ids {
    fn next(&mut self, table: &'static str) -> Result<i64, OutError> {
        let last = self.last.entry(table).or_default();
        *last += 1;
        if *last > i64::from(i32::MAX) { Err(OutError::TooMany) } else { Ok(*last) }
    }
    fn person(&mut self, key: &str) -> Result<i64, OutError> {
        if let Some(id) = self.people.get(key) {
            return Ok(*id);
        }
        let id = self.next("person")?;
        self.people.insert(key.into(), id);
        Ok(id)
    }
}

/// Types of records: where they are from.
mod kind {
    pub(super) const EHR: i64 = 32817;
    pub(super) const ADMINISTRATION: i64 = 32818;
    pub(super) const DISPENSING: i64 = 32825;
    pub(super) const PRESCRIPTION: i64 = 32838;
    pub(super) const LAB: i64 = 32856;
    pub(super) const CLAIM: i64 = 32810;
    pub(super) const SELF_REPORT: i64 = 32865;
}

/// Writes the tables of the model.
pub struct Omop<'v, S: Sinks> {
    survey: Survey,
    ids: Ids,
    options: Options<'v>,
    released: Moment,
    sheets: Vec<Sheet<S::File>>,
    summary: Summary,
    /// Numbers of the people of the survey; none: no year of birth.
    persons: Vec<Option<i64>>,
    visits: Vec<Option<i64>>,
    providers: HashMap<Box<str>, i64>,
    care_sites: HashMap<Box<str>, i64>,
    /// Code systems by first appearance, and codes with their texts.
    systems: Vec<Box<str>>,
    codes: BTreeMap<(usize, Box<str>), (Box<str>, i64)>,
}

impl<S: Sinks> std::fmt::Debug for Omop<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Omop({:?})", self.survey)
    }
}

/// Code, its system and text, as a row has them.
#[derive(Clone, Copy, Default)]
struct Coded<'r> {
    code: Option<&'r str>,
    system: Option<&'r str>,
    text: Option<&'r str>,
}

impl<'r> Coded<'r> {
    fn new(code: Option<&'r str>, system: Option<&'r str>, text: Option<&'r str>) -> Self {
        Self { code, system, text }
    }
    /// What stands in `*_source_value`: the code, or else the text.
    fn source_value(&self) -> Option<&'r str> {
        self.code.or(self.text)
    }
}

impl<'v, S: Sinks> Omop<'v, S> {
    /// Opens all tables and writes people and visits.
    ///
    /// # Errors
    /// A file cannot be opened or written; the day of the release is no day; more rows than keys.
    pub fn new(
        mut survey: Survey,
        ids: Ids,
        options: Options<'v>,
        mut sinks: S,
    ) -> Result<Self, OutError> {
        let released = Moment::read(options.released_on).filter(|m| m.day.is_some());
        let released = released.ok_or(OutError::Release)?.without_time();
        survey.close();
        let mut sheets = Vec::new();
        for table in TABLES.iter() {
            sheets.push(Sheet::new(table, sinks.open(&format!("{}.csv", table.name))?)?);
        }
        let mut out = Self {
            survey,
            ids,
            options,
            released,
            sheets,
            summary: Summary::default(),
            persons: Vec::new(),
            visits: Vec::new(),
            providers: HashMap::new(),
            care_sites: HashMap::new(),
            systems: Vec::new(),
            codes: BTreeMap::new(),
        };
        out.people()?;
        out.stays()?;
        Ok(out)
    }

    fn sheet(&mut self, table: &'static str) -> (&mut Sheet<S::File>, &mut Summary) {
        let at = TABLES.iter().position(|t| t.name == table).unwrap_or_default();
        (&mut self.sheets[at], &mut self.summary)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Writing failed; the person is unknown to the survey; more rows than keys.
    pub fn push(&mut self, person: &str, record: &Record<'_>) -> Result<(), OutError> {
        let at = self.survey.person(person).ok_or(OutError::UnknownPerson)?;
        let fate = match self.persons[at as usize] {
            None => Err(Reason::NoBirthYear),
            Some(id) => match stands(record) {
                Ok(()) => self.row(at, id, record)?,
                Err(reason) => Err(reason),
            },
        };
        self.summary.took(record.table(), fate);
        Ok(())
    }

    /// A date that the model wants, completed and counted if it must be.
    fn whole(&mut self, column: &'static str, moment: Option<Moment>) -> Result<Moment, Reason> {
        let (day, guessed) = moment.ok_or(Reason::NoDate)?.day_or_first();
        if guessed {
            self.summary.imputed(column, "first-day");
        }
        Ok(day)
    }

    /// The concept of a code; its system and text are noted for the map.
    fn concept(&mut self, coded: Coded<'_>) -> i64 {
        let Some(code) = coded.code else { return 0 };
        let system = coded.system.unwrap_or("");
        let found = self.options.vocabulary.and_then(|v| v(system, code)).map_or(0, i64::from);
        let at = self.systems.iter().position(|s| s.as_ref() == system).unwrap_or_else(|| {
            self.systems.push(system.into());
            self.systems.len() - 1
        });
        let entry = self.codes.entry((at, code.into())).or_insert_with(|| ("".into(), found));
        if entry.0.is_empty()
            && let Some(text) = coded.text
        {
            entry.0 = text.into();
        }
        found
    }

    fn provider(&mut self, practitioner: Option<&str>) -> Result<Option<i64>, OutError> {
        let Some(key) = practitioner.filter(|_| self.options.identifiers) else { return Ok(None) };
        if let Some(id) = self.providers.get(key) {
            return Ok(Some(*id));
        }
        let id = self.ids.next("provider")?;
        self.providers.insert(key.into(), id);
        let (sheet, summary) = self.sheet("provider");
        sheet.int("provider_id", id).text("provider_source_value", Some(key), summary).end()?;
        Ok(Some(id))
    }

    fn care_site(
        &mut self,
        facility: Option<&str>,
        name: Option<&str>,
    ) -> Result<Option<i64>, OutError> {
        let Some(key) = facility else { return Ok(None) };
        if let Some(id) = self.care_sites.get(key) {
            return Ok(Some(*id));
        }
        let id = self.ids.next("care_site")?;
        self.care_sites.insert(key.into(), id);
        let (sheet, summary) = self.sheet("care_site");
        sheet
            .int("care_site_id", id)
            .text("care_site_name", name, summary)
            .text("care_site_source_value", Some(key), summary)
            .end()?;
        Ok(Some(id))
    }

    /// Writes what only all rows together tell and closes the files.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> Result<(Summary, Ids), OutError> {
        self.maps()?;
        for sheet in std::mem::take(&mut self.sheets) {
            let (table, rows) = sheet.finish()?;
            self.summary.wrote(table, rows);
        }
        Ok((self.summary, self.ids))
    }

    /// Code systems, codes with their concepts, and the source itself.
    fn maps(&mut self) -> Result<(), OutError> {
        let options = self.options;
        let released = self.released;
        let first = Moment { year: 1970, month: Some(1), day: Some(1), time: None };
        let last = Moment { year: 2099, month: Some(12), day: Some(31), time: None };
        let systems = std::mem::take(&mut self.systems);
        let codes = std::mem::take(&mut self.codes);
        let (sheet, summary) = self.sheet("vocabulary");
        for (at, system) in systems.iter().enumerate() {
            let name = if system.is_empty() { "(not named)" } else { system };
            sheet
                .text("vocabulary_id", Some(&format!("SOURCE-{}", at + 1)), summary)
                .text("vocabulary_name", Some(name), summary)
                .int("vocabulary_concept_id", 0)
                .end()?;
        }
        for id in ["None", "OMOP"] {
            sheet
                .text("vocabulary_id", Some(id), summary)
                .text("vocabulary_name", Some(id), summary)
                .int("vocabulary_concept_id", 0)
                .end()?;
        }
        // The domain that `cost` names.
        let (sheet, summary) = self.sheet("domain");
        sheet
            .text("domain_id", Some("Visit"), summary)
            .text("domain_name", Some("Visit"), summary)
            .int("domain_concept_id", 0)
            .end()?;
        let (sheet, summary) = self.sheet("source_to_concept_map");
        for ((system, code), (text, concept)) in &codes {
            sheet
                .text("source_code", Some(code), summary)
                .int("source_concept_id", 0)
                .text("source_vocabulary_id", Some(&format!("SOURCE-{}", system + 1)), summary)
                .text(
                    "source_code_description",
                    Some(text).filter(|t| !t.is_empty()).map(AsRef::as_ref),
                    summary,
                )
                .int("target_concept_id", *concept)
                .text(
                    "target_vocabulary_id",
                    Some(if *concept == 0 { "None" } else { "OMOP" }),
                    summary,
                )
                .date("valid_start_date", first)
                .date("valid_end_date", last)
                .end()?;
        }
        let (sheet, summary) = self.sheet("cdm_source");
        sheet
            .text("cdm_source_name", Some(options.source_name), summary)
            .text("cdm_source_abbreviation", Some(options.source_abbreviation), summary)
            .text("cdm_holder", Some(options.holder), summary)
            .text("source_description", Some("Written by kiban-formats."), summary)
            .date("source_release_date", released)
            .date("cdm_release_date", released)
            .text("cdm_version", Some("v5.4"), summary)
            .text("vocabulary_version", Some(options.vocabulary_version), summary)
            .end()?;
        Ok(())
    }
}
