//! Which format a file is of, from its path and its first bytes.

use crate::{dpc, fhir, jahis, municipal, ssmix2, uke};

/// A format this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// SS-MIX2 standardized storage, one message per file.
    SsMix2,
    /// FHIR R4, one resource per line.
    FhirNdjson,
    /// CSV of a municipality.
    MunicipalCsv,
    /// Electronic claims (UKE).
    Uke,
    /// A file of the DPC survey.
    Dpc,
    /// JAHIS medication notebook or prescription symbol.
    Jahis,
}

impl Format {
    /// Text form, with the version of its reader: the `parser` of stored rows.
    pub fn parser(self) -> &'static str {
        match self {
            Self::SsMix2 => "ssmix2/1",
            Self::FhirNdjson => "fhir/1",
            Self::MunicipalCsv => "municipal/1",
            Self::Uke => "uke/1",
            Self::Dpc => "dpc/1",
            Self::Jahis => "jahis/1",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::SsMix2 => "SS-MIX2標準化ストレージ",
            Self::FhirNdjson => "FHIR NDJSON",
            Self::MunicipalCsv => "自治体CSV",
            Self::Uke => "電子レセプト",
            Self::Dpc => "DPC調査データ",
            Self::Jahis => "JAHISお薬手帳・処方箋",
        }
    }
}

/// The format, or `None` if the file is of none. `first_bytes` should hold the first line, or some KiB.
pub fn detect(path: &str, first_bytes: &[u8]) -> Option<Format> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if first_bytes.starts_with(b"MSH|") || ssmix2::FileName::parse(file).is_ok() {
        return Some(Format::SsMix2);
    }
    let start = first_bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first_bytes).trim_ascii_start();
    if start.first() == Some(&b'{') {
        let named = memchr::memmem::find(start, b"\"resourceType\"").is_some();
        return (named || fhir::is_ndjson_name(file)).then_some(Format::FhirNdjson);
    }
    let end = memchr::memchr2(b'\r', b'\n', first_bytes).unwrap_or(first_bytes.len());
    let line = &first_bytes[..end];
    if uke::Reader::new(line).is_ok() {
        return Some(Format::Uke);
    }
    if jahis::Kind::of(line).is_some() {
        return Some(Format::Jahis);
    }
    if dpc::Reader::new(path, line).is_ok() {
        return Some(Format::Dpc);
    }
    municipal::Reader::new(line).is_ok().then_some(Format::MunicipalCsv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let name = "a/9999013_20110701_OMP-01_000000011000185_20110701224603984_01_1";
        assert_eq!(detect(name, b"\r\n"), Some(Format::SsMix2));
        assert_eq!(detect("x", b"MSH|^~\\&|"), Some(Format::SsMix2));
        let line = b" {\"id\":\"1\",\"resourceType\":\"Patient\"}";
        assert_eq!(detect("Patient.ndjson", line), Some(Format::FhirNdjson));
        assert_eq!(detect("Patient.ndjson", b"{\"id\":"), Some(Format::FhirNdjson));
        let header = "宛名番号,死亡年月日,死因コード\r\n1,2,3";
        assert_eq!(detect("death.csv", header.as_bytes()), Some(Format::MunicipalCsv));
        assert_eq!(detect("x", b"IR,1,12,1,0000000,,,202111,00\r\n"), Some(Format::Uke));
        assert_eq!(detect("x", b"YK,1,12,4,0000000,,202111\r\n"), Some(Format::Uke));
        assert_eq!(detect("x", b"JAHISTC08,1\r\n1,"), Some(Format::Jahis));
        assert_eq!(detect("x", b"JAHIS10\n1,"), Some(Format::Jahis));
        let row = "\t000000001\t20240410\t20240401\t50\t0001\t001";
        let row = format!("131234567{row}{}", "\t".repeat(24));
        assert_eq!(detect("x.txt", row.as_bytes()), Some(Format::Dpc));
        for other in [&b"{}"[..], b"", b"a,b,c", b"<xml/>", b"\xff\xfe"] {
            assert_eq!(detect("notes.txt", other), None);
        }
    }
}
