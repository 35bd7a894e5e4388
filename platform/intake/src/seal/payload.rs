//! What a sealed file holds, opened piece by piece: the header is the library's (its parsing, the identity, the MAC); the
//! pieces behind it are opened in the buffer they are read into.
//!
//! Enters: an age file, the producer's identity. Leaves: its plain bytes, in order. Refuses: a piece that was changed, moved
//! or left out, an end that is not the end. Source: age-encryption.org/v1 (STREAM: ChaCha20-Poly1305 over pieces of 64 KiB,
//! nonce = counter (11 bytes, big-endian) and a mark of the last piece).
//!
//! A delivery is read several times. The key is taken from its header once; a piece that is put in its place later does not
//! open under that key, which the holder and the producer alone know.

use std::{
    cell::{Cell, RefCell},
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom},
    ops::Range,
    rc::Rc,
};

use age::{DecryptError, secrecy::ExposeSecret as _, x25519};
use age_core::{
    format::{FileKey, Stanza},
    primitives::hkdf,
};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::error::ReceiveError;

pub(super) const PIECE: usize = 64 << 10;
const TAG: usize = 16;
const SEALED_PIECE: usize = PIECE + TAG;
/// The bytes between header and payload, from which the payload's key is made.
const SALT: u64 = 16;

/// A sealed file whose header was opened.
pub(super) struct Payload {
    file: File,
    key: LessSafeKey,
    /// Where the first piece begins.
    start: u64,
    /// Where the file ended when it was opened.
    end: u64,
}

impl Payload {
    /// Opens the header.
    pub(super) fn open(file: File, identity: &x25519::Identity) -> Result<Self, ReceiveError> {
        let end = file.metadata().map_err(ReceiveError::Read)?.len();
        (&file).rewind().map_err(ReceiveError::Read)?;
        let used = Rc::new(Cell::new(0));
        let input = Used { inner: BufReader::new(&file), used: used.clone() };
        let witness = Witness { identity, key: RefCell::default() };
        let decryptor = age::Decryptor::new_buffered(input).map_err(header_error)?;
        // The library checks the header's MAC here; its own reader of the payload is not used.
        let _ = decryptor
            .decrypt(std::iter::once(&witness as &dyn age::Identity))
            .map_err(header_error)?;
        let key = witness.key.into_inner().ok_or(ReceiveError::WrongKey)?;
        let start = used.get();
        let mut salt = [0; SALT as usize];
        (&file).seek(SeekFrom::Start(start - SALT)).map_err(ReceiveError::Read)?;
        (&file).read_exact(&mut salt).map_err(ReceiveError::Read)?;
        let key = hkdf(&salt, b"payload", key.expose_secret());
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_| ReceiveError::NotSealed)?;
        Ok(Self { file, key: LessSafeKey::new(key), start, end })
    }

    /// Size of the sealed file.
    pub(super) fn sealed_bytes(&self) -> u64 {
        self.end
    }

    /// Its pieces from the first.
    pub(super) fn pieces(&self) -> io::Result<Pieces<'_>> {
        let mut pieces = Pieces { payload: self, at: self.start, counter: 0 };
        pieces.seek(0)?;
        Ok(pieces)
    }

    /// Parts of the plain bytes, in order, as if nothing stood between them.
    pub(super) fn parts<R: Iterator<Item = Range<u64>>>(&self, ranges: R) -> Parts<'_, R> {
        let pieces = Pieces { payload: self, at: self.start, counter: 0 };
        Parts { pieces, ranges, rest: 0..0 }
    }
}

/// Parts of a payload.
pub(super) struct Parts<'p, R> {
    pieces: Pieces<'p>,
    ranges: R,
    /// What is left of the current one.
    rest: Range<u64>,
}

