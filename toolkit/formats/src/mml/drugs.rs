//! Prescriptions and injections.

use super::Walk;
use crate::{
    arena::Arena,
    record::{MedicationRecord, Text},
    xml::Element,
};

/// What both kinds of medication have in common.
fn medication<'a>(walk: &mut Walk<'a>, m: Element<'_, 'a>) -> MedicationRecord<'a> {
    let medicine = m.child("medicine");
    let code = medicine.and_then(|m| m.child("code"));
    let record = MedicationRecord {
        position: walk.at("medication").into(),
        kind: Some(if walk.administered { "administration" } else { "order" }),
        code: code.and_then(|c| c.text()),
        code_system: code.and_then(|c| c.value("system")),
        text: medicine.and_then(|m| m.child_text("name")),
        dose: m.child_text("dose"),
        dose_unit: m.child_text("doseUnit"),
        route: m.child_text("route"),
        usage_text: m.child_text("instruction"),
        ordered_at: walk.about.confirmed,
        practitioner: walk.about.author,
        ..MedicationRecord::default()
    };
    if record.code.is_none() && record.text.is_none() {
        walk.out.note_issue("mml.no-code", record.position);
    }
    record
}

pub(super) fn prescription<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for m in module.all("medication") {
        let duration = m.child_text("duration");
        let record = MedicationRecord {
            started_at: m.child_text("startDate"),
            days: duration.and_then(|duration| days(duration, walk.arena)),
            ..medication(walk, m)
        };
        if duration.is_some() && record.days.is_none() {
            walk.out.note_unread("medication/duration (not in days)");
        }
        walk.out.records.push(walk.arena.record(record));
    }
}

pub(super) fn injection<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for m in module.all("medication") {
        let record = MedicationRecord {
            started_at: m.child_text("startDateTime"),
            ended_at: m.child_text("endDateTime"),
            ..medication(walk, m)
        };
        walk.out.records.push(walk.arena.record(record));
    }
}

/// `P14D` and `P2W` in days.
fn days<'a>(duration: &str, arena: &'a Arena) -> Text<'a> {
    let rest = duration.strip_prefix('P')?;
    let number = |t: &str| t.parse::<u32>().ok();
    let days = match (rest.strip_suffix('D'), rest.strip_suffix('W')) {
        (Some(d), _) => number(d)?,
        (_, Some(w)) => number(w)?.checked_mul(7)?,
        _ => return None,
    };
    Some(arena.text(&days.to_string()))
}
