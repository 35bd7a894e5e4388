//! `formats.total`, `formats.silent` for XML, care, mapped and personal records: mutated conformance files and a kept corpus.

use std::path::Path;

use kiban_formats::{Format, Parsed, detect, mapped, mml, rule_ja};
use proptest::prelude::*;

use crate::{lasting, reading};

/// Format, path, bytes: the conformance files and the inputs that once were interesting.
fn corpus() -> Vec<(Format, String, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    for (path, bytes) in crate::tree(&tests.join("fixtures_b")) {
        if let Some(format) = reading::detected(&path, &bytes).filter(|_| path != "expected.json") {
            files.push((format, path, bytes));
        }
    }
    for (path, bytes) in crate::tree(&tests.join("corpus_b")) {
        let format = match path.rsplit('.').next() {
            Some("cda") => Format::CheckupXml,
            Some("mml") => Format::Mml,
            Some("care") => Format::CareClaims,
            Some("phr") => Format::HealthKit,
            _ => continue,
        };
        files.push((format, path, bytes));
    }
    files.sort_by(|a, b| a.1.cmp(&b.1));
    assert!(files.len() > 70, "the corpus is part of the repository");
    files
}

fn check(parsed: &Parsed<'_>) {
    assert!(!parsed.rejected || (parsed.records.is_empty() && parsed.person.is_none()));
    assert!(!parsed.rejected || !parsed.issues.is_empty());
    assert!(parsed.records.is_empty() || parsed.person.is_some());
    for issue in &parsed.issues {
        assert_ne!(rule_ja(issue.rule), rule_ja(""), "{}", issue.rule);
    }
}

fn said(parsed: &Parsed<'_>) -> bool {
    !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty()
}

/// Reads by the given format and by whatever `detect` now says.
fn read(format: Format, path: &str, bytes: &[u8]) {
    let _ = detect(path, bytes);
    for parsed in reading::segments(format, path, bytes) {
        check(&parsed);
        let whole = matches!(format, Format::CheckupXml | Format::Mml | Format::SsMix2Extended);
        assert!(said(&parsed) || !whole, "nothing was said of {path}");
    }
    if format == Format::Mml {
        check(&mml::parse_module(bytes, "p", lasting()));
    }
}

#[test]
fn the_corpus_is_replayed() {
    for (format, path, bytes) in corpus() {
        read(format, &path, &bytes);
    }
}

#[test]
fn neither_issues_nor_debug_show_a_value() {
    const MARK: &str = "秘密";
    for (format, path, bytes) in corpus() {
        // Every text between tags, in attributes that hold values, and in cells becomes the mark.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let mut marked = String::new();
        match format {
            Format::CheckupXml | Format::Mml => {
                for piece in text.split_inclusive('>') {
                    match piece.split_once('<') {
                        Some((t, tag)) if !t.trim().is_empty() => {
                            marked.extend([MARK, "<", tag]);
                        }
                        _ => marked.push_str(piece),
                    }
                }
                for name in ["extension", "value", "displayName"] {
                    let parts: Vec<&str> = marked.split(&format!(" {name}=\"")).collect();
                    marked = parts
                        .iter()
                        .enumerate()
                        .map(|(n, p)| match p.split_once('"') {
                            Some((_, rest)) if n > 0 => format!(" {name}=\"{MARK}\"{rest}"),
                            _ => (*p).to_owned(),
                        })
                        .collect();
                }
            }
            _ => continue,
        }
        for parsed in reading::segments(format, &path, marked.as_bytes()) {
            let shown = format!("{parsed:?}");
            assert!(!shown.contains(MARK), "{path}: {shown}");
        }
    }
}

/// Pieces that formats are made of, to put in the place of others.
const PIECES: [&str; 16] = [
    "<",
    ">",
    "/>",
    "</",
    "\"",
    "&amp;",
    "&#x10FFFF;",
    "&x;",
    "<![CDATA[",
    "<!DOCTYPE",
    ",",
    "\"\"",
    "123456789018",
    "2,",
    "<value>",
    "\u{3000}",
];

/// Cuts at the marks of the format and drops, doubles, swaps or replaces what lies between.
fn mutated() -> impl Strategy<Value = (Format, String, Vec<u8>)> {
    let pick = proptest::sample::select(corpus());
    let edits = proptest::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..6, any::<u8>()),
        0..8,
    );
    (pick, edits).prop_map(|((format, path, bytes), edits)| {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
        for byte in bytes {
            if matches!(byte, b'<' | b'>' | b',' | b'|' | b'"' | b'\n' | b'\r' | b'^') {
                parts.push(vec![byte]);
                parts.push(Vec::new());
            } else if let Some(last) = parts.last_mut() {
                last.push(byte);
            }
        }
        for (a, b, how, byte) in edits {
            let (a, b) = (a.index(parts.len()), b.index(parts.len()));
            match how {
                0 => parts.swap(a, b),
                1 => parts[a].clear(),
                2 => {
                    let double = parts[a].clone();
                    parts[b].extend(double);
                }
                3 => parts[a] = PIECES[usize::from(byte) % PIECES.len()].as_bytes().to_vec(),
                4 => parts[a].push(byte),
                _ => parts.truncate(a.max(1)),
            }
        }
        (format, path, parts.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_give_records_or_reasons((format, path, bytes) in mutated()) {
        read(format, &path, &bytes);
    }

    #[test]
    fn random_bytes_give_reasons(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::CheckupXml, Format::Mml, Format::CareClaims, Format::CareCertification, Format::HealthKit, Format::FhirJson, Format::MunicipalCsv] {
            read(format, "x", &bytes);
        }
        read(Format::SsMix2Extended, "7_20240101_a^b^c_1_20240101120000000_01_1/x", &bytes);
        let _ = mapped::Mapping::from_json(&String::from_utf8_lossy(&bytes));
    }
}
