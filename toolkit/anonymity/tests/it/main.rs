//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod adversary;
mod attack;
mod heuristic;
mod joins;
mod naive;
mod oracle;
mod people;
mod reference;
mod risks;
