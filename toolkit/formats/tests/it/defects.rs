//! Deliberate defects of claims, survey files and JAHIS texts: each is reported by its rule.

use encoding_rs::SHIFT_JIS;
use kiban_formats::{Parsed, dpc, jahis, rule_ja, uke};

use crate::lasting;

const IR: &str = "IR,1,13,1,1234567,,,202405,00";
const RE: &str = "RE,1,1112,202404,見本　花子,2,19600401,,,,,,,0000012345";
const HO: &str = "HO,06139999,１２,３４５,1,78";
const SI: &str = "SI,60,1,160000310,,26,3,,,,,,,1,2";

fn claim(rows: &[&str]) -> Parsed<'static> {
    let reader = uke::Reader::new(IR.as_bytes()).unwrap();
    let text = SHIFT_JIS.encode(&rows.join("\r\n")).0.into_owned();
    reader.parse_segment(&text, 2, lasting()).copy_in(lasting())
}

fn rules(parsed: &Parsed<'_>) -> Vec<(&'static str, String)> {
    for issue in &parsed.issues {
        assert_ne!(rule_ja(issue.rule), rule_ja(""));
    }
    parsed.issues.iter().map(|i| (i.rule, i.position.to_string())).collect()
}

#[test]
fn every_defect_of_a_claim_has_its_rule_and_place() {
    assert!(rules(&claim(&[RE, HO, SI])).is_empty());
    let no_birth = RE.replace("19600401", "");
    let month = RE.replace("202404", "2024");
    let kind = RE.replace("1112", "112");
    let cases: &[(&[&str], &str, &str)] = &[
        (&[RE, HO, "SI,60,1,160000310,,25,3"], "uke.total-differs", "line 3"),
        (&[RE, HO, SI, "SI,60,1,160000310,,x,3"], "uke.not-a-number", "line 5"),
        (&[RE, "HO,06139999,１２,３４５,1,7.8", SI], "uke.not-a-number", "line 3"),
        (&[RE, HO, "SI,,1,160000310,,26,3"], "uke.no-section", "line 4"),
        (&[RE, HO, SI, "SI,60,1,16000031,,,"], "uke.code-shape", "line 5"),
        (&[RE, HO, SI, "SY,12345,20240401,1"], "uke.code-shape", "line 5"),
        (&[RE, HO, SI, "SY,,20240401,1"], "uke.no-code", "line 5"),
        (&[RE, HO, SI, "?!,1"], "uke.record-id", "line 5"),
        (&[&no_birth, HO, SI], "uke.no-birth", "line 2"),
        (&[&month, HO, SI], "uke.month", "line 2"),
        (&[&kind, HO, SI], "uke.claim-type", "line 2"),
        (&[RE, HO, "SN,2,01,,,,02", SI], "uke.payer-kind", "line 4"),
        (&[RE, HO, SI, RE], "uke.second-claim", "line 5"),
        (&[RE, HO, SI, "TI,1,2", "SY,2500013,20240401,1"], "uke.donor", "line 5"),
        (&[RE, "HO,06139999,１２,３４５,1,", "BU,060020,20240401,,1"], "uke.dpc-code", "line 4"),
        (
            &[RE, "HO,06139999,１２,３４５,1,", "BU,060020xx02x00x,,,1"],
            "uke.no-admission",
            "line 4",
        ),
    ];
    for (rows, rule, place) in cases {
        let parsed = claim(rows);
        assert_eq!(rules(&parsed), [(*rule, (*place).to_owned())], "{rule}");
        assert!(!parsed.rejected && parsed.person.is_some(), "{rule}");
    }
    let donor = claim(&[RE, HO, SI, "TI,1,2", "SY,2500013,20240401,1"]);
    assert!(donor.records.iter().all(|r| r.table() != "condition"), "the donor is another person");
    assert_eq!(donor.unread, ["TI", "donor.SY"]);
    let beyond = format!("SI,60,1,160000310{}x", ",".repeat(41));
    assert_eq!(claim(&[RE, HO, SI, "ZZ,1", &beyond]).unread, ["ZZ", "SI.45"]);
}

#[test]
fn claims_that_cannot_be_kept_are_rejected() {
    let my_number = RE.replace("0000012345", "123456789018");
    let nobody = RE.replace("0000012345", "");
    for (rows, rule) in [
        (&[HO, SI][..], "uke.no-claim"),
        (&[&my_number, HO, SI], "my-number"),
        (&[RE, "HO,06139999,１２,１２３４５６７８９０１８,1,78", SI], "my-number"),
        (&[&nobody, SI], "uke.no-person"),
    ] {
        let parsed = claim(rows);
        assert!(parsed.rejected && parsed.records.is_empty() && parsed.person.is_none(), "{rule}");
        assert_eq!(parsed.issues.last().unwrap().rule, rule);
    }
    let reader = uke::Reader::new(IR.as_bytes()).unwrap();
    let broken = reader.parse_segment(b"RE,1,1112,202404,\x81,2\r\nHO,1", 7, lasting());
    assert_eq!(rules(&broken), [("uke.not-cp932", "line 7".to_owned())]);
    assert!(broken.rejected);
    let text = format!("{RE}\r\n{HO}\r\n{SI}\r\n");
    let utf8 = reader.parse_segment(text.as_bytes(), 2, lasting());
    assert_eq!(rules(&utf8), [("uke.utf8", "line 2".to_owned())]);
    assert!(utf8.records.iter().any(|r| crate::get(r, "name_kanji") == Some("見本　花子")));
    for header in ["", "RE,1", "IR,1,13,2,1234567", "IR,1", "XX,1,13,1,1234567", "GO,1,2,99"] {
        assert!(uke::Reader::new(header.as_bytes()).is_err(), "{header}");
    }
}

