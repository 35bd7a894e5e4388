//! Diagnoses, results, vital signs, procedures, background.

use super::{Walk, person};
use crate::{
    arena::Arena,
    record::{AllergyRecord, ConditionRecord, MeasurementRecord, ProcedureRecord, Text},
    text,
    xml::Element,
};

/// The ICD-10 part of a code as MML writes it: `E790-.003` is `E790` with a modifier of MEDIS.
fn icd10<'a>(code: Text<'a>, system: Text<'a>, arena: &'a Arena) -> Text<'a> {
    let system = system?.to_ascii_uppercase().replace(['-', ' ', '_'], "");
    let code = code.filter(|_| system.contains("ICD10"))?;
    let bare: String = code.split('-').next()?.chars().filter(|c| *c != '.').collect();
    let plain = bare.len() >= 3 && bare.as_bytes()[0].is_ascii_alphabetic();
    plain.then(|| arena.text(&bare.to_ascii_uppercase()))
}

/// Text, code and system of a diagnosis, whole or put together from parts.
pub(super) fn disease<'a>(module: Element<'_, 'a>) -> (Text<'a>, Text<'a>, Text<'a>) {
    if let Some(whole) = module.child("diagnosis") {
        return (whole.text(), whole.value("code"), whole.value("system"));
    }
    let contents = module.child("diagnosisContents");
    let mut texts = Vec::new();
    let mut code = (None, None);
    for name in contents.iter().flat_map(|c| c.all("dxItem")).filter_map(|i| i.child("name")) {
        texts.extend(name.text());
        if code.0.is_none() {
            code = (name.value("code"), name.value("system"));
        }
    }
    ((!texts.is_empty()).then(|| module.arena().text(&texts.concat())), code.0, code.1)
}

pub(super) fn diagnosis<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let (text, code, code_system) = disease(module);
    let categories: Vec<_> = module
        .child("categories")
        .iter()
        .flat_map(|c| c.all("category"))
        .filter_map(|c| c.text())
        .collect();
    let suspected = categories.contains(&"suspectedDiagnosis");
    let certainty = if suspected {
        Some("suspected")
    } else {
        categories.iter().find(|c| c.ends_with("Diagnosis") && **c == "confirmedDiagnosis").copied()
    };
    let record = ConditionRecord {
        position: walk.at("RegisteredDiagnosisModule").into(),
        icd10: icd10(code, code_system, walk.arena),
        code,
        code_system,
        text,
        role: (!categories.is_empty()).then(|| walk.arena.text(&categories.join(";"))),
        certainty,
        onset_on: module.child_text("startDate"),
        recorded_at: walk.about.confirmed.or_else(|| module.child_text("firstEncounterDate")),
        resolved_on: module.child_text("endDate"),
        outcome: module.child_text("outcome"),
        practitioner: walk.about.author,
        ..ConditionRecord::default()
    };
    if record.code.is_none() && record.text.is_none() {
        walk.out.note_issue("mml.no-code", record.position);
    }
    walk.out.records.push(walk.arena.record(record));
}

pub(super) fn test<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let information = module.child("information");
    let time = |name: &str| information.and_then(|i| i.value(name));
    let measured_at = time("sampleTime").or_else(|| time("registTime"));
    let status =
        information.and_then(|i| i.child("reportStatus")).and_then(|s| s.value("statusCode"));
    for test in module.all("laboTest") {
        let specimen = test.path(&["specimen", "specimenName"]);
        let specimen = specimen.and_then(|s| s.value("spCode").or_else(|| s.text()));
        for item in test.all("item") {
            let name = item.child("itemName");
            let number = item.child("numValue");
            let value_text = item.child_text("value").or_else(|| number.and_then(|n| n.text()));
            let found = value_text.and_then(text::quantity);
            let end = |side: &str| number.and_then(|n| n.value(side));
            let unit = item.child("unit");
            let record = MeasurementRecord {
                position: walk.at("item").into(),
                category: Some("laboratory"),
                code: name.and_then(|n| n.value("itCode")),
                code_system: name.and_then(|n| n.value("itCodeId")),
                text: name.and_then(|n| n.text()),
                comparator: found.as_ref().and_then(|f| f.comparator),
                value_num: found
                    .map(|f| walk.arena.keep(f.number))
                    .or_else(|| number.and_then(|n| n.text())),
                value_text,
                unit: unit.and_then(|u| u.text()),
                reference_range: end("normal").or_else(|| match (end("low"), end("up")) {
                    (None, None) => None,
                    (low, up) => Some(walk.arena.text(&format!(
                        "{}-{}",
                        low.unwrap_or_default(),
                        up.unwrap_or_default()
                    ))),
                }),
                flag: end("out"),
                specimen,
                status,
                measured_at,
                ..MeasurementRecord::default()
            };
            if record.code.is_none() && record.text.is_none() {
                walk.out.note_issue("mml.no-code", record.position);
            }
            walk.out.records.push(walk.arena.record(record));
        }
    }
}

/// A measurement from the texts of child elements.
#[derive(Default)]
struct Simple<'a> {
    category: &'static str,
    code: Option<&'static str>,
    text: Text<'a>,
    value: Text<'a>,
    unit: Text<'a>,
    at: Text<'a>,
}

