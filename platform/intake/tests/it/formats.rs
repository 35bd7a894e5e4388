//! Every format from the holder's files to stored rows: over the conformance files that an independent writer
//! made, and the counts that came with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use kiban_formats::{CutError, Format, Piece, Want, cut, cut_keyed, detect};
use kiban_intake::{Checked, ReceiveError, SegmentIds, format_name, format_of, holder::SealError};
use kiban_kernel::{Id, Regime};

use crate::home::{Home, holds};

const DAY: &str = "2025-06-01";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../toolkit/formats/tests")
}

/// The conformance files by format: path in the tree, bytes.
fn fixtures() -> BTreeMap<&'static str, (Format, BTreeMap<String, Vec<u8>>)> {
    let mut out = BTreeMap::new();
    for root in [tests().join("fixtures"), tests().join("fixtures_b")] {
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                let bytes = fs::read(&path).unwrap();
                let Some(format) = detect(&name, &bytes[..bytes.len().min(65536)]) else {
                    // The later parts of a split code do not say what they are.
                    assert!(name == "expected.json" || name.starts_with("jahis/split_"), "{name}");
                    continue;
                };
                let (_, files) =
                    out.entry(format_name(format)).or_insert_with(|| (format, BTreeMap::new()));
                files.insert(name, bytes);
            }
        }
    }
    assert_eq!(out.len(), 12, "{:?}", out.keys());
    out
}

/// What a file says: person, tables, bytes of each segment that can be kept.
fn segments(format: Format, path: &str, bytes: &[u8]) -> Vec<(String, Vec<&'static str>, Vec<u8>)> {
    let mut out = Vec::new();
    cut::<CutError>(format, path, bytes, 64 << 20, Want::All, |piece| {
        if let Piece::Segment(unit) = piece {
            let p = unit.parsed;
            if let (Some(person), false, false) = (p.person, p.rejected, p.records.is_empty()) {
                let tables = p.records.iter().map(kiban_formats::Record::table).collect();
                out.push((person.to_owned(), tables, unit.bytes.to_vec()));
            }
        }
        Ok(())
    })
    .unwrap();
    out
}

fn home_of(files: &BTreeMap<String, Vec<u8>>) -> Home {
    let home = Home::new();
    for (path, bytes) in files {
        home.file(path, bytes);
    }
    home
}

