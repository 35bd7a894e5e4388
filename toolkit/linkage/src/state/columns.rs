//! Numbers and texts as bytes: little-endian, each column with its length before it, a checksum at the end.

use std::io::{Read, Write};

use crate::{list::mix, state::StateError};

/// Bytes written or read at once.
const CHUNK: usize = 1 << 16;

/// A running hash of all bytes, eight at a time; it finds damage, it does not sign.
#[derive(Default)]
struct Check {
    hash: u64,
    rest: Vec<u8>,
}

impl Check {
    fn add(&mut self, mut bytes: &[u8]) {
        if !self.rest.is_empty() {
            let want = (8 - self.rest.len()).min(bytes.len());
            self.rest.extend_from_slice(&bytes[..want]);
            bytes = &bytes[want..];
            if self.rest.len() < 8 {
                return;
            }
            let word = self.rest.as_slice().try_into().unwrap_or_default();
            self.hash = mix(self.hash, u64::from_le_bytes(word));
            self.rest.clear();
        }
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.hash = mix(self.hash, u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
        self.rest.extend_from_slice(words.remainder());
    }
    fn end(&self) -> u64 {
        let mut last = [0; 8];
        last[..self.rest.len()].copy_from_slice(&self.rest);
        mix(mix(self.hash, u64::from_le_bytes(last)), self.rest.len() as u64)
    }
}

/// Columns out.
pub(super) struct Out<W> {
    to: W,
    check: Check,
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, check: Check::default() }
    }
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.check.add(bytes);
        self.to.write_all(bytes).map_err(StateError::Write)
    }
    pub(super) fn number(&mut self, n: u64) -> Result<(), StateError> {
        self.raw(&n.to_le_bytes())
    }
    pub(super) fn numbers(
        &mut self,
        len: usize,
        numbers: impl Iterator<Item = u32>,
    ) -> Result<(), StateError> {
        self.number(len as u64)?;
        let mut chunk = Vec::with_capacity(CHUNK);
        for n in numbers {
            chunk.extend_from_slice(&n.to_le_bytes());
            if chunk.len() >= CHUNK {
                self.raw(&chunk)?;
                chunk.clear();
            }
        }
        self.raw(&chunk)
    }
    pub(super) fn reals(&mut self, numbers: &[f64]) -> Result<(), StateError> {
        self.number(numbers.len() as u64)?;
        for n in numbers {
            self.number(n.to_bits())?;
        }
        Ok(())
    }
    /// Texts: their lengths, then themselves.
    pub(super) fn texts<'t>(
        &mut self,
        texts: impl Iterator<Item = &'t [u8]> + Clone,
    ) -> Result<(), StateError> {
        let count = texts.clone().count();
        self.numbers(count, texts.clone().map(|t| t.len() as u32))?;
        let mut chunk = Vec::with_capacity(CHUNK);
        for text in texts {
            chunk.extend_from_slice(text);
            if chunk.len() >= CHUNK {
                self.raw(&chunk)?;
                chunk.clear();
            }
        }
        self.raw(&chunk)
    }
    pub(super) fn end(mut self) -> Result<(), StateError> {
        let end = self.check.end();
        self.to.write_all(&end.to_le_bytes()).map_err(StateError::Write)?;
        self.to.flush().map_err(StateError::Write)
    }
}

/// Columns in. Lengths are not believed before their bytes are there.
pub(super) struct In<R> {
    from: R,
    check: Check,
}

impl<R: Read> In<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, check: Check::default() }
    }
    pub(super) fn raw(&mut self, bytes: &mut [u8]) -> Result<(), StateError> {
        self.from.read_exact(bytes).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => StateError::Damaged,
            _ => StateError::Read(e),
        })?;
        self.check.add(bytes);
        Ok(())
    }
    pub(super) fn number(&mut self) -> Result<u64, StateError> {
        let mut bytes = [0; 8];
        self.raw(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    /// So many bytes, in pieces.
    fn pieces(&mut self, len: u64, mut each: impl FnMut(&[u8])) -> Result<(), StateError> {
        let mut piece = vec![0; CHUNK];
        let mut left = len;
        while left > 0 {
            let now = left.min(CHUNK as u64) as usize;
            self.raw(&mut piece[..now])?;
            each(&piece[..now]);
            left -= now as u64;
        }
        Ok(())
    }
    pub(super) fn numbers(&mut self) -> Result<Vec<u32>, StateError> {
        let len = self.number()?;
        let bytes = len.checked_mul(4).ok_or(StateError::Damaged)?;
        let mut out = Vec::new();
        self.pieces(bytes, |piece| {
            out.extend(
                piece.chunks_exact(4).map(|n| u32::from_le_bytes(n.try_into().unwrap_or_default())),
            );
        })?;
        Ok(out)
    }
    /// Numbers of which there must be so many.
    pub(super) fn column(&mut self, len: usize) -> Result<Vec<u32>, StateError> {
        let out = self.numbers()?;
        if out.len() == len { Ok(out) } else { Err(StateError::Damaged) }
    }
    pub(super) fn reals(&mut self, len: usize) -> Result<Vec<f64>, StateError> {
        if self.number()? != len as u64 {
            return Err(StateError::Damaged);
        }
        (0..len)
            .map(|_| {
                let n = f64::from_bits(self.number()?);
                if n.is_finite() { Ok(n) } else { Err(StateError::Damaged) }
            })
            .collect()
    }
    /// Texts, one after the other.
    pub(super) fn texts(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), StateError> {
        let lengths = self.numbers()?;
        let mut all = Vec::new();
        let total = lengths.iter().map(|l| u64::from(*l)).sum();
        self.pieces(total, |piece| all.extend_from_slice(piece))?;
        let mut rest = &all[..];
        for length in lengths {
            let (text, tail) = rest.split_at(length as usize);
            each(text);
            rest = tail;
        }
        Ok(())
    }
    pub(super) fn end(mut self) -> Result<(), StateError> {
        let end = self.check.end();
        let mut bytes = [0; 8];
        self.from.read_exact(&mut bytes).map_err(|_| StateError::Damaged)?;
        let more = self.from.read(&mut [0]).map_err(StateError::Read)?;
        if end == u64::from_le_bytes(bytes) && more == 0 {
            Ok(())
        } else {
            Err(StateError::Damaged)
        }
    }
}
