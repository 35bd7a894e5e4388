use std::{iter, ops::Range, sync::Arc};

use arrow::{
    array::{
        BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
        TimestampMicrosecondArray, UInt32Array,
    },
    compute::{concat_batches, take_record_batch},
};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use kiban_kernel::ColumnClass;
use proptest::prelude::*;

use super::*;
use crate::{
    DataClass, Reading, Repeated, Values,
    schema::{Column, ColumnType, TableSchema},
    table_file,
};

/// A table with columns of all types.
fn table() -> &'static TableSchema {
    use ColumnType as T;
    let columns = [
        (PERSON_COLUMN, T::Utf8, false),
        ("bases", T::Uint8, false),
        ("position", T::Utf8, false),
        ("name", T::Utf8, true),
        ("note", T::Utf8, true),
        ("day_text", T::Utf8, true),
        ("day", T::Date, true),
        ("at", T::Timestamp, true),
        ("amount", T::Float64, true),
        ("own_day", T::Date, true),
        ("own_at", T::Timestamp, true),
        ("own_number", T::Float64, true),
        ("count", T::Int64, true),
        ("odd", T::Bool, true),
        ("nothing", T::Utf8, true),
    ];
    let column = |(name, kind, nullable): (&str, ColumnType, bool)| Column {
        name: name.to_owned(),
        kind,
        nullable,
        class: ColumnClass::QuasiIdentifier,
        ja: String::new(),
        en: String::new(),
    };
    Box::leak(Box::new(TableSchema {
        name: "sample".to_owned(),
        version: 1,
        data_class: DataClass::Identified,
        ja: String::new(),
        en: String::new(),
        columns: columns.map(column).to_vec(),
        derived: Vec::new(),
    }))
}

/// Rows of all shapes: text that comes back, text that does not, what was read from it, arrays; a column of nothing. Groups
/// are of `group` rows; every `unread`-th value could not be read.
fn rows(rows: usize, seed: u64, of: u64, gaps: u64, group: usize, unread: usize) -> Columns {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let mut cell = move || (next() % (gaps + 1) > 0).then(|| next() % of);
    let mut text = |mut column: Repeated, word: &str| {
        for row in 0..rows {
            if let Some(value) = cell() {
                column.fill_to(row);
                column.push(&format!("{word}{value}"));
            }
        }
        column
    };
    let (name, note) = (text(Repeated::default(), "甲"), text(Repeated::unlike(), "note "));
    let days = text(Repeated::default(), "2024年の日付");
    let read = |at: usize| (at % (unread + 1) < unread || unread == 0).then_some(at as i64 * 7 - 3);
    let read_days: Vec<i64> = (0..days.values() as i64).collect();
    let known: Vec<Option<i64>> = read_days.iter().map(|at| read(*at as usize)).collect();
    let numbers: Vec<Option<i64>> =
        iter::repeat_with(|| cell().map(|v| v as i64 - 7)).take(rows).collect();
    let own_day: Date32Array = numbers.iter().map(|n| n.map(|n| n as i32)).collect();
    let own_at: TimestampMicrosecondArray = numbers.iter().map(|n| n.map(|n| n * 1000)).collect();
    let own_number: Float64Array = numbers.iter().map(|n| n.map(|n| n as f64 / 4.0)).collect();
    let odd: BooleanArray = numbers.iter().map(|n| n.map(|n| n % 2 == 1)).collect();
    let ends: Vec<u32> = (1..=rows.div_ceil(group)).map(|n| (n * group).min(rows) as u32).collect();
    let mut person = Repeated::default();
    (0..ends.len()).for_each(|n| {
        person.push(&format!("person {}", n / 3));
    });
    let bases = (0..ends.len()).map(|n| n as u8 % 3).collect();
    let position = |row: u64| match seed % 4 {
        0 => row + seed % 1000,
        1 => row * 13 % 4001 + row / 7,
        2 => u64::MAX - row / 2,
        _ => 10_u64.pow((row % 20) as u32) - row % 2,
    };
    let positions = (0..rows as u64).map(position).collect();
    let values = vec![
        Values::GroupText(person),
        Values::GroupNumber(bases),
        Values::Numbered("line ", positions),
        Values::Text(name),
        Values::Text(note),
        Values::Text(days),
        Values::Read(5, Reading::Days(known.iter().map(|n| n.map(|n| n as i32)).collect())),
        Values::Read(5, Reading::Moments(known.clone())),
        Values::Read(5, Reading::Numbers(known.iter().map(|n| n.map(|n| n as f64)).collect())),
        Values::Array(Arc::new(own_day)),
        Values::Array(Arc::new(own_at)),
        Values::Array(Arc::new(own_number)),
        Values::Array(Arc::new(numbers.into_iter().collect::<Int64Array>())),
        Values::Array(Arc::new(odd)),
        Values::Text(Repeated::default()),
    ];
    let order = (0..values.len()).collect();
    Columns { table: table(), rows, ends, values, order }
}

