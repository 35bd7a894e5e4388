//! Readers alone, on bytes in memory, one thread.

use std::hint::black_box;

use kiban_formats::{fhir, ssmix2};

use crate::{fixtures, measure::Meter};

pub(crate) fn ssmix2(messages: u64) -> anyhow::Result<()> {
    let storage = fixtures::storage()?;
    let meter = Meter::start()?;
    let (mut records, mut bytes) = (0_usize, 0_usize);
    for message in storage.iter().cycle().take(messages as usize) {
        let parsed = ssmix2::parse_file(&message.path, &message.bytes);
        anyhow::ensure!(!parsed.rejected, "a message of the fixture was rejected");
        records += black_box(parsed).records.len();
        bytes += message.bytes.len();
    }
    meter.report(
        "ssmix2-parse",
        &[(messages as f64, "messages"), (bytes as f64 / 1e6, "MB"), (records as f64, "records")],
    )
}

pub(crate) fn fhir(megabytes: u64) -> anyhow::Result<()> {
    let files = fixtures::fhir()?;
    let one: usize = files.iter().map(|(_, text)| text.len()).sum();
    let rounds = (megabytes * 1_000_000).div_ceil(one as u64);
    let meter = Meter::start()?;
    let (mut records, mut bytes) = (0_usize, 0_usize);
    for _ in 0..rounds {
        for (_, text) in &files {
            for (number, line) in (1..).zip(text.split(|b| *b == b'\n')) {
                if line.is_empty() {
                    continue;
                }
                records += black_box(fhir::parse_line(line, number)).records.len();
                bytes += line.len();
            }
        }
    }
    meter.report("fhir-parse", &[(bytes as f64 / 1e6, "MB"), (records as f64, "records")])
}
