//! From views to neutral records. Each resource type has one function here.

use std::borrow::Cow;

mod history;
mod imaging;
mod measurement;
mod medication;
mod orders;
mod person;

pub(super) use history::{allergy, family_history, immunization};
pub(super) use imaging::{composition, document_reference, imaging_study};
pub(super) use measurement::observation;
pub(super) use medication::{
    medication_administration, medication_dispense, medication_request, medication_statement,
};
pub(super) use orders::service_request;
pub(super) use person::{coverage, patient, stable_key};

use super::{
    Place, at,
    json::Str,
    view::{
        CodeableConcept, Condition, DiagnosticReport, Encounter, Extension, Period, Procedure,
        Quantity, Reference,
    },
};
use crate::{
    arena::Arena,
    record::{ConditionRecord, EncounterRecord, NoteRecord, Parsed, ProcedureRecord, Text},
    text,
};

fn t<'a>(arena: &'a Arena, text: Option<Str<'a>>) -> Text<'a> {
    text.map(|text| arena.keep(text.0)).filter(|text| !text.is_empty())
}

fn start<'a>(arena: &'a Arena, period: Option<Period<'a>>) -> Text<'a> {
    t(arena, period?.start)
}

fn ends<'a>(arena: &'a Arena, period: Option<Period<'a>>) -> (Text<'a>, Text<'a>) {
    period.map_or((None, None), |p| (t(arena, p.start), t(arena, p.end)))
}

/// The id behind `Patient/`, whatever stands before it or a version after it.
pub(super) fn patient_id<'a>(arena: &'a Arena, reference: &Reference<'a>) -> Text<'a> {
    resource_id(arena, reference, "Patient/")
}

fn resource_id<'a>(arena: &'a Arena, reference: &Reference<'a>, kind: &str) -> Text<'a> {
    let cut = |whole: &str| {
        let from = whole.rfind(kind)? + kind.len();
        let before = &whole[..from - kind.len()];
        if !(before.is_empty() || before.ends_with('/')) {
            return None;
        }
        let len = whole[from..].find(['/', '?', '#']).unwrap_or(whole.len() - from);
        (len > 0).then_some((from, from + len))
    };
    let whole = arena.keep(reference.reference.as_ref()?.0.clone());
    cut(whole).map(|(from, to)| &whole[from..to])
}

/// The id of an encounter; inside a bundle the address `urn:uuid:…`, which the bundle resolves.
fn encounter_id<'a>(arena: &'a Arena, reference: Option<&Reference<'a>>) -> Text<'a> {
    let reference = reference?;
    resource_id(arena, reference, "Encounter/")
        .or_else(|| t(arena, reference.reference.clone()).filter(|r| r.starts_with("urn:uuid:")))
}

/// Whom a reference means: `Patient/<id>`, or the member number or record number that stands in its place.
pub(super) fn subject_key<'a>(arena: &'a Arena, reference: &Reference<'a>) -> Text<'a> {
    patient_id(arena, reference).or_else(|| {
        let identifier = reference.identifier.as_ref()?;
        stable_key(std::slice::from_ref(identifier)).map(|key| arena.text(&key))
    })
}

/// A person's name as shown, or else the id.
fn actor<'a>(arena: &'a Arena, reference: Option<Reference<'a>>) -> Text<'a> {
    let reference = reference?;
    t(arena, reference.display).or_else(|| t(arena, reference.reference))
}

/// First code, its system, and the concept's text (or else the code's display).
fn concept<'a>(
    arena: &'a Arena,
    concept: Option<CodeableConcept<'a>>,
) -> (Text<'a>, Text<'a>, Text<'a>) {
    let Some(concept) = concept else { return (None, None, None) };
    let first = concept.coding.into_iter().flatten().next().unwrap_or_default();
    (
        t(arena, first.code),
        t(arena, first.system),
        t(arena, concept.text).or_else(|| t(arena, first.display)),
    )
}

fn code_or_text<'a>(arena: &'a Arena, wanted: Option<CodeableConcept<'a>>) -> Text<'a> {
    let (code, _, text) = concept(arena, wanted);
    code.or(text)
}

/// Begins a resource that must be about a person.
fn begin<'a>(
    subject: Option<&Reference<'a>>,
    modified: bool,
    unread: Vec<Cow<'static, str>>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = Parsed { unread, ..Parsed::default() };
    if modified {
        out.reject("fhir.modifier", at(place));
    }
    let person = match place.person {
        Some(person) => Some(person),
        None => subject.and_then(|it| subject_key(arena, it)),
    };
    if person.is_some_and(text::holds_my_number) {
        out.reject("my-number", at(place));
    }
    if person.is_none() {
        out.reject("fhir.no-person", at(place));
    }
    if !out.rejected {
        out.person = person;
    }
    out
}

fn extension<'v, 'a>(extensions: &'v [Extension<'a>], end: &str) -> Option<&'v Extension<'a>> {
    let fits = |e: &&Extension<'_>| e.url.as_ref().is_some_and(|u| u.as_str().ends_with(end));
    extensions.iter().find(fits)
}

