//! Noise of whole numbers, with its exact distribution.

use super::{DpError, exact};
use crate::chance::Stream;

/// ε is a fraction with this denominator, rounded down.
const EPSILON_UNIT: f64 = 16_777_216.0;
/// σ² is a fraction with this denominator, rounded up.
const VARIANCE_UNIT: u64 = 1_024;

/// Two-sided geometric noise: P(x) is proportional to exp(-|x| ε / Δ) (Ghosh, Roughgarden and Sundararajan 2009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laplace {
    s: u64,
    t: u64,
}

impl Laplace {
    /// ε-differentially private for counts that one person changes by at most `sensitivity` in all (L1).
    ///
    /// # Errors
    /// ε is not in 2^-24 to 1,000, or the sensitivity not in 1 to 1,000,000.
    pub fn new(epsilon: f64, sensitivity: u32) -> Result<Self, DpError> {
        let s = (epsilon * EPSILON_UNIT).floor();
        if !(s >= 1.0 && epsilon <= 1_000.0) {
            return Err(DpError::Range { parameter: "epsilon" });
        }
        if sensitivity == 0 || sensitivity > 1_000_000 {
            return Err(DpError::Range { parameter: "sensitivity" });
        }
        Ok(Self { s: s as u64, t: EPSILON_UNIT as u64 * u64::from(sensitivity) })
    }

    /// exp(-ε / Δ).
    fn ratio(&self) -> f64 {
        (-(self.s as f64) / self.t as f64).exp()
    }

    /// Probability of `x`.
    pub fn probability(&self, x: i64) -> f64 {
        let p = self.ratio();
        let exponent = -(x.unsigned_abs() as f64) * self.s as f64 / self.t as f64;
        exponent.exp() * (1.0 - p) / (1.0 + p)
    }

    /// Probability of `least` and more.
    pub fn at_least(&self, least: i64) -> f64 {
        if least <= 0 {
            return 1.0 - self.at_least(1 - least);
        }
        let scale = self.s as f64 / self.t as f64;
        (-(least as f64) * scale).exp() / (1.0 + self.ratio())
    }

    /// One draw.
    pub fn draw(&self, stream: &mut Stream) -> i64 {
        exact::discrete_laplace(self.s, self.t, stream)
    }
}

/// Discrete Gaussian noise: P(x) is proportional to exp(-x² / (2 σ²)) (Canonne, Kamath and Steinke 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaussian {
    /// σ² in units of 1 / [`VARIANCE_UNIT`].
    a: u64,
}

impl Gaussian {
    /// With this σ² (rounded up to 1/1,024).
    ///
    /// # Errors
    /// σ² is not above 0 and at most 2^40.
    pub fn new(variance: f64) -> Result<Self, DpError> {
        if !(variance > 0.0 && variance <= 1_099_511_627_776.0) {
            return Err(DpError::Range { parameter: "variance" });
        }
        Ok(Self { a: (variance * VARIANCE_UNIT as f64).ceil() as u64 })
    }

