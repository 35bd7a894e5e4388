//! Transport files: read back by a small reader of our own that knows only the format's description.

use std::collections::BTreeMap;

use kiban_formats::out::{Encoding, Options, Reason, Target, xport::to_ibm};
use proptest::prelude::*;

use crate::out::{conserved, fixture_rows, options, record, written};

/// A number of the IBM 370, bit by bit.
fn from_ibm(bytes: [u8; 8]) -> f64 {
    let mut value = 0.0;
    for bit in 0..56 {
        if bytes[1 + bit / 8] & (0x80 >> (bit % 8)) != 0 {
            value += 0.5f64.powi(bit as i32 + 1);
        }
    }
    for _ in 0..(i32::from(bytes[0] & 0x7F) - 64).abs() {
        if bytes[0] & 0x7F > 64 {
            value *= 16.0;
        } else {
            value /= 16.0;
        }
    }
    if bytes[0] & 0x80 == 0 { value } else { -value }
}

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(Vec<u8>),
    Number(Option<f64>),
}

/// Name of the data set, and rows by variable.
fn read(bytes: &[u8]) -> (String, Vec<BTreeMap<String, Cell>>) {
    assert_eq!(bytes.len() % 80, 0);
    let card = |n: usize| &bytes[n * 80..(n + 1) * 80];
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap().trim_end().to_owned();
    assert_eq!(
        card(0),
        &b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  "[..]
    );
    assert_eq!(&card(1)[..24], b"SAS     SAS     SASLIB  ");
    assert_eq!(
        card(3),
        &b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000140  "[..]
    );
    assert_eq!(
        card(4),
        &b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!000000000000000000000000000000  "[..]
    );
    let name = text(&card(5)[8..16]);
    assert_eq!(&card(7)[..48], b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!");
    let count: usize = text(&card(7)[54..58]).parse().unwrap();
    let from = 8 * 80;
    let short = |b: &[u8]| usize::from(u16::from_be_bytes([b[0], b[1]]));
    let mut variables = Vec::new();
    let mut width = 0;
    for n in 0..count {
        let v = &bytes[from + n * 140..from + (n + 1) * 140];
        assert_eq!(short(&v[6..]), n + 1);
        let at = u32::from_be_bytes([v[84], v[85], v[86], v[87]]) as usize;
        assert_eq!(at, width);
        assert!(v[16..56].is_ascii() && short(&v[4..]) <= 200);
        variables.push((text(&v[8..16]), short(v) == 1, at, short(&v[4..])));
        width += short(&v[4..]);
    }
    let at = from + (count * 140).next_multiple_of(80);
    assert_eq!(&bytes[at..at + 48], b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!");
    let mut rows = Vec::new();
    for row in bytes[at + 80..].chunks_exact(width) {
        if row.iter().all(|b| *b == b' ') {
            break;
        }
        let cell = |(name, number, at, length): &(String, bool, usize, usize)| {
            let bytes = &row[*at..at + length];
            let value = if !number {
                let end = bytes.iter().rposition(|b| *b != b' ').map_or(0, |p| p + 1);
                Cell::Text(bytes[..end].to_vec())
            } else if bytes[0] == b'.' && bytes[1..] == [0; 7] {
                Cell::Number(None)
            } else {
                Cell::Number(Some(from_ibm(bytes.try_into().unwrap())))
            };
            (name.clone(), value)
        };
        rows.push(variables.iter().map(cell).collect());
    }
    (name, rows)
}

fn text(row: &BTreeMap<String, Cell>, name: &str) -> String {
    match &row[name] {
        Cell::Text(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Cell::Number(n) => n.map_or(".".into(), |n| n.to_string()),
    }
}

#[test]
fn a_small_example_by_hand() {
    let p = || "7".to_owned();
    let long = format!("{}終", "あ".repeat(100));
    let rows = vec![
        (p(), record("person", &[("sex", "F"), ("birth_on", "19500410")])),
        (
            p(),
            record(
                "encounter",
                &[("class", "I"), ("start_at", "202404010905"), ("end_at", "20240410")],
            ),
        ),
        (
            p(),
            record(
                "measurement",
                &[
                    ("category", "laboratory"),
                    ("code", "3D01"),
                    ("code_system", "JC10"),
                    ("text", "ＨｂＡ１ｃ"),
                    ("value_text", "6.10"),
                    ("value_num", "6.10"),
                    ("unit", "%"),
                    ("reference_range", "4.6-6.2"),
                    ("measured_at", "20240403"),
                ],
            ),
        ),
        (
            p(),
            record(
                "measurement",
                &[
                    ("category", "laboratory"),
                    ("code", "3D01"),
                    ("code_system", "JC10"),
                    ("value_text", &long),
                    ("measured_at", "202403"),
                ],
            ),
        ),
        (
            p(),
            record(
                "measurement",
                &[
                    ("category", "vital"),
                    ("text", "体温"),
                    ("value_num", "-0.1"),
                    ("measured_at", "20240402"),
                ],
            ),
        ),
        (
            p(),
            record(
                "condition",
                &[
                    ("text", "糖尿病"),
                    ("code", "20059034"),
                    ("icd10", "E119"),
                    ("onset_on", "20230400"),
                ],
            ),
        ),
        (
            p(),
            record(
                "medication",
                &[
                    ("kind", "order"),
                    ("text", "薬"),
                    ("dose", "2"),
                    ("dose_unit", "TAB"),
                    ("started_at", "20240402"),
                ],
            ),
        ),
        (p(), record("procedure", &[("text", "a\0b")])),
        (p(), record("death", &[("died_on", "20240501"), ("cause_code", "C34")])),
        ("k".repeat(41), record("procedure", &[("text", "x")])),
    ];
    let (files, summary) = written(Target::Xport, &rows, options());
    conserved(&rows, &summary);
    assert_eq!(summary.left_out[&("procedure", Reason::NotEncodable)], 1);
    assert_eq!(summary.left_out[&("procedure", Reason::TooLong)], 1);
    assert_eq!(summary.left_out_rows(), 2);
    let of = |name: &str| {
        let (data_set, rows) = read(&files[&format!("{name}.xpt")]);
        assert_eq!(data_set.to_ascii_lowercase(), name);
        assert_eq!(summary.rows_out[name], rows.len() as u64);
        rows
    };
    let dm = &of("dm")[0];
    let shown =
        ["USUBJID", "RFSTDTC", "DTHDTC", "BRTHDTC", "AGE", "SEX", "DTHFL"].map(|v| text(dm, v));
    assert_eq!(shown, ["kiban-7", "2024-04-01", "2024-05-01", "1950-04-10", "73", "F", "Y"]);
    let sv = &of("sv")[0];
    let shown = ["VISITNUM", "VISIT", "SVSTDTC", "SVENDTC"].map(|v| text(sv, v));
    assert_eq!(shown, ["1", "INPATIENT", "2024-04-01T09:05:00", "2024-04-10"]);
    let lb = of("lb");
    let names = [
        "LBSEQ", "LBTESTCD", "LBTEST", "LBORRES", "LBSTRESN", "LBORRESU", "LBORNRLO", "LBDTC",
        "LBDY",
    ];
    assert_eq!(
        names.map(|v| text(&lb[0], v)),
        ["1", "L00001", "ＨｂＡ１ｃ", "6.10", "6.1", "%", "4.6", "2024-04-03", "3"]
    );
    assert_eq!(["LBTESTCD", "LBDTC", "LBDY"].map(|v| text(&lb[1], v)), ["L00001", "2024-03", "."]);
    assert_eq!(text(&of("vs")[0], "VSSTRESN"), "-0.1");
    // What is too long goes on in the supplement, between two characters.
    let supplement = of("supplb");
    let whole: String = std::iter::once(text(&lb[1], "LBORRES"))
        .chain(supplement.iter().filter(|r| text(r, "QNAM") == "LBORRES1").map(|r| text(r, "QVAL")))
        .collect();
    assert_eq!(whole, long);
    assert_eq!(summary.shortened["LB.LBORRES"], 1);
    let codes: Vec<_> = supplement.iter().filter(|r| text(r, "QNAM") == "LBCODE").collect();
    assert_eq!(["IDVAR", "IDVARVAL", "QVAL"].map(|v| text(codes[0], v)), ["LBSEQ", "1", "3D01"]);
    assert_eq!(text(&of("mh")[0], "MHSTDTC"), "2023-04");
    assert_eq!(text(&of("ds")[0], "DSDECOD"), "DEATH");
    assert_eq!(text(&of("cm")[0], "CMDOSE"), "2");
}

#[test]
fn windows_31j_is_written_as_its_bytes_or_refused() {
    let p = || "7".to_owned();
    let rows = vec![
        (p(), record("procedure", &[("text", "髙橋①")])),
        (p(), record("procedure", &[("text", "🩺")])),
    ];
    let (files, summary) =
        written(Target::Xport, &rows, Options { encoding: Encoding::Cp932, ..options() });
    assert_eq!(summary.left_out[&("procedure", Reason::NotEncodable)], 1);
    let (_, pr) = read(&files["pr.xpt"]);
    assert_eq!(pr[0]["PRTRT"], Cell::Text(b"\xfb\xfc\x8b\xb4\x87\x40".to_vec()));
}

#[test]
fn the_conformance_files_give_files_that_are_read() {
    let rows = fixture_rows();
    let (files, summary) = written(Target::Xport, &rows, options());
    for (name, bytes) in &files {
        let (_, read) = read(bytes);
        assert_eq!(
            summary.rows_out[name.strip_suffix(".xpt").unwrap()],
            read.len() as u64,
            "{name}"
        );
    }
    assert!(files.len() >= 12, "{}", files.len());
}

#[test]
fn whole_numbers_and_the_ends_of_the_range() {
    for n in (0..200_000i64).chain([1 << 40, (1 << 53) - 1, 1 << 53]) {
        for n in [n as f64, -n as f64] {
            let back = from_ibm(to_ibm(n).unwrap());
            assert!(back.to_bits() == n.to_bits() || n == 0.0 && back == 0.0);
        }
    }
    // Known bytes: 1, -118.625, 0.1 (to its nearest f64).
    assert_eq!(to_ibm(1.0), Some([0x41, 0x10, 0, 0, 0, 0, 0, 0]));
    assert_eq!(to_ibm(-118.625), Some([0xC2, 0x76, 0xA0, 0, 0, 0, 0, 0]));
    assert_eq!(to_ibm(0.1), Some([0x40, 0x19, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]));
    for none in [f64::NAN, f64::INFINITY, 1e76, 1e-80, f64::MIN_POSITIVE / 2.0] {
        assert_eq!(to_ibm(none), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_exact(digits in 1.0f64..10.0, power in -70i32..70, negative: bool) {
        let value = digits * 10f64.powi(power) * if negative { -1.0 } else { 1.0 };
        // 56 bits of fraction hold the 53 of an f64: not a bit is lost.
        prop_assert_eq!(from_ibm(to_ibm(value).unwrap()).to_bits(), value.to_bits());
    }
}
