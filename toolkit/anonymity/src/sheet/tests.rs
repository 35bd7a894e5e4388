//! The tools on small sheets.

use super::*;
use crate::Chance;
use std::fmt::Write as _;

fn sheet() -> String {
    let mut text = "id;age;weight;ill\n".to_owned();
    for row in 0..60 {
        let ill = ["flu", "cold", "\"a;b\""][row % 3];
        let _ = writeln!(text, "p{};{};{}.5;{ill}", row / 2, 20 + row % 40, 50 + row);
    }
    text.push_str("p99;;70.5;flu\n");
    text
}

fn run(method: Method, columns: &[&str]) -> Result<(String, PerturbReport), SheetError> {
    let options = PerturbOptions {
        delimiter: ';',
        method,
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        person: Some("id".into()),
    };
    perturb(&sheet(), &options, &Chance::numbered(1))
}

#[test]
fn every_method_keeps_rows_and_other_columns() {
    for (method, columns) in [
        (Method::Mdav { k: 3 }, &["age", "weight"][..]),
        (Method::Mdav { k: 3 }, &["age"][..]),
        (Method::RankSwap { percent: 10.0 }, &["age"][..]),
        (Method::Pram { theta: 0.8 }, &["ill"][..]),
        (Method::Noise { percent: 10.0 }, &["age", "weight"][..]),
        (Method::Round { base: 10.0, random: false }, &["weight"][..]),
        (Method::Round { base: 10.0, random: true }, &["weight"][..]),
        (Method::LocalSuppression { k: 3 }, &["ill", "age"][..]),
    ] {
        let (text, report) = run(method, columns).unwrap();
        let (before, after) =
            (Sheet::parse(&sheet(), ';').unwrap(), Sheet::parse(&text, ';').unwrap());
        assert_eq!((report.rows_before, report.rows_after), (61, 61));
        assert!(report.columns.iter().any(|column| column.changed > 0), "{}", report.method);
        for (at, name) in before.header.iter().enumerate() {
            let same = before.column(at).eq(after.column(at));
            assert!(same || columns.contains(&name.as_str()), "{}", report.method);
        }
        assert_eq!(run(method, columns).unwrap().0, text);
    }
    let (text, report) = run(Method::Mdav { k: 3 }, &["age", "weight"]).unwrap();
    assert!(text.contains("p99;*;*;flu"));
    assert_eq!(report.suppressed_cells, 1);
    let numbers = report.columns[0].numbers.as_ref().unwrap();
    assert!(numbers.mean_shift.unwrap().abs() < 1e-3 && numbers.variance_ratio.unwrap() < 1.0);
    assert!(report.correlation_change.is_some());
}

#[test]
fn samples_keep_persons_whole() {
    let (text, report) = run(Method::Sample { fraction: 0.5 }, &["age"]).unwrap();
    let after = Sheet::parse(&text, ';').unwrap();
    assert_eq!(after.rows.len(), report.rows_after);
    let mut rows: hashbrown::HashMap<&str, usize> = hashbrown::HashMap::new();
    for person in after.column(0) {
        *rows.entry(person).or_insert(0) += 1;
    }
    assert!(rows.iter().all(|(person, n)| *n == if *person == "p99" { 1 } else { 2 }));
}

#[test]
fn faults_name_rows_and_columns() {
    let error = run(Method::RankSwap { percent: 5.0 }, &["ill"]).unwrap_err();
    assert!(matches!(error, SheetError::NotNumber { row: 1, .. }));
    assert_eq!(error.ja(), "「ill」の1行目の値は数値ではありません。");
    assert!(run(Method::Mdav { k: 100 }, &["age"]).is_err());
    assert!(run(Method::Mdav { k: 2 }, &[]).is_err());
    assert!(run(Method::Mdav { k: 2 }, &["height"]).unwrap_err().ja().contains("height"));
}

#[test]
fn pairs_become_anonymous() {
    let mut data = "person,code,on\n".to_owned();
    for person in 0..9 {
        let _ = write!(data, "p{person},E11,1\np{person},I10,2\np{person},I10,3\n");
    }
    data.push_str("p3,Q99,4\np4,,5\n");
    let mut options = KmOptions {
        delimiter: ',',
        person: "person".into(),
        item: "code".into(),
        k: 3,
        m: 2,
        hierarchy: None,
        residual: None,
    };
    let (text, report) = km(&data, &options).unwrap();
    assert!(!report.before.holds && report.after.holds);
    assert_eq!((text.lines().count(), report.suppressed_pairs), (19, 1));
    assert!(!text.contains("Q99") && text.starts_with("person,code\np0,E11\np0,I10\np1"));
    options.hierarchy = Some("E11,E,*\nI10,I,*\nQ99,Q,*\n".into());
    assert!(km(&data, &options).unwrap().1.after.holds);
    options.hierarchy = Some("E11,E,*\n".into());
    assert!(matches!(km(&data, &options), Err(SheetError::Sets(_))));
}

#[test]
fn counts_are_noisy_and_small_ones_hidden() {
    let mut data = "id;area;sex\n".to_owned();
    for row in 0..900 {
        let _ = writeln!(data, "p{row};{};{}", row % 2, ["F", "M"][row % 2]);
    }
    data.push_str("p900;9;M\n");
    let mut options = CountOptions {
        delimiter: ';',
        by: vec!["area".into(), "sex".into()],
        person: Some("id".into()),
        epsilon: 1.0,
        delta: 1e-6,
        contributions: 1,
    };
    let (text, report) = dp_count(&data, &options, &Chance::numbered(4)).unwrap();
    let rows = Sheet::parse(&text, ';').unwrap().rows;
    assert_eq!((rows.len(), report.shown), (2, 2));
    assert!(rows.iter().all(|row| row[2].parse::<u64>().unwrap().abs_diff(450) <= 25));
    assert!(report.threshold > 10 && report.within_95 == 3);
    options.epsilon = 0.0;
    assert!(dp_count(&data, &options, &Chance::numbered(4)).is_err());
}

#[test]
fn a_cell_in_quotes_may_hold_a_line_break() {
    let sheet = Sheet::parse("a;b\n\"x\ny\";1\n\nz;2\n", ';').unwrap();
    assert_eq!(sheet.rows, [["x\ny", "1"], ["z", "2"]]);
    let narrow = Sheet::parse("a;b\n\"x\ny\";1\nz\n", ';');
    assert!(matches!(narrow, Err(ToolError::Width { line: 4, found: 1, expected: 2 })));
    assert!(matches!(Sheet::parse("a;b\n\"x;1\n", ';'), Err(ToolError::UnclosedQuote { line: 2 })));
}
