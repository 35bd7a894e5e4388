//! Person lists, linked from their bytes.

mod country;
mod history;
mod limits;
mod people;
mod promises;
mod review;
mod state;
