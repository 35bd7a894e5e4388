//! `OML-11`: laboratory results, one record per `OBX`.

use std::borrow::Cow;

use super::{Reading, Segment, position, practitioner};
use crate::{
    arena::Arena,
    record::{MeasurementRecord, Parsed, Text},
    text,
};

/// `SPM` opens a specimen, `OBR` a panel in it, `OBX` a result in that.
pub(super) fn read(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1, arena));
    let mut specimen: Text<'_> = None;
    let mut collected: Text<'_> = None;
    let mut observed: Text<'_> = None;
    let mut ordered_by: Text<'_> = None;
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "SPM" => {
                specimen = segment.own(4, 1, arena);
                collected = segment.own(17, 1, arena);
                observed = None;
                ordered_by = None;
            }
            "OBR" => {
                observed = segment.own(7, 1, arena);
                ordered_by = practitioner(&segment, 16, arena);
            }
            "OBX" => {
                number += 1;
                if let Some(result) = observation(&segment, number, arena, &mut r.out) {
                    let at = result.measured_at;
                    let record = MeasurementRecord {
                        category: Some("laboratory"),
                        specimen,
                        status: r.status(result.status),
                        measured_at: measured(at, observed, collected),
                        encounter_key: visit,
                        practitioner: ordered_by,
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

/// The observation's own time: `OBX-14`, else `OBR-7`, else `SPM-17`; where `OBR-7` tells only the day
/// and `SPM-17` the time on that day, `SPM-17`. When the message was written plays no part.
fn measured<'a>(own: Text<'a>, observed: Text<'a>, collected: Text<'a>) -> Text<'a> {
    if own.is_some() {
        return own;
    }
    match (observed, collected) {
        (Some(day), Some(time)) if day.len() == 8 && time.len() > 8 && time.starts_with(day) => {
            Some(time)
        }
        (observed, collected) => observed.or(collected),
    }
}

/// One `OBX` by itself; `None` (and an issue) if it holds nothing.
pub(super) fn observation<'a>(
    obx: &Segment<'_>,
    number: usize,
    arena: &'a Arena,
    out: &mut Parsed<'a>,
) -> Option<MeasurementRecord<'a>> {
    if obx.is_empty() {
        out.note_issue("ssmix2.empty-segment", position("OBX", number));
        return None;
    }
    if obx.get(3, 1).is_none() {
        out.note_issue("ssmix2.no-code", position("OBX", number));
    }
    let mut record = MeasurementRecord {
        position: arena.text(&position("OBX", number)).into(),
        code: obx.own(3, 1, arena),
        text: obx.own(3, 2, arena),
        code_system: obx.own(3, 3, arena),
        unit: obx.own(6, 1, arena),
        unit_system: obx.own(6, 3, arena),
        reference_range: obx.field(7).whole().map(|v| arena.text(&v)),
        flag: obx.own(8, 1, arena),
        status: obx.own(11, 1, arena),
        measured_at: obx.own(14, 1, arena),
        ..MeasurementRecord::default()
    };
    let field = obx.field(5);
    match obx.get(2, 1).as_deref() {
        Some("CWE" | "CE" | "CNE") => {
            record.value_code = obx.own(5, 1, arena);
            record.value_text = obx.own(5, 2, arena).or_else(|| obx.own(5, 1, arena));
        }
        Some("SN") => {
            // comparator ^ number ^ separator ^ number
            let parts: String =
                (1..=4).filter_map(|c| obx.get(5, c)).map(Cow::into_owned).collect();
            record.value_text = (!parts.is_empty()).then_some(arena.text(&parts));
        }
        Some("TX" | "FT") => {
            let lines: Vec<_> = field.repetitions().filter_map(|f| f.whole()).collect();
            record.value_text = (!lines.is_empty()).then(|| arena.text(&lines.join("\n")));
        }
        Some("NM" | "ST" | "DT" | "TM" | "TS" | "DTM" | "CX" | "ED" | "SI") | None => {
            record.value_text = field.whole().map(|v| arena.text(&v));
        }
        Some(_) => {
            out.note_issue("ssmix2.value-type", position("OBX", number));
            record.value_text = field.whole().map(|v| arena.text(&v));
        }
    }
    let times = matches!(obx.get(2, 1).as_deref(), Some("DT" | "TM" | "TS" | "DTM"));
    let coded = record.value_code.is_some();
    if let Some(found) = record.value_text.filter(|_| !times && !coded).and_then(text::quantity) {
        record.comparator = found.comparator;
        record.value_num = Some(arena.keep(found.number));
    } else if obx.get(2, 1).as_deref() == Some("NM") && record.value_text.is_some() {
        out.note_issue("ssmix2.not-a-number", position("OBX", number));
    }
    Some(record)
}
