//! Health-data formats of Japan, from bytes to neutral records.

pub mod record;
mod rule;

pub use record::{Issue, Parsed, Record};
pub use rule::{RULES, rule_ja};
