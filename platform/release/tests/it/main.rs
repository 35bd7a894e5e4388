//! The guarantees of `kiban-release`, over a real database.

mod guarantees;
mod house;
