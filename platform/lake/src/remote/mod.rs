//! The distributed engine, seen from both sides.
//!
//! **Client**: a [`Cluster`] is an address and a key. A [`crate::Session`] of a lake that has one sends every plan
//! that reads the sealed store there and gets batches back; the specification, the plan and the functions are the
//! ones of the embedded engine. **Cluster**: `apps/cluster` gives a [`Gateway`] the planner of its engine and its
//! nodes the [`functions`](crate::functions), the store and the codecs of this module ([`node`]).
//!
//! What a function instance holds (a key, what was counted) stands in a plan only sealed under the cluster's key.
//! Every key that nodes use among each other is made of the cluster's key *and* the build id, so that a node of
//! another build can neither read a plan nor be connected to. See `docs/adr/0007-plans-travel-sealed.md`.

mod codec;
mod configured;
mod error;
mod gateway;
mod key;
pub mod node;
mod planner;
mod wire;

pub use configured::CLUSTER_FILE;
pub use error::ClusterError;
pub use gateway::{Gateway, Served, Workers};
pub use key::{BUILD, ClusterKey};
pub(crate) use planner::{NoCache, Planner};
pub use wire::{Cluster, Engine};