#[test]
fn totals_that_differ_are_named() {
    let file = |go: &str| {
        let text = format!("{IR}\r\n{RE}\r\n{HO}\r\n{SI}\r\n{go}\r\n");
        let bytes = SHIFT_JIS.encode(&text).0.into_owned();
        let mut claims = uke::Claims::new(&bytes[..], uke::Keyed::Institution);
        while claims.next_claim().unwrap().is_some() {}
        claims
            .totals()
            .issues()
            .iter()
            .map(|i| (i.rule, i.position.to_string()))
            .collect::<Vec<_>>()
    };
    let at = |rule| vec![(rule, "line 5".to_owned())];
    assert!(file("GO,1,78,99").is_empty());
    assert_eq!(file("GO,2,78,99"), at("uke.claims-differ"));
    assert_eq!(file("GO,1,79,99"), at("uke.points-differ"));
    assert_eq!(file("GO,1,x,99"), at("uke.totals-unreadable"));
}

#[test]
fn a_claim_of_the_old_dates_is_dated_in_its_own_way() {
    let re = RE.replace("202404", "43004").replace("19600401", "3350401");
    let parsed = claim(&[&re, HO, SI]);
    assert!(parsed.issues.is_empty());
    let days: Vec<_> = parsed
        .records
        .iter()
        .filter(|r| r.table() == "procedure")
        .map(|r| crate::get(r, "started_at").unwrap().to_owned())
        .collect();
    assert_eq!(days, ["4300401", "4300402"].map(str::to_owned));
}

#[test]
fn quantities_mean_what_the_section_says() {
    let parsed = claim(&[
        RE,
        "HO,06139999,１２,３４５,1,",
        "IY,21,1,620098801,1.5,1,14,,,,,,,14",
        "IY,22,1,620098801,2,1,5,,,,,,,5",
        "IY,23,1,620098801,25,1,1,,,,,,,1",
        "IY,33,1,640406149,3,1,3,,,,,,,2,1",
        "IY,40,1,620098801,4,,1",
    ]);
    let drugs: Vec<_> = parsed
        .records
        .iter()
        .filter(|r| r.table() == "medication")
        .map(|r| {
            ["dose", "days", "quantity", "started_at"]
                .map(|c| crate::get(r, c).unwrap_or("-").to_owned())
                .join(" ")
        })
        .collect();
    assert_eq!(
        drugs,
        [
            "- 14 21 20240401",
            "2 - 10 20240401",
            "- - 25 20240401",
            "3 - 6 20240401",
            "3 - 3 20240402",
            "- - 4 202404",
        ]
    );
}

#[test]
fn returned_claims_and_insurers_copies_stay_with_their_claim() {
    let text = format!(
        "HI,1,13,1,1234567,,,202405\r\nHR,1,202404,理由の文\r\n{RE}\r\n{HO}\r\n{SI}\r\nHR,2\r\n{RE}\r\n{HO}\r\n{SI}\r\nHG,2,156\r\n"
    );
    let bytes = SHIFT_JIS.encode(&text).0.into_owned();
    let mut claims = uke::Claims::new(&bytes[..], uke::Keyed::Institution);
    let mut seen = Vec::new();
    while let Some((segment, parsed)) = claims.next_claim().unwrap() {
        for record in parsed.records.iter().filter(|r| r.table() == "claim") {
            assert_eq!(crate::get(record, "history"), Some("returned"));
            seen.push((segment.first_line, crate::get(record, "detail").map(str::to_owned)));
        }
    }
    assert_eq!(seen[0], (2, Some("HR.2=1;HR.3=202404;HR.4=理由の文".to_owned())));
    assert_eq!(seen[1].0, 6);
}

