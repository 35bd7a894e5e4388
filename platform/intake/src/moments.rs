//! Source text to instants and numbers: the usual shapes fast, every other through the kernel.

use jiff::civil::Date;
use kiban_kernel::parse_moment;

/// Microseconds since 1970-01-01 of Japan's wall clock, and the defect, if any. A full day without a
/// time is its midnight (the text column keeps what was written); a partly known day has no instant.
pub(crate) fn instant(text: &str) -> (Option<i64>, Option<&'static str>) {
    if let Some(micros) = fast(text.as_bytes()) {
        return (Some(micros), None);
    }
    match parse_moment(text) {
        Ok(moment) => match moment.date.full() {
            Some(day) => (micros(day, moment.time.unwrap_or_default()), None),
            None => (None, Some("date.partial")),
        },
        Err(_) => (None, Some("date.unreadable")),
    }
}

/// `YYYYMMDD[HHMM[SS]]`, `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SS+09:00`; anything else is `None`.
fn fast(s: &[u8]) -> Option<i64> {
    let n = |from: usize, len: usize| -> Option<i32> {
        s.get(from..from + len)?
            .iter()
            .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i32::from(b - b'0')))
    };
    let (year, month, day, time) = match s.len() {
        8 => (n(0, 4)?, n(4, 2)?, n(6, 2)?, (0, 0, 0)),
        12 => (n(0, 4)?, n(4, 2)?, n(6, 2)?, (n(8, 2)?, n(10, 2)?, 0)),
        14 => (n(0, 4)?, n(4, 2)?, n(6, 2)?, (n(8, 2)?, n(10, 2)?, n(12, 2)?)),
        10 if s[4] == b'-' && s[7] == b'-' => (n(0, 4)?, n(5, 2)?, n(8, 2)?, (0, 0, 0)),
        25 if s[4] == b'-'
            && s[7] == b'-'
            && s[10] == b'T'
            && s[13] == b':'
            && s[16] == b':'
            && s[19..] == *b"+09:00" =>
        {
            (n(0, 4)?, n(5, 2)?, n(8, 2)?, (n(11, 2)?, n(14, 2)?, n(17, 2)?))
        }
        _ => return None,
    };
    if year < 1000 || time.0 > 23 || time.1 > 59 || time.2 > 59 {
        return None;
    }
    let day = Date::new(year as i16, month as i8, day as i8).ok()?;
    micros(day, (time.0 as i8, time.1 as i8, time.2 as i8))
}

fn micros(day: Date, time: (i8, i8, i8)) -> Option<i64> {
    let days = i64::from(days_since_epoch(day));
    let seconds =
        days * 86_400 + i64::from(time.0) * 3_600 + i64::from(time.1) * 60 + i64::from(time.2);
    seconds.checked_mul(1_000_000)
}

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`).
pub(crate) fn days_since_epoch(day: Date) -> i32 {
    let (y, m, d) = (i32::from(day.year()), i32::from(day.month()), i32::from(day.day()));
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A finite number, with full-width digits read as half-width.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let value: f64 = if text.is_ascii() {
        text.parse().ok()?
    } else {
        let half: String = text
            .chars()
            .map(|c| match c {
                '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
                '\u{2212}' => '-',
                c => c,
            })
            .collect();
        half.trim().parse().ok()?
    };
    // "inf" and "nan" parse, but are words here.
    (value.is_finite() && text.chars().any(char::is_numeric)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_keep_what_is_known_and_say_what_is_not() {
        assert_eq!(instant("19700102"), (Some(86_400_000_000), None));
        assert_eq!(instant("1970-01-01T09:30:00+09:00"), (Some(34_200_000_000), None));
        assert_eq!(instant("1970-01-01T00:30:00Z"), (Some(34_200_000_000), None));
        assert_eq!(instant("S45.1.1"), (Some(0), None));
        assert_eq!(instant("197001"), (None, Some("date.partial")));
        assert_eq!(instant("99999999"), (None, Some("date.unreadable")));
        assert_eq!(number("１５．３"), Some(15.3));
        assert_eq!((number("NaN"), number("1+"), number("-2")), (None, None, Some(-2.0)));
    }

    proptest! {
        #[test]
        fn the_fast_way_says_what_the_kernel_says(y in 1i16..9999, m in 0i8..14, d in 0i8..33, h in 0i8..25, mi in 0i8..61, s in 0i8..60) {
            for text in [
                format!("{y:04}{m:02}{d:02}"),
                format!("{y:04}{m:02}{d:02}{h:02}{mi:02}"),
                format!("{y:04}{m:02}{d:02}{h:02}{mi:02}{s:02}"),
                format!("{y:04}-{m:02}-{d:02}"),
                format!("{y:04}-{m:02}-{d:02}T{h:02}:{mi:02}:{s:02}+09:00"),
            ] {
                if let Some(quick) = fast(text.as_bytes()) {
                    let slow = parse_moment(&text).unwrap();
                    let t = slow.time.unwrap_or_default();
                    let at = slow.date.full().unwrap().at(t.0, t.1, t.2, 0);
                    let stamp = jiff::tz::Offset::UTC.to_timestamp(at).unwrap();
                    prop_assert_eq!(quick, stamp.as_microsecond());
                }
            }
        }
    }
}