impl<R: Iterator<Item = Range<u64>>> Parts<'_, R> {
    /// Appends what one piece holds of the current part; false if there is no more.
    pub(super) fn append_next(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        while self.rest.is_empty() {
            let Some(next) = self.ranges.next() else { return Ok(false) };
            self.rest = next;
        }
        let from = plain.len();
        let piece = self.rest.start / PIECE as u64;
        self.pieces.seek(piece)?;
        self.pieces.append_next(plain)?;
        let begin = piece * PIECE as u64;
        let end = (begin + (plain.len() - from) as u64).min(self.rest.end);
        if end <= self.rest.start {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        plain.truncate(from + (end - begin) as usize);
        plain.drain(from..from + (self.rest.start - begin) as usize);
        self.rest.start = end;
        Ok(true)
    }
}

/// Pieces of a payload, one after the other.
pub(super) struct Pieces<'p> {
    payload: &'p Payload,
    at: u64,
    counter: u64,
}

impl Pieces<'_> {
    /// Goes to a piece, from 0.
    pub(super) fn seek(&mut self, piece: u64) -> io::Result<()> {
        let at = self.payload.start + piece * SEALED_PIECE as u64;
        if self.at != at || piece == 0 {
            (&self.payload.file).seek(SeekFrom::Start(at))?;
        }
        (self.at, self.counter) = (at, piece);
        Ok(())
    }

    /// Appends the next piece's plain bytes; false if there is none.
    pub(super) fn append_next(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        if self.at == self.payload.end && self.counter > 0 {
            return Ok(false);
        }
        let length = self.payload.end.saturating_sub(self.at).min(SEALED_PIECE as u64) as usize;
        if length < TAG {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from = plain.len();
        plain.reserve(length);
        if (&self.payload.file).take(length as u64).read_to_end(plain)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let piece = &mut plain[from..];
        self.at += length as u64;
        let last = self.at == self.payload.end;
        // Whether a whole piece is the last one or the file was cut behind it is told by its mark alone.
        let whole = (last && length == SEALED_PIECE).then(|| piece.to_vec());
        let opened = match self.open(piece, last) {
            Ok(plain) => plain.len(),
            Err(e) => {
                let goes_on = whole.is_some_and(|mut sealed| self.open(&mut sealed, false).is_ok());
                return Err(if goes_on { io::ErrorKind::UnexpectedEof.into() } else { e });
            }
        };
        if opened == 0 && self.counter > 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        plain.truncate(from + opened);
        self.counter += 1;
        Ok(true)
    }

    fn open<'a>(&self, piece: &'a mut [u8], last: bool) -> io::Result<&'a mut [u8]> {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.counter.to_be_bytes());
        nonce[11] = u8::from(last);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.payload.key.open_in_place(nonce, Aad::empty(), piece);
        opened.map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

/// Passes on what the identity finds, and keeps the file's key.
struct Witness<'i> {
    identity: &'i x25519::Identity,
    key: RefCell<Option<FileKey>>,
}

impl age::Identity for Witness<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let found = self.identity.unwrap_stanza(stanza)?;
        Some(found.inspect(|key| {
            let copy = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.expose_secret()));
            *self.key.borrow_mut() = Some(copy);
        }))
    }
}

/// Counts what was used of its input.
struct Used<R> {
    inner: R,
    used: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Used<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.used.set(self.used.get() + n as u64);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Used<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        self.used.set(self.used.get() + n as u64);
        self.inner.consume(n);
    }
}

