//! Checkpoints: signed notes with origin, size and root.

use tlog_tiles::{checkpoint::Checkpoint, tlog::Hash};

use crate::note::{self, NoteError, VerifyKey};

/// A verified checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verified {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// Verify a checkpoint's signature and read it. Its origin must be the key's name.
pub(crate) fn read(text: &str, key: &VerifyKey) -> Result<Verified, NoteError> {
    let body = note::verify(text, std::slice::from_ref(key))?;
    let read = Checkpoint::from_bytes(body.as_bytes()).map_err(|_| NoteError::Malformed)?;
    if read.origin() != key.name() {
        return Err(NoteError::Unsigned);
    }
    Ok(Verified { size: read.size(), root: *read.hash() })
}
