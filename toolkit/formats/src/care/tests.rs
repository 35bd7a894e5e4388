use super::*;
use crate::arena::lasting;
use crate::record::Record;

fn read(line: &str) -> Parsed<'_> {
    Reader::new(Encoding::Utf8).parse_row(line.as_bytes(), 2, lasting())
}

const BASE: &str = "2,2,7131,01,202404,1370000001,990001,0000000123,,,,,,,19400101,2,22,,20240101,20261231,1,1370000009,20240401,,,,,,,,90,,,,1500,13500,1500";

#[test]
fn a_claim_gives_person_certification_and_service() {
    let parsed = read(BASE);
    assert_eq!(parsed.person, Some("990001:0000000123"));
    let tables: Vec<_> = parsed.records.iter().map(Record::table).collect();
    assert_eq!(tables, ["person", "care_certification", "care_service"]);
    let Record::CareService(s) = &parsed.records[2] else { panic!() };
    assert_eq!(
        (s.kind, s.service_month, s.started_on, s.total_units),
        (Some("base"), Some("202404"), Some("20240401"), Some("1500"))
    );
    assert_eq!(
        parsed.unread,
        [
            "介護.基本情報.居宅サービス計画作成区分",
            "介護.基本情報.居宅サービス計画事業所",
            "介護.基本情報.保険給付率",
            "介護.基本情報.利用者負担額"
        ]
    );
    let line =
        "2,3,7131,02,202404,1370000001,990001,0000000123,11,1111,250,6,0,0,0,1500,0,0,0,摘要";
    let parsed = read(line);
    let [Record::CareService(s)] = &parsed.records[..] else { panic!("{parsed:?}") };
    assert_eq!(
        (s.service_kind, s.service_item, s.units, s.times, s.text),
        (Some("11"), Some("1111"), Some("250"), Some("6"), Some("摘要"))
    );
    assert!(parsed.unread.is_empty() && parsed.issues.is_empty());
}

#[test]
fn other_records_and_defects() {
    let schedule = "2,4,8222,202404,990001,1370000009,1,20240510,1,01,0000000123,19400101,2,22,,,,1,1370000001,1,11,1500";
    let parsed = read(schedule);
    let Some(Record::CareService(s)) = parsed.records.last() else { panic!("{parsed:?}") };
    assert_eq!((s.provider, s.service_kind), (Some("1370000001"), Some("11")));
    for plan in [
        "2,5,8124,01,202404,1370000009,990001,0000000123",
        "2,5,8124,01,202404,1370000009,1,990001,0000000123",
    ] {
        assert_eq!(read(plan).person, Some("990001:0000000123"), "{plan}");
    }
    let control = "1,1,0,3,711,0,990001,1370000001,13,1,202405,1";
    assert!(is_control(control.as_bytes()) && !is_control(b"1,2,3"));
    assert_eq!(read(control).unread, ["介護.コントロール"]);
    assert_eq!(read("3,9").unread, ["介護.エンド"]);
    assert_eq!(read("2,2,7111,202404,1370000001").unread, ["介護.請求書"]);
    for (line, rule) in [
        ("2,2,1112,H1,x", "care.unknown-record"),
        ("9,1", "care.unknown-record"),
        ("2,2,7131,02,202404,1370000001,990001,,11", "care.no-person"),
        ("2,2,7131,02,202404,1370000001,990001,123456789018,11", "my-number"),
        ("2,\"2,7131", "csv.quotes"),
    ] {
        let parsed = read(line);
        assert!(parsed.rejected && parsed.records.is_empty() && parsed.person.is_none(), "{line}");
        assert_eq!(parsed.issues[0].rule, rule, "{line}");
    }
    assert_eq!(
        read("2,2,7131,02,,1370000001,990001,0000000123,11").issues[0].rule,
        "care.no-month"
    );
}

#[test]
fn encodings_are_told_by_the_first_bytes() {
    let (cp932, ..) = encoding_rs::SHIFT_JIS.encode("2,1,摘要");
    assert_eq!(encoding(&cp932), Encoding::Cp932);
    assert_eq!(encoding(b"1,1"), Encoding::Cp932);
    let text = "2,1,摘要".as_bytes();
    assert_eq!(encoding(&text[..text.len() - 1]), Encoding::Utf8);
}

#[test]
fn certifications_are_read_by_position_and_by_name() {
    let mut row = vec![String::new(); certification::FIELDS];
    for (at, value) in [
        (3, "09B"),
        (4, "990001"),
        (5, "0000000123"),
        (6, "20240401"),
        (13, "19400101"),
        (15, "2"),
        (36, "20240410"),
        (42, "21"),
        (44, "452"),
        (54, "80.1"),
        (67, "20240501"),
        (68, "22"),
        (69, "20240401"),
        (70, "20260331"),
        (121, "3"),
        (187, "4"),
        (200, "1"),
        (327, "意見"),
    ] {
        value.clone_into(&mut row[at - 1]);
    }
    let line = row.join(",");
    let reader = certification::Reader::new(line.as_bytes(), Encoding::Utf8).unwrap();
    assert!(!reader.has_header());
    let parsed = reader.parse_row(line.as_bytes(), 1, lasting());
    let Record::CareCertification(c) = &parsed.records[1] else { panic!("{parsed:?}") };
    assert_eq!(
        (c.care_level, c.first_level, c.care_minutes, c.dementia_grade),
        (Some("22"), Some("21"), Some("452"), Some("4"))
    );
    let items: Vec<_> = parsed.records[2..]
        .iter()
        .map(|r| match r {
            Record::Measurement(m) => (m.code.unwrap(), m.value_num.unwrap()),
            _ => panic!(),
        })
        .collect();
    assert_eq!(items, [("中間評価項目得点第1群", "80.1"), ("寝返り", "3")]);
    assert_eq!(
        parsed.unread,
        ["要介護認定.前回の調査（188〜325項目）", "要介護認定.審査会意見・コメント"]
    );
    let header = "保険者番号,被保険者番号,申請日,判定結果,寝返り,備考";
    let reader = certification::Reader::new(header.as_bytes(), Encoding::Utf8).unwrap();
    assert!(reader.has_header());
    let parsed = reader.parse_row("990001,123,R06.04.01,22,1,x".as_bytes(), 2, lasting());
    assert_eq!((parsed.records.len(), &parsed.unread[..]), (3, &["要介護認定.備考".into()][..]));
    assert!(certification::Reader::new(b"a,b", Encoding::Utf8).is_err());
    for (line, rule) in [
        ("1,2", "csv.columns"),
        ("990001,,,,,", "care.no-person"),
        ("990001,1,,22,,", "care.no-date"),
    ] {
        assert_eq!(reader.parse_row(line.as_bytes(), 3, lasting()).issues[0].rule, rule);
    }
}
