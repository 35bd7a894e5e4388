//! How many records are unique in the population: estimates from a sample.

use super::gamma::{digamma, ln_gamma, trigamma};
use super::snb;
use crate::model::Rule;

/// The population a table is a sample of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Population {
    /// So many persons.
    Size(u64),
    /// The sample is this share of it.
    Fraction(f64),
}

/// An estimate, or the admission that there is none.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "share")]
pub enum Estimate {
    /// Records that are unique in the population, as a share of the population.
    Share(f64),
    /// The solver found no solution in range. Never to be read as 0.
    NotConverged,
}

impl Estimate {
    /// The share, if there is one.
    pub fn share(self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(share),
            Self::NotConverged => None,
        }
    }

    fn of(uniques: f64, population: f64) -> Self {
        let share = uniques / population;
        if (0.0..=1.0).contains(&share) { Self::Share(share) } else { Self::NotConverged }
    }
}

/// Which estimator the rule of Dankar chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Pitman's sampling formula.
    Pitman,
    /// Zayatz.
    Zayatz,
    /// Shifted negative binomial.
    Snb,
}

/// The rule of Dankar et al. 2012: Pitman up to a sampling fraction of 0.1, else the smaller of SNB and Zayatz.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Dankar {
    /// What the chosen estimator says.
    pub estimate: Estimate,
    /// Which one.
    pub chosen: Estimator,
}

/// All estimates.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PopulationRisk {
    /// Persons in the population.
    pub population: f64,
    /// Sample divided by population.
    pub fraction: f64,
    /// Pitman (Hoshino 2001).
    pub pitman: Estimate,
    /// Zayatz 1991.
    pub zayatz: Estimate,
    /// Shifted negative binomial (Chen and Keller-McNulty 1998), by the equations that ARX solves.
    pub snb: Estimate,
    /// The same model by the equations that follow from it; not used by the rule of Dankar.
    pub snb_derived: Estimate,
    /// The rule of Dankar.
    pub dankar: Dankar,
}

/// Estimate the share of the population that is unique, from class sizes (size, number of classes). `None` if the
/// population is smaller than the sample, or either is empty.
pub fn population_risk(histogram: &[(u32, u64)], population: Population) -> Option<PopulationRisk> {
    let mut sizes: Vec<(u32, u64)> =
        histogram.iter().filter(|(size, n)| *size > 0 && *n > 0).copied().collect();
    sizes.sort_unstable();
    let sample: f64 = sizes.iter().map(|(size, n)| f64::from(*size) * *n as f64).sum();
    let population = match population {
        Population::Size(size) => size as f64,
        Population::Fraction(fraction) => sample / fraction,
    };
    let fraction = sample / population;
    if !(fraction > 0.0 && fraction <= 1.0) {
        return None;
    }
    let pitman = pitman(&sizes, sample, population);
    let zayatz = zayatz(&sizes, sample, population);
    let snb = snb::estimate(&sizes, sample, population, snb::Form::Arx);
    let snb_derived = snb::estimate(&sizes, sample, population, snb::Form::Derived);
    let dankar = dankar(fraction, || pitman, || zayatz, || snb);
    Some(PopulationRisk { population, fraction, pitman, zayatz, snb, snb_derived, dankar })
}

fn dankar(
    fraction: f64,
    pitman: impl Fn() -> Estimate,
    zayatz: impl Fn() -> Estimate,
    snb: impl Fn() -> Estimate,
) -> Dankar {
    if fraction <= 0.1 {
        return Dankar { estimate: pitman(), chosen: Estimator::Pitman };
    }
    match (snb(), zayatz()) {
        (Estimate::Share(snb), Estimate::Share(zayatz)) if snb < zayatz => {
            Dankar { estimate: Estimate::Share(snb), chosen: Estimator::Snb }
        }
        (_, zayatz) => Dankar { estimate: zayatz, chosen: Estimator::Zayatz },
    }
}

