//! The columnar store of identified rows, and the source bytes they were read from.
//!
//! Enters: the segments of a checked delivery, each with the gate's decision on its person. Leaves: rows of
//! the canonical tables and source bytes in the lake, by snapshot; a segment's bytes against a receipt.
//! Refuses: what the gate did not clear, and a commit after a stop or another commit that the gate did not
//! see.
//!
//! # Guarantee
//! - `vault.not-in-the-clear`: no named value is on disk in the clear, in no file of the deployment.
//! - `vault.erasure-only`: what a snapshot holds changes by erasure only.
//! - `vault.refused-nothing`: of a refused record nothing stays but a count and a reason.
//! - `vault.twice-is-once`: the same segments received again change nothing; a basis that was missing and is
//!   cleared now is added.
//! - `vault.newest-counts`: of a source record that has a name, the rows of its newest version alone are in the newest
//!   snapshot, none if it was taken back; every version stays in the record's history.
//! - `vault.same-bytes`: the bytes kept are the bytes sent.
//! - `vault.erased`: after its stores ([`STORES`]) acknowledged an order, no row of the persons under the regimes is in
//!   any snapshot, and no key of their source bytes remains unless the other regime keeps them; in whatever order they
//!   answered, and however often they were asked.

mod bases;
mod clear;
mod delivery;
mod erase;
mod error;
mod history;
mod known;
mod lots;
mod people;
mod prepared;
mod read;
mod refusal;
mod revise;
mod row_lots;
mod sayings;
mod scan;
mod segments;
mod version_rows;
mod versions;
mod writer;

use kiban_lake::id_table;

pub use delivery::{StoreDeliveryError, Stored, prepare};
pub use erase::{STORES, VaultStore};
pub use error::VaultError;
pub use history::{RecordValue, RecordVersion};
pub use prepared::Prepared;
pub use read::SourceBytes;
pub use refusal::reason_ja;
pub use revise::Revisions;
pub use version_rows::{Cause, State};

/// What a reader of the vault needs of the register: records cleared under one regime.
pub use kiban_register::{Anon52, Basis, ClearError, Cleared, Pseudo57};

use kiban_intake::SegmentIds;
use kiban_lake::{KeyError, Lake};
use sqlx::AnyConnection;

/// The vault of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    lake: Lake,
}

impl Vault {
    /// Over an open lake.
    pub fn new(lake: Lake) -> Self {
        Self { lake }
    }

    /// The lake it stores in.
    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    /// The keyed ids of segments; makes the deployment's secret on first use.
    ///
    /// # Errors
    /// The secret cannot be read or made.
    pub async fn segment_ids(&self, conn: &mut AnyConnection) -> Result<SegmentIds, KeyError> {
        Ok(SegmentIds::new(self.lake.ring().secret(conn, "segment").await?.expose()))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
mod tests;
