//! Civil days as numbers: a million people have some million dates, and only these are kept.

use std::fmt;

use jiff::civil::Date;

/// Days since 1970-01-01 (proleptic Gregorian).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i32);

impl Day {
    pub(crate) fn from_civil(year: i32, month: i32, day: i32) -> Self {
        // Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let yoe = y - era * 400;
        let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468)
    }

    pub(crate) fn civil(self) -> (i32, i32, i32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i32::from(month <= 2);
        (year, month, doy - (153 * mp + 2) / 5 + 1)
    }

    pub(crate) fn of(date: Date) -> Self {
        Self::from_civil(date.year().into(), date.month().into(), date.day().into())
    }

    /// From `YYYYMMDD` or `YYYY-MM-DD`, with anything after it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != '-').take(8).collect();
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let year: i16 = digits[..4].parse().ok()?;
        let month: i8 = digits[4..6].parse().ok()?;
        let day: i8 = digits[6..].parse().ok()?;
        Date::new(year, month, day).ok().map(Self::of)
    }

    pub(crate) fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    pub(crate) fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Full years of age on `on`.
    pub(crate) fn age_on(self, on: Self) -> i32 {
        let (by, bm, bd) = self.civil();
        let (y, m, d) = on.civil();
        y - by - i32::from((m, d) < (bm, bd))
    }

    /// The birthday in the year `years` later (29 February becomes 1 March).
    pub(crate) fn birthday(self, years: i32) -> Self {
        let (y, m, d) = self.civil();
        Self::from_civil(y + years, m, d)
    }

    pub(crate) fn compact(self) -> String {
        let (y, m, d) = self.civil();
        format!("{y:04}{m:02}{d:02}")
    }

    pub(crate) fn slashed(self) -> String {
        let (y, m, d) = self.civil();
        format!("{y:04}/{m:02}/{d:02}")
    }

    /// The era's letter, kanji and year. Source: the eras' ordinances.
    pub(crate) fn era(self) -> (char, &'static str, i32) {
        let starts = [
            (Self::from_civil(2019, 5, 1), 'R', "令和", 2018),
            (Self::from_civil(1989, 1, 8), 'H', "平成", 1988),
            (Self::from_civil(1926, 12, 25), 'S', "昭和", 1925),
            (Self::from_civil(1912, 7, 30), 'T', "大正", 1911),
        ];
        let (year, ..) = self.civil();
        for (from, letter, kanji, before) in starts {
            if self >= from {
                return (letter, kanji, year - before);
            }
        }
        ('M', "明治", year - 1867)
    }

    /// `S36.11.23`
    pub(crate) fn era_letter(self) -> String {
        let (letter, _, year) = self.era();
        let (_, m, d) = self.civil();
        format!("{letter}{year:02}.{m:02}.{d:02}")
    }

    /// `昭和36年11月23日`
    pub(crate) fn era_kanji(self) -> String {
        let (_, kanji, year) = self.era();
        let (_, m, d) = self.civil();
        if year == 1 {
            format!("{kanji}元年{m}月{d}日")
        } else {
            format!("{kanji}{year}年{m}月{d}日")
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.civil();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_the_calendar_library() {
        let mut day = Day::from_civil(1880, 1, 1);
        while day < Day::from_civil(2105, 1, 1) {
            let (y, m, d) = day.civil();
            let date = Date::new(y as i16, m as i8, d as i8).expect("a day");
            assert_eq!(Day::of(date), day);
            assert_eq!(date.to_string(), day.to_string());
            assert_eq!(Day::parse(&day.compact()), Some(day));
            day = day.plus(1);
        }
    }

    #[test]
    fn eras_begin_on_their_day() {
        assert_eq!(Day::from_civil(1989, 1, 7).era_letter(), "S64.01.07");
        assert_eq!(Day::from_civil(1989, 1, 8).era_kanji(), "平成元年1月8日");
        assert_eq!(Day::from_civil(2019, 5, 1).era_letter(), "R01.05.01");
        assert_eq!(Day::from_civil(1926, 12, 24).era_letter(), "T15.12.24");
        assert_eq!(Day::from_civil(1912, 7, 29).era_kanji(), "明治45年7月29日");
    }

    #[test]
    fn age_counts_full_years() {
        let born = Day::from_civil(2000, 2, 29);
        assert_eq!(born.age_on(Day::from_civil(2001, 2, 28)), 0);
        assert_eq!(born.age_on(Day::from_civil(2001, 3, 1)), 1);
        assert_eq!(born.birthday(1), Day::from_civil(2001, 3, 1));
        assert_eq!(Day::parse("20240230"), None);
    }
}