/// The one estimate that a model asks for, from class sizes in ascending order. Without a unique record the share of
/// the population that is unique and in the table is 0, and needs no estimate.
pub(crate) fn estimate(sizes: &[(u32, u64)], population: u64, rule: Rule) -> Estimate {
    let sample: f64 = sizes.iter().map(|(size, n)| f64::from(*size) * *n as f64).sum();
    if sizes.first().is_none_or(|(size, _)| *size > 1) {
        return Estimate::Share(0.0);
    }
    let population = population as f64;
    let pitman = || pitman(sizes, sample, population);
    let zayatz = || zayatz(sizes, sample, population);
    let snb = |form| snb::estimate(sizes, sample, population, form);
    match rule {
        Rule::Pitman => pitman(),
        Rule::Zayatz => zayatz(),
        // The equations that follow from the model: those of ARX have no root on any reference table.
        Rule::Snb => snb(snb::Form::Derived),
        Rule::Dankar => {
            dankar(sample / population, pitman, zayatz, || snb(snb::Form::Arx)).estimate
        }
    }
}

/// Zayatz: the probability that a sample unique is a population unique, as if the population had the classes of the
/// sample. The population is not clamped at 2^31 as in ARX.
fn zayatz(sizes: &[(u32, u64)], sample: f64, population: f64) -> Estimate {
    // Exactly one of `size` persons among the sample: hypergeometric.
    let one = |size: u32| {
        let mut probability = f64::from(size) * sample / population;
        for j in 0..size.saturating_sub(1) {
            let j = f64::from(j);
            probability *= (population - sample - j).max(0.0) / (population - 1.0 - j).max(1.0);
            if probability < 1e-300 {
                return 0.0;
            }
        }
        probability
    };
    let classes: f64 = sizes.iter().map(|(_, n)| *n as f64).sum();
    let all: f64 = sizes.iter().map(|(size, n)| *n as f64 / classes * one(*size)).sum();
    let uniques = sizes.first().filter(|(size, _)| *size == 1).map_or(0.0, |(_, n)| *n as f64);
    if uniques == 0.0 {
        return Estimate::Share(0.0);
    }
    let unique_given_unique = uniques / classes * one(1) / all;
    Estimate::of(uniques * unique_given_unique / (sample / population), population)
}

/// Pitman's sampling formula, maximum likelihood by Newton's method from Hoshino's moments, then from fixed starts.
fn pitman(sizes: &[(u32, u64)], n: f64, population: f64) -> Estimate {
    let of = |size: u32| sizes.iter().find(|(s, _)| *s == size).map_or(0.0, |(_, n)| *n as f64);
    let classes: u64 = sizes.iter().map(|(_, n)| n).sum();
    let u = classes as f64;
    let c1 = of(1);
    let c = c1 * (c1 - 1.0) / of(2).max(1.0);
    let theta = (n * u * c - c1 * (n - 1.0) * (2.0 * u + c)) / (2.0 * c1 * u + c1 * c - n * c);
    let moments = (theta, (theta * (c1 - n) + (n - 1.0) * c1) / (n * u));
    if c1 >= n || c1 == 0.0 {
        // All unique, or none: the likelihood has no inner maximum.
        return Estimate::NotConverged;
    }
    for start in [moments, (u, 0.5), (u / 10.0, 0.8), (u, 0.1), (u / 10.0, 0.2)] {
        let found = newton(sizes, n, classes, start);
        if let Some((theta, alpha)) = found.filter(|(theta, alpha)| theta + alpha > 0.0) {
            let log = ln_gamma(theta + 1.0) - ln_gamma(theta + alpha) + alpha * population.ln();
            return Estimate::of(log.exp(), population);
        }
    }
    Estimate::NotConverged
}

