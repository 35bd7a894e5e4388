//! FHIR R4 (JP Core) as NDJSON: one resource per line.
//!
//! Enters: one line of UTF-8. Leaves: [`Parsed`] with records that borrow from the line; the person is the
//! id of the `Patient/<id>` reference (of a Patient, its own id). Refuses (`rejected`, no records, no
//! person): what is not UTF-8, not JSON, or not of the resource's shape; a resource of a person that names
//! none; elements that may change its meaning (`modifierExtension`, `implicitRules`); bundles; a My Number.
//!
//! Resources that are about no person (Organization, Location, Practitioner …) give neither person nor
//! records, resources of types this crate does not read give the person only; both are named in `unread`,
//! as is every element of a resource that is not read (`Observation.method`).

pub mod json;
mod read;
pub mod view;

use serde::Deserialize;
use serde_json::error::Category;

use crate::record::Parsed;

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

/// Reads one line. `line_no` counts from 1 and appears in positions.
pub fn parse_line(line: &[u8], line_no: u64) -> Parsed<'_> {
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
    let parsed = match resource_type(text) {
        Some(kind) => dispatch(kind, text, line_no),
        None => serde_json::from_str::<view::Head<'_>>(text).map(|head| match head.resource_type {
            Some(kind) => {
                dispatch(kind.as_str(), text, line_no).unwrap_or_else(|e| refused(&e, line_no))
            }
            None => Parsed::rejected("fhir.no-type", at()),
        }),
    };
    parsed.unwrap_or_else(|error| refused(&error, line_no))
}

/// Is a file so named one resource per line?
pub(crate) fn is_ndjson_name(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    [".ndjson", ".jsonl"].iter().any(|end| file.ends_with(end))
}

fn refused(error: &serde_json::Error, line_no: u64) -> Parsed<'static> {
    let rule = match error.classify() {
        Category::Data => "fhir.shape",
        _ => "fhir.not-json",
    };
    Parsed::rejected(rule, format!("line {line_no} column {}", error.column()))
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

fn dispatch<'a>(kind: &str, text: &'a str, line_no: u64) -> Result<Parsed<'a>, serde_json::Error> {
    Ok(match kind {
        "Observation" => read::observation(view(text)?, line_no),
        "MedicationRequest" => read::medication_request(view(text)?, line_no),
        "Condition" => read::condition(view(text)?, line_no),
        "Encounter" => read::encounter(view(text)?, line_no),
        "Patient" => read::patient(view(text)?, line_no),
        "Procedure" => read::procedure(view(text)?, line_no),
        "Coverage" => read::coverage(view(text)?, line_no),
        "DiagnosticReport" => read::diagnostic_report(view(text)?, line_no),
        "Bundle" => {
            view::<view::Head<'_>>(text)?;
            Parsed::rejected("fhir.bundle", format!("line {line_no}"))
        }
        other => unread(other, &view(text)?, line_no),
    })
}

fn unread<'a>(kind: &str, head: &view::Head<'a>, line_no: u64) -> Parsed<'a> {
    let mut out = Parsed::default();
    let plain = crate::text::plain_name(kind);
    out.note_unread(if plain { kind.to_owned() } else { "?".to_owned() });
    if head.resource_type.as_ref().is_none_or(|t| t.as_str() != kind) {
        out.reject("fhir.shape", format!("line {line_no}"));
        return out;
    }
    if IMPERSONAL.contains(&kind) {
        return out;
    }
    let subject = [&head.subject, &head.patient, &head.beneficiary];
    out.person = subject.into_iter().find_map(|r| read::patient_id(r.as_ref()?));
    if out.person.is_none() {
        out.reject("fhir.no-person", format!("line {line_no}"));
    }
    out
}

#[cfg(test)]
mod tests;
