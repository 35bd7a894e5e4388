//! How fast files are read, alone, on one core: `cargo run --release -p kiban-formats --example throughput [SAMPLES]`.
//!
//! The check-up file is the largest of the conformance files, its items repeated to the size of a real one; the FHIR lines are those of
//! the cohort in `SAMPLES/fhir_clinosim_jp`, left out if it is not there.

use std::{io::Read as _, path::Path};

use kiban_formats::{Arena, checkup, fhir, mml};

/// Reads `bytes` again and again for about two seconds; prints the rate of the best round.
fn measure(name: &str, bytes: usize, mut read: impl FnMut() -> usize) {
    let mut best = f64::MAX;
    let mut records = 0;
    for _ in 0..20 {
        #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
        let start = std::time::Instant::now();
        records = read();
        best = best.min(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
    {
        println!(
            "{name}: {:.0} MB/s ({bytes} bytes, {records} records)",
            bytes as f64 / best / 1e6
        );
    }
}

fn main() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures_b");
    let path =
        tests.join("checkup/1310000001_00990001_202407010_1/DATA/h13100000012024070100001.xml");
    let text = std::fs::read_to_string(path).expect("the conformance file");
    let from = text.find("<entry>").expect("an entry");
    let until = text.rfind("</entry>").expect("an entry") + "</entry>".len();
    // A check-up has some hundred items.
    let entries = text[from..until].repeat(10);
    let file = [&text[..from], &entries, &text[until..]].concat();
    let rounds = 200;
    measure("check-up XML", file.len() * rounds, || {
        let count = |arena: &Arena| checkup::parse_file(file.as_bytes(), arena).records.len();
        (0..rounds).map(|_| count(&Arena::new())).sum()
    });
    let Some(samples) = std::env::args().nth(1) else { return };
    let mut lines = Vec::new();
    for kind in
        ["Observation", "Condition", "MedicationRequest", "Encounter", "Patient", "Immunization"]
    {
        let file = Path::new(&samples).join(format!("fhir_clinosim_jp/{kind}.ndjson.xz"));
        let Ok(file) = std::fs::File::open(file) else { continue };
        let _ = xz2::read::XzDecoder::new(file).read_to_end(&mut lines);
    }
    measure("FHIR NDJSON", lines.len(), || {
        let count = |line, arena: &Arena| fhir::parse_line(line, 1, arena).records.len();
        lines.split(|b| *b == b'\n').map(|line| count(line, &Arena::new())).sum()
    });
    if let Ok(file) = std::fs::read(Path::new(&samples).join("mml/mml4_sample1.xml")) {
        measure("MML", file.len() * rounds, || {
            (0..rounds).map(|_| mml::parse_file(&file, &Arena::new()).records.len()).sum()
        });
    }
}
