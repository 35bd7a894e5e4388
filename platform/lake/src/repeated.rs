//! A column of text that says the same for many rows on end: its values as they change, and which one each row has.

use std::sync::Arc;

use arrow::{
    array::{
        Array as _, ArrayBuilder as _, ArrayRef, AsArray as _, DictionaryArray, StringArray,
        StringBuilder,
    },
    datatypes::{DataType, Int32Type},
};

/// Builds such a column. A row costs four bytes and a comparison, whatever the length of the text.
#[derive(Debug, Default)]
pub struct Repeated {
    values: StringBuilder,
    last: String,
    keys: Vec<i32>,
}

impl Repeated {
    /// The value of the next row.
    pub fn push(&mut self, value: &str) {
        if self.keys.is_empty() || self.last != value {
            self.values.append_value(value);
            self.last.clear();
            self.last.push_str(value);
        }
        // A batch of more than 2^31 rows does not fit into memory.
        self.keys.push((self.values.len() as i32) - 1);
    }

    /// The column, dictionary-encoded: a value stands in the dictionary as often as it came up anew. Empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        let keys = std::mem::take(&mut self.keys).into();
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(self.values.finish())))
    }
}

/// The type of such columns.
pub(crate) fn data_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The text of a column, plain or repeated: its values, and the place of each row's.
pub(crate) fn texts(column: &ArrayRef) -> Option<(&StringArray, impl Fn(usize) -> usize)> {
    let repeated = column.as_dictionary_opt::<Int32Type>();
    let keys = repeated.map(|r| r.keys().values());
    let values = repeated.map_or(column, |r| r.values());
    let place = move |row: usize| keys.map_or(row, |keys| keys[row] as usize);
    // No row of either kind is empty: the columns of a batch that are asked for here may not be.
    Some((values.as_string_opt::<i32>().filter(|_| column.null_count() == 0)?, place))
}
