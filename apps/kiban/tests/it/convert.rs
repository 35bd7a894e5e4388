//! `kiban tool convert`: every record is in the output or in its account, nothing that identifies leaves unasked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use arrow::array::{Array, AsArray, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::Scratch;

fn tool(command: &str, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kiban"))
        .args(["tool", command])
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

fn json(command: &str, arguments: &[&str]) -> Value {
    let (code, text) = tool(command, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The conformance files: every format, written without our writers.
fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../toolkit/formats/tests/fixtures_b")
}

fn counts(value: &Value) -> BTreeMap<String, u64> {
    value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_u64().unwrap())).collect()
}

/// Records by table over all formats, as `inspect` counts them.
fn inspected(path: &str) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for of in json("inspect", &["auto", path])["formats"].as_object().unwrap().values() {
        for (table, n) in counts(&of["records"]) {
            *all.entry(table).or_default() += n;
        }
    }
    all
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

fn texts(batches: &[RecordBatch], column: &str) -> Vec<String> {
    let mut out = Vec::new();
    for batch in batches {
        let cells = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        out.extend(
            (0..cells.len()).filter(|r| cells.is_valid(*r)).map(|r| cells.value(r).to_owned()),
        );
    }
    out
}

#[test]
fn canonical_tables_hold_every_record_and_names_only_if_asked() {
    let scratch = Scratch::new("convert-parquet");
    let root = conformance();
    let root = root.to_str().unwrap();
    let expected = inspected(root);
    let (plain, whole) = (scratch.path().join("plain"), scratch.path().join("whole"));
    let arguments = ["auto", root, "--to", "parquet", "--out", plain.to_str().unwrap()];
    let said = json("convert", &arguments);
    let rows: BTreeMap<String, u64> = counts(&said["rows_out"])
        .into_iter()
        .map(|(file, n)| (file.strip_suffix(".parquet").unwrap().to_owned(), n))
        .collect();
    assert_eq!(rows, expected);
    let mut arguments = arguments.to_vec();
    arguments[5] = whole.to_str().unwrap();
    json("convert", &[&arguments[..], &["--identifiers", "--texts"]].concat());
    for (table, n) in &expected {
        let file = format!("{table}.parquet");
        let (plain, whole) = (batches(&plain.join(&file)), batches(&whole.join(&file)));
        let held: usize = plain.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(held as u64, *n, "{table}");
        assert!(plain[0].num_columns() <= whole[0].num_columns());
        // Persons are numbered, files too.
        for column in ["person", "source_file"] {
            assert!(texts(&plain, column).iter().all(|t| t.parse::<u64>().is_ok()), "{table}");
        }
        assert!(texts(&whole, "source_file").iter().all(|t| t.contains('/')), "{table}");
    }
    let person = batches(&plain.join("person.parquet"));
    for column in ["name_kanji", "name_kana", "address", "phone", "insured_number"] {
        assert!(person[0].column_by_name(column).is_none(), "{column}");
    }
    let named = batches(&whole.join("person.parquet"));
    assert!(!texts(&named, "name_kana").is_empty());
    // The same persons, one number each.
    let numbers: std::collections::BTreeSet<String> =
        texts(&person, "person").into_iter().collect();
    let keys: std::collections::BTreeSet<String> = texts(&named, "person").into_iter().collect();
    assert_eq!(numbers.len(), keys.len());
}

#[test]
fn models_account_for_every_record() {
    let scratch = Scratch::new("convert-models");
    let root = conformance();
    let root = root.to_str().unwrap();
    let expected = inspected(root);
    for (to, ending) in [("omop", "csv"), ("fhir", "ndjson"), ("xport", "xpt")] {
        let out = scratch.path().join(to);
        let said = json("convert", &["auto", root, "--to", to, "--out", out.to_str().unwrap()]);
        assert_eq!(counts(&said["rows_in"]), expected, "{to}");
        let left: u64 = said["rows_left_out"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| {
                assert!(l["ja"].as_str().unwrap().ends_with('。'));
                l["rows"].as_u64().unwrap()
            })
            .sum();
        let carried: u64 = counts(&said["carried"]).values().sum();
        assert_eq!(carried + left, expected.values().sum::<u64>(), "{to}");
        let mut files = 0;
        for entry in fs::read_dir(&out).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.extension().unwrap(), ending);
            files += 1;
        }
        assert!(files > 3, "{to}");
    }
}

#[test]
fn concepts_are_the_operators_and_a_wrong_list_says_where() {
    let scratch = Scratch::new("convert-concepts");
    let root = conformance();
    let root = root.to_str().unwrap();
    let plain = scratch.path().join("tables");
    json("convert", &["auto", root, "--to", "parquet", "--out", plain.to_str().unwrap()]);
    // Laboratory codes that stand beside the name of their system.
    let mut lines = std::collections::BTreeSet::new();
    for batch in batches(&plain.join("measurement.parquet")) {
        let cells = |name| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (systems, codes) = (cells("code_system"), cells("code"));
        for (system, code) in systems.iter().zip(&codes) {
            let (Some(system), Some(code)) = (system, code) else { continue };
            lines.insert(format!("{system},{code},3000001\n"));
        }
    }
    assert!(!lines.is_empty());
    let list = scratch.path().join("concepts.csv");
    let lines: String = lines.into_iter().collect();
    fs::write(&list, format!("code_system,code,concept_id\n{lines}")).unwrap();
    let out = scratch.path().join("omop");
    let with = |out: &Path| {
        let (out, list) = (out.to_str().unwrap().to_owned(), list.to_str().unwrap().to_owned());
        tool("convert", &["auto", root, "--to", "omop", "--out", &out, "--concepts", &list])
    };
    assert_eq!(with(&out).0, 0);
    assert!(fs::read_to_string(out.join("measurement.csv")).unwrap().contains(",3000001,"));
    for (text, line) in [
        ("code,concept\n", "1行目"),
        ("code_system,code,concept_id\na,b\n", "2行目"),
        ("code_system,code,concept_id\na,b,1\na,b,2\n", "3行目"),
        ("code_system,code,concept_id\na,b,x\n", "2行目"),
    ] {
        fs::write(&list, text).unwrap();
        let other = scratch.path().join("other");
        let (code, said) = with(&other);
        assert!(code != 0 && said.contains(line), "{said}");
        assert!(!other.exists(), "nothing half made is left");
    }
    // What stands is never written over.
    let (code, said) = with(&out);
    assert!(code != 0 && said.contains("既にあります"), "{said}");
    let (code, said) =
        tool("convert", &["auto", list.to_str().unwrap(), "--to", "fhir", "--out", "x"]);
    assert!(code != 0 && said.contains("読み取れるファイルがありません"), "{said}");
}
