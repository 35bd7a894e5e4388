//! The lake: tables and source bytes of one deployment, sealed on disk, in snapshots.
//!
//! **Enters**: Arrow rows of the tables in `schemas/v1`, source bytes of persons' segments, and the
//! transaction ([`kiban_audit::Tx`]) they are committed in. **Leaves**: any snapshot's rows, as batches or
//! as a plan of the engine; a person's source bytes; findings of the verifier. **Refuses**: rows that do
//! not fit their table or name no person; files that were changed, cut, moved or exchanged; source bytes
//! whose key was destroyed.
//!
//! This is the only crate that names DataFusion, object_store and Parquet; others use [`plan`].
//!
//! # Guarantee
//! - `lake.sealed`: no plain byte of a table or segment is on disk, and a flipped bit, a cut, swapped
//!   pieces and a moved file are refused.
//! - `lake.snapshot`: a snapshot reads the same for ever, except that erased persons are gone from it.
//! - `lake.one-commit`: files become visible with the governance rows and the event of one transaction,
//!   or never; what an ended process left is collected.
//! - `lake.erase`: after an erasure is committed and collected, the persons' rows are in no file and their
//!   source bytes cannot be read.
//! - `lake.verify`: a changed, cut, swapped, missing or foreign file, and a changed catalog row, is named.
//! - `lake.one-plan`: a plan gives the same rows in process and on a cluster; what its functions hold is on the
//!   wire only sealed, and a node of another key or build gets nothing.
//! - `lake.signed-codes`: a standard code that did not come with the row is that of a signed mapping in effect on the
//!   row's day; what came stays in its own columns.
//! - `lake.same-bytes`: the same rows in the same order, built the same way, give the same plain file.

mod bits;
mod bucket;
mod catalog;
mod collect;
mod columns;
mod container;
mod delta;
mod durable;
mod erase;
mod error;
pub mod functions;
mod gather;
pub mod id_table;
mod keys;
mod lake;
mod lock;
mod lot;
mod pages;
mod pending;
pub mod remote;
mod repeated;
pub mod schema;
mod seal;
mod secrets;
mod session;
mod short;
mod standard;
mod store;
pub mod table_file;
mod table_runs;
mod verify;
mod withdraw;

pub use bucket::BUCKETS;
pub use catalog::{Snapshot, TableFile};
pub use collect::Collected;
pub use columns::{Columns, Reading, Values};
pub use container::{ContainerWriter, SegmentPlace, StagedContainer};
pub use erase::{Erased, Held, StagedErasure};
pub use error::{KeyError, LakeError, SealError, TableFileError};
pub use keys::{DataClass, KeyRing, Secret};
pub use lake::{Lake, Staged};
pub use lot::{Threads, WrittenLot};
pub use remote::{Cluster, ClusterError, ClusterKey, Engine};
pub use repeated::Repeated;
pub use session::{STORE_URL, Session, plan};
pub use standard::{CodeMap, MAPPED, MappedTable};
pub use store::SealedStore;
pub use verify::{FilesVerified, Finding, VerifyError, verify_files};
pub use withdraw::StagedWithdrawal;
