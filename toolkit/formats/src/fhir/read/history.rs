//! Allergies, vaccinations, diseases of relatives.

use std::borrow::Cow;

use super::{Place, actor, amount, at, begin, code_or_text, concept, t};
use crate::{
    fhir::view::{Allergy, FamilyHistory, Immunization},
    record::{AllergyRecord, FamilyHistoryRecord, Parsed, VaccinationRecord},
};

pub(in crate::fhir) fn allergy<'a>(a: Allergy<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(a.patient.as_ref(), a.modified, a.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(a.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let mut reactions = a.reaction.unwrap_or_default().into_iter();
    let first = reactions.next().unwrap_or_default();
    if reactions.next().is_some() {
        out.note_unread("AllergyIntolerance.reaction[1..]");
    }
    let manifestation = code_or_text(first.manifestation.into_iter().flatten().next());
    let record = AllergyRecord {
        position: at(place),
        category: t(a.category.into_iter().flatten().next()),
        code,
        code_system,
        text,
        severity: t(first.severity).or_else(|| t(a.criticality)),
        reaction: t(first.description).or(manifestation),
        onset_on: t(a.onset).or_else(|| t(a.onset_string)),
        recorded_at: t(a.recorded_date),
        certainty: code_or_text(a.verification_status).map(|v| match v.as_ref() {
            "unconfirmed" | "presumed" => Cow::Borrowed("suspected"),
            _ => v,
        }),
        status: code_or_text(a.clinical_status),
        practitioner: actor(a.asserter).or_else(|| actor(a.recorder)),
    };
    out.records.push(record.into());
    out
}

pub(in crate::fhir) fn immunization<'a>(i: Immunization<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(i.patient.as_ref(), i.modified, i.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(i.vaccine);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (dose, dose_unit) = amount(i.dose);
    let protocol = i.protocol.into_iter().flatten().next().unwrap_or_default();
    let record = VaccinationRecord {
        position: at(place),
        code,
        code_system,
        text,
        given_on: t(i.occurrence).or_else(|| t(i.occurrence_string)),
        dose_number: protocol
            .dose_number
            .map(|n| Cow::Borrowed(n.literal()))
            .or_else(|| t(protocol.dose_text)),
        dose,
        dose_unit,
        manufacturer: actor(i.manufacturer),
        lot: t(i.lot),
        route: code_or_text(i.route),
        institution: actor(i.location),
        status: t(i.status),
        practitioner: actor(i.performer.into_iter().flatten().find_map(|p| p.actor)),
    };
    out.records.push(record.into());
    out
}

/// One record per disease; a relative without one gives one record.
pub(in crate::fhir) fn family_history<'a>(f: FamilyHistory<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(f.patient.as_ref(), f.modified, f.unread, place);
    if out.rejected {
        return out;
    }
    let (relation_code, _, relation) = concept(f.relationship);
    let relative = FamilyHistoryRecord {
        position: at(place),
        relation_code,
        relation,
        sex: code_or_text(f.sex).map(|s| match s.as_ref() {
            "male" => Cow::Borrowed("M"),
            "female" => Cow::Borrowed("F"),
            _ => s,
        }),
        deceased: t(f.deceased_date)
            .or_else(|| f.deceased.map(|d| Cow::Borrowed(if d { "true" } else { "false" }))),
        status: t(f.status),
        ..FamilyHistoryRecord::default()
    };
    let conditions = f.condition.unwrap_or_default();
    if conditions.is_empty() {
        out.records.push(relative.into());
        return out;
    }
    for (index, condition) in conditions.into_iter().enumerate() {
        let (code, code_system, text) = concept(condition.code);
        let (age, unit) = amount(condition.onset_age);
        let onset = age.map(|age| match unit {
            Some(unit) => Cow::Owned(format!("{age} {unit}")),
            None => age,
        });
        if condition.outcome.is_some() {
            out.note_unread("FamilyMemberHistory.condition.outcome");
        }
        let record = FamilyHistoryRecord {
            position: format!("{place} condition[{index}]").into(),
            code,
            code_system,
            text,
            onset: onset.or_else(|| t(condition.onset_string)),
            ..relative.clone()
        };
        out.records.push(record.into());
    }
    out
}
