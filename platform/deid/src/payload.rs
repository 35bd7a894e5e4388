//! A product as files: per table Parquet and CSV, dictionary, change report, risk summary.
//!
//! Byte for byte the same in every run: rows are sorted, writers have fixed settings, nothing carries a time.

use std::{fmt::Write as _, sync::Arc};

use arrow::{
    array::{Array, RecordBatch},
    datatypes::SchemaRef,
    util::display::{ArrayFormatter, FormatOptions},
};
use kiban_kernel::Digest;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{WriterProperties, WriterVersion},
};

use crate::{product::Produced, report};

/// One file of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// Path inside the package, with `/`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Rows, for a table.
    pub rows: Option<u64>,
}

/// All files, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The files.
    pub files: Vec<PayloadFile>,
}

/// Why a payload could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A table does not fit its format.
    #[error("table {table} could not be written as Parquet")]
    Parquet {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A table does not fit its format.
    #[error("table {table} could not be written as CSV")]
    Csv {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// Its risks were not measured.
    #[error("a product whose risks were not measured has no payload")]
    NotMeasured,
    /// A report does not serialize.
    #[error("a report could not be written")]
    Report(#[from] serde_json::Error),
}

impl PayloadError {
    /// The Japanese sentence.
    pub fn ja(&self) -> String {
        match self {
            Self::Parquet { table, .. } => format!("表 {table} を Parquet に書き出せません。"),
            Self::Csv { table, .. } => format!("表 {table} を CSV に書き出せません。"),
            Self::NotMeasured => "リスクを測っていない加工結果は書き出せません。".to_owned(),
            Self::Report(_) => "報告書を書き出せません。".to_owned(),
        }
    }
}

impl Payload {
    pub(crate) fn write(produced: &Produced) -> Result<Self, PayloadError> {
        if !produced.measured {
            return Err(PayloadError::NotMeasured);
        }
        let mut files = Vec::new();
        for (table, batches) in &produced.tables {
            let rows = Some(batches.iter().map(|b| b.num_rows() as u64).sum());
            let Some(schema) = batches.first().map(RecordBatch::schema) else { continue };
            files.push(file(
                format!("data/{table}.parquet"),
                parquet_bytes(table, &schema, batches)?,
                rows,
            ));
            files.push(file(
                format!("data/{table}.csv"),
                csv_bytes(table, &schema, batches)?,
                rows,
            ));
        }
        files.push(file("dictionary.csv".to_owned(), dictionary_csv(&produced.dictionary), None));
        files.push(file("changes.csv".to_owned(), changes_csv(&produced.changes), None));
        files.push(file("changes.json".to_owned(), json(&produced.changes)?, None));
        files.push(file("risk.json".to_owned(), json(&produced.risk)?, None));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Digest over paths and contents: two payloads with the same digest are the same.
    pub fn digest(&self) -> Digest {
        let mut list = String::new();
        for f in &self.files {
            let _ = writeln!(list, "{}  {}", f.digest, f.path);
        }
        Digest::of(list.as_bytes())
    }

    /// A file by path.
    pub fn file(&self, path: &str) -> Option<&PayloadFile> {
        self.files.iter().find(|f| f.path == path)
    }
}

fn file(path: String, bytes: Vec<u8>, rows: Option<u64>) -> PayloadFile {
    PayloadFile { path, digest: Digest::of(&bytes), bytes, rows }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A table as Parquet with fixed settings.
pub(crate) fn parquet_bytes(
    table: &str,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, PayloadError> {
    let failed = |source| PayloadError::Parquet { table: table.to_owned(), source };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by("kiban".to_owned())
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties)).map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

/// A table as CSV: UTF-8, LF, a header line, quotes only where needed, an empty cell for no value.
pub(crate) fn csv_bytes(
    table: &str,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, PayloadError> {
    let failed = |source| PayloadError::Csv { table: table.to_owned(), source };
    let options = FormatOptions::default()
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
        .with_datetime_format(Some("%Y-%m-%dT%H:%M:%S%.f"));
    let mut out = String::new();
    let names = schema.fields().iter().map(|f| f.name().as_str());
    csv_line(&mut out, names);
    let mut cell = String::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).map(|f| (Arc::clone(c), f)))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        for row in 0..batch.num_rows() {
            for (i, (array, format)) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if array.is_null(row) {
                    continue;
                }
                cell.clear();
                format.value(row).write(&mut cell).map_err(failed)?;
                csv_cell(&mut out, &cell);
            }
            out.push('\n');
        }
    }
    Ok(out.into_bytes())
}

fn csv_line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(',');
        }
        csv_cell(out, cell);
    }
    out.push('\n');
}

fn csv_cell(out: &mut String, cell: &str) {
    if cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
        out.push('"');
        for c in cell.chars() {
            if c == '"' {
                out.push('"');
            }
            out.push(c);
        }
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

fn dictionary_csv(entries: &[report::DictionaryEntry]) -> Vec<u8> {
    let mut out = String::new();
    csv_line(
        &mut out,
        ["表", "列", "型", "区分", "規則", "根拠", "説明", "description"].into_iter(),
    );
    for e in entries {
        let class = e.class.map_or("", |c| c.label_ja());
        csv_line(
            &mut out,
            [&e.table, &e.column, &e.kind, class, &e.rule, e.law.article(), &e.ja, &e.en]
                .into_iter(),
        );
    }
    out.into_bytes()
}

fn changes_csv(changes: &report::ChangeReport) -> Vec<u8> {
    let mut out = String::new();
    let head =
        ["規則", "根拠", "条文", "表", "列", "区分", "値のあるセル", "変更", "空欄化", "残余化"];
    csv_line(&mut out, head.into_iter());
    for c in &changes.columns {
        let numbers = [c.cells, c.changed, c.emptied, c.residual].map(|n| n.to_string());
        let texts =
            [&c.rule, c.law.as_str(), c.law.article(), &c.table, &c.column, c.class.label_ja()];
        csv_line(&mut out, texts.into_iter().chain(numbers.iter().map(String::as_str)));
    }
    for w in &changes.withheld {
        let (key, article) = w.law.as_ref().map_or(("", ""), |l| (l.as_str(), l.article()));
        csv_line(
            &mut out,
            [w.reason.ja(), key, article, &w.table, &w.column, "", "", "", "", ""].into_iter(),
        );
    }
    out.into_bytes()
}
