//! Numbers: stable text form, bands, bounds.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array},
    compute,
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::Result,
    logical_expr::{Expr, ScalarUDF, lit},
};

use super::{
    base::{Args, Body, call, function, optional},
    texts::{Cell, Writer, map_text, to_text},
};

/// A number in its shortest form: `53.4`, `211`, never `211.0` nor an exponent.
pub fn format_number(value: f64) -> String {
    let mut out = String::new();
    push_number(&mut out, value);
    out
}

/// A whole number with at least `digits` digits.
pub(super) fn push_whole(out: &mut String, value: i64, digits: usize) {
    let mut buffer = [b'0'; 20];
    let mut left = value.unsigned_abs();
    let mut at = buffer.len();
    while left > 0 || buffer.len() - at < digits.max(1) {
        at -= 1;
        buffer[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or_default());
}

pub(super) fn push_number(out: &mut String, value: f64) {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return push_whole(out, value as i64, 1);
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// The number a text writes; blanks around it and full-width digits are read, infinities are not numbers.
pub fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |t: &str| {
        let first = *t.as_bytes().first()?;
        let number = first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.');
        number.then(|| t.parse::<f64>().ok()).flatten().filter(|v| v.is_finite())
    };
    if text.is_ascii() {
        return plain(text);
    }
    let half: String = text
        .chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '−' => '-',
            _ => c,
        })
        .collect();
    if half.is_ascii() { plain(&half) } else { None }
}

/// What an output cell says of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberRange {
    /// The number.
    Exact(f64),
    /// A half-open band.
    Between(f64, f64),
    /// At or over.
    From(f64),
    /// At or under, or under.
    UpTo(f64),
}

/// Reads `53.4`, `50~55`, `201以上`, `50以下`, `30未満` back.
pub fn range_of(text: &str) -> Option<NumberRange> {
    if let Some(v) = number_of(text) {
        return Some(NumberRange::Exact(v));
    }
    if let Some(v) = text.strip_suffix("以上") {
        return number_of(v).map(NumberRange::From);
    }
    if let Some(v) = text.strip_suffix("以下").or_else(|| text.strip_suffix("未満")) {
        return number_of(v).map(NumberRange::UpTo);
    }
    let (low, high) = text.split_once('~')?;
    Some(NumberRange::Between(number_of(low)?, number_of(high)?))
}

/// `kiban_band(value, width, low, high)`: `[50,55)` prints `50~55`; under `low` `30未満`, at or over `high` `150以上`.
pub fn band(value: Expr, width: f64, low: Option<f64>, high: Option<f64>) -> Expr {
    call(&BAND, vec![value, lit(width), optional(low), optional(high)])
}

/// `kiban_bounds(value, low, high)`: at or under `low` `50以下`, at or over `high` `201以上`, between unchanged.
pub fn bounds(value: Expr, low: Option<f64>, high: Option<f64>) -> Expr {
    call(&BOUNDS, vec![value, optional(low), optional(high)])
}

/// `kiban_number(value)`: the column as a number, empty where it is none.
pub fn as_number(value: Expr) -> Expr {
    call(&AS_NUMBER, vec![value])
}

pub(super) static AS_NUMBER: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_number", AsNumber));

struct AsNumber;

impl Body for AsNumber {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let column = args.column(0)?;
        if let Some(numbers) = as_numbers(&column)? {
            return Ok(Arc::new(numbers));
        }
        let texts = to_text(&compute::cast(&column, &DataType::Utf8)?)?;
        let numbers: Float64Array =
            texts.as_string::<i32>().iter().map(|t| t.and_then(number_of)).collect();
        Ok(Arc::new(numbers))
    }
}

pub(super) static BAND: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_band", BandBody));
pub(super) static BOUNDS: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_bounds", BoundsBody));

struct BandBody;

impl Body for BandBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let rule = BandRule::new(args.number(1)?.unwrap_or(1.0), args.number(2)?, args.number(3)?);
        map_number(&args.column(0)?, |value, out| {
            rule.write(value, out);
            Cell::Written
        })
    }
}

/// A band's parameters, with the decimals its edges need.
pub(super) struct BandRule {
    width: f64,
    low: Option<f64>,
    high: Option<f64>,
    decimals: usize,
}

impl BandRule {
    pub(super) fn new(width: f64, low: Option<f64>, high: Option<f64>) -> Self {
        let decimals = format_number(width).split_once('.').map_or(0, |(_, d)| d.len());
        Self { width, low, high, decimals }
    }
    fn write(&self, value: f64, out: &mut String) {
        if let Some(low) = self.low.filter(|l| value < *l) {
            push_number(out, low);
            out.push_str("未満");
        } else if let Some(high) = self.high.filter(|h| value >= *h) {
            push_number(out, high);
            out.push_str("以上");
        } else {
            // A value on an edge that binary fractions miss by a hair belongs to the band above it.
            let index = (value / self.width + 1e-9).floor();
            let (from, to) = (index * self.width, (index + 1.0) * self.width);
            if self.decimals == 0 && from.abs() < 1e15 {
                push_whole(out, from as i64, 1);
                out.push('~');
                push_whole(out, to as i64, 1);
            } else {
                let _ =
                    write!(out, "{:.*}~{:.*}", self.decimals, from + 0.0, self.decimals, to + 0.0);
            }
        }
    }
}

struct BoundsBody;

impl Body for BoundsBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let (low, high) = (args.number(1)?, args.number(2)?);
        map_number(&args.column(0)?, |value, out| clip(value, low, high, out))
    }
}

/// Writes a bound if the value is at or beyond it.
pub(super) fn clip(value: f64, low: Option<f64>, high: Option<f64>, out: &mut String) -> Cell {
    if let Some(high) = high.filter(|h| value >= *h) {
        push_number(out, high);
        out.push_str("以上");
        Cell::Written
    } else if let Some(low) = low.filter(|l| value <= *l) {
        push_number(out, low);
        out.push_str("以下");
        Cell::Written
    } else {
        Cell::Same
    }
}

/// Applies `rule` to each number; what is not a number becomes empty.
fn map_number(
    array: &ArrayRef,
    mut rule: impl FnMut(f64, &mut String) -> Cell,
) -> Result<ArrayRef> {
    let Some(numbers) = as_numbers(array)? else {
        return map_text(array, &mut |text, out| match number_of(text) {
            Some(value) => rule(value, out),
            None => Cell::Empty,
        });
    };
    let mut out = Writer::new(numbers.len());
    let mut buffer = String::new();
    for i in 0..numbers.len() {
        if numbers.is_null(i) || !numbers.value(i).is_finite() {
            out.push(None);
            continue;
        }
        buffer.clear();
        match rule(numbers.value(i), &mut buffer) {
            Cell::Written => out.push(Some(&buffer)),
            Cell::Same => {
                push_number(&mut buffer, numbers.value(i));
                out.push(Some(&buffer));
            }
            Cell::Empty => out.push(None),
        }
    }
    out.finish()
}

/// A numeric column as 64-bit floats; `None` for a column of texts.
pub(super) fn as_numbers(array: &ArrayRef) -> Result<Option<Float64Array>> {
    if array.data_type().is_numeric() {
        let wide = compute::cast(array, &DataType::Float64)?;
        Ok(Some(wide.as_primitive::<Float64Type>().clone()))
    } else {
        Ok(None)
    }
}
