//! `OML-11`: laboratory results, one record per `OBX`.

use std::borrow::Cow;

use super::{Reading, Segment, position, practitioner};
use crate::{
    record::{MeasurementRecord, Parsed, Text},
    text,
};

/// `SPM` opens a specimen, `OBR` a panel in it, `OBX` a result in that.
pub(super) fn read(r: &mut Reading<'_>) {
    let message = r.message;
    let visit = message.first("PV1").and_then(|pv1| pv1.own(19, 1));
    let mut specimen: Text<'static> = None;
    let mut collected: Text<'static> = None;
    let mut observed: Text<'static> = None;
    let mut ordered_by: Text<'static> = None;
    let mut number = 0;
    for (_, segment) in message.segments() {
        match segment.name() {
            "SPM" => {
                specimen = segment.own(4, 1);
                collected = segment.own(17, 1);
                observed = None;
                ordered_by = None;
            }
            "OBR" => {
                observed = segment.own(7, 1);
                ordered_by = practitioner(&segment, 16);
            }
            "OBX" => {
                number += 1;
                if let Some(result) = observation(&segment, number, &mut r.out) {
                    let at = result.measured_at.clone();
                    let record = MeasurementRecord {
                        category: Some(Cow::Borrowed("laboratory")),
                        specimen: specimen.clone(),
                        status: r.status(result.status.clone()),
                        measured_at: measured(at, observed.as_ref(), collected.as_ref()),
                        encounter_key: visit.clone(),
                        practitioner: ordered_by.clone(),
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

/// The observation's own time: `OBX-14`, else `OBR-7`, else `SPM-17`; where `OBR-7` tells only the day
/// and `SPM-17` the time on that day, `SPM-17`. When the message was written plays no part.
fn measured(
    own: Text<'static>,
    observed: Option<&Cow<'static, str>>,
    collected: Option<&Cow<'static, str>>,
) -> Text<'static> {
    if own.is_some() {
        return own;
    }
    match (observed, collected) {
        (Some(day), Some(time))
            if day.len() == 8 && time.len() > 8 && time.starts_with(day.as_ref()) =>
        {
            Some(time.clone())
        }
        (observed, collected) => observed.or(collected).cloned(),
    }
}

/// One `OBX` by itself; `None` (and an issue) if it holds nothing.
pub(super) fn observation(
    obx: &Segment<'_>,
    number: usize,
    out: &mut Parsed<'static>,
) -> Option<MeasurementRecord<'static>> {
    if obx.is_empty() {
        out.note_issue("ssmix2.empty-segment", position("OBX", number));
        return None;
    }
    if obx.get(3, 1).is_none() {
        out.note_issue("ssmix2.no-code", position("OBX", number));
    }
    let mut record = MeasurementRecord {
        position: position("OBX", number).into(),
        code: obx.own(3, 1),
        text: obx.own(3, 2),
        code_system: obx.own(3, 3),
        unit: obx.own(6, 1),
        unit_system: obx.own(6, 3),
        reference_range: obx.field(7).whole().map(|v| Cow::Owned(v.into_owned())),
        flag: obx.own(8, 1),
        status: obx.own(11, 1),
        measured_at: obx.own(14, 1),
        ..MeasurementRecord::default()
    };
    let field = obx.field(5);
    match obx.get(2, 1).as_deref() {
        Some("CWE" | "CE" | "CNE") => {
            record.value_code = obx.own(5, 1);
            record.value_text = obx.own(5, 2).or_else(|| obx.own(5, 1));
        }
        Some("SN") => {
            // comparator ^ number ^ separator ^ number
            let parts: String =
                (1..=4).filter_map(|c| obx.get(5, c)).map(Cow::into_owned).collect();
            record.value_text = (!parts.is_empty()).then_some(Cow::Owned(parts));
        }
        Some("TX" | "FT") => {
            let lines: Vec<_> = field.repetitions().filter_map(|f| f.whole()).collect();
            record.value_text = (!lines.is_empty()).then(|| Cow::Owned(lines.join("\n")));
        }
        Some("NM" | "ST" | "DT" | "TM" | "TS" | "DTM" | "CX" | "ED" | "SI") | None => {
            record.value_text = field.whole().map(|v| Cow::Owned(v.into_owned()));
        }
        Some(_) => {
            out.note_issue("ssmix2.value-type", position("OBX", number));
            record.value_text = field.whole().map(|v| Cow::Owned(v.into_owned()));
        }
    }
    let times = matches!(obx.get(2, 1).as_deref(), Some("DT" | "TM" | "TS" | "DTM"));
    let coded = record.value_code.is_some();
    if let Some(found) =
        record.value_text.as_deref().filter(|_| !times && !coded).and_then(text::quantity)
    {
        record.comparator = found.comparator.map(Cow::Borrowed);
        record.value_num = Some(Cow::Owned(found.number.into_owned()));
    } else if obx.get(2, 1).as_deref() == Some("NM") && record.value_text.is_some() {
        out.note_issue("ssmix2.not-a-number", position("OBX", number));
    }
    Some(record)
}
