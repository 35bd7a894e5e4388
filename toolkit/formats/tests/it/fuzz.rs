//! `formats.total`, `formats.silent`: mutated samples and random bytes.

use std::path::Path;

use kiban_formats::{
    Parsed, delimited::Document, detect, dpc, fhir, jahis, municipal, rule_ja, segment::Cut,
    ssmix2, uke,
};
use proptest::prelude::*;

use crate::lasting;

/// Small inputs that once were interesting; `name` tells the reader.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = crate::tree(&folder).into_iter().collect();
    // The conformance files are part of it, by the names that tell their readers.
    for kind in ["uke", "dpc", "jahis"] {
        let all = crate::conformance::fixtures(kind).into_iter();
        files.extend(all.map(|(name, bytes)| (format!("{kind}/{name}"), bytes)));
    }
    files.sort();
    assert!(files.len() >= 8, "the corpus is part of the repository");
    files
}

const HEADER: &str =
    "宛名番号,氏名漢字,氏名カナ,生年月日,性別,郵便番号,住所,電話番号,職業,異動年月日,死亡年月日";

fn read(name: &str, bytes: &[u8]) -> Vec<Parsed<'static>> {
    let _ = detect(name, bytes);
    if name.contains(".hl7") {
        let file = "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1";
        let paths = ["OML-11", "PPR-01", "OMP-01", "OMP-11", "ADT-00", "ADT-22", "ADT-99"];
        let paths = paths.iter().map(|t| file.replace("OML-11", t));
        paths.map(|path| ssmix2::parse_file(&path, bytes, lasting())).collect()
    } else if name.starts_with("uke/") {
        let mut claims = uke::Claims::new(bytes, uke::Keyed::Insured);
        let mut all = Vec::new();
        while let Some((_, parsed)) = claims.next_claim().unwrap() {
            all.push(parsed.copy_in(lasting()));
        }
        let _ = claims.totals().issues();
        all
    } else if name.starts_with("dpc/") {
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let Ok(reader) = dpc::Reader::new(name, first) else { return Vec::new() };
        let mut segments = reader.segments(bytes);
        let mut all = Vec::new();
        while let Some(s) = segments.next_segment().unwrap() {
            all.push(reader.parse_segment(s.bytes, s.first_line, lasting()).copy_in(lasting()));
        }
        all
    } else if name.starts_with("jahis/") {
        let _ = jahis::join(&[bytes, bytes]);
        let mut segments = jahis::segments(bytes);
        let mut all = Vec::new();
        while let Some(s) = segments.next_segment().unwrap() {
            all.push(jahis::parse_segment(s.bytes, s.first_line, lasting()).copy_in(lasting()));
        }
        all
    } else if name.contains(".ndjson") {
        bytes
            .split(|b| *b == b'\n')
            .map(|l| fhir::parse_line(l, 1, lasting()).copy_in(lasting()))
            .collect()
    } else {
        let reader = municipal::Reader::new(HEADER.as_bytes()).unwrap();
        bytes
            .split(|b| *b == b'\n')
            .map(|l| reader.parse_row(l, 2, lasting()).copy_in(lasting()))
            .collect()
    }
}

fn check(parsed: &Parsed<'_>, blank: bool) {
    let said = !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty();
    assert!(said || blank, "nothing was said");
    assert!(!parsed.rejected || (parsed.records.is_empty() && parsed.person.is_none()));
    assert!(!parsed.rejected || !parsed.issues.is_empty());
    assert!(parsed.records.is_empty() || parsed.person.is_some());
    for issue in &parsed.issues {
        assert_ne!(rule_ja(issue.rule), rule_ja(""), "{}", issue.rule);
    }
}

#[test]
fn the_corpus_is_replayed() {
    for (name, bytes) in corpus() {
        for parsed in read(&name, &bytes) {
            check(&parsed, true);
        }
    }
}

