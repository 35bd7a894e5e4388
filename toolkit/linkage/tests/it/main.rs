//! Person lists, linked from their bytes.

mod limits;
mod people;
mod promises;
mod state;
