//! What stands in an arena beside much else says what it says alone.

use std::{fs, path::Path};

use encoding_rs::SHIFT_JIS;
use kiban_formats::{
    Arena, CutError, Format, Parsed, Piece, RawPiece, Want, cut_keyed, cut_raw, dpc, jahis,
    uke::{self, Keyed},
};

use crate::lasting;

/// Fixtures of a folder.
fn fixtures(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Every segment, all in one arena, against what `alone` says of it and what [`cut_keyed`] hands on.
fn compare(
    (format, keyed, name, bytes): (Format, Keyed, &str, &[u8]),
    mut alone: impl FnMut(&[u8], u64) -> Parsed<'static>,
) -> usize {
    let mut raw = Vec::new();
    let mut at = 0;
    let cut = cut_raw::<CutError>(format, keyed, name, bytes, 16 << 20, Want::All, |piece| {
        match piece {
            RawPiece::Segment(unit) => {
                // The bytes of the file itself: they live as long as the arena.
                at += bytes[at..].windows(unit.bytes.len()).position(|w| w == unit.bytes).unwrap();
                let own = &bytes[at..at + unit.bytes.len()];
                raw.push((unit.parser.clone(), own, unit.line));
                at += own.len();
            }
            RawPiece::Header(lines) => at += lines.len(),
            RawPiece::Totals(..) | RawPiece::Remark(_) => {}
        }
        Ok(())
    });
    if cut.is_err() {
        return 0;
    }
    let arena = Arena::new();
    let all: Vec<Parsed<'_>> = raw
        .iter()
        .map(|(parser, bytes, line)| parser.parse(Want::All, bytes, *line, &arena))
        .collect();
    for ((_, bytes, line), parsed) in raw.iter().zip(&all) {
        assert!(*parsed == alone(bytes, *line), "{name}: segment at line {line}");
    }
    let mut handed = Vec::new();
    cut_keyed::<CutError>(format, keyed, name, bytes, 16 << 20, Want::All, |piece| {
        if let Piece::Segment(unit) = piece {
            handed.push(unit.parsed.copy_in(lasting()));
        }
        Ok(())
    })
    .unwrap();
    let told: Vec<_> = raw
        .iter()
        .zip(all)
        .filter(|((parser, ..), parsed)| !parser.is_remark(parsed))
        .map(|(_, parsed)| parsed.copy_in(lasting()))
        .collect();
    assert!(handed == told, "{name}: segments handed on");
    told.iter().map(|parsed| parsed.records.len()).sum()
}

fn claims(keyed: Keyed, name: &str, bytes: &[u8]) -> usize {
    let header = uke::Reader::new(bytes).ok();
    compare((Format::Uke, keyed, name, bytes), |bytes, line| match &header {
        Some(reader) => reader
            .clone()
            .keyed_by(keyed)
            .parse_segment(bytes, line, &Arena::new())
            .copy_in(lasting()),
        None => Parsed::rejected("uke.no-header", format!("line {line}")),
    })
}

fn stays(name: &str, bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let Ok(reader) = dpc::Reader::new(name, bytes[..end].trim_ascii_end()) else { return 0 };
    compare((Format::Dpc, Keyed::Institution, name, bytes), |bytes, line| {
        reader.parse_segment(bytes, line, &Arena::new()).copy_in(lasting())
    })
}

#[test]
fn claims_say_the_same_alone_and_beside_others() {
    let mut records = 0;
    for (name, bytes) in fixtures("uke") {
        // A file of several headers has a reader for each.
        if bytes.split(|b| *b == b'\n').filter(|l| l.starts_with(b"IR,")).count() > 1 {
            continue;
        }
        for keyed in [Keyed::Institution, Keyed::Insured] {
            records += claims(keyed, &name, &bytes);
        }
    }
    assert!(records > 200, "{records}");
}

#[test]
fn stays_say_the_same_alone_and_beside_others() {
    let (mut records, mut kinds) = (0, [0; 2]);
    for (name, bytes) in fixtures("dpc") {
        let found = stays(&name, &bytes);
        records += found;
        kinds[0] += if name.starts_with("EFn") { found } else { 0 };
        kinds[1] += if name.starts_with("Dn") { found } else { 0 };
    }
    assert!(records > 100 && kinds[0] > 0 && kinds[1] > 0, "{records} {kinds:?}");
}

#[test]
fn notebooks_say_the_same_alone_and_beside_others() {
    let mut records = 0;
    for (name, bytes) in fixtures("jahis").iter().filter(|(n, _)| !n.starts_with("split_")) {
        records += compare((Format::Jahis, Keyed::Institution, name, bytes), |bytes, line| {
            jahis::parse_segment(bytes, line, &Arena::new()).copy_in(lasting())
        });
    }
    assert!(records > 50, "{records}");
}

#[test]
fn an_arena_that_is_used_again_says_nothing_of_before() {
    let file = "IR,1,13,1,1234567,,,50604,00\r\n\
        RE,1,1112,50604,見本　花子,2,3190401,,,,,,,P1\r\nHO,06139999,１２,３４５,1,288\r\n\
        SI,60,1,160000310,,288,1,,,,,,,,,,,1,,,,,,,,2\r\n\
        IY,21,1,620000001,1.5,10,7,,,,,,,,,,,1\r\n";
    let bytes = SHIFT_JIS.encode(file).0;
    let (header, claim) = bytes.split_at(bytes.iter().position(|b| *b == b'\n').unwrap() + 1);
    let reader = uke::Reader::new(header).unwrap();
    let expected = reader.parse_segment(claim, 2, lasting());
    assert!(expected.records.iter().any(|r| crate::get(r, "started_at") == Some("5060405")));
    let mut arena = Arena::new();
    for _ in 0..3 {
        arena.reset();
        assert!(reader.parse_segment(claim, 2, &arena) == expected);
    }
}