pub(super) fn encounter<'a>(e: Encounter<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(e.subject.as_ref(), e.modified, e.unread, place);
    if out.rejected {
        return out;
    }
    let class = e.class.and_then(|c| t(arena, c.code)).map(|c| match c {
        "AMB" => "O",
        "IMP" | "ACUTE" | "NONAC" => "I",
        "EMER" => "E",
        _ => c,
    });
    let (start_at, end_at) = ends(arena, e.period);
    let extensions = e.extension.unwrap_or_default();
    let department =
        extension(&extensions, "JP_eCS_Department").and_then(|x| x.value_concept.clone());
    let (department_code, _, department_text) = concept(arena, department.or(e.service_type));
    let disposition = e.hospitalization.and_then(|h| h.discharge_disposition);
    let (disposition_code, _, disposition_text) = concept(arena, disposition);
    let attends = |codes: &Option<Vec<CodeableConcept<'_>>>| {
        let mut codings = codes.iter().flatten().flat_map(|c| c.coding.iter().flatten());
        codings.any(|c| c.code.as_ref().is_some_and(|c| c.as_str() == "ATND"))
    };
    let mut participants = e.participant.unwrap_or_default();
    let chosen = participants.iter().position(|p| attends(&p.kind)).unwrap_or(0);
    let practitioner =
        (!participants.is_empty()).then(|| participants.swap_remove(chosen).individual).flatten();
    let record = EncounterRecord {
        position: at(place),
        encounter_key: t(arena, e.id),
        class,
        start_at,
        end_at,
        department_code,
        department_text,
        disposition_code,
        disposition_text,
        status: t(arena, e.status),
        practitioner: actor(arena, practitioner),
    };
    out.records.push(arena.record(record));
    out
}

pub(super) fn condition<'a>(c: Condition<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(c.subject.as_ref(), c.modified, c.unread, place);
    if out.rejected {
        return out;
    }
    let code = c.code.unwrap_or_default();
    let mut text = t(arena, code.text);
    let mut icd10 = None;
    let mut icd_itself = None;
    let mut chosen = None;
    for coding in code.coding.into_iter().flatten() {
        let system = coding.system.as_ref().map_or("", Str::as_str).to_ascii_lowercase();
        text = text.or_else(|| t(arena, coding.display));
        // The ICD-10 systems of JP Core and HL7, and its OIDs.
        let icd = ["icd-10", "icd10", "1.2.392.200119.4.101", "2.16.840.1.113883.6.3"]
            .iter()
            .any(|mark| system.contains(mark));
        if icd && icd10.is_none() {
            icd10 = coding
                .code
                .as_ref()
                .map(|c| arena.text(&c.as_str().replace('.', "").to_ascii_uppercase()));
            icd_itself = Some((t(arena, coding.code), t(arena, coding.system)));
        } else if chosen.is_none() {
            chosen = Some((t(arena, coding.code), t(arena, coding.system)));
        }
    }
    let (code, code_system) = chosen.or(icd_itself).unwrap_or_default();
    let record = ConditionRecord {
        position: at(place),
        code,
        code_system,
        text,
        icd10,
        role: code_or_text(arena, c.category.into_iter().flatten().next()),
        certainty: code_or_text(arena, c.verification_status).map(|v| match v {
            "provisional" | "differential" | "unconfirmed" => "suspected",
            _ => v,
        }),
        action: None,
        onset_on: t(arena, c.onset)
            .or_else(|| start(arena, c.onset_period))
            .or_else(|| t(arena, c.onset_string)),
        recorded_at: t(arena, c.recorded_date),
        resolved_on: t(arena, c.abatement)
            .or_else(|| c.abatement_period.and_then(|p| t(arena, p.end))),
        outcome: code_or_text(arena, c.clinical_status),
        encounter_key: encounter_id(arena, c.encounter.as_ref()),
        practitioner: actor(arena, c.asserter).or_else(|| actor(arena, c.recorder)),
    };
    out.records.push(arena.record(record));
    out
}

fn amount<'a>(arena: &'a Arena, quantity: Option<Quantity<'a>>) -> (Text<'a>, Text<'a>) {
    let quantity = quantity.unwrap_or_default();
    let value = quantity.value.map(|v| v.literal());
    (value, t(arena, quantity.unit).or_else(|| t(arena, quantity.code)))
}

pub(super) fn procedure<'a>(p: Procedure<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(p.subject.as_ref(), p.modified, p.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, p.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (from, until) = ends(arena, p.performed_period);
    let record = ProcedureRecord {
        position: at(place),
        code,
        code_system,
        text,
        status: t(arena, p.status),
        started_at: t(arena, p.performed).or(from),
        ended_at: until,
        encounter_key: encounter_id(arena, p.encounter.as_ref()),
        practitioner: actor(arena, p.performer.into_iter().flatten().find_map(|p| p.actor)),
    };
    out.records.push(arena.record(record));
    out
}

pub(super) fn diagnostic_report<'a>(d: DiagnosticReport<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(d.subject.as_ref(), d.modified, d.unread, place);
    if out.rejected {
        return out;
    }
    let Some(conclusion) = t(arena, d.conclusion) else {
        // Its results are resources of their own; without a conclusion it says nothing more.
        out.note_unread("DiagnosticReport");
        return out;
    };
    let (code, _, title) = concept(arena, d.code);
    let codings = d.category.into_iter().flatten().flat_map(|c| c.coding.into_iter().flatten());
    let kind = codings.filter_map(|c| t(arena, c.code)).next_back();
    let author = d.results_interpreter.into_iter().flatten().next();
    let record = NoteRecord {
        position: at(place),
        kind: kind.or(Some("diagnostic-report")),
        title: title.or(code),
        text: Some(conclusion),
        written_at: t(arena, d.issued)
            .or_else(|| t(arena, d.effective))
            .or_else(|| start(arena, d.effective_period)),
        encounter_key: encounter_id(arena, d.encounter.as_ref()),
        practitioner: actor(arena, author)
            .or_else(|| actor(arena, d.performer.into_iter().flatten().next())),
    };
    out.records.push(arena.record(record));
    out
}
