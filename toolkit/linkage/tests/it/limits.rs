//! Lists that no one would wish for.

use kiban_linkage::{ColumnMap, ListError, tool};

use crate::people::{HEADER, country, file};

fn link(text: &str) -> tool::Run {
    tool::link(text.as_bytes(), &tool::Options::default(), &|_| {}).expect("readable")
}

// linkage.list-capped
#[test]
fn copies_of_one_record_are_capped_and_one_person() {
    let (mut rows, _) = country(200, 7);
    let copies = 10_000;
    for i in 0..copies {
        rows.push(format!(
            "X{i:06},A,2020-01-01,佐藤　花子,サトウ　ハナコ,2,1980-01-02,100-0001,千代田区千代田1-1,03-1111-2222,06139999,1,2,01"
        ));
    }
    let run = link(&file(&rows));
    let report = run.report();
    assert!(report.candidates < 2_000_000, "{}", report.candidates);
    assert!(report.passes.iter().any(|p| p.capped.largest >= copies && p.capped.pairs > 0));
    assert!(report.largest >= copies, "{}", report.largest);
}

// linkage.list-capped
#[test]
fn one_value_in_every_row_proposes_little() {
    let rows: Vec<String> =
        (0..8000).map(|i| format!("R{i},A,2020-01-01,佐藤　花子,,2,,,,,,,,")).collect();
    let report = link(&file(&rows)).report();
    assert!(report.candidates < 500_000, "{}", report.candidates);
    let full: u64 = 8000 * 7999 / 2;
    let told = report.passes.iter().any(|p| p.left_out || p.capped.pairs > full / 2);
    assert!(told, "the report says what was not made");
}

#[test]
fn nonsense_is_survived() {
    let text = format!(
        "{HEADER}\n1,A,2020-02-30,😀　😀,😀,9,1980-13-45,〒,　,000,0,0,0,x\n2,A\n2,A,,,,,,,,,,,,,extra,cells\n,,,,,,,,,,,,,\n3,,,〓,？,,99999999,0000000,不明,0000000000,99999999,,,\n"
    );
    let run = link(&text);
    let report = run.report();
    assert_eq!((report.records, report.ragged_lines, report.repeated_ids), (5, 2, 1));
    assert_eq!(link(&format!("{HEADER}\n")).report().persons, 0);
    let wrong = tool::link("name\nx\n".as_bytes(), &tool::Options::default(), &|_| {});
    assert!(matches!(wrong, Err(tool::ToolError::List(ListError::NoRecordId))));
}

#[test]
fn other_columns_by_their_names_or_a_mapping() {
    let western = "rec_id,given_name,surname,street_number,address_1,suburb,postcode,date_of_birth,soc_sec_id\n\
        a,mitchell,green,7,wallaby place,cleveland,2119,19560409,1804974\n\
        b,mitchel,green,7,wallaby place,cleveland,2119,19560409,1804974\n\
        c,harley,mccarthy,177,pridham street,marsden,3165,19080419,6089216\n";
    assert_eq!(link(western).report().records, 3);
    let map = ColumnMap::from_json(
        r#"{"columns": {"record_id": "no", "name_kana": ["sei", "mei"]}, "only": true}"#,
    )
    .expect("a mapping");
    let options = tool::Options { map, ..tool::Options::default() };
    let run = tool::link("no,sei,mei\n1,ヤマダ,ハナコ\n".as_bytes(), &options, &|_| {});
    assert_eq!(run.expect("readable").report().columns.len(), 1);
    let missing = tool::link("no,sei\n1,ヤマダ\n".as_bytes(), &options, &|_| {});
    assert!(matches!(missing, Err(tool::ToolError::List(ListError::NoColumn { .. }))));
    assert!(ColumnMap::from_json(r#"{"columns": {"shoe_size": "x"}}"#).is_none());
}
