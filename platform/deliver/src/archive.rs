//! The tar inside a package: the manifest first, then the files by path; no times, no owners.

use std::io::{self, Read, Write};

use kiban_kernel::Digest;
use sha2::{Digest as _, Sha256};

use crate::{Payload, payload::MANIFEST};

/// Write the tar.
pub(crate) fn write<W: Write>(note: &str, payload: &Payload, out: W) -> io::Result<W> {
    let mut tar = tar::Builder::new(out);
    let files = payload.files().iter().map(|f| (f.path.as_str(), f.bytes.as_slice()));
    for (path, bytes) in std::iter::once((MANIFEST, note.as_bytes())).chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, path, bytes)?;
    }
    tar.into_inner()
}

/// Counts and hashes what is written.
pub(crate) struct Hashing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> Hashing<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }
    pub(crate) fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest::from_bytes(self.hash.finalize().into()), self.size)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hash.update(&buf[..n]);
        self.size += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Digest and length of a stream, in bounded memory.
pub(crate) fn digest_of(mut from: impl Read) -> io::Result<(Digest, u64)> {
    let mut hashing = Hashing::new(io::sink());
    io::copy(&mut from, &mut hashing)?;
    let (_, digest, size) = hashing.finish();
    Ok((digest, size))
}
