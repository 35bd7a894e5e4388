//! Civil dates as Japanese records write them: Gregorian, era, and partly known.
//!
//! Enters: text of any width. Leaves: [`Date`](jiff::civil::Date) or [`PartialDate`]. Refuses: what is
//! not a date, without quoting it. A partly known date is never completed silently.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::civil::Date;

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DateError {
    /// Not of any accepted shape.
    #[error("not a date of a known shape")]
    Shape,
    /// Of a known shape, but no such day.
    #[error("there is no such day")]
    NoSuchDay,
    /// Precision is lower than asked for.
    #[error("the date is known only in part")]
    Partial,
}

/// Japanese eras since Meiji. Source: the eras' ordinances; Meiji counted from 1868.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// 明治
    Meiji,
    /// 大正
    Taisho,
    /// 昭和
    Showa,
    /// 平成
    Heisei,
    /// 令和
    Reiwa,
}

impl Era {
    const ALL: [Self; 5] = [Self::Meiji, Self::Taisho, Self::Showa, Self::Heisei, Self::Reiwa];
    /// Gregorian year of the era's year 1.
    pub fn first_year(self) -> i16 {
        match self {
            Self::Meiji => 1868,
            Self::Taisho => 1912,
            Self::Showa => 1926,
            Self::Heisei => 1989,
            Self::Reiwa => 2019,
        }
    }
    fn marks(self) -> [&'static str; 3] {
        match self {
            Self::Meiji => ["明治", "M", "1"],
            Self::Taisho => ["大正", "T", "2"],
            Self::Showa => ["昭和", "S", "3"],
            Self::Heisei => ["平成", "H", "4"],
            Self::Reiwa => ["令和", "R", "5"],
        }
    }
}

/// A date of which month or day may be unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    /// A date known to the given precision.
    ///
    /// # Errors
    /// [`DateError::NoSuchDay`]; a day without a month is [`DateError::Shape`].
    pub fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Result<Self, DateError> {
        if day.is_some() && month.is_none() {
            return Err(DateError::Shape);
        }
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).map_err(|_| DateError::NoSuchDay)?;
        Ok(Self { year, month, day })
    }
    /// Year.
    pub fn year(&self) -> i16 {
        self.year
    }
    /// Month, if known.
    pub fn month(&self) -> Option<i8> {
        self.month
    }
    /// The full date, if month and day are known.
    pub fn full(&self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }
    /// First day it may mean.
    pub fn earliest(&self) -> Date {
        Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).unwrap_or(Date::MIN)
    }
    /// Last day it may mean.
    pub fn latest(&self) -> Date {
        let month = self.month.unwrap_or(12);
        match self.day {
            Some(day) => Date::new(self.year, month, day).unwrap_or(Date::MAX),
            None => Date::new(self.year, month, 1).map_or(Date::MAX, Date::last_of_month),
        }
    }
}

impl From<Date> for PartialDate {
    fn from(d: Date) -> Self {
        Self { year: d.year(), month: Some(d.month()), day: Some(d.day()) }
    }
}
impl PartialOrd for PartialDate {
    /// Ordered only where every reading agrees.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self == other && self.full().is_some() {
            Some(Ordering::Equal)
        } else if self.latest() < other.earliest() {
            Some(Ordering::Less)
        } else if self.earliest() > other.latest() {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
}
impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(m) = self.month {
            write!(f, "-{m:02}")?;
        }
        if let Some(d) = self.day {
            write!(f, "-{d:02}")?;
        }
        Ok(())
    }
}
impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for PartialDate {
    type Err = DateError;
    fn from_str(s: &str) -> Result<Self, DateError> {
        parse_partial(s)
    }
}

/// A full date from text: `20030726`, `2003-07-26`, `2003/7/26`, `2003.7.26`, `2003年7月26日`, `H15.7.26`,
/// `平成15年7月26日`, `平成元年…`, `4150726` (era digit), full-width digits; a time after `T` or a blank is cut off.
///
/// # Errors
/// See [`DateError`].
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    parse_partial(text)?.full().ok_or(DateError::Partial)
}

