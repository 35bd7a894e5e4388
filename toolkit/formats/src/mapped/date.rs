//! Dates as files write them, by a pattern.

/// First years of the eras, with the letters and numbers that stand for them.
const ERAS: [(&[&str], i32); 5] = [
    (&["明治", "M", "1"], 1868),
    (&["大正", "T", "2"], 1912),
    (&["昭和", "S", "3"], 1926),
    (&["平成", "H", "4"], 1989),
    (&["令和", "R", "5"], 2019),
];

/// Reads a date by a pattern and writes it in ISO 8601, as far as it is told: `2024`, `2024-04`, `2024-04-01`,
/// `2024-04-01T10:30`, `2024-04-01T10:30:00`.
///
/// `YYYY` four digits, `G` an era (`R`, `令和`, `5`), `YY` its year (with an era only), `MM`, `DD`, `hh`, `mm`, `ss` two digits,
/// `M`, `D`, `h` one or two; `00` as month or day means it is not known. Any other character stands for itself. Full-width
/// letters and digits are made narrow first. Dates that do not exist are refused.
pub fn read_date(cell: &str, pattern: &str) -> Option<String> {
    let narrow: String = cell.chars().map(crate::text::narrow).collect();
    let mut rest = narrow.trim();
    let mut pattern = pattern;
    let (mut year, mut era) = (None, None);
    let mut parts: [Option<u32>; 5] = [None; 5];
    while !pattern.is_empty() {
        let token = ["YYYY", "YY", "G", "MM", "DD", "hh", "mm", "ss", "M", "D", "h"]
            .into_iter()
            .find(|t| pattern.starts_with(t));
        let Some(token) = token else {
            let c = pattern.chars().next()?;
            rest = rest.strip_prefix(crate::text::narrow(c))?;
            pattern = &pattern[c.len_utf8()..];
            continue;
        };
        pattern = &pattern[token.len()..];
        if token == "G" {
            let (mark, first) = ERAS
                .iter()
                .flat_map(|(marks, first)| marks.iter().map(move |m| (*m, *first)))
                .find(|(mark, _)| rest.starts_with(mark))?;
            era = Some(first);
            rest = &rest[mark.len()..];
            continue;
        }
        // 元年 is the first year.
        if token == "YY" && rest.starts_with('元') {
            year = Some(1);
            rest = &rest['元'.len_utf8()..];
            continue;
        }
        let (least, most) = match token {
            "YYYY" => (4, 4),
            "M" | "D" | "h" => (1, 2),
            _ => (2, 2),
        };
        let found = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if found < least {
            return None;
        }
        let number: u32 = rest[..found].parse().ok()?;
        rest = &rest[found..];
        match token {
            "YYYY" | "YY" => year = Some(i32::try_from(number).ok()?),
            "MM" | "M" => parts[0] = Some(number),
            "DD" | "D" => parts[1] = Some(number),
            "hh" | "h" => parts[2] = Some(number),
            "mm" => parts[3] = Some(number),
            _ => parts[4] = Some(number),
        }
    }
    let year = match (era, year?) {
        (Some(first), year) => first + year - 1,
        (None, year) => year,
    };
    if !rest.is_empty() || !(1000..=9999).contains(&year) {
        return None;
    }
    written(year, parts)
}

fn written(year: i32, [month, day, hour, minute, second]: [Option<u32>; 5]) -> Option<String> {
    use std::fmt::Write as _;
    let mut out = format!("{year:04}");
    let (month, day) = (month.filter(|m| *m > 0), day.filter(|d| *d > 0));
    let Some(month) = month else { return Some(out) };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    write!(out, "-{month:02}").ok()?;
    let Some(day) = day else { return Some(out) };
    if day > days {
        return None;
    }
    write!(out, "-{day:02}").ok()?;
    let (Some(hour), Some(minute)) = (hour, minute) else { return Some(out) };
    let second_fits = second.is_none_or(|s| s < 60);
    if hour > 23 || minute > 59 || !second_fits {
        return None;
    }
    write!(out, "T{hour:02}:{minute:02}").ok()?;
    if let Some(second) = second {
        write!(out, ":{second:02}").ok()?;
    }
    Some(out)
}
