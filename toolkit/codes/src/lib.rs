#![doc = include_str!("../README.md")]
//!
//! # Guarantee
//! - `codes.master-rows`: rows of a file = entries + rows dropped by name; no defect or error quotes a value.
//! - `codes.unit-back`: a converted value, converted back and rounded to the original's place, is the original.
//! - `codes.unit-dimension`: a product of units has the sum of their dimensions; what does not meet is not converted.
//! - `codes.score-sum`: the points of a candidate's features are its score.
//! - `codes.order-free`: candidates do not depend on threads nor on the other items.
//! - `codes.mapping-…`: see [`mapping`].

pub mod candidate;
mod exact;
pub mod mapping;
pub mod master;
mod rule;
mod shipped;
mod system;
pub mod unit;

pub use exact::{Decimal, Rational};
pub use rule::{Effect, RULES, rule};
pub use system::{names_of, system_of};
