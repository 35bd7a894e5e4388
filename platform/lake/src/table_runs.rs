//! A new table file from some rows of a batch: columns are gathered and their pages written without the rows being copied
//! first.
//!
//! What a row costs here is what taking a delivery in costs, so this path knows what the library's writer cannot: that equal
//! text has one key already, that most columns of most tables are empty, and that a lot is many small chunks.

use std::{io::Write, ops::Range, sync::Arc};

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::take_record_batch,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use parquet::{
    arrow::ArrowSchemaConverter,
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
};

use crate::{
    TableFileError,
    gather::{self, Gathered, Scratch, gather},
    pages,
    schema::PERSON_COLUMN,
    table_file::{self, ROW_GROUP},
};

/// Write the rows of these runs, in this order; gives the writer and the number of rows back. `rows` fits its table's schema,
/// but for text that is [`crate::Repeated`]. Columns that say nothing in any row are left out.
///
/// # Errors
/// The writer failed.
pub(crate) fn write_runs<W: Write + Send>(
    rows: &RecordBatch,
    runs: &[Range<u32>],
    writer: W,
) -> Result<(W, u64), TableFileError> {
    if !rows.columns().iter().all(|c| gather::takes(c.data_type())) {
        let schema = table_schema(&rows.schema());
        let picked: UInt32Array = runs.iter().flat_map(Clone::clone).collect();
        let picked = take_record_batch(rows, &picked).map_err(TableFileError::Arrow)?;
        return table_file::write(&schema, &[picked], writer);
    }
    let schema = rows.schema();
    let mut scratch = Scratch::default();
    let groups: Vec<Vec<Gathered>> = row_groups(runs)
        .iter()
        .map(|runs| {
            let fields = schema.fields().iter().zip(rows.columns());
            let gathered = fields.map(|(field, column)| {
                gather(column, runs, field.name() == PERSON_COLUMN, &mut scratch)
            });
            gathered.map(Option::unwrap_or_default).collect()
        })
        .collect();
    let filled = |at: usize| groups.iter().any(|group| !group[at].places.is_empty());
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|at| filled(*at)).collect();
    let written = table_schema(&schema.project(&kept).map_err(TableFileError::Arrow)?);
    put_groups(&written, &kept, &groups, writer).map_err(TableFileError::Parquet)
}

fn put_groups<W: Write + Send>(
    schema: &SchemaRef,
    kept: &[usize],
    groups: &[Vec<Gathered>],
    mut writer: W,
) -> Result<(W, u64), ParquetError> {
    let described = ArrowSchemaConverter::new().convert(schema)?;
    let properties = WriterProperties::builder().set_created_by("kiban".to_owned()).build();
    let root = described.root_schema_ptr();
    let mut file = SerializedFileWriter::new(&mut writer, root, Arc::new(properties))?;
    let mut rows = 0;
    for group in groups {
        let mut out = file.next_row_group()?;
        for (at, descr) in kept.iter().zip(described.columns()) {
            let (bytes, close) = pages::chunk(&group[*at], descr)?;
            out.append_column(&bytes, close)?;
        }
        rows += out.close()?.num_rows() as u64;
    }
    // Not `into_inner`: it turns an I/O error into text, and a full disk could not be told apart.
    file.finish()?;
    drop(file);
    Ok((writer, rows))
}