/// Runs of whole groups, or of their beginnings.
fn runs(rows: &Columns, groups: impl IntoIterator<Item = usize>) -> Vec<Run> {
    let run = |group| Run { rows: rows.group(group), group: group as u32 };
    groups.into_iter().map(run).collect()
}

/// The rows of the runs, as a batch has them.
fn picked(rows: &Columns, runs: &[Run]) -> RecordBatch {
    let picked: UInt32Array = runs.iter().flat_map(|run| run.rows.clone()).collect();
    take_record_batch(&rows.batch().unwrap(), &picked).unwrap()
}

fn back(bytes: Vec<u8>, rows: &Columns) -> RecordBatch {
    let schema = rows.table.arrow();
    let found = table_file::read(bytes.into()).unwrap();
    let wide: Vec<_> = found.iter().map(|b| table_file::widen(&schema, b).unwrap()).collect();
    concat_batches(&schema, &wide).unwrap()
}

/// The rows of the file that a selection takes, in batches of a few.
fn selected(bytes: Vec<u8>, rows: &Columns, takes: &[(usize, bool)]) -> RecordBatch {
    use parquet::arrow::arrow_reader::{
        ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
    };
    let selectors: Vec<RowSelector> = takes
        .iter()
        .map(|(n, take)| if *take { RowSelector::select(*n) } else { RowSelector::skip(*n) })
        .collect();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let reader = reader.with_row_selection(RowSelection::from(selectors)).with_batch_size(100);
    let schema = rows.table.arrow();
    let found: Vec<_> = reader
        .build()
        .unwrap()
        .map(|batch| table_file::widen(&schema, &batch.unwrap()).unwrap())
        .collect();
    concat_batches(&schema, &found).unwrap()
}

#[test]
fn empty_columns_are_left_out_and_a_file_is_the_same_again() {
    let rows = rows(500, 1, 40, 3, 50, 0);
    let write = || write_runs(&rows, &runs(&rows, [2, 3, 4, 0, 9]), Vec::new()).unwrap();
    let (bytes, written) = write();
    assert_eq!(written, 250);
    assert_eq!(bytes, write().0);
    let found = table_file::read(bytes.into()).unwrap();
    assert_eq!((found[0].num_columns(), found[0].column_by_name("nothing")), (14, None));
}

#[test]
fn long_text_is_cut_into_pages_by_its_bytes() {
    let mut rows = rows(300, 1, 40, 3, 50, 0);
    let mut long = Repeated::default();
    (0..300).for_each(|row| {
        long.push(&"長".repeat(10_000 + row % 20));
    });
    rows.values[3] = Values::Text(long);
    let runs = runs(&rows, 0..6);
    let (bytes, written) = write_runs(&rows, &runs, Vec::new()).unwrap();
    assert_eq!((written, back(bytes, &rows)), (300, picked(&rows, &runs)));
}

#[test]
fn row_groups_are_cut_and_bounds_are_kept() {
    let rows = rows(ROW_GROUP + 5000, 3, 90_000, 9, 1000, 5);
    let runs = runs(&rows, (5..rows.ends.len()).chain(0..5));
    let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
    let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
        bytes::Bytes::from(bytes.clone()),
    )
    .unwrap();
    let groups = file.metadata().row_groups();
    let sizes: Vec<_> =
        groups.iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect();
    assert_eq!(sizes, [ROW_GROUP as i64, 5000]);
    let bounds = |name: &str| {
        let column = groups[0].columns().iter().find(|c| c.column_path().string() == name);
        let statistics = column.unwrap().statistics();
        statistics.map(|s| (s.min_bytes_opt().is_some(), s.max_bytes_opt().is_some()))
    };
    assert_eq!(
        ["day", "own_day", PERSON_COLUMN, "name"].map(bounds),
        [Some((true, true)), Some((true, true)), Some((true, true)), None]
    );
    assert_eq!(back(bytes, &rows), picked(&rows, &runs));
}

