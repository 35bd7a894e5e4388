//! OMOP: the model's own definition, keys, a small example by hand, hostile text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use kiban_formats::out::{Options, Reason, Target, omop};

use crate::out::{conserved, fixture_rows, options, record, written};

/// Tables of the model's DDL: name, then column and whether it must be filled.
fn ddl(text: &str) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut tables: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let mut open = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE @cdmDatabaseSchema.") {
            open = Some(name.split(' ').next().unwrap().to_lowercase());
            continue;
        }
        let Some(table) = &open else { continue };
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [name, _, rest @ ..] = &words[..] {
            let required = rest.first() == Some(&"NOT");
            tables
                .entry(table.clone())
                .or_default()
                .push((name.trim_matches('"').to_owned(), required));
        }
        if line.contains(';') {
            open = None;
        }
    }
    tables
}

type Sheet = (Vec<String>, Vec<Vec<String>>);

fn sheets(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Sheet> {
    let mut sheets = BTreeMap::new();
    for (name, bytes) in files {
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows =
            reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
        sheets.insert(name.strip_suffix(".csv").unwrap().to_owned(), (header, rows));
    }
    sheets
}

fn cell<'s>((header, rows): &'s Sheet, row: usize, column: &str) -> &'s str {
    let at = header.iter().position(|h| h == column).unwrap();
    &rows[row][at]
}

#[test]
fn tables_are_those_of_the_model() {
    let Some(samples) = crate::samples("tables_are_those_of_the_model") else { return };
    let rows = fixture_rows();
    let (files, _) =
        written(Target::Omop, &rows, Options { texts: true, identifiers: true, ..options() });
    let sheets = sheets(&files);
    for kind in ["sqlite", "duckdb"] {
        let path = samples.join(format!("omop/ddl_{kind}/OMOPCDM_{kind}_5.4_ddl.sql"));
        let model = ddl(&fs::read_to_string(path).unwrap());
        assert_eq!(sheets.len(), omop::TABLES.len());
        for (table, (header, rows)) in &sheets {
            let columns = &model[table];
            assert_eq!(
                *header,
                columns.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>(),
                "{table}"
            );
            for (at, (name, required)) in columns.iter().enumerate() {
                let empty = rows.iter().filter(|r| r[at].is_empty()).count();
                assert!(!required || empty == 0, "{table}.{name}: {empty} empty");
            }
        }
    }
}

#[test]
fn keys_are_unique_and_lead_somewhere() {
    let rows = fixture_rows();
    let (files, summary) = written(Target::Omop, &rows, Options { identifiers: true, ..options() });
    let sheets = sheets(&files);
    let mut keys: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (table, (header, rows)) in &sheets {
        assert_eq!(summary.rows_out[table.as_str()], rows.len() as u64, "{table}");
        if table == "death" || header[0] == format!("{table}_id") {
            let own: BTreeSet<&str> = rows.iter().map(|r| r[0].as_str()).collect();
            assert_eq!(own.len(), rows.len(), "{table}");
            keys.insert(header[0].clone(), own);
        }
    }
    let mut followed = 0;
    for (table, (header, rows)) in &sheets {
        for (at, column) in header.iter().enumerate().skip(1) {
            let Some(known) = keys.get(column) else { continue };
            for row in rows.iter().filter(|r| !r[at].is_empty()) {
                assert!(known.contains(row[at].as_str()), "{table}.{column}");
                followed += 1;
            }
        }
    }
    assert!(followed > 300, "{followed}");
    let filled = [
        "visit_occurrence",
        "condition_occurrence",
        "drug_exposure",
        "procedure_occurrence",
        "measurement",
        "observation",
        "device_exposure",
        "cost",
        "death",
        "payer_plan_period",
        "provider",
        "care_site",
    ];
    for table in filled {
        assert!(!sheets[table].1.is_empty(), "{table} is empty");
    }
}