/// A date of any precision: as [`parse_date`], and `2003`, `200307`, `2003-07`, `H15.7`, `41507`; a month
/// or day `00` is unknown.
///
/// # Errors
/// See [`DateError`].
pub fn parse_partial(text: &str) -> Result<PartialDate, DateError> {
    match plain_day(text.as_bytes()) {
        Some([year, month, day]) => build(year, month, day),
        None => parse_any(text),
    }
}

/// Year, month and day of the two shapes that nearly all dates have: `20030726`, `2003-07-26`.
fn plain_day(text: &[u8]) -> Option<[i16; 3]> {
    let (year, month, day) = match text {
        [year @ .., m1, m2, d1, d2] if year.len() == 4 => (year, [m1, m2], [d1, d2]),
        [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => (year, [m1, m2], [d1, d2]),
        _ => return None,
    };
    let add = |n: i16, digit: &u8| digit.is_ascii_digit().then(|| n * 10 + i16::from(digit - b'0'));
    let number = |digits: [&u8; 2]| digits.into_iter().try_fold(0, add);
    let year = year.iter().try_fold(0, add)?;
    // Before, digits in groups are no date.
    (year >= 1000).then_some([year, number(month)?, number(day)?])
}

fn parse_any(text: &str) -> Result<PartialDate, DateError> {
    let half: String = text.trim().chars().map(to_half_width).collect();
    let s = half.replace('元', "1");
    let s = match s.find(['T', ' ']) {
        // "T10.3.4" is an era, "2003-07-26T…" is a time
        Some(i) if i >= 8 && s.is_char_boundary(i) => &s[..i],
        _ => s.as_str(),
    };
    if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) {
        return digits_only(s);
    }
    let (era, rest) = Era::ALL
        .iter()
        .flat_map(|e| e.marks().into_iter().take(2).map(move |m| (*e, m)))
        .find_map(|(e, m)| s.strip_prefix(m).map(|r| (Some(e), r)))
        .unwrap_or((None, s));
    let mut parts = Vec::with_capacity(3);
    for part in rest.split(['-', '/', '.', '年', '月', '日']) {
        if part.is_empty() {
            continue;
        }
        let n: i16 = part.trim().parse().map_err(|_| DateError::Shape)?;
        parts.push(n);
    }
    let (year, month, day) = match parts[..] {
        [y] => (y, 0, 0),
        [y, m] => (y, m, 0),
        [y, m, d] => (y, m, d),
        _ => return Err(DateError::Shape),
    };
    if era.is_none() && year < 1000 {
        return Err(DateError::Shape);
    }
    build(era_year(era, year)?, month, day)
}

/// A date of any precision with a time of day, if one was written. Wall clock of Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The day, as far as known.
    pub date: PartialDate,
    /// Hour, minute, second in Japan.
    pub time: Option<(i8, i8, i8)>,
}

