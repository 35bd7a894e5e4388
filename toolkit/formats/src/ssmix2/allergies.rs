//! `ADT-61`: allergies (`IAM`), and the `AL1` of a patient's basics.

use std::borrow::Cow;

use super::{Reading, Segment, position};
use crate::record::{AllergyRecord, Text};

/// HL7 table 0127: the kind of an allergy.
fn category(code: Text<'static>) -> Text<'static> {
    code.map(|c| match c.as_ref() {
        "DA" => Cow::Borrowed("medication"),
        "FA" => Cow::Borrowed("food"),
        "EA" | "LA" | "PA" | "AA" => Cow::Borrowed("environment"),
        _ => c,
    })
}

/// One `IAM`: 2 type, 3 substance, 4 severity, 5 reaction, 6 action, 11 onset, 13 reported.
pub(super) fn read(r: &mut Reading<'_>) {
    let message = r.message;
    let mut number = 0;
    for (_, segment) in message.segments().filter(|(_, s)| s.name() == "IAM") {
        number += 1;
        if segment.is_empty() {
            r.out.note_issue("ssmix2.empty-segment", position("IAM", number));
            continue;
        }
        let record = AllergyRecord {
            position: position("IAM", number).into(),
            category: category(segment.own(2, 1)),
            code: segment.own(3, 1),
            text: segment.own(3, 2),
            code_system: segment.own(3, 3),
            severity: segment.own(4, 1),
            reaction: whole(&segment, 5),
            onset_on: segment.own(11, 1),
            recorded_at: segment.own(13, 1).or_else(|| r.message.first("EVN")?.own(2, 1)),
            status: r.status(segment.own(6, 1)),
            ..AllergyRecord::default()
        };
        push(r, record, "IAM", number);
    }
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// One `AL1` of a patient's basics: 2 type, 3 substance, 4 severity, 5 reaction, 6 date.
pub(super) fn of_basics(r: &mut Reading<'_>) {
    let message = r.message;
    let segments = message.segments().filter(|(_, s)| s.name() == "AL1");
    for (number, (_, segment)) in segments.enumerate() {
        let number = number + 1;
        if segment.is_empty() {
            r.out.note_issue("ssmix2.empty-segment", position("AL1", number));
            continue;
        }
        let record = AllergyRecord {
            position: position("AL1", number).into(),
            category: category(segment.own(2, 1)),
            code: segment.own(3, 1),
            text: segment.own(3, 2),
            code_system: segment.own(3, 3),
            severity: segment.own(4, 1),
            reaction: whole(&segment, 5),
            onset_on: segment.own(6, 1),
            status: r.status(None),
            ..AllergyRecord::default()
        };
        push(r, record, "AL1", number);
    }
}

fn push(r: &mut Reading<'_>, record: AllergyRecord<'static>, name: &str, number: usize) {
    if record.code.is_none() {
        r.out.note_issue("ssmix2.no-code", position(name, number));
    }
    r.out.records.push(record.into());
}

fn whole(segment: &Segment<'_>, field: usize) -> Text<'static> {
    let lines: Vec<_> = segment.field(field).repetitions().filter_map(|f| f.whole()).collect();
    (!lines.is_empty()).then(|| Cow::Owned(lines.join("\n")))
}
