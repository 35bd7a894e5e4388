//! Numbers as the IBM 370 kept them: sign, base-16 exponent plus 64, 56 bits of fraction, big-endian.
//!
//! Enters: a number. Leaves: its eight bytes, exact: the fraction has three bits more than an `f64`. Refuses: what is
//! no number or outside of 16^-65 to 16^63.

/// The missing value `.` of SAS.
pub(super) const MISSING: [u8; 8] = [b'.', 0, 0, 0, 0, 0, 0, 0];

/// The eight bytes of a number; `None` if the format cannot hold it.
pub fn to_ibm(value: f64) -> Option<[u8; 8]> {
    let bits = value.to_bits();
    let sign = bits >> 63;
    let exponent = (bits >> 52 & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if value == 0.0 {
        return Some([0; 8]);
    }
    // Numbers below 2^-1022 are far below the range, infinities and NaN are none.
    if exponent == 0 || exponent == 0x7FF {
        return None;
    }
    // value = mantissa * 2^power, mantissa of 53 bits.
    let mantissa = fraction | 1 << 52;
    let power = exponent - 1075;
    // The same as fraction * 16^(e - 64) / 2^56: the power must be a multiple of four.
    let shift = power.rem_euclid(4);
    let sixteens = (power - shift + 56) / 4 + 64;
    let sixteens = u64::try_from(sixteens).ok().filter(|e| *e < 128)?;
    Some((sign << 63 | sixteens << 56 | mantissa << shift).to_be_bytes())
}