#[test]
fn neither_issues_nor_debug_show_a_value() {
    // Every value of this message, line and row holds the mark.
    const MARK: &str = "秘密";
    let message = format!(
        "MSH|^~\\&|{MARK}||||||ADT^A08\rPID|{MARK}||7||{MARK}^{MARK}\rOBX|1|NM|{MARK}||{MARK}\r{MARK}|1\rIN1|{MARK}"
    );
    let line = format!(
        r#"{{"resourceType":"Observation","{MARK}":1,"subject":{{"reference":"Patient/{MARK}"}},"code":{{"text":"{MARK}"}}}}"#
    );
    let broken = format!(r#"{{"resourceType":"Observation","status":["{MARK}"]}}"#);
    let row =
        format!("{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK}");
    let hl7 = ssmix2::encode(&message).unwrap();
    let reader = municipal::Reader::new(HEADER.as_bytes()).unwrap();
    let claim = format!(
        "RE,{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},,,,,,,{MARK}\r\nHO,{MARK},{MARK},{MARK},{MARK},{MARK}\r\nSI,{MARK},{MARK},{MARK},{MARK},{MARK},{MARK},{MARK}\r\nSY,{MARK},{MARK},{MARK},{MARK},{MARK}\r\n{MARK},1\r\n"
    );
    let stay = format!("131234567\t{MARK}\t{MARK}\t0\t0\t{MARK}\t{MARK}\t0\t{MARK}");
    let notebook = format!(
        "JAHISTC08,1\n1,{MARK},{MARK},{MARK}\n5,{MARK}\n201,{MARK},{MARK},{MARK},{MARK},{MARK},{MARK}\n{MARK},1"
    );
    let claims = uke::Reader::new(b"IR,1,13,1,1234567,,,202405,00").unwrap();
    let stays =
        dpc::Reader::new("FF1_1", b"131234567\t1\t20240401\t0\t0\tA000010\t20240401\t0\t\t")
            .unwrap();
    let all = [
        ssmix2::parse_file("7_-_ADT-00_9_20240101090000000_-_1", &hl7, lasting()),
        ssmix2::parse_file(&format!("{MARK}_-_{MARK}_9_20240101090000000_-_1"), &hl7, lasting()),
        fhir::parse_line(line.as_bytes(), 1, lasting()),
        fhir::parse_line(broken.as_bytes(), 1, lasting()),
        reader.parse_row(row.as_bytes(), 2, lasting()),
        claims.parse_segment(claim.as_bytes(), 2, lasting()),
        stays.parse_segment(stay.as_bytes(), 2, lasting()),
        jahis::parse_segment(notebook.as_bytes(), 1, lasting()),
    ];
    assert!(!all[0].records.is_empty() && !all[2].records.is_empty() && !all[4].records.is_empty());
    assert!(all[5..].iter().all(|p| !p.records.is_empty()));
    for parsed in all {
        let shown = format!("{parsed:?}");
        assert!(!shown.contains(MARK), "{shown}");
    }
}

fn mutated() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files = corpus();
    let pick = proptest::sample::select(files);
    let edits =
        proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 0..12);
    (pick, edits).prop_map(|((name, mut bytes), edits)| {
        for (at, how, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => {
                    bytes.remove(at);
                }
                _ => bytes.truncate(at),
            }
        }
        (name, bytes)
    })
}

/// Rows of one delimited file cut, moved, doubled; cells emptied, exchanged, filled with what hurts.
fn restructured() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files: Vec<_> = corpus()
        .into_iter()
        .filter(|(name, _)| ["uke/", "dpc/", "jahis/"].iter().any(|k| name.starts_with(k)))
        .collect();
    let hurts = prop_oneof![
        Just(&b""[..]),
        Just(&b"0"[..]),
        Just(&b"-9999999999999999999"[..]),
        Just(&b"99999999999999"[..]),
        Just(&b"\x81"[..]),
        Just(&b"\xEF\xBB\xBF"[..]),
        Just(&b"\x1a"[..]),
        Just(&b"BU"[..]),
        Just(&b"RE"[..]),
        Just(&b"JAHISTC99"[..]),
        Just(&b"123456789018"[..]),
        Just("\u{82}\u{A0}漢".as_bytes()),
    ];
    let index = any::<prop::sample::Index>;
    let edits = proptest::collection::vec((index(), index(), 0u8..6, hurts), 0..8);
    (proptest::sample::select(files), edits).prop_map(|((name, bytes), edits)| {
        let comma = !name.starts_with("dpc/") || name.contains("comma");
        let delimiter = if comma { b',' } else { b'\t' };
        let mut rows: Vec<Vec<Vec<u8>>> = bytes
            .split(|b| *b == b'\n')
            .map(|row| row.split(|b| *b == delimiter).map(<[u8]>::to_vec).collect())
            .collect();
        for (row, cell, how, hurt) in edits {
            let at = row.index(rows.len());
            let place = cell.index(rows[at].len());
            match how {
                0 => rows[at][place] = hurt.to_vec(),
                1 => rows[at].insert(place, hurt.to_vec()),
                2 => {
                    rows[at].truncate(place.max(1));
                }
                3 => {
                    let copy = rows[at].clone();
                    rows.insert(at, copy);
                }
                4 => {
                    let other = cell.index(rows.len());
                    rows.swap(at, other);
                }
                _ if rows.len() > 1 => {
                    rows.remove(at);
                }
                _ => {}
            }
        }
        let rows: Vec<Vec<u8>> = rows.iter().map(|cells| cells.join(&delimiter)).collect();
        (name, rows.join(&b'\n'))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn restructured_files_give_records_or_reasons((name, bytes) in restructured()) {
        for parsed in read(&name, &bytes) {
            check(&parsed, true);
        }
        prop_assert!(Document::parse(&bytes, b',').to_bytes() == bytes);
    }

    #[test]
    fn cutters_take_any_line(lines in proptest::collection::vec("(RE|IR|GO|MN|HR|JAHIS1|1\t2\t3|[a-z,\t]{0,9})", 0..30)) {
        let mut claims = uke::cutter();
        let mut texts = jahis::cutter();
        for line in &lines {
            let alone = matches!(line.as_str(), "IR" | "GO");
            prop_assert_eq!(claims(line.as_bytes()) == Cut::Alone, alone);
            prop_assert_eq!(texts(line.as_bytes()) == Cut::Begin, line == "JAHIS1");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_samples_give_records_or_reasons((name, bytes) in mutated()) {
        for parsed in read(&name, &bytes) {
            check(&parsed, !name.contains(".hl7"));
        }
    }

    #[test]
    fn random_bytes_give_reasons(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["x.hl7", "x.ndjson", "x.csv", "uke/x", "dpc/EFn_x", "jahis/x"] {
            for parsed in read(name, &bytes) {
                check(&parsed, name != "x.hl7");
            }
        }
    }
}
