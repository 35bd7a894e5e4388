//! Days, instants and numbers as Japanese pages write them.

use kiban_kernel::{Date, Timestamp, jst_date};

/// 2026年11月22日(日)
pub(crate) fn day(date: Date) -> String {
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let weekday = match date.weekday() {
        Sunday => "日",
        Monday => "月",
        Tuesday => "火",
        Wednesday => "水",
        Thursday => "木",
        Friday => "金",
        Saturday => "土",
    };
    format!("{}年{}月{}日({weekday})", date.year(), date.month(), date.day())
}

/// 令和8年11月22日, for printed forms.
pub(crate) fn era_day(date: Date) -> String {
    let eras = [
        ("令和", Date::constant(2019, 5, 1)),
        ("平成", Date::constant(1989, 1, 8)),
        ("昭和", Date::constant(1926, 12, 25)),
    ];
    let Some((name, begun)) = eras.iter().find(|(_, begun)| *begun <= date) else {
        return day(date);
    };
    let year = date.year() - begun.year() + 1;
    let year = if year == 1 { "元".to_owned() } else { year.to_string() };
    format!("{name}{year}年{}月{}日", date.month(), date.day())
}

/// 2026年11月22日(日) 9時05分
pub(crate) fn moment(at: Timestamp) -> String {
    let time = jiff::tz::Offset::constant(9).to_datetime(at);
    format!("{} {}時{:02}分", day(time.date()), time.hour(), time.minute())
}

/// Yen with separators: 「1,200,000円」, 「−300,000円」.
pub(crate) fn yen(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}円", number(n.unsigned_abs()))
}

/// 1,234
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number of persons as it may be shown.
pub(crate) fn persons(shown: kiban_journeys::Shown) -> String {
    match shown {
        Some(n) => number(n),
        None => format!("{}未満", kiban_journeys::SMALLEST_SHOWN),
    }
}

/// 「3日目」 counted from the day itself.
pub(crate) fn day_count(since: Timestamp, today: Date) -> String {
    let days = (today - jst_date(since)).get_days() + 1;
    format!("{}日目", days.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_numbers_and_masks_read_as_japanese_pages_write_them() {
        let date = Date::constant(2026, 11, 22);
        assert_eq!(day(date), "2026年11月22日(日)");
        assert_eq!(era_day(date), "令和8年11月22日");
        assert_eq!(era_day(Date::constant(2019, 5, 1)), "令和元年5月1日");
        assert_eq!(era_day(Date::constant(2019, 4, 30)), "平成31年4月30日");
        let at: Timestamp = "2026-11-21T15:05:00Z".parse().unwrap();
        assert_eq!(moment(at), "2026年11月22日(日) 0時05分");
        assert_eq!([number(0), number(999), number(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!(persons(None), "10未満");
        assert_eq!(day_count(at, date), "1日目");
        assert_eq!(day_count(at, Date::constant(2026, 12, 1)), "10日目");
    }
}
