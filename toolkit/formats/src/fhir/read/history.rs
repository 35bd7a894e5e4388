//! Allergies, vaccinations, diseases of relatives.

use super::{Place, actor, amount, at, begin, code_or_text, concept, t};
use crate::{
    fhir::view::{Allergy, FamilyHistory, Immunization},
    record::{AllergyRecord, FamilyHistoryRecord, Parsed, VaccinationRecord},
};

pub(in crate::fhir) fn allergy<'a>(a: Allergy<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(a.patient.as_ref(), a.modified, a.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, a.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let mut reactions = a.reaction.unwrap_or_default().into_iter();
    let first = reactions.next().unwrap_or_default();
    if reactions.next().is_some() {
        out.note_unread("AllergyIntolerance.reaction[1..]");
    }
    let manifestation = code_or_text(arena, first.manifestation.into_iter().flatten().next());
    let record = AllergyRecord {
        position: at(place),
        category: t(arena, a.category.into_iter().flatten().next()),
        code,
        code_system,
        text,
        severity: t(arena, first.severity).or_else(|| t(arena, a.criticality)),
        reaction: t(arena, first.description).or(manifestation),
        onset_on: t(arena, a.onset).or_else(|| t(arena, a.onset_string)),
        recorded_at: t(arena, a.recorded_date),
        certainty: code_or_text(arena, a.verification_status).map(|v| match v {
            "unconfirmed" | "presumed" => "suspected",
            _ => v,
        }),
        status: code_or_text(arena, a.clinical_status),
        practitioner: actor(arena, a.asserter).or_else(|| actor(arena, a.recorder)),
    };
    out.records.push(arena.record(record));
    out
}

pub(in crate::fhir) fn immunization<'a>(i: Immunization<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(i.patient.as_ref(), i.modified, i.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, i.vaccine);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (dose, dose_unit) = amount(arena, i.dose);
    let protocol = i.protocol.into_iter().flatten().next().unwrap_or_default();
    let record = VaccinationRecord {
        position: at(place),
        code,
        code_system,
        text,
        given_on: t(arena, i.occurrence).or_else(|| t(arena, i.occurrence_string)),
        dose_number: protocol
            .dose_number
            .map(|n| n.literal())
            .or_else(|| t(arena, protocol.dose_text)),
        dose,
        dose_unit,
        manufacturer: actor(arena, i.manufacturer),
        lot: t(arena, i.lot),
        route: code_or_text(arena, i.route),
        institution: actor(arena, i.location),
        status: t(arena, i.status),
        practitioner: actor(arena, i.performer.into_iter().flatten().find_map(|p| p.actor)),
    };
    out.records.push(arena.record(record));
    out
}

/// One record per disease; a relative without one gives one record.
pub(in crate::fhir) fn family_history<'a>(f: FamilyHistory<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(f.patient.as_ref(), f.modified, f.unread, place);
    if out.rejected {
        return out;
    }
    let (relation_code, _, relation) = concept(arena, f.relationship);
    let relative = FamilyHistoryRecord {
        position: at(place),
        relation_code,
        relation,
        sex: code_or_text(arena, f.sex).map(|s| match s {
            "male" => "M",
            "female" => "F",
            _ => s,
        }),
        deceased: t(arena, f.deceased_date)
            .or_else(|| f.deceased.map(|d| if d { "true" } else { "false" })),
        status: t(arena, f.status),
        ..FamilyHistoryRecord::default()
    };
    let conditions = f.condition.unwrap_or_default();
    if conditions.is_empty() {
        out.records.push(arena.record(relative));
        return out;
    }
    for (index, condition) in conditions.into_iter().enumerate() {
        let (code, code_system, text) = concept(arena, condition.code);
        let (age, unit) = amount(arena, condition.onset_age);
        let onset = age.map(|age| match unit {
            Some(unit) => arena.text(&format!("{age} {unit}")),
            None => age,
        });
        if condition.outcome.is_some() {
            out.note_unread("FamilyMemberHistory.condition.outcome");
        }
        let record = FamilyHistoryRecord {
            position: arena.text(&format!("{place} condition[{index}]")).into(),
            code,
            code_system,
            text,
            onset: onset.or_else(|| t(arena, condition.onset_string)),
            ..relative
        };
        out.records.push(arena.record(record));
    }
    out
}
