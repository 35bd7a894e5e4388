//! Typed columns: one fixed-size row a record, values as numbers, missing as zero.
//!
//! Enters: a [`List`]. Leaves: rows in the order of their record ids (so that nothing after this depends on the order
//! of the file), and for each kind of value a table of what comparison needs. Placeholders and impossible values are
//! missing; they are counted by column.

mod date;
mod names;
mod place;
mod rows;

pub use date::{PartialDate, partial_date};
pub(crate) use place::Place;
pub(crate) use rows::{Chars, Row, Typed, house, type_list};
