//! From views to neutral records. Each resource type has one function here.

use std::borrow::Cow;

mod history;
mod imaging;
mod medication;
mod orders;
mod person;

pub(super) use history::{allergy, family_history, immunization};
pub(super) use imaging::{composition, document_reference, imaging_study};
pub(super) use medication::{
    medication_administration, medication_dispense, medication_request, medication_statement,
};
pub(super) use orders::service_request;
pub(super) use person::{coverage, patient, stable_key};

use super::{
    Place, at,
    json::Str,
    view::{
        CodeableConcept, Component, Condition, DiagnosticReport, Encounter, Extension, Observation,
        Period, Procedure, Quantity, Reference, ReferenceRange,
    },
};
use crate::{
    record::{
        ConditionRecord, EncounterRecord, MeasurementRecord, NoteRecord, Parsed, ProcedureRecord,
        Text,
    },
    text,
};

fn t(text: Option<Str<'_>>) -> Text<'_> {
    text.map(|s| s.0).filter(|s| !s.is_empty())
}

fn start(period: Option<Period<'_>>) -> Text<'_> {
    t(period?.start)
}

fn ends(period: Option<Period<'_>>) -> (Text<'_>, Text<'_>) {
    period.map_or((None, None), |p| (t(p.start), t(p.end)))
}

/// The id behind `Patient/`, whatever stands before it or a version after it.
pub(super) fn patient_id<'a>(reference: &Reference<'a>) -> Text<'a> {
    resource_id(reference, "Patient/")
}

fn resource_id<'a>(reference: &Reference<'a>, kind: &str) -> Text<'a> {
    let cut = |whole: &str| {
        let from = whole.rfind(kind)? + kind.len();
        let before = &whole[..from - kind.len()];
        if !(before.is_empty() || before.ends_with('/')) {
            return None;
        }
        let len = whole[from..].find(['/', '?', '#']).unwrap_or(whole.len() - from);
        (len > 0).then_some((from, from + len))
    };
    match &reference.reference.as_ref()?.0 {
        Cow::Borrowed(whole) => cut(whole).map(|(a, b)| Cow::Borrowed(&whole[a..b])),
        Cow::Owned(whole) => cut(whole).map(|(a, b)| Cow::Owned(whole[a..b].to_owned())),
    }
}

/// The id of an encounter; inside a bundle the address `urn:uuid:…`, which the bundle resolves.
fn encounter_id<'a>(reference: Option<&Reference<'a>>) -> Text<'a> {
    let reference = reference?;
    resource_id(reference, "Encounter/")
        .or_else(|| t(reference.reference.clone()).filter(|r| r.starts_with("urn:uuid:")))
}

/// Whom a reference means: `Patient/<id>`, or the member number or record number that stands in its place.
pub(super) fn subject_key<'a>(reference: &Reference<'a>) -> Text<'a> {
    patient_id(reference).or_else(|| {
        let identifier = reference.identifier.as_ref()?;
        stable_key(std::slice::from_ref(identifier)).map(Cow::Owned)
    })
}

/// A person's name as shown, or else the id.
fn actor(reference: Option<Reference<'_>>) -> Text<'_> {
    let reference = reference?;
    t(reference.display).or_else(|| t(reference.reference))
}

/// First code, its system, and the concept's text (or else the code's display).
fn concept(concept: Option<CodeableConcept<'_>>) -> (Text<'_>, Text<'_>, Text<'_>) {
    let Some(concept) = concept else { return (None, None, None) };
    let first = concept.coding.into_iter().flatten().next().unwrap_or_default();
    (t(first.code), t(first.system), t(concept.text).or_else(|| t(first.display)))
}

fn code_or_text(wanted: Option<CodeableConcept<'_>>) -> Text<'_> {
    let (code, _, text) = concept(wanted);
    code.or(text)
}

/// Begins a resource that must be about a person.
fn begin<'a>(
    subject: Option<&Reference<'a>>,
    modified: bool,
    unread: Vec<Cow<'static, str>>,
    place: Place<'_>,
) -> Parsed<'a> {
    let mut out = Parsed { unread, ..Parsed::default() };
    if modified {
        out.reject("fhir.modifier", at(place));
    }
    let person = match place.person {
        Some(person) => Some(Cow::Owned(person.to_owned())),
        None => subject.and_then(subject_key),
    };
    if person.as_deref().is_some_and(text::holds_my_number) {
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

pub(super) fn encounter<'a>(e: Encounter<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(e.subject.as_ref(), e.modified, e.unread, place);
    if out.rejected {
        return out;
    }
    let class = e.class.and_then(|c| t(c.code)).map(|c| match c.as_ref() {
        "AMB" => Cow::Borrowed("O"),
        "IMP" | "ACUTE" | "NONAC" => Cow::Borrowed("I"),
        "EMER" => Cow::Borrowed("E"),
        _ => c,
    });
    let (start_at, end_at) = ends(e.period);
    let extensions = e.extension.unwrap_or_default();
    let department =
        extension(&extensions, "JP_eCS_Department").and_then(|x| x.value_concept.clone());
    let (department_code, _, department_text) = concept(department.or(e.service_type));
    let disposition = e.hospitalization.and_then(|h| h.discharge_disposition);
    let (disposition_code, _, disposition_text) = concept(disposition);
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
        encounter_key: t(e.id),
        class,
        start_at,
        end_at,
        department_code,
        department_text,
        disposition_code,
        disposition_text,
        status: t(e.status),
        practitioner: actor(practitioner),
    };
    out.records.push(record.into());
    out
}