/// Derivatives of the sum of ln(theta + i alpha), i from 1 to classes - 1: by theta, alpha, twice by theta, by both,
/// twice by alpha. Through digamma and trigamma, unless alpha is too small for them.
fn sums(theta: f64, alpha: f64, classes: u64) -> (f64, f64, f64, f64, f64) {
    let terms = classes.saturating_sub(1) as f64;
    let (mut s1, mut squares) = (0.0, 0.0);
    if alpha > 1e-3 && (theta / alpha).abs() < 1e8 {
        let (low, high) = (theta / alpha + 1.0, theta / alpha + classes as f64);
        s1 = (digamma(high) - digamma(low)) / alpha;
        squares = (trigamma(low) - trigamma(high)) / (alpha * alpha);
    } else {
        let (mut s2, mut mixed, mut last) = (0.0, 0.0, 0.0);
        for i in 1..classes {
            let i = i as f64;
            let r = 1.0 / (theta + i * alpha);
            s1 += r;
            s2 += i * r;
            squares += r * r;
            mixed += i * r * r;
            last += i * i * r * r;
        }
        return (s1, s2, -squares, -mixed, -last);
    }
    let s2 = (terms - theta * s1) / alpha;
    let mixed = (s1 - theta * squares) / alpha;
    let last = (terms - 2.0 * theta * s1 + theta * theta * squares) / (alpha * alpha);
    (s1, s2, -squares, -mixed, -last)
}

/// A stationary point of the likelihood; steps that leave its domain are halved.
fn newton(
    sizes: &[(u32, u64)],
    n: f64,
    classes: u64,
    (mut theta, mut alpha): (f64, f64),
) -> Option<(f64, f64)> {
    let inside = |theta: f64, alpha: f64| {
        let last = classes.saturating_sub(1) as f64;
        alpha < 1.0 && theta > -1.0 && theta + alpha > 0.0 && theta + last * alpha > 0.0
    };
    if !inside(theta, alpha) {
        return None;
    }
    for _ in 0..100 {
        let (mut s1, mut s2, mut s11, s12, mut s22) = sums(theta, alpha, classes);
        s1 -= digamma(n + theta) - digamma(theta + 1.0);
        s11 += trigamma(theta + 1.0) - trigamma(n + theta);
        let (d0, t0) = (digamma(1.0 - alpha), trigamma(1.0 - alpha));
        for (size, count) in sizes.iter().filter(|(size, _)| *size > 1) {
            let x = f64::from(*size) - alpha;
            s2 -= *count as f64 * (digamma(x) - d0);
            s22 -= *count as f64 * (t0 - trigamma(x));
        }
        let det = s11 * s22 - s12 * s12;
        let (mut step_t, mut step_a) = ((s1 * s22 - s2 * s12) / det, (s2 * s11 - s1 * s12) / det);
        if !(step_t.is_finite() && step_a.is_finite()) {
            return None;
        }
        if step_t.abs() <= 1e-9 * theta.abs().max(1.0) && step_a.abs() <= 1e-10 {
            return Some((theta, alpha));
        }
        let mut halvings = 0;
        while !inside(theta - step_t, alpha - step_a) {
            step_t /= 2.0;
            step_a /= 2.0;
            halvings += 1;
            if halvings > 60 {
                return None;
            }
        }
        theta -= step_t;
        alpha -= step_a;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_without_structure_has_no_pitman_estimate() {
        // All records unique: ARX says 0 uniques here.
        let risk = population_risk(&[(1, 1_000)], Population::Fraction(0.1)).unwrap();
        assert_eq!(risk.pitman, Estimate::NotConverged);
        assert_eq!(risk.dankar.estimate, Estimate::NotConverged);
    }

    #[test]
    fn a_whole_population_is_its_own_estimate() {
        let risk = population_risk(&[(1, 10), (4, 5)], Population::Fraction(1.0)).unwrap();
        assert!((risk.zayatz.share().unwrap() - 10.0 / 30.0).abs() < 1e-12);
        assert!(population_risk(&[(1, 10)], Population::Size(5)).is_none());
    }
}
