//! Which format a file is of, from its path and its first bytes.

use crate::{care, checkup, dpc, fhir, jahis, mml, municipal, phr, ssmix2, uke, xml};

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
    /// SS-MIX2 extended storage, a folder per document.
    SsMix2Extended,
    /// One FHIR R4 resource or bundle as a file, over several lines.
    FhirJson,
    /// Specific health check-up or guidance, one person per file.
    CheckupXml,
    /// Claims exchange file of long-term care insurance.
    CareClaims,
    /// Certification of need for long-term care.
    CareCertification,
    /// MML.
    Mml,
    /// Export of a telephone's health store.
    HealthKit,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 13] = [
        Self::SsMix2,
        Self::SsMix2Extended,
        Self::FhirNdjson,
        Self::FhirJson,
        Self::MunicipalCsv,
        Self::Uke,
        Self::Dpc,
        Self::Jahis,
        Self::CheckupXml,
        Self::CareClaims,
        Self::CareCertification,
        Self::Mml,
        Self::HealthKit,
    ];

    /// Text form, as in manifests and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SsMix2 => "ssmix2",
            Self::SsMix2Extended => "ssmix2_extended",
            Self::FhirNdjson => "fhir_ndjson",
            Self::FhirJson => "fhir_json",
            Self::MunicipalCsv => "municipal_csv",
            Self::Uke => "uke",
            Self::Dpc => "dpc",
            Self::Jahis => "jahis",
            Self::CheckupXml => "checkup_xml",
            Self::CareClaims => "care_claims",
            Self::CareCertification => "care_certification",
            Self::Mml => "mml",
            Self::HealthKit => "healthkit",
        }
    }
    /// The format of a text form.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == name)
    }
    /// Text form, with the version of its reader: the `parser` of stored rows.
    pub fn parser(self) -> &'static str {
        match self {
            Self::SsMix2 => "ssmix2/1",
            Self::FhirNdjson => "fhir/1",
            Self::MunicipalCsv => "municipal/1",
            Self::Uke => "uke/1",
            Self::Dpc => "dpc/2",
            Self::Jahis => "jahis/1",
            Self::SsMix2Extended => "ssmix2-extended/1",
            Self::FhirJson => "fhir-json/1",
            Self::CheckupXml => "checkup/1",
            Self::CareClaims => "care-claims/1",
            Self::CareCertification => "care-certification/1",
            Self::Mml => "mml/1",
            Self::HealthKit => "healthkit/1",
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
            Self::SsMix2Extended => "SS-MIX2拡張ストレージ",
            Self::FhirJson => "FHIR JSON",
            Self::CheckupXml => "特定健診XML",
            Self::CareClaims => "介護給付費請求",
            Self::CareCertification => "要介護認定",
            Self::Mml => "MML",
            Self::HealthKit => "PHR（HealthKit）",
        }
    }
}

/// The format, or `None` if the file is of none. `first_bytes` should hold the first line, or some KiB.
pub fn detect(path: &str, first_bytes: &[u8]) -> Option<Format> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if ssmix2::is_extended_path(path) {
        return Some(Format::SsMix2Extended);
    }
    if first_bytes.starts_with(b"MSH|") || ssmix2::FileName::parse(file).is_ok() {
        return Some(Format::SsMix2);
    }
    let start = first_bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first_bytes).trim_ascii_start();
    if start.first() == Some(&b'{') {
        let named = memchr::memmem::find(start, b"\"resourceType\"").is_some();
        let lines = fhir::is_ndjson_name(file);
        // A resource over several lines does not close in its first line.
        let first = start.split(|b| *b == b'\n').next().unwrap_or(start).trim_ascii_end();
        let whole = !lines && named && first.last() != Some(&b'}') && first.len() < start.len();
        return match (whole, named || lines) {
            (true, _) => Some(Format::FhirJson),
            (false, true) => Some(Format::FhirNdjson),
            (false, false) => None,
        };
    }
    if start.first() == Some(&b'<') || xml::is_wide(first_bytes) {
        let root = xml::root_name(start);
        let root = root.as_deref().unwrap_or("");
        return if root == "HealthData" || phr::is_export(start) {
            Some(Format::HealthKit)
        } else if checkup::is_root(root) {
            Some(Format::CheckupXml)
        } else if mml::is_root(root) {
            Some(Format::Mml)
        } else {
            None
        };
    }
    let end = memchr::memchr2(b'\r', b'\n', first_bytes).unwrap_or(first_bytes.len());
    let line = &first_bytes[..end];
    if uke::Reader::new(line).is_ok() {
        return Some(Format::Uke);
    }
    if jahis::Kind::of(line).is_some() {
        return Some(Format::Jahis);
    }
    let lines = || first_bytes.split(|b| *b == b'\n').take(10);
    if care::is_control(line) {
        return Some(Format::CareClaims);
    }
    if care::certification::Reader::new(line, care::encoding(first_bytes)).is_ok() {
        return Some(Format::CareCertification);
    }
    if dpc::Reader::new(path, line).is_ok() {
        return Some(Format::Dpc);
    }
    municipal::Reader::find(lines()).is_ok().then_some(Format::MunicipalCsv)
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
        let title = "特定健診受診者一覧\r\n宛名番号,実施年月日,9N001000000000001\r\n";
        assert_eq!(detect("kdb.csv", title.as_bytes()), Some(Format::MunicipalCsv));
        let folder = "9/1/7/20240101/x^y/7_20240101_L-OBSERVATIONS^OBSERVATIONS^99ZL01_1_20240101120000000_01_1/main.pdf";
        assert_eq!(detect(folder, b"%PDF"), Some(Format::SsMix2Extended));
        assert_eq!(detect("b.json", b"{\n \"resourceType\": \"Bundle\","), Some(Format::FhirJson));
        assert_eq!(
            detect("h.xml", b"<?xml version=\"1.0\"?>\n<ClinicalDocument x="),
            Some(Format::CheckupXml)
        );
        assert_eq!(detect("w.xml", b"\xFF\xFE<\0M\0m\0l\0>\0"), Some(Format::Mml));
        assert_eq!(detect("m.xml", b"<mml:Mml version="), Some(Format::Mml));
        assert_eq!(detect("e.xml", b"<?xml?><!DOCTYPE HealthData ["), Some(Format::HealthKit));
        let control = b"1,1,0,3,711,0,990001,1370000001,13,1,202405,1\r\n2,";
        assert_eq!(detect("c.csv", control), Some(Format::CareClaims));
        let header = "保険者番号,被保険者番号,認定申請日,二次判定結果";
        assert_eq!(detect("n.csv", header.as_bytes()), Some(Format::CareCertification));
        for other in [&b"{}"[..], b"", b"a,b,c", b"<xml/>", b"\xff\xfe"] {
            assert_eq!(detect("notes.txt", other), None);
        }
    }
}