pub(super) fn condition<'a>(c: Condition<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(c.subject.as_ref(), c.modified, c.unread, place);
    if out.rejected {
        return out;
    }
    let code = c.code.unwrap_or_default();
    let mut text = t(code.text);
    let mut icd10 = None;
    let mut icd_itself = None;
    let mut chosen = None;
    for coding in code.coding.into_iter().flatten() {
        let system = coding.system.as_ref().map_or("", Str::as_str).to_ascii_lowercase();
        text = text.or_else(|| t(coding.display));
        // The ICD-10 systems of JP Core and HL7, and its OIDs.
        let icd = ["icd-10", "icd10", "1.2.392.200119.4.101", "2.16.840.1.113883.6.3"]
            .iter()
            .any(|mark| system.contains(mark));
        if icd && icd10.is_none() {
            icd10 = coding
                .code
                .as_ref()
                .map(|c| Cow::Owned(c.as_str().replace('.', "").to_ascii_uppercase()));
            icd_itself = Some((t(coding.code), t(coding.system)));
        } else if chosen.is_none() {
            chosen = Some((t(coding.code), t(coding.system)));
        }
    }
    let (code, code_system) = chosen.or(icd_itself).unwrap_or_default();
    let record = ConditionRecord {
        position: at(place),
        code,
        code_system,
        text,
        icd10,
        role: code_or_text(c.category.into_iter().flatten().next()),
        certainty: code_or_text(c.verification_status).map(|v| match v.as_ref() {
            "provisional" | "differential" | "unconfirmed" => Cow::Borrowed("suspected"),
            _ => v,
        }),
        action: None,
        onset_on: t(c.onset).or_else(|| start(c.onset_period)).or_else(|| t(c.onset_string)),
        recorded_at: t(c.recorded_date),
        resolved_on: t(c.abatement).or_else(|| c.abatement_period.and_then(|p| t(p.end))),
        outcome: code_or_text(c.clinical_status),
        encounter_key: encounter_id(c.encounter.as_ref()),
        practitioner: actor(c.asserter).or_else(|| actor(c.recorder)),
    };
    out.records.push(record.into());
    out
}

fn amount(quantity: Option<Quantity<'_>>) -> (Text<'_>, Text<'_>) {
    let quantity = quantity.unwrap_or_default();
    let value = quantity.value.map(|v| Cow::Borrowed(v.literal()));
    (value, t(quantity.unit).or_else(|| t(quantity.code)))
}

pub(super) fn procedure<'a>(p: Procedure<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(p.subject.as_ref(), p.modified, p.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(p.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (from, until) = ends(p.performed_period);
    let record = ProcedureRecord {
        position: at(place),
        code,
        code_system,
        text,
        status: t(p.status),
        started_at: t(p.performed).or(from),
        ended_at: until,
        encounter_key: encounter_id(p.encounter.as_ref()),
        practitioner: actor(p.performer.into_iter().flatten().find_map(|p| p.actor)),
    };
    out.records.push(record.into());
    out
}