#[test]
fn every_defect_of_a_survey_file_has_its_rule() {
    let reader = dpc::Reader::new(
        "FF1_1_2404.txt",
        b"131234567\t1\t20240401\t0\t0\tA000010\t20240401\t0\t\t",
    )
    .unwrap();
    let check = |rows: &str, rule: &str, rejected: bool| {
        let parsed = reader.parse_segment(rows.as_bytes(), 5, lasting());
        assert_eq!(parsed.issues.iter().map(|i| i.rule).collect::<Vec<_>>(), [rule]);
        assert_eq!(parsed.rejected, rejected, "{rule}");
    };
    check("131234567\t1\t20240401\t0\t0\tA000010\t20240401\t0\t\t1", "dpc.no-birth", false);
    check("131234567\t1\t20240401\t0\t0\t\t20240401\t0\tx", "dpc.no-code", false);
    check("131234567\t\t20240401\t0\t0\tA000010\t20240401\t0\t19600401", "dpc.no-person", true);
    check(
        "131234567\t123456789018\t20240401\t0\t0\tA000010\t20240401\t0\t19600401",
        "my-number",
        true,
    );
    check(
        "131234567\t1\t20240401\n131234567\t1\t20240401\t0\t0\tA000030\t\t0\t20240405",
        "dpc.columns",
        false,
    );
    check(
        "131234567\t1\t20240401\t0\t0\tA000031\t\t0\t20240405\n131234567\t2\t20240401\t0\t0\tA000031\t\t0\t20240405",
        "dpc.second-person",
        false,
    );
    let parsed =
        reader.parse_segment(b"131234567\t1\t20240401\t0\t0\tA000031\t\t0\t\x81\t", 5, lasting());
    assert_eq!(parsed.issues[0].rule, "dpc.not-cp932");
    for (name, line) in [
        ("EFn_1.txt", "x"),
        ("notes.txt", "a\tb\tc"),
        ("EFn_1.txt", "施設コード\t退院年月日\t行為明細番号"),
        ("", ""),
    ] {
        let error = dpc::Reader::new(name, line.as_bytes()).unwrap_err();
        assert!(error.ja().ends_with('。'), "{line}");
    }
}

#[test]
fn stays_are_cut_where_the_person_or_the_admission_changes() {
    let row = |person: &str, admitted: &str| {
        format!("131234567\t{person}\t{admitted}\t0\t0\tA000031\t\t0\t20240405\r\n")
    };
    let text = ["施設コード\tデータ識別番号\t入院年月日\t回数管理番号\t統括診療情報番号\tコード\tバージョン\t連番\tペイロード1\r\n".to_owned(), row("1", "20240401"), row("1", "20240401"), row("1", "20240501"), row("2", "20240501")].concat();
    let bytes = SHIFT_JIS.encode(&text).0.into_owned();
    let reader = dpc::Reader::new("a.txt", bytes.split(|b| *b == b'\n').next().unwrap()).unwrap();
    assert_eq!((reader.file(), reader.has_header()), (dpc::File::Form1, true));
    let mut segments = reader.segments(&bytes[..]);
    let mut seen = Vec::new();
    while let Some(segment) = segments.next_segment().unwrap() {
        let parsed = reader.parse_segment(segment.bytes, segment.first_line, lasting());
        seen.push((segment.first_line, parsed.person.map(|p| p.to_owned())));
    }
    let person = |p: &str| Some(p.to_owned());
    assert_eq!(seen, [(1, None), (2, person("1")), (4, person("1")), (5, person("2"))]);
}

#[test]
fn every_defect_of_a_jahis_text_has_its_rule() {
    let person = "1,山田 太郎,1,19800101";
    for (rows, rule) in [
        (vec!["1,山田 太郎,1", "5,20240401"], "jahis.no-birth"),
        (vec![person, "5,"], "jahis.no-date"),
        (
            vec![person, "5,20240401", "201,1,薬,1,錠,1,", "x1,1", "301,1,毎食後,3,日分,1"],
            "jahis.record-no",
        ),
        (vec![person, "5,20240401", "201,1,薬,1,錠,1,"], "jahis.no-usage"),
        (vec![person, "5,20240401", "201,1,,1,錠,1,", "301,1,毎食後,3,日分,1"], "jahis.no-drug"),
        (vec![person, person], "jahis.second-person"),
    ] {
        let text = format!("JAHISTC08,1\n{}\n", rows.join("\n"));
        let parsed = jahis::parse_segment(text.as_bytes(), 1, lasting());
        assert_eq!(parsed.issues.iter().map(|i| i.rule).collect::<Vec<_>>(), [rule]);
        assert!(!parsed.rejected);
    }
    for (text, rule) in [
        ("1,山田 太郎", "jahis.no-header"),
        ("JAHISTC08,1\n5,20240401", "jahis.no-person"),
        ("JAHISTC08,1\n1,山田 太郎 123456789018,1,19800101", "my-number"),
    ] {
        let parsed = jahis::parse_segment(text.as_bytes(), 1, lasting());
        assert!(parsed.rejected && parsed.records.is_empty(), "{rule}");
        assert_eq!(parsed.issues.last().unwrap().rule, rule);
    }
    let parsed = jahis::parse_segment(b"JAHIS10\n11,1,\x81", 1, lasting());
    assert_eq!(parsed.issues[0].rule, "jahis.encoding");
}
