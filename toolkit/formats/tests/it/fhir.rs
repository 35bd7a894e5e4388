//! FHIR: the whole cohort against a naive reading as generic JSON.

use std::collections::BTreeMap;

use kiban_formats::{LineReader, Record, fhir};
use serde_json::Value;

use crate::{get, lasting, plain, samples};

#[test]
fn the_cohort_is_read_completely() {
    let Some(samples) = samples("the_cohort_is_read_completely") else { return };
    let folder = samples.join("fhir_clinosim_jp");
    let counts: BTreeMap<String, usize> =
        serde_json::from_slice(&std::fs::read(folder.join("COUNTS.json")).unwrap()).unwrap();
    let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut expected_parts, mut found_parts, mut persons) = (0, 0, 0);
    for (kind, count) in &counts {
        let bytes = plain(&folder.join(format!("{kind}.ndjson.xz")));
        let mut lines = LineReader::new(&bytes[..]);
        let mut number = 0;
        while let Some(line) = lines.next_line().unwrap() {
            number += 1;
            let parsed = fhir::parse_line(line.bytes, line.number, lasting());
            assert!(!parsed.rejected && parsed.issues.is_empty(), "{kind} {number}: {parsed:?}");
            let naive: Value = serde_json::from_slice(line.bytes).unwrap();
            let subject = ["subject", "patient", "beneficiary"]
                .iter()
                .find_map(|k| naive[k]["reference"].as_str())
                .and_then(|r| r.strip_prefix("Patient/"));
            let subject = if kind == "Patient" { naive["id"].as_str() } else { subject };
            assert_eq!(parsed.person, subject, "{kind} {number}");
            persons += usize::from(subject.is_some());
            if kind == "Observation" {
                let parts = naive["component"].as_array().map_or(0, Vec::len);
                let own = naive.as_object().unwrap().keys().any(|k| k.starts_with("value"));
                expected_parts += parts + usize::from(own);
                found_parts += parsed.records.len();
                let value = naive["valueQuantity"]["value"].to_string();
                if own && value != "null" {
                    assert_eq!(get(&parsed.records[0], "value_text"), Some(&value[..]));
                    assert_eq!(
                        get(&parsed.records[0], "unit"),
                        naive["valueQuantity"]["unit"].as_str()
                    );
                }
                let at = naive["effectiveDateTime"].as_str();
                assert!(parsed.records.iter().all(|r| get(r, "measured_at") == at));
            }
            if kind == "Condition" {
                let icd = naive["code"]["coding"][0]["code"].as_str().unwrap().replace('.', "");
                assert_eq!(get(&parsed.records[0], "icd10"), Some(&icd[..]));
            }
            if kind == "Patient" {
                let borrowed = parsed.records.iter().any(|r| match r {
                    Record::Person(p) => p
                        .name_kanji
                        .is_some_and(|name| line.bytes.as_ptr_range().contains(&name.as_ptr())),
                    _ => false,
                });
                assert!(borrowed, "names are borrowed from the line");
            }
            for record in &parsed.records {
                *tables.entry(record.table()).or_default() += 1;
            }
            let silent = !parsed.records.is_empty() || !parsed.unread.is_empty();
            assert!(silent, "{kind} {number} vanished");
        }
        assert_eq!(number, *count, "{kind}");
    }
    assert_eq!(found_parts, expected_parts);
    assert!(persons > 23_000);
    assert_eq!(tables["person"], 210);
    assert_eq!(tables["encounter"], 1350);
    assert_eq!(tables["condition"], 783);
    assert_eq!(tables["medication"], 2460);
    assert_eq!(tables["procedure"], 90);
    assert_eq!(tables["coverage"], 386);
    assert!(tables["note"] > 0 && tables["note"] <= 775);
    for (table, kind) in [
        ("allergy", "AllergyIntolerance"),
        ("vaccination", "Immunization"),
        ("imaging_study", "ImagingStudy"),
    ] {
        assert_eq!(tables[table], counts[kind], "{table}");
    }
    assert!(tables["family_history"] >= counts["FamilyMemberHistory"]);
}

#[test]
fn the_official_examples_are_read_or_refused_with_a_reason() {
    let Some(samples) = samples("the_official_examples_are_read_or_refused_with_a_reason") else {
        return;
    };
    let mut files = 0;
    for (name, bytes) in crate::tree(&samples.join("fhir_jpclins")) {
        if name == "LICENSE.txt" {
            continue;
        }
        files += 1;
        // Pretty-printed files are read as they are.
        let parsed = fhir::parse_line(&bytes, 1, lasting());
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        if let Some(entries) = value["entry"].as_array() {
            bundle(&name, entries, &parsed);
        }
        let said =
            !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty();
        assert!(said, "{name}");
        assert_eq!(
            parsed.rejected,
            parsed.issues.iter().any(|i| i.rule != "fhir.no-code" && i.rule != "gaiji"),
            "{name}"
        );
    }
    assert!(files >= 30);
}

/// A bundle's records against a naive reading of its entries.
fn bundle(name: &str, entries: &[Value], parsed: &kiban_formats::Parsed<'_>) {
    assert!(!parsed.rejected, "{name}: {:?}", parsed.issues);
    let count = |kind: &str| {
        entries.iter().filter(|e| e["resource"]["resourceType"].as_str() == Some(kind)).count()
    };
    let found = |table: &str| parsed.records.iter().filter(|r| r.table() == table).count();
    for (kind, table) in [
        ("Patient", "person"),
        ("Encounter", "encounter"),
        ("Condition", "condition"),
        ("AllergyIntolerance", "allergy"),
        ("MedicationRequest", "medication"),
        ("Procedure", "procedure"),
    ] {
        assert_eq!(found(table), count(kind), "{name} {kind}");
    }
    assert_eq!(count("Patient"), 1, "{name}");
    assert_eq!(parsed.person, Some("000999739"), "{name}: the hospital's record number");
}
