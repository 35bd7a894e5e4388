//! Results and vital signs.

use super::{Place, actor, amount, at, begin, code_or_text, concept, encounter_id, start, t};
use crate::{
    arena::Arena,
    fhir::view::{Component, Observation, ReferenceRange},
    record::{MeasurementRecord, Parsed, Text},
    text,
};

pub(in crate::fhir) fn observation<'a>(o: Observation<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(o.subject.as_ref(), o.modified, o.unread, place);
    if out.rejected {
        return out;
    }
    let mut category = None;
    for coding in o.category.into_iter().flatten().flat_map(|c| c.coding.into_iter().flatten()) {
        category = category.or_else(|| {
            t(arena, coding.code).map(|c| match c {
                "vital-signs" => "vital",
                "social-history" => "social",
                _ => c,
            })
        });
    }
    let common = MeasurementRecord {
        category,
        status: t(arena, o.status),
        specimen: actor(arena, o.specimen),
        measured_at: t(arena, o.effective)
            .or_else(|| start(arena, o.effective_period))
            .or_else(|| t(arena, o.effective_instant)),
        encounter_key: encounter_id(arena, o.encounter.as_ref()),
        practitioner: actor(arena, o.performer.into_iter().flatten().next()),
        ..MeasurementRecord::default()
    };
    let whole = Component {
        code: o.code,
        value_quantity: o.value_quantity,
        value_concept: o.value_concept,
        value_string: o.value_string,
        value_integer: o.value_integer,
        value_boolean: o.value_boolean,
        value_date_time: o.value_date_time,
        value_time: o.value_time,
        interpretation: o.interpretation,
        reference_range: o.reference_range,
    };
    let components = o.component.unwrap_or_default();
    let own = measured(arena, whole, &common, at(place));
    if own.code.is_none() && own.text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    // A panel without a value of its own is told by its components.
    if components.is_empty() || own.value_text.is_some() {
        out.records.push(arena.record(own));
    }
    for (index, component) in components.into_iter().enumerate() {
        let position = arena.text(&format!("{place} component[{index}]"));
        out.records.push(arena.record(measured(arena, component, &common, position.into())));
    }
    out
}

fn measured<'a>(
    arena: &'a Arena,
    part: Component<'a>,
    common: &MeasurementRecord<'a>,
    position: crate::Position<'a>,
) -> MeasurementRecord<'a> {
    let (code, code_system, text) = concept(arena, part.code);
    let flag = code_or_text(arena, part.interpretation.into_iter().flatten().next());
    let range = part.reference_range.into_iter().flatten().next().and_then(|it| range(arena, it));
    let mut record = MeasurementRecord {
        position,
        code,
        code_system,
        text,
        flag,
        reference_range: range,
        ..*common
    };
    if let Some(quantity) = part.value_quantity {
        let literal = quantity.value.map(|v| v.literal());
        record.comparator = t(arena, quantity.comparator);
        record.value_text = match (&record.comparator, &literal) {
            (Some(comparator), Some(number)) => Some(arena.text(&format!("{comparator}{number}"))),
            _ => literal,
        };
        record.value_num = literal;
        record.unit = t(arena, quantity.unit).or_else(|| t(arena, quantity.code));
        record.unit_system = t(arena, quantity.system);
    } else if let Some(value) = part.value_concept {
        let (code, _, text) = concept(arena, Some(value));
        record.value_text = text.or(code);
        record.value_code = code;
    } else if let Some(value) = part.value_integer {
        record.value_num = Some(value.literal());
        record.value_text = Some(value.literal());
    } else if let Some(value) = t(arena, part.value_string) {
        if let Some(found) = text::quantity(value) {
            record.comparator = found.comparator;
            record.value_num = Some(arena.text(&found.number));
        }
        record.value_text = Some(value);
    } else if let Some(value) = part.value_boolean {
        record.value_text = Some(if value { "true" } else { "false" });
    } else {
        record.value_text = t(arena, part.value_date_time).or_else(|| t(arena, part.value_time));
    }
    record
}

fn range<'a>(arena: &'a Arena, range: ReferenceRange<'a>) -> Text<'a> {
    let (low, _) = amount(arena, range.low);
    let (high, _) = amount(arena, range.high);
    if low.is_none() && high.is_none() {
        return t(arena, range.text);
    }
    Some(arena.text(&format!("{}-{}", low.unwrap_or_default(), high.unwrap_or_default())))
}
