//! The lake against a real database and a real disk. One binary, because each links the engine.

mod crash;
mod engine;
mod guarantee_erase;
mod guarantee_snapshot;
mod guarantee_verify;
mod remote;
mod sources;
mod support;
mod trouble;
