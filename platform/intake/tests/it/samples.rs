//! Real formats: the shipped fixtures, and the sample with deliberate defects from `../shared`.

use std::fmt::Write as _;
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use kiban_intake::{ReceiveError, Segment};
use kiban_kernel::Regime;
use xz2::read::XzDecoder;

use crate::home::{Home, holds};

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

#[test]
fn the_generated_ss_mix2_storage_is_sealed_and_read() {
    let mut home = Home::new();
    let tar = fs::File::open(fixture("ssmix2/generated/storage_20patients.tar.xz")).unwrap();
    tar::Archive::new(XzDecoder::new(tar)).unpack(home.path().join("in")).unwrap();
    let mut patients = std::collections::BTreeSet::new();
    let files = holder_files(&home);
    for path in &files {
        patients.insert(
            path.file_name().unwrap().to_string_lossy().split('_').next().unwrap().to_owned(),
        );
    }
    let all: Vec<String> = patients.into_iter().collect();
    assert_eq!((all.len(), files.len()), (20, 702));
    for id in &all[..19] {
        home.notify(id, &Regime::ALL, "2020-05-01");
    }
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!((report.kept_persons, report.withheld["not_notified"]), (18, 1));
    // A child was among them, and no guardian was notified.
    assert_eq!(report.withheld["guardian_missing"], 1);
    let plain = home.plain(&report.path);
    assert!(!holds(&plain, &all[19]));
    let checked = home.open(&report.path).unwrap();
    let (delivery, totals) = crate::receipts::read(&checked);
    assert!(delivery.counts.balances());
    assert_eq!(delivery.counts.accepted_segments, report.kept_segments);
    // A first look at persons parses their basics alone and misses nobody.
    let (mut all, mut first) = (Vec::new(), Vec::new());
    let mut looked = 0;
    checked
        .segments::<ReceiveError>(|s| {
            all.extend(told(&s));
            Ok(())
        })
        .unwrap();
    checked
        .person_segments::<ReceiveError>(|s| {
            looked += 1;
            first.extend(told(&s));
            Ok(())
        })
        .unwrap();
    assert_eq!((first, looked), (all, report.kept_persons));
    for table in ["person", "encounter", "condition", "medication", "measurement"] {
        assert!(totals.of(table) > 0, "{table}");
    }
}

/// What a segment says of its person.
fn told(segment: &Segment<'_>) -> Vec<(String, String)> {
    let records = segment.parsed.records.iter();
    records
        .filter(|r| matches!(r.table(), "person" | "death"))
        .map(|r| {
            let mut cells = String::new();
            r.for_each(|column, value| {
                let _ = write!(cells, "{column}={value:?};");
            });
            (segment.person.unwrap_or_default().to_owned(), cells)
        })
        .collect()
}

pub(crate) fn holder_files(home: &Home) -> Vec<PathBuf> {
    let found = kiban_intake::holder::find_inputs(
        &[home.path().join("in")],
        &kiban_intake::Limits::default(),
    )
    .unwrap();
    found.into_iter().map(|f| f.disk).collect()
}

#[test]
fn the_fhir_fixture_is_expanded_sealed_and_read() {
    let mut home = Home::new();
    for entry in fs::read_dir(fixture("fhir/clinosim_jp")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "xz") {
            fs::copy(&path, home.path().join("in").join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut text = String::new();
    XzDecoder::new(fs::File::open(fixture("fhir/clinosim_jp/Patient.ndjson.xz")).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let ids: Vec<String> = text
        .lines()
        .map(|l| {
            serde_json::from_str::<serde_json::Value>(l).unwrap()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    for id in &ids {
        home.notify(id, &Regime::ALL, "2023-01-01");
    }
    home.request("2025-06-01");
    let report = home.seal("2025-06-01").unwrap();
    let withheld: u64 = report.withheld.values().sum();
    assert_eq!(report.kept_persons + withheld, ids.len() as u64);
    assert!(report.kept_persons > 150, "{:?}", report.withheld);
    let (delivery, totals) = crate::receipts::read(&home.open(&report.path).unwrap());
    assert!(delivery.counts.balances());
    assert_eq!(totals.of("person"), report.kept_persons);
    assert!(totals.of("measurement") > 1000);
}

#[test]
fn the_deliberate_defects_of_the_nho_sample_are_quarantined_with_reasons() {
    let Some(samples) = samples() else { return };
    let mut home = Home::new();
    copy_tree(&samples.join("ssmix2"), &home.path().join("in"));
    for id in ["9999013", "0000001"] {
        home.notify(id, &Regime::ALL, "2024-05-01");
    }
    // The holder's client sends no defective file; it says which rule each breaks.
    let gated = home.seal("2025-06-01").unwrap();
    assert!(gated.withheld_segments.values().sum::<u64>() > 0);
    // Were they sent all the same, the producer would put them into quarantine.
    let ungated = home.seal_ungated("2025-06-01");
    let (delivery, _) = crate::receipts::read(&home.open(&ungated.path).unwrap());
    assert!(delivery.counts.balances());
    assert!(!delivery.counts.quarantined_segments.is_empty());
    for rule in delivery.counts.quarantined_segments.keys() {
        assert!(!kiban_intake::rule_ja(rule).is_empty());
        assert!(!delivery.rules[rule].places.is_empty());
    }
    assert!(!gated.unread.is_empty() || !delivery.unread.is_empty());
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests learn where the samples are from the environment"
)]
fn samples() -> Option<PathBuf> {
    let path = std::env::var("KIBAN_SAMPLES")
        .map(PathBuf::from)
        .unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples"));
    if path.join("ssmix2").is_dir() {
        return Some(path);
    }
    kiban_testkit::missing("the samples are not there: set KIBAN_SAMPLES");
    None
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
