//! The key that signs the log's checkpoints.

use std::path::Path;

use kiban_kernel::Entropy;

use crate::note::{KeyFileError, NoteError, SigningKey, VerifyKey};

/// The log's signing key; its name is the log's origin.
#[derive(Clone)]
pub struct LogSigner(SigningKey);

impl LogSigner {
    /// A new key for the log called `origin` (by custom host and path, `producer.example/audit`).
    ///
    /// # Errors
    /// The name is not allowed, or chance failed.
    pub fn generate(entropy: &dyn Entropy, origin: &str) -> Result<Self, NoteError> {
        SigningKey::generate(entropy, origin).map(Self)
    }

    /// Read a key file that only its owner may read.
    ///
    /// # Errors
    /// Missing, too open, or malformed.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        SigningKey::load(path).map(Self)
    }

    /// Write a new key file that only its owner may read.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        self.0.save(path)
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.0.name()
    }

    /// The key that verifies the checkpoints.
    pub fn verify_key(&self) -> &VerifyKey {
        self.0.verify_key()
    }

    /// The key itself, for receipts and manifests the producer signs with it.
    pub fn key(&self) -> &SigningKey {
        &self.0
    }
}
