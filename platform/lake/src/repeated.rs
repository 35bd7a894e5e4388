//! A column of text that often says the same for many rows on end: its values as they change, and which one each row has.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, StringArray},
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer},
    compute::cast,
    datatypes::{DataType, Int32Type},
    error::ArrowError,
};

/// A row without a value.
const EMPTY: i32 = -1;
/// Longer text than this is handed on plain: the pages of a file are cut by the bytes of plain text alone.
const LONG: usize = 1024;

/// Builds such a column. A row costs four bytes and a comparison, whatever the length of the text.
#[derive(Debug)]
pub struct Repeated {
    /// All values, one behind the other.
    bytes: Vec<u8>,
    /// Where each value begins; and the end of the last.
    offsets: Vec<i32>,
    keys: Vec<i32>,
    longest: usize,
}

impl Default for Repeated {
    fn default() -> Self {
        Self { bytes: Vec::new(), offsets: vec![0], keys: Vec::new(), longest: 0 }
    }
}

impl Repeated {
    /// The value of the next row.
    #[inline]
    pub fn push(&mut self, value: &str) {
        let key = self.key_of(value);
        self.keys.push(key);
    }

    /// The value of the next `rows` rows.
    pub fn push_rows(&mut self, value: &str, rows: usize) {
        let key = self.key_of(value);
        self.keys.extend(std::iter::repeat_n(key, rows));
    }

    /// All rows until there are so many have no value.
    #[inline]
    pub fn fill_to(&mut self, rows: usize) {
        if self.keys.len() < rows {
            self.keys.resize(rows, EMPTY);
        }
    }

    /// Place of the value in the dictionary: the last one if it is the same, else a new one.
    #[inline]
    fn key_of(&mut self, value: &str) -> i32 {
        // A batch of more than 2^31 rows or bytes does not fit into memory.
        let known = self.offsets.len() as i32 - 2;
        if known >= 0 && self.bytes[self.offsets[known as usize] as usize..] == *value.as_bytes() {
            return known;
        }
        self.bytes.extend_from_slice(value.as_bytes());
        self.offsets.push(self.bytes.len() as i32);
        self.longest = self.longest.max(value.len());
        known + 1
    }

    /// The column, dictionary-encoded (plain if a value is longer than a KiB): a value stands in the dictionary as often as
    /// it came up anew. Empty afterwards.
    ///
    /// # Errors
    /// Arrow refused, which the tests exclude.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let Self { bytes, offsets, mut keys, longest } = std::mem::take(self);
        let values = StringArray::try_new(OffsetBuffer::new(offsets.into()), bytes.into(), None)?;
        let filled = BooleanBuffer::collect_bool(keys.len(), |row| keys[row] != EMPTY);
        let nulls = Some(NullBuffer::new(filled)).filter(|nulls| nulls.null_count() > 0);
        if nulls.is_some() {
            for key in &mut keys {
                *key = (*key).max(0);
            }
        }
        let keys = Int32Array::try_new(keys.into(), nulls)?;
        let column = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values))?;
        if longest > LONG { cast(&column, &DataType::Utf8) } else { Ok(Arc::new(column)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn built(rows: &[Option<String>]) -> ArrayRef {
        let mut column = Repeated::default();
        for (at, row) in rows.iter().enumerate() {
            if let Some(text) = row {
                column.fill_to(at);
                column.push(text);
            }
        }
        column.fill_to(rows.len());
        column.finish().unwrap()
    }

    #[test]
    fn a_value_is_kept_once_for_the_rows_that_follow_each_other() {
        let mut column = Repeated::default();
        column.push_rows("甲", 1000);
        column.fill_to(1001);
        column.push("甲");
        column.push("乙");
        column.push("");
        let found = column.finish().unwrap();
        let found = found.as_dictionary::<Int32Type>();
        assert_eq!((found.len(), found.values().len(), found.null_count()), (1004, 3, 1));
        assert_eq!(column.finish().unwrap().len(), 0);
    }

    #[test]
    fn long_text_is_plain() {
        let found = built(&[None, Some("x".repeat(LONG + 1)), Some("y".into())]);
        assert_eq!((found.data_type(), found.null_count()), (&DataType::Utf8, 1));
    }

    proptest! {
        #[test]
        fn any_rows_come_back(rows in proptest::collection::vec(proptest::option::of("[ab甲]{0,2}"), 0..40)) {
            let want: StringArray = rows.iter().map(|row| row.as_deref()).collect();
            let found = cast(&built(&rows), &DataType::Utf8).unwrap();
            prop_assert_eq!(found.as_string::<i32>(), &want);
        }
    }
}
