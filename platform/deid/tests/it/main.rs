//! What needs the engine: golden tests of the tool, guarantees on plain tables, products from a lake.

mod adversaries;
mod flat;
mod golden;
mod guarantee;
mod lake;
mod search;
