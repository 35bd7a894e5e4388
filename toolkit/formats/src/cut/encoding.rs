//! How a file is encoded, for reports.
//!
//! Enters: a format and the file's first bytes. Leaves: the encoding's name. Refuses: nothing.

use super::lines::trim_end;
use crate::{Format, care, delimited::Charset, municipal, xml};

/// How a file is encoded, told by its first bytes (some KiB), as reports name it.
pub fn encoding(format: Format, first_bytes: &[u8]) -> &'static str {
    let charset = |c: Charset| match c {
        Charset::Cp932 => "CP932",
        Charset::Utf8 => "UTF-8",
    };
    match format {
        Format::SsMix2 => "ISO-2022-JP",
        Format::SsMix2Extended => "binary",
        Format::FhirNdjson | Format::FhirJson | Format::HealthKit => "UTF-8",
        Format::MunicipalCsv => {
            let lines = first_bytes.split(|b| *b == b'\n').map(trim_end);
            municipal::Reader::find(lines).map_or("CP932", |(r, _)| r.encoding().as_str())
        }
        Format::CareClaims | Format::CareCertification => care::encoding(first_bytes).as_str(),
        Format::Uke | Format::Dpc | Format::Jahis => {
            // The cut may go through a character: whole lines only.
            let end = memchr::memrchr(b'\n', first_bytes).map_or(first_bytes.len(), |i| i + 1);
            charset(Charset::of(&first_bytes[..end]))
        }
        Format::CheckupXml | Format::Mml => declared(first_bytes),
    }
}

/// Of an XML file: wide characters, else what the declaration says, else UTF-8.
fn declared(first_bytes: &[u8]) -> &'static str {
    if xml::is_wide(first_bytes) {
        return "UTF-16";
    }
    let head = &first_bytes[..first_bytes.len().min(200)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let declaration = text.split("?>").next().unwrap_or_default();
    if ["shift_jis", "windows-31j", "cp932", "ms932"].iter().any(|n| declaration.contains(n)) {
        "CP932"
    } else if declaration.contains("euc-jp") {
        "EUC-JP"
    } else {
        "UTF-8"
    }
}
