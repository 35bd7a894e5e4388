//! Results, answers and assessments: observations.

use serde_json::json;

use super::{
    Fhir, Made, Resource,
    node::{self, Node},
};
use crate::{
    out::{Reason, Sinks, omop::bounds},
    record::{CareCertificationRecord, CheckupRecord, MeasurementRecord, SurveyRecord},
};

const OBSERVATION: [&str; 7] =
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"];

/// A result, whatever table it is from.
struct Finding<'r> {
    text: Option<&'r str>,
    number: Option<&'r str>,
    comparator: Option<&'r str>,
    code: Option<&'r str>,
    code_system: Option<&'r str>,
    unit: Option<&'r str>,
    unit_system: Option<&'r str>,
    flag: Option<&'r str>,
    range: Option<&'r str>,
}

/// Puts the value: a code, a number with its unit, else the text; a text that says more than the number stays beside it.
fn value(node: Node, r: &Finding<'_>) -> Node {
    let comparator = node::of_list(r.comparator, &["<", "<=", ">", ">="]);
    let plain = match (comparator, r.number) {
        (Some(c), Some(n)) => Some(format!("{c}{n}")),
        (None, Some(n)) => Some(n.to_owned()),
        _ => None,
    };
    let number = node::decimal(r.number).filter(|_| comparator == r.comparator);
    let node = if r.code.is_some() {
        node.put("valueCodeableConcept", node::concept(r.code_system, r.code, r.text))
    } else if let Some(number) = number {
        let coded = r.unit.filter(|u| r.unit_system.is_some() && !u.contains(char::is_whitespace));
        let quantity = Node::default()
            .put("value", Some(number))
            .text("comparator", comparator)
            .text("unit", r.unit)
            .put("system", coded.and(r.unit_system).map(|s| json!(node::system(s))))
            .text("code", coded);
        let said = r.text.filter(|t| Some(*t) != plain.as_deref());
        node.put("valueQuantity", quantity.some())
            .one("note", node::string(said).map(|t| json!({ "text": t })))
    } else {
        let said = r.text.or(plain.as_deref());
        let with_unit = match (said, r.unit) {
            (Some(said), Some(unit)) => Some(format!("{said} {unit}")),
            _ => None,
        };
        node.text("valueString", with_unit.as_deref().or(said))
    };
    let range = r.range.and_then(|range| {
        let (low, high) = bounds(range);
        let side = |v| node::quantity(v, r.unit);
        let sides = Node::default().put("low", side(low)).put("high", side(high)).some();
        sides.or_else(|| Node::default().text("text", Some(range)).some())
    });
    let flag = r.flag.map(|flag| {
        let known = ["H", "L", "N", "HH", "LL", "A", "AA", "POS", "NEG"].contains(&flag);
        let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
        node::concept(known.then_some(system), Some(flag), None)
    });
    node.one("interpretation", flag.flatten()).one("referenceRange", range)
}

impl<S: Sinks> Fhir<'_, S> {
    pub(super) fn observation(&mut self, at: u32, r: &MeasurementRecord<'_>) -> Made {
        let code = node::concept(r.code_system, r.code, r.text);
        let code = code.ok_or(Reason::Empty)?;
        let status = match r.status {
            Some("F") => Some("final"),
            Some("C") => Some("corrected"),
            Some("P" | "R" | "S") => Some("preliminary"),
            other => other,
        };
        let status = self.status("Observation.status", status, &OBSERVATION, "unknown");
        let category = r.category.map(|c| match c {
            "vital" => node::fixed("observation-category", "vital-signs"),
            "social" => node::fixed("observation-category", "social-history"),
            "laboratory" | "survey" | "exam" | "imaging" | "procedure" | "therapy" | "activity"
            | "vital-signs" | "social-history" => node::fixed("observation-category", c),
            other => json!({ "coding": [{ "code": other }] }),
        });
        let resource = Node::default()
            .put("status", status)
            .one("category", category)
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key))
            .put("effectiveDateTime", node::date_time(r.measured_at))
            .one("performer", self.staff(r.practitioner))
            .put("specimen", node::named(r.specimen));
        let result = Finding {
            text: r.value_text,
            number: r.value_num,
            comparator: r.comparator,
            code: r.value_code,
            code_system: None,
            unit: r.unit,
            unit_system: r.unit_system,
            flag: r.flag,
            range: r.reference_range,
        };
        Ok(("Observation", value(resource, &result).value()))
    }

    pub(super) fn checkup(&mut self, at: u32, r: &CheckupRecord<'_>) -> Made {
        let code = node::concept(r.code_system, r.item_code, r.text);
        let code = code.ok_or(Reason::Empty)?;
        let status = self.status("Observation.status", r.status, &OBSERVATION, "final");
        let resource = Node::default()
            .put("status", status)
            .one("category", Some(json!({ "coding": [{ "code": "checkup" }] })))
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("effectiveDateTime", node::date_time(r.examined_on))
            .one("performer", node::named(r.institution))
            .put("method", node::concept(None, r.method, None));
        let result = Finding {
            text: r.value_text,
            number: r.value_num,
            comparator: r.comparator,
            code: r.value_code,
            code_system: r.value_system,
            unit: r.unit,
            unit_system: None,
            flag: r.flag,
            range: r.reference_range,
        };
        Ok(("Observation", value(resource, &result).value()))
    }

    pub(super) fn survey_row(&mut self, at: u32, r: &SurveyRecord<'_>) -> Made {
        let system = r.file.map(|f| format!("dpc-{f}"));
        let code = node::concept(system.as_deref(), r.code, r.text);
        let code = code.ok_or(Reason::Empty)?;
        let values = [
            &r.value1, &r.value2, &r.value3, &r.value4, &r.value5, &r.value6, &r.value7, &r.value8,
        ];
        let mut values: Vec<&str> = values.map(|v| v.as_deref().unwrap_or("")).to_vec();
        values.push(r.value9.filter(|_| self.options.texts).unwrap_or(""));
        while values.last().is_some_and(|v| v.is_empty()) {
            values.pop();
        }
        let when = r.performed_on.or(r.admitted_on);
        let resource = Node::default()
            .text("status", Some("final"))
            .one("category", Some(node::fixed("observation-category", "survey")))
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.stay_key))
            .put("effectiveDateTime", node::date_time(when))
            .text("valueString", Some(&values.join("|")));
        Ok(("Observation", resource.value()))
    }

    pub(super) fn certification(&mut self, at: u32, r: &CareCertificationRecord<'_>) -> Resource {
        let level = node::concept(r.care_level_system, r.care_level, None);
        let when = [&r.decided_on, &r.valid_from, &r.applied_on, &r.surveyed_on];
        let when = when.into_iter().find_map(|d| node::date_time(d.as_deref()));
        let resource = Node::default()
            .text("status", Some("final"))
            .one("category", Some(node::fixed("observation-category", "survey")))
            .put("code", Some(json!({ "text": "要介護状態区分" })))
            .put("subject", self.subject(at))
            .put("effectiveDateTime", when)
            .put("valueCodeableConcept", level);
        ("Observation", resource.value())
    }
}
