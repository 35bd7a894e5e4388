//! `formats.total`, `formats.silent`: mutated samples and random bytes.

use std::path::Path;

use kiban_formats::{Parsed, detect, fhir, municipal, rule_ja, ssmix2};
use proptest::prelude::*;

/// Small inputs that once were interesting; `name` tells the reader.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = crate::tree(&folder).into_iter().collect();
    files.sort();
    assert!(files.len() >= 8, "the corpus is part of the repository");
    files
}

const HEADER: &str =
    "宛名番号,氏名漢字,氏名カナ,生年月日,性別,郵便番号,住所,電話番号,職業,異動年月日,死亡年月日";

fn read(name: &str, bytes: &[u8]) -> Vec<Parsed<'static>> {
    let _ = detect(name, bytes);
    if name.contains(".hl7") {
        let file = "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1";
        let paths = ["OML-11", "PPR-01", "OMP-01", "OMP-11", "ADT-00", "ADT-22", "ADT-99"];
        let paths = paths.iter().map(|t| file.replace("OML-11", t));
        paths.map(|path| ssmix2::parse_file(&path, bytes)).collect()
    } else if name.contains(".ndjson") {
        bytes.split(|b| *b == b'\n').map(|l| fhir::parse_line(l, 1).into_owned()).collect()
    } else {
        let reader = municipal::Reader::new(HEADER.as_bytes()).unwrap();
        bytes.split(|b| *b == b'\n').map(|l| reader.parse_row(l, 2).into_owned()).collect()
    }
}

fn check(parsed: &Parsed<'_>, blank: bool) {
    let said = !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty();
    assert!(said || blank, "nothing was said");
    assert!(!parsed.rejected || (parsed.records.is_empty() && parsed.person.is_none()));
    assert!(!parsed.rejected || !parsed.issues.is_empty());
    assert!(parsed.records.is_empty() || parsed.person.is_some());
    for issue in &parsed.issues {
        assert_ne!(rule_ja(issue.rule), rule_ja(""), "{}", issue.rule);
    }
}

#[test]
fn the_corpus_is_replayed() {
    for (name, bytes) in corpus() {
        for parsed in read(&name, &bytes) {
            check(&parsed, true);
        }
    }
}

#[test]
fn neither_issues_nor_debug_show_a_value() {
    // Every value of this message, line and row holds the mark.
    const MARK: &str = "秘密";
    let message = format!(
        "MSH|^~\\&|{MARK}||||||ADT^A08\rPID|{MARK}||7||{MARK}^{MARK}\rOBX|1|NM|{MARK}||{MARK}\r{MARK}|1\rIN1|{MARK}"
    );
    let line = format!(
        r#"{{"resourceType":"Observation","{MARK}":1,"subject":{{"reference":"Patient/{MARK}"}},"code":{{"text":"{MARK}"}}}}"#
    );
    let broken = format!(r#"{{"resourceType":"Observation","status":["{MARK}"]}}"#);
    let row =
        format!("{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK}");
    let hl7 = ssmix2::encode(&message).unwrap();
    let reader = municipal::Reader::new(HEADER.as_bytes()).unwrap();
    let all = [
        ssmix2::parse_file("7_-_ADT-00_9_20240101090000000_-_1", &hl7),
        ssmix2::parse_file(&format!("{MARK}_-_{MARK}_9_20240101090000000_-_1"), &hl7),
        fhir::parse_line(line.as_bytes(), 1),
        fhir::parse_line(broken.as_bytes(), 1),
        reader.parse_row(row.as_bytes(), 2),
    ];
    assert!(!all[0].records.is_empty() && !all[2].records.is_empty() && !all[4].records.is_empty());
    for parsed in all {
        let shown = format!("{parsed:?}");
        assert!(!shown.contains(MARK), "{shown}");
    }
}

fn mutated() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files = corpus();
    let pick = proptest::sample::select(files);
    let edits =
        proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 0..12);
    (pick, edits).prop_map(|((name, mut bytes), edits)| {
        for (at, how, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => {
                    bytes.remove(at);
                }
                _ => bytes.truncate(at),
            }
        }
        (name, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_samples_give_records_or_reasons((name, bytes) in mutated()) {
        for parsed in read(&name, &bytes) {
            check(&parsed, !name.contains(".hl7"));
        }
    }

    #[test]
    fn random_bytes_give_reasons(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["x.hl7", "x.ndjson", "x.csv"] {
            for parsed in read(name, &bytes) {
                check(&parsed, name != "x.hl7");
            }
        }
    }
}
