//! The shifted negative binomial model: population classes have 1 + NegBin(a, b) members, so a share b^a of them is
//! unique; a and b are fitted to the expected numbers of sample classes of size 1 and 2.
//!
//! The equations follow from the model: a sum over the generating function (1-q)^-a, q = (1-f)(1-b). ARX multiplies
//! by (1-q)^(a+2) where the second one divides, and lost a bracket in Shlosser's estimate; its solver finds no root
//! on any reference table, and it then prints 0. Both forms are kept, the first for comparison.

use super::population::Estimate;

/// Which equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Arx,
    Derived,
}

pub(super) fn estimate(sizes: &[(u32, u64)], sample: f64, population: f64, form: Form) -> Estimate {
    let f = sample / population;
    let of = |size: u32| sizes.iter().find(|(s, _)| *s == size).map_or(0.0, |(_, n)| *n as f64);
    let (c1, c2) = (of(1), of(2));
    if c1 == 0.0 || c2 == 0.0 || f >= 1.0 {
        return Estimate::NotConverged;
    }
    let k = classes(sizes, c1, f, form);
    if !(k.is_finite() && k >= c1 && k <= population) {
        return Estimate::NotConverged;
    }
    let sign = if form == Form::Arx { -1.0 } else { 1.0 };
    let expected = |a: f64, b: f64| {
        let q = (1.0 - f) * (1.0 - b);
        let p = 1.0 - q;
        let one = k * f * (a * (b / p).ln()).exp() * (a * q / p + 1.0);
        let two = k * a * f * f * (1.0 - b) / 2.0
            * (a * b.ln() - sign * (a + 2.0) * p.ln()).exp()
            * (2.0 - (1.0 - a) * q);
        (one, two)
    };
    // For each b the first equation has at most one a on its falling branch; the second then tells the side.
    let fit = |b: f64| -> Option<(f64, f64)> {
        let (mut low, mut high) = (1e-9, 1e6);
        let over = |a: f64| expected(a, b).0 - c1;
        if over(low) < 0.0 || over(high) > 0.0 {
            return None;
        }
        for _ in 0..200 {
            let middle = (low * high).sqrt();
            if over(middle) > 0.0 { low = middle } else { high = middle }
        }
        let a = (low * high).sqrt();
        Some((a, expected(a, b).1 - c2))
    };
    let mut before: Option<(f64, f64)> = None;
    for step in 1..2_000 {
        let b = (f64::from(step) / 2_000.0 * 18.0 - 18.0).exp();
        let Some((_, miss)) = fit(b) else {
            before = None;
            continue;
        };
        if let Some((low, low_miss)) = before.filter(|(_, low_miss)| low_miss * miss <= 0.0) {
            let (mut low, mut high) = (low, b);
            for _ in 0..100 {
                let middle = (low * high).sqrt();
                match fit(middle) {
                    Some((_, miss)) if miss * low_miss > 0.0 => low = middle,
                    Some(_) => high = middle,
                    None => return Estimate::NotConverged,
                }
            }
            let b = (low * high).sqrt();
            let Some((a, miss)) = fit(b) else { return Estimate::NotConverged };
            if miss.abs() > 1e-6 * c2 {
                return Estimate::NotConverged;
            }
            let share = k * (a * b.ln()).exp() / population;
            return if share <= 1.0 { Estimate::Share(share) } else { Estimate::NotConverged };
        }
        before = Some((b, miss));
    }
    Estimate::NotConverged
}

/// Shlosser's estimate of the number of classes in the population, second form (Haas and Stokes 1998).
fn classes(sizes: &[(u32, u64)], c1: f64, f: f64, form: Form) -> f64 {
    let (mut v1, mut v2, mut v3, mut v4) = (0.0, 0.0, 0.0, 0.0);
    let mut n = 0.0;
    for (size, count) in sizes {
        let (i, count) = (f64::from(*size), *count as f64);
        n += count;
        let rest = (1.0 - f).powf(i);
        v1 += i * f * f * (1.0 - f * f).powf(i - 1.0) * count;
        v2 += match form {
            Form::Arx => rest * (1.0 + f).powf(i) * count - 1.0,
            Form::Derived => rest * ((1.0 + f).powf(i) - 1.0) * count,
        };
        v3 += rest * count;
        v4 += i * f * (1.0 - f).powf(i - 1.0) * count;
    }
    n + c1 * (v1 / v2) * (v3 / v4) * (v3 / v4)
}
