//! What people look at: which pairs, why they score as they do, where two values differ, and how wrong the whole is.
//!
//! Pure functions beside the linker: nothing here changes persons. A decision comes back as a constraint.

mod bias;
mod control;
mod highlight;
mod outcome;
mod queue;
mod sample;

pub use bias::{Group, GroupReport, Known};
pub use control::{CONTROLS, Control, ControlReport, Fact, PersonFacts, negative_controls};
pub use highlight::{Highlight, Mark, Piece, ValueKind, highlight};
pub use outcome::{Outcomes, Targets, outcomes};
pub use queue::{Case, PersonGraph};
pub use sample::{Answer, Estimate, Interval, SamplePlan, Stratum, estimate, plan};

/// The probability that two records are of one person, from log2 odds.
pub fn probability(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp2())
}

/// Wilson's interval for a share, at 95 % (Wilson 1927).
pub(crate) fn wilson(right: f64, all: f64) -> Interval {
    const Z: f64 = 1.959_963_984_540_054;
    if all <= 0.0 {
        return Interval { low: 0.0, value: f64::NAN, high: 1.0 };
    }
    let p = right / all;
    let centre = (p + Z * Z / (2.0 * all)) / (1.0 + Z * Z / all);
    let half = Z * (p * (1.0 - p) / all + Z * Z / (4.0 * all * all)).sqrt() / (1.0 + Z * Z / all);
    Interval { low: (centre - half).max(0.0), value: p, high: (centre + half).min(1.0) }
}
