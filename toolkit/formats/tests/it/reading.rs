//! Reads any file: all its segments, as [`cut`] gives them.

use kiban_formats::{CutError, Format, LineReader, Parsed, Piece, Want, cut, detect, phr};

use crate::lasting;

/// All segments and remarks of a file of a format.
pub(crate) fn segments(format: Format, path: &str, bytes: &[u8]) -> Vec<Parsed<'static>> {
    let mut out = Vec::new();
    if format == Format::HealthKit {
        // The export names nobody.
        let (mut reader, mut lines) = (phr::Reader::new("phr-person"), LineReader::new(bytes));
        while let Some(line) = lines.next_line().unwrap() {
            out.push(reader.parse_line(line.bytes, line.number, lasting()).copy_in(lasting()));
        }
        return out;
    }
    let done = cut::<CutError>(format, path, bytes, 64 << 20, Want::All, |piece| {
        match piece {
            Piece::Header(_) => {}
            Piece::Segment(unit) => out.push(unit.parsed.copy_in(lasting())),
            Piece::Remark(parsed) => out.push(parsed.copy_in(lasting())),
        }
        Ok(())
    });
    // A file that cannot be cut says nothing.
    if done.is_err() {
        out.clear();
    }
    out
}

/// The format's name in `expected.json`.
pub(crate) fn name(format: Format) -> &'static str {
    match format {
        Format::SsMix2 => "ssmix2",
        Format::SsMix2Extended => "ssmix2_extended",
        Format::CheckupXml => "checkup",
        Format::Mml => "mml",
        Format::FhirJson => "fhir_json",
        Format::FhirNdjson => "fhir_ndjson",
        Format::HealthKit => "healthkit",
        Format::CareClaims => "care",
        Format::CareCertification => "certification",
        Format::MunicipalCsv => "municipal",
        Format::Uke => "uke",
        Format::Dpc => "dpc",
        Format::Jahis => "jahis",
    }
}

/// The format that `detect` finds from path and first bytes.
pub(crate) fn detected(path: &str, bytes: &[u8]) -> Option<Format> {
    detect(path, &bytes[..bytes.len().min(65_536)])
}
