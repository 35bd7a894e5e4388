//! What the crate promises.

mod guarantees;