/// The schema with plain text where it is repeated.
fn table_schema(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, values) => {
            Arc::new(field.as_ref().clone().with_data_type(values.as_ref().clone()))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

/// The runs, cut where a row group ends.
fn row_groups(runs: &[Range<u32>]) -> Vec<Vec<Range<u32>>> {
    let mut groups = vec![Vec::new()];
    let mut left = ROW_GROUP;
    for run in runs {
        let mut run = run.clone();
        while !run.is_empty() {
            if left == 0 {
                groups.push(Vec::new());
                left = ROW_GROUP;
            }
            let cut = run.end.min(run.start + left as u32);
            left -= (cut - run.start) as usize;
            if let Some(group) = groups.last_mut() {
                group.push(run.start..cut);
            }
            run.start = cut;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::iter;

    use arrow::{
        array::{
            ArrayRef, BooleanArray, Date32Array, Float64Array, TimestampMicrosecondArray,
            UInt8Array,
        },
        compute::concat_batches,
    };
    use proptest::prelude::*;

    use crate::Repeated;

    /// A batch of all types: text that comes back, text that does not, days, moments, numbers; and a column of nothing.
    fn batch(rows: usize, seed: u64, of: u64, gaps: u64) -> RecordBatch {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        let mut cell = move || (next() % (gaps + 1) > 0).then(|| next() % of);
        let mut text = |columns: Repeated, word: &str| -> ArrayRef {
            let mut column = columns;
            for row in 0..rows {
                if let Some(value) = cell() {
                    column.fill_to(row);
                    column.push(&format!("{word}{value}"));
                }
            }
            column.fill_to(rows);
            column.finish().unwrap()
        };
        let (name, note) = (text(Repeated::default(), "甲"), text(Repeated::unlike(), "line "));
        let numbers: Vec<Option<i64>> =
            iter::repeat_with(|| cell().map(|v| v as i64 - 7)).take(rows).collect();
        let day: Date32Array = numbers.iter().map(|n| n.map(|n| n as i32)).collect();
        let at: TimestampMicrosecondArray = numbers.iter().map(|n| n.map(|n| n * 1000)).collect();
        let number: Float64Array = numbers.iter().map(|n| n.map(|n| n as f64 / 4.0)).collect();
        let odd: BooleanArray = numbers.iter().map(|n| n.map(|n| n % 2 == 1)).collect();
        let bases: UInt8Array = (0..rows).map(|row| Some(row as u8 % 3)).collect();
        let mut person = Repeated::default();
        person.push_rows("p", rows);
        let mut nothing = Repeated::default();
        nothing.fill_to(rows);
        RecordBatch::try_from_iter_with_nullable([
            (PERSON_COLUMN, person.finish().unwrap(), false),
            ("name", name, true),
            ("note", note, true),
            ("day", Arc::new(day), true),
            ("at", Arc::new(at), true),
            ("number", Arc::new(number), true),
            ("odd", Arc::new(odd), true),
            ("bases", Arc::new(bases), false),
            ("nothing", nothing.finish().unwrap(), true),
        ])
        .unwrap()
    }

    /// The rows of the runs as the library takes them, plain.
    fn picked(rows: &RecordBatch, runs: &[Range<u32>]) -> RecordBatch {
        let picked: UInt32Array = runs.iter().flat_map(Clone::clone).collect();
        let picked = take_record_batch(rows, &picked).unwrap();
        table_file::conform(&table_schema(&rows.schema()), &picked).unwrap()
    }

    fn back(bytes: Vec<u8>, schema: &SchemaRef) -> RecordBatch {
        let found = table_file::read(bytes.into()).unwrap();
        let wide: Vec<_> = found.iter().map(|b| table_file::widen(schema, b).unwrap()).collect();
        concat_batches(schema, &wide).unwrap()
    }

    #[test]
    fn empty_columns_are_left_out_and_a_file_is_the_same_again() {
        let rows = batch(500, 1, 40, 3);
        let write = || write_runs(&rows, &[100..300, 0..50], Vec::new()).unwrap();
        let (bytes, written) = write();
        assert_eq!(written, 250);
        assert_eq!(bytes, write().0);
        let found = table_file::read(bytes.into()).unwrap();
        assert_eq!((found[0].num_columns(), found[0].column_by_name("nothing")), (8, None));
    }

    #[test]
    fn long_text_goes_through_the_library() {
        let mut text = Repeated::default();
        text.push(&"長".repeat(2000));
        text.push("短");
        let rows = RecordBatch::try_from_iter([("text", text.finish().unwrap())]).unwrap();
        let (bytes, written) = write_runs(&rows, &[1..2, 0..1], Vec::new()).unwrap();
        let schema = table_schema(&rows.schema());
        assert_eq!((written, back(bytes, &schema)), (2, picked(&rows, &[1..2, 0..1])));
    }

    #[test]
    fn row_groups_are_cut_and_bounds_are_kept() {
        let rows = batch(ROW_GROUP + 5000, 3, 90_000, 9);
        let runs = [5000..rows.num_rows() as u32, 0..5000];
        let (bytes, _) = write_runs(&rows, &runs, Vec::new()).unwrap();
        let schema = table_schema(&rows.schema());
        let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
            bytes::Bytes::from(bytes.clone()),
        )
        .unwrap();
        let groups = file.metadata().row_groups();
        assert_eq!(
            groups.iter().map(|g| g.num_rows()).collect::<Vec<_>>(),
            [ROW_GROUP as i64, 5000]
        );
        let bounds = |name: &str| {
            let column = groups[0].columns().iter().find(|c| c.column_path().string() == name);
            column
                .unwrap()
                .statistics()
                .map(|s| (s.min_bytes_opt().is_some(), s.max_bytes_opt().is_some()))
        };
        assert_eq!(
            ["day", PERSON_COLUMN, "name"].map(bounds),
            [Some((true, true)), Some((true, true)), None]
        );
        assert_eq!(back(bytes, &schema), picked(&rows, &runs));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_rows_come_back(
            rows in 1..3000_usize,
            seed in any::<u64>(),
            of in prop_oneof![Just(1), Just(2), 3..40_u64, Just(1_000_000)],
            gaps in prop_oneof![Just(0), 1..5_u64, Just(1000)],
            cuts in proptest::collection::vec(0.0..1.0_f64, 0..6),
        ) {
            let all = batch(rows, seed, of, gaps);
            let mut cuts: Vec<u32> = cuts.iter().map(|c| (c * rows as f64) as u32).collect();
            cuts.extend([0, rows as u32]);
            cuts.sort_unstable();
            // Every other run, from behind.
            let runs: Vec<Range<u32>> = cuts.windows(2).map(|w| w[0]..w[1]).rev().step_by(2).collect();
            let schema = table_schema(&all.schema());
            let (bytes, written) = write_runs(&all, &runs, Vec::new()).unwrap();
            let want = picked(&all, &runs);
            prop_assert_eq!(written, want.num_rows() as u64);
            prop_assert_eq!(back(bytes, &schema), want);
        }
    }
}
