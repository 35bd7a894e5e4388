//! The audit log: what enters is one event per transaction of the governance database; what leaves
//! is a signed checkpoint, a published copy that anybody can verify offline, and receipts; what it
//! refuses is an event that could hold somebody's data, and to build on a past that was changed.
//!
//! # Guarantee
//! - `audit.one-event`: a transaction's rows and its one event are there together or not at all, and
//!   two writers, also of two processes, never share a place (`tests/it/commit.rs`).
//! - `audit.opaque`: an event holds ids, codes, counts and digests; a string that is not short
//!   printable ASCII is refused, and no error quotes it (`tests/it/refuse.rs`).
//! - `audit.tamper-evident`: after changing, deleting, inserting, swapping or cutting any event, leaf
//!   hash, tree hash, column, checkpoint or published file, with or without mending the hashes beside
//!   it, the verifier fails and names the first bad event (`tests/it/tamper_db.rs`, `tamper_copy.rs`).
//! - `audit.against`: rolling everything back, forking the past, or replacing the log with its key
//!   shows against a checkpoint found elsewhere (`tests/it/held.rs`).
//! - `audit.no-resume`: a log whose database and copy contradict each other does not open, and nothing
//!   is signed on top of a tree that is not the one signed last (`tests/it/held.rs`).
//! - `audit.crash-safe`: the process may end at any step; what was told as committed is there, and the
//!   next opening completes the published copy (`tests/it/crash.rs`).
//! - `audit.public`: the copy is C2SP tlog-tiles: other implementations prove every event and the
//!   growth between two checkpoints (`tests/it/publish.rs`, `stranger.rs`).
//! - `audit.on-record`: [`Identified`] data open only against a [`Receipt`], which only a committed
//!   event mints (`tests/it/commit.rs`, and the examples below that do not compile).
//!
//! ```compile_fail,E0616
//! # fn f(named: kiban_audit::Identified<String>) {
//! let name = named.0;
//! # }
//! ```
//! ```compile_fail,E0277
//! # fn f(named: kiban_audit::Identified<String>) {
//! println!("{named:?}");
//! # }
//! ```
//! ```compile_fail,E0451
//! let forged = kiban_audit::Receipt { index: 0, checkpoint: String::new() };
//! ```
//!
//! # Example
//! ```no_run
//! # use kiban_audit::{Event, Log};
//! # async fn receive(log: &Log, actor: &kiban_govern::Actor, id: String) -> Result<(), kiban_audit::LogError> {
//! let mut tx = log.begin().await?;
//! let at = tx.now().to_string();
//! sqlx::query("INSERT INTO delivery (id, at) VALUES ($1, $2)").bind(&id).bind(at).execute(tx.conn()).await?;
//! tx.note("lake", serde_json::json!({ "snapshot": 7 }));
//! let body = serde_json::json!({ "persons": 210 });
//! let committed = tx.commit(Event { kind: "delivery.received", actor, subject: id, law: None, body }).await?;
//! println!("{}", committed.checkpoint);
//! # Ok(()) }
//! ```

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
pub use log::{Committed, Log, LogError, Tx, each_event};
pub use publish::PublishError;
pub use signer::LogSigner;
/// The database library, so that others name one version of it.
pub use sqlx;
