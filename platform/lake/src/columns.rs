//! Rows of one table as they were collected: column by column, each in the shape that says it in the fewest words.
//!
//! Enters: the columns of a table. Leaves: [`Columns`], from which files are written without a batch between, or a batch for
//! whoever wants one. Refuses: columns that do not fit the table.

use std::{fmt, sync::Arc};

use arrow::array::{
    Array as _, ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array,
};

use crate::{
    LakeError, Repeated, TableFileError,
    lake::in_table,
    schema::{self, ColumnType, PERSON_COLUMN, TableSchema},
};

/// What the rows of a column say.
#[derive(Debug)]
pub enum Values {
    /// Text, of each row its own or none.
    Text(Repeated),
    /// Text that the rows of a group have in common: a row here is a group.
    GroupText(Repeated),
    /// A small number that the rows of a group have in common.
    GroupNumber(Vec<u8>),
    /// A word and, of each row, the number behind it: `line 17`.
    Numbered(&'static str, Vec<u64>),
    /// What the text of another column, at that place in the list, was read as.
    Read(usize, Reading),
    /// Anything else.
    Array(ArrayRef),
}

/// What each value of a [`Repeated`] was read as, by its place; nothing where it could not be read.
#[derive(Debug)]
pub enum Reading {
    /// Days since 1970-01-01.
    Days(Vec<Option<i32>>),
    /// Microseconds since 1970-01-01, wall clock.
    Moments(Vec<Option<i64>>),
    /// Numbers.
    Numbers(Vec<Option<f64>>),
}

/// Rows of one table, not yet a batch nor a file.
#[derive(Debug)]
pub struct Columns {
    pub(crate) table: &'static TableSchema,
    pub(crate) rows: usize,
    /// Where each group of rows ends.
    pub(crate) ends: Vec<u32>,
    pub(crate) values: Vec<Values>,
    /// By column of the table: its place in `values`.
    pub(crate) order: Vec<usize>,
}

impl Columns {
    /// So many rows of a table, in groups that end there (none: no column is one of groups). A value without a name is not a
    /// column of the table: others are read from it.
    ///
    /// # Errors
    /// The columns do not fit the table.
    pub fn new(
        table: &str,
        rows: usize,
        ends: Vec<u32>,
        columns: Vec<(Option<&str>, Values)>,
    ) -> Result<Self, LakeError> {
        let table = schema::table(table).ok_or(LakeError::UnknownTable)?;
        let refused = |e| in_table(table, e);
        let extra = columns.iter().filter_map(|(name, _)| *name);
        if let Some(name) = extra.into_iter().find(|name| table.column(name).is_none()) {
            return Err(refused(TableFileError::UnknownColumn { column: name.to_owned() }));
        }
        let mut order = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let name = || column.name.clone();
            let at = columns.iter().position(|(found, _)| *found == Some(column.name.as_str()));
            let at = at.ok_or_else(|| refused(TableFileError::MissingColumn { column: name() }))?;
            let values = &columns[at].1;
            let fits = match values {
                Values::Read(of, reading) => {
                    reading.fits(column.kind, columns.get(*of).map(|(_, values)| values))
                }
                values => values.fits(column.kind, rows, ends.len()),
            };
            if !fits {
                return Err(refused(TableFileError::ColumnType { column: name() }));
            }
            let empty = if column.nullable { 0 } else { values.empty(rows) };
            if empty > 0 {
                return Err(refused(TableFileError::Empty { column: name(), rows: empty }));
            }
            order.push(at);
        }
        let whole = ends.last().is_none_or(|end| *end as usize == rows);
        let rising = ends.is_sorted_by(|a, b| a < b);
        if !(whole && rising) {
            let column = PERSON_COLUMN.to_owned();
            return Err(refused(TableFileError::ColumnType { column }));
        }
        let values = columns.into_iter().map(|(_, values)| values).collect();
        Ok(Self { table, rows, ends, values, order })
    }

    /// The table, and the columns as they came to [`Self::new`]: their memory may be used again.
    pub fn into_parts(self) -> (&'static str, Vec<u32>, Vec<Values>) {
        (&self.table.name, self.ends, self.values)
    }

    /// The rows of a group.
    pub(crate) fn group(&self, group: usize) -> std::ops::Range<u32> {
        let from = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        from..self.ends[group]
    }

