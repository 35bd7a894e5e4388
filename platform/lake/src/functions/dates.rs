//! Dates: truncation, and the arithmetic that the per-person shift needs. A text keeps its style (`2003/7/26`).

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int32Array, PrimitiveArray},
    compute,
    datatypes::{DataType, Date32Type},
};
use datafusion::{
    common::{Result, ScalarValue, exec_err},
    logical_expr::{Expr, ScalarUDF, lit},
};

use super::{
    base::{Args, Body, call, function, unsupported},
    numbers::push_whole,
    texts::{Cell, Writer, map_text},
};

/// Do texts of a column write month and day with two digits?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePad {
    /// `2003/07/26`
    Padded,
    /// `2003/7/26`
    Bare,
}

impl DatePad {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Padded => "padded",
            Self::Bare => "bare",
        }
    }
    pub(super) fn named(text: &str) -> Result<Self> {
        match text {
            "padded" => Ok(Self::Padded),
            "bare" => Ok(Self::Bare),
            _ => exec_err!("the style of a date is padded or bare"),
        }
    }
}

/// `kiban_truncate_date(date, to, pad, earliest)`: `to` is `month`, `year`, `half_decade` or `decade`; years up to
/// `earliest` print as `1930以前`.
pub fn truncate_date(date: Expr, to: &str, pad: DatePad, earliest: Option<i16>) -> Expr {
    call(
        &TRUNCATE_DATE,
        vec![
            date,
            lit(to),
            lit(pad.as_str()),
            Expr::Literal(ScalarValue::Int64(earliest.map(i64::from)), None),
        ],
    )
}

/// `kiban_date_padding(text)`: 1 if the text writes a month or day with a leading zero, 0 if it writes one digit,
/// empty if it tells neither. The column's style is the maximum.
pub fn date_padding(date: Expr) -> Expr {
    call(&DATE_PADDING, vec![date])
}

/// `kiban_day(date)`: the column as days, empty where the day is not known.
pub fn as_day(date: Expr) -> Expr {
    call(&AS_DAY, vec![date])
}

pub(super) static AS_DAY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function("kiban_day", AsDay));

struct AsDay;

impl Body for AsDay {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let column = args.column(0)?;
        if let Some(days) = as_days(&column)? {
            return Ok(Arc::new(days.reinterpret_cast::<Date32Type>()));
        }
        let texts = compute::cast(&column, &DataType::Utf8)?;
        let days: PrimitiveArray<Date32Type> =
            texts.as_string::<i32>().iter().map(|t| Written::read(t?)?.days()).collect();
        Ok(Arc::new(days))
    }
}

pub(super) static TRUNCATE_DATE: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_truncate_date", TruncateBody));
pub(super) static DATE_PADDING: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_date_padding", PaddingBody));

/// A date as a text wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) year: i32,
    pub(super) month: Option<u32>,
    pub(super) day: Option<u32>,
    /// Separator; `None`: `20030726`.
    separator: Option<u8>,
    /// Anything after the day: a time.
    pub(super) rest: &'a str,
}

impl<'a> Written<'a> {
    /// Reads a text; the two usual shapes fast, all others through the kernel, which then print in ISO style.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        Self::separated(text).or_else(|| Self::compact(text)).or_else(|| {
            let date = kiban_kernel::parse_moment(text).ok()?.date;
            let day = date.full().map(|d| d.day().unsigned_abs().into());
            let month = date.month().map(|m| m.unsigned_abs().into());
            Some(Self { year: date.year().into(), month, day, separator: Some(b'-'), rest: "" })
        })
    }
    fn separated(text: &'a str) -> Option<Self> {
        let b = text.as_bytes();
        let year = digits(b.get(..4)?)?;
        let separator = *b.get(4)?;
        if !matches!(separator, b'/' | b'-' | b'.') {
            return None;
        }
        let (month, at) = short(b, 5)?;
        if *b.get(at)? != separator {
            return None;
        }
        let (day, end) = short(b, at + 1)?;
        let rest = &text[end..];
        if !(rest.is_empty() || rest.starts_with(['T', ' '])) || !exists(year, month, day) {
            return None;
        }
        Some(Self {
            year: year as i32,
            month: Some(month),
            day: Some(day),
            separator: Some(separator),
            rest,
        })
    }
    fn compact(text: &'a str) -> Option<Self> {
        let b = text.as_bytes();
        if b.len() != 8 {
            return None;
        }
        let (year, month, day) = (digits(&b[..4])?, digits(&b[4..6])?, digits(&b[6..])?);
        exists(year, month, day).then_some(Self {
            year: year as i32,
            month: Some(month),
            day: Some(day),
            separator: None,
            rest: "",
        })
    }
    /// Days since 1970-01-01, if the day is known.
    pub(super) fn days(&self) -> Option<i32> {
        Some(days_of(self.year, self.month?, self.day?))
    }
    /// Writes another day in the same style.
    pub(super) fn write_day(&self, days: i32, pad: DatePad, out: &mut String) {
        let (year, month, day) = civil_of(days);
        push_whole(out, year.into(), 4);
        self.push_part(month, pad, out);
        self.push_part(day, pad, out);
    }
    fn push_part(&self, part: u32, pad: DatePad, out: &mut String) {
        if let Some(separator) = self.separator {
            out.push(separator as char);
        }
        let bare = pad == DatePad::Bare && self.separator.is_some_and(|s| s != b'-');
        push_whole(out, part.into(), if bare { 1 } else { 2 });
    }
    fn truncate(&self, to: Unit, pad: DatePad, earliest: Option<i32>, out: &mut String) -> Cell {
        if let Some(earliest) = earliest.filter(|e| self.year <= *e) {
            let _ = write!(out, "{earliest:04}以前");
            return Cell::Written;
        }
        match to {
            Unit::Month => {
                let Some(month) = self.month else { return Cell::Empty };
                push_whole(out, self.year.into(), 4);
                self.push_part(month, pad, out);
            }
            Unit::Years(1) => push_whole(out, self.year.into(), 4),
            Unit::Years(n) => {
                let from = self.year.div_euclid(n) * n;
                let _ = write!(out, "{from:04}~{:04}", from + n);
            }
        }
        Cell::Written
    }
}

