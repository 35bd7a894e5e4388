//! Claims against a sample file of a third party, counted independently of the reader.

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::SHIFT_JIS;
use kiban_formats::{
    Parsed,
    delimited::Document,
    uke::{self, Claims, Form, Keyed, Piece},
};

use crate::{get, lasting};

fn read(bytes: &[u8], keyed: Keyed) -> (Vec<(Vec<u8>, Parsed<'static>)>, uke::Totals) {
    let mut claims = Claims::new(bytes, keyed);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some((segment, parsed)) = claims.next_claim().unwrap() {
        assert_eq!(segment.offset, at);
        at += segment.bytes.len() as u64;
        out.push((segment.bytes.to_vec(), parsed.copy_in(lasting())));
    }
    assert_eq!(at, bytes.len() as u64, "the segments are the file");
    let totals = claims.totals().clone();
    (out, totals)
}

/// Rows of the file by the csv crate: the independent count.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let (text, _, errors) = SHIFT_JIS.decode(bytes);
    assert!(!errors);
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(false)
        .from_reader(text.as_bytes())
        .into_records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_sample_gives_what_an_independent_count_gives() {
    let Some(samples) = crate::samples("uke") else { return };
    let bytes = std::fs::read(samples.join("uke/RECEIPTC_FIRST20.UKE")).unwrap();
    let rows = rows(&bytes);
    let (segments, totals) = read(&bytes, Keyed::Institution);
    let claims: Vec<&Parsed<'_>> =
        segments.iter().filter(|(b, _)| uke::piece(b) == Piece::Claim).map(|(_, p)| p).collect();

    let count = |id: &str| rows.iter().filter(|r| r[0] == id).count();
    assert_eq!(claims.len(), count("RE"));
    assert_eq!(totals.claims, 20);
    let persons: BTreeSet<_> = claims.iter().filter_map(|p| p.person).collect();
    let expected: BTreeSet<_> =
        rows.iter().filter(|r| r[0] == "RE").map(|r| r[13].as_str()).collect();
    assert_eq!(persons, expected);

    // Items by record, insurers with their claims, points of every claim.
    let mut items: BTreeMap<String, usize> = BTreeMap::new();
    let mut insurers: BTreeMap<String, usize> = BTreeMap::new();
    for record in claims.iter().flat_map(|p| &p.records) {
        match record.table() {
            "claim_item" => {
                *items.entry(get(record, "source_record").unwrap().into()).or_default() += 1;
            }
            "claim_payer" => {
                *insurers.entry(get(record, "payer_no").unwrap().into()).or_default() += 1;
            }
            _ => {}
        }
    }
    for id in ["SY", "SI", "IY", "CO"] {
        assert_eq!(items[id], count(id), "{id}");
    }
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter().filter(|r| r[0] == "HO" || r[0] == "KO") {
        *expected.entry(row[1].trim().to_owned()).or_default() += 1;
    }
    assert_eq!(insurers, expected);

    let mut total = 0;
    let starts: Vec<usize> =
        rows.iter().enumerate().filter(|(_, r)| r[0] == "RE").map(|(i, _)| i).collect();
    for (n, parsed) in claims.iter().enumerate() {
        let until = starts.get(n + 1).copied().unwrap_or(rows.len());
        let own = &rows[starts[n]..until];
        let sum: i64 = own
            .iter()
            .filter(|r| matches!(r[0].as_str(), "SI" | "IY") && !r[5].is_empty())
            .map(|r| r[5].parse::<i64>().unwrap() * r[6].parse::<i64>().unwrap())
            .sum();
        let billed: i64 = own
            .iter()
            .find(|r| r[0] == "HO" || r[0] == "KO")
            .map(|r| r[5].parse().unwrap())
            .unwrap();
        assert_eq!(sum, billed, "claim {n}");
        let claim = parsed.records.iter().find(|r| r.table() == "claim").unwrap();
        assert_eq!(get(claim, "points"), Some(billed.to_string().as_str()));
        assert_eq!(get(claim, "form"), Some("medical"));
        assert!(parsed.issues.is_empty(), "claim {n}: {:?}", parsed.issues);
        assert!(parsed.unread.is_empty(), "claim {n}: {:?}", parsed.unread);
        // Events: one per row with a code and day with a count.
        let days = |id: &str| {
            own.iter()
                .filter(|r| r[0] == id)
                .map(|r| r[13..44].iter().filter(|d| !d.is_empty()).count())
                .sum::<usize>()
        };
        let of = |table: &str| parsed.records.iter().filter(|r| r.table() == table).count();
        assert_eq!(of("procedure"), days("SI"), "claim {n}");
        assert_eq!(of("medication"), days("IY"), "claim {n}");
        // 診療実日数 counts the days of visits.
        let visits = own.iter().find(|r| r[0] == "HO" || r[0] == "KO").unwrap()[4].clone();
        assert_eq!(of("encounter").to_string(), visits, "claim {n}");
        total += billed;
    }
    assert_eq!(totals.points, total);
    assert!(totals.issues().is_empty());
}

#[test]
fn the_sample_is_written_back_byte_for_byte() {
    let Some(samples) = crate::samples("uke") else { return };
    let bytes = std::fs::read(samples.join("uke/RECEIPTC_FIRST20.UKE")).unwrap();
    written_back(&bytes, b',');
}

/// Untouched, the document has the same bytes; written anew from its text, it has them too.
pub(crate) fn written_back(bytes: &[u8], delimiter: u8) {
    let document = Document::parse(bytes, delimiter);
    assert!(document.to_bytes() == bytes);
    let mut anew = Document::new(delimiter, document.charset());
    for row in 0..document.rows().len() {
        let fields: Vec<_> = (1..=document.rows()[row].width())
            .map(|field| document.text(row, field).unwrap().into_owned())
            .collect();
        anew.push(&fields.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    // Rows are written with CR LF; the last line of a file may have no end.
    let plain = |bytes: &[u8]| {
        let mut lines: Vec<Vec<u8>> = bytes
            .split(|b| *b == b'\n')
            .map(|l| l.strip_suffix(b"\r").unwrap_or(l).to_vec())
            .collect();
        lines.pop_if(|l| l.is_empty());
        lines
    };
    let (written, source) = (plain(&anew.to_bytes()), plain(bytes));
    assert!(written == source, "written from text");
}

#[test]
fn a_family_shares_symbol_and_number_but_no_key() {
    let file = "IR,1,13,1,1234567,,,202404,00\r\n\
        RE,1,1112,202404,山田　太郎,1,19800101\r\nHO,06139999,１２,３４５,1,288\r\nSN,1,01,,,,01\r\n\
        RE,2,1116,202404,山田　花子,2,19820202\r\nHO,06139999,１２,３４５,1,288\r\nSN,1,01,,,,02\r\n\
        RE,3,1116,202404,山田　双葉,2,20100303\r\nHO,06139999,１２,３４５,1,288\r\n\
        RE,4,1116,202404,山田　三葉,2,20100303\r\nHO,06139999,１２,３４５,1,288\r\n";
    let bytes = SHIFT_JIS.encode(file).0;
    let (segments, _) = read(&bytes, Keyed::Insured);
    let keys: BTreeSet<_> = segments.iter().filter_map(|(_, p)| p.person).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.contains("06139999:12:345:01:19800101:M"));
}

#[test]
fn layouts_are_asked_by_official_names() {
    let si = Form::Medical.layout("SI").unwrap();
    assert_eq!(si.number_of("点数"), Some(6));
    assert_eq!(si.name_of(20), Some("算定日"));
    assert_eq!(Form::Dental.layout("SS").unwrap().number_of("点数"), Some(77));
    assert_eq!(Form::Pharmacy.layout("HO").unwrap().number_of("合計点数"), Some(6));
    assert!(Form::Pharmacy.layout("SS").is_none());
}
