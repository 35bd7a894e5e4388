//! Birth dates: the ways in which one is written wrongly have a level each.

use crate::{
    compare::{Kind, edit::within_one},
    typed::PartialDate,
};

/// Ids of the levels.
pub(crate) const IDS: [&str; 13] = [
    "missing",
    "same",
    "month_day_turned",
    "one_digit",
    "era_year",
    "first_of_january",
    "one_or_ten_years",
    "year_and_month_or_day",
    "month_and_day",
    "year",
    "other",
    "partly_known_same",
    "partly_known_other",
];

pub(crate) fn level(level: usize) -> Option<(u8, Kind)> {
    Some(match level {
        0 => (0, Kind::Missing),
        1 => (1, Kind::Same),
        // month and day turned
        2 => (1, Kind::Near),
        // one digit wrong or two turned
        3 => (1, Kind::Near),
        // the same day of another era's year
        4 => (1, Kind::Near),
        // one of both is the first of January of the same year: a day that was not known
        5 => (1, Kind::Near),
        // same month and day, a year or ten years off
        6 => (1, Kind::Near),
        // same year and month or same year and day
        7 => (1, Kind::Part),
        // same month and day, another year
        8 => (1, Kind::Part),
        // same year
        9 => (1, Kind::Part),
        10 => (1, Kind::Other),
        // one is known in part: what is known agrees, or not
        11 => (2, Kind::Same),
        12 => (2, Kind::Other),
        _ => return None,
    })
}

/// Years between the first years of two eras: what a wrong era makes of a date.
const ERA_SHIFTS: [u32; 10] = [63, 30, 14, 44, 93, 77, 107, 58, 121, 151];

pub(crate) fn compare(a: PartialDate, b: PartialDate) -> usize {
    if !a.is_known() || !b.is_known() {
        return 0;
    }
    if !a.is_full() || !b.is_full() {
        let month = a.month() == 0 || b.month() == 0 || a.month() == b.month();
        return if a.year() == b.year() && month { 11 } else { 12 };
    }
    if a == b {
        return 1;
    }
    let years = a.year().abs_diff(b.year());
    if a.month_day() == b.month_day() {
        return match years {
            _ if ERA_SHIFTS.contains(&years) => 4,
            1 | 10 => 6,
            _ if within_one(&digits(a), &digits(b)) => 3,
            _ => 8,
        };
    }
    if years == 0 {
        if a.month() == b.day() && a.day() == b.month() {
            return 2;
        }
        let first = PartialDate::new(a.year(), 1, 1);
        if a == first || b == first {
            return 5;
        }
        return match () {
            () if within_one(&digits(a), &digits(b)) => 3,
            () if a.month() == b.month() || a.day() == b.day() => 7,
            () => 9,
        };
    }
    10
}

fn digits(d: PartialDate) -> [char; 8] {
    let number = d.year() * 10000 + d.month() * 100 + d.day();
    let mut out = ['0'; 8];
    let mut rest = number;
    for c in out.iter_mut().rev() {
        *c = char::from_digit(rest % 10, 10).unwrap_or('0');
        rest /= 10;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_level() {
        let d = PartialDate::new;
        let of = |a, b| {
            assert_eq!(compare(a, b), compare(b, a));
            compare(a, b)
        };
        assert_eq!(of(d(1980, 1, 2), d(1980, 1, 2)), 1);
        assert_eq!(of(d(1980, 3, 2), d(1980, 2, 3)), 2);
        assert_eq!(of(d(1980, 3, 12), d(1980, 3, 21)), 3);
        assert_eq!(of(d(1988, 3, 12), d(1925, 3, 12)), 4);
        assert_eq!(of(d(1980, 1, 1), d(1980, 7, 23)), 5);
        assert_eq!(of(d(1980, 7, 23), d(1981, 7, 23)), 6);
        assert_eq!(of(d(1980, 7, 23), d(1980, 7, 11)), 7);
        assert_eq!(of(d(1980, 7, 23), d(1993, 7, 23)), 8);
        assert_eq!(of(d(1980, 7, 23), d(1980, 9, 11)), 9);
        assert_eq!(of(d(1980, 7, 23), d(1993, 9, 11)), 10);
        assert_eq!(of(d(1980, 7, 0), d(1980, 7, 11)), 11);
        assert_eq!(of(d(1981, 0, 0), d(1980, 7, 11)), 12);
        assert_eq!(of(PartialDate::default(), d(1980, 7, 11)), 0);
    }
}
