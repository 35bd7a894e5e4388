//! The pages and the interface, driven in process against real deployments.

mod authority;
mod cases;
mod patient;
mod release;
mod safety;
