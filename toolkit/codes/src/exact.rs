//! Exact numbers: a rational, and the decimal text of a value with its last place.
//!
//! Enters: decimal text as a source wrote it. Leaves: the same number exactly, and where its last written place stands.
//! Refuses: what is no decimal number, and what does not fit 127 bits; nothing is ever rounded silently.

use std::cmp::Ordering;

/// A reduced fraction with a positive denominator. Every operation is exact or gives `None` (127 bits exceeded).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rational {
    num: i128,
    den: i128,
}

const fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Rational {
    /// Zero.
    pub const ZERO: Self = Self { num: 0, den: 1 };
    /// One.
    pub const ONE: Self = Self { num: 1, den: 1 };

    /// `num / den`, reduced. `None` for a zero denominator or one that does not fit.
    pub fn new(num: i128, den: i128) -> Option<Self> {
        if den == 0 {
            return None;
        }
        let g = i128::try_from(gcd(num.unsigned_abs(), den.unsigned_abs())).ok()?;
        let (num, den) = (num / g, den / g);
        if den < 0 {
            Some(Self { num: num.checked_neg()?, den: den.checked_neg()? })
        } else {
            Some(Self { num, den })
        }
    }

    /// Ten to the power `exponent`.
    pub fn power_of_ten(exponent: i32) -> Option<Self> {
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        Some(if exponent < 0 { Self { num: 1, den: power } } else { Self { num: power, den: 1 } })
    }

    /// The numerator of the reduced fraction.
    pub const fn numerator(self) -> i128 {
        self.num
    }

    /// The denominator of the reduced fraction, positive.
    pub const fn denominator(self) -> i128 {
        self.den
    }

    /// Product.
    pub fn times(self, other: Self) -> Option<Self> {
        // Reduced crosswise first, so that no product that fits is lost on the way.
        let a = Self::new(self.num, other.den)?;
        let b = Self::new(other.num, self.den)?;
        Self::new(a.num.checked_mul(b.num)?, a.den.checked_mul(b.den)?)
    }

    /// Quotient; `None` for a division by zero.
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.den, other.num)?)
    }

    /// Sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        let g = i128::try_from(gcd(self.den.unsigned_abs(), other.den.unsigned_abs())).ok()?;
        let (a, b) = (self.den / g, other.den / g);
        let num = self.num.checked_mul(b)?.checked_add(other.num.checked_mul(a)?)?;
        Self::new(num, self.den.checked_mul(b)?)
    }

    /// Difference.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { num: other.num.checked_neg()?, den: other.den })
    }

    /// Integer power.
    pub fn power(self, exponent: i32) -> Option<Self> {
        let base = if exponent < 0 { Self::ONE.over(self)? } else { self };
        (0..exponent.unsigned_abs()).try_fold(Self::ONE, |product, _| product.times(base))
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// Ordering; exact unless the cross products do not fit, then by the nearest doubles.
    pub fn compare(self, other: Self) -> Ordering {
        match (self.num.checked_mul(other.den), other.num.checked_mul(self.den)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    /// Whether this is ten to some power (positive).
    pub fn is_power_of_ten(self) -> bool {
        let ten = |mut n: i128| {
            while n > 1 && n % 10 == 0 {
                n /= 10;
            }
            n == 1
        };
        ten(self.num) && self.den == 1 || self.num == 1 && ten(self.den)
    }

    /// The largest `e` with `10^e <= |self|`; `None` for zero or out of range.
    pub fn magnitude(self) -> Option<i32> {
        if self.num == 0 {
            return None;
        }
        let size = Self { num: self.num.checked_abs()?, den: self.den };
        let digits = |n: i128| n.unsigned_abs().ilog10() as i32;
        let guess = digits(size.num) - digits(size.den);
        let guess = guess.clamp(-37, 37);
        // One of three neighbours, by exact comparison.
        (guess - 1..=guess + 1)
            .rev()
            .find(|e| Self::power_of_ten(*e).is_some_and(|p| p.compare(size) != Ordering::Greater))
    }

    /// The nearest multiple of `10^place`, halves to even.
    pub fn rounded(self, place: i32) -> Option<Decimal> {
        let scaled = self.over(Self::power_of_ten(place)?)?;
        let (floor, rest) = (scaled.num.div_euclid(scaled.den), scaled.num.rem_euclid(scaled.den));
        let up = match rest.cmp(&(scaled.den - rest)) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => floor % 2 != 0,
        };
        Some(Decimal { mantissa: floor.checked_add(i128::from(up))?, place })
    }
}

/// A decimal number as written: `mantissa × 10^place`, where `place` is the last place written (`"5.20"` is 520 at -2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    place: i32,
}