fn measured<'a>(walk: &mut Walk<'a>, name: &'static str, simple: Simple<'a>) {
    let found = simple.value.and_then(text::quantity);
    let record = MeasurementRecord {
        position: walk.at(name).into(),
        category: Some(simple.category),
        code: simple.code,
        code_system: simple.code.map(|_| "MML"),
        text: simple.text,
        comparator: found.as_ref().and_then(|f| f.comparator),
        value_num: found.map(|f| walk.arena.keep(f.number)),
        value_text: simple.value,
        unit: simple.unit,
        measured_at: simple.at.or(walk.about.confirmed),
        practitioner: walk.about.author,
        ..MeasurementRecord::default()
    };
    walk.out.records.push(walk.arena.record(record));
}

pub(super) fn vital_signs<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let at = module.child_text("observedTime");
    for item in module.all("item") {
        let simple = Simple {
            category: "vital",
            text: item.child_text("itemName"),
            value: item.child_text("value").or_else(|| item.child_text("numValue")),
            unit: item.child_text("unit"),
            at,
            ..Simple::default()
        };
        measured(walk, "vital", simple);
    }
}

/// Vital signs, what was taken in and what came out.
pub(super) fn flow_sheet<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for vital in module.all("VitalSignModule") {
        vital_signs(walk, vital);
    }
    for (name, category, kind, volume, unit, time) in [
        ("intake", "intake", "intakeType", "intakeVolume", "intakeUnit", "intakeStartTime"),
        ("bodilyOutput", "output", "boType", "boVolume", "boUnit", "boStartTime"),
    ] {
        for row in module.all(name) {
            let simple = Simple {
                category,
                text: row.child_text(kind),
                value: row.child_text(volume),
                unit: row.child_text(unit),
                at: row.child_text(time),
                ..Simple::default()
            };
            measured(walk, name, simple);
        }
    }
}

pub(super) fn lifestyle<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for code in ["occupation", "tobacco", "alcohol", "other"] {
        for element in module.all(code) {
            let value = element.whole_text();
            let simple =
                Simple { category: "social", code: Some(code), value, ..Simple::default() };
            measured(walk, "lifestyle", simple);
        }
    }
}

/// Allergies, blood group, infections.
pub(super) fn base<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for item in module.child("allergy").iter().flat_map(|a| a.all("allergyItem")) {
        let record = AllergyRecord {
            position: walk.at("allergyItem").into(),
            text: item.child_text("factor"),
            severity: item.child_text("severity"),
            reaction: item.child("memo").and_then(|m| m.whole_text()),
            onset_on: item.child_text("identifiedDate"),
            recorded_at: walk.about.confirmed,
            practitioner: walk.about.author,
            ..AllergyRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
    if let Some(blood) = module.child("bloodtype") {
        for code in ["abo", "rh"] {
            if let Some(value) = blood.child_text(code) {
                let value = Some(value);
                let simple =
                    Simple { category: "body", code: Some(code), value, ..Simple::default() };
                measured(walk, "bloodtype", simple);
            }
        }
    }
    for item in module.child("infection").iter().flat_map(|i| i.all("infectionItem")) {
        let simple = Simple {
            category: "infection",
            text: item.child_text("factor"),
            value: item.child_text("examValue"),
            at: item.child_text("identifiedDate"),
            ..Simple::default()
        };
        measured(walk, "infectionItem", simple);
    }
}

pub(super) fn surgery<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    for item in module.all("surgeryItem") {
        let info = item.child("surgicalInfo");
        let day = info.and_then(|i| i.child_text("date"));
        let time = info.and_then(|i| i.child_text("startTime"));
        let started_at = match (day, time) {
            (Some(day), Some(time)) => Some(walk.arena.text(&format!("{day}T{time}"))),
            (day, _) => day,
        };
        for part in item.child("surgicalProcedure").iter().flat_map(|p| p.all("procedureItem")) {
            let operation = part.child("operation");
            let record = ProcedureRecord {
                position: walk.at("procedureItem").into(),
                code: operation.and_then(|o| o.value("code")),
                code_system: operation.and_then(|o| o.value("system")),
                text: operation.and_then(|o| o.text()),
                started_at,
                practitioner: walk.about.author,
                ..ProcedureRecord::default()
            };
            walk.out.records.push(walk.arena.record(record));
        }
        if let Some(diagnoses) = item.child("surgicalDiagnosis") {
            for module in diagnoses.all("RegisteredDiagnosisModule") {
                diagnosis(walk, module);
            }
        }
        if let Some(text) = item.child("operativeNotes").and_then(|n| n.whole_text()) {
            super::notes::push(walk, "operativeNotes", text);
        }
    }
}

pub(super) fn procedure<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let name = module.child("procedureName");
    let performer = module.path(&["performer", "PersonalizedInfo", "personName"]);
    let record = ProcedureRecord {
        position: walk.at("ProcedureModule").into(),
        code: name.and_then(|n| n.value("code")),
        code_system: name.and_then(|n| n.value("system")),
        text: name.and_then(|n| n.text()),
        started_at: module.child_text("startDateTime"),
        ended_at: module.child_text("endDateTime"),
        practitioner: performer.and_then(|p| person::name(p).0).or(walk.about.author),
        ..ProcedureRecord::default()
    };
    walk.out.records.push(walk.arena.record(record));
    if let Some(text) = module.child("description").and_then(|d| d.whole_text()) {
        super::notes::push(walk, "description", text);
    }
}
