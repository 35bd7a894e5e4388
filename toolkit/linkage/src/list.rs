//! A person list as its file has it: columns of interned raw values.
//!
//! Enters: delimited text (UTF-8 with or without mark, or CP932). Leaves: [`List`]. Refuses: no header, no record
//! ids, a column named twice; by line and column name, never by value.

mod columns;
mod intern;
mod read;

pub use columns::{ColumnMap, Field, Names};
pub(crate) use intern::{Interner, hash_bytes, mix};
pub use read::ListError;
pub(crate) use read::{Ids, Raw, decode as read_decode};
pub(crate) use read::{List, read};
