//! The audit log: what enters is one event per transaction of the governance database; what leaves
//! is a signed checkpoint, a published copy anybody can verify offline, and receipts; what it
//! refuses is an event that could hold somebody's data, and a past that was changed.

mod canonical;
mod checkpoint;
mod db;
mod event;
mod identified;
mod layout;
mod log;
pub mod note;
mod publish;
mod signer;
mod store;
mod tree;
pub mod verify;

pub use canonical::MAX_STRING;
pub use db::{Db, DbError, Engine};
pub use event::{Event, MAX_EVENT, StoredEvent};
pub use identified::{Identified, Receipt};
pub use log::{Committed, Log, LogError, Tx, read_events};
pub use publish::PublishError;
pub use signer::LogSigner;
/// The database library, so that others name one version of it.
pub use sqlx;
