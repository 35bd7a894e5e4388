//! FHIR: what is written is read back, decimals to the digit; a small example by hand.

use std::{collections::BTreeMap, fmt::Write as _};

use kiban_formats::{
    Format,
    out::{Options, Target},
};
use serde_json::{Value, json};

use crate::{
    out::{conserved, fixture_rows, options, record, written},
    reading,
};

/// Columns that do not come back, and why: a place in the file, a spelling of our own, a number that is given anew.
const APART: &[(&str, &[&str])] = &[
    // Visits are written from what all rows say; a practitioner's address becomes the name shown.
    ("encounter", &["status", "disposition_text"]),
    ("note", &["kind", "written_at"]),
    ("imaging_study", &["body_part", "text"]),
    ("measurement", &["code_system"]),
];

type Facts = BTreeMap<String, usize>;

fn facts(rows: &[(String, kiban_formats::Record<'static>)]) -> BTreeMap<&'static str, Facts> {
    let mut all: BTreeMap<&'static str, Facts> = BTreeMap::new();
    for (person, record) in rows {
        let apart = APART.iter().find(|(t, _)| *t == record.table()).map_or(&[][..], |(_, c)| c);
        let mut fact = person.clone();
        record.for_each(|column, value| {
            if let (Some(value), false) = (value, apart.contains(&column)) {
                let _ = write!(fact, "|{column}={value}");
            }
        });
        *all.entry(record.table()).or_default().entry(fact).or_default() += 1;
    }
    all
}

fn read_back(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, kiban_formats::Record<'static>)> {
    let mut rows = Vec::new();
    for (name, bytes) in files {
        for parsed in reading::segments(Format::FhirNdjson, name, bytes) {
            assert!(!parsed.rejected, "{name}: {:?}", parsed.issues);
            let Some(person) = parsed.person else { continue };
            rows.extend(parsed.records.into_iter().map(|r| (person.to_owned(), r)));
        }
    }
    rows
}

#[test]
fn a_cohort_of_a_third_party_comes_back() {
    let Some(samples) = crate::samples("a_cohort_of_a_third_party_comes_back") else { return };
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(samples.join("fhir_clinosim_jp")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".ndjson.xz") {
            let bytes = crate::plain(&path);
            for parsed in reading::segments(Format::FhirNdjson, "x.ndjson", &bytes) {
                let Some(person) = parsed.person else { continue };
                rows.extend(parsed.records.into_iter().map(|r| (person.to_owned(), r)));
            }
        }
    }
    let (files, summary) =
        written(Target::Fhir, &rows, Options { texts: true, identifiers: true, ..options() });
    conserved(&rows, &summary);
    // Vaccinations that were not given are no facts; the rest is there.
    assert_eq!(summary.left_out_rows(), 24);
    rows.retain(|(_, r)| crate::get(r, "status") != Some("not-done"));
    let (before, after) = (facts(&rows), facts(&read_back(&files)));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (table, facts) in &before {
        let other = &after[table];
        let lost: Vec<_> = facts.iter().filter(|(f, n)| other.get(*f) != Some(n)).take(3).collect();
        let new: Vec<_> = other.iter().filter(|(f, n)| facts.get(*f) != Some(n)).take(3).collect();
        assert!(lost.is_empty() && new.is_empty(), "{table}: {lost:#?} {new:#?}");
    }
}

#[test]
fn a_small_example_by_hand() {
    let p = || "p-7".to_owned();
    let rows = vec![
        (
            p(),
            record(
                "person",
                &[("sex", "F"), ("birth_on", "19500102"), ("name_kanji", "見本 花子")],
            ),
        ),
        (
            p(),
            record(
                "encounter",
                &[("encounter_key", "v1"), ("class", "O"), ("start_at", "202404010905")],
            ),
        ),
        (
            p(),
            record(
                "condition",
                &[
                    ("code", "20059034"),
                    ("code_system", "http://medis.or.jp/CodeSystem/master-disease-keyNumber"),
                    ("icd10", "E119"),
                    ("text", "２型糖尿病"),
                    ("recorded_at", "20240402"),
                    ("certainty", "suspected"),
                    ("encounter_key", "v1"),
                    ("outcome", "9"),
                ],
            ),
        ),
        (
            p(),
            record(
                "measurement",
                &[
                    ("category", "laboratory"),
                    ("code", "3D010000001926101"),
                    ("code_system", "JC10"),
                    ("value_text", "<0.50"),
                    ("value_num", "0.50"),
                    ("comparator", "<"),
                    ("unit", "%"),
                    ("reference_range", "4.60-6.20"),
                    ("measured_at", "20240402083000"),
                    ("status", "F"),
                ],
            ),
        ),
        (p(), record("measurement", &[("code", "x\u{0}y"), ("value_text", "検体不良")])),
        ("患者 2".to_owned(), record("procedure", &[("text", "手術"), ("status", "claimed")])),
    ];
    let (files, summary) = written(Target::Fhir, &rows, options());
    conserved(&rows, &summary);
    assert_eq!(summary.left_out_rows(), 0);
    let lines = |name: &str| -> Vec<Value> {
        let text = String::from_utf8(files[name].clone()).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    assert_eq!(
        lines("Patient.ndjson"),
        [
            json!({"resourceType": "Patient", "id": "p-7", "gender": "female", "birthDate": "1950-01-02"}),
            json!({"resourceType": "Patient", "id": "p2", "identifier": [{"value": "患者 2"}]}),
        ]
    );
    assert_eq!(
        lines("Condition.ndjson")[0],
        json!({
            "resourceType": "Condition", "id": "condition-1", "subject": {"reference": "Patient/p-7"}, "encounter": {"reference": "Encounter/v1"},
            "extension": [{"url": "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome",
                "valueCodeableConcept": {"coding": [{"code": "9"}]}}],
            "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "provisional"}]},
            "code": {"coding": [
                {"system": "http://medis.or.jp/CodeSystem/master-disease-keyNumber", "code": "20059034"},
                {"system": "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full", "code": "E119"},
            ], "text": "２型糖尿病"},
            "recordedDate": "2024-04-02",
        })
    );
    let text = String::from_utf8(files["Observation.ndjson"].clone()).unwrap();
    assert!(
        text.contains(r#""valueQuantity":{"comparator":"<","unit":"%","value":0.50}"#),
        "{text}"
    );
    assert!(text.contains(r#""low":{"unit":"%","value":4.60}"#), "{text}");
    assert!(text.contains(r#""effectiveDateTime":"2024-04-02T08:30:00+09:00""#));
    assert!(text.contains(r#""code":"x␀y""#) && text.contains("検体不良"));
    assert_eq!(
        lines("Encounter.ndjson")[0]["period"],
        json!({"start": "2024-04-01T09:05:00+09:00"})
    );
    assert_eq!(lines("Procedure.ndjson")[0]["status"], "completed");
}

#[test]
fn claims_of_the_conformance_files_add_up() {
    let rows = fixture_rows();
    let (files, summary) = written(Target::Fhir, &rows, options());
    let text = String::from_utf8(files["Claim.ndjson"].clone()).unwrap();
    let claims: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let count = |table: &str| rows.iter().filter(|(_, r)| r.table() == table).count();
    assert_eq!(claims.len(), count("claim"));
    let of = |name: &str| -> usize {
        claims.iter().map(|c| c[name].as_array().map_or(0, Vec::len)).sum()
    };
    // Rows of claims are items or diagnoses; those of DPC cost files belong to no claim.
    assert_eq!((of("item") + of("diagnosis")) as u64, summary.carried["claim_item"]);
    let without = claims.iter().filter(|c| c["insurance"][0]["coverage"].get("display").is_none());
    let payers = of("insurance") - without.count();
    assert_eq!(payers as u64, summary.carried["claim_payer"]);
    assert!(of("item") > 10 && of("diagnosis") > 5 && payers > 10);
}
