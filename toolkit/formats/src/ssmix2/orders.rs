//! `OMP`: drugs ordered (`RDE^O11`) and drugs given (`RAS^O17`).

use std::borrow::Cow;

use super::{Reading, Segment, position, practitioner};
use crate::record::{MedicationRecord, Text};

/// What one `ORC` says about all that follows it.
#[derive(Default)]
struct Order {
    control: Text<'static>,
    ordered_at: Text<'static>,
    practitioner: Text<'static>,
}

impl Order {
    fn of(orc: &Segment<'_>) -> Self {
        Self {
            control: orc.own(1, 1),
            ordered_at: orc.own(9, 1).or_else(|| orc.own(15, 1)),
            practitioner: practitioner(orc, 12),
        }
    }
}

/// `OMP-01`, `OMP-02`: one record per `RXE`; `TQ1` and `RXR` belong to the `RXE` before them.
pub(super) fn ordered(r: &mut Reading<'_>) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let mut order = Order::default();
    let mut open: Option<MedicationRecord<'static>> = None;
    let mut parts: Vec<MedicationRecord<'static>> = Vec::new();
    let (mut number, mut components) = (0, 0);
    for (_, segment) in message.segments() {
        match segment.name() {
            "ORC" => {
                close(r, open.take());
                r.out.records.extend(parts.drain(..).map(Into::into));
                order = Order::of(&segment);
            }
            "RXE" => {
                number += 1;
                close(r, open.take());
                r.out.records.extend(parts.drain(..).map(Into::into));
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("RXE", number));
                    continue;
                }
                if segment.get(2, 1).is_none() {
                    r.out.note_issue("ssmix2.no-code", position("RXE", number));
                }
                open = Some(MedicationRecord {
                    position: position("RXE", number).into(),
                    kind: Some(Cow::Borrowed("order")),
                    code: segment.own(2, 1),
                    text: segment.own(2, 2),
                    code_system: segment.own(2, 3),
                    dose: segment.own(3, 1),
                    dose_unit: segment.own(5, 1),
                    quantity: segment.own(10, 1),
                    quantity_unit: segment.own(11, 1),
                    status: r.status(order.control.clone()),
                    ordered_at: order.ordered_at.clone(),
                    encounter_key: visit.clone(),
                    practitioner: order.practitioner.clone(),
                    ..MedicationRecord::default()
                });
            }
            "TQ1" => {
                if let Some(medication) = open.as_mut() {
                    timing(medication, &segment);
                }
            }
            "RXR" => {
                if let Some(medication) = open.as_mut() {
                    medication.route = segment.own(1, 1);
                }
                for part in &mut parts {
                    part.route = segment.own(1, 1);
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
                        position: position("RXC", components).into(),
                        code: segment.own(2, 1),
                        text: segment.own(2, 2),
                        code_system: segment.own(2, 3),
                        dose: segment.own(3, 1),
                        dose_unit: segment.own(4, 1),
                        quantity: None,
                        quantity_unit: None,
                        ..whole.clone()
                    });
                }
            }
            _ => {}
        }
    }
    close(r, open);
    r.out.records.extend(parts.drain(..).map(Into::into));
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}

fn close(r: &mut Reading<'_>, medication: Option<MedicationRecord<'static>>) {
    r.out.records.extend(medication.map(Into::into));
}

fn timing(medication: &mut MedicationRecord<'static>, tq1: &Segment<'_>) {
    let own = |v: Option<Cow<'_, str>>| v.map(|v| Cow::Owned(v.into_owned()));
    let usage = tq1.field(3).repetitions().next();
    if let Some(usage) = usage {
        medication.usage_code = own(usage.subcomponent(1, 1));
        medication.usage_text = own(usage.subcomponent(1, 2));
    }
    if medication.usage_text.is_none() {
        medication.usage_text = tq1.own(11, 1);
    }
    // Days only where the unit says so, or says nothing.
    let unit = tq1.get(6, 2);
    if unit.as_deref().is_none_or(|u| u.eq_ignore_ascii_case("d") || u == "日") {
        medication.days = tq1.own(6, 1);
    }
    medication.started_at = tq1.own(7, 1);
    medication.ended_at = tq1.own(8, 1);
}

/// `OMP-11`, `OMP-12`: one record per `RXA`; the `RXR` of an order tells the route of its `RXA`s.
pub(super) fn administered(r: &mut Reading<'_>) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let mut order = Order::default();
    let mut group: Vec<MedicationRecord<'static>> = Vec::new();
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "ORC" => {
                r.out.records.extend(group.drain(..).map(Into::into));
                order = Order::of(&segment);
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
                    position: position("RXA", number).into(),
                    kind: Some(Cow::Borrowed("administration")),
                    code: segment.own(5, 1),
                    text: segment.own(5, 2),
                    code_system: segment.own(5, 3),
                    dose: segment.own(6, 1),
                    dose_unit: segment.own(7, 1),
                    status: r.status(segment.own(20, 1).or_else(|| order.control.clone())),
                    started_at: segment.own(3, 1),
                    ended_at: segment.own(4, 1),
                    ordered_at: order.ordered_at.clone(),
                    encounter_key: visit.clone(),
                    practitioner: practitioner(&segment, 10).or_else(|| order.practitioner.clone()),
                    ..MedicationRecord::default()
                });
            }
            "RXR" => {
                for medication in &mut group {
                    if medication.route.is_none() {
                        medication.route = segment.own(1, 1);
                    }
                }
            }
            _ => {}
        }
    }
    r.out.records.extend(group.into_iter().map(Into::into));
    if number == 0 {
        r.out.note_issue("ssmix2.no-content", "file");
    }
}
