//! `OML-01`, `OMG-01` to `OMG-13`, `OMD`: examinations ordered and done, diets.

use super::{Reading, lab, position, practitioner};
use crate::record::{
    ImagingStudyRecord, MeasurementRecord, ProcedureRecord, ServiceOrderRecord, Text,
};

/// What kind of order or examination a data type is about.
fn kind(data_type: &str) -> &'static str {
    match data_type {
        "OML-01" => "laboratory",
        "OMG-01" | "OMG-11" => "radiology",
        "OMG-02" | "OMG-12" => "endoscopy",
        "OMG-03" | "OMG-13" => "physiology",
        _ => "diet",
    }
}

/// What the `ORC` above says.
#[derive(Default)]
struct Order<'a> {
    control: Text<'a>,
    number: Text<'a>,
    ordered_at: Text<'a>,
    practitioner: Text<'a>,
}

/// `OMG-01`, `OMG-02`, `OMG-03`: one record per `OBR`; `OML-01`: one per `OBR` (the panel) and one per `OBX` in it (the
/// test); `OMD`: one per `ODS`.
pub(super) fn ordered(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let kind = kind(r.name.data_type);
    let (mut order, mut specimen, mut starts): (_, Text<'_>, Text<'_>) =
        (Order::default(), None, None);
    let mut numbers = [0usize; 3];
    for (_, segment) in message.segments() {
        let (slot, name, code) = match segment.name() {
            "ORC" => {
                order = Order {
                    control: segment.own(1, 1, arena),
                    number: segment.own(2, 1, arena),
                    ordered_at: segment.own(9, 1, arena).or_else(|| segment.own(15, 1, arena)),
                    practitioner: practitioner(&segment, 12, arena),
                };
                continue;
            }
            "SPM" => {
                specimen = segment.own(4, 1, arena);
                continue;
            }
            "TQ1" => {
                starts = segment.own(7, 1, arena);
                continue;
            }
            "OBR" => (0, "OBR", 4),
            "ODS" => (1, "ODS", 3),
            "OBX" if r.name.data_type == "OML-01" => (2, "OBX", 3),
            _ => continue,
        };
        numbers[slot] += 1;
        let at = position(name, numbers[slot]);
        if segment.is_empty() {
            r.out.note_issue("ssmix2.empty-segment", at);
            continue;
        }
        let record = ServiceOrderRecord {
            position: arena.text(&at).into(),
            kind: Some(kind),
            code: segment.own(code, 1, arena),
            text: segment
                .own(code, 2, arena)
                .or_else(|| (slot == 1).then(|| segment.own(4, 1, arena))?),
            code_system: segment.own(code, 3, arena),
            site: match slot {
                0 => specimen.or_else(|| segment.own(15, 1, arena)),
                1 => None,
                _ => specimen,
            },
            status: r.status(order.control),
            order_no: order.number.or_else(|| (slot == 0).then(|| segment.own(2, 1, arena))?),
            ordered_at: order.ordered_at,
            planned_at: if slot == 0 {
                segment.own(36, 1, arena).or(starts).or_else(|| segment.own(6, 1, arena))
            } else {
                starts
            },
            encounter_key: visit,
            practitioner: order.practitioner,
        };
        if record.code.is_none() {
            r.out.note_issue("ssmix2.no-code", at);
        }
        r.out.records.push(arena.record(record));
    }
    if numbers == [0, 0, 0] {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// `OMG-11`, `OMG-12`: one procedure per `OBR`, one imaging study per `IPC`.
pub(super) fn performed(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let mut numbers = [0usize; 2];
    let mut last: Option<(Text<'_>, Text<'_>, Text<'_>, Text<'_>)> = None;
    for (_, segment) in message.segments() {
        match segment.name() {
            "OBR" => {
                numbers[0] += 1;
                let at = position("OBR", numbers[0]);
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", at);
                    continue;
                }
                let record = ProcedureRecord {
                    position: arena.text(&at).into(),
                    code: segment.own(4, 1, arena),
                    text: segment.own(4, 2, arena),
                    code_system: segment.own(4, 3, arena),
                    status: r.status(segment.own(25, 1, arena)),
                    started_at: segment.own(7, 1, arena),
                    ended_at: segment.own(8, 1, arena),
                    encounter_key: visit,
                    practitioner: practitioner(&segment, 34, arena)
                        .or_else(|| practitioner(&segment, 16, arena)),
                };
                if record.code.is_none() {
                    r.out.note_issue("ssmix2.no-code", at);
                }
                last = Some((record.code, record.text, record.code_system, record.started_at));
                r.out.records.push(arena.record(record));
            }
            "IPC" => {
                numbers[1] += 1;
                let at = position("IPC", numbers[1]);
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", at);
                    continue;
                }
                let (code, text, code_system, started_at) = last.unwrap_or_default();
                let record = ImagingStudyRecord {
                    position: arena.text(&at).into(),
                    accession_no: segment.own(1, 1, arena),
                    study_uid: segment.own(3, 1, arena),
                    modality: segment.own(5, 1, arena),
                    code,
                    text,
                    code_system,
                    started_at,
                    status: r.status(None),
                    encounter_key: visit,
                    ..ImagingStudyRecord::default()
                };
                r.out.records.push(arena.record(record));
            }
            _ => {}
        }
    }
    if numbers == [0, 0] {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// `OMG-13`, and vital signs in the extended storage: one measurement per `OBX`.
pub(super) fn measured(r: &mut Reading<'_, '_>, category: &'static str) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let mut observed: Text<'_> = None;
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "OBR" => observed = segment.own(7, 1, arena),
            "OBX" => {
                number += 1;
                if let Some(result) = lab::observation(&segment, number, arena, &mut r.out) {
                    let record = MeasurementRecord {
                        category: Some(category),
                        status: r.status(result.status),
                        measured_at: result.measured_at.or(observed),
                        encounter_key: visit,
                        ..result
                    };
                    r.out.records.push(arena.record(record));
                }
            }
            _ => {}
        }
    }
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}
