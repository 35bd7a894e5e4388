//! Texts of any Arrow kind in, texts out, each distinct neighbour worked on once.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float32Array, Float64Array, LargeStringArray, StringArray,
        StringViewArray, UInt32Array, builder::NullBufferBuilder,
    },
    buffer::{Buffer, OffsetBuffer, ScalarBuffer},
    compute,
    datatypes::{DataType, Float32Type, Float64Type},
};
use datafusion::{
    common::Result,
    logical_expr::{Expr, ScalarUDF},
};

use super::{
    base::{Args, Body, call, function, unsupported},
    numbers::push_number,
};

/// A text column of any kind.
pub(super) enum Texts<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Self::Utf8(array.as_string())),
            DataType::LargeUtf8 => Some(Self::Large(array.as_string())),
            DataType::Utf8View => Some(Self::View(array.as_string_view())),
            _ => None,
        }
    }
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Utf8(a) => a.len(),
            Self::Large(a) => a.len(),
            Self::View(a) => a.len(),
        }
    }
    pub(super) fn get(&self, i: usize) -> Option<&'a str> {
        match self {
            Self::Utf8(a) => a.is_valid(i).then(|| a.value(i)),
            Self::Large(a) => a.is_valid(i).then(|| a.value(i)),
            Self::View(a) => a.is_valid(i).then(|| a.value(i)),
        }
    }
}

/// What becomes of one cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// The text as it is.
    Same,
    /// What was written into the buffer.
    Written,
    /// Nothing.
    Empty,
}

/// Builds a text column into which earlier cells can be copied.
pub(super) struct Writer {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Writer {
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { bytes: Vec::with_capacity(rows * 8), offsets, nulls: NullBufferBuilder::new(rows) }
    }
    pub(super) fn push(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.bytes.extend_from_slice(text.as_bytes());
            self.nulls.append_non_null();
        } else {
            self.nulls.append_null();
        }
        self.offsets.push(self.bytes.len() as i32);
    }
    /// The cell of an earlier row once more.
    pub(super) fn repeat(&mut self, row: usize) {
        let (from, to) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        self.bytes.extend_from_within(from..to);
        self.nulls.append(self.nulls.is_valid(row));
        self.offsets.push(self.bytes.len() as i32);
    }
    pub(super) fn finish(mut self) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let array =
            StringArray::try_new(offsets, Buffer::from_vec(self.bytes), self.nulls.finish())?;
        Ok(Arc::new(array))
    }
}

const SLOTS: usize = 4096;

/// Remembers in which row a text was met last; forgetting costs time only.
pub(super) struct Memo([u32; SLOTS]);

impl Memo {
    pub(super) fn new() -> Self {
        Self([u32::MAX; SLOTS])
    }
    /// The slot of a text: a cheap mix of length, head and tail.
    fn slot(text: &str) -> usize {
        let b = text.as_bytes();
        let (head, tail) = match (b.first_chunk::<8>(), b.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => (b.iter().fold(0_u64, |h, c| (h << 8) | u64::from(*c)), 0),
        };
        let mixed =
            (head ^ tail.rotate_left(29) ^ b.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 52) as usize % SLOTS
    }
    /// An earlier row with the same text; remembers `row` otherwise.
    pub(super) fn earlier<'a>(
        &mut self,
        text: &str,
        row: usize,
        get: impl Fn(usize) -> Option<&'a str>,
    ) -> Option<usize> {
        let slot = &mut self.0[Self::slot(text)];
        let seen = *slot as usize;
        if *slot != u32::MAX && get(seen) == Some(text) {
            return Some(seen);
        }
        *slot = row as u32;
        None
    }
}

/// Applies `rule` to each text; numbers, dates and so on are first written as texts.
pub(super) fn map_text(
    array: &ArrayRef,
    rule: &mut dyn FnMut(&str, &mut String) -> Cell,
) -> Result<ArrayRef> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        // The rule works on the dictionary's values, the keys stay.
        let values = map_text(dictionary.values(), rule)?;
        let keys = compute::cast(dictionary.keys(), &DataType::UInt32)?;
        return Ok(compute::take(
            &values,
            keys.as_primitive::<arrow::datatypes::UInt32Type>() as &UInt32Array,
            None,
        )?);
    }
    let texts;
    let column = match Texts::of(array.as_ref()) {
        Some(column) => column,
        None => {
            texts = to_text(array)?;
            Texts::of(texts.as_ref())
                .ok_or_else(|| unsupported("a text rule", array.data_type()))?
        }
    };
    let mut out = Writer::new(column.len());
    let mut memo = Memo::new();
    let mut buffer = String::new();
    for row in 0..column.len() {
        let Some(text) = column.get(row) else {
            out.push(None);
            continue;
        };
        if let Some(seen) = memo.earlier(text, row, |r| column.get(r)) {
            out.repeat(seen);
            continue;
        }
        buffer.clear();
        match rule(text, &mut buffer) {
            Cell::Same => out.push(Some(text)),
            Cell::Written => out.push(Some(&buffer)),
            Cell::Empty => out.push(None),
        }
    }
    out.finish()
}

/// Any column as text: numbers in their shortest form, dates in ISO form, times without a zone.
pub(super) fn to_text(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Utf8 => Ok(Arc::clone(array)),
        DataType::Float64 => numbers_to_text(array.as_primitive::<Float64Type>()),
        DataType::Float32 => {
            let wide: Float64Array =
                compute::unary(array.as_primitive::<Float32Type>() as &Float32Array, f64::from);
            numbers_to_text(&wide)
        }
        _ => Ok(compute::cast(array, &DataType::Utf8)?),
    }
}

fn numbers_to_text(numbers: &Float64Array) -> Result<ArrayRef> {
    let mut out = Writer::new(numbers.len());
    let mut buffer = String::new();
    for i in 0..numbers.len() {
        buffer.clear();
        if numbers.is_valid(i) {
            push_number(&mut buffer, numbers.value(i));
            out.push(Some(&buffer));
        } else {
            out.push(None);
        }
    }
    out.finish()
}

/// `kiban_text(column)`: the column as text.
pub fn as_text(value: Expr) -> Expr {
    call(&AS_TEXT, vec![value])
}

pub(super) static AS_TEXT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_text", AsText));

struct AsText;

impl Body for AsText {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let column = args.column(0)?;
        if column.as_any_dictionary_opt().is_some() {
            return map_text(&column, &mut |_, _| Cell::Same);
        }
        to_text(&column)
    }
}
