//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod adversary;
mod attack;
mod dp;
mod heuristic;
mod hiding;
mod joins;
mod naive;
mod oracle;
mod people;
mod perturb;
mod recomputed;
mod reference;
mod risks;
mod robust;
mod setvalued;
mod suppression;
mod utility;
