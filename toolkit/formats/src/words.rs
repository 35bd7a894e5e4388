//! Short texts that every row needs (small numbers, days), from tables instead of the allocator.

use std::sync::LazyLock;

use crate::arena::Arena;

/// `000` to `999`, three bytes each.
static NUMBERS: LazyLock<String> = LazyLock::new(|| {
    let mut table = String::with_capacity(3_000);
    for n in 0..1_000 {
        push_digits(&mut table, n, 3);
    }
    table
});

/// Appends a number with zeros in front.
fn push_digits(into: &mut String, n: usize, digits: u32) {
    for place in (0..digits).rev() {
        into.push(char::from(b'0' + (n / 10usize.pow(place) % 10) as u8));
    }
}

/// A number as text.
pub(crate) fn number(n: u64, arena: &Arena) -> &str {
    match n {
        0..1_000 => {
            let width = if n >= 100 {
                3
            } else if n >= 10 {
                2
            } else {
                1
            };
            let end = n as usize * 3 + 3;
            &NUMBERS[end - width..end]
        }
        _ => arena.text(&n.to_string()),
    }
}

/// First and last year of the table of days.
const YEARS: std::ops::Range<usize> = 1990..2060;

/// `YYYYMMDD` of 31 days for every month, eight bytes each.
static DAYS: LazyLock<String> = LazyLock::new(|| {
    let mut table = String::with_capacity(YEARS.len() * 12 * 31 * 8);
    for month in YEARS.flat_map(|year| (1..=12).map(move |month| year * 100 + month)) {
        for day in 1..=31 {
            push_digits(&mut table, month * 100 + day, 8);
        }
    }
    table
});

/// A day of the month set behind the month as that is written (`YYYYMM`, `GYYMM`); the month alone for
/// day 0.
pub(crate) fn day_of<'a>(month: &str, day: u32, arena: &'a Arena) -> &'a str {
    if month.len() == 6
        && (1..=31).contains(&day)
        && let Some(place) = place_of(month.as_bytes())
    {
        let from = (place * 31 + day as usize - 1) * 8;
        return &DAYS[from..from + 8];
    }
    let mut text = String::with_capacity(month.len() + 2);
    text.push_str(month);
    if day > 0 {
        text.push(char::from(b'0' + (day / 10 % 10) as u8));
        text.push(char::from(b'0' + (day % 10) as u8));
    }
    arena.text(&text)
}

/// Number of a month in the table.
fn place_of(month: &[u8]) -> Option<usize> {
    let number = month
        .iter()
        .try_fold(0usize, |n, b| b.is_ascii_digit().then(|| n * 10 + usize::from(b - b'0')))?;
    let (year, month) = (number / 100, number % 100);
    (YEARS.contains(&year) && (1..=12).contains(&month))
        .then(|| (year - YEARS.start) * 12 + month - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_say_what_formatting_says() {
        let arena = Arena::new();
        for n in [0, 7, 10, 99, 100, 999, 1_000, 123_456] {
            assert_eq!(number(n, &arena), n.to_string());
        }
        for month in ["199001", "202404", "205912", "206001", "198912", "202413", "50604", "4300a"]
        {
            for day in [1, 9, 10, 31] {
                assert_eq!(day_of(month, day, &arena), format!("{month}{day:02}"));
            }
            assert_eq!(day_of(month, 0, &arena), month);
        }
    }
}
