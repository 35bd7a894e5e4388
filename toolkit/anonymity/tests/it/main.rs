//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod adversary;
mod attack;
mod dp;
mod heuristic;
mod joins;
mod naive;
mod oracle;
mod people;
mod perturb;
mod reference;
mod risks;
mod setvalued;
mod suppression;
mod utility;
