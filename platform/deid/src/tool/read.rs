//! Plain tables from files.

use std::fmt::Write as _;
use std::{io::Cursor, path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder},
    compute::cast,
    csv::{ReaderBuilder, reader::Format},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{error::ProduceError, produce::frame::PERSON};

/// Why a file is not a table. The engine's own message names lines and fields, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// Which line, from 1.
        line: usize,
    },
    /// Not CSV: a line has another number of fields than the header.
    #[error("the file is not CSV with the same number of fields in every line")]
    Csv(#[source] arrow::error::ArrowError),
    /// Not Parquet.
    #[error("the file is not Parquet")]
    Parquet(#[source] parquet::errors::ParquetError),
    /// Two columns have one name.
    #[error("column {column} has a name that another column has")]
    SameName {
        /// Which column, from 1.
        column: usize,
    },
    /// No header line.
    #[error("the file has no header line")]
    NoHeader,
}

impl ReadError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::NotUtf8 { line } => {
                format!("{line}行目がUTF-8ではありません。文字コードをUTF-8にしてください。")
            }
            Self::Csv(_) => {
                "CSVとして読めません。どの行も見出しと同じ列数にしてください。".to_owned()
            }
            Self::Parquet(_) => "Parquetとして読めません。".to_owned(),
            Self::SameName { column } => format!("{column}列目の見出しが他の列と同じです。"),
            Self::NoHeader => "見出しの行がありません。".to_owned(),
        }
    }
}

/// Is the file Parquet by its name?
pub(super) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"))
}

/// The table of a file, all batches.
pub(super) fn table(path: &Path, bytes: Vec<u8>) -> Result<Vec<RecordBatch>, ReadError> {
    if is_parquet(path) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))
            .and_then(|b| b.with_batch_size(8192).build())
            .map_err(ReadError::Parquet)?;
        let schema = arrow::array::RecordBatchReader::schema(&reader);
        let mut batches =
            reader.collect::<Result<Vec<_>, _>>().map_err(|e| ReadError::Parquet(e.into()))?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        return Ok(batches);
    }
    if let Err(e) = std::str::from_utf8(&bytes) {
        let line = bytes[..e.valid_up_to()].split(|b| *b == b'\n').count();
        return Err(ReadError::NotUtf8 { line });
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let (head, _) = Format::default()
        .with_header(true)
        .infer_schema(Cursor::new(body), Some(0))
        .map_err(ReadError::Csv)?;
    if head.fields().is_empty() {
        return Err(ReadError::NoHeader);
    }
    for (i, field) in head.fields().iter().enumerate() {
        if head.fields().iter().take(i).any(|f| f.name() == field.name()) {
            return Err(ReadError::SameName { column: i + 1 });
        }
    }
    // Texts stay texts: a number keeps the way it was written.
    let fields: Vec<_> =
        head.fields().iter().map(|f| Field::new(f.name(), DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let reader = ReaderBuilder::new(Arc::clone(&schema))
        .with_header(true)
        .with_batch_size(8192)
        .build(Cursor::new(body))
        .map_err(ReadError::Csv)?;
    let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(ReadError::Csv)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

/// The batches with the person as first column: the key columns' texts, or the row's number if there is no key or
/// nothing in it.
pub(super) fn with_person(
    table: &str,
    batches: Vec<RecordBatch>,
    key: &[String],
) -> Result<Vec<RecordBatch>, ProduceError> {
    let mut row_number = 0_u64;
    let mut out = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut parts = Vec::with_capacity(key.len());
        for name in key {
            let Some(column) = batch.column_by_name(name) else {
                return Err(ProduceError::MissingColumn {
                    table: table.to_owned(),
                    column: name.clone(),
                });
            };
            parts.push(cast(column, &DataType::Utf8)?);
        }
        // One key column without gaps is the person as it is.
        if let [only] = parts.as_slice()
            && only.null_count() == 0
        {
            row_number += batch.num_rows() as u64;
            out.push(put_first(&batch, Arc::clone(only))?);
            continue;
        }
        let parts: Vec<_> = parts.iter().map(|p| p.as_string::<i32>()).collect();
        let mut persons = StringBuilder::with_capacity(batch.num_rows(), batch.num_rows() * 16);
        let mut name = String::new();
        for row in 0..batch.num_rows() {
            row_number += 1;
            name.clear();
            if parts.iter().any(|p| p.is_valid(row)) {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        name.push('\u{1f}');
                    }
                    if part.is_valid(row) {
                        name.push_str(part.value(row));
                    }
                }
            } else {
                let _ = write!(name, "\u{1f}{row_number}");
            }
            persons.append_value(&name);
        }
        out.push(put_first(&batch, Arc::new(persons.finish()))?);
    }
    Ok(out)
}

/// The batch with the persons' column before all others.
fn put_first(batch: &RecordBatch, persons: ArrayRef) -> Result<RecordBatch, ProduceError> {
    let mut fields = vec![Arc::new(Field::new(PERSON, DataType::Utf8, false))];
    fields.extend(batch.schema().fields().iter().cloned());
    let mut columns = vec![persons];
    columns.extend(batch.columns().iter().cloned());
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
