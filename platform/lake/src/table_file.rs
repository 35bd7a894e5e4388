//! Parquet whose bytes depend on the rows alone: the same rows in the same order give the same file.
//!
//! No clock, no random numbers, no version string, and no trace of how the rows were batched.

use std::{io::Write, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    compute::{BatchCoalescer, cast},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder,
        arrow_writer::ArrowWriterOptions,
    },
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

use crate::{TableFileError, schema::PERSON_COLUMN};

/// Rows of a row group at most.
pub(crate) const ROW_GROUP: usize = 128 * 1024;
const BATCH: usize = 8 * 1024;

/// Text that differs in nearly every row: a dictionary of it would only be built to be given up.
const OWN_TEXT: [&str; 1] = ["position"];

/// Least and greatest values are kept of what queries narrow down by, days and numbers, and of the person, by whom the rows
/// are ordered; of other text they would be compared for nothing.
fn properties(schema: &Schema) -> Result<WriterProperties, TableFileError> {
    let level = ZstdLevel::try_new(1).map_err(TableFileError::Parquet)?;
    let mut properties = WriterProperties::builder()
        .set_created_by("kiban".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP));
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        let text = matches!(field.data_type(), DataType::Utf8);
        if text && field.name() != PERSON_COLUMN {
            properties =
                properties.set_column_statistics_enabled(column.clone(), EnabledStatistics::None);
        }
        if OWN_TEXT.contains(&field.name().as_str()) {
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    Ok(properties.build())
}

