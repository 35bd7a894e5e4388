//! Dates and times of a source's text, as exact as the source is.
//!
//! Enters: `YYYYMMDD`, `YYYYMM`, `YYYY`, with `-` or `/` or without, with a time or without; `GYYMMDD` and `GYYMM`
//! of the Japanese eras, `R06.04.01` too (`00` means: not known). Leaves: [`Moment`]. Refuses: what is no date. Time zones are left
//! off: the wall time stays as it was written.

use std::fmt::Write as _;

/// A date that may lack its day or month, with the time of day if the source has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Year, Gregorian.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: Option<u8>,
    /// Day of the month.
    pub day: Option<u8>,
    /// Hour, minute, second; only with a day.
    pub time: Option<(u8, u8, u8)>,
}

/// Reads digits from the front; `None` if there are fewer.
fn digits(text: &mut &[u8], count: usize) -> Option<u32> {
    let (head, rest) = text.split_at_checked(count)?;
    let number =
        head.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))?;
    *text = rest;
    Some(number)
}

fn leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn length(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Moment {
    /// Reads a source's text.
    pub fn read(text: &str) -> Option<Self> {
        let mut rest = text.trim().as_bytes();
        // A letter in front stands for the number of the era.
        let lettered: Vec<u8>;
        if let [letter @ (b'M' | b'T' | b'S' | b'H' | b'R'), after @ ..] = rest {
            let number = b"MTSHR".iter().position(|l| l == letter)? as u8 + b'1';
            let digits = after.iter().filter(|b| !matches!(b, b'.' | b'/' | b'-')).copied();
            lettered = std::iter::once(number).chain(digits).collect();
            if !matches!(lettered.len(), 5 | 7) {
                return None;
            }
            rest = &lettered;
        }
        let run = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let era = matches!(run, 5 | 7) && run == rest.len();
        let year = if era {
            let base = match digits(&mut rest, 1)? {
                1 => 1867,
                2 => 1911,
                3 => 1925,
                4 => 1988,
                5 => 2018,
                _ => return None,
            };
            base + digits(&mut rest, 2)?
        } else {
            digits(&mut rest, 4)?
        };
        if !(1800..2200).contains(&year) {
            return None;
        }
        let year = u16::try_from(year).ok()?;
        let mark = rest.first().copied().filter(|b| matches!(b, b'-' | b'/' | b'.') && run == 4);
        let part = |rest: &mut &[u8]| -> Option<u32> {
            match mark {
                Some(mark) => {
                    *rest = rest.strip_prefix(&[mark])?;
                    let wide = rest.get(1).is_some_and(u8::is_ascii_digit);
                    digits(rest, if wide { 2 } else { 1 })
                }
                None => digits(rest, 2),
            }
        };
        let known = |n: u32| u8::try_from(n).ok().filter(|n| *n > 0);
        let month = if rest.is_empty() { None } else { known(part(&mut rest)?) };
        let day = if rest.is_empty() { None } else { known(part(&mut rest)?) };
        if month.is_some_and(|m| m > 12) {
            return None;
        }
        let Some(full) = month.zip(day) else {
            return Some(Self { year, month, day: None, time: None });
        };
        if full.1 > length(year, full.0) {
            return None;
        }
        Some(Self { year, month, day, time: time(rest) })
    }
    /// The day; an unknown day or month becomes the first, and the flag is true.
    pub fn day_or_first(&self) -> (Self, bool) {
        let guessed = self.day.is_none();
        let month = Some(self.month.unwrap_or(1));
        (Self { month, day: Some(self.day.unwrap_or(1)), ..*self }, guessed)
    }
    /// `2024-04-01`, `2024-04` or `2024`.
    pub fn date(&self) -> String {
        let mut out = format!("{:04}", self.year);
        for part in [self.month, self.month.and(self.day)].into_iter().flatten() {
            let _ = write!(out, "-{part:02}");
        }
        out
    }
    /// `09:05:00`, if there is a time.
    pub fn clock(&self) -> Option<String> {
        self.time.map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}"))
    }
    /// ISO 8601 as exact as known, time too: `2024-04-01T09:05:00`.
    pub fn iso(&self) -> String {
        match self.clock() {
            Some(clock) => format!("{}T{clock}", self.date()),
            None => self.date(),
        }
    }
    /// Days since 1970-01-01 of the day (the first, where it is not known).
    pub fn days(&self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month.unwrap_or(1)));
        // Years that begin in March put the leap day last (Hinnant, "chrono-compatible low-level date algorithms").
        let year = if month <= 2 { year - 1 } else { year };
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day.unwrap_or(1)) - 1;
        year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
            - 719_468
    }
    /// The day so many days after 1970-01-01.
    pub fn of_days(days: i64) -> Self {
        let z = days + 719_468;
        let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        Self { year: year as u16, month: Some(month as u8), day: Some(day as u8), time: None }
    }
    /// The same without its time.
    pub fn without_time(&self) -> Self {
        Self { time: None, ..*self }
    }
}

/// `T09:05:00.000+09:00`, ` 09:05`, `0905`, `090500`; none if it is no time of day.
fn time(mut rest: &[u8]) -> Option<(u8, u8, u8)> {
    if let [b'T' | b' ', after @ ..] = rest {
        rest = after;
    }
    let hour = digits(&mut rest, 2)?;
    let colon = rest.first() == Some(&b':');
    let next = |rest: &mut &[u8]| {
        if colon {
            *rest = rest.strip_prefix(b":")?;
        }
        digits(rest, 2)
    };
    let minute = next(&mut rest)?;
    let second =
        if matches!(rest.first(), Some(b':' | b'0'..=b'9')) { next(&mut rest)? } else { 0 };
    let small = |n: u32, limit: u32| u8::try_from(n).ok().filter(|_| n < limit);
    Some((small(hour, 24)?, small(minute, 60)?, small(second, 60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_shapes() {
        for (text, iso) in [
            ("20240401", "2024-04-01"),
            ("202404010905", "2024-04-01T09:05:00"),
            ("20240401090507.123+0900", "2024-04-01T09:05:07"),
            ("2024-04-01T20:00:00Z", "2024-04-01T20:00:00"),
            ("2024-04-01 07:03:21 +0900", "2024-04-01T07:03:21"),
            ("2024/4/1", "2024-04-01"),
            ("2024-04", "2024-04"),
            ("202404", "2024-04"),
            ("2024", "2024"),
            ("20240400", "2024-04"),
            ("20240000", "2024"),
            ("5060401", "2024-04-01"),
            ("50604", "2024-04"),
            ("3640201", "1989-02-01"),
            ("20240229", "2024-02-29"),
            ("S50.01.02", "1975-01-02"),
            ("R060401", "2024-04-01"),
            ("R05.04", "2023-04"),
        ] {
            assert_eq!(Moment::read(text).map(|m| m.iso()).as_deref(), Some(iso), "{text}");
        }
        for text in [
            "",
            "0",
            "00000000",
            "99999999",
            "20230229",
            "20241301",
            "9060401",
            "-",
            "令和6年",
            "R",
            "Rx",
            "S6402019",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_and_counted_back() {
        assert_eq!(Moment::read("1970-01-01").unwrap().days(), 0);
        assert_eq!(Moment::read("2000-03-01").unwrap().days(), 11_017);
        for days in (-60_000..80_000).step_by(37) {
            assert_eq!(Moment::of_days(days).days(), days);
        }
        assert_eq!(Moment::of_days(19_814).date(), "2024-04-01");
    }
}
