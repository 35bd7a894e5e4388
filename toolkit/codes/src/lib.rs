//! stub
pub mod candidate;
mod exact;
pub mod master;
mod rule;
mod shipped;
pub mod unit;
pub use exact::{Decimal, Rational};
pub use rule::{Effect, RULES, rule};
