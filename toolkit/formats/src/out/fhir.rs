//! FHIR R4 as NDJSON, a file per type of resource (`Patient.ndjson`).
//!
//! Enters: a [`Survey`], then rows. Leaves: one resource per row (people, visits and claims: one per person, visit,
//! claim). Refuses: nothing silently. Rules:
//!
//! - Ids are the caller's key of the person and the source's key of the visit where FHIR allows them as ids, else counted.
//! - Code systems keep their URI; short names get JP Core's URI where there is one, else `urn:x-source:<name>`.
//! - A wall time without zone is Japan's (`+09:00`); a dateTime that is one stays as it is, decimals keep their digits.
//! - No narrative; names, addresses, cards and staff only with [`Options::identifiers`], text only with [`Options::texts`].
//! - What FHIR requires and the source does not say is counted in [`Summary::imputed`] (`unknown` where FHIR has it).
//!
//! Numbers and items of a claim: points are ten yen each.

mod claims;
mod clinical;
mod documents;
mod drugs;
mod node;
mod people;
mod results;

use std::{
    collections::{BTreeMap, HashSet},
    io::Write,
};

use serde_json::{Value, json};

use self::claims::Bill;
use super::{Options, OutError, Reason, Sinks, Summary, Survey, stands::stands};
use crate::record::Record;

/// A resource and its type.
type Resource = (&'static str, Value);

/// A resource, or why there is none.
type Made = Result<Resource, Reason>;

/// Writes resources.
pub struct Fhir<'v, S: Sinks> {
    survey: Survey,
    options: Options<'v>,
    sinks: S,
    files: BTreeMap<&'static str, S::File>,
    counts: BTreeMap<&'static str, u64>,
    summary: Summary,
    /// Ids of people and visits, by place in the survey.
    patients: Vec<String>,
    encounters: Vec<String>,
    written: Vec<bool>,
    bill: Option<Bill>,
}

impl<S: Sinks> std::fmt::Debug for Fhir<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fhir({:?})", self.survey)
    }
}

/// May the text be an id?
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// Ids of keys: the key itself if it may be one and is not taken, else counted.
fn ids<'k>(keys: impl Iterator<Item = Option<&'k str>> + Clone, letter: &str) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let own: Vec<bool> = keys
        .clone()
        .map(|key| key.is_some_and(|k| is_id(k) && taken.insert(k.to_owned())))
        .collect();
    keys.zip(own)
        .enumerate()
        .map(|(at, (key, own))| {
            if own && let Some(key) = key {
                return key.to_owned();
            }
            let mut id = format!("{letter}{}", at + 1);
            while !taken.insert(id.clone()) {
                id.push('x');
            }
            id
        })
        .collect()
}

impl<'v, S: Sinks> Fhir<'v, S> {
    /// Begins; visits are written at once.
    ///
    /// # Errors
    /// A file cannot be opened or written.
    pub fn new(mut survey: Survey, options: Options<'v>, sinks: S) -> Result<Self, OutError> {
        survey.close();
        let patients = ids(survey.persons.iter().map(|p| Some(p.key.as_ref())), "p");
        let encounters = ids(survey.visits.iter().map(|v| v.key.as_deref()), "v");
        let written = vec![false; patients.len()];
        let mut out = Self {
            survey,
            options,
            sinks,
            files: BTreeMap::new(),
            counts: BTreeMap::new(),
            summary: Summary::default(),
            patients,
            encounters,
            written,
            bill: None,
        };
        out.stays()?;
        Ok(out)
    }

