//! Drugs ordered, dispensed, given, taken.

use super::{
    Place, actor, amount, at, begin, code_or_text, concept, encounter_id, ends, extension, t,
};
use crate::{
    arena::Arena,
    fhir::{
        json::Str,
        view::{
            CodeableConcept, Dosage, MedicationAdministration, MedicationDispense,
            MedicationRequest, MedicationStatement, Quantity,
        },
    },
    record::{MedicationRecord, Parsed, Text},
};

pub(in crate::fhir) fn medication_request<'a>(
    m: MedicationRequest<'a>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(m.subject.as_ref(), m.modified, m.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, m.medication);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let mut record = MedicationRecord {
        position: at(place),
        kind: Some("order"),
        code,
        code_system,
        text,
        status: t(arena, m.status),
        ordered_at: t(arena, m.authored_on),
        encounter_key: encounter_id(arena, m.encounter.as_ref()),
        practitioner: actor(arena, m.requester),
        ..MedicationRecord::default()
    };
    let mut dosages = m.dosage.unwrap_or_default().into_iter();
    if let Some(dosage) = dosages.next() {
        usage(arena, &mut record, dosage);
    }
    if dosages.next().is_some() {
        out.note_unread("MedicationRequest.dosageInstruction[1..]");
    }
    if let Some(dispense) = m.dispense {
        let days = dispense.expected_supply_duration.as_ref().and_then(days);
        record.days = days.or(record.days);
        (record.quantity, record.quantity_unit) = amount(arena, dispense.quantity);
        let (from, until) = ends(arena, dispense.validity_period);
        record.started_at = record.started_at.or(from);
        record.ended_at = record.ended_at.or(until);
    }
    out.records.push(arena.record(record));
    out
}

pub(in crate::fhir) fn medication_administration<'a>(
    m: MedicationAdministration<'a>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(m.subject.as_ref(), m.modified, m.unread, place);
    if out.rejected {
        return out;
    }
    let mut record = drug("administration", m.medication, place, &mut out);
    let given = m.dosage.unwrap_or_default();
    (record.dose, record.dose_unit) = amount(arena, given.dose);
    record.route = code_or_text(arena, given.route);
    record.usage_text = t(arena, given.text);
    record.status = t(arena, m.status);
    (record.started_at, record.ended_at) = ends(arena, m.effective_period);
    record.started_at = t(arena, m.effective).or(record.started_at);
    record.encounter_key = encounter_id(arena, m.context.as_ref());
    record.practitioner = actor(arena, m.performer.into_iter().flatten().find_map(|p| p.actor));
    out.records.push(arena.record(record));
    out
}

pub(in crate::fhir) fn medication_dispense<'a>(
    m: MedicationDispense<'a>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(m.subject.as_ref(), m.modified, m.unread, place);
    if out.rejected {
        return out;
    }
    let mut record = drug("dispense", m.medication, place, &mut out);
    let mut dosages = m.dosage.unwrap_or_default().into_iter();
    if let Some(dosage) = dosages.next() {
        usage(arena, &mut record, dosage);
    }
    if dosages.next().is_some() {
        out.note_unread("MedicationDispense.dosageInstruction[1..]");
    }
    record.days = m.days_supply.as_ref().and_then(days).or(record.days);
    (record.quantity, record.quantity_unit) = amount(arena, m.quantity);
    record.status = t(arena, m.status);
    record.started_at =
        t(arena, m.handed_over).or_else(|| t(arena, m.prepared)).or(record.started_at);
    record.encounter_key = encounter_id(arena, m.context.as_ref());
    record.practitioner = actor(arena, m.performer.into_iter().flatten().find_map(|p| p.actor));
    out.records.push(arena.record(record));
    out
}

pub(in crate::fhir) fn medication_statement<'a>(
    m: MedicationStatement<'a>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(m.subject.as_ref(), m.modified, m.unread, place);
    if out.rejected {
        return out;
    }
    let mut record = drug("statement", m.medication, place, &mut out);
    let mut dosages = m.dosage.unwrap_or_default().into_iter();
    if let Some(dosage) = dosages.next() {
        usage(arena, &mut record, dosage);
    }
    if dosages.next().is_some() {
        out.note_unread("MedicationStatement.dosage[1..]");
    }
    let (from, until) = ends(arena, m.effective_period);
    record.started_at = t(arena, m.effective).or(from).or(record.started_at);
    record.ended_at = until.or(record.ended_at);
    record.ordered_at = t(arena, m.asserted);
    record.status = t(arena, m.status);
    record.encounter_key = encounter_id(arena, m.context.as_ref());
    out.records.push(arena.record(record));
    out
}

/// A record with its drug.
fn drug<'a>(
    kind: &'static str,
    medication: Option<CodeableConcept<'a>>,
    place: Place<'a>,
    out: &mut Parsed<'a>,
) -> MedicationRecord<'a> {
    let arena = place.arena;
    let (code, code_system, text) = concept(arena, medication);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    MedicationRecord {
        position: at(place),
        kind: Some(kind),
        code,
        code_system,
        text,
        ..MedicationRecord::default()
    }
}

fn usage<'a>(arena: &'a Arena, record: &mut MedicationRecord<'a>, dosage: Dosage<'a>) {
    let dose = dosage.dose_and_rate.into_iter().flatten().find_map(|d| d.dose_quantity);
    (record.dose, record.dose_unit) = amount(arena, dose);
    record.route = code_or_text(arena, dosage.route);
    let timing = dosage.timing.unwrap_or_default();
    let (code, _, text) = concept(arena, timing.code);
    record.usage_code = code;
    record.usage_text = t(arena, dosage.text).or(text);
    if let Some(repeat) = timing.repeat {
        record.days = repeat.bounds_duration.as_ref().and_then(days);
        (record.started_at, record.ended_at) = ends(arena, repeat.bounds_period);
    }
    let extensions = dosage.extension.unwrap_or_default();
    let period = extension(&extensions, "JP_MedicationDosage_PeriodOfUse");
    if let Some(period) = period.and_then(|e| e.value_period.clone()) {
        (record.started_at, record.ended_at) = ends(arena, Some(period));
    }
}

/// Number of days, if the unit is days.
fn days<'a>(duration: &Quantity<'a>) -> Text<'a> {
    let is_day = |s: &Option<Str<'_>>| {
        s.as_ref().is_some_and(|s| matches!(s.as_str(), "d" | "日" | "day" | "days"))
    };
    let value = duration.value?;
    (is_day(&duration.code) || is_day(&duration.unit)).then(|| value.literal())
}
