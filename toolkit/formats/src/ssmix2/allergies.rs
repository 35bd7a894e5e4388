//! `ADT-61`: allergies (`IAM`), and the `AL1` of a patient's basics.

use super::{Reading, Segment, position};
use crate::{
    arena::Arena,
    record::{AllergyRecord, Text},
};

/// HL7 table 0127: the kind of an allergy.
fn category(code: Text<'_>) -> Text<'_> {
    code.map(|c| match c {
        "DA" => "medication",
        "FA" => "food",
        "EA" | "LA" | "PA" | "AA" => "environment",
        _ => c,
    })
}

/// One `IAM`: 2 type, 3 substance, 4 severity, 5 reaction, 6 action, 11 onset, 13 reported.
pub(super) fn read(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let mut number = 0;
    for (_, segment) in message.segments().filter(|(_, s)| s.name() == "IAM") {
        number += 1;
        if segment.is_empty() {
            r.out.note_issue("ssmix2.empty-segment", position("IAM", number));
            continue;
        }
        let record = AllergyRecord {
            position: arena.text(&position("IAM", number)).into(),
            category: category(segment.own(2, 1, arena)),
            code: segment.own(3, 1, arena),
            text: segment.own(3, 2, arena),
            code_system: segment.own(3, 3, arena),
            severity: segment.own(4, 1, arena),
            reaction: whole(&segment, 5, arena),
            onset_on: segment.own(11, 1, arena),
            recorded_at: segment
                .own(13, 1, arena)
                .or_else(|| r.message.first("EVN")?.own(2, 1, arena)),
            status: r.status(segment.own(6, 1, arena)),
            ..AllergyRecord::default()
        };
        push(r, record, "IAM", number);
    }
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// One `AL1` of a patient's basics: 2 type, 3 substance, 4 severity, 5 reaction, 6 date.
pub(super) fn of_basics(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let segments = message.segments().filter(|(_, s)| s.name() == "AL1");
    for (number, (_, segment)) in segments.enumerate() {
        let number = number + 1;
        if segment.is_empty() {
            r.out.note_issue("ssmix2.empty-segment", position("AL1", number));
            continue;
        }
        let record = AllergyRecord {
            position: arena.text(&position("AL1", number)).into(),
            category: category(segment.own(2, 1, arena)),
            code: segment.own(3, 1, arena),
            text: segment.own(3, 2, arena),
            code_system: segment.own(3, 3, arena),
            severity: segment.own(4, 1, arena),
            reaction: whole(&segment, 5, arena),
            onset_on: segment.own(6, 1, arena),
            status: r.status(None),
            ..AllergyRecord::default()
        };
        push(r, record, "AL1", number);
    }
}

fn push<'a>(r: &mut Reading<'_, 'a>, record: AllergyRecord<'a>, name: &str, number: usize) {
    let arena = r.arena;
    if record.code.is_none() {
        r.out.note_issue("ssmix2.no-code", position(name, number));
    }
    r.out.records.push(arena.record(record));
}

fn whole<'a>(segment: &Segment<'_>, field: usize, arena: &'a Arena) -> Text<'a> {
    let lines: Vec<_> = segment.field(field).repetitions().filter_map(|f| f.whole()).collect();
    (!lines.is_empty()).then(|| arena.text(&lines.join("\n")))
}
