//! The sealed file: 64 KiB pieces under a key of its own.
//!
//! ```text
//! header  "KIBANKBS" (8) | key id (8) | salt (32)
//! piece   64 KiB of AES-256-GCM, tag (16)        … the last piece may be shorter, and empty only alone
//! key     HMAC-SHA256(class key, "kbs/1" | key id | salt | path)
//! nonce   piece number, big-endian (8) | 0 0 0 | 1 if last
//! ```
//! So a flipped bit, a cut at any place, swapped pieces, a piece of another file and a file moved to
//! another path are all refused. The plain size follows from the sealed size.

use std::io::{self, Write};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use kiban_kernel::{Entropy as _, OsEntropy};
use zeroize::Zeroize as _;

use crate::{
    KeyError, SealError,
    keys::{DataClass, KeyId, KeyRing},
};

/// Plain bytes in a full piece.
pub(crate) const PIECE: usize = 64 * 1024;
pub(crate) const TAG: usize = 16;
pub(crate) const HEADER: usize = 48;
const MAGIC: &[u8; 8] = b"KIBANKBS";
const SEALED_PIECE: u64 = (PIECE + TAG) as u64;

/// First bytes of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) key_id: KeyId,
    salt: [u8; 32],
}

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let bytes: &[u8; HEADER] =
            bytes.get(..HEADER).and_then(|b| b.try_into().ok()).ok_or(SealError::Size)?;
        if &bytes[..8] != MAGIC {
            return Err(SealError::Format);
        }
        let (mut key_id, mut salt) = ([0; 8], [0; 32]);
        key_id.copy_from_slice(&bytes[8..16]);
        salt.copy_from_slice(&bytes[16..]);
        Ok(Self { key_id, salt })
    }

    fn to_bytes(self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..8].copy_from_slice(MAGIC);
        out[8..16].copy_from_slice(&self.key_id);
        out[16..].copy_from_slice(&self.salt);
        out
    }
}

/// The key of one sealed file.
pub(crate) struct FileKey(LessSafeKey);

impl FileKey {
    /// The key of the file at `path` whose header was read.
    pub(crate) fn existing(ring: &KeyRing, path: &str, header: &Header) -> Result<Self, SealError> {
        let class = DataClass::of_path(path).ok_or(SealError::NoClass)?;
        let key = ring.find(class, &header.key_id).map_err(SealError::Key)?;
        Self::derive(key, header, path)
    }

    /// A new key for a file to be written at `path`, and its header.
    pub(crate) fn fresh(ring: &KeyRing, path: &str) -> Result<(Header, Self), SealError> {
        let class = DataClass::of_path(path).ok_or(SealError::NoClass)?;
        let (key_id, key) = ring.current(class).map_err(SealError::Key)?;
        let mut salt = [0; 32];
        OsEntropy.fill(&mut salt).map_err(|e| SealError::Key(KeyError::Entropy(e)))?;
        let header = Header { key_id, salt };
        Ok((header, Self::derive(key, &header, path)?))
    }

    fn derive(key: &crate::Secret, header: &Header, path: &str) -> Result<Self, SealError> {
        let mut bytes = key.mac(&[b"kbs/1", &header.key_id, &header.salt, path.as_bytes()]);
        let unbound = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_256_GCM, &bytes);
        bytes.zeroize();
        Ok(Self(LessSafeKey::new(unbound.map_err(|_| SealError::Key(KeyError::Cipher))?)))
    }

    fn nonce(index: u64, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&index.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seal a piece in place; the tag is appended.
    pub(crate) fn seal(
        &self,
        index: u64,
        last: bool,
        piece: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        self.0
            .seal_in_place_append_tag(Self::nonce(index, last), Aad::empty(), piece)
            .map_err(|_| SealError::Key(KeyError::Cipher))
    }

    /// Open a piece in place; the plain bytes are a prefix of what was given.
    pub(crate) fn open<'a>(
        &self,
        index: u64,
        last: bool,
        piece: &'a mut [u8],
    ) -> Result<&'a mut [u8], SealError> {
        self.0
            .open_in_place(Self::nonce(index, last), Aad::empty(), piece)
            .map_err(|_| SealError::Tampered { piece: index })
    }
}

/// Number of pieces and plain size of a sealed file of this size.
pub(crate) fn layout(sealed: u64) -> Result<(u64, u64), SealError> {
    let body = sealed.checked_sub(HEADER as u64).ok_or(SealError::Size)?;
    let pieces = body.div_ceil(SEALED_PIECE).max(1);
    let last = body.checked_sub((pieces - 1) * SEALED_PIECE).ok_or(SealError::Size)?;
    // An empty last piece stands only alone; each plain size has one sealed size.
    if last < TAG as u64 || (last == TAG as u64 && pieces > 1) {
        return Err(SealError::Size);
    }
    Ok((pieces, body - pieces * TAG as u64))
}

/// Where piece `index` of a sealed file of this size lies.
pub(crate) fn piece_range(index: u64, sealed: u64) -> std::ops::Range<u64> {
    let start = HEADER as u64 + index * SEALED_PIECE;
    start..(start + SEALED_PIECE).min(sealed)
}

/// Open all of a sealed file.
pub(crate) fn open_all(ring: &KeyRing, path: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let key = FileKey::existing(ring, path, &Header::parse(sealed)?)?;
    let (pieces, plain) = layout(sealed.len() as u64)?;
    let mut out = Vec::with_capacity(plain as usize);
    let mut buffer = Vec::with_capacity(PIECE + TAG);
    for index in 0..pieces {
        let range = piece_range(index, sealed.len() as u64);
        buffer.clear();
        buffer.extend_from_slice(&sealed[range.start as usize..range.end as usize]);
        out.extend_from_slice(key.open(index, index + 1 == pieces, &mut buffer)?);
    }
    Ok(out)
}

/// Seals what is written to it, piece by piece, in bounded memory.
pub(crate) struct Sealer<W: Write> {
    inner: W,
    key: FileKey,
    piece: Vec<u8>,
    index: u64,
}

impl<W: Write> Sealer<W> {
    /// Begin a sealed file that will stand at `path`.
    pub(crate) fn new(ring: &KeyRing, path: &str, mut inner: W) -> Result<Self, SealError> {
        let (header, key) = FileKey::fresh(ring, path)?;
        inner.write_all(&header.to_bytes()).map_err(SealError::Io)?;
        Ok(Self { inner, key, piece: Vec::with_capacity(PIECE + TAG), index: 0 })
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        self.key.seal(self.index, last, &mut self.piece).map_err(io::Error::other)?;
        self.inner.write_all(&self.piece)?;
        self.piece.clear();
        self.index += 1;
        Ok(())
    }

    /// Seal the last piece and give the writer back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// What was written so far and not yet taken.
    pub(crate) fn inner_mut(&mut self) -> &mut W {
        &mut self.inner
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE && !buf.is_empty() {
            self.put(false)?; // only now is it known not to be the last
        }
        let taken = buf.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&buf[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
