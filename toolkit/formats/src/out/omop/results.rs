//! Results, answers, assessments and texts.

use super::{
    Coded, Omop,
    events::{Event, Fate, reason},
    kind, number,
};
use crate::{
    out::{Reason, Sinks},
    record::{
        CareCertificationRecord, CareServiceRecord, CheckupRecord, MeasurementRecord, NoteRecord,
        Record, SurveyRecord,
    },
};

/// A result.
struct Value<'r> {
    text: Option<&'r str>,
    number: Option<&'r str>,
    comparator: Option<&'r str>,
    unit: Option<&'r str>,
    unit_system: Option<&'r str>,
    range: Option<&'r str>,
}

impl<S: Sinks> Omop<'_, S> {
    pub(super) fn measured(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &MeasurementRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(r.code, r.code_system, r.text);
        let told = matches!(r.category, Some("social" | "survey"));
        let column =
            if told { "observation.observation_date" } else { "measurement.measurement_date" };
        let event = reason!(self.event(at, person, record, column, coded, r.encounter_key));
        let provider = self.provider(r.practitioner)?;
        let kind = if r.category == Some("laboratory") { kind::LAB } else { kind::EHR };
        let event = Event { provider, kind, ..event };
        if told {
            return self.observation(&event, r.value_text, r.value_num, r.unit, None);
        }
        let value = Value {
            text: r.value_text,
            number: r.value_num,
            comparator: r.comparator,
            unit: r.unit,
            unit_system: r.unit_system,
            range: r.reference_range,
        };
        self.measurement(&event, &value)
    }

    /// Numbers are measurements, the rest (answers, findings) observations.
    pub(super) fn checkup(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CheckupRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(r.item_code, r.code_system, r.text);
        let column = if r.value_num.is_some() {
            "measurement.measurement_date"
        } else {
            "observation.observation_date"
        };
        let event = reason!(self.event(at, person, record, column, coded, None));
        if r.value_num.is_none() {
            let text = r.value_text.or(r.value_code);
            return self.observation(&event, text, None, r.unit, r.flag);
        }
        let value = Value {
            text: r.value_text,
            number: r.value_num,
            comparator: r.comparator,
            unit: r.unit,
            unit_system: None,
            range: r.reference_range,
        };
        self.measurement(&event, &value)
    }

    fn measurement(&mut self, event: &Event<'_>, value: &Value<'_>) -> Fate {
        let id = self.ids.next("measurement")?;
        let concept = self.concept(event.coded);
        let unit = match value.unit_system {
            Some(system) => {
                self.concept(Coded { code: value.unit, system: Some(system), text: None })
            }
            None => 0,
        };
        let operator = match value.comparator {
            Some("<") => Some(4_171_756),
            Some("<=") => Some(4_171_754),
            Some(">") => Some(4_172_704),
            Some(">=") => Some(4_171_755),
            _ => None,
        };
        let (low, high) = value.range.map_or((None, None), bounds);
        let clock = event.start.clock();
        let (sheet, summary) = self.sheet("measurement");
        sheet
            .int("measurement_id", id)
            .int("person_id", event.person)
            .int("measurement_concept_id", concept)
            .date("measurement_date", event.start)
            .datetime("measurement_datetime", event.start)
            .text("measurement_time", clock.as_deref(), summary)
            .int("measurement_type_concept_id", event.kind)
            .maybe_int("operator_concept_id", operator)
            .float("value_as_number", value.number)
            .maybe_int("unit_concept_id", value.unit.map(|_| unit))
            .float("range_low", low)
            .float("range_high", high)
            .maybe_int("provider_id", event.provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("measurement_source_value", event.coded.source_value(), summary)
            .text("unit_source_value", value.unit, summary)
            .text("value_source_value", value.text, summary)
            .end()?;
        Ok(Ok(()))
    }

    pub(super) fn observation(
        &mut self,
        event: &Event<'_>,
        text: Option<&str>,
        value: Option<&str>,
        unit: Option<&str>,
        qualifier: Option<&str>,
    ) -> Fate {
        let id = self.ids.next("observation")?;
        let concept = self.concept(event.coded);
        let (sheet, summary) = self.sheet("observation");
        sheet
            .int("observation_id", id)
            .int("person_id", event.person)
            .int("observation_concept_id", concept)
            .date("observation_date", event.start)
            .datetime("observation_datetime", event.start)
            .int("observation_type_concept_id", event.kind)
            .float("value_as_number", value)
            .text("value_as_string", text, summary)
            .maybe_int("provider_id", event.provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("observation_source_value", event.coded.source_value(), summary)
            .text("unit_source_value", unit, summary)
            .text("qualifier_source_value", qualifier, summary)
            .text("value_source_value", text, summary)
            .end()?;
        Ok(Ok(()))
    }

    /// Rows of a survey of stays: code, and what it says as text.
    pub(super) fn survey_row(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &SurveyRecord<'_>,
    ) -> Fate {
        let system = r.file.map(|f| format!("dpc-{f}"));
        let coded = Coded { code: r.code, system: system.as_deref(), text: r.text };
        let event = reason!(self.event(
            at,
            person,
            record,
            "observation.observation_date",
            coded,
            r.stay_key
        ));
        let values = [
            &r.value1, &r.value2, &r.value3, &r.value4, &r.value5, &r.value6, &r.value7, &r.value8,
        ];
        let mut values: Vec<&str> = values.map(|v| v.as_deref().unwrap_or("")).to_vec();
        // The ninth is free text.
        values.push(r.value9.filter(|_| self.options.texts).unwrap_or(""));
        while values.last().is_some_and(|v| v.is_empty()) {
            values.pop();
        }
        let joined = (!values.is_empty()).then(|| values.join("|"));
        self.observation(&event, joined.as_deref(), joined.as_deref(), None, None)
    }

    pub(super) fn care(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CareServiceRecord<'_>,
    ) -> Fate {
        if r.kind == Some("plan") || r.kind == Some("schedule") {
            return Ok(Err(Reason::Planned));
        }
        let code = [&r.service_kind, &r.service_item].map(|v| v.as_deref().unwrap_or("")).concat();
        let code = Some(code).filter(|c| !c.is_empty());
        let text = r.kind;
        let coded = Coded { code: code.as_deref(), system: Some("care-service"), text };
        let event =
            reason!(self.event(at, person, record, "observation.observation_date", coded, None));
        let event = Event { kind: kind::CLAIM, ..event };
        let number = r.total_units.or(r.units);
        self.observation(&event, r.care_level, number, None, r.kind)
    }

    pub(super) fn certification(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CareCertificationRecord<'_>,
    ) -> Fate {
        let system = r.care_level_system.or(Some("care-level"));
        let coded = Coded { code: Some("care-level"), system, text: Some("要介護状態区分") };
        let event =
            reason!(self.event(at, person, record, "observation.observation_date", coded, None));
        self.observation(&event, r.care_level, None, None, r.application_kind)
    }

    pub(super) fn note(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &NoteRecord<'_>,
    ) -> Fate {
        if !self.options.texts {
            return Ok(Err(Reason::TextWithheld));
        }
        let coded = Coded { code: None, system: None, text: r.text };
        let event =
            reason!(self.event(at, person, record, "note.note_date", coded, r.encounter_key));
        let provider = self.provider(r.practitioner)?;
        let id = self.ids.next("note")?;
        let (sheet, summary) = self.sheet("note");
        sheet
            .int("note_id", id)
            .int("person_id", event.person)
            .date("note_date", event.start)
            .datetime("note_datetime", event.start)
            .int("note_type_concept_id", kind::EHR)
            .text("note_title", r.title, summary)
            .text("note_text", r.text, summary)
            .maybe_int("provider_id", provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("note_source_value", r.kind, summary)
            .end()?;
        Ok(Ok(()))
    }
}

/// `3.5-5.1`, `3.5-`, `-5.1`: the two sides, as far as they are numbers.
pub(in crate::out) fn bounds(range: &str) -> (Option<&str>, Option<&str>) {
    let mark = |c: char| matches!(c, '-' | '~' | '～' | '〜');
    // A minus in front belongs to the number only if another mark follows.
    let from = range.char_indices().skip(1).find(|(_, c)| mark(*c)).map(|(at, _)| at);
    let at = from.or_else(|| range.starts_with(mark).then_some(0));
    let Some(at) = at else { return (None, None) };
    let width = range[at..].chars().next().map_or(0, char::len_utf8);
    let (low, high) = (range[..at].trim(), range[at + width..].trim());
    (number(low).map(|_| low), number(high).map(|_| high))
}
