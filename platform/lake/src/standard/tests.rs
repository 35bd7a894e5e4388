use arrow::{
    array::{
        ArrayRef, AsArray as _, Date32Array, Float64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{DataType, Float64Type, TimeUnit},
};
use datafusion::prelude::SessionContext;
use kiban_codes::mapping::{Act, By, Key, MappingId, Meaning};
use proptest::prelude::*;

use super::*;

fn by(person: &str) -> By {
    By { person: person.to_owned(), at: "2026-04-01T00:00:00Z".parse().unwrap() }
}

fn propose(holder: &str, local: &str, code: &str, from: &str, until: Option<&str>) -> Act {
    let glucose = |from: &str| UnitRule {
        from: from.to_owned(),
        to: "mg/dL".to_owned(),
        analyte: Some("glucose".to_owned()),
        target_analyte: None,
    };
    Act::Propose {
        by: by("a"),
        key: Key { system: "jlac10".into(), holder: holder.into(), local: local.into() },
        meaning: Meaning {
            code: code.into(),
            unit: local.contains("GLU").then(|| glucose("mmol/L")),
        },
        from: from.parse().unwrap(),
        until: until.map(|u| u.parse().unwrap()),
        replaces: None,
    }
}

fn sign(id: u64) -> Act {
    Act::Sign { by: by("b"), id: MappingId(id) }
}

/// A row of the table `measurement`: holder, system, code, text, day, value as written, unit.
type Row<'a> = (
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<i32>,
    Option<&'a str>,
    Option<&'a str>,
);

async fn read(map: &CodeMap, rows: &[Row<'_>]) -> Vec<[Option<String>; 4]> {
    let declared = schema::table("measurement").unwrap().arrow();
    let columns: Vec<ArrayRef> = declared
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            let text = |of: fn(&Row<'_>) -> Option<String>| {
                Arc::new(rows.iter().map(of).collect::<StringArray>()) as ArrayRef
            };
            match (field.name().as_str(), field.data_type()) {
                ("holder", _) => text(|r| Some(r.0.to_owned())),
                ("code_system", _) => text(|r| r.1.map(str::to_owned)),
                ("code", _) => text(|r| r.2.map(str::to_owned)),
                ("text", _) => text(|r| r.3.map(str::to_owned)),
                ("value_text", _) => text(|r| r.5.map(str::to_owned)),
                ("unit", _) => text(|r| r.6.map(str::to_owned)),
                ("measured_at", _) => Arc::new(
                    rows.iter()
                        .map(|r| r.4.map(|d| i64::from(d) * 86_400_000_000 + 7))
                        .collect::<TimestampMicrosecondArray>(),
                ),
                ("value_num", _) => Arc::new(
                    rows.iter()
                        .map(|r| r.5.and_then(|v| v.trim_start_matches('<').parse().ok()))
                        .collect::<Float64Array>(),
                ),
                (_, DataType::Utf8) => text(|_| Some(String::new())),
                (_, DataType::Float64) => Arc::new(Float64Array::from(vec![None; rows.len()])),
                (_, DataType::Date32) => Arc::new(Date32Array::from(vec![None; rows.len()])),
                (_, DataType::Timestamp(TimeUnit::Microsecond, _)) => {
                    Arc::new(TimestampMicrosecondArray::from(vec![None; rows.len()]))
                }
                _ => Arc::new(arrow::array::UInt8Array::from(vec![3; rows.len()])),
            }
        })
        .collect();
    let batch = RecordBatch::try_new(declared, columns).unwrap();
    let frame = SessionContext::new().read_batch(batch).unwrap();
    let wide = map.widen("measurement", frame).unwrap().collect().await.unwrap();
    let wide = arrow::compute::concat_batches(&wide[0].schema(), &wide).unwrap();
    let text = |name: &str| -> Vec<Option<String>> {
        let column = wide.column_by_name(name).unwrap();
        column.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect()
    };
    let (codes, systems, units) =
        (text("standard_code"), text("standard_system"), text("standard_unit"));
    let values = wide.column_by_name("standard_value").unwrap().as_primitive::<Float64Type>();
    (0..rows.len())
        .map(|i| {
            let value = values.iter().nth(i).flatten().map(|v| v.to_string());
            [codes[i].clone(), systems[i].clone(), value, units[i].clone()]
        })
        .collect()
}

fn said(cells: [&str; 4]) -> [Option<String>; 4] {
    cells.map(|c| (!c.is_empty()).then(|| c.to_owned()))
}

