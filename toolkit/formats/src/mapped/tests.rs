use super::*;
use crate::arena::lasting;
use proptest::prelude::*;

#[test]
fn dates_are_read_by_pattern() {
    for (cell, pattern, iso) in [
        ("20240401", "YYYYMMDD", Some("2024-04-01")),
        ("2024/4/1", "YYYY/M/D", Some("2024-04-01")),
        ("R06.04.01", "GYY.MM.DD", Some("2024-04-01")),
        ("令和元年5月1日", "GYY年M月D日", Some("2019-05-01")),
        ("5060401", "GYYMMDD", Some("2024-04-01")),
        ("２０２４０４００", "YYYYMMDD", Some("2024-04")),
        ("20240000", "YYYYMMDD", Some("2024")),
        ("2024-04-01 09:05", "YYYY-MM-DD hh:mm", Some("2024-04-01T09:05")),
        ("S64.02.01", "GYY.MM.DD", Some("1989-02-01")),
        ("20240230", "YYYYMMDD", None),
        ("2024040", "YYYYMMDD", None),
        ("20240401x", "YYYYMMDD", None),
        ("20241301", "YYYYMMDD", None),
    ] {
        assert_eq!(read_date(cell, pattern).as_deref(), iso, "{cell}");
    }
}

const MAPPING: &str = r#"
person = ["施設", "患者番号"]
[[record]]
table = "person"
[record.columns]
sex = { column = "性別", codes = { "1" = "M", "2" = "F" } }
birth_on = { column = "生年月日", date = "GYYMMDD", empty = ["0000000"] }
[[record]]
table = "measurement"
when = { column = "種別", is = ["K"] }
[record.columns]
category = { value = "laboratory" }
value_text = { column = "結果" }
value_num = { column = "結果", number = true }
"#;

#[test]
fn a_row_gives_the_records_of_the_mapping() {
    let mapping = Mapping::from_toml(MAPPING).unwrap();
    let header = "施設,患者番号,性別,生年月日,種別,結果,備考";
    let reader = Reader::new(&mapping, header.as_bytes()).unwrap();
    assert_eq!(reader.unused().collect::<Vec<_>>(), ["備考"]);
    let parsed = reader.parse_row("A,７,1,3350401,K,<5.2,x".as_bytes(), 2, lasting());
    assert_eq!(parsed.person, Some("A:7"));
    let [Record::Person(p), Record::Measurement(m)] = &parsed.records[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!((p.sex, p.birth_on), (Some("M"), Some("1960-04-01")));
    assert_eq!((m.value_text, m.value_num), (Some("<5.2"), Some("5.2")));
    assert_eq!(parsed.unread, ["表.備考"]);
    let parsed = reader.parse_row("A,7,3,99,X,,".as_bytes(), 3, lasting());
    let rules: Vec<_> = parsed.issues.iter().map(|i| (i.rule, i.position.as_ref())).collect();
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules.contains(&("mapped.code", "row 3 column 3")));
    assert!(rules.contains(&("mapped.date", "row 3 column 4")));
    for (row, rule) in [
        (",,1,3350401,K,1,", "mapped.no-person"),
        ("A,123456789018,1,3350401,K,1,", "my-number"),
        ("A,7", "csv.columns"),
        ("A,\"7", "csv.quotes"),
    ] {
        let parsed = reader.parse_row(row.as_bytes(), 4, lasting());
        assert!(parsed.rejected && parsed.issues[0].rule == rule, "{row}");
    }
}

#[test]
fn mappings_that_do_not_fit_are_refused() {
    let with = |record: &str| format!("person = [\"a\"]\n[[record]]\n{record}");
    for (text, error) in [
        ("person = []\nrecord = []".to_owned(), "person"),
        (with("table = \"nothing\"\ncolumns = {}"), "nothing"),
        (with("table = \"person\"\ncolumns = { x = { value = \"1\" } }"), "person.x"),
        (with("table = \"person\"\ncolumns = { sex = {} }"), "person.sex"),
        (with("table = 1"), "TOML"),
    ] {
        let found = Mapping::from_toml(&text).unwrap_err();
        assert!(found.ja().contains(error), "{text}: {}", found.ja());
    }
    let json = r#"{"person":["1"],"header":false,"delimiter":"\t","record":[{"table":"death","columns":{"died_on":{"column":"2"}}}]}"#;
    let mapping = Mapping::from_json(json).unwrap();
    let reader = Reader::new(&mapping, b"7\t2024").unwrap();
    assert_eq!(reader.parse_row(b"7\t2024", 1, lasting()).records.len(), 1);
    let missing = Mapping::from_json(&json.replace("\"2\"", "\"9\"")).unwrap();
    assert!(matches!(Reader::new(&missing, b"7\t2024"), Err(MappingError::Missing { .. })));
}

proptest! {
    #[test]
    fn any_row_is_records_or_a_reason(line in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), any::<u8>()], 0..60)) {
        let mapping = Mapping::from_toml(MAPPING).unwrap();
        let reader = Reader::new(&mapping, "施設,患者番号,性別,生年月日,種別,結果,備考".as_bytes()).unwrap();
        let parsed = reader.parse_row(&line, 2, lasting());
        let said = !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty();
        prop_assert!(said || line.iter().all(u8::is_ascii_whitespace));
    }

    #[test]
    fn any_cell_is_a_date_or_none(cell in "[0-9GR令和年/. ]{0,12}", pattern in "[YMDGhms/年月日]{0,10}") {
        let _ = read_date(&cell, &pattern);
    }
}