    fn write(&mut self, kind: &'static str, mut resource: Value) -> Result<(), OutError> {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        resource["resourceType"] = json!(kind);
        if resource.get("id").is_none() {
            resource["id"] = json!(format!("{}-{count}", kind.to_ascii_lowercase()));
        }
        let file = match self.files.entry(kind) {
            std::collections::btree_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(self.sinks.open(&format!("{kind}.ndjson"))?)
            }
        };
        let mut line = resource.to_string();
        line.push('\n');
        file.write_all(line.as_bytes())?;
        Ok(())
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Writing failed; the person is unknown to the survey.
    pub fn push(&mut self, person: &str, record: &Record<'_>) -> Result<(), OutError> {
        let at = self.survey.person(person).ok_or(OutError::UnknownPerson)?;
        let made = stands(record).and_then(|()| self.made(at, record));
        let fate = match made {
            Ok(Some((kind, resource))) => {
                self.write(kind, resource)?;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(reason) => Err(reason),
        };
        self.summary.took(record.table(), fate);
        if self.bill.as_ref().is_some_and(Bill::complete) {
            self.close_bill()?;
        }
        Ok(())
    }

    fn made(&mut self, at: u32, record: &Record<'_>) -> Result<Option<Resource>, Reason> {
        if !matches!(record, Record::Claim(_) | Record::ClaimItem(_) | Record::ClaimPayer(_)) {
            return self.resource(at, record);
        }
        self.billed(at, record).map(|()| None)
    }

    fn resource(&mut self, at: u32, record: &Record<'_>) -> Result<Option<Resource>, Reason> {
        let made: Made = match record {
            Record::Person(r) => return Ok(self.patient(at, r).map(|p| ("Patient", p))),
            // A death is told by the patient.
            Record::Death(_) => return Ok(None),
            Record::Encounter(r) => return self.survey.visit_of(at, r).map(|_| None),
            Record::DpcStay(r) => {
                let found = self.survey.visit_at(at, r.stay_key);
                return found.map(|_| None).ok_or(Reason::NoDate);
            }
            Record::Condition(r) => self.condition(at, r),
            Record::Medication(r) => self.medication(at, r),
            Record::Procedure(r) => self.procedure(at, r),
            Record::Measurement(r) => self.observation(at, r),
            Record::Checkup(r) => self.checkup(at, r),
            Record::Survey(r) => self.survey_row(at, r),
            Record::CareCertification(r) => Ok(self.certification(at, r)),
            Record::Note(r) => self.note(at, r),
            Record::Coverage(r) => Ok(self.coverage(at, r)),
            Record::Allergy(r) => self.allergy(at, r),
            Record::Vaccination(r) => self.immunization(at, r),
            Record::ImagingStudy(r) => self.imaging(at, r),
            Record::FamilyHistory(r) => self.relative(at, r),
            Record::ServiceOrder(r) => self.order(at, r),
            Record::Document(r) => Ok(self.document(at, r)),
            Record::CareService(_) | Record::Residency(_) => Err(Reason::NoPlace),
            Record::Claim(_) | Record::ClaimItem(_) | Record::ClaimPayer(_) => Err(Reason::NoPlace),
        };
        made.map(Some)
    }

    #[expect(clippy::unnecessary_wraps, reason = "one shape with what may be absent")]
    fn subject(&self, at: u32) -> Option<Value> {
        Some(json!({ "reference": format!("Patient/{}", self.patients[at as usize]) }))
    }

    fn encounter(&self, at: u32, key: Option<&str>) -> Option<Value> {
        let visit = self.survey.visit_at(at, key)?;
        Some(json!({ "reference": format!("Encounter/{}", self.encounters[visit as usize]) }))
    }

    /// Staff, if they may be named.
    fn staff(&self, practitioner: Option<&str>) -> Option<Value> {
        node::named(practitioner.filter(|_| self.options.identifiers))
    }

    /// A status the target allows, or what stands for none.
    #[expect(clippy::unnecessary_wraps, reason = "one shape with what may be absent")]
    fn status(
        &mut self,
        column: &'static str,
        value: Option<&str>,
        list: &[&str],
        otherwise: &'static str,
    ) -> Option<Value> {
        let status = node::of_list(value, list).unwrap_or_else(|| {
            self.summary.imputed(column, otherwise);
            otherwise
        });
        Some(json!(status))
    }

    /// Writes what is open and closes the files.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> Result<Summary, OutError> {
        self.close_bill()?;
        // Nobody told who they are; references to them must lead somewhere.
        for at in 0..self.patients.len() {
            if let Some(patient) = self.bare_patient(at as u32) {
                self.write("Patient", patient)?;
            }
        }
        for (kind, file) in &mut self.files {
            file.flush()?;
            self.summary.wrote(kind, self.counts.get(kind).copied().unwrap_or(0));
        }
        Ok(self.summary)
    }
}
