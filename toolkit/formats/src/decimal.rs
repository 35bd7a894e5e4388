//! Exact decimals as text: products of doses and days, sums of points.

/// The product of two plain decimals, exactly, without zeros at the end of a fraction; `None` if one is
/// no plain decimal or the product has too many digits.
pub(crate) fn product(a: &str, b: &str) -> Option<String> {
    let ((a, a_scale), (b, b_scale)) = (parts(a)?, parts(b)?);
    let mut value = a.checked_mul(b)?;
    let mut scale = a_scale + b_scale;
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    let mut digits = value.to_string();
    if scale > 0 {
        if digits.len() <= scale {
            digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
        }
        digits.insert(digits.len() - scale, '.');
    }
    Some(digits)
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
        for (a, b, expected) in [
            ("3", "14", "42"),
            ("0.5", "7", "3.5"),
            (".5", "2", "1"),
            ("0.01", "0.1", "0.001"),
            ("2.50", "4", "10"),
            ("0", "5", "0"),
            ("1.10", "1", "1.1"),
        ] {
            assert_eq!(product(a, b).as_deref(), Some(expected));
        }
        for (a, b) in [("", "1"), ("x", "1"), ("1", "-1"), (".", "1"), ("1e3", "1")] {
            assert_eq!(product(a, b), None);
        }
        assert_eq!((whole(b" 12 "), whole(b"-3"), whole(b"1.5")), (Some(12), Some(-3), None));
    }
}
