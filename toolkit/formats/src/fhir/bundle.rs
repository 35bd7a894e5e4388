//! Bundles: several resources about one patient as one segment.

use std::collections::HashMap;

use super::{
    IMPERSONAL, Place, one, read,
    view::{Bundle, Entry, Head, Reference},
};
use crate::{
    arena::Arena,
    record::{
        ConditionRecord, DocumentRecord, ImagingStudyRecord, MeasurementRecord, MedicationRecord,
        NoteRecord, Parsed, ProcedureRecord, Record, ServiceOrderRecord, Text,
    },
};

/// Types of bundles whose entries are the present state of resources.
const KINDS: [&str; 7] = [
    "document",
    "collection",
    "message",
    "searchset",
    "batch",
    "transaction",
    "transaction-response",
];

/// An entry as far as its head tells.
struct Known<'a> {
    text: &'a str,
    kind: String,
    head: Head<'a>,
    /// Addresses by which other entries refer to it.
    addresses: [Option<String>; 2],
}

pub(super) fn read<'a>(bundle: Bundle<'a>, place: Place<'a>) -> Parsed<'a> {
    let at = |entry: usize| Place { entry: Some(entry + 1), ..place };
    let kind = bundle.kind.as_ref().map_or("", |k| k.as_str());
    if !KINDS.contains(&kind) {
        return Parsed::rejected("fhir.bundle", place.to_string());
    }
    let mut entries = Vec::new();
    for (index, entry) in bundle.entry.into_iter().flatten().enumerate() {
        let method = entry.request.as_ref().and_then(|r| r.method.as_ref());
        if method.is_some_and(|m| !matches!(m.as_str(), "POST" | "PUT" | "GET")) {
            return Parsed::rejected("fhir.bundle", at(index).to_string());
        }
        match known(&entry) {
            Ok(known) => entries.extend(known.map(|k| (index, k))),
            Err(rule) => return Parsed::rejected(rule, at(index).to_string()),
        }
    }
    let person = match person(&entries, place.arena) {
        Ok(person) => person.map(|person| place.arena.text(&person)),
        Err(index) => return Parsed::rejected("fhir.bundle-persons", at(index).to_string()),
    };
    if person.is_some_and(crate::text::holds_my_number) {
        return Parsed::rejected("my-number", place.to_string());
    }
    let mut out = Parsed::default();
    let mut encounters: HashMap<&str, &str> = HashMap::new();
    for (_, known) in &entries {
        if let ("Encounter", [Some(url), _], Some(id)) =
            (known.kind.as_str(), &known.addresses, &known.head.id)
        {
            encounters.insert(url, id.as_str());
        }
    }
    for (index, known) in &entries {
        let impersonal = IMPERSONAL.contains(&known.kind.as_str());
        let parsed = one(known.text, Place { person, ..at(*index) });
        if parsed.rejected {
            let mut whole = Parsed { issues: parsed.issues, ..Parsed::default() };
            whole.reject("fhir.bundle-entry", at(*index).to_string());
            return whole;
        }
        if out.person.is_none() && !impersonal {
            out.person = parsed.person;
        }
        for issue in parsed.issues {
            out.note_issue(issue.rule, issue.position);
        }
        for name in parsed.unread {
            out.note_unread(name);
        }
        let resolved = |key: &str| encounters.get(key).map(|id| place.arena.text(id));
        out.records.extend(
            parsed
                .records
                .into_iter()
                .map(|record| resolve(record, resolved, place.arena).unwrap_or(record)),
        );
    }
    if entries.is_empty() {
        out.note_unread("Bundle (empty)");
    }
    out
}

