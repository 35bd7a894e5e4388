//! Rows that left their builder, and become columns of their table when somebody has time for it.

use arrow::array::RecordBatch;
use kiban_lake::{Columns, LakeError, Reading, Repeated, Values};

use super::{
    COMMON, DAY, RowsError,
    provenance::Provenance,
    table::{ReadValue, Typed},
};

/// Rows of one table, collected.
pub struct TableRows {
    pub(super) name: &'static str,
    pub(super) rows: usize,
    pub(super) provenance: Provenance,
    pub(super) columns: Vec<Column>,
}

impl std::fmt::Debug for TableRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TableRows({} of {})", self.rows, self.name)
    }
}

impl TableRows {
    /// The table.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }
    /// None?
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows, to be written or made a batch of.
    ///
    /// # Errors
    /// They do not fit the table, which a test excludes.
    pub fn columns(self) -> Result<Columns, RowsError> {
        let (ends, provenance) = self.provenance.finish();
        let mut values: Vec<(Option<&str>, Values)> =
            provenance.into_iter().map(|(name, values)| (Some(name), values)).collect();
        // Names of text columns beside typed ones.
        let beside: Vec<String> =
            self.columns.iter().map(|column| format!("{}_text", column.name)).collect();
        for (column, beside) in self.columns.into_iter().zip(&beside) {
            let reading = column.reading();
            let name = if reading.is_some() { beside.as_str() } else { column.name };
            let text = values.len();
            values.push((column.keeps_text.then_some(name), Values::Text(column.text)));
            let read = reading.map(|reading| (Some(column.name), Values::Read(text, reading)));
            values.extend(read);
        }
        Columns::new(self.name, self.rows, ends, values).map_err(refused(self.name))
    }

    /// The rows as a batch.
    ///
    /// # Errors
    /// As [`Self::columns`].
    pub fn batch(self) -> Result<RecordBatch, RowsError> {
        let table = self.name;
        self.columns()?.batch().map_err(refused(table))
    }
}

fn refused(table: &'static str) -> impl Fn(LakeError) -> RowsError {
    move |source| RowsError::Columns { table, source: Box::new(source) }
}

/// The memory of rows that are used up, for rows of the same table ([`TableBuilders::restock`](super::TableBuilders::restock)): two
/// sets of large lists go round, and none is made anew or given back while a delivery lasts.
pub struct Spare {
    pub(super) table: &'static str,
    provenance: Provenance,
    texts: Vec<Repeated>,
}

impl Spare {
    /// Of columns that [`TableRows::columns`] gave.
    pub fn of(columns: Columns) -> Self {
        let (table, ends, values) = columns.into_parts();
        let mut values = values.into_iter();
        let provenance = Provenance::emptied(ends, values.by_ref().take(COMMON.len()));
        let text =
            |values| if let Values::Text(text) = values { Some(text.emptied()) } else { None };
        Self { table, provenance, texts: values.filter_map(text).collect() }
    }

    pub(super) fn parts(self) -> (Provenance, Vec<Repeated>) {
        (self.provenance, self.texts)
    }
}

impl std::fmt::Debug for Spare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spare({})", self.table)
    }
}

/// One column of [`TableRows`].
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) typed: Typed,
    pub(super) text: Repeated,
    pub(super) keeps_text: bool,
    pub(super) read: Vec<ReadValue>,
}

impl Column {
    /// What its values were read as, if it is typed.
    fn reading(&self) -> Option<Reading> {
        let read = self.read.iter();
        match self.typed {
            Typed::None => None,
            Typed::Date => {
                let day = |read: &ReadValue| read.micros.map(|m| m.div_euclid(DAY) as i32);
                Some(Reading::Days(read.map(day).collect()))
            }
            Typed::Stamp => Some(Reading::Moments(read.map(|read| read.micros).collect())),
            Typed::Number => Some(Reading::Numbers(read.map(|read| read.number).collect())),
        }
    }
}
