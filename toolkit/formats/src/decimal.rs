//! Exact decimals as text: products of doses and days, sums of points.

use crate::arena::Arena;

/// A quantity so many times, as [`product`]; the quantity as it is where nothing is said of how often.
pub(crate) fn times<'a>(
    quantity: Option<&'a str>,
    count: Option<&str>,
    arena: &'a Arena,
) -> Option<&'a str> {
    match (quantity, count) {
        (Some(quantity), Some(count)) => product(quantity, count, arena),
        _ => quantity,
    }
}

/// The product of two plain decimals, exactly, without zeros at the end of a fraction; `None` if one is
/// no plain decimal or the product has too many digits.
pub(crate) fn product<'a>(a: &'a str, b: &str, arena: &'a Arena) -> Option<&'a str> {
    // Most things are used once, in whole numbers.
    if b == "1"
        && matches!(a.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.len() < 18 && rest.iter().all(u8::is_ascii_digit))
    {
        return Some(a);
    }
    let ((a, a_scale), (b, b_scale)) = (parts(a)?, parts(b)?);
    let mut value = a.checked_mul(b)?;
    let mut scale = a_scale + b_scale;
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    // From the end: at most 36 digits of a fraction, the point, 39 digits.
    let mut digits = [b'0'; 80];
    let mut from = digits.len();
    let mut written = 0;
    while value > 0 || written <= scale {
        if written == scale && scale > 0 {
            from -= 1;
            digits[from] = b'.';
        }
        from -= 1;
        let (rest, digit) = match u64::try_from(value) {
            Ok(small) => (u128::from(small / 10), (small % 10) as u8),
            Err(_) => (value / 10, (value % 10) as u8),
        };
        digits[from] = b'0' + digit;
        value = rest;
        written += 1;
    }
    std::str::from_utf8(&digits[from..]).ok().map(|digits| arena.text(digits))
}

/// Digits and scale of an unsigned plain decimal.
fn parts(text: &str) -> Option<(u128, usize)> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if whole.len() + fraction.len() > 18 {
        return None;
    }
    let value = whole.bytes().chain(fraction.bytes()).fold(0, |n, b| n * 10 + u128::from(b - b'0'));
    Some((value, fraction.len()))
}

/// A whole number; blanks around it are accepted.
pub(crate) fn whole(bytes: &[u8]) -> Option<i64> {
    let bytes = bytes.trim_ascii();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0'));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact() {
        let arena = Arena::new();
        for (a, b, expected) in [
            ("3", "14", "42"),
            ("0.5", "7", "3.5"),
            (".5", "2", "1"),
            ("0.01", "0.1", "0.001"),
            ("2.50", "4", "10"),
            ("0", "5", "0"),
            ("1.10", "1", "1.1"),
            ("12", "1", "12"),
            ("012", "1", "12"),
            ("0", "0", "0"),
            ("0.05", "0.05", "0.0025"),
            ("10", "10", "100"),
            ("999999999999999999", "999999999999999999", "999999999999999998000000000000000001"),
            (".999999999999999999", ".1", "0.0999999999999999999"),
            (
                ".000000000000000001",
                ".000000000000000001",
                "0.000000000000000000000000000000000001",
            ),
        ] {
            assert_eq!(product(a, b, &arena), Some(expected));
        }
        for (a, b) in [
            ("", "1"),
            ("x", "1"),
            ("1", "-1"),
            (".", "1"),
            ("1e3", "1"),
            ("1234567890123456789", "1"),
        ] {
            assert_eq!(product(a, b, &arena), None);
        }
        assert_eq!((whole(b" 12 "), whole(b"-3"), whole(b"1.5")), (Some(12), Some(-3), None));
    }
}
