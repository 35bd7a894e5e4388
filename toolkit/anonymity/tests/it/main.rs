//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod adversary;
mod heuristic;
mod naive;
mod oracle;
mod people;
mod reference;
mod risks;