impl Decimal {
    /// Read decimal text: optional sign, digits, at most one point, optional exponent (`e-3`). Full-width digits, point and
    /// signs are read as their ASCII forms, surrounding blanks are ignored. Thousands commas, ranges and words are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let mut mantissa: i128 = 0;
        let (mut place, mut digits, mut negative, mut point) = (0_i32, 0_usize, false, false);
        let mut chars = text.trim().chars().map(ascii).peekable();
        if let Some(sign) = chars.next_if(|c| matches!(c, '+' | '-')) {
            negative = sign == '-';
        }
        while let Some(c) = chars.next() {
            match c {
                '0'..='9' => {
                    mantissa = mantissa
                        .checked_mul(10)?
                        .checked_add(i128::from(c.to_digit(10).unwrap_or_default()))?;
                    digits += 1;
                    place -= i32::from(point);
                }
                '.' if !point => point = true,
                'e' | 'E' if digits > 0 => {
                    let rest: String = chars.collect();
                    let exponent: i32 = rest.parse().ok()?;
                    if exponent.abs() > 30 {
                        return None;
                    }
                    place += exponent;
                    break;
                }
                _ => return None,
            }
        }
        if digits == 0 || place < -37 {
            return None;
        }
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, place })
    }

    /// The exponent of ten of the last place written.
    pub const fn place(self) -> i32 {
        self.place
    }

    /// Significant digits written: leading zeros do not count, trailing ones do. Zero counts one.
    pub const fn significant(self) -> u32 {
        match self.mantissa.unsigned_abs().checked_ilog10() {
            Some(log) => log + 1,
            None => 1,
        }
    }

    /// The number itself. `None` where it does not fit.
    pub fn exact(self) -> Option<Rational> {
        Rational::new(self.mantissa, 1)?.times(Rational::power_of_ten(self.place)?)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let after = usize::try_from(-self.place).unwrap_or(0);
        if self.place >= 0 {
            let zeros = if self.mantissa == 0 { 0 } else { self.place as usize };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let padded = format!("{digits:0>width$}", width = after + 1);
        let (whole, part) = padded.split_at(padded.len() - after);
        write!(f, "{sign}{whole}.{part}")
    }
}

const fn ascii(c: char) -> char {
    match c {
        '０'..='９' => match char::from_u32(c as u32 - '０' as u32 + '0' as u32) {
            Some(digit) => digit,
            None => c,
        },
        '．' => '.',
        '－' | '−' => '-',
        '＋' => '+',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_last_place() {
        for (text, written, significant) in [
            ("5.20", "5.20", 3),
            (" -0.05 ", "-0.05", 1),
            ("１２．５", "12.5", 3),
            ("52e3", "52000", 2),
            ("0.00", "0.00", 1),
            (".5", "0.5", 1),
        ] {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!(decimal.to_string(), written);
            assert_eq!(decimal.significant(), significant);
        }
        for text in ["", "-", "1,000", "1.2.3", "3-5", "1e999", "e5", "陰性", "."] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounding_goes_to_the_even_neighbour() {
        let half = |n| Rational::new(n, 20).unwrap().rounded(-1).unwrap().to_string();
        assert_eq!([half(5), half(7), half(-5)], ["0.2", "0.4", "-0.2"]);
        assert_eq!(Rational::new(999, 1).unwrap().magnitude(), Some(2));
        assert_eq!(Rational::new(1, 1000).unwrap().magnitude(), Some(-3));
        assert_eq!(Rational::new(1, 999).unwrap().magnitude(), Some(-3));
        assert_eq!(Rational::new(1, 1001).unwrap().magnitude(), Some(-4));
    }
}
