//! The digest of what is read, on the way.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{Context, SHA256};
use kiban_kernel::Digest;

/// The SHA-256 of what was read so far.
#[derive(Clone)]
pub(super) struct Running(Arc<Mutex<Context>>);

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(sha256())))
    }
}

/// A SHA-256 of nothing yet.
pub(super) fn sha256() -> Context {
    Context::new(&SHA256)
}

/// What a SHA-256 came to.
pub(super) fn digest(hash: Context) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.finish().as_ref());
    Digest::from_bytes(digest)
}

impl Running {
    pub(super) fn digest(&self) -> Digest {
        digest(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Hashes what is read through it.
pub(super) struct HashReader<R> {
    pub(super) inner: R,
    pub(super) hash: Running,
}

impl<R: Read> Read for HashReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.0.lock().unwrap_or_else(PoisonError::into_inner).update(&buffer[..n]);
        Ok(n)
    }
}
