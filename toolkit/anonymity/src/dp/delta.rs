//! How private a k-anonymized sample is (Li, Qardaji and Su 2012, theorem 1; Bild, Kuhn and Prasser 2018).

use super::{DpError, share_open};

/// ln(n!) by Stirling's series, exact sums for small n.
fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64;
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    x * x.ln() - x + 0.5 * (core::f64::consts::TAU * x).ln() + series
}

/// P(B >= least), B binomial of `n` draws with probability `beta`; for `least` above the mean.
fn tail(n: u64, least: u64, beta: f64) -> f64 {
    if least > n {
        return 0.0;
    }
    let log = ln_factorial(n) - ln_factorial(least) - ln_factorial(n - least)
        + least as f64 * beta.ln()
        + (n - least) as f64 * (-beta).ln_1p();
    let odds = beta / (1.0 - beta);
    let mut term = 1.0;
    let mut sum = 0.0;
    let mut j = least;
    loop {
        sum += term;
        if j == n || term <= sum * 1e-18 {
            break;
        }
        term *= (n - j) as f64 / (j + 1) as f64 * odds;
        j += 1;
    }
    log.exp() * sum
}

/// δ at ε of: keep each record with probability `beta`, generalise in a way that does not depend on the data, drop
/// groups of fewer than `k`. δ = max over n >= k/γ - 1 of P(Binomial(n, β) > γ n), γ = (e^ε - 1 + β) / e^ε.
///
/// Terms are summed until Chernoff's bound of all later ones is below the largest seen; the result is rounded up by 1e-9 of itself.
///
/// # Errors
/// `beta` is not in 0 to 1 - e^-ε (the theorem needs ε >= -ln(1 - β)), ε not above 0, or `k` is 0.
pub fn safe_delta(epsilon: f64, beta: f64, k: u32) -> Result<f64, DpError> {
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        return Err(DpError::Range { parameter: "epsilon" });
    }
    share_open(beta, "beta")?;
    if epsilon < -(-beta).ln_1p() * (1.0 - 1e-12) {
        return Err(DpError::Range { parameter: "beta" });
    }
    if k == 0 {
        return Err(DpError::Range { parameter: "k" });
    }
    let gamma = 1.0 - (1.0 - beta) * (-epsilon).exp();
    let divergence =
        gamma * (gamma / beta).ln() + (1.0 - gamma) * ((1.0 - gamma) / (1.0 - beta)).ln();
    let mut n = ((f64::from(k) / gamma - 1.0 - 1e-9).ceil()).max(1.0) as u64;
    let mut worst = 0.0_f64;
    loop {
        if worst > 0.0 && -(n as f64) * divergence < worst.ln() {
            return Ok((worst * (1.0 + 1e-9)).min(1.0));
        }
        // Where γ n is a whole number but for rounding, the larger tail counts.
        let least = (gamma * n as f64 * (1.0 - 1e-14)).floor() as u64 + 1;
        worst = worst.max(tail(n, least, beta));
        n += 1;
        if worst == 0.0 && n as f64 * divergence > 745.0 {
            return Ok(f64::MIN_POSITIVE);
        }
    }
}

/// The smallest `k` with at most this δ.
///
/// # Errors
/// As [`safe_delta`]; δ is not in 0 to 1, or no k up to 1,000,000 is enough.
pub fn safe_k(epsilon: f64, beta: f64, delta: f64) -> Result<u32, DpError> {
    share_open(delta, "delta")?;
    let enough = |k: u32| Ok::<bool, DpError>(safe_delta(epsilon, beta, k)? <= delta);
    let (mut low, mut high) = (0, 1);
    while !enough(high)? {
        (low, high) = (high, high * 2);
        if high > 1_000_000 {
            return Err(DpError::Range { parameter: "delta" });
        }
    }
    while high - low > 1 {
        let middle = u32::midpoint(low, high);
        if enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}
