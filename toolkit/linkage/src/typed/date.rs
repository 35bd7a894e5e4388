//! Dates as people write them: ISO, compact, five eras, partly known.

use std::fmt;

use crate::{rule::RuleSet, text::compatible};

/// A date of which month and day may be unknown. Ordered by time, unknown first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PartialDate(u32);

impl fmt::Debug for PartialDate {
    /// Never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_known() { "PartialDate(known)" } else { "PartialDate(unknown)" })
    }
}

impl PartialDate {
    /// From year, month and day; 0 is unknown. An unknown month makes the day unknown.
    pub fn new(year: u32, month: u32, day: u32) -> Self {
        let day = if month == 0 { 0 } else { day };
        Self(year << 9 | month << 5 | day)
    }
    /// Is at least the year known?
    pub fn is_known(self) -> bool {
        self.0 != 0
    }
    /// Is all of it known?
    pub fn is_full(self) -> bool {
        self.day() != 0
    }
    /// The year, 0 if unknown.
    pub fn year(self) -> u32 {
        self.0 >> 9
    }
    /// The month, 0 if unknown.
    pub fn month(self) -> u32 {
        self.0 >> 5 & 15
    }
    /// The day, 0 if unknown.
    pub fn day(self) -> u32 {
        self.0 & 31
    }
    /// Month and day in one number.
    pub(crate) fn month_day(self) -> u32 {
        self.0 & 0x1FF
    }
    pub(crate) fn packed(self) -> u32 {
        self.0
    }
    pub(crate) fn from_packed(packed: u32) -> Self {
        Self(packed)
    }
    /// Days of equal months since the year 0, for order and distance; an unknown month or day is the first.
    pub(crate) fn days(self) -> u32 {
        (self.year() * 12 + self.month().max(1)) * 31 + self.day().max(1)
    }
    /// The year of a number of [`Self::days`].
    pub(crate) fn year_of_days(days: u32) -> u32 {
        days.saturating_sub(32) / (31 * 12)
    }
}

/// Eras: names, letter, code of claims, year before its first, year of its last day.
const ERAS: [(&str, &str, char, char, u32, u32); 5] = [
    ("明治", "明", 'M', '1', 1867, 1912),
    ("大正", "大", 'T', '2', 1911, 1926),
    ("昭和", "昭", 'S', '3', 1925, 1989),
    ("平成", "平", 'H', '4', 1988, 2019),
    ("令和", "令", 'R', '5', 2018, 9999),
];

/// Reads a date; `None` if nothing is known of it, if it is a placeholder (all nines, 1900-01-01) or if its year is
/// none. An impossible month or day is unknown. Era years beyond the era's last are taken as written (昭和65年 is
/// 1990): many were written so.
pub fn partial_date(text: &str) -> Option<PartialDate> {
    let plain = text.as_bytes();
    if plain.len() == 10 && plain[4] == b'-' && plain[7] == b'-' && plain.is_ascii() {
        let numbers = [&text[..4], &text[5..7], &text[8..]].map(str::parse::<u32>);
        if let [Ok(y), Ok(m), Ok(d)] = numbers {
            return checked(y, m, d);
        }
    }
    let text = compatible(text, &mut RuleSet::default()).to_uppercase();
    let era = ERAS.iter().find_map(|(name, short, letter, _, before, _)| {
        let rest = text
            .strip_prefix(name)
            .or_else(|| text.strip_prefix(short))
            .or_else(|| text.strip_prefix(*letter))?;
        Some((*before, rest.trim_start_matches(['.', ' ', '-'])))
    });
    let (before, rest) = era.unwrap_or((0, &text));
    let rest = rest.replacen("元年", "1年", 1);
    let date = rest.split(['T', ' ']).next().unwrap_or_default();
    // a blank may stand between the parts of "1980 1 2" and after "10月"
    let parts: Vec<&str> = if rest.contains('年') || date.bytes().all(|b| b.is_ascii_digit()) {
        rest.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).collect()
    } else {
        date.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).collect()
    };
    let number = |t: &str| t.parse::<u32>().ok();
    match parts[..] {
        [all] if before > 0 => match all.len() {
            6 => checked(before + number(&all[..2])?, number(&all[2..4])?, number(&all[4..])?),
            1 | 2 => checked(before + number(all)?, 0, 0),
            _ => None,
        },
        [all] => match all.len() {
            8 => checked(number(&all[..4])?, number(&all[4..6])?, number(&all[6..])?),
            7 => {
                let era = ERAS.iter().find(|e| all.starts_with(e.3))?;
                checked(era.4 + number(&all[1..3])?, number(&all[3..5])?, number(&all[5..])?)
            }
            6 => checked(number(&all[..4])?, number(&all[4..])?, 0),
            4 => checked(number(all)?, 0, 0),
            _ => None,
        },
        [y, m] => checked(before + number(y)?, number(m)?, 0),
        [y, m, d, ..] => {
            let (y, m, d) = (number(y)?, number(m)?, number(d)?);
            // day first, as in Western lists
            if before == 0 && y <= 31 && d > 31 {
                return if m > 12 { checked(d, y, m) } else { checked(d, m, y) };
            }
            checked(before + y, m, d)
        }
        [] => None,
    }
}

