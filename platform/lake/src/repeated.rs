//! A column of text that often says the same: its values, each once as far as that is worth while, and which one each row has.

use std::{hash::BuildHasher as _, sync::Arc};

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, StringArray},
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer},
    compute::cast,
    datatypes::{DataType, Int32Type},
    error::ArrowError,
};
use hashbrown::{DefaultHashBuilder, HashTable};

/// A row without a value.
const EMPTY: i32 = -1;
/// Longer text than this is handed on plain: the pages of a file are cut by the bytes of plain text alone.
const LONG: usize = 1024;
/// After so many values that were not the one before it is judged whether any come back.
const JUDGED: usize = 2048;

/// Builds such a column. A row that says what the one before said costs four bytes and a comparison; another value is looked
/// up among those known, unless nearly none comes back.
pub struct Repeated {
    /// All values, one behind the other.
    bytes: Vec<u8>,
    /// Where each value begins; and the end of the last.
    offsets: Vec<i32>,
    keys: Vec<i32>,
    /// The value of the last row that has one.
    last: Option<i32>,
    looks_up: bool,
    /// Places of the values by what they say; nothing once it was found that they hardly come back.
    known: Option<HashTable<i32>>,
    hash: DefaultHashBuilder,
    /// Values that were looked up.
    looked_up: usize,
    longest: usize,
}

impl std::fmt::Debug for Repeated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repeated({} rows, {} values)", self.keys.len(), self.offsets.len() - 1)
    }
}

impl Default for Repeated {
    fn default() -> Self {
        Self::new(true)
    }
}

impl Repeated {
    fn new(looks_up: bool) -> Self {
        Self {
            bytes: Vec::new(),
            offsets: vec![0],
            keys: Vec::new(),
            last: None,
            looks_up,
            known: looks_up.then(HashTable::new),
            hash: DefaultHashBuilder::default(),
            looked_up: 0,
            longest: 0,
        }
    }

    /// An empty one with room for a little more than stands here.
    pub fn like(&self) -> Self {
        let mut next = Self::new(self.looks_up);
        let room = |n: usize| n + n / 8;
        // A column that says nothing needs no room.
        if self.offsets.len() > 1 {
            next.keys.reserve_exact(room(self.keys.len()));
            next.bytes.reserve_exact(room(self.bytes.len()));
            next.offsets.reserve_exact(room(self.offsets.len()));
        }
        next
    }

    /// For values that differ in nearly every row: none is looked up, and each is kept as often as it comes anew.
    pub fn unlike() -> Self {
        Self::new(false)
    }

    /// The column of what `write` says of each row.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn of<T>(
        mut self,
        rows: &[T],
        write: impl Fn(&T, &mut String),
    ) -> Result<ArrayRef, ArrowError> {
        let mut value = String::new();
        for row in rows {
            value.clear();
            write(row, &mut value);
            self.push(&value);
        }
        self.finish()
    }

    /// The value of the next row. Gives its place among the values since the last [`Self::finish`]: a value that was not there
    /// yet comes last.
    #[inline]
    pub fn push(&mut self, value: &str) -> usize {
        let key = self.key_of(value);
        self.keys.push(key);
        key as usize
    }

    /// Of each row so far: the place of its value, or `None` without one.
    pub fn places(&self) -> impl Iterator<Item = Option<usize>> {
        self.keys.iter().map(|key| usize::try_from(*key).ok())
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

    /// Place of the value in the dictionary: that of the row before if it is the same, that of an equal one, or a new one.
    #[inline]
    fn key_of(&mut self, value: &str) -> i32 {
        if let Some(last) = self.last
            && value_at(&self.bytes, &self.offsets, last) == value.as_bytes()
        {
            return last;
        }
        let key = self.other_key(value);
        self.last = Some(key);
        key
    }

    fn other_key(&mut self, value: &str) -> i32 {
        let Self { bytes, offsets, known, hash, looked_up, .. } = self;
        // A batch of more than 2^31 rows or bytes does not fit into memory.
        let fresh = offsets.len() as i32 - 1;
        if let Some(table) = known {
            let code = hash.hash_one(value.as_bytes());
            let same = |key: &i32| value_at(bytes, offsets, *key) == value.as_bytes();
            if let Some(key) = table.find(code, same) {
                *looked_up += 1;
                return *key;
            }
            table.insert_unique(code, fresh, |key| hash.hash_one(value_at(bytes, offsets, *key)));
            *looked_up += 1;
            if *looked_up == JUDGED && offsets.len() * 4 > JUDGED * 3 {
                *known = None;
            }
        }
        bytes.extend_from_slice(value.as_bytes());
        offsets.push(bytes.len() as i32);
        self.longest = self.longest.max(value.len());
        fresh
    }

    /// The column, dictionary-encoded (plain if a value is longer than a KiB): a value may stand in the dictionary more than
    /// once. Empty afterwards.
    ///
    /// # Errors
    /// Arrow refused, which the tests exclude.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let empty = Self::new(self.looks_up);
        let Self { bytes, offsets, mut keys, longest, .. } = std::mem::replace(self, empty);
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

fn value_at<'a>(bytes: &'a [u8], offsets: &[i32], key: i32) -> &'a [u8] {
    &bytes[offsets[key as usize] as usize..offsets[key as usize + 1] as usize]
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