#[tokio::test]
async fn a_row_gets_the_signed_meaning_of_its_day_in_the_standard_unit() {
    let set = MappingSet::replay([
        propose("org_1", "L|GOT", "AST-OLD", "2020-01-01", Some("2023-12-31")),
        sign(1),
        propose("org_1", "L|GOT", "AST", "2024-01-01", None),
        sign(2),
        propose("*", "L|GLU", "GLUCOSE", "2020-01-01", None),
        sign(3),
        propose("org_2", "||血糖", "GLUCOSE", "2020-01-01", None),
        sign(4),
        propose("org_1", "L|CRE", "UNSIGNED", "2020-01-01", None),
    ])
    .unwrap();
    let map = CodeMap::of(&set);
    let (before, after) = (Some(19_000), Some(20_000));
    let (l, none) = (Some("L"), None);
    let rows: Vec<(Row<'_>, [&str; 4])> = vec![
        (
            ("org_1", l, Some("GOT"), none, before, Some("25"), Some("U/L")),
            ["AST-OLD", "jlac10", "25", "U/L"],
        ),
        (
            ("org_1", l, Some(" GOT"), none, after, Some("25"), Some("U/L")),
            ["AST", "jlac10", "25", "U/L"],
        ),
        // Without a day two meanings are none.
        (("org_1", l, Some("GOT"), none, none.map(|_: &str| 0), Some("25"), none), [""; 4]),
        (("org_2", l, Some("GOT"), none, after, Some("25"), none), [""; 4]),
        (("org_1", l, Some("CRE"), none, after, Some("1"), none), [""; 4]),
        // Every holder's, in the row's own unit, the mapping's, or one that nothing converts.
        (
            ("org_9", l, Some("GLU"), none, after, Some("5.55"), Some("mmol/L")),
            ["GLUCOSE", "jlac10", "100", "mg/dL"],
        ),
        (
            ("org_9", l, Some("GLU"), none, after, Some("5.55"), none),
            ["GLUCOSE", "jlac10", "100", "mg/dL"],
        ),
        (
            ("org_9", l, Some("GLU"), none, after, Some("100"), Some("mg/dl")),
            ["GLUCOSE", "jlac10", "100", "mg/dL"],
        ),
        (
            ("org_9", l, Some("GLU"), none, after, Some("5"), Some("点")),
            ["GLUCOSE", "jlac10", "", ""],
        ),
        (("org_9", l, Some("GLU"), none, after, Some("陰性"), none), ["GLUCOSE", "jlac10", "", ""]),
        // A name without a code, or beside a code that says there is none.
        (
            ("org_2", none, none, Some("血糖"), after, Some("5.55"), none),
            ["GLUCOSE", "jlac10", "5.55", ""],
        ),
        (
            ("org_2", l, Some("99999999"), Some("血糖"), after, Some("5.55"), none),
            ["GLUCOSE", "jlac10", "5.55", ""],
        ),
        // As it came, in the target system.
        (
            (
                "org_3",
                Some("JC10"),
                Some("3B035"),
                none,
                none.map(|_: &str| 0),
                Some("7"),
                Some("U/L"),
            ),
            ["3B035", "jlac10", "7", "U/L"],
        ),
        (("org_3", Some("LOINC"), Some("1"), none, after, Some("7"), none), [""; 4]),
        (("org_3", none, none, none, after, Some("7"), none), [""; 4]),
    ];
    let cells: Vec<Row<'_>> = rows.iter().map(|r| r.0).collect();
    for (at, (found, (_, wanted))) in read(&map, &cells).await.iter().zip(&rows).enumerate() {
        assert_eq!(*found, said(*wanted), "row {at}");
    }
    let empty = CodeMap::empty();
    assert_ne!(empty.digest(), map.digest());
    assert_eq!((empty.version(), map.version()), (0, 9));
}

#[test]
fn the_digest_speaks_of_what_is_in_effect_alone() {
    let acts = [propose("org_1", "L|GOT", "AST", "2024-01-01", None), sign(1)];
    let signed = CodeMap::of(&MappingSet::replay(acts.clone()).unwrap());
    let more = propose("org_1", "L|GPT", "ALT", "2024-01-01", None);
    let proposed = CodeMap::of(&MappingSet::replay(acts.into_iter().chain([more])).unwrap());
    assert_eq!(signed.digest(), proposed.digest());
    assert_ne!(signed.version(), proposed.version());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_engine_reads_what_the_set_says(
        acts in prop::collection::vec((0..3_usize, 0..3_usize, 0..40_i32, 0..30_i32, any::<bool>()), 0..12),
        day in 19_000..19_080_i32,
    ) {
        let codes = ["A", "B", "C"];
        let locals = ["L|x", "L|y", "||z"];
        let start = Date::constant(1970, 1, 1);
        let date = |n: i32| start.checked_add(jiff_days(n)).unwrap().to_string();
        let mut set = MappingSet::new();
        for (local, code, from, length, signed) in acts {
            let (from, until) = (date(19_000 + from), date(19_000 + from + length));
            let act = propose("org_1", locals[local], codes[code], &from, Some(&until));
            let id = set.next_id().0;
            set.apply(act).unwrap();
            if signed {
                // Two of one time are refused: the set stays as it was.
                let _ = set.apply(sign(id));
            }
        }
        let cells: Vec<Row<'_>> = vec![
            ("org_1", Some("L"), Some("x"), None, Some(day), None, None),
            ("org_1", Some("L"), Some("y"), None, Some(day), None, None),
            ("org_1", None, None, Some("z"), Some(day), None, None),
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(read(&CodeMap::of(&set), &cells));
        for (local, found) in locals.into_iter().zip(read) {
            let key = Key { system: "jlac10".into(), holder: "org_1".into(), local: local.into() };
            let on = start.checked_add(jiff_days(day)).unwrap();
            let wanted = set.in_effect(&key, on).map(|m| m.meaning.code.clone());
            prop_assert_eq!(&found[0], &wanted);
        }
    }
}

fn jiff_days(n: i32) -> std::time::Duration {
    std::time::Duration::from_secs(86_400 * u64::from(n.unsigned_abs()))
}
