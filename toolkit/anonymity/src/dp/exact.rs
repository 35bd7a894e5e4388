//! Exact draws from whole random numbers (Canonne, Kamath and Steinke 2020, algorithms 1 to 3).

use crate::chance::Stream;

/// True with probability exp(-`num` / `den`).
pub(super) fn bernoulli_exp(num: u128, den: u128, stream: &mut Stream) -> bool {
    let mut whole = num / den;
    while whole > 0 {
        if !below_one(1, 1, stream) {
            return false;
        }
        whole -= 1;
    }
    below_one(num % den, den, stream)
}

/// The same for a fraction of at most 1: true if the first k with a failed draw of num / (den k) is odd.
fn below_one(num: u128, den: u128, stream: &mut Stream) -> bool {
    let mut k = 1_u128;
    loop {
        // den < 2^120: only after 2^8 successes in a row, of probability under 1 / 256!, could this overflow.
        let Some(bound) = den.checked_mul(k) else { return k % 2 == 1 };
        if stream.below_wide(bound) >= num {
            return k % 2 == 1;
        }
        k += 1;
    }
}

/// x with probability proportional to exp(-|x| `s` / `t`).
pub(super) fn discrete_laplace(s: u64, t: u64, stream: &mut Stream) -> i64 {
    loop {
        let rest = stream.below(t);
        if !bernoulli_exp(u128::from(rest), u128::from(t), stream) {
            continue;
        }
        let mut times = 0_u128;
        while below_one(1, 1, stream) {
            times += 1;
        }
        let size = ((u128::from(rest) + u128::from(t) * times) / u128::from(s)) as i64;
        let negative = stream.below(2) == 1;
        if negative && size == 0 {
            continue;
        }
        return if negative { -size } else { size };
    }
}

/// x with probability proportional to exp(-x^2 / (2 v)), v = `a` / `b`; a < 2^51, b <= 2^10.
pub(super) fn discrete_gaussian(a: u64, b: u64, stream: &mut Stream) -> i64 {
    let t = (a / b).isqrt() + 1;
    let (wide_a, wide_b, wide_t) = (u128::from(a), u128::from(b), u128::from(t));
    loop {
        let drawn = discrete_laplace(1, t, stream);
        let size = u128::from(drawn.unsigned_abs());
        // (|x| - v/t)^2 / (2 v), over a common denominator. A square beyond 128 bits is a chance of e^-10^6.
        let square = size
            .checked_mul(wide_b * wide_t)
            .map(|x| x.abs_diff(wide_a))
            .and_then(|x| x.checked_mul(x));
        let Some(square) = square else { continue };
        if bernoulli_exp(square, 2 * wide_a * wide_b * wide_t * wide_t, stream) {
            return drawn;
        }
    }
}
