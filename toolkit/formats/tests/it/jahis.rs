//! JAHIS texts of a third party.

use kiban_formats::{Format, detect, jahis};

use crate::{get, lasting, uke::written_back};

#[test]
fn the_sample_texts_are_read_or_refused_with_a_reason() {
    let Some(samples) = crate::samples("jahis") else { return };
    let mut seen = 0;
    for (name, bytes) in crate::tree(&samples.join("jahis_tc")) {
        if std::path::Path::new(&name).extension().is_none_or(|e| e != "txt") {
            continue;
        }
        seen += 1;
        assert_eq!(detect(&name, &bytes), Some(Format::Jahis), "{name}");
        written_back(&bytes, b',');
        let parsed = jahis::parse_segment(&bytes, 1, lasting());
        let rules: Vec<_> = parsed.issues.iter().map(|i| i.rule).collect();
        let expected: &[&str] = match name.as_str() {
            "minimal-valid.txt" => &["jahis.no-date", "jahis.no-person"],
            "normalization-full.txt" => &["jahis.no-date"],
            "tc-invalid-missing-drug-code.txt" => &["jahis.no-code"],
            _ => &[],
        };
        assert_eq!(rules, expected, "{name}");
        assert_eq!(parsed.rejected, name == "minimal-valid.txt");
        if parsed.rejected {
            continue;
        }
        assert!(parsed.unread.is_empty(), "{name}: {:?}", parsed.unread);
        let drugs = parsed.records.iter().filter(|r| r.table() == "medication").count();
        let rows =
            bytes.split(|b| *b == b'\n').filter(|l| l.starts_with(b"201,") || l.starts_with(b"3,"));
        let expected = if name.starts_with("tc-") { rows.count() } else { 1 };
        assert_eq!(drugs, expected, "{name}");
    }
    assert_eq!(seen, 5);

    let bytes = std::fs::read(samples.join("jahis_tc/tc-supported-records-full.txt")).unwrap();
    let parsed = jahis::parse_segment(&bytes, 1, lasting());
    let drug = parsed.records.iter().find(|r| get(r, "code") == Some("612170709")).unwrap();
    assert_eq!(get(drug, "quantity"), Some("3"));
    assert_eq!(get(drug, "days"), Some("3"));
    assert_eq!(get(drug, "started_at"), Some("20260310"));
    assert_eq!(get(drug, "practitioner"), Some("工業会 太郎"));
    assert_eq!(get(drug, "usage_text"), Some("毎食後服用"));
}
