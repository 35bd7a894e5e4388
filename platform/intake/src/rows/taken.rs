//! Rows that left their builder, and become a batch when somebody has time for it.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Date32Array, Float64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
    error::ArrowError,
};
use kiban_lake::{Repeated, schema::TableSchema};

use super::{
    DAY, RowsError,
    table::{Common, ReadValue, Typed},
};

/// Rows of one table, collected and not yet a batch.
pub struct TableRows {
    pub(super) name: &'static str,
    pub(super) schema: &'static TableSchema,
    pub(super) rows: usize,
    pub(super) common: Common,
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

    /// Room for as many rows that say as much. Whoever makes it where the rows are used up, and hands it to the builders
    /// ([`TableBuilders::restock`](super::TableBuilders::restock)), has the large lists of all lots made by one thread: others keep no
    /// memory of them.
    pub fn spare(&self) -> Spare {
        let texts = self.columns.iter().map(|column| column.text.like()).collect();
        Spare { table: self.name, common: self.common.like(), texts }
    }

    /// The table and its batch.
    ///
    /// # Errors
    /// Arrow refused, which a test excludes.
    pub fn batch(mut self) -> Result<(&'static str, RecordBatch), RowsError> {
        let refused = |source| RowsError::Batch { table: self.name, source };
        let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(self.schema.columns.len());
        let common = self.common.finish().map_err(refused)?;
        arrays.extend(common.map(|(name, array)| (name.to_owned(), array)));
        for column in self.columns {
            let name = column.name.to_owned();
            let (typed, text) = column.finish(self.rows).map_err(refused)?;
            arrays.extend(text.map(|text| match &typed {
                Some(_) => (format!("{name}_text"), text),
                None => (name.clone(), text),
            }));
            arrays.extend(typed.map(|typed| (name, typed)));
        }
        let mut ordered = Vec::with_capacity(arrays.len());
        for column in &self.schema.columns {
            let at = arrays
                .iter()
                .position(|(n, _)| *n == column.name)
                .ok_or(RowsError::Schema { table: self.name })?;
            ordered.push(arrays.swap_remove(at).1);
        }
        let fields = self.schema.columns.iter().zip(&ordered);
        let fields: Vec<_> = fields
            .map(|(c, array)| Field::new(&c.name, array.data_type().clone(), c.nullable))
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), ordered);
        Ok((self.name, batch.map_err(refused)?))
    }
}

/// Room for rows of one table.
pub struct Spare {
    pub(super) table: &'static str,
    common: Common,
    texts: Vec<Repeated>,
}

impl Spare {
    pub(super) fn parts(self) -> (Common, Vec<Repeated>) {
        (self.common, self.texts)
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
    /// The typed column and the text column of so many rows.
    fn finish(mut self, rows: usize) -> Result<(Option<ArrayRef>, Option<ArrayRef>), ArrowError> {
        self.text.fill_to(rows);
        let typed = self.typed_column();
        let text = self.text.finish()?;
        Ok((typed, self.keeps_text.then_some(text)))
    }

    fn typed_column(&self) -> Option<ArrayRef> {
        let values = self.text.places().map(|place| place.map(|place| self.read[place]));
        match self.typed {
            Typed::None => None,
            Typed::Date => {
                let day = |read: ReadValue| read.micros.map(|m| m.div_euclid(DAY) as i32);
                Some(Arc::new(values.map(|v| v.and_then(day)).collect::<Date32Array>()))
            }
            Typed::Stamp => {
                let moments = values.map(|v| v.and_then(|read| read.micros));
                Some(Arc::new(moments.collect::<TimestampMicrosecondArray>()))
            }
            Typed::Number => {
                let numbers = values.map(|v| v.and_then(|read| read.number));
                Some(Arc::new(numbers.collect::<Float64Array>()))
            }
        }
    }
}
