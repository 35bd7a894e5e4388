//! Files that an independent writer (`fixtures/checkup_care`) has built from the field tables, and what it counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kiban_formats::rule_ja;
use serde::Deserialize;

use crate::{get, lasting, reading, samples};

#[derive(Deserialize)]
struct Expected {
    format: String,
    persons: BTreeSet<String>,
    tables: BTreeMap<String, usize>,
    values: Vec<(String, String, String)>,
    rejected: usize,
    unread: Vec<String>,
}

fn files() -> BTreeMap<String, (Vec<u8>, Expected)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures_b");
    let text = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&text).unwrap();
    expected
        .into_iter()
        .map(|(path, expected)| {
            let bytes = std::fs::read(folder.join(&path)).unwrap();
            (path, (bytes, expected))
        })
        .collect()
}

#[test]
fn every_record_type_is_read_as_its_writer_counted() {
    let files = files();
    assert!(files.len() >= 70);
    let mut wrong = Vec::new();
    for (path, (bytes, expected)) in &files {
        let Some(format) = reading::detected(path, bytes) else {
            wrong.push(format!("{path}: of no format"));
            continue;
        };
        if reading::name(format) != expected.format {
            wrong.push(format!("{path}: detected as {format:?}"));
            continue;
        }
        let segments = reading::segments(format, path, bytes);
        let mut tables: BTreeMap<String, usize> = BTreeMap::new();
        let (mut persons, mut unread, mut rejected) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut values: BTreeSet<(String, String, String)> = BTreeSet::new();
        for parsed in &segments {
            rejected += usize::from(parsed.rejected);
            unread.extend(parsed.unread.iter().map(|u| u.to_string()));
            for issue in &parsed.issues {
                assert_ne!(rule_ja(issue.rule), rule_ja(""), "{}", issue.rule);
            }
            if !parsed.records.is_empty() {
                persons.extend(parsed.person.iter().map(|p| p.to_string()));
            }
            for record in &parsed.records {
                *tables.entry(record.table().to_owned()).or_default() += 1;
                record.for_each(|column, value| {
                    values.extend(
                        value.map(|v| (record.table().to_owned(), column.to_owned(), v.to_owned())),
                    );
                });
            }
        }
        let mut note = |what: String| wrong.push(format!("{path}: {what}"));
        if (&tables, rejected) != (&expected.tables, expected.rejected) {
            let issues: Vec<_> = segments.iter().flat_map(|p| &p.issues).collect();
            note(format!("{tables:?}, {rejected} rejected, {issues:?}"));
        }
        if persons != expected.persons {
            note(format!("persons {persons:?}"));
        }
        for value in expected.values.iter().filter(|v| !values.contains(*v)) {
            note(format!("no {value:?}"));
        }
        for name in expected.unread.iter().filter(|n| !unread.contains(*n)) {
            note(format!("{name} is not among {unread:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_ministrys_item_table_fits_the_readers() {
    let Some(samples) = samples("the_ministrys_item_table_fits_the_readers") else { return };
    let bytes = std::fs::read(samples.join("kenshin_xsd/XMLhc24tab.csv")).unwrap();
    let table = kiban_formats::checkup::ItemTable::parse(&bytes).unwrap();
    // An independent count: lines whose 16th cell is a code of 17 characters.
    let text = String::from_utf8(bytes).unwrap();
    let codes: BTreeSet<&str> = text
        .lines()
        .filter_map(|l| l.split(',').nth(15))
        .filter(|c| c.chars().count() == 17 && c.bytes().all(|b| b.is_ascii_alphanumeric()))
        .collect();
    assert!(codes.len() > 200 && codes.iter().all(|c| table.get(c).is_some()));
    // The items built in are those of the ministry, with their units.
    let key = kiban_formats::checkup::ItemTable::key_items();
    let mut wrong = Vec::new();
    for (code, name, kind, unit) in kiban_formats::checkup::KEY_ITEMS {
        let Some(item) = table.get(code) else {
            wrong.push(format!("{code} {name}: not in the table"));
            continue;
        };
        let units = [item.unit.to_lowercase(), item.shown_unit.to_lowercase()];
        if item.kind != *kind || !(unit.is_empty() || units.contains(&unit.to_lowercase())) {
            wrong.push(format!("{code} {name}: {} {}", item.kind, item.unit));
        }
    }
    assert!(wrong.is_empty() && !key.is_empty(), "{}", wrong.join("\n"));
    let files = files();
    let (bytes, _) =
        files.iter().find(|(p, _)| p.ends_with("h13100000012024070100001.xml")).unwrap().1;
    let mut parsed = kiban_formats::checkup::parse_file(bytes, lasting());
    table.check(&mut parsed);
    assert!(parsed.issues.is_empty(), "{:?}", parsed.issues);
    let unit = |code: &str| {
        let of = |r: &&kiban_formats::Record<'_>| get(r, "item_code") == Some(code);
        get(parsed.records.iter().find(of).unwrap(), "unit").map(str::to_owned)
    };
    assert_eq!(unit("9N001000000000001").as_deref(), Some("cm"));
}
