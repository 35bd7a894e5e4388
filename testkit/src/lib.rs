//! Help for tests, never part of a product: a throw-away database with its log, fixed time, seeded
//! chance, and steps at which the process ends.
//!
//! ```no_run
//! # async fn example() {
//! let db = kiban_testkit::TestDb::sqlite().await;
//! let log = db.log().await;
//! let tx = log.begin().await.unwrap();
//! # drop(tx); }
//! ```

mod authenticator;
mod child;
mod db;
mod entropy;
mod people;
mod steps;

pub use authenticator::{Authenticator, Created, Got};
pub use child::Child;
pub use db::{TestDb, each_database, missing};
pub use entropy::SeededEntropy;
pub use kiban_kernel::{FixedClock, NoSteps, ScriptedClock};
pub use people::{actor, id};
pub use steps::{AbortAt, CountingSteps};