pub(super) fn observation<'a>(o: Observation<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(o.subject.as_ref(), o.modified, o.unread, place);
    if out.rejected {
        return out;
    }
    let mut category = None;
    for coding in o.category.into_iter().flatten().flat_map(|c| c.coding.into_iter().flatten()) {
        category = category.or_else(|| {
            t(coding.code).map(|c| match c.as_ref() {
                "vital-signs" => Cow::Borrowed("vital"),
                "social-history" => Cow::Borrowed("social"),
                _ => c,
            })
        });
    }
    let common = MeasurementRecord {
        category,
        status: t(o.status),
        specimen: actor(o.specimen),
        measured_at: t(o.effective)
            .or_else(|| start(o.effective_period))
            .or_else(|| t(o.effective_instant)),
        encounter_key: encounter_id(o.encounter.as_ref()),
        practitioner: actor(o.performer.into_iter().flatten().next()),
        ..MeasurementRecord::default()
    };
    let whole = Component {
        code: o.code,
        value_quantity: o.value_quantity,
        value_concept: o.value_concept,
        value_string: o.value_string,
        value_integer: o.value_integer,
        value_boolean: o.value_boolean,
        value_date_time: o.value_date_time,
        value_time: o.value_time,
        interpretation: o.interpretation,
        reference_range: o.reference_range,
    };
    let components = o.component.unwrap_or_default();
    let own = measured(whole, common.clone(), at(place));
    if own.code.is_none() && own.text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    // A panel without a value of its own is told by its components.
    if components.is_empty() || own.value_text.is_some() {
        out.records.push(own.into());
    }
    for (index, component) in components.into_iter().enumerate() {
        let position = format!("{place} component[{index}]");
        out.records.push(measured(component, common.clone(), position.into()).into());
    }
    out
}

fn measured<'a>(
    part: Component<'a>,
    common: MeasurementRecord<'a>,
    position: crate::Position<'a>,
) -> MeasurementRecord<'a> {
    let (code, code_system, text) = concept(part.code);
    let flag = code_or_text(part.interpretation.into_iter().flatten().next());
    let range = part.reference_range.into_iter().flatten().next().and_then(range);
    let mut record = MeasurementRecord {
        position,
        code,
        code_system,
        text,
        flag,
        reference_range: range,
        ..common
    };
    if let Some(quantity) = part.value_quantity {
        let literal = quantity.value.map(|v| Cow::Borrowed(v.literal()));
        record.comparator = t(quantity.comparator);
        record.value_text = match (&record.comparator, &literal) {
            (Some(comparator), Some(number)) => Some(Cow::Owned(format!("{comparator}{number}"))),
            _ => literal.clone(),
        };
        record.value_num = literal;
        record.unit = t(quantity.unit).or_else(|| t(quantity.code));
        record.unit_system = t(quantity.system);
    } else if let Some(value) = part.value_concept {
        let (code, _, text) = concept(Some(value));
        record.value_text = text.or_else(|| code.clone());
        record.value_code = code;
    } else if let Some(value) = part.value_integer {
        record.value_num = Some(Cow::Borrowed(value.literal()));
        record.value_text = Some(Cow::Borrowed(value.literal()));
    } else if let Some(value) = t(part.value_string) {
        if let Some(found) = text::quantity(&value) {
            record.comparator = found.comparator.map(Cow::Borrowed);
            record.value_num = Some(Cow::Owned(found.number.into_owned()));
        }
        record.value_text = Some(value);
    } else if let Some(value) = part.value_boolean {
        record.value_text = Some(Cow::Borrowed(if value { "true" } else { "false" }));
    } else {
        record.value_text = t(part.value_date_time).or_else(|| t(part.value_time));
    }
    record
}

fn range(range: ReferenceRange<'_>) -> Text<'_> {
    let (low, _) = amount(range.low);
    let (high, _) = amount(range.high);
    if low.is_none() && high.is_none() {
        return t(range.text);
    }
    let side = |v: Text<'_>| v.unwrap_or_default().into_owned();
    Some(Cow::Owned(format!("{}-{}", side(low), side(high))))
}

pub(super) fn diagnostic_report<'a>(d: DiagnosticReport<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(d.subject.as_ref(), d.modified, d.unread, place);
    if out.rejected {
        return out;
    }
    let Some(conclusion) = t(d.conclusion) else {
        // Its results are resources of their own; without a conclusion it says nothing more.
        out.note_unread("DiagnosticReport");
        return out;
    };
    let (code, _, title) = concept(d.code);
    let codings = d.category.into_iter().flatten().flat_map(|c| c.coding.into_iter().flatten());
    let kind = codings.filter_map(|c| t(c.code)).next_back();
    let author = d.results_interpreter.into_iter().flatten().next();
    let record = NoteRecord {
        position: at(place),
        kind: kind.or(Some(Cow::Borrowed("diagnostic-report"))),
        title: title.or(code),
        text: Some(conclusion),
        written_at: t(d.issued).or_else(|| t(d.effective)).or_else(|| start(d.effective_period)),
        encounter_key: encounter_id(d.encounter.as_ref()),
        practitioner: actor(author).or_else(|| actor(d.performer.into_iter().flatten().next())),
    };
    out.records.push(record.into());
    out
}