    /// ρ-zero-concentrated differentially private for counts that one person changes by a vector of at most this
    /// squared length: σ² = Δ² / (2 ρ). A person in c cells, once in each, has Δ² = c.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn concentrated(rho: f64, squared_sensitivity: u32) -> Result<Self, DpError> {
        if !(rho > 0.0 && rho.is_finite()) {
            return Err(DpError::Range { parameter: "rho" });
        }
        Self::new(f64::from(squared_sensitivity) / (2.0 * rho))
    }

    /// The least σ² (to 1/1,024) that is (ε, δ)-differentially private by way of concentrated privacy.
    ///
    /// # Errors
    /// ε is not above 0, δ not in 0 to 1, or σ² would be over 2^40.
    pub fn calibrated(epsilon: f64, delta: f64, squared_sensitivity: u32) -> Result<Self, DpError> {
        super::share_open(delta, "delta")?;
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(DpError::Range { parameter: "epsilon" });
        }
        let holds = |a: u64| {
            let rho = f64::from(squared_sensitivity) * VARIANCE_UNIT as f64 / (2.0 * a as f64);
            super::account::delta_of_rho(rho, epsilon) <= delta
        };
        let (mut low, mut high) = (0, 1 << 50);
        if !holds(high) {
            return Err(DpError::Range { parameter: "epsilon" });
        }
        while high - low > 1 {
            let middle = u64::midpoint(low, high);
            if holds(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Self { a: high })
    }

    /// σ².
    pub fn variance(&self) -> f64 {
        self.a as f64 / VARIANCE_UNIT as f64
    }

    /// ρ of concentrated privacy, for a squared sensitivity.
    pub fn rho(&self, squared_sensitivity: u32) -> f64 {
        f64::from(squared_sensitivity) / (2.0 * self.variance())
    }

    /// The exact δ at ε for a single count that one person changes by 1 (theorem 7 of the paper).
    pub fn delta(&self, epsilon: f64) -> f64 {
        let more_than = |x: f64| self.at_least(x.floor() as i64 + 1);
        let middle = epsilon * self.variance();
        (more_than(middle - 0.5) - epsilon.exp() * more_than(middle + 0.5)).max(0.0)
    }

    /// Sum of exp(-x² / (2 σ²)) from `least` on, for `least` above 0.
    fn weight(&self, least: i64) -> f64 {
        let scale = -1.0 / (2.0 * self.variance());
        let mut sum = 0.0;
        let mut x = least as f64;
        loop {
            let term = (x * x * scale).exp();
            sum += term;
            if term <= sum * 1e-18 {
                return sum;
            }
            x += 1.0;
        }
    }

    fn norm(&self) -> f64 {
        if self.variance() > 100.0 {
            // The theta function: the next term is exp(-2 pi² σ²).
            return (core::f64::consts::TAU * self.variance()).sqrt();
        }
        1.0 + 2.0 * self.weight(1)
    }

    /// Probability of `x`.
    pub fn probability(&self, x: i64) -> f64 {
        (-(x as f64).powi(2) / (2.0 * self.variance())).exp() / self.norm()
    }

    /// Probability of `least` and more.
    pub fn at_least(&self, least: i64) -> f64 {
        if least <= 0 {
            return 1.0 - self.at_least(1 - least);
        }
        self.weight(least) / self.norm()
    }

    /// One draw.
    pub fn draw(&self, stream: &mut Stream) -> i64 {
        exact::discrete_gaussian(self.a, VARIANCE_UNIT, stream)
    }
}

/// Either kind of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// Two-sided geometric.
    Laplace(Laplace),
    /// Discrete Gaussian.
    Gaussian(Gaussian),
}

impl Noise {
    /// One draw.
    pub fn draw(&self, stream: &mut Stream) -> i64 {
        match self {
            Self::Laplace(noise) => noise.draw(stream),
            Self::Gaussian(noise) => noise.draw(stream),
        }
    }

    /// Probability of `least` and more.
    pub fn at_least(&self, least: i64) -> f64 {
        match self {
            Self::Laplace(noise) => noise.at_least(least),
            Self::Gaussian(noise) => noise.at_least(least),
        }
    }

    /// The smallest w such that noise lies in -w to w with at least this probability: the accuracy of a count.
    ///
    /// # Errors
    /// The probability is not in 0 to 1.
    pub fn interval(&self, probability: f64) -> Result<u64, DpError> {
        let outside = 1.0 - super::share_open(probability, "probability")?;
        let within = |w: i64| 2.0 * self.at_least(w + 1) <= outside;
        let mut high = 1;
        while !within(high) {
            high *= 2;
        }
        let mut low = -1;
        while high - low > 1 {
            let middle = i64::midpoint(low, high);
            if within(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high as u64)
    }
}