/// Rows as `schema` has them: columns picked by name, string and number types brought to the declared ones.
///
/// # Errors
/// A column is missing or too many, has another type, or is empty where it may not be.
pub fn conform(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, TableFileError> {
    if let Some(extra) = batch.schema().fields().iter().find(|f| schema.index_of(f.name()).is_err())
    {
        return Err(TableFileError::UnknownColumn { column: extra.name().clone() });
    }
    let columns = schema.fields().iter().map(|field| -> Result<ArrayRef, TableFileError> {
        let column = || field.name().clone();
        let found = batch
            .column_by_name(field.name())
            .ok_or_else(|| TableFileError::MissingColumn { column: column() })?;
        let array = if found.data_type() == field.data_type() {
            found.clone()
        } else if same_family(found.data_type(), field.data_type()) {
            cast(found, field.data_type())
                .map_err(|_| TableFileError::ColumnType { column: column() })?
        } else {
            return Err(TableFileError::ColumnType { column: column() });
        };
        if !field.is_nullable() && array.null_count() > 0 {
            return Err(TableFileError::Empty { column: column(), rows: array.null_count() });
        }
        Ok(array)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(TableFileError::Arrow)
}

/// Rows of an earlier version of `schema`: columns that came later are empty, and must allow it.
pub(crate) fn widen(
    schema: &SchemaRef,
    batch: &RecordBatch,
) -> Result<RecordBatch, TableFileError> {
    if batch.schema().fields().len() == schema.fields().len() {
        return conform(schema, batch);
    }
    let column = |field: &Arc<Field>| {
        let found = batch.column_by_name(field.name()).cloned();
        found.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    };
    let fields: Vec<_> =
        schema.fields().iter().map(|f| Arc::new(f.as_ref().clone().with_nullable(true))).collect();
    let columns = schema.fields().iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let loose = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options);
    conform(schema, &loose.map_err(TableFileError::Arrow)?)
}

/// Only the ways in which the engine writes the same values differently.
fn same_family(from: &arrow::datatypes::DataType, to: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType as T;
    match (from, to) {
        (T::Utf8View | T::LargeUtf8 | T::Utf8, T::Utf8 | T::Utf8View | T::LargeUtf8) => true,
        (T::Dictionary(_, values), to) => **values == *to || same_family(values, to),
        (T::Timestamp(_, None), T::Timestamp(_, None)) => true,
        (T::Null, _) => true,
        _ => false,
    }
}

/// Write rows as Parquet; gives the writer and the number of rows back.
///
/// # Errors
/// A batch does not fit `schema`, or the writer failed.
pub fn write<W: Write + Send>(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    mut writer: W,
) -> Result<(W, u64), TableFileError> {
    let batches: Vec<RecordBatch> =
        batches.iter().map(|batch| conform(schema, batch)).collect::<Result<_, _>>()?;
    // Arrow's own schema is left out: the declared one is known to whoever reads.
    let options = ArrowWriterOptions::new()
        .with_properties(properties(schema)?)
        .with_skip_arrow_metadata(true);
    let mut parquet = ArrowWriter::try_new_with_options(&mut writer, schema.clone(), options)
        .map_err(TableFileError::Parquet)?;
    let mut rows = 0;
    let mut put = |batch: &RecordBatch| {
        rows += batch.num_rows() as u64;
        parquet.write(batch).map_err(TableFileError::Parquet)
    };
    // Page borders follow batch borders, so batches are brought to one size.
    match &batches[..] {
        [one] => {
            for start in (0..one.num_rows()).step_by(BATCH) {
                put(&one.slice(start, BATCH.min(one.num_rows() - start)))?;
            }
        }
        all => {
            let mut even = BatchCoalescer::new(schema.clone(), BATCH);
            for batch in all {
                even.push_batch(batch.clone()).map_err(TableFileError::Arrow)?;
                while let Some(batch) = even.next_completed_batch() {
                    put(&batch)?;
                }
            }
            even.finish_buffered_batch().map_err(TableFileError::Arrow)?;
            while let Some(batch) = even.next_completed_batch() {
                put(&batch)?;
            }
        }
    }
    // Not `into_inner`: it turns an I/O error into text, and a full disk could not be told apart.
    parquet.finish().map_err(TableFileError::Parquet)?;
    drop(parquet);
    Ok((writer, rows))
}

/// Read all rows of a Parquet file.
///
/// # Errors
/// Not Parquet, or broken.
pub fn read(bytes: Bytes) -> Result<Vec<RecordBatch>, TableFileError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(|b| b.with_batch_size(BATCH).build())
        .map_err(TableFileError::Parquet)?;
    reader.collect::<Result<_, _>>().map_err(TableFileError::Arrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{Array as _, Int64Array, StringArray, StringViewArray};

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("number", DataType::Int64, false),
        ]))
    }

    fn rows(range: std::ops::Range<i64>) -> RecordBatch {
        let names: StringArray =
            range.clone().map(|n| (n % 7 != 0).then(|| format!("n{}", n % 1000))).collect();
        RecordBatch::try_new(
            schema(),
            vec![Arc::new(names), Arc::new(Int64Array::from_iter_values(range))],
        )
        .unwrap()
    }

    #[test]
    fn the_bytes_do_not_tell_how_rows_were_batched() {
        let whole = write(&schema(), &[rows(0..40_000)], Vec::new()).unwrap();
        let parts: Vec<_> =
            [0, 1, 17, 9_000, 9_001, 40_000].windows(2).map(|w| rows(w[0]..w[1])).collect();
        let pieces = write(&schema(), &parts, Vec::new()).unwrap();
        assert_eq!(whole.1, 40_000);
        assert_eq!(whole, pieces);
        let back = read(whole.0.into()).unwrap();
        assert_eq!(arrow::compute::concat_batches(&schema(), &back).unwrap(), rows(0..40_000));
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_by_column() {
        let views = RecordBatch::try_from_iter([
            ("number", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("name", Arc::new(StringViewArray::from(vec!["a"])) as ArrayRef),
        ]);
        let conformed = conform(&schema(), &views.unwrap()).unwrap();
        assert_eq!(conformed.schema(), schema(), "order and string type are brought in line");
        let refused = |columns: Vec<(&str, ArrayRef)>| {
            conform(
                &schema(),
                &RecordBatch::try_from_iter_with_nullable(
                    columns.into_iter().map(|(n, a)| (n, a, true)),
                )
                .unwrap(),
            )
            .unwrap_err()
        };
        let number = || Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef;
        let name = || Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef;
        assert!(matches!(refused(vec![("name", name())]), TableFileError::MissingColumn { .. }));
        assert!(matches!(
            refused(vec![("name", name()), ("number", number())]),
            TableFileError::Empty { rows: 1, .. }
        ));
        assert!(matches!(
            refused(vec![("name", name()), ("number", name())]),
            TableFileError::ColumnType { .. }
        ));
        assert!(matches!(refused(vec![("x", name())]), TableFileError::UnknownColumn { .. }));
    }

    #[test]
    fn rows_of_an_earlier_version_read_as_empty_where_they_may() {
        let old = rows(0..3).project(&[1]).unwrap();
        let wide = widen(&schema(), &old).unwrap();
        assert_eq!((wide.schema(), wide.column(0).null_count()), (schema(), 3));
        let refused = widen(&schema(), &rows(0..3).project(&[0]).unwrap());
        assert!(matches!(refused, Err(TableFileError::Empty { rows: 3, .. })));
    }

    #[test]
    fn no_rows_make_a_readable_file() {
        let (bytes, rows) = write(&schema(), &[], Vec::new()).unwrap();
        assert_eq!((rows, read(bytes.into()).unwrap().len()), (0, 0));
    }
}
