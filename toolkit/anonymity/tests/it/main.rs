//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod heuristic;
mod naive;
mod oracle;
mod recomputed;
mod reference;
mod risks;
mod robust;
