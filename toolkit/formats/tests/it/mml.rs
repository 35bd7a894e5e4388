//! MML: every official sample against a naive count of its tags.

use std::collections::BTreeMap;

use kiban_formats::mml;

use crate::{get, lasting, samples, tree};

/// Opening tags of a local name.
fn tags(text: &str, name: &str) -> usize {
    text.match_indices('<')
        .filter(|(at, _)| {
            let rest = &text[at + 1..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == ':')).unwrap_or(0);
            rest[..end].rsplit(':').next() == Some(name)
        })
        .count()
}

#[test]
fn every_sample_is_read_as_its_tags_say() {
    let Some(samples) = samples("every_sample_is_read_as_its_tags_say") else { return };
    let mut read = 0;
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, bytes) in tree(&samples.join("mml")) {
        let is_xml = std::path::Path::new(&name).extension().is_some_and(|e| e == "xml");
        if !is_xml || name.starts_with("schema") {
            continue;
        }
        let text = String::from_utf8(bytes.clone()).unwrap();
        let whole = tags(&text, "Mml") == 1;
        let parsed = if whole {
            mml::parse_file(&bytes, lasting())
        } else {
            mml::parse_module(&bytes, "p", lasting())
        };
        if parsed.rejected {
            // Parts that are used inside modules, and stand alone as samples only.
            assert_eq!(parsed.issues[0].rule, "mml.root", "{name}: {parsed:?}");
            let shared = [
                "Address",
                "Id",
                "Facility",
                "Name",
                "Phone",
                "PersonalizedInfo",
                "securityLevel",
                "Department",
            ];
            assert!(shared.iter().any(|s| tags(&text, s) > 0), "{name}");
            continue;
        }
        read += 1;
        let count = |table: &str| parsed.records.iter().filter(|r| r.table() == table).count();
        let sm_medication = text.matches("<mmlSm:medication").count();
        assert_eq!(count("medication"), tags(&text, "medication") - sm_medication, "{name}");
        let lab = if tags(&text, "laboTest") > 0 { tags(&text, "item") } else { 0 };
        let vital = tags(&text, "VitalSignModule").min(1) * text.matches("<mmlVs:item>").count();
        let flow =
            text.matches("<mmlFs:intake>").count() + text.matches("<mmlFs:bodilyOutput>").count();
        let blood = tags(&text, "abo") + tags(&text, "rh");
        assert_eq!(count("measurement"), lab + vital + flow + blood, "{name}");
        assert_eq!(count("condition"), tags(&text, "RegisteredDiagnosisModule"), "{name}");
        assert_eq!(count("allergy"), tags(&text, "allergyItem"), "{name}");
        let coverage = tags(&text, "HealthInsuranceModule") + tags(&text, "publicInsuranceItem");
        assert_eq!(count("coverage"), coverage, "{name}");
        let procedures = tags(&text, "ProcedureModule") + tags(&text, "procedureItem");
        assert_eq!(count("procedure"), procedures, "{name}");
        assert!(!parsed.records.is_empty() || !parsed.unread.is_empty(), "{name} vanished");
        for record in &parsed.records {
            *totals.entry(record.table()).or_default() += 1;
        }
        if name == "mml4_sample3.xml" {
            assert_eq!(parsed.person, Some("11370"));
            let record = &parsed.records[0];
            let of = |column: &str| get(record, column).unwrap_or("").to_owned();
            assert_eq!(
                [of("code"), of("value_num"), of("reference_range"), of("flag"), of("specimen")],
                ["0037", "13.5", "8.0-20.0", "N", "01"]
            );
        }
    }
    assert!(read >= 10, "{read}");
    for table in
        ["medication", "measurement", "note", "coverage", "allergy", "procedure", "encounter"]
    {
        assert!(totals.contains_key(table), "{table}: {totals:?}");
    }
}
