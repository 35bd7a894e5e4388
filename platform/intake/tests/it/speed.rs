//! How fast a sealed delivery is checked, cut, parsed and turned into rows. Not a test: run it with
//! `cargo test --release -p kiban-intake -- --ignored --nocapture speed`.

use std::{fs, time::Instant};

use kiban_intake::{ReceiveError, holder::SealReport};
use kiban_kernel::Regime;
use xz2::read::XzDecoder;

use crate::{
    home::Home,
    samples::{fixture, holder_files},
};

#[test]
#[ignore = "measures, does not test"]
fn fhir() {
    let mut home = Home::new();
    let unpack = |name: &str| {
        let file =
            fs::File::open(fixture("fhir/clinosim_jp").join(format!("{name}.ndjson.xz"))).unwrap();
        std::io::read_to_string(XzDecoder::new(file)).unwrap()
    };
    let patients = unpack("Patient");
    for line in patients.lines() {
        let id = serde_json::from_str::<serde_json::Value>(line).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        home.notify(&id, &Regime::ALL, "2020-01-01");
    }
    home.file("Patient.ndjson", &patients);
    for name in ["Observation", "MedicationRequest", "Condition", "Encounter"] {
        let text = unpack(name);
        for part in 0..8 {
            home.file(&format!("{part}/{name}.ndjson"), &text);
        }
    }
    report(&home, "fhir");
}

#[test]
#[ignore = "measures, does not test"]
fn ss_mix2() {
    let mut home = Home::new();
    for part in 0..6 {
        let tar = fs::File::open(fixture("ssmix2/generated/storage_20patients.tar.xz")).unwrap();
        let into = home.path().join(format!("in/{part}"));
        tar::Archive::new(XzDecoder::new(tar)).unpack(into).unwrap();
    }
    let names = holder_files(&home)
        .into_iter()
        .map(|p| p.file_name().unwrap().to_string_lossy().into_owned());
    let persons: std::collections::BTreeSet<String> =
        names.map(|n| n.split('_').next().unwrap().to_owned()).collect();
    for id in persons {
        home.notify(&id, &Regime::ALL, "2020-01-01");
    }
    report(&home, "ssmix2");
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "this measures time and prints it"
)]
fn report(home: &Home, what: &str) {
    let start = Instant::now();
    let sealed: SealReport = home.seal("2025-06-01").unwrap();
    let sealing = start.elapsed();
    let start = Instant::now();
    let checked = home.open(&sealed.path).unwrap();
    let opening = start.elapsed();
    let start = Instant::now();
    checked.person_segments::<ReceiveError>(|_| Ok(())).unwrap();
    let looking = start.elapsed();
    let start = Instant::now();
    checked.segments::<ReceiveError>(|_| Ok(())).unwrap();
    let parsing = start.elapsed();
    let start = Instant::now();
    let (_, totals) = crate::receipts::read(&checked);
    let rows = start.elapsed();
    let megabytes = sealed.bytes as f64 / 1e6;
    eprintln!(
        "{what}: {megabytes:.1} MB, {} segments, {} rows; seal {sealing:.2?}, open {opening:.2?}, look {looking:.2?}, \
         parse {parsing:.2?}, parse and rows {rows:.2?}; {:.0} MB/s, {:.0} segments/s from seal to rows",
        sealed.kept_segments,
        totals.iter().map(|(_, n)| n).sum::<u64>(),
        megabytes / (opening + rows).as_secs_f64(),
        sealed.kept_segments as f64 / (opening + rows).as_secs_f64(),
    );
}
