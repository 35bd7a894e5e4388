//! Labels that are intervals, as Kiban prints them.

/// An interval of numbers or days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The upper end is not part of it.
    pub(crate) open: bool,
}

impl Range {
    pub(crate) fn point(x: f64) -> Self {
        Self { low: x, high: x, open: false }
    }

    fn new(low: f64, high: f64, open: bool) -> Self {
        Self { low, high, open }
    }

    pub(crate) fn is_point(self) -> bool {
        self.low >= self.high && !self.open
    }

    /// Do two intervals share a point? Edges give way by a hair, as the bands do.
    pub(crate) fn meets(self, other: Self) -> bool {
        let before = |a: Self, b: Self| {
            let hair = 1e-9 * a.high.abs().clamp(1.0, 1e12);
            if a.open && !b.is_point() {
                a.high <= b.low
            } else if a.open {
                a.high <= b.low + hair * 1e-3
            } else {
                a.high < b.low - hair
            }
        };
        !before(self, other) && !before(other, self)
    }

    /// How far apart two intervals are; 0 if they meet.
    pub(crate) fn distance(self, other: Self) -> f64 {
        (other.low - self.high).max(self.low - other.high).max(0.0)
    }
}

fn number_of(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|x: &f64| x.is_finite())
}

/// `53.4`, `50~55` (half-open), `201以上`, `50以下`, `30未満`.
pub(crate) fn number(text: &str) -> Option<Range> {
    let all = f64::INFINITY;
    if let Some(x) = number_of(text) {
        return Some(Range::point(x));
    }
    if let Some(low) = text.strip_suffix("以上") {
        return number_of(low).map(|low| Range::new(low, all, false));
    }
    if let Some(high) = text.strip_suffix("以下") {
        return number_of(high).map(|high| Range::new(-all, high, false));
    }
    if let Some(high) = text.strip_suffix("未満") {
        return number_of(high).map(|high| Range::new(-all, high, true));
    }
    let (low, high) = text.split_once('~')?;
    Some(Range::new(number_of(low)?, number_of(high)?, true))
}

/// Days since 1970-01-01 (Hinnant 2013, `days_from_civil`).
pub(crate) fn day_number(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Year, month, day as far as they are written: `2003-07-14`, `2003/7/14`, `20030714`, `2003/7`, `200307`, `2003`;
/// a time of day after a blank or `T` is not read.
fn written(text: &str) -> Option<(i32, Option<u32>, Option<u32>)> {
    let date = text.split([' ', 'T']).next()?;
    let mut parts = date.split(['-', '/']);
    let first = parts.next()?;
    let (year, month, day) = match (first.len(), parts.next(), parts.next(), parts.next()) {
        (8, None, None, None) if first.is_ascii() => {
            (digits(&first[..4])?, Some(digits(&first[4..6])?), Some(digits(&first[6..])?))
        }
        (6, None, None, None) if first.is_ascii() => {
            (digits(&first[..4])?, Some(digits(&first[4..])?), None)
        }
        (4, month, day, None) => {
            let read = |part: Option<&str>| part.map(|p| digits(p).ok_or(())).transpose();
            (digits(first)?, read(month).ok()?, read(day).ok()?)
        }
        _ => return None,
    };
    let fits =
        month.is_none_or(|m| (1..=12).contains(&m)) && day.is_none_or(|d| (1..=31).contains(&d));
    fits.then_some((year as i32, month, day))
}

/// The day of a date that is written to the day.
pub(crate) fn day(text: &str) -> Option<i32> {
    match written(text)? {
        (year, Some(month), Some(day)) => Some(day_number(year, month, day)),
        _ => None,
    }
}

/// `2003-07-14`, `2003/7`, `2003`, `2000~2005` (years, half-open), `1930以前`, as days.
pub(crate) fn date(text: &str) -> Option<Range> {
    let start = |year: i32| f64::from(day_number(year, 1, 1));
    if let Some(last) = text.strip_suffix("以前") {
        let year = digits(last)? as i32;
        return Some(Range::new(f64::NEG_INFINITY, start(year + 1), true));
    }
    if let Some((low, high)) = text.split_once('~') {
        return Some(Range::new(start(digits(low)? as i32), start(digits(high)? as i32), true));
    }
    Some(match written(text)? {
        (year, None, _) => Range::new(start(year), start(year + 1), true),
        (year, Some(month), None) => {
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let low = f64::from(day_number(year, month, 1));
            Range::new(low, f64::from(day_number(next_year, next, 1)), true)
        }
        (year, Some(month), Some(day)) => Range::point(f64::from(day_number(year, month, day))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-03-01"), Some(11_017));
        assert_eq!(day("20000229"), Some(11_016));
        assert_eq!(day("1969/12/31 10:00"), Some(-1));
        assert_eq!(day("1600-02-29"), Some(-135_081));
        assert_eq!(day("2003-07"), None);
        assert_eq!(day("2003-13-01"), None);
        assert_eq!(day("その他"), None);
    }

    #[test]
    fn printed_intervals_hold_the_values_they_were_made_from() {
        let holds = |label: &str, value: &str| number(label).unwrap().meets(number(value).unwrap());
        assert!(holds("50~55", "50") && holds("50~55", "54.9") && !holds("50~55", "55"));
        assert!(holds("201以上", "201") && !holds("201以上", "200.5"));
        assert!(holds("50以下", "50") && !holds("50以下", "50.5"));
        assert!(holds("30未満", "29.9") && !holds("30未満", "30"));
        assert!(holds("5", "5.0") && holds("0.3~0.4", "0.30000000000000004"));
        assert_eq!(number("その他"), None);
        let holds = |label: &str, value: &str| date(label).unwrap().meets(date(value).unwrap());
        assert!(holds("2003/7", "2003-07-31") && !holds("2003/7", "2003-08-01"));
        assert!(holds("2003", "2003-07") && !holds("2003", "2004-01"));
        assert!(holds("2000~2005", "2004-12-31") && !holds("2000~2005", "2005-01-01"));
        assert!(holds("1930以前", "1930-12-31") && !holds("1930以前", "1931-01-01"));
        assert!(holds("1999/12", "19991231") && holds("2003-07-14", "2003/7/14"));
    }
}
