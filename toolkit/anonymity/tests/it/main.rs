//! Against the reference results of `../shared/oracles/anonymity`, and against naive definitions.

mod oracle;
mod reference;
mod risks;
