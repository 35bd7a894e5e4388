//! Files that an independent writer (`fixtures/*/write_*.py`) made from the field tables: one per record
//! type. Nothing in them may be lost without a name, and each is written back as it was.

use std::{collections::BTreeMap, path::Path};

use kiban_formats::{
    Format, Issue, Parsed, delimited::Document, detect, dpc, jahis, segment::Segment, uke,
};

use crate::{lasting, uke::written_back};

pub(crate) fn fixtures(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let files = crate::tree(&place);
    assert!(files.len() > 10, "the fixtures are part of the repository");
    files
}

pub(crate) fn fixture(folder: &str, name: &str) -> Vec<u8> {
    fixtures(folder).remove(name).unwrap_or_else(|| panic!("{name}"))
}

/// Segments of a file with what they say, and the file's own defects.
pub(crate) fn read(
    name: &str,
    bytes: &[u8],
) -> (Vec<(Vec<u8>, Parsed<'static>)>, Vec<Issue<'static>>) {
    let mut out = Vec::new();
    let mut keep = |segment: Segment<'_>, parsed: Parsed<'_>| {
        out.push((segment.bytes.to_vec(), parsed.copy_in(lasting())));
    };
    let first = &bytes[..bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len())];
    match detect(name, bytes) {
        Some(Format::Uke) => {
            let mut claims = uke::Claims::new(bytes, uke::Keyed::Institution);
            while let Some((segment, parsed)) = claims.next_claim().unwrap() {
                keep(segment, parsed);
            }
            let issues = claims.totals().issues();
            return (out, issues);
        }
        Some(Format::Dpc) => {
            let reader = dpc::Reader::new(name, first).unwrap();
            let mut segments = reader.segments(bytes);
            while let Some(segment) = segments.next_segment().unwrap() {
                keep(segment, reader.parse_segment(segment.bytes, segment.first_line, lasting()));
            }
        }
        Some(Format::Jahis) => {
            let mut segments = jahis::segments(bytes);
            while let Some(segment) = segments.next_segment().unwrap() {
                keep(segment, jahis::parse_segment(segment.bytes, segment.first_line, lasting()));
            }
        }
        other => panic!("{name}: {other:?}"),
    }
    (out, Vec::new())
}

fn values(parsed: &Parsed<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for record in &parsed.records {
        record.for_each(|_, value| all.extend(value.map(str::to_owned)));
    }
    all
}

/// Every filled field of a segment stands in a value of its records, or its record or field is unread by
/// name.
fn nothing_is_lost(name: &str, bytes: &[u8], delimiter: u8, parsed: &Parsed<'_>) {
    let document = Document::parse(bytes, delimiter);
    let values = values(parsed);
    for row in 0..document.rows().len() {
        let id = document.text(row, 1).unwrap().into_owned();
        let from = usize::from(delimiter == b',' && !name.starts_with("EF")) + 1;
        for field in from..=document.rows()[row].width() {
            let text = document.text(row, field).unwrap();
            let text = text.trim();
            // Counts of days, kinds of payers and serial numbers are told by other words.
            if text.is_empty() || text.chars().count() < 3 && text.is_ascii() {
                continue;
            }
            let kept =
                values.iter().any(|v| v.contains(text) || v.contains(&text.replace(';', "\\;")));
            let named = parsed.unread.iter().any(|u| {
                **u == *id
                    || **u == *format!("{id}.{field}")
                    || u.ends_with(&format!(".{id}"))
                    || **u == *"医師コード" && text == "医000123"
            });
            assert!(kept || named, "{name} row {row} field {field} of {id} is lost");
        }
    }
}

#[test]
fn claims_lose_nothing_and_are_written_back() {
    for (name, bytes) in fixtures("uke") {
        written_back(&bytes, b',');
        let (segments, issues) = read(&name, &bytes);
        assert!(issues.is_empty(), "{name}: {issues:?}");
        let joined: Vec<u8> = segments.iter().flat_map(|(b, _)| b.clone()).collect();
        assert!(joined == bytes, "{name}");
        for (bytes, parsed) in &segments {
            if uke::piece(bytes) != uke::Piece::Claim {
                continue;
            }
            assert!(parsed.person.is_some() && !parsed.rejected, "{name}: {parsed:?}");
            let expected: &[&str] = match name.as_str() {
                "medical_TI.UKE" => &["uke.donor"],
                "dpc_stay.UKE" => &["uke.coding-duplicate"],
                _ => &[],
            };
            let rules: Vec<&str> = parsed.issues.iter().map(|i| i.rule).collect();
            assert!(rules.iter().all(|r| expected.contains(r)), "{name}: {:?}", parsed.issues);
            if name == "pharmacy_SH.UKE" {
                // The month and day of a dispensing are told with their year.
                assert!(values(parsed).iter().any(|v| v == "20231228"));
            }
            nothing_is_lost(&name, bytes, b',', parsed);
        }
    }
}

#[test]
fn survey_files_lose_nothing_and_are_written_back() {
    for (name, bytes) in fixtures("dpc") {
        let delimiter = if name.contains("comma") { b',' } else { b'\t' };
        written_back(&bytes, delimiter);
        let (segments, _) = read(&name, &bytes);
        for (at, (bytes, parsed)) in segments.iter().enumerate() {
            assert!(parsed.issues.is_empty(), "{name}: {:?}", parsed.issues);
            let header = at == 0
                && !name.contains("noheader")
                && !name.contains("comma")
                && !name.contains("fixed");
            if header || name.contains("fixed") {
                continue;
            }
            if name.starts_with("Kn") {
                assert_eq!(parsed.unread, ["K.一次共通ID"]);
                assert!(parsed.person.is_some() && parsed.records.is_empty());
            } else if name.starts_with("FF3") {
                assert_eq!(parsed.unread, ["様式3.病院名", "様式3.病床総数", "様式3.入院基本料"]);
                assert!(parsed.person.is_none() && parsed.records.is_empty());
            } else {
                let allowed = ["医師コード"];
                assert!(
                    parsed.unread.iter().all(|u| allowed.contains(&&**u)),
                    "{name}: {:?}",
                    parsed.unread
                );
                nothing_is_lost(&name, bytes, delimiter, parsed);
            }
        }
        assert!(segments.len() <= 2, "{name}: one stay");
    }
}

#[test]
fn jahis_texts_lose_nothing_and_are_written_back() {
    for (name, bytes) in fixtures("jahis") {
        if name.starts_with("split") {
            continue;
        }
        written_back(&bytes, b',');
        let (segments, _) = read(&name, &bytes);
        let [(bytes, parsed)] = &segments[..] else { panic!("{name}") };
        assert!(parsed.issues.is_empty(), "{name}: {:?}", parsed.issues);
        assert!(parsed.unread.is_empty(), "{name}: {:?}", parsed.unread);
        let body = bytes.splitn(2, |b| *b == b'\n').nth(1).unwrap();
        nothing_is_lost(&name, body, b',', parsed);
    }
}
