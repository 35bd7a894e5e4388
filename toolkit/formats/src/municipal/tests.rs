use super::*;
use crate::arena::lasting;
use crate::record::Record;
use encoding_rs::SHIFT_JIS;
use proptest::prelude::*;

fn reader(layout: Layout, more: &[&str]) -> Reader {
    let header: Vec<&str> = layout.header().iter().chain(more).copied().collect();
    Reader::new(header.join(",").as_bytes()).unwrap()
}

#[test]
fn a_resident_in_both_encodings() {
    let header = "宛名番号,氏名漢字,氏名カナ,生年月日,性別(1男2女),郵便番号,住所,電話番号,職業,異動年月日,死亡年月日,備考";
    let row = "0012345678,髙﨑　花子,タカサキ　ハナコ,S35.4.1,2,999-0001,\"架空県架空市1,2\",099-000-0000,,R5.4.1,,\r\n";
    for (encode, encoding) in [(false, Encoding::Utf8), (true, Encoding::Cp932)] {
        let bytes = |text: &str| {
            if encode { SHIFT_JIS.encode(text).0.into_owned() } else { text.as_bytes().to_vec() }
        };
        let reader = Reader::new(&bytes(&format!("{header}\r\n"))).unwrap();
        assert_eq!((reader.layout(), reader.encoding()), (Layout::Persons, encoding));
        let line = bytes(row);
        let parsed = reader.parse_row(&line, 2, lasting());
        let [Record::Person(person)] = &parsed.records[..] else { panic!("{parsed:?}") };
        assert_eq!(parsed.person, Some("0012345678"));
        assert_eq!(person.name_kanji, Some("髙﨑　花子"));
        assert_eq!(person.sex, Some("F"));
        assert_eq!(person.birth_on, Some("S35.4.1"));
        assert_eq!(person.address, Some("架空県架空市1,2"));
        assert_eq!(parsed.unread, ["住民.異動年月日"]);
    }
    let marked = format!("\u{FEFF}{header}");
    assert_eq!(Reader::new(marked.as_bytes()).unwrap().layout(), Layout::Persons);
}

#[test]
fn check_ups_give_one_record_per_item_done() {
    let reader = reader(
        Layout::Checkup,
        &["9A751000000000001", "9N736000000000011", "９Ａ７６１０００００００００００１"],
    );
    let parsed = reader.parse_row(
        "1,ハナコ,19600401,2,20230601,1310000000,121,,7８".as_bytes(),
        5,
        lasting(),
    );
    let items: Vec<_> = parsed
        .records
        .iter()
        .map(|r| match r {
            Record::Checkup(c) => (c.item_code, c.value_num, c.position.words()),
            _ => panic!(),
        })
        .collect();
    assert_eq!(
        items,
        [
            (Some("9A751000000000001"), Some("121"), "row 5 column 7"),
            (Some("9A761000000000001"), Some("78"), "row 5 column 9"),
        ]
    );
    assert_eq!(parsed.unread, ["健診.氏名カナ", "健診.生年月日", "健診.性別"]);
    assert_eq!(reader.parse_row(b"1,,,,20230601,,,,", 6, lasting()).issues[0].rule, "csv.no-item");
}

#[test]
fn insurance_and_death() {
    let parsed = reader(Layout::Coverage, &[]).parse_row(
        "1,00990001,架空市,国保,123,01,1,2020-04-01,".as_bytes(),
        2,
        lasting(),
    );
    let [Record::Coverage(c)] = &parsed.records[..] else { panic!() };
    assert_eq!((c.insured_symbol, c.to_on), (Some("国保"), None));
    let parsed = reader(Layout::Death, &[]).parse_row(
        "1,R5.12.00,C169,胃がん,病院".as_bytes(),
        2,
        lasting(),
    );
    let [Record::Death(d)] = &parsed.records[..] else { panic!() };
    assert_eq!((d.died_on, d.cause_system), (Some("R5.12.00"), Some("ICD-10")));
}

#[test]
fn headers_of_no_layout_are_refused() {
    for (header, error) in [
        ("", HeaderError::Unknown),
        ("1,太郎,19600101", HeaderError::Unknown),
        ("宛名番号,氏名", HeaderError::Unknown),
        ("宛名番号,\"生年月日", HeaderError::Quotes),
        ("宛名番号,生年月日,住所,宛名番号", HeaderError::Twice { column: 4 }),
    ] {
        assert_eq!(Reader::new(header.as_bytes()).err(), Some(error), "{header}");
        assert!(error.ja().ends_with('。'));
    }
    assert_eq!(Reader::new(b"\x81\xff\xff").err(), Some(HeaderError::Encoding));
}

#[test]
fn every_defect_of_a_row_has_its_reason() {
    let reader = reader(Layout::Death, &[]);
    let cases: [(&[u8], &str); 6] = [
        (b"1,\xff,,,", "csv.not-utf8"),
        (b"1,2,3", "csv.columns"),
        (b"1,\"2,3,4,5", "csv.quotes"),
        (b",20230101,C169,,", "csv.no-person"),
        (b"123456789018,20230101,C169,,", "my-number"),
        ("1,20230101,C169,個人番号１２３４５６７８９０１８,".as_bytes(), "my-number"),
    ];
    for (line, rule) in cases {
        let parsed = reader.parse_row(line, 9, lasting());
        assert!(parsed.rejected && parsed.person.is_none() && parsed.records.is_empty(), "{rule}");
        assert_eq!(parsed.issues[0].rule, rule);
        assert!(parsed.issues[0].position.starts_with("row 9"));
    }
    assert_eq!(reader.parse_row(b"1,,C169,,", 3, lasting()).issues[0].rule, "csv.no-date");
    assert_eq!(reader.parse_row(b"  \r\n", 3, lasting()), Parsed::default());
}

proptest! {
    #[test]
    fn any_row_is_records_or_a_reason(line in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), any::<u8>()], 0..80)) {
        for layout in Layout::ALL {
            let reader = reader(layout, if layout == Layout::Checkup { &["9A751000000000001"] } else { &[] });
            let parsed = reader.parse_row(&line, 2, lasting());
            let comment = line.starts_with(b"#");
        let blank = comment || line.iter().all(u8::is_ascii_whitespace);
            prop_assert!(blank || !parsed.records.is_empty() || !parsed.issues.is_empty());
            prop_assert!(!parsed.rejected || (parsed.records.is_empty() && parsed.person.is_none()));
        }
    }
}
