//! The output side: nothing is lost uncounted, the models' own definitions hold, hostile text survives.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    rc::Rc,
};

use kiban_formats::{
    Parsed, Record,
    out::{Options, Out, Summary, Survey, Target},
};

use crate::{lasting, reading};

/// Files in memory.
#[derive(Clone, Default)]
pub(crate) struct Files(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

pub(crate) struct OneFile(Files, String);

impl Write for OneFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.borrow_mut().get_mut(&self.1).unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) type OneRow = (String, Record<'static>);
type Written = (BTreeMap<String, Vec<u8>>, Summary);

/// Both passes over rows.
pub(crate) fn written(target: Target, rows: &[OneRow], options: Options<'_>) -> Written {
    let mut survey = Survey::default();
    for (person, record) in rows {
        survey.note(person, record);
    }
    let files = Files::default();
    let sinks = |name: &str| {
        let before = files.0.borrow_mut().insert(name.to_owned(), Vec::new());
        assert!(before.is_none(), "{name} is opened twice");
        Ok(OneFile(files.clone(), name.to_owned()))
    };
    let mut out = Out::new(target, survey, options, sinks).unwrap();
    for (person, record) in rows {
        out.push(person, record).unwrap();
    }
    let summary = out.finish().unwrap();
    let files = files.0.borrow().clone();
    (files, summary)
}

pub(crate) fn options() -> Options<'static> {
    Options { released_on: "2024-12-01", ..Options::default() }
}

fn rows_of(all: Vec<Parsed<'static>>, rows: &mut Vec<OneRow>) {
    for parsed in all {
        let Some(person) = parsed.person else { continue };
        rows.extend(parsed.records.into_iter().map(|r| (person.to_owned(), r)));
    }
}

/// The rows of all conformance files.
pub(crate) fn fixture_rows() -> Vec<OneRow> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut rows = Vec::new();
    for folder in ["fixtures", "fixtures_b", "corpus"] {
        for (path, bytes) in crate::tree(&tests.join(folder)) {
            if let Some(format) = reading::detected(&path, &bytes) {
                rows_of(reading::segments(format, &path, &bytes), &mut rows);
            }
        }
    }
    assert!(rows.len() > 800, "the conformance files give {} rows", rows.len());
    rows
}

/// A record of a table with some columns.
pub(crate) fn record(table: &str, columns: &[(&str, &str)]) -> Record<'static> {
    let arena = lasting();
    let columns = columns.iter().map(|(column, value)| (*column, Some(arena.text(value))));
    Record::of_table(table, "line 1".into(), columns, arena).unwrap_or_else(|| panic!("{table}"))
}

pub(crate) fn conserved(rows: &[OneRow], summary: &Summary) {
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, record) in rows {
        *counted.entry(record.table()).or_default() += 1;
    }
    assert_eq!(summary.rows_in.iter().map(|(t, n)| (*t, *n)).collect::<BTreeMap<_, _>>(), counted);
    for (table, rows_in) in &summary.rows_in {
        let carried = summary.carried.get(table).copied().unwrap_or(0);
        let left: u64 =
            summary.left_out.iter().filter(|((t, _), _)| t == table).map(|(_, n)| n).sum();
        assert_eq!(carried + left, *rows_in, "{table}");
    }
    for (_, reason) in summary.left_out.keys() {
        assert!(reason.ja().ends_with('。'));
    }
}

#[test]
fn every_target_counts_every_row_of_the_conformance_files() {
    let rows = fixture_rows();
    for target in Target::ALL {
        for all in [false, true] {
            let options = Options { identifiers: all, texts: all, ..options() };
            let (_, summary) = written(target, &rows, options);
            conserved(&rows, &summary);
        }
    }
}

#[test]
fn what_is_not_asked_for_is_not_written() {
    const MARK: &str = "秘密の人";
    let rows = vec![
        (
            "p".to_owned(),
            record(
                "person",
                &[
                    ("name_kanji", MARK),
                    ("name_kana", MARK),
                    ("birth_on", "1950-01-02"),
                    ("address", MARK),
                    ("phone", MARK),
                    ("postal_code", MARK),
                    ("insured_number", MARK),
                    ("insured_symbol", MARK),
                    ("record_no", MARK),
                    ("occupation", MARK),
                ],
            ),
        ),
        (
            "p".to_owned(),
            record(
                "encounter",
                &[("class", "O"), ("start_at", "2024-04-01"), ("practitioner", MARK)],
            ),
        ),
        (
            "p".to_owned(),
            record("note", &[("text", MARK), ("title", MARK), ("written_at", "2024-04-01")]),
        ),
        (
            "p".to_owned(),
            record(
                "document",
                &[
                    ("title", MARK),
                    ("text", "x"),
                    ("written_at", "2024-04-01"),
                    ("practitioner", MARK),
                ],
            ),
        ),
        (
            "p".to_owned(),
            record(
                "coverage",
                &[
                    ("insured_symbol", MARK),
                    ("insured_number", MARK),
                    ("insured_branch", MARK),
                    ("from_on", "2024-04-01"),
                ],
            ),
        ),
        (
            "p".to_owned(),
            record(
                "measurement",
                &[("code", "x"), ("measured_at", "2024-04-01"), ("practitioner", MARK)],
            ),
        ),
        (
            "p".to_owned(),
            record("survey", &[("code", "A"), ("admitted_on", "20240401"), ("value9", MARK)]),
        ),
        (
            "p".to_owned(),
            record(
                "claim_payer",
                &[
                    ("claim_key", "k"),
                    ("recipient_no", MARK),
                    ("insured_number", MARK),
                    ("insured_symbol", MARK),
                    ("insured_branch", MARK),
                ],
            ),
        ),
        (
            "p".to_owned(),
            record("claim", &[("claim_key", "k"), ("care_month", "202404"), ("record_no", MARK)]),
        ),
        (
            "p".to_owned(),
            record(
                "vaccination",
                &[("code", "x"), ("given_on", "2024-04-01"), ("practitioner", MARK)],
            ),
        ),
    ];
    for target in Target::ALL {
        let (files, _) = written(target, &rows, options());
        for (name, bytes) in files {
            assert!(!String::from_utf8_lossy(&bytes).contains(MARK), "{target:?} {name}");
        }
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = fixture_rows();
    for target in Target::ALL {
        assert!(written(target, &rows, options()).0 == written(target, &rows, options()).0);
    }
}