/// The engine takes a column of one value without gaps for that value: it must be told of the gaps.
#[tokio::test]
async fn a_day_that_few_rows_have_stays_theirs_in_the_engine() {
    let mut rows = rows(60, 1, 40, 3, 10, 0);
    let mut day = Repeated::default();
    let own: Date32Array = (0..60).map(|n| (n == 7).then_some(19_900)).collect();
    day.fill_to(41);
    day.push("20240722");
    rows.values[5] = Values::Text(day);
    rows.values[6] = Values::Read(5, Reading::Days(vec![Some(19_926)]));
    rows.values[7] = Values::Read(5, Reading::Moments(vec![Some(1)]));
    rows.values[8] = Values::Read(5, Reading::Numbers(vec![Some(0.5)]));
    rows.values[9] = Values::Array(Arc::new(own));
    let runs = runs(&rows, 0..6);
    let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, bytes).unwrap();
    let engine = SessionContext::new();
    let frame =
        engine.read_parquet(path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    let found = frame.collect().await.unwrap();
    let want = picked(&rows, &runs);
    for name in ["day", "at", "amount", "own_day"] {
        let found: usize = found.iter().map(|b| b.column_by_name(name).unwrap().null_count()).sum();
        assert_eq!(found, want.column_by_name(name).unwrap().null_count(), "{name}");
        assert_eq!(found, 59, "{name}");
    }
}

#[test]
fn a_column_may_be_empty_in_one_row_group_alone() {
    let mut rows = rows(ROW_GROUP + 500, 3, 20, 9, 100, 0);
    let mut late = Repeated::default();
    late.fill_to(ROW_GROUP + 400);
    late.push("乙");
    rows.values[3] = Values::Text(late);
    let runs = runs(&rows, 0..rows.ends.len());
    let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
    assert_eq!(back(bytes, &rows), picked(&rows, &runs));
}

/// One value, in all rows or in some: of a page, of several, of some row groups only; and what it was read as.
#[test]
fn a_column_may_have_one_value() {
    for (count, gaps) in [(1, 0), (700, 3), (30_000, 3), (30_000, 0)] {
        let mut rows = rows(count, 5, 1, gaps, 9, 0);
        for day in [Some(7), None] {
            rows.values[6] = Values::Read(5, Reading::Days(vec![day]));
            let runs = runs(&rows, (0..rows.ends.len()).rev());
            let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
            assert_eq!(back(bytes, &rows), picked(&rows, &runs));
        }
    }
}

#[test]
fn ids_keep_what_differs_and_long_text_is_compressed() {
    use parquet::{
        basic::{Compression, Encoding},
        file::reader::{FileReader as _, SerializedFileReader},
    };
    for (length, of_ids) in [(26, true), (2000, false)] {
        let mut rows = rows(500, 5, 1_000_000, 0, 9, 0);
        let mut note = Repeated::unlike();
        for row in 0..500 {
            note.push(&format!("{}甲{row:0length$}", if row % 2 == 0 { "seg" } else { "se" }));
        }
        rows.values[4] = Values::Text(note);
        let runs = runs(&rows, (0..rows.ends.len()).rev());
        let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
        let file = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
        let columns = file.metadata().row_group(0).columns();
        let note = columns.iter().find(|c| c.column_path().string() == "note").unwrap();
        assert_eq!(note.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY), of_ids);
        assert_eq!(note.compression() == Compression::UNCOMPRESSED, of_ids);
        assert_eq!(back(bytes, &rows), picked(&rows, &runs));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_rows_come_back(
        count in 1..3000_usize,
        seed in any::<u64>(),
        of in prop_oneof![Just(1), Just(2), 3..40_u64, Just(1_000_000)],
        gaps in prop_oneof![Just(0), 1..5_u64, Just(1000)],
        group in prop_oneof![Just(1_usize), 2..40_usize, Just(5000)],
        unread in prop_oneof![Just(0_usize), 1..4_usize],
        turn in any::<usize>(),
        cut in 1..50_u32,
    ) {
        let all = rows(count, seed, of, gaps, group, unread);
        let groups = all.ends.len();
        let turned = (0..groups).map(|at| (at + turn % groups) % groups);
        let mut runs = runs(&all, turned);
        // Some are cut short.
        for run in runs.iter_mut().step_by(3) {
            let Range { start, end } = run.rows;
            run.rows = start..end.min(start + cut);
        }
        let (bytes, written) = write_runs(&all, &runs, Vec::new()).unwrap();
        prop_assert_eq!(written as usize, runs.iter().map(|run| run.rows.len()).sum::<usize>());
        let whole = picked(&all, &runs);
        prop_assert_eq!(&back(bytes.clone(), &all), &whole);
        // A query that narrows down passes over rows.
        let rows = whole.num_rows();
        let takes: Vec<(usize, bool)> = (0..rows)
            .step_by(cut as usize)
            .map(|from| ((cut as usize).min(rows - from), from / cut as usize % 3 != turn % 3))
            .collect();
        let mut from = 0;
        let mut want = Vec::new();
        for (n, take) in &takes {
            want.extend(take.then(|| whole.slice(from, *n)));
            from += n;
        }
        let want = concat_batches(&whole.schema(), &want).unwrap();
        prop_assert_eq!(selected(bytes, &all, &takes), want);
    }
}
