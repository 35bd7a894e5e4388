//! Small readings of text that all formats share: numbers inside results, My Number, safe names.
//!
//! Enters: a value as sent. Leaves: its number and comparator, or a yes or no. Refuses: to guess; a
//! text that is not plainly a number has none.

use std::borrow::Cow;

/// A number found in a result, with its comparator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity<'a> {
    /// `<`, `<=`, `>`, `>=`.
    pub comparator: Option<&'static str>,
    /// Decimal text.
    pub number: Cow<'a, str>,
}

/// Reads `5.2`, `<0.5`, `≧10`, `5以下`, `１５．３`; not `2.3(±)`, `1+`, `検体不良`.
pub fn quantity(text: &str) -> Option<Quantity<'_>> {
    const BEFORE: [(&str, &str); 10] = [
        ("<=", "<="),
        (">=", ">="),
        ("≦", "<="),
        ("≤", "<="),
        ("≧", ">="),
        ("≥", ">="),
        ("<", "<"),
        ("＜", "<"),
        (">", ">"),
        ("＞", ">"),
    ];
    const AFTER: [(&str, &str); 5] =
        [("以下", "<="), ("以上", ">="), ("未満", "<"), ("より大", ">"), ("超", ">")];
    let text = text.trim();
    // Nearly all results are plain numbers.
    if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+')) {
        return Some(Quantity { comparator: None, number: decimal(text)? });
    }
    let (comparator, rest) = BEFORE
        .iter()
        .find_map(|(mark, c)| text.strip_prefix(mark).map(|rest| (Some(*c), rest)))
        .or_else(|| AFTER.iter().find_map(|(m, c)| text.strip_suffix(m).map(|r| (Some(*c), r))))
        .unwrap_or((None, text));
    Some(Quantity { comparator, number: decimal(rest.trim())? })
}

/// The text itself if it is a plain decimal number, with full-width digits made narrow.
fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let narrow: Cow<'_, str> = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(narrow).collect())
    };
    let digits = narrow.strip_prefix(['-', '+']).unwrap_or(&narrow);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !(all(whole) && all(fraction) && narrow.len() <= 40) {
        return None;
    }
    Some(match narrow {
        Cow::Borrowed(n) => Cow::Borrowed(n.strip_prefix('+').unwrap_or(n)),
        Cow::Owned(n) => Cow::Owned(n.strip_prefix('+').unwrap_or(&n).to_owned()),
    })
}

/// Full-width ASCII made narrow.
pub(crate) fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{2212}' => '-',
        _ => c,
    }
}

/// Does an identifier hold a My Number (個人番号): twelve digits of any width, in one run or in groups
/// of four, with a valid check digit? One of eleven other twelve-digit numbers passes the check too;
/// such a number is quarantined as well, because a My Number must never be stored.
pub fn holds_my_number(text: &str) -> bool {
    if text.len() < 12 {
        return false;
    }
    let mut run: [u8; 12] = [0; 12];
    let mut length = 0usize;
    let mut gap = false;
    for c in text.chars().map(narrow).chain(std::iter::once('\0')) {
        match c.to_digit(10) {
            Some(digit) => {
                if gap && !length.is_multiple_of(4) {
                    length = 0;
                }
                gap = false;
                if length < 12 {
                    run[length] = digit as u8;
                }
                length += 1;
            }
            None if matches!(c, '-' | ' ' | '\u{3000}' | '‐' | '－') && length > 0 && !gap => {
                if length == 12 && check_digit(run) {
                    return true;
                }
                gap = true;
            }
            None => {
                if length == 12 && check_digit(run) {
                    return true;
                }
                length = 0;
                gap = false;
            }
        }
    }
    false
}

/// P = Σ digit(n)·Q(n), n counted from the right without the check digit.
fn check_digit(digits: [u8; 12]) -> bool {
    let sum: u32 = (1..=11u32)
        .map(|n| {
            let weight = if n <= 6 { n + 1 } else { n - 5 };
            u32::from(digits[11 - n as usize]) * weight
        })
        .sum();
    let expected = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    u32::from(digits[11]) == expected
}

/// Parts of an insurance card as one key, `insurer:symbol:number:branch`: full-width made narrow, blanks taken
/// out, a missing part empty.
pub(crate) fn member_key(parts: [Option<&str>; 4]) -> String {
    let mut key = String::with_capacity(32);
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            key.push(':');
        }
        let narrowed = part.unwrap_or_default().chars().map(narrow);
        key.extend(narrowed.filter(|c| !c.is_whitespace() && *c != ':'));
    }
    key
}

/// Full-width made narrow, blanks taken out: for keys.
pub(crate) fn narrowed(text: &str) -> String {
    text.chars().map(narrow).filter(|c| !c.is_whitespace()).collect()
}

/// Does the text consist of kana (with blanks and marks)?
pub(crate) fn is_kana(text: &str) -> bool {
    let kana = |c: char| matches!(c, '\u{3041}'..='\u{30FF}' | '\u{FF61}'..='\u{FF9F}');
    text.chars().any(kana)
        && text.chars().all(|c| kana(c) || c.is_whitespace() || matches!(c, '・' | '.' | '-'))
}

/// May the name of an element be repeated in a report? Only plain names are, never text of the source.
pub(crate) fn plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

/// Counts private-use characters (外字) and their substitutes in a name or an address.
pub(crate) fn gaiji(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|c| matches!(c, '\u{E000}'..='\u{F8FF}' | '■' | '〓' | '\u{FFFD}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_only_where_they_are_plain() {
        let read = |t: &str| quantity(t).map(|q| (q.comparator, q.number.into_owned()));
        assert_eq!(read("5.2"), Some((None, "5.2".into())));
        assert_eq!(read("+3"), Some((None, "3".into())));
        assert_eq!(read(" <0.5"), Some((Some("<"), "0.5".into())));
        assert_eq!(read("≧10"), Some((Some(">="), "10".into())));
        assert_eq!(read("5以下"), Some((Some("<="), "5".into())));
        assert_eq!(read("１５．３"), Some((None, "15.3".into())));
        for text in ["", "2.3(±)", "1+", "(-)", "検体不良", ".", "1.", "1e5", "1,234", "<", "NaN"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    fn with_check(eleven: &str) -> String {
        let digit = (0..10).find(|d| {
            let mut all = [0; 12];
            for (slot, c) in all.iter_mut().zip(format!("{eleven}{d}").bytes()) {
                *slot = c - b'0';
            }
            check_digit(all)
        });
        format!("{eleven}{}", digit.unwrap())
    }

    #[test]
    fn my_number_is_found_in_every_dress() {
        // 12345678901 -> 8 is the published example of the check digit.
        assert_eq!(with_check("12345678901"), "123456789018");
        for text in
            ["123456789018", "１２３４５６７８９０１８", "1234-5678-9018", "番号:1234 5678 9018。"]
        {
            assert!(holds_my_number(text), "{text}");
        }
        for text in
            ["123456789012", "1234567890180", "099-221-9707", "12-3456789018", "", "あ1234567"]
        {
            assert!(!holds_my_number(text), "{text}");
        }
    }
}
