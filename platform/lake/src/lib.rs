//! (being written)
pub mod functions;
