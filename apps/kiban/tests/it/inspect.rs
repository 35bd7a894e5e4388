//! `kiban tool inspect` over third-party samples and the conformance files, against counts made without the readers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use encoding_rs::SHIFT_JIS;
use serde_json::Value;

use crate::support::Scratch;

fn inspect(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kiban"))
        .args(["tool", "inspect"])
        .args(arguments)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap(), text)
}

fn json(arguments: &[&str]) -> Value {
    let (code, text) = inspect(&[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../toolkit/formats/tests")
}

#[expect(clippy::disallowed_methods, reason = "where tests find the sample data")]
fn samples() -> Option<PathBuf> {
    let place = std::env::var("KIBAN_SAMPLES").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples"),
        PathBuf::from,
    );
    if place.is_dir() {
        return Some(place);
    }
    kiban_testkit::missing("the samples are not there: set KIBAN_SAMPLES");
    None
}

#[test]
fn the_claims_sample_is_counted_as_its_rows_are() {
    let Some(samples) = samples() else { return };
    let path = samples.join("uke/RECEIPTC_FIRST20.UKE");
    let bytes = fs::read(&path).unwrap();
    let (text, _, _) = SHIFT_JIS.decode(&bytes);
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    let of = |id: &str| rows.iter().filter(|r| r[0] == id).count() as u64;
    let found = json(&["auto", path.to_str().unwrap()]);
    let uke = &found["formats"]["uke"];
    assert_eq!(uke["segments"], of("RE"));
    assert_eq!(uke["records"]["claim"], of("RE"));
    assert_eq!(uke["records"]["claim_payer"], of("HO") + of("KO"));
    assert_eq!(uke["records"]["condition"], of("SY"));
    assert_eq!(uke["encodings"]["CP932"], 1);
    let persons: BTreeSet<&str> = rows.iter().filter(|r| r[0] == "RE").map(|r| r[13]).collect();
    assert_eq!(uke["persons"], persons.len() as u64);
    assert_eq!(uke["rejected_segments"], 0);
    assert!(uke["from"].as_str() <= uke["to"].as_str());
    assert_eq!(found["left_out"].as_array().unwrap().len(), 0);
    // For staff, the same in words.
    let (code, said) = inspect(&["uke", path.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(said.contains("電子レセプト") && said.contains(&format!("記録 claim：{}", of("RE"))));
}

#[test]
fn lines_of_fhir_are_counted_by_type_also_packed() {
    let Some(samples) = samples() else { return };
    let folder = samples.join("fhir_clinosim_jp");
    let mut of: BTreeMap<String, u64> = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(kind) = name.strip_suffix(".ndjson.xz") else { continue };
        let mut text = String::new();
        let file = fs::File::open(&path).unwrap();
        std::io::Read::read_to_string(&mut xz2::read::XzDecoder::new(file), &mut text).unwrap();
        of.insert(kind.to_owned(), text.lines().filter(|l| !l.trim().is_empty()).count() as u64);
    }
    let found = json(&["fhir_ndjson", folder.to_str().unwrap()]);
    let fhir = &found["formats"]["fhir_ndjson"];
    for (kind, table) in
        [("Patient", "person"), ("Condition", "condition"), ("Encounter", "encounter")]
    {
        assert_eq!(fhir["records"][table], of[kind], "{kind}");
    }
    assert_eq!(fhir["persons"], of["Patient"]);
}

#[test]
fn the_conformance_files_are_counted_as_their_writer_did() {
    let root = formats().join("fixtures_b");
    let text = fs::read(root.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_slice(&text).unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
    for e in expected.values() {
        let name = match e["format"].as_str().unwrap() {
            "checkup" => "checkup_xml",
            "care" => "care_claims",
            "certification" => "care_certification",
            "municipal" => "municipal_csv",
            name => name,
        };
        *rejected.entry(name.to_owned()).or_default() += e["rejected"].as_u64().unwrap();
        let own = tables.entry(name.to_owned()).or_default();
        for (table, rows) in e["tables"].as_object().unwrap() {
            *own.entry(table.clone()).or_default() += rows.as_u64().unwrap();
        }
    }
    let found = json(&["auto", root.to_str().unwrap()]);
    for (format, tables) in &tables {
        let got = &found["formats"][format];
        for (table, rows) in tables {
            assert_eq!(got["records"][table], *rows, "{format} {table}");
        }
        assert_eq!(got["rejected_segments"], rejected[format], "{format}");
        let named = got["issues"].as_object().unwrap();
        assert!(named.values().all(|i| i["ja"].as_str().is_some_and(|j| j.ends_with('。'))));
        assert!(rejected[format] == 0 || !named.is_empty(), "{format}");
    }
    // What is of no format is named, not passed over.
    let left: Vec<&str> =
        found["left_out"].as_array().unwrap().iter().map(|l| l["path"].as_str().unwrap()).collect();
    assert_eq!(left, ["expected.json"]);
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let scratch = Scratch::new("inspect");
    let path = scratch.join("notes.txt");
    fs::write(&path, "memo").unwrap();
    let (code, said) = inspect(&["auto", path.to_str().unwrap()]);
    assert_ne!(code, 0);
    assert!(said.contains("読み取れる形式ではありません"), "{said}");
    let (code, said) = inspect(&["claims", path.to_str().unwrap()]);
    assert_ne!(code, 0);
    assert!(said.contains("形式の名前"), "{said}");
    let (code, _) = inspect(&["auto", "/nowhere"]);
    assert_ne!(code, 0);
}
