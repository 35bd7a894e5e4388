//! FHIR R4 (JP Core) as NDJSON: one resource per line.
//!
//! Enters: one line of UTF-8. Leaves: [`Parsed`] with records that borrow from the line; the person is the
//! id of the `Patient/<id>` reference (of a Patient, its own id). Refuses (`rejected`, no records, no
//! person): what is not UTF-8, not JSON, or not of the resource's shape; a resource of a person that names
//! none; elements that may change its meaning (`modifierExtension`, `implicitRules`); a My Number.
//!
//! A line, or a whole file of pretty-printed JSON, may also be a `Bundle` (document, collection, message, search
//! result) about one patient; see [`parse_line`].
//!
//! Resources that are about no person (Organization, Location, Practitioner …) give neither person nor
//! records, resources of types this crate does not read give the person only; both are named in `unread`,
//! as is every element of a resource that is not read (`Observation.method`).

mod bundle;
pub mod json;
mod read;
pub mod view;

use std::fmt;

use serde::Deserialize;
use serde_json::error::Category;

use crate::{arena::Arena, record::Parsed};

/// Most objects of one resource: hostile input must not grow in memory.
const MAX_OBJECTS: usize = 100_000;

/// Resource types that are about no person.
const IMPERSONAL: [&str; 13] = [
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "HealthcareService",
    "Medication",
    "Substance",
    "Endpoint",
    "ValueSet",
    "CodeSystem",
    "ConceptMap",
    "StructureDefinition",
    "CapabilityStatement",
];

/// Where a resource stands, and whose it is where the bundle around it says so.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    line: u64,
    /// Number of the entry in its bundle, from 1.
    entry: Option<usize>,
    person: Option<&'a str>,
    /// Where texts are made.
    arena: &'a Arena,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.entry.map_or(Ok(()), |entry| write!(f, " entry[{entry}]"))
    }
}

fn at(place: Place<'_>) -> crate::Position<'_> {
    match place.entry {
        None => crate::Position::Line(place.line),
        Some(_) => place.arena.text(&place.to_string()).into(),
    }
}

/// Reads one line, or a file that is one resource. `line_no` counts from 1 and appears in positions.
///
/// A `Bundle` gives the records of all its entries; positions are `line 1 entry[3]`. References are resolved by
/// `fullUrl`. The person's key is the one that stays the same from document to document: the hospital's record number
/// among the patient's identifiers, else the member number of the insurance, else the patient's id. A bundle about two patients,
/// one that asks for deletions, and one of which any entry is refused for more than a missing code is `rejected` as a whole: it is one
/// segment, and belongs to one person.
///
/// What is made stands in the arena.
pub fn parse_line<'a>(line: &'a [u8], line_no: u64, arena: &'a Arena) -> Parsed<'a> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let line = line.trim_ascii();
    if line.is_empty() {
        return Parsed::default();
    }
    let at = || format!("line {line_no}");
    let Ok(text) = std::str::from_utf8(line) else {
        return Parsed::rejected("fhir.not-utf8", at());
    };
    if line.len() > MAX_OBJECTS && memchr::memchr_iter(b'{', line).count() > MAX_OBJECTS {
        return Parsed::rejected("fhir.too-large", at());
    }
    one(text, Place { line: line_no, entry: None, person: None, arena })
}

/// Reads one resource.
fn one<'a>(text: &'a str, place: Place<'a>) -> Parsed<'a> {
    let parsed = match resource_type(text) {
        Some(kind) => dispatch(kind, text, place),
        None => serde_json::from_str::<view::Head<'_>>(text).map(|head| match head.resource_type {
            Some(kind) => {
                dispatch(kind.as_str(), text, place).unwrap_or_else(|e| refused(&e, place))
            }
            None => Parsed::rejected("fhir.no-type", place.to_string()),
        }),
    };
    parsed.unwrap_or_else(|error| refused(&error, place))
}

/// Is a file so named one resource per line?
pub(crate) fn is_ndjson_name(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    [".ndjson", ".jsonl"].iter().any(|end| file.ends_with(end))
}

fn refused(error: &serde_json::Error, place: Place<'_>) -> Parsed<'static> {
    let rule = match error.classify() {
        Category::Data => "fhir.shape",
        _ => "fhir.not-json",
    };
    Parsed::rejected(rule, format!("{place} column {}", error.column()))
}

/// The type, where it stands in front as exporters write it.
fn resource_type(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('{')?.trim_start().strip_prefix("\"resourceType\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let end = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
    (rest.as_bytes()[end] == b'"').then(|| &rest[..end])
}

fn view<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

fn dispatch<'a>(
    kind: &str,
    text: &'a str,
    place: Place<'a>,
) -> Result<Parsed<'a>, serde_json::Error> {
    Ok(match kind {
        "Observation" => read::observation(view(text)?, place),
        "MedicationRequest" => read::medication_request(view(text)?, place),
        "Condition" => read::condition(view(text)?, place),
        "Encounter" => read::encounter(view(text)?, place),
        "Patient" => read::patient(view(text)?, place),
        "Procedure" => read::procedure(view(text)?, place),
        "Coverage" => read::coverage(view(text)?, place),
        "DiagnosticReport" => read::diagnostic_report(view(text)?, place),
        "AllergyIntolerance" => read::allergy(view(text)?, place),
        "Immunization" => read::immunization(view(text)?, place),
        "FamilyMemberHistory" => read::family_history(view(text)?, place),
        "ImagingStudy" => read::imaging_study(view(text)?, place),
        "MedicationAdministration" => read::medication_administration(view(text)?, place),
        "MedicationDispense" => read::medication_dispense(view(text)?, place),
        "MedicationStatement" => read::medication_statement(view(text)?, place),
        "ServiceRequest" => read::service_request(view(text)?, place),
        "DocumentReference" => read::document_reference(view(text)?, place),
        "Composition" => read::composition(view(text)?, place),
        // A bundle inside a bundle has no patient of its own.
        "Bundle" if place.entry.is_none() => bundle::read(view(text)?, place),
        other => unread(other, &view(text)?, place),
    })
}

fn unread<'a>(kind: &str, head: &view::Head<'a>, place: Place<'a>) -> Parsed<'a> {
    let mut out = Parsed::default();
    let plain = crate::text::plain_name(kind);
    out.note_unread(if plain { kind.to_owned() } else { "?".to_owned() });
    if head.resource_type.as_ref().is_none_or(|t| t.as_str() != kind) {
        out.reject("fhir.shape", place.to_string());
        return out;
    }
    if IMPERSONAL.contains(&kind) {
        return out;
    }
    let subject = [&head.subject, &head.patient, &head.beneficiary];
    out.person = match place.person {
        Some(person) => Some(person),
        None => subject.into_iter().find_map(|r| read::subject_key(place.arena, r.as_ref()?)),
    };
    if out.person.is_some_and(crate::text::holds_my_number) {
        out.person = None;
        out.reject("my-number", place.to_string());
        return out;
    }
    if out.person.is_none() {
        out.reject("fhir.no-person", place.to_string());
    }
    out
}

#[cfg(test)]
mod tests;
