//! Reads any file of the formats beside SS-MIX2's standardized storage, FHIR lines and municipal rows: all its segments.

use kiban_formats::{
    Format, LineReader, Parsed, care, checkup, detect, fhir, mml, municipal, phr, ssmix2,
};

/// All segments of a file of a format.
pub(crate) fn segments(format: Format, path: &str, bytes: &[u8]) -> Vec<Parsed<'static>> {
    let first = &bytes[..bytes.len().min(65_536)];
    match format {
        Format::SsMix2 => vec![ssmix2::parse_file(path, bytes)],
        Format::SsMix2Extended => vec![ssmix2::parse_extended(path, bytes)],
        Format::CheckupXml => vec![checkup::parse_file(bytes).into_owned()],
        Format::Mml => vec![mml::parse_file(bytes).into_owned()],
        Format::FhirJson => vec![fhir::parse_line(bytes, 1).into_owned()],
        Format::FhirNdjson => rows(bytes, 0, |line, n| fhir::parse_line(line, n).into_owned()),
        Format::HealthKit => {
            let mut reader = phr::Reader::new("phr-person");
            rows(bytes, 0, |line, n| reader.parse_line(line, n))
        }
        Format::CareClaims => {
            let reader = care::Reader::new(care::encoding(first));
            rows(bytes, 0, |line, n| reader.parse_row(line, n).into_owned())
        }
        Format::CareCertification => {
            let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
            let Ok(reader) = care::certification::Reader::new(line, care::encoding(first)) else {
                return Vec::new();
            };
            let skip = usize::from(reader.has_header());
            rows(bytes, skip, |line, n| reader.parse_row(line, n).into_owned())
        }
        Format::MunicipalCsv => match municipal::Reader::find(bytes.split(|b| *b == b'\n')) {
            Ok((reader, skip)) => {
                rows(bytes, skip, |line, n| reader.parse_row(line, n).into_owned())
            }
            Err(_) => Vec::new(),
        },
    }
}

fn rows(
    bytes: &[u8],
    skip: usize,
    mut each: impl FnMut(&[u8], u64) -> Parsed<'static>,
) -> Vec<Parsed<'static>> {
    let mut lines = LineReader::new(bytes);
    let mut out = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        if line.number > skip as u64 {
            out.push(each(line.bytes, line.number));
        }
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
    }
}

/// The format that `detect` finds from path and first bytes.
pub(crate) fn detected(path: &str, bytes: &[u8]) -> Option<Format> {
    detect(path, &bytes[..bytes.len().min(65_536)])
}