/// What the writer of the conformance files counted, by table.
fn counted(files: &BTreeMap<String, Vec<u8>>) -> Option<BTreeMap<String, u64>> {
    let text = fs::read(tests().join("fixtures_b/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let mut tables = BTreeMap::new();
    for path in files.keys() {
        for (table, rows) in expected.get(path)?["tables"].as_object()? {
            *tables.entry(table.clone()).or_default() += rows.as_u64()?;
        }
    }
    Some(tables)
}

fn ids(checked: &Checked) -> BTreeSet<String> {
    let ids = SegmentIds::new(&[5; 32]);
    let mut out = BTreeSet::new();
    checked
        .segments::<ReceiveError>(|s| {
            out.insert(ids.id(Id::from_bytes([1; 16]), s.header, s.bytes).to_string());
            Ok(())
        })
        .unwrap();
    out
}

#[test]
fn the_rows_of_every_format_are_what_its_writer_counted() {
    for (name, (format, files)) in fixtures() {
        let home = home_of(&files);
        if format_of(name).is_none() {
            continue;
        }
        let report = home.seal_ungated(DAY);
        let (delivery, totals) = crate::receipts::read(&home.open(&report.path).unwrap());
        assert!(delivery.counts.balances(), "{name}");
        let mut own: BTreeMap<String, u64> = BTreeMap::new();
        for (path, bytes) in &files {
            for (_, tables, _) in segments(format, path, bytes) {
                for table in tables {
                    *own.entry(table.to_owned()).or_default() += 1;
                }
            }
        }
        let rows: BTreeMap<String, u64> = totals.iter().map(|(t, n)| (t.to_owned(), n)).collect();
        assert_eq!(rows, own, "{name}");
        assert!(!rows.is_empty(), "{name}");
        if let Some(counted) = counted(&files) {
            assert_eq!(rows, counted, "{name}");
        }
    }
}

#[test]
fn of_a_person_who_was_not_notified_no_segment_leaves_in_any_format() {
    for (name, (format, files)) in fixtures() {
        if format_of(name).is_none() {
            continue;
        }
        let mut home = home_of(&files);
        let all: Vec<_> =
            files.iter().flat_map(|(path, bytes)| segments(format, path, bytes)).collect();
        let persons: BTreeSet<&String> = all.iter().map(|(p, _, _)| p).collect();
        let refused = (*persons.first().unwrap()).clone();
        for person in persons.iter().filter(|p| ***p != refused) {
            home.notify(person, &Regime::ALL, "2019-05-01");
        }
        let sealed = match home.seal(DAY) {
            Ok(sealed) => sealed,
            Err(SealError::NobodyToSend { .. }) => {
                assert!(persons.len() <= 2, "{name}");
                continue;
            }
            Err(e) => panic!("{name}: {e}"),
        };
        assert!(sealed.withheld["not_notified"] >= 1, "{name}");
        let plain = home.plain(&sealed.path);
        for (person, _, bytes) in &all {
            let text = &bytes[..];
            if *person == refused {
                assert!(!plain.windows(text.len()).any(|w| w == text), "{name}");
            }
        }
        let checked = home.open(&sealed.path).unwrap();
        let mut kept = 0;
        checked
            .segments::<ReceiveError>(|s| {
                assert!(s.person.is_some_and(|p| p != refused), "{name}");
                kept += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(kept, checked.manifest().segments, "{name}");
        // Sent again, every segment is known.
        let again = crate::home::run(
            &home.request(DAY),
            &kiban_testkit::SeededEntropy::new(9),
            &kiban_kernel::NoSteps,
        )
        .unwrap();
        assert_eq!(ids(&checked), ids(&home.open(&again.path).unwrap()), "{name}");
    }
}

#[test]
fn a_claim_is_stored_with_its_header_and_totals_of_the_file_stay_behind() {
    let claim = |no: &str| {
        format!(
            "RE,{no},1112,50604,,1,3400101,,,,,,,K{no},,,,,,,,,,,,,,,,,,,,,,,\r\n\
             HO,06132013,12,34,1,300,,,,,,,,,\r\nSI,11,1,111000110,,288,1,,,,,,,\r\n"
        )
    };
    let head = "IR,1,13,1,1234567,,MIHON,50605,00,\r\n";
    let text = format!("{head}{}{}GO,2,600,99\r\n\x1a", claim("1"), claim("2"));
    let mut home = Home::new();
    home.file("RECEIPTC.UKE", &text);
    home.notify("K1", &Regime::ALL, "2024-05-01");
    let sealed = home.seal(DAY).unwrap();
    assert_eq!((sealed.kept_persons, sealed.kept_segments), (1, 1));
    let plain = home.plain(&sealed.path);
    assert!(holds(&plain, ",K1,") && !holds(&plain, ",K2,") && !holds(&plain, "GO,2"));
    let mut seen = 0;
    home.open(&sealed.path)
        .unwrap()
        .segments::<ReceiveError>(|s| {
            seen += 1;
            assert_eq!((s.header, s.position().to_string().as_str()), (head.as_bytes(), "line 2"));
            assert!(s.parsed.records.iter().any(|r| r.table() == "person"));
            // Header and bytes are what the source's reader needs to read it again.
            let stored = [s.header, s.bytes].concat();
            assert_eq!(segments(Format::Uke, "x.UKE", &stored).len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn blocks_of_a_stay_that_come_to_stand_together_are_one_segment() {
    let row = |id: &str, order: u32| {
        format!("131234567\t{id}\t20240410\t20240401\t50\t{order:04}\t001{}\r\n", "\t1".repeat(24))
    };
    let text: String = [("A", 1), ("A", 2), ("B", 3), ("A", 4), ("B", 5), ("C", 6)]
        .into_iter()
        .map(|(id, n)| row(&format!("000000000{id}"), n))
        .collect();
    let mut home = Home::new();
    home.file("EFn_131234567_2404.txt", &text);
    for id in ["A", "C"] {
        home.notify(&format!("000000000{id}"), &Regime::ALL, "2024-05-01");
    }
    let sealed = home.seal(DAY).unwrap();
    assert_eq!(sealed.kept_persons, 2);
    let checked = home.open(&sealed.path).unwrap();
    let mut got = Vec::new();
    checked
        .segments::<ReceiveError>(|s| {
            got.push((s.person.unwrap().to_owned(), s.bytes.split(|b| *b == b'\n').count() - 1));
            Ok(())
        })
        .unwrap();
    assert_eq!(got, [("000000000A".to_owned(), 3), ("000000000C".to_owned(), 1)]);
}

#[test]
fn an_export_that_names_nobody_is_left_out_with_its_reason() {
    let mut home = Home::new();
    home.notify("p1", &Regime::ALL, "2024-05-01");
    home.file("Patient.ndjson", crate::home::patient("p1", "x"));
    home.file(
        "export.xml",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE HealthData [\n]>\n<HealthData locale=\"ja_JP\">\n</HealthData>\n",
    );
    let sealed = home.seal(DAY).unwrap();
    let codes: Vec<&str> = sealed.left_out.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, ["person_unnamed"]);
    assert!(kiban_intake::rule_ja("person_unnamed").contains("本人"));
}

#[test]
fn claims_of_an_insurer_are_sent_by_insurance() {
    let (format, files) = fixtures().remove("uke").unwrap();
    let mut home = home_of(&files);
    let mut insured = BTreeSet::new();
    let mut of_institutions = BTreeSet::new();
    for (path, bytes) in &files {
        of_institutions.extend(segments(format, path, bytes).into_iter().map(|(p, ..)| p));
        let keyed = kiban_formats::uke::Keyed::Insured;
        let bytes = bytes.as_slice();
        cut_keyed::<CutError>(format, keyed, path, bytes, 64 << 20, Want::All, |piece| {
            if let Piece::Segment(unit) = piece {
                insured.extend(unit.parsed.person.map(str::to_owned));
            }
            Ok(())
        })
        .unwrap();
    }
    // A claim without the institution's number is known by its insurance in either case.
    let all: Vec<String> = insured.difference(&of_institutions).cloned().collect();
    assert!(all.len() > 1, "claims with a number of the institution's");
    let (told, left) = all.split_at(all.len() / 2 + 1);
    for person in told {
        home.notify(person, &[Regime::Pseudo57], "2024-05-01");
    }
    // As an institution's files nobody in them is known.
    assert!(matches!(home.seal(DAY), Err(SealError::NobodyToSend { .. })));
    let mut request = home.request(DAY);
    request.profile.claims_of_insurer = true;
    let entropy = kiban_testkit::SeededEntropy::new(5);
    let report = crate::home::run(&request, &entropy, &kiban_kernel::NoSteps).unwrap();
    assert_eq!(report.kept_persons, told.len() as u64);
    let checked = home.open(&report.path).unwrap();
    assert!(checked.files().iter().all(|f| f.insured));
    let mut persons = BTreeSet::new();
    checked
        .segments::<ReceiveError>(|segment| {
            persons.insert(segment.person.unwrap().to_owned());
            Ok(())
        })
        .unwrap();
    assert_eq!(persons.into_iter().collect::<Vec<_>>(), told);
    let plain = home.plain(&report.path);
    // A key without a branch number may be the beginning of another.
    let mut alone = left.iter().filter(|l| told.iter().all(|t| !t.contains(l.as_str()))).peekable();
    assert!(alone.peek().is_some());
    assert!(alone.all(|person| !holds(&plain, person)));
    let text = request.profile.to_text().unwrap();
    assert!(text.contains("claims_of_insurer = true"));
}
