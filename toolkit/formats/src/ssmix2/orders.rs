//! `OMP`: drugs ordered (`RDE^O11`) and drugs given (`RAS^O17`).

use std::borrow::Cow;

use super::{Reading, Segment, position, practitioner};
use crate::{
    arena::Arena,
    record::{MedicationRecord, Text},
};

/// What one `ORC` says about all that follows it.
#[derive(Default)]
struct Order<'a> {
    control: Text<'a>,
    ordered_at: Text<'a>,
    practitioner: Text<'a>,
}

impl<'a> Order<'a> {
    fn of(orc: &Segment<'_>, arena: &'a Arena) -> Self {
        Self {
            control: orc.own(1, 1, arena),
            ordered_at: orc.own(9, 1, arena).or_else(|| orc.own(15, 1, arena)),
            practitioner: practitioner(orc, 12, arena),
        }
    }
}

/// `OMP-01`, `OMP-02`: one record per `RXE`; `TQ1` and `RXR` belong to the `RXE` before them.
pub(super) fn ordered(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let mut order = Order::default();
    let mut open: Option<MedicationRecord<'_>> = None;
    let mut parts: Vec<MedicationRecord<'_>> = Vec::new();
    let (mut number, mut components) = (0, 0);
    for (_, segment) in message.segments() {
        match segment.name() {
            "ORC" => {
                r.out.records.extend(open.take().map(|record| arena.record(record)));
                r.out.records.extend(parts.drain(..).map(|record| arena.record(record)));
                order = Order::of(&segment, arena);
            }
            "RXE" => {
                number += 1;
                r.out.records.extend(open.take().map(|record| arena.record(record)));
                r.out.records.extend(parts.drain(..).map(|record| arena.record(record)));
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("RXE", number));
                    continue;
                }
                if segment.get(2, 1).is_none() {
                    r.out.note_issue("ssmix2.no-code", position("RXE", number));
                }
                open = Some(MedicationRecord {
                    position: arena.text(&position("RXE", number)).into(),
                    kind: Some("order"),
                    code: segment.own(2, 1, arena),
                    text: segment.own(2, 2, arena),
                    code_system: segment.own(2, 3, arena),
                    dose: segment.own(3, 1, arena),
                    dose_unit: segment.own(5, 1, arena),
                    quantity: segment.own(10, 1, arena),
                    quantity_unit: segment.own(11, 1, arena),
                    status: r.status(order.control),
                    ordered_at: order.ordered_at,
                    encounter_key: visit,
                    practitioner: order.practitioner,
                    ..MedicationRecord::default()
                });
            }
            "TQ1" => {
                if let Some(medication) = open.as_mut() {
                    timing(medication, &segment, arena);
                }
            }
            "RXR" => {
                if let Some(medication) = open.as_mut() {
                    medication.route = segment.own(1, 1, arena);
                }
                for part in &mut parts {
                    part.route = segment.own(1, 1, arena);
                }
            }
            // A part of a mixture: its drug and amount, with the time and route of the whole.
            "RXC" => {
                components += 1;
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("RXC", components));
                } else if let Some(whole) = open.as_ref() {
                    if segment.get(2, 1).is_none() {
                        r.out.note_issue("ssmix2.no-code", position("RXC", components));
                    }
                    parts.push(MedicationRecord {
                        position: arena.text(&position("RXC", components)).into(),
                        code: segment.own(2, 1, arena),
                        text: segment.own(2, 2, arena),
                        code_system: segment.own(2, 3, arena),
                        dose: segment.own(3, 1, arena),
                        dose_unit: segment.own(4, 1, arena),
                        quantity: None,
                        quantity_unit: None,
                        ..*whole
                    });
                }
            }
            _ => {}
        }
    }
    r.out.records.extend(open.map(|record| arena.record(record)));
    r.out.records.extend(parts.drain(..).map(|record| arena.record(record)));
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

fn timing<'a>(medication: &mut MedicationRecord<'a>, tq1: &Segment<'_>, arena: &'a Arena) {
    let own = |value: Option<Cow<'_, str>>| value.map(|value| arena.text(&value));
    let usage = tq1.field(3).repetitions().next();
    if let Some(usage) = usage {
        medication.usage_code = own(usage.subcomponent(1, 1));
        medication.usage_text = own(usage.subcomponent(1, 2));
    }
    if medication.usage_text.is_none() {
        medication.usage_text = tq1.own(11, 1, arena);
    }
    // Days only where the unit says so, or says nothing.
    let unit = tq1.get(6, 2);
    if unit.as_deref().is_none_or(|u| u.eq_ignore_ascii_case("d") || u == "日") {
        medication.days = tq1.own(6, 1, arena);
    }
    medication.started_at = tq1.own(7, 1, arena);
    medication.ended_at = tq1.own(8, 1, arena);
}

/// `OMP-11`, `OMP-12`: one record per `RXA`; the `RXR` of an order tells the route of its `RXA`s.
pub(super) fn administered(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let mut order = Order::default();
    let mut group: Vec<MedicationRecord<'_>> = Vec::new();
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "ORC" => {
                r.out.records.extend(group.drain(..).map(|record| arena.record(record)));
                order = Order::of(&segment, arena);
            }
            "RXA" => {
                number += 1;
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("RXA", number));
                    continue;
                }
                if segment.get(5, 1).is_none() {
                    r.out.note_issue("ssmix2.no-code", position("RXA", number));
                }
                group.push(MedicationRecord {
                    position: arena.text(&position("RXA", number)).into(),
                    kind: Some("administration"),
                    code: segment.own(5, 1, arena),
                    text: segment.own(5, 2, arena),
                    code_system: segment.own(5, 3, arena),
                    dose: segment.own(6, 1, arena),
                    dose_unit: segment.own(7, 1, arena),
                    status: r.status(segment.own(20, 1, arena).or(order.control)),
                    started_at: segment.own(3, 1, arena),
                    ended_at: segment.own(4, 1, arena),
                    ordered_at: order.ordered_at,
                    encounter_key: visit,
                    practitioner: practitioner(&segment, 10, arena).or(order.practitioner),
                    ..MedicationRecord::default()
                });
            }
            "RXR" => {
                for medication in &mut group {
                    if medication.route.is_none() {
                        medication.route = segment.own(1, 1, arena);
                    }
                }
            }
            _ => {}
        }
    }
    r.out.records.extend(group.into_iter().map(|record| arena.record(record)));
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}