/// A date and, where written, a time: everything [`parse_partial`] reads, HL7 `YYYYMMDDHHMM[SS[.fff]][±hhmm]`
/// and ISO 8601 `YYYY-MM-DDThh:mm[:ss[.fff]][Z|±hh:mm]`; an offset other than +09:00 is converted to Japan's.
///
/// # Errors
/// See [`DateError`].
pub fn parse_moment(text: &str) -> Result<Moment, DateError> {
    let s = text.trim();
    let plain = || Ok(Moment { date: parse_partial(s)?, time: None });
    if !s.is_ascii() || s.len() < 10 {
        return plain();
    }
    let (body, minutes_east) = split_offset(s)?;
    let digits: String = if body.as_bytes()[..10].iter().all(u8::is_ascii_digit) {
        body.split('.').next().unwrap_or("").to_owned()
    } else if let Some((day, time)) = body.split_once(['T', ' ']) {
        let time = time.split('.').next().unwrap_or("");
        if !matches!(time.len(), 2 | 5 | 8)
            || !time.bytes().all(|b| b.is_ascii_digit() || b == b':')
        {
            return Err(DateError::Shape);
        }
        let day = parse_partial(day)?.full().ok_or(DateError::Partial)?;
        format!("{:04}{:02}{:02}{time}", day.year(), day.month(), day.day()).replace(':', "")
    } else {
        return plain();
    };
    if !matches!(digits.len(), 10 | 12 | 14) {
        return Err(DateError::Shape);
    }
    let date = digits_only(&digits[..8])?;
    let part = |r: std::ops::Range<usize>| {
        digits.get(r).map_or(Ok(0), |t| t.parse::<i8>().map_err(|_| DateError::Shape))
    };
    let time = (part(8..10)?, part(10..12)?, part(12..14)?);
    if !(0..24).contains(&time.0) || !(0..60).contains(&time.1) || !(0..=60).contains(&time.2) {
        return Err(DateError::NoSuchDay);
    }
    match (minutes_east, date.full()) {
        (Some(east), Some(day)) if east != 540 => {
            let there = day.at(time.0, time.1, time.2.min(59), 0);
            let here = there
                .checked_add(jiff::Span::new().minutes(540 - east))
                .map_err(|_| DateError::NoSuchDay)?;
            Ok(Moment {
                date: here.date().into(),
                time: Some((here.hour(), here.minute(), here.second())),
            })
        }
        _ => Ok(Moment { date, time: Some(time) }),
    }
}

/// Cuts `Z`, `+0900` or `+09:00` off; minutes east of Greenwich.
fn split_offset(s: &str) -> Result<(&str, Option<i64>), DateError> {
    if let Some(body) = s.strip_suffix('Z') {
        return Ok((body, Some(0)));
    }
    let Some(at) = s.rfind(['+', '-']).filter(|at| *at >= 10 && s.len() - at >= 5) else {
        return Ok((s, None));
    };
    let digits: String = s[at + 1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DateError::Shape);
    }
    let hours: i64 = digits[..2].parse().map_err(|_| DateError::Shape)?;
    let minutes: i64 = digits[2..].parse().map_err(|_| DateError::Shape)?;
    let east = hours * 60 + minutes;
    Ok((&s[..at], Some(if s.as_bytes()[at] == b'-' { -east } else { east })))
}

fn digits_only(s: &str) -> Result<PartialDate, DateError> {
    let n = |r: std::ops::Range<usize>| s[r].parse::<i16>().map_err(|_| DateError::Shape);
    let era = |c: u8| Era::ALL.iter().copied().find(|e| e.marks()[2].as_bytes()[0] == c);
    match s.len() {
        4 => build(n(0..4)?, 0, 0),
        6 => build(n(0..4)?, n(4..6)?, 0),
        8 | 10 | 12 | 14 => build(n(0..4)?, n(4..6)?, n(6..8)?),
        5 | 7 => {
            let era = era(s.as_bytes()[0]).ok_or(DateError::Shape)?;
            let day = if s.len() == 7 { n(5..7)? } else { 0 };
            build(era_year(Some(era), n(1..3)?)?, n(3..5)?, day)
        }
        _ => Err(DateError::Shape),
    }
}

fn era_year(era: Option<Era>, year: i16) -> Result<i16, DateError> {
    match era {
        None => Ok(year),
        Some(_) if !(1..=99).contains(&year) => Err(DateError::NoSuchDay),
        Some(e) => Ok(e.first_year() + year - 1),
    }
}

fn build(year: i16, month: i16, day: i16) -> Result<PartialDate, DateError> {
    let small = |n: i16| i8::try_from(n).map_err(|_| DateError::NoSuchDay);
    let month = if month == 0 { None } else { Some(small(month)?) };
    let day = if day == 0 || month.is_none() { None } else { Some(small(day)?) };
    if !(1..=9999).contains(&year) {
        return Err(DateError::NoSuchDay);
    }
    PartialDate::new(year, month, day)
}

fn to_half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests;