fn header_error(e: DecryptError) -> ReceiveError {
    use DecryptError as D;
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use std::io::Write as _;

    use proptest::prelude::*;

    fn sealed(identity: &x25519::Identity, plain: &[u8]) -> Vec<u8> {
        let recipient = identity.to_public();
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let mut out = Vec::new();
        let mut writer =
            age::Encryptor::with_recipients(recipients).unwrap().wrap_output(&mut out).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap();
        out
    }

    fn on_disk(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    /// An opened payload of these plain bytes.
    pub(in super::super) fn payload_of(plain: &[u8]) -> Payload {
        let identity = x25519::Identity::generate();
        Payload::open(on_disk(&sealed(&identity, plain)), &identity).unwrap()
    }

    /// What the pieces of a file give, and how it ends.
    fn opened(file: File, identity: &x25519::Identity) -> (Vec<u8>, Result<(), io::ErrorKind>) {
        let payload = Payload::open(file, identity).unwrap();
        let mut pieces = payload.pieces().unwrap();
        let mut plain = Vec::new();
        loop {
            let before = plain.len();
            match pieces.append_next(&mut plain) {
                Ok(true) => {}
                Ok(false) => return (plain, Ok(())),
                Err(e) => {
                    plain.truncate(before);
                    return (plain, Err(e.kind()));
                }
            }
        }
    }

    #[test]
    fn what_the_library_seals_opens_whatever_its_length() {
        let identity = x25519::Identity::generate();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5 * PIECE + 77] {
            let plain: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            let bytes = sealed(&identity, &plain);
            let payload = Payload::open(on_disk(&bytes), &identity).unwrap();
            let mut pieces = payload.pieces().unwrap();
            let mut found = Vec::new();
            while pieces.append_next(&mut found).unwrap() {}
            assert_eq!(found, plain, "{length}");
            assert_eq!(payload.sealed_bytes(), bytes.len() as u64);
        }
    }

    #[test]
    fn a_cut_between_pieces_is_told_from_a_change() {
        let identity = x25519::Identity::generate();
        let bytes = sealed(&identity, &vec![5; 3 * PIECE + 9]);
        let start = bytes.len() - 9 - TAG - 3 * SEALED_PIECE;
        for pieces in 1..=3 {
            let (plain, end) = opened(on_disk(&bytes[..start + pieces * SEALED_PIECE]), &identity);
            assert_eq!(
                (plain.len(), end),
                ((pieces - 1) * PIECE, Err(io::ErrorKind::UnexpectedEof))
            );
        }
        // Pieces that changed places do not open, nor does what another sealing of the same put there.
        let mut swapped = bytes.clone();
        let (a, b) = swapped[start..].split_at_mut(SEALED_PIECE);
        a.swap_with_slice(&mut b[..SEALED_PIECE]);
        assert_eq!(opened(on_disk(&swapped), &identity), (vec![], Err(io::ErrorKind::InvalidData)));
        let file = on_disk(&bytes);
        let payload = Payload::open(file.try_clone().unwrap(), &identity).unwrap();
        let mut other = file;
        other.rewind().unwrap();
        other.write_all(&sealed(&identity, &vec![5; 3 * PIECE + 9])).unwrap();
        let failed = payload.pieces().unwrap().append_next(&mut Vec::new()).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn parts_are_what_stands_there() {
        let identity = x25519::Identity::generate();
        let plain: Vec<u8> = (0..3 * PIECE + 500).map(|n| (n / 7 % 251) as u8).collect();
        let payload = Payload::open(on_disk(&sealed(&identity, &plain)), &identity).unwrap();
        let end = plain.len() as u64;
        let piece = PIECE as u64;
        let ranges = [5..9, 9..9, 700..piece + 3, piece + 3..2 * piece, 3 * piece + 1..end];
        let want: Vec<u8> = ranges
            .iter()
            .flat_map(|r| plain[r.start as usize..r.end as usize].iter().copied())
            .collect();
        let mut found = Vec::new();
        let mut parts = payload.parts(ranges.into_iter());
        while parts.append_next(&mut found).unwrap() {}
        assert_eq!(found, want);
        let mut beyond = payload.parts(std::iter::once(end + piece..end + 2 * piece));
        assert!(beyond.append_next(&mut Vec::new()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_flipped_bit_or_a_cut_is_refused(
            length in 0..(2 * PIECE + 100),
            at in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let identity = x25519::Identity::generate();
            let mut bytes = sealed(&identity, &vec![3; length]);
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1;
            }
            let file = on_disk(&bytes);
            let refused = match Payload::open(file.try_clone().unwrap(), &identity) {
                Err(_) => true,
                Ok(_) => opened(file, &identity).1.is_err(),
            };
            prop_assert!(refused);
        }
    }
}
