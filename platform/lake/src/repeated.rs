//! A column of text that often says the same: its values, each once as far as that is worth while, and which one each row has.

use std::{
    fmt::{self, Write as _},
    hash::BuildHasher as _,
    ptr,
};

use arrow::array::StringArray;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::short::{Keyed, Recent, Short};

/// A row without a value.
const EMPTY: i32 = -1;
/// After so many values that were not the one before it is judged whether any come back.
const JUDGED: usize = 2048;
/// Stands where no other text does.
const NO_TEXT: &str = {
    static NOTHING: [u8; 1] = *b" ";
    match std::str::from_utf8(&NOTHING) {
        Ok(text) => text,
        Err(_) => "",
    }
};
/// Texts that are known again by where they stand, while some rows are taken in.
const SAME: usize = 64;

/// Builds such a column. A row that says what the one before said costs four bytes and a comparison; another value is looked
/// up among those known, unless nearly none comes back.
pub struct Repeated {
    /// All values, one behind the other.
    bytes: Vec<u8>,
    /// Where each value begins; and the end of the last.
    offsets: Vec<i32>,
    keys: Vec<i32>,
    /// The value of the last row that has one.
    last: Last,
    looks_up: bool,
    /// Places of the values by what they say; nothing once it was found that they hardly come back.
    known: Option<Known>,
    /// Some of the short ones that were looked up of late.
    recent: Recent,
    hash: DefaultHashBuilder,
    /// Values that were looked up.
    looked_up: usize,
}

#[derive(Clone, Copy)]
enum Last {
    None,
    Short(Short, i32),
    Long(i32),
}

#[derive(Default)]
struct Known {
    short: HashTable<Keyed>,
    long: HashTable<i32>,
}

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            last: Last::None,
            looks_up,
            known: looks_up.then(Known::default),
            recent: Recent::default(),
            hash: DefaultHashBuilder::default(),
            looked_up: 0,
        }
    }

    /// An empty one in the memory of this one.
    #[must_use]
    pub fn emptied(mut self) -> Self {
        let known = self.looks_up.then(|| {
            let mut known = self.known.take().unwrap_or_default();
            known.short.clear();
            known.long.clear();
            known
        });
        self.bytes.clear();
        self.offsets.truncate(1);
        self.keys.clear();
        self.recent.forget();
        Self { last: Last::None, known, looked_up: 0, ..self }
    }

    /// For values that differ in nearly every row: none is looked up, and each is kept as often as it comes anew.
    pub fn unlike() -> Self {
        Self::new(false)
    }

    /// The column of what each row says with that part of it. Rows that follow each other and have the part in common say it once.
    #[must_use]
    pub fn of<'r, T, P: PartialEq + fmt::Display>(
        mut self,
        rows: &'r [T],
        part: impl Fn(&'r T) -> P,
    ) -> Self {
        let mut value = String::new();
        let mut last = None;
        for row in rows {
            let part = Some(part(row));
            if part != last {
                value.clear();
                if let Some(part) = &part {
                    // Writing to a string does not fail.
                    let _ = write!(value, "{part}");
                }
                last = part;
            }
            self.push(&value);
        }
        self
    }

    /// The value of the next row. Gives its place among the values: one that was not there yet comes last.
    #[inline]
    pub fn push(&mut self, value: &str) -> usize {
        let key = self.key_of(value);
        self.keys.push(key);
        key as usize
    }

    /// The next row says what the row before says; nothing if there is none.
    #[inline]
    pub fn push_again(&mut self) {
        self.keys.push(self.keys.last().copied().unwrap_or(EMPTY));
    }

    /// The value of the next `rows` rows.
    pub fn push_rows(&mut self, value: &str, rows: usize) {
        let key = self.key_of(value);
        self.keys.extend(std::iter::repeat_n(key, rows));
    }

    /// The values of some rows, each with the row's place behind those before; rows between have none.
    pub fn push_all(&mut self, values: &[(u32, &str)]) {
        let Some((end, _)) = values.last() else { return };
        self.fill_to(*end as usize + 1);
        // The very same text, not only an equal one, is the commonest of all: a system, a small number, a day, what the rows of
        // an item share.
        let mut same = [(NO_TEXT, EMPTY); SAME];
        let mut last = (NO_TEXT, EMPTY);
        for (row, value) in values {
            if !ptr::eq(*value, last.0) {
                let known = &mut same[place_of(value)];
                if !ptr::eq(*value, known.0) {
                    *known = (value, self.key_of(value));
                }
                last = *known;
            }
            self.keys[*row as usize] = last.1;
        }
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
        if let Some(short) = Short::of(value.as_bytes()) {
            if let Last::Short(last, key) = self.last
                && last == short
            {
                return key;
            }
            let key = self.other_short(value, short);
            self.last = Last::Short(short, key);
            return key;
        }
        if let Last::Long(key) = self.last
            && value_at(&self.bytes, &self.offsets, key) == value.as_bytes()
        {
            return key;
        }
        let key = self.other_long(value);
        self.last = Last::Long(key);
        key
    }

    fn other_short(&mut self, value: &str, short: Short) -> i32 {
        let fresh = self.fresh();
        if let Some(known) = &mut self.known {
            let recent = self.recent.place(short);
            if let Some(key) = recent.of(short) {
                self.looked_up += 1;
                return key;
            }
            let code = self.hash.hash_one(short);
            if let Some(known) = known.short.find(code, |known| known.short() == short) {
                self.looked_up += 1;
                *recent = *known;
                return known.key;
            }
            *recent = Keyed::new(short, fresh);
            let hash = &self.hash;
            let hash_of = |known: &Keyed| hash.hash_one(known.short());
            known.short.insert_unique(code, Keyed::new(short, fresh), hash_of);
        }
        self.add(value)
    }

    fn other_long(&mut self, value: &str) -> i32 {
        let fresh = self.fresh();
        let Self { bytes, offsets, known, hash, looked_up, .. } = self;
        if let Some(known) = known {
            let code = hash.hash_one(value.as_bytes());
            let same = |key: &i32| value_at(bytes, offsets, *key) == value.as_bytes();
            if let Some(key) = known.long.find(code, same) {
                *looked_up += 1;
                return *key;
            }
            let hash_of = |key: &i32| hash.hash_one(value_at(bytes, offsets, *key));
            known.long.insert_unique(code, fresh, hash_of);
        }
        self.add(value)
    }

    /// The key of the next new value. A lot of more than 2^31 rows or bytes does not fit into memory.
    fn fresh(&self) -> i32 {
        self.offsets.len() as i32 - 1
    }

    /// Adds a value that was not found.
    fn add(&mut self, value: &str) -> i32 {
        let key = self.fresh();
        self.bytes.extend_from_slice(value.as_bytes());
        self.offsets.push(self.bytes.len() as i32);
        if self.known.is_some() {
            self.looked_up += 1;
            if self.looked_up == JUDGED && self.offsets.len() * 4 > JUDGED * 3 {
                self.known = None;
            }
        }
        key
    }

    /// Was it said that its values differ in nearly every row?
    pub(crate) fn is_unlike(&self) -> bool {
        !self.looks_up
    }
    /// Has every row so far a value?
    pub(crate) fn is_full(&self, rows: usize) -> bool {
        self.keys.len() == rows && !self.keys.contains(&EMPTY)
    }
    /// Says nothing in any row?
    pub(crate) fn says_nothing(&self) -> bool {
        self.offsets.len() == 1
    }
    /// Of each row so far: the key of its value, below zero without one. Rows behind the last have none either.
    pub fn keys(&self) -> &[i32] {
        &self.keys
    }
    /// Number of values.
    pub fn values(&self) -> usize {
        self.offsets.len() - 1
    }
    /// A value's text.
    pub fn text(&self, key: usize) -> &str {
        // Only whole texts are added.
        std::str::from_utf8(self.value(key)).unwrap_or_default()
    }
    /// A value's bytes.
    pub(crate) fn value(&self, key: usize) -> &[u8] {
        &self.bytes[self.offsets[key] as usize..self.offsets[key + 1] as usize]
    }

    /// The column of so many rows, plain.
    pub(crate) fn array(&self, rows: usize) -> StringArray {
        let text = |key: &i32| {
            let value = self.value(usize::try_from(*key).ok()?);
            std::str::from_utf8(value).ok()
        };
        let behind = rows.saturating_sub(self.keys.len());
        self.keys.iter().map(text).chain(std::iter::repeat_n(None, behind)).collect()
    }
}