/// The head of an entry; `None` if it has no resource.
fn known<'a>(entry: &Entry<'a>) -> Result<Option<Known<'a>>, &'static str> {
    let Some(resource) = entry.resource else { return Ok(None) };
    let text: &'a str = resource.get();
    let head: Head<'a> = serde_json::from_str(text).map_err(|_| "fhir.shape")?;
    let kind = head.resource_type.as_ref().ok_or("fhir.no-type")?.as_str().to_owned();
    let relative = head.id.as_ref().map(|id| format!("{kind}/{}", id.as_str()));
    let full = entry.full_url.as_ref().map(|u| u.as_str().to_owned());
    Ok(Some(Known { text, kind, head, addresses: [full, relative] }))
}

/// The key of the only patient; `None` if nothing here is about a person. An entry about somebody else is the error.
fn person(entries: &[(usize, Known<'_>)], arena: &Arena) -> Result<Option<String>, usize> {
    let mut patients = entries.iter().filter(|(_, k)| k.kind == "Patient");
    let patient = patients.next();
    if let Some((index, _)) = patients.next() {
        return Err(*index);
    }
    let identifiers = patient.and_then(|(_, k)| {
        serde_json::from_str::<super::view::Patient<'_>>(k.text).ok()?.identifier
    });
    let identifiers = identifiers.unwrap_or_default();
    let mut key = patient.and_then(|(_, k)| {
        let id = k.head.id.as_ref().map(|id| id.as_str().to_owned());
        read::stable_key(&identifiers).or(id).or_else(|| k.addresses[0].clone())
    });
    for (index, known) in entries {
        if known.kind == "Patient" || IMPERSONAL.contains(&known.kind.as_str()) {
            continue;
        }
        let subject = [&known.head.subject, &known.head.patient, &known.head.beneficiary];
        let Some(subject) = subject.into_iter().flatten().next() else { continue };
        match (patient, &key) {
            (Some((_, patient)), _) => {
                let said = subject.identifier.as_ref().and_then(|i| i.value.as_ref());
                let plain = crate::text::narrowed;
                let same = |value: &str| {
                    let mut values = identifiers.iter().filter_map(|i| i.value.as_ref());
                    values.any(|v| v.as_str() == value || plain(v.as_str()) == plain(value))
                };
                let fits = points_at(subject, patient) || said.is_some_and(|v| same(v.as_str()));
                if !fits {
                    return Err(*index);
                }
            }
            (None, known_key) => {
                let own = read::subject_key(arena, subject).map(str::to_owned).ok_or(*index)?;
                if known_key.as_ref().is_some_and(|k| *k != own) {
                    return Err(*index);
                }
                key = Some(own);
            }
        }
    }
    Ok(key)
}

fn points_at(subject: &Reference<'_>, patient: &Known<'_>) -> bool {
    let Some(reference) = subject.reference.as_ref().map(|r| r.as_str()) else { return false };
    let bare = reference.split("/_history/").next().unwrap_or(reference);
    patient
        .addresses
        .iter()
        .flatten()
        .any(|a| a == bare || (a.starts_with("Patient/") && bare.ends_with(a.as_str())))
}

/// The record with its encounter's own key instead of the address that stands for it in the bundle; `None` if it has no
/// such address.
fn resolve<'a>(
    record: Record<'a>,
    resolved: impl Fn(&str) -> Text<'a>,
    arena: &'a Arena,
) -> Option<Record<'a>> {
    macro_rules! with_key {
        ($r:ident, $name:ident) => {{
            let encounter_key = Some(resolved($r.encounter_key?)?);
            arena.record($name { encounter_key, ..*$r })
        }};
    }
    Some(match record {
        Record::Condition(r) => with_key!(r, ConditionRecord),
        Record::Medication(r) => with_key!(r, MedicationRecord),
        Record::Procedure(r) => with_key!(r, ProcedureRecord),
        Record::Measurement(r) => with_key!(r, MeasurementRecord),
        Record::Note(r) => with_key!(r, NoteRecord),
        Record::ImagingStudy(r) => with_key!(r, ImagingStudyRecord),
        Record::ServiceOrder(r) => with_key!(r, ServiceOrderRecord),
        Record::Document(r) => with_key!(r, DocumentRecord),
        _ => return None,
    })
}
