//! Drugs ordered.

use std::borrow::Cow;

use super::{actor, amount, at, begin, code_or_text, concept, encounter_id, ends, extension, t};
use crate::{
    fhir::{
        json::Str,
        view::{Dosage, MedicationRequest, Quantity},
    },
    record::{MedicationRecord, Parsed, Text},
};

pub(in crate::fhir) fn medication_request(m: MedicationRequest<'_>, line_no: u64) -> Parsed<'_> {
    let mut out = begin(m.subject.as_ref(), m.modified, m.unread, line_no);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(m.medication);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(line_no));
    }
    let mut record = MedicationRecord {
        position: at(line_no),
        kind: Some(Cow::Borrowed("order")),
        code,
        code_system,
        text,
        status: t(m.status),
        ordered_at: t(m.authored_on),
        encounter_key: encounter_id(m.encounter.as_ref()),
        practitioner: actor(m.requester),
        ..MedicationRecord::default()
    };
    let mut dosages = m.dosage.unwrap_or_default().into_iter();
    if let Some(dosage) = dosages.next() {
        usage(&mut record, dosage);
    }
    if dosages.next().is_some() {
        out.note_unread("MedicationRequest.dosageInstruction[1..]");
    }
    if let Some(dispense) = m.dispense {
        let days = dispense.expected_supply_duration.as_ref().and_then(days);
        record.days = days.or(record.days);
        (record.quantity, record.quantity_unit) = amount(dispense.quantity);
        let (from, until) = ends(dispense.validity_period);
        record.started_at = record.started_at.or(from);
        record.ended_at = record.ended_at.or(until);
    }
    out.records.push(record.into());
    out
}

fn usage<'a>(record: &mut MedicationRecord<'a>, dosage: Dosage<'a>) {
    let dose = dosage.dose_and_rate.into_iter().flatten().find_map(|d| d.dose_quantity);
    (record.dose, record.dose_unit) = amount(dose);
    record.route = code_or_text(dosage.route);
    let timing = dosage.timing.unwrap_or_default();
    let (code, _, text) = concept(timing.code);
    record.usage_code = code;
    record.usage_text = t(dosage.text).or(text);
    if let Some(repeat) = timing.repeat {
        record.days = repeat.bounds_duration.as_ref().and_then(days);
        (record.started_at, record.ended_at) = ends(repeat.bounds_period);
    }
    let extensions = dosage.extension.unwrap_or_default();
    let period = extension(&extensions, "JP_MedicationDosage_PeriodOfUse");
    if let Some(period) = period.and_then(|e| e.value_period.clone()) {
        (record.started_at, record.ended_at) = ends(Some(period));
    }
}

/// Number of days, if the unit is days.
fn days<'a>(duration: &Quantity<'a>) -> Text<'a> {
    let is_day = |s: &Option<Str<'_>>| {
        s.as_ref().is_some_and(|s| matches!(s.as_str(), "d" | "日" | "day" | "days"))
    };
    let value = duration.value?;
    (is_day(&duration.code) || is_day(&duration.unit)).then(|| Cow::Borrowed(value.literal()))
}