fn digits(b: &[u8]) -> Option<u32> {
    b.iter().try_fold(0_u32, |n, c| c.is_ascii_digit().then(|| n * 10 + u32::from(c - b'0')))
}

/// One or two digits from `at`; the number and where it ends.
fn short(b: &[u8], at: usize) -> Option<(u32, usize)> {
    let first = b.get(at).filter(|c| c.is_ascii_digit())?;
    let n = u32::from(first - b'0');
    match b.get(at + 1).filter(|c| c.is_ascii_digit()) {
        Some(second) => Some((n * 10 + u32::from(second - b'0'), at + 2)),
        None => Some((n, at + 1)),
    }
}

fn exists(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && (1..=last).contains(&day)
}

/// Days since 1970-01-01 of a civil date (proleptic Gregorian; after Howard Hinnant's `days_from_civil`).
pub(super) fn days_of(year: i32, month: u32, day: u32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month as i32 + if month > 2 { -3 } else { 9 }) + 2) / 5 + day as i32 - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The civil date of a day since 1970-01-01.
pub(super) fn civil_of(days: i32) -> (i32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (year, month as u32, day as u32)
}

#[derive(Clone, Copy)]
enum Unit {
    Month,
    Years(i32),
}

impl Unit {
    fn named(text: &str) -> Result<Self> {
        match text {
            "month" => Ok(Self::Month),
            "year" => Ok(Self::Years(1)),
            "half_decade" => Ok(Self::Years(5)),
            "decade" => Ok(Self::Years(10)),
            _ => exec_err!("a date is truncated to month, year, half_decade or decade"),
        }
    }
}

struct TruncateBody;

impl Body for TruncateBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let to = Unit::named(args.text(1)?)?;
        let pad = DatePad::named(args.text(2)?)?;
        let earliest = args.int(3)?.map(|y| y as i32);
        let column = args.column(0)?;
        let Some(days) = as_days(&column)? else {
            return map_text(&column, &mut |text, out| match Written::read(text) {
                Some(date) => date.truncate(to, pad, earliest, out),
                None => Cell::Empty,
            });
        };
        let mut out = Writer::new(days.len());
        let mut buffer = String::new();
        let mut last = None;
        for i in 0..days.len() {
            if days.is_null(i) {
                out.push(None);
                continue;
            }
            let day = days.value(i);
            if last != Some(day) {
                buffer.clear();
                let (year, month, d) = civil_of(day);
                let date = Written {
                    year,
                    month: Some(month),
                    day: Some(d),
                    separator: Some(b'-'),
                    rest: "",
                };
                date.truncate(to, DatePad::Padded, earliest, &mut buffer);
                last = Some(day);
            }
            out.push(Some(&buffer));
        }
        out.finish()
    }
}

/// Days since 1970-01-01 of a date or time column; `None` for a column of texts.
pub(super) fn as_days(array: &ArrayRef) -> Result<Option<Int32Array>> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => {
            let days = compute::cast(array, &DataType::Date32)?;
            let days = days.as_primitive::<Date32Type>();
            Ok(Some(Int32Array::new(days.values().clone(), days.nulls().cloned())))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            Ok(None)
        }
        other => Err(unsupported("a date rule", other)),
    }
}

struct PaddingBody;

impl Body for PaddingBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        map_text(&args.column(0)?, &mut |text, out| {
            let b = text.trim().as_bytes();
            let Some(separator) = b.get(4).copied().filter(|c| matches!(c, b'/' | b'-' | b'.'))
            else {
                return Cell::Empty;
            };
            let parts = b[5..].split(|c| *c == separator || matches!(c, b'T' | b' ')).take(2);
            let mut seen = None;
            for part in parts {
                seen = match part {
                    [b'0', _] => Some("1"),
                    [_] => seen.or(Some("0")),
                    _ => seen,
                };
            }
            match seen {
                Some(mark) => {
                    out.push_str(mark);
                    Cell::Written
                }
                None => Cell::Empty,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_over_four_centuries() {
        assert_eq!(days_of(1970, 1, 1), 0);
        for day in days_of(1868, 1, 1)..days_of(2278, 1, 1) {
            let (y, m, d) = civil_of(day);
            assert!(exists(y as u32, m, d));
            assert_eq!(days_of(y, m, d), day);
        }
    }

    #[test]
    fn a_shifted_text_keeps_its_style() {
        let shifted = |text: &str, by: i32, pad: DatePad| {
            let date = Written::read(text).unwrap();
            let mut out = String::new();
            date.write_day(date.days().unwrap() + by, pad, &mut out);
            out
        };
        assert_eq!(shifted("2020/8/3", -5, DatePad::Bare), "2020/7/29");
        assert_eq!(shifted("2020/08/03", -5, DatePad::Padded), "2020/07/29");
        assert_eq!(shifted("20200803", -5, DatePad::Bare), "20200729");
        assert_eq!(shifted("2020-08-03", 31, DatePad::Bare), "2020-09-03");
        assert_eq!(shifted("令和2年8月3日", -5, DatePad::Padded), "2020-07-29");
    }
}