/// Where a text is sought among [`SAME`].
#[inline]
fn place_of(text: &str) -> usize {
    let at = (text.as_ptr() as usize as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (at >> 32) as usize % SAME
}

fn value_at<'a>(bytes: &'a [u8], offsets: &[i32], key: i32) -> &'a [u8] {
    &bytes[offsets[key as usize] as usize..offsets[key as usize + 1] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::Array as _;
    use proptest::prelude::*;

    fn built(rows: &[Option<String>]) -> Repeated {
        built_in(Repeated::default(), rows)
    }
    fn built_in(mut column: Repeated, rows: &[Option<String>]) -> Repeated {
        for (at, row) in rows.iter().enumerate() {
            if let Some(text) = row {
                column.fill_to(at);
                column.push(text);
            }
        }
        column
    }

    #[test]
    fn a_value_is_kept_once_for_the_rows_that_say_it() {
        let mut column = Repeated::default();
        column.push_rows("甲", 1000);
        column.fill_to(1001);
        column.push("甲");
        column.push("乙");
        column.push("甲");
        let long = "長".repeat(20);
        column.push_rows(&long, 2);
        column.push("");
        column.push_again();
        column.push(&long);
        column.push_again();
        assert_eq!((column.keys().len(), column.values(), column.is_full(1010)), (1010, 4, false));
        let array = column.array(1012);
        assert_eq!((array.null_count(), array.value(1007), array.value(1009)), (3, "", &*long));
    }

    proptest! {
        #[test]
        fn any_rows_come_back(rows in proptest::collection::vec(proptest::option::of("[ab甲]{0,18}"), 0..40)) {
            let want: StringArray = rows.iter().map(|row| row.as_deref()).collect();
            prop_assert_eq!(built(&rows).array(rows.len()), want.clone());
            // Whatever stood there before.
            let before: Vec<_> = rows.iter().rev().map(|row| row.clone().map(|r| r + "b")).collect();
            for used in [Repeated::default(), Repeated::unlike()] {
                let used = built_in(used, &before).emptied();
                prop_assert_eq!(built_in(used, &rows).array(rows.len()), want.clone());
            }
        }
    }
}