#[test]
fn a_small_example_by_hand() {
    let p = || "7".to_owned();
    let rows = vec![
        (
            p(),
            record(
                "condition",
                &[
                    ("code", "20059034"),
                    ("code_system", "MDCDX2"),
                    ("icd10", "E119"),
                    ("text", "２型糖尿病"),
                    ("recorded_at", "20240402"),
                    ("certainty", "suspected"),
                    ("encounter_key", "v1"),
                ],
            ),
        ),
        (
            p(),
            record(
                "encounter",
                &[
                    ("encounter_key", "v1"),
                    ("class", "I"),
                    ("start_at", "202404010905"),
                    ("status", "admission"),
                ],
            ),
        ),
        (
            p(),
            record(
                "encounter",
                &[
                    ("encounter_key", "v1"),
                    ("class", "I"),
                    ("end_at", "20240410"),
                    ("status", "discharge"),
                    ("disposition_code", "01"),
                ],
            ),
        ),
        (p(), record("person", &[("sex", "F"), ("birth_on", "19500200")])),
        (
            p(),
            record(
                "medication",
                &[
                    ("kind", "order"),
                    ("code", "620000001"),
                    ("code_system", "HOT9"),
                    ("dose", "1"),
                    ("dose_unit", "TAB"),
                    ("days", "7"),
                    ("usage_text", "朝食後"),
                    ("started_at", "20240402"),
                ],
            ),
        ),
        (
            p(),
            record(
                "measurement",
                &[
                    ("category", "laboratory"),
                    ("code", "3D010000001926101"),
                    ("code_system", "JC10"),
                    ("value_text", "<0.50"),
                    ("value_num", "0.50"),
                    ("comparator", "<"),
                    ("unit", "%"),
                    ("reference_range", "4.6-6.2"),
                    ("measured_at", "20240402083000"),
                ],
            ),
        ),
        (p(), record("measurement", &[("code", "x"), ("measured_at", "99999999")])),
        (
            p(),
            record(
                "measurement",
                &[("code", "x"), ("measured_at", "20240402"), ("status", "superseded")],
            ),
        ),
        (p(), record("note", &[("text", "t"), ("written_at", "20240402")])),
        ("8".to_owned(), record("measurement", &[("code", "x"), ("measured_at", "20240402")])),
        (p(), record("death", &[("died_on", "20240512"), ("cause_code", "C34")])),
    ];
    let vocabulary =
        |system: &str, code: &str| (system == "ICD-10" && code == "E119").then_some(201_826);
    let (files, summary) =
        written(Target::Omop, &rows, Options { vocabulary: Some(&vocabulary), ..options() });
    conserved(&rows, &summary);
    let text = |name: &str| {
        String::from_utf8(files[name].clone()).unwrap().lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(text("person.csv"), "1,8532,1950,2,,,0,0,,,,7,F,0,,0,,0");
    assert_eq!(text("observation_period.csv"), "1,1,2024-04-01,2024-05-12,32817");
    assert_eq!(
        text("visit_occurrence.csv"),
        "1,1,9201,2024-04-01,2024-04-01 09:05:00,2024-04-10,,32817,,,I,0,,,,01,"
    );
    assert_eq!(
        text("condition_occurrence.csv"),
        "1,1,201826,2024-04-02,,,,32817,,,,1,,20059034|E119,0,suspected"
    );
    assert_eq!(
        text("drug_exposure.csv"),
        "1,1,0,2024-04-02,,2024-04-08,,,32838,,,,7,1 TAB; 朝食後,,,,,,620000001,0,,TAB"
    );
    assert_eq!(
        text("measurement.csv"),
        "1,1,0,2024-04-02,2024-04-02 08:30:00,08:30:00,32856,4171756,0.50,,0,4.6,6.2,,,,3D010000001926101,0,%,0,<0.50,,"
    );
    assert_eq!(text("death.csv"), "1,2024-05-12,,32817,0,C34,0");
    assert_eq!(
        text("cdm_source.csv"),
        "kiban,KIBAN,kiban,Written by kiban-formats.,,,2024-12-01,2024-12-01,v5.4,0,none"
    );
    let map = String::from_utf8(files["source_to_concept_map.csv"].clone()).unwrap();
    assert!(map.contains("E119,0,SOURCE-3,２型糖尿病,201826,OMOP,1970-01-01,2099-12-31,"), "{map}");
    for (table, reason, n) in [
        ("measurement", Reason::NoDate, 1),
        ("measurement", Reason::Superseded, 1),
        ("measurement", Reason::NoBirthYear, 1),
        ("note", Reason::TextWithheld, 1),
    ] {
        assert_eq!(summary.left_out[&(table, reason)], n);
    }
    assert_eq!(summary.left_out_rows(), 4);
    assert_eq!(summary.imputed[&("drug_exposure.drug_exposure_end_date", "days-of-supply")], 1);
}

#[test]
fn a_discharge_ends_the_stay_it_does_not_name() {
    let p = || "7".to_owned();
    let rows = vec![
        (p(), record("person", &[("birth_on", "1950")])),
        (
            p(),
            record(
                "encounter",
                &[("class", "I"), ("start_at", "20240401"), ("status", "admission")],
            ),
        ),
        (
            p(),
            record(
                "encounter",
                &[("class", "I"), ("start_at", "20240501"), ("status", "admission")],
            ),
        ),
        (
            p(),
            record("encounter", &[("class", "I"), ("end_at", "20240410"), ("status", "discharge")]),
        ),
        (
            p(),
            record(
                "encounter",
                &[
                    ("class", "I"),
                    ("start_at", "20240501"),
                    ("end_at", "20240507"),
                    ("status", "discharge"),
                ],
            ),
        ),
        (
            p(),
            record("encounter", &[("class", "I"), ("end_at", "20230101"), ("status", "discharge")]),
        ),
        (
            p(),
            record("encounter", &[("class", "I"), ("start_at", "20240403"), ("status", "leave")]),
        ),
    ];
    let (files, summary) = written(Target::Omop, &rows, options());
    let sheets = sheets(&files);
    let visits = &sheets["visit_occurrence"];
    let days: Vec<_> = (0..visits.1.len())
        .map(|n| (cell(visits, n, "visit_start_date"), cell(visits, n, "visit_end_date")))
        .collect();
    assert_eq!(days, [("2024-04-01", "2024-04-10"), ("2024-05-01", "2024-05-07")]);
    assert_eq!(summary.carried["encounter"], 4);
    assert_eq!(summary.left_out[&("encounter", Reason::NoDate)], 1);
    assert_eq!(summary.left_out[&("encounter", Reason::PartOfStay)], 1);
}

#[test]
fn hostile_text_survives() {
    let texts = [
        "a\"b",
        "a,b",
        "a\nb",
        "a\r\nb",
        "a\rb",
        "a\0b",
        "\"",
        "=cmd()",
        " a ",
        "\u{feff}a",
        "髙﨑\u{e000}",
        "'; DROP TABLE person;--",
    ];
    let mut rows = vec![("\"p\",\r\n".to_owned(), record("person", &[("birth_on", "1950-01-01")]))];
    for text in texts {
        rows.push((
            "\"p\",\r\n".to_owned(),
            record(
                "measurement",
                &[
                    ("code", text),
                    ("value_text", text),
                    ("unit", text),
                    ("measured_at", "2024-04-01"),
                ],
            ),
        ));
    }
    let long = "あ".repeat(51);
    rows.push((
        rows[0].0.clone(),
        record(
            "measurement",
            &[("code", "long"), ("value_text", &long), ("measured_at", "2024-04-01")],
        ),
    ));
    let (files, summary) = written(Target::Omop, &rows, options());
    let sheets = sheets(&files);
    assert_eq!(cell(&sheets["person"], 0, "person_source_value"), "\"p\",\r\n");
    for (n, text) in texts.iter().enumerate() {
        for column in ["measurement_source_value", "value_source_value", "unit_source_value"] {
            assert_eq!(cell(&sheets["measurement"], n, column), *text);
        }
    }
    assert_eq!(cell(&sheets["measurement"], texts.len(), "value_source_value"), "あ".repeat(50));
    assert_eq!(summary.shortened["measurement.value_source_value"], 1);
}

#[test]
fn keys_go_on_where_the_last_writer_stopped() {
    use kiban_formats::out::{Omop, Survey};
    let mut ids = omop::Ids::default();
    for (round, people) in [["a", "b"], ["b", "c"]].iter().enumerate() {
        let mut survey = Survey::default();
        for person in people {
            survey.note(person, &record("person", &[("birth_on", "1950")]));
        }
        let mut last = Vec::new();
        let sink = std::rc::Rc::new(std::cell::RefCell::new(Vec::<u8>::new()));
        struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
        impl std::io::Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.borrow_mut().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let sinks = |name: &str| {
            Ok(Shared(if name == "person.csv" { sink.clone() } else { std::rc::Rc::default() }))
        };
        let out = Omop::new(survey, ids, options(), sinks).unwrap();
        ids = out.finish().unwrap().1;
        for line in String::from_utf8(sink.borrow().clone()).unwrap().lines().skip(1) {
            last.push(line.split(',').next().unwrap().to_owned());
        }
        assert_eq!(last, if round == 0 { ["1", "2"] } else { ["2", "3"] });
    }
}
