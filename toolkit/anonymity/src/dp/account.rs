//! What several releases cost together.

use super::{DpError, share_open};

/// How losses are added up. It is chosen before the first release: that keeps the sum valid when later questions
/// depend on earlier answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Accounting {
    /// Sums of ε and δ (Dwork et al. 2006).
    Basic,
    /// ε = sqrt(2 ln(1/slack) Σ ε²) + Σ ε² / 2, δ = slack + Σ δ, adaptive in all parameters (Whitehouse, Ramdas, Rogers
    /// and Wu 2023).
    Advanced {
        /// Part of δ that is given up for it.
        slack: f64,
    },
    /// Sums of ρ (Bun and Steinke 2016; as a filter: Feldman and Zrnic 2021), turned into ε at what is left of δ
    /// by the conversion of Canonne, Kamath and Steinke 2020.
    Concentrated,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Largest ε.
    pub epsilon: f64,
    /// Largest δ, 0 for pure privacy.
    pub delta: f64,
}

/// What one release costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spending {
    /// (ε, δ)-differential privacy; δ = 0 if pure.
    Approximate {
        /// ε.
        epsilon: f64,
        /// δ.
        delta: f64,
    },
    /// ρ-zero-concentrated differential privacy.
    Concentrated {
        /// ρ.
        rho: f64,
    },
}

/// Adds up what was spent and refuses what would exceed the budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Odometer {
    budget: Budget,
    accounting: Accounting,
    epsilon: f64,
    squares: f64,
    rho: f64,
    delta: f64,
    releases: u64,
}

/// Ten times a tenth is one.
const ROUNDING: f64 = 1.0 + 1e-12;

impl Odometer {
    /// Nothing spent yet.
    ///
    /// # Errors
    /// A limit is out of range; advanced and concentrated accounting need a δ.
    pub fn new(budget: Budget, accounting: Accounting) -> Result<Self, DpError> {
        if !(budget.epsilon > 0.0 && budget.epsilon.is_finite()) {
            return Err(DpError::Range { parameter: "epsilon" });
        }
        match accounting {
            Accounting::Basic if budget.delta == 0.0 => {}
            Accounting::Advanced { slack } => {
                share_open(slack, "slack")?;
                share_open(budget.delta, "delta")?;
                if slack > budget.delta {
                    return Err(DpError::Range { parameter: "slack" });
                }
            }
            _ => {
                share_open(budget.delta, "delta")?;
            }
        }
        let (epsilon, squares, rho, delta) = (0.0, 0.0, 0.0, 0.0);
        Ok(Self { budget, accounting, epsilon, squares, rho, delta, releases: 0 })
    }

    /// ε and δ of all releases so far.
    pub fn total(&self) -> Budget {
        if self.releases == 0 {
            return Budget { epsilon: 0.0, delta: 0.0 };
        }
        match self.accounting {
            Accounting::Basic => Budget { epsilon: self.epsilon, delta: self.delta },
            Accounting::Advanced { slack } => Budget {
                epsilon: (2.0 * (1.0 / slack).ln() * self.squares).sqrt() + self.squares / 2.0,
                delta: slack + self.delta,
            },
            Accounting::Concentrated => {
                let left = self.budget.delta - self.delta;
                let epsilon =
                    if left > 0.0 { epsilon_of_rho(self.rho, left) } else { f64::INFINITY };
                Budget { epsilon, delta: self.budget.delta.max(self.delta) }
            }
        }
    }

    /// Releases so far.
    pub fn releases(&self) -> u64 {
        self.releases
    }

    /// Spend, or refuse and stay as it was. Call it before the release.
    ///
    /// # Errors
    /// [`DpError::Budget`] if the sum would exceed the budget, [`DpError::Concentrated`], or parameters out of range.
    pub fn spend(&mut self, spending: Spending) -> Result<(), DpError> {
        let mut next = self.clone();
        next.releases += 1;
        match spending {
            Spending::Approximate { epsilon, delta } => {
                if !(epsilon >= 0.0 && epsilon.is_finite()) {
                    return Err(DpError::Range { parameter: "epsilon" });
                }
                if !(0.0..1.0).contains(&delta) {
                    return Err(DpError::Range { parameter: "delta" });
                }
                next.epsilon += epsilon;
                next.squares += epsilon * epsilon;
                next.rho += epsilon * epsilon / 2.0;
                next.delta += delta;
            }
            Spending::Concentrated { rho } => {
                if self.accounting != Accounting::Concentrated {
                    return Err(DpError::Concentrated);
                }
                if !(rho >= 0.0 && rho.is_finite()) {
                    return Err(DpError::Range { parameter: "rho" });
                }
                next.rho += rho;
            }
        }
        let Budget { epsilon, delta } = next.total();
        if epsilon > self.budget.epsilon * ROUNDING || delta > self.budget.delta * ROUNDING {
            return Err(DpError::Budget { epsilon, delta });
        }
        *self = next;
        Ok(())
    }
}

/// δ at ε of ρ-concentrated privacy: the least over α of exp((α-1)(αρ-ε)) / (α-1) x (1 - 1/α)^α (proposition 12 of
/// Canonne, Kamath and Steinke 2020). Any α is valid, so that an inexact minimum errs on the private side.
pub(super) fn delta_of_rho(rho: f64, epsilon: f64) -> f64 {
    if rho <= 0.0 {
        return 0.0;
    }
    // Convex in α (as a logarithm): search for the least by thirds, over ln(α - 1).
    let value = |log: f64| {
        let less = log.exp();
        let alpha = 1.0 + less;
        less * (alpha * rho - epsilon) - log + alpha * (less / alpha).ln()
    };
    let (mut low, mut high) = (-20.0_f64, 40.0_f64);
    for _ in 0..200 {
        let third = (high - low) / 3.0;
        let (a, b) = (low + third, high - third);
        if value(a) <= value(b) {
            high = b;
        } else {
            low = a;
        }
    }
    value(f64::midpoint(low, high)).exp().min(1.0)
}

/// The least ε at δ, to 1e-12, never too small.
fn epsilon_of_rho(rho: f64, delta: f64) -> f64 {
    if rho <= 0.0 {
        return 0.0;
    }
    // Enough for certain (Bun and Steinke 2016).
    let (mut low, mut high) = (0.0, rho + 2.0 * (rho * (1.0 / delta).ln()).sqrt());
    while high - low > 1e-12 * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if delta_of_rho(rho, middle) <= delta {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
