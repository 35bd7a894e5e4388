//! Readers alone, on bytes in memory, one thread.

use std::hint::black_box;

use kiban_formats::{Arena, CutError, Format, Piece, Want, cut, fhir, ssmix2};

use crate::{
    fixtures,
    generated::{Checkups, Kind},
    measure::Meter,
};

pub(crate) fn ssmix2(messages: u64) -> anyhow::Result<()> {
    let storage = fixtures::storage()?;
    let meter = Meter::start()?;
    let (mut records, mut bytes) = (0_usize, 0_usize);
    let mut arena = Arena::new();
    for message in storage.iter().cycle().take(messages as usize) {
        arena.reset();
        let parsed = ssmix2::parse_file(&message.path, &message.bytes, &arena);
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
    let mut arena = Arena::new();
    for _ in 0..rounds {
        for (_, text) in &files {
            for (number, line) in (1..).zip(text.split(|b| *b == b'\n')) {
                if line.is_empty() {
                    continue;
                }
                arena.reset();
                records += black_box(fhir::parse_line(line, number, &arena)).records.len();
                bytes += line.len();
            }
        }
    }
    meter.report("fhir-parse", &[(bytes as f64 / 1e6, "MB"), (records as f64, "records")])
}

pub(crate) fn generated(what: &str, kind: Kind, megabytes: u64, seed: u64) -> anyhow::Result<()> {
    let size = megabytes * 1_000_000;
    let mut files = Vec::new();
    let format = match kind {
        Kind::Checkup => {
            let checkups = Checkups::new()?;
            let mut bytes = 0;
            while bytes < size {
                let file = checkups.file(files.len() as u64).into_bytes();
                bytes += file.len() as u64;
                files.push(file);
            }
            Format::CheckupXml
        }
        _ => {
            let mut file = Vec::with_capacity(size as usize + (2 << 20));
            kind.write(size, seed, &mut file)?;
            files.push(file);
            if kind == Kind::Uke { Format::Uke } else { Format::Dpc }
        }
    };
    let bytes: usize = files.iter().map(Vec::len).sum();
    let meter = Meter::start()?;
    let (mut records, mut segments) = (0_usize, 0_usize);
    for file in &files {
        cut::<CutError>(format, kind.file(), file.as_slice(), 64 << 20, Want::All, |piece| {
            if let Piece::Segment(unit) = piece {
                records += black_box(unit.parsed).records.len();
                segments += 1;
            }
            Ok(())
        })?;
    }
    meter.report(
        what,
        &[(bytes as f64 / 1e6, "MB"), (records as f64, "records"), (segments as f64, "segments")],
    )
}
