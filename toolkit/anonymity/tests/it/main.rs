//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod dp;
mod heuristic;
mod naive;
mod oracle;
mod perturb;
mod reference;
mod risks;
mod setvalued;
mod suppression;
mod utility;