    /// As a batch, with plain columns.
    ///
    /// # Errors
    /// Arrow refused, which the checks of [`Self::new`] exclude.
    pub fn batch(&self) -> Result<RecordBatch, LakeError> {
        let columns = self.order.iter().map(|at| self.array(&self.values[*at])).collect();
        RecordBatch::try_new(self.table.arrow(), columns)
            .map_err(|e| in_table(self.table, TableFileError::Arrow(e)))
    }

    fn array(&self, values: &Values) -> ArrayRef {
        match values {
            Values::Text(text) => Arc::new(text.array(self.rows)),
            Values::GroupText(text) => {
                let texts = text.array(self.ends.len());
                let rows = (0..self.ends.len()).flat_map(|group| {
                    let text = texts.is_valid(group).then(|| texts.value(group));
                    std::iter::repeat_n(text, self.group(group).len())
                });
                Arc::new(rows.collect::<StringArray>())
            }
            Values::GroupNumber(numbers) => {
                let rows = numbers.iter().enumerate().flat_map(|(group, number)| {
                    std::iter::repeat_n(*number, self.group(group).len())
                });
                Arc::new(UInt8Array::from_iter_values(rows))
            }
            Values::Numbered(word, numbers) => {
                let rows = numbers.iter().map(|number| format!("{word}{number}"));
                Arc::new(StringArray::from_iter_values(rows))
            }
            Values::Read(of, reading) => {
                let keys = match &self.values[*of] {
                    Values::Text(text) => text.keys(),
                    _ => &[],
                };
                let places = (0..self.rows).map(|row| usize::try_from(*keys.get(row)?).ok());
                match reading {
                    Reading::Days(read) => {
                        Arc::new(places.map(|at| read[at?]).collect::<Date32Array>())
                    }
                    Reading::Moments(read) => {
                        Arc::new(places.map(|at| read[at?]).collect::<TimestampMicrosecondArray>())
                    }
                    Reading::Numbers(read) => {
                        Arc::new(places.map(|at| read[at?]).collect::<Float64Array>())
                    }
                }
            }
            Values::Array(array) => array.clone(),
        }
    }
}

impl Values {
    /// Text: what each row says with a part of it, which often comes again.
    pub fn of<'r, T, P: PartialEq + fmt::Display>(
        rows: &'r [T],
        part: impl Fn(&'r T) -> P,
    ) -> Self {
        Self::Text(Repeated::default().of(rows, part))
    }
    /// As [`Self::of`], with a part that hardly comes twice.
    pub fn unlike<'r, T, P: PartialEq + fmt::Display>(
        rows: &'r [T],
        part: impl Fn(&'r T) -> P,
    ) -> Self {
        Self::Text(Repeated::unlike().of(rows, part))
    }

    fn fits(&self, kind: ColumnType, rows: usize, groups: usize) -> bool {
        match self {
            Self::Text(text) => kind == ColumnType::Utf8 && text.keys().len() <= rows,
            Self::GroupText(text) => kind == ColumnType::Utf8 && text.is_full(groups),
            Self::GroupNumber(numbers) => kind == ColumnType::Uint8 && numbers.len() == groups,
            Self::Numbered(_, numbers) => kind == ColumnType::Utf8 && numbers.len() == rows,
            Self::Read(..) => false,
            Self::Array(array) => *array.data_type() == kind.arrow() && array.len() == rows,
        }
    }

    /// Rows without a value, of a column that may have none such.
    fn empty(&self, rows: usize) -> usize {
        match self {
            Self::Text(text) if !text.is_full(rows) => {
                rows - text.keys().iter().filter(|key| **key >= 0).count()
            }
            Self::Array(array) => array.null_count(),
            // What is read may always be empty.
            Self::Read(..) => rows,
            _ => 0,
        }
    }
}

impl Reading {
    fn fits(&self, kind: ColumnType, of: Option<&Values>) -> bool {
        let Some(Values::Text(text)) = of else { return false };
        let (wanted, read) = match self {
            Self::Days(read) => (ColumnType::Date, read.len()),
            Self::Moments(read) => (ColumnType::Timestamp, read.len()),
            Self::Numbers(read) => (ColumnType::Float64, read.len()),
        };
        kind == wanted && read == text.values()
    }
}
