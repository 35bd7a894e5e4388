//! Typed columns: one fixed-size row a record, values as numbers, missing as zero.
//!
//! Enters: a [`List`]. Leaves: rows in the order of their record ids (so that nothing after this depends on the order
//! of the file), and for each kind of value a table of what comparison needs. Placeholders and impossible values are
//! missing; they are counted by column.

mod date;
mod names;
mod place;
mod rows;
mod tables;

pub use date::{PartialDate, partial_date};
pub(crate) use names::Names;
pub(crate) use place::{Place, Places, made as place_of};
pub(crate) use rows::{Row, house, type_list};
pub(crate) use tables::{Batch, Chars, Plain, Typed};
