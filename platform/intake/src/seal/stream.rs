//! The sealed stream: decrypted as it is read, hashed on the way.

use std::{
    io::{self, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
};

use age::x25519;
use kiban_kernel::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::ReceiveError;

pub(super) fn open_age<R: Read>(
    source: R,
    identity: &x25519::Identity,
) -> Result<impl Read + use<R>, ReceiveError> {
    let buffered = BufReader::with_capacity(256 << 10, source);
    let decryptor = age::Decryptor::new_buffered(buffered).map_err(header_error)?;
    decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).map_err(header_error)
}

fn header_error(e: age::DecryptError) -> ReceiveError {
    use age::DecryptError as D;
    match e {
        D::NoMatchingKeys => ReceiveError::WrongKey,
        D::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            ReceiveError::Truncated { file: None }
        }
        D::Io(e) => ReceiveError::Read(e),
        D::InvalidMac | D::DecryptionFailed | D::KeyDecryptionFailed => {
            ReceiveError::Altered { file: None }
        }
        _ => ReceiveError::NotSealed,
    }
}

/// The SHA-256 of what was read so far.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Sha256>>);

impl Running {
    pub(super) fn digest(&self) -> Digest {
        let hash = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Digest::from_bytes(hash.finalize().into())
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
