//! Candidates: pairs of records that share a key, each pair made once.
//!
//! Enters: typed rows. Leaves: pairs by position, lower first, sorted; a report of what each pass made and what was
//! capped. A pass is an equi-join on a 64-bit hash of the key's values.

mod join;
mod keys;
mod sort;
mod touch;

pub(crate) use join::candidates;
pub use join::{Capped, PassReport};
pub(crate) use keys::PASSES;
pub(crate) use sort::sort_hashed;
pub(crate) use touch::{Touch, Touched};