fn checked(year: u32, month: u32, day: u32) -> Option<PartialDate> {
    if !(1850..=2150).contains(&year) || (year, month, day) == (1900, 1, 1) {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Some(PartialDate::new(year, 0, 0)),
    };
    Some(PartialDate::new(year, month, if day <= last { day } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ymd(text: &str) -> (u32, u32, u32) {
        partial_date(text).map_or((0, 0, 0), |d| (d.year(), d.month(), d.day()))
    }

    #[test]
    fn one_day_in_many_styles() {
        for text in [
            "1980-01-02",
            "1980/1/2",
            "19800102",
            "１９８０．０１．０２",
            "S55.01.02",
            "S55.1.2",
            "s550102",
            "昭和55年1月2日",
            "昭和５５年　１月　２日",
            "昭55.1.2",
            "3550102",
            "1980年1月2日",
            "1980-01-02T00:00:00",
            "1980-01-02 00:00:00",
            "02/01/1980",
        ] {
            assert_eq!(ymd(text), (1980, 1, 2), "{text}");
        }
        assert_eq!(ymd("令和元年5月1日"), (2019, 5, 1));
        assert_eq!(ymd("昭和64年1月7日"), (1989, 1, 7));
        assert_eq!(ymd("H01.01.08"), (1989, 1, 8));
    }

    #[test]
    fn partly_known_and_unknown() {
        assert_eq!(ymd("1980"), (1980, 0, 0));
        assert_eq!(ymd("1980-03"), (1980, 3, 0));
        assert_eq!(ymd("1980-03-00"), (1980, 3, 0));
        assert_eq!(ymd("1980-02-30"), (1980, 2, 0));
        assert_eq!(ymd("1980-13-01"), (1980, 0, 0));
        assert_eq!(ymd("昭和55年"), (1980, 0, 0));
        for none in ["", "不明", "00000000", "99999999", "1900-01-01", "9999-12-31", "😀", "１"]
        {
            assert_eq!(ymd(none), (0, 0, 0), "{none}");
        }
    }

    #[test]
    fn days_know_their_year() {
        for (y, m, d) in [(1980, 1, 1), (1980, 12, 31), (2024, 2, 29), (1999, 0, 0)] {
            assert_eq!(PartialDate::year_of_days(PartialDate::new(y, m, d).days()), y);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(t in "[0-9MTSHRmshr明治大正昭和平成令元年月日/. -]{0,14}|.{0,20}") {
            let _ = partial_date(&t);
        }
    }
}
