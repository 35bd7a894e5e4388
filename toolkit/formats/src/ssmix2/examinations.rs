//! `OML-01`, `OMG-01` to `OMG-13`, `OMD`: examinations ordered and done, diets.

use std::borrow::Cow;

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
struct Order {
    control: Text<'static>,
    number: Text<'static>,
    ordered_at: Text<'static>,
    practitioner: Text<'static>,
}

/// `OMG-01`, `OMG-02`, `OMG-03`: one record per `OBR`; `OML-01`: one per `OBR` (the panel) and one per `OBX` in it (the
/// test); `OMD`: one per `ODS`.
pub(super) fn ordered(r: &mut Reading<'_>) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let kind = kind(r.name.data_type);
    let (mut order, mut specimen, mut starts): (_, Text<'static>, Text<'static>) =
        (Order::default(), None, None);
    let mut numbers = [0usize; 3];
    for (_, segment) in message.segments() {
        let (slot, name, code) = match segment.name() {
            "ORC" => {
                order = Order {
                    control: segment.own(1, 1),
                    number: segment.own(2, 1),
                    ordered_at: segment.own(9, 1).or_else(|| segment.own(15, 1)),
                    practitioner: practitioner(&segment, 12),
                };
                continue;
            }
            "SPM" => {
                specimen = segment.own(4, 1);
                continue;
            }
            "TQ1" => {
                starts = segment.own(7, 1);
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
            position: at.clone().into(),
            kind: Some(Cow::Borrowed(kind)),
            code: segment.own(code, 1),
            text: segment.own(code, 2).or_else(|| (slot == 1).then(|| segment.own(4, 1))?),
            code_system: segment.own(code, 3),
            site: match slot {
                0 => specimen.clone().or_else(|| segment.own(15, 1)),
                1 => None,
                _ => specimen.clone(),
            },
            status: r.status(order.control.clone()),
            order_no: order.number.clone().or_else(|| (slot == 0).then(|| segment.own(2, 1))?),
            ordered_at: order.ordered_at.clone(),
            planned_at: if slot == 0 {
                segment.own(36, 1).or_else(|| starts.clone()).or_else(|| segment.own(6, 1))
            } else {
                starts.clone()
            },
            encounter_key: visit.clone(),
            practitioner: order.practitioner.clone(),
        };
        if record.code.is_none() {
            r.out.note_issue("ssmix2.no-code", at);
        }
        r.out.records.push(record.into());
    }
    if numbers == [0, 0, 0] {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// `OMG-11`, `OMG-12`: one procedure per `OBR`, one imaging study per `IPC`.
pub(super) fn performed(r: &mut Reading<'_>) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let mut numbers = [0usize; 2];
    let mut last: Option<(Text<'static>, Text<'static>, Text<'static>, Text<'static>)> = None;
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
                    position: at.clone().into(),
                    code: segment.own(4, 1),
                    text: segment.own(4, 2),
                    code_system: segment.own(4, 3),
                    status: r.status(segment.own(25, 1)),
                    started_at: segment.own(7, 1),
                    ended_at: segment.own(8, 1),
                    encounter_key: visit.clone(),
                    practitioner: practitioner(&segment, 34).or_else(|| practitioner(&segment, 16)),
                };
                if record.code.is_none() {
                    r.out.note_issue("ssmix2.no-code", at);
                }
                last = Some((
                    record.code.clone(),
                    record.text.clone(),
                    record.code_system.clone(),
                    record.started_at.clone(),
                ));
                r.out.records.push(record.into());
            }
            "IPC" => {
                numbers[1] += 1;
                let at = position("IPC", numbers[1]);
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", at);
                    continue;
                }
                let (code, text, code_system, started_at) = last.clone().unwrap_or_default();
                let record = ImagingStudyRecord {
                    position: at.into(),
                    accession_no: segment.own(1, 1),
                    study_uid: segment.own(3, 1),
                    modality: segment.own(5, 1),
                    code,
                    text,
                    code_system,
                    started_at,
                    status: r.status(None),
                    encounter_key: visit.clone(),
                    ..ImagingStudyRecord::default()
                };
                r.out.records.push(record.into());
            }
            _ => {}
        }
    }
    if numbers == [0, 0] {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

/// `OMG-13`, and vital signs in the extended storage: one measurement per `OBX`.
pub(super) fn measured(r: &mut Reading<'_>, category: &'static str) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let mut observed: Text<'static> = None;
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "OBR" => observed = segment.own(7, 1),
            "OBX" => {
                number += 1;
                if let Some(result) = lab::observation(&segment, number, &mut r.out) {
                    let record = MeasurementRecord {
                        category: Some(Cow::Borrowed(category)),
                        status: r.status(result.status.clone()),
                        measured_at: result.measured_at.clone().or_else(|| observed.clone()),
                        encounter_key: visit.clone(),
                        ..result
                    };
                    r.out.records.push(record.into());
                }
            }
            _ => {}
        }
    }
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}
