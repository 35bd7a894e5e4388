//! Canonical rows as plain Parquet files, one per table, outside any deployment.
//!
//! Enters: the records of files, with the key of their person and their place. Leaves: `TABLE.parquet` in a folder, with
//! the columns `person`, `source_file`, `position`, `parser` and those of the canonical table. Refuses: nothing; a date or
//! number that cannot be read leaves its typed column empty, keeps its text and is counted. Memory: 65,536 rows, and the
//! keys of the persons if they are numbered.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringBuilder},
    compute::cast,
    datatypes::{DataType, Field, Schema},
};
use kiban_formats::Record;
use kiban_kernel::{Bases, ColumnClass, Date, Id, kinds};
use kiban_lake::{id_table::IdTable, schema};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

use crate::{
    quality::Quality,
    rows::{COMMON, Kept, RowContext, RowTotals, RowsError, TableBuilders},
};

/// Rows that are collected before they are written.
const ROWS: usize = 65_536;
/// Of [`COMMON`], what has a meaning outside a deployment.
const PLACE: [&str; 3] = ["source_file", "position", "parser"];

/// What is written beside facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Names, addresses, numbers of cards, staff, the persons' own keys and the paths of files; else persons and files are
    /// numbered as they come.
    pub identifiers: bool,
    /// Free text.
    pub texts: bool,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Path of the file.
    pub file: &'a str,
    /// Number of the file, from 1.
    pub number: u64,
    /// Line or row of the segment.
    pub line: u64,
    /// Reader and version.
    pub parser: &'a str,
}

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The folder.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
    /// The rows.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// Parquet.
    #[error("cannot write the output")]
    Parquet(#[from] ParquetError),
    /// Arrow.
    #[error("the rows do not make a batch")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl PlainError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Rows(e) => e.ja(),
            Self::Io(_) | Self::Parquet(_) | Self::Arrow(_) => {
                "出力先に書き込めません。空き容量と権限を確認してください。".to_owned()
            }
        }
    }
}

/// Writes canonical rows into the files of a folder.
pub struct PlainTables {
    folder: PathBuf,
    keep: Keep,
    builders: TableBuilders,
    told_of: IdTable<kinds::PersonSource, ()>,
    persons: BTreeMap<&'static str, StringBuilder>,
    numbers: HashMap<String, u64>,
    writers: BTreeMap<&'static str, ArrowWriter<File>>,
    totals: RowTotals,
    quality: Quality,
}

impl std::fmt::Debug for PlainTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlainTables({} tables)", self.writers.len())
    }
}

impl PlainTables {
    /// Into a folder that is there. Dates after `received_on` count as implausible.
    ///
    /// # Errors
    /// The schemas do not fit this version.
    pub fn new(folder: &Path, keep: Keep, received_on: Date) -> Result<Self, PlainError> {
        Ok(Self {
            folder: folder.to_owned(),
            keep,
            builders: TableBuilders::new(received_on)?,
            told_of: IdTable::default(),
            persons: BTreeMap::new(),
            numbers: HashMap::new(),
            writers: BTreeMap::new(),
            totals: RowTotals::default(),
            quality: Quality::default(),
        })
    }

    /// Takes a record of a person; one of nobody has an empty key.
    ///
    /// # Errors
    /// Writing failed.
    pub fn push(
        &mut self,
        person: &str,
        place: Place<'_>,
        record: &Record<'_>,
    ) -> Result<(), PlainError> {
        // A path may hold the number of a patient.
        let number = place.number.to_string();
        let person_source = Id::from_bytes(fingerprint(person));
        let context = RowContext {
            person_source,
            person: self.told_of.insert(person_source),
            holder: Id::from_bytes([0; 16]),
            delivery: Id::from_bytes([0; 16]),
            segment: Id::from_bytes([0; 16]),
            source_file: if self.keep.identifiers { place.file } else { &number },
            file_number: place.number,
            line: place.line,
            parser: place.parser,
        };
        let records = std::slice::from_ref(record);
        let kept = Kept { context, records, bases: |_| Some(Bases::default()) };
        self.builders.push(&[kept], &mut self.quality);
        let own = self.persons.entry(record.table()).or_default();
        if person.is_empty() {
            own.append_null();
        } else if self.keep.identifiers {
            own.append_value(person);
        } else {
            let next = self.numbers.len() as u64 + 1;
            let number = match self.numbers.get(person) {
                Some(number) => *number,
                None => *self.numbers.entry(person.to_owned()).or_insert(next),
            };
            own.append_value(number.to_string());
        }
        if self.builders.rows() >= ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PlainError> {
        for rows in self.builders.take_large(1) {
            self.totals.add(&rows);
            let table = rows.name();
            let batch = rows.batch()?;
            let persons = self.persons.remove(table).unwrap_or_default();
            let batch = plain(table, &batch, persons, self.keep)?;
            let writer = match self.writers.entry(table) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let file = File::create_new(self.folder.join(format!("{table}.parquet")))?;
                    let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
                    let properties = WriterProperties::builder().set_compression(zstd).build();
                    new.insert(ArrowWriter::try_new(file, batch.schema(), Some(properties))?)
                }
            };
            writer.write(&batch)?;
        }
        Ok(())
    }

    /// Writes what is left; the rows by table, and the defects of dates and numbers.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> Result<(RowTotals, Quality), PlainError> {
        self.flush()?;
        for (_, writer) in std::mem::take(&mut self.writers) {
            writer.into_inner()?.sync_all()?;
        }
        Ok((self.totals, self.quality))
    }
}

/// Tells persons apart while dates are checked against their births; never written.
fn fingerprint(person: &str) -> [u8; 16] {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, person).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half(0));
    bytes[8..].copy_from_slice(&half(1));
    bytes
}

/// The columns that mean something outside a deployment, and of the table's own those that are kept.
fn plain(
    table: &str,
    batch: &RecordBatch,
    mut persons: StringBuilder,
    keep: Keep,
) -> Result<RecordBatch, PlainError> {
    let declared = schema::table(table);
    let kept = |name: &str| {
        let class =
            declared.and_then(|t| t.columns.iter().find(|c| c.name == name)).map(|c| c.class);
        match class {
            Some(ColumnClass::DirectIdentifier | ColumnClass::IndividualIdCode) => keep.identifiers,
            Some(ColumnClass::FreeText) => keep.texts,
            _ => true,
        }
    };
    let mut fields = vec![Arc::new(Field::new("person", DataType::Utf8, true))];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(persons.finish())];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let name = field.name().as_str();
        let place = PLACE.contains(&name);
        if place || (!COMMON.contains(&name) && kept(name)) {
            let repeated = matches!(field.data_type(), DataType::Dictionary(..));
            if repeated {
                fields.push(Arc::new(Field::new(name, DataType::Utf8, field.is_nullable())));
                columns.push(cast(column, &DataType::Utf8)?);
            } else {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
