//! The producer's receipt: what came, what was kept, what was not and why, under its signature and with
//! the checkpoint of the event that records it.
//!
//! # Law
//! `receipt_record`

use kiban_audit::note::{self, NoteError, SigningKey, VerifyKey};
use kiban_kernel::{Digest, Id, Timestamp, kinds};

use crate::{report::Counts, seal::Checked};

/// Format of a receipt written by this version.
pub const RECEIPT_FORMAT: &str = "kiban.receipt/1";

/// With more files than this a receipt names their digests by the digest of their list alone (a signed
/// note is at most 999,000 bytes long).
pub const MAX_LISTED_FILES: usize = 10_000;

/// The text a producer signs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptText {
    /// [`RECEIPT_FORMAT`].
    pub format: String,
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// The sender.
    pub holder: Id<kinds::Organization>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Digest of the sealed file as received.
    pub sealed_sha256: Digest,
    /// Digest of the list of files: the one the holder signed.
    pub files_sha256: Digest,
    /// Digest of each file, in the sender's order; empty if there are more than [`MAX_LISTED_FILES`].
    pub files: Vec<Digest>,
    /// What was kept and what was not.
    pub counts: Counts,
    /// Index of the event that records the receipt.
    pub event_index: u64,
    /// The signed checkpoint of the event log just after it.
    pub checkpoint: String,
}

/// Why a receipt was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not signed, or not by this key.
    #[error("the receipt's signature does not verify")]
    Signature(#[source] NoteError),
    /// Not a receipt of a known version.
    #[error("the receipt cannot be understood")]
    Format,
}

impl ReceiptError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Signature(e) => e.ja(),
            Self::Format => "受領書を解釈できません。ソフトウェアの版を確認してください。".into(),
        }
    }
}

impl ReceiptText {
    /// The receipt of a delivery that the event `event_index` records.
    pub fn new(
        checked: &Checked,
        received_at: Timestamp,
        counts: Counts,
        event_index: u64,
        checkpoint: String,
    ) -> Self {
        let files = checked.files();
        Self {
            format: RECEIPT_FORMAT.to_owned(),
            delivery: checked.manifest().delivery,
            holder: checked.manifest().holder,
            received_at,
            sealed_sha256: checked.sealed_digest(),
            files_sha256: checked.manifest().files.sha256,
            files: if files.len() > MAX_LISTED_FILES {
                vec![]
            } else {
                files.iter().map(|f| f.sha256).collect()
            },
            counts,
            event_index,
            checkpoint,
        }
    }

    /// Signs it.
    ///
    /// # Errors
    /// The text is too long for a note: too many reasons, which the limits exclude.
    pub fn sign(&self, key: &SigningKey) -> Result<String, ReceiptError> {
        let mut text = serde_json::to_string(self).map_err(|_| ReceiptError::Format)?;
        text.push('\n');
        note::sign(&text, key).map_err(ReceiptError::Signature)
    }
}

/// The text of a receipt that `producer` signed.
///
/// # Errors
/// Not signed by it, or not a receipt.
pub fn verify(signed: &str, producer: &VerifyKey) -> Result<ReceiptText, ReceiptError> {
    let text =
        note::verify(signed, std::slice::from_ref(producer)).map_err(ReceiptError::Signature)?;
    let receipt: ReceiptText = serde_json::from_str(&text).map_err(|_| ReceiptError::Format)?;
    if receipt.format == RECEIPT_FORMAT { Ok(receipt) } else { Err(ReceiptError::Format) }
}
