//! Modules that are mostly text: progress notes, summaries, letters, reports, first visits.

use super::{MODULES, Walk, clinical};
use crate::{
    record::{DeathRecord, EncounterRecord, FamilyHistoryRecord, NoteRecord, VaccinationRecord},
    xml::Element,
};

/// Elements whose text is no part of the note: who wrote it, and what is read by itself.
const APART: [&str; 8] = [
    "PersonalizedInfo",
    "CreatorInfo",
    "staffs",
    "serviceHistory",
    "extRef",
    "familyHistory",
    "vaccination",
    "information",
];

/// A note with the title of its document.
pub(super) fn push<'a>(walk: &mut Walk<'a>, kind: &'static str, text: &'a str) {
    let record = NoteRecord {
        position: walk.at("note").into(),
        kind: Some(kind),
        title: walk.about.title,
        text: Some(text),
        written_at: walk.about.confirmed,
        practitioner: walk.about.author,
        ..NoteRecord::default()
    };
    walk.out.records.push(walk.arena.record(record));
}

/// All text of a module as one note; modules inside are read by themselves.
pub(super) fn text<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let kind = MODULES.into_iter().find(|m| *m == module.name()).unwrap_or("text");
    let apart = |name: &str| APART.contains(&name) || MODULES.contains(&name);
    match module.text_apart(&apart) {
        Some(text) => push(walk, kind, text),
        None => walk.out.note_unread(kind),
    }
    walk.nested(module, false);
}

/// Visits, death, and the rest as text.
pub(super) fn summary<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let history = module.child("serviceHistory");
    for item in
        history.iter().flat_map(|h| h.all("outPatient")).flat_map(|o| o.all("outPatientItem"))
    {
        let record = EncounterRecord {
            position: walk.at("outPatientItem").into(),
            class: Some("O"),
            start_at: item.child_text("date"),
            ..EncounterRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    for item in history.iter().flat_map(|h| h.all("inPatient")).flat_map(|i| i.all("inPatientItem"))
    {
        let discharge = item.child("discharge");
        let condition = discharge.and_then(|d| d.child("dischargeCondition"));
        let record = EncounterRecord {
            position: walk.at("inPatientItem").into(),
            class: Some("I"),
            start_at: item.child("admission").and_then(|a| a.child_text("date")),
            end_at: discharge.and_then(|d| d.child_text("date")),
            disposition_code: condition.and_then(|c| c.value("outcome")),
            disposition_text: condition.and_then(|c| c.text()),
            ..EncounterRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    if let Some(death) = module.child("deathInfo") {
        let record = DeathRecord {
            position: walk.at("deathInfo").into(),
            died_on: death.value("date"),
            cause_text: death.text(),
            ..DeathRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    text(walk, module);
}

/// Family history and vaccinations; complaints and history as text.
pub(super) fn first_visit<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for item in module.child("familyHistory").iter().flat_map(|f| f.all("familyHistoryItem")) {
        let disease = item.child("RegisteredDiagnosisModule").map(clinical::disease);
        let (text, code, code_system) = disease.unwrap_or_default();
        let record = FamilyHistoryRecord {
            position: walk.at("familyHistoryItem").into(),
            relation: item.child_text("relation"),
            text,
            code,
            code_system,
            onset: item.child_text("age"),
            ..FamilyHistoryRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    let childhood = module.path(&["childhood", "vaccination"]);
    for item in childhood.iter().flat_map(|v| v.all("vaccinationItem")) {
        let record = VaccinationRecord {
            position: walk.at("vaccinationItem").into(),
            text: item.child_text("vaccine"),
            status: item.child_text("injected").map(|i| match i {
                "true" => "completed",
                "false" => "not-done",
                _ => i,
            }),
            given_on: item.child_text("age"),
            ..VaccinationRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    let apart = |name: &str| APART.contains(&name) || MODULES.contains(&name);
    if let Some(text) = module.text_apart(&apart) {
        push(walk, "FirstClinicModule", text);
    }
}
