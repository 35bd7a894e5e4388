//! A payload read from its beginning, in which whole pieces can be passed over without being opened.

use std::io::{self, Read};

use super::payload::{PIECE, Payload, Pieces};

/// Reads the plain bytes of a payload here and there.
pub(super) struct Jump<'p> {
    pieces: Pieces<'p>,
    /// The piece at hand, where it begins, and what was read of it.
    plain: Vec<u8>,
    from: u64,
    at: usize,
}

impl<'p> Jump<'p> {
    /// From the first byte on.
    pub(super) fn over(payload: &'p Payload) -> io::Result<Self> {
        Ok(Self { pieces: payload.pieces()?, plain: Vec::new(), from: 0, at: 0 })
    }

    /// Passes over so many bytes.
    pub(super) fn pass(&mut self, n: u64) -> io::Result<()> {
        let to = self.from + self.at as u64 + n;
        if to > self.from + self.plain.len() as u64 {
            let piece = to / PIECE as u64;
            self.pieces.seek(piece)?;
            self.plain.clear();
            self.from = piece * PIECE as u64;
            if !self.pieces.append_next(&mut self.plain)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.at = (to - self.from) as usize;
        if self.at > self.plain.len() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Read for Jump<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.plain.len() {
            self.from += self.plain.len() as u64;
            self.plain.clear();
            self.at = 0;
            self.pieces.append_next(&mut self.plain)?;
        }
        let rest = &self.plain[self.at..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::payload::tests::payload_of, *};

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_read_is_what_stands_there(
            length in 0..3 * PIECE + 9,
            ways in proptest::collection::vec((any::<bool>(), 0..90_000_usize), 0..9),
        ) {
            let plain: Vec<u8> = (0..length).map(|n| (n / 7 % 251) as u8).collect();
            let payload = payload_of(&plain);
            let mut jump = Jump::over(&payload).unwrap();
            let mut at = 0;
            for (reads, n) in ways {
                let whole = at + n <= length;
                if reads {
                    let mut found = Vec::new();
                    (&mut jump).take(n as u64).read_to_end(&mut found).unwrap();
                    prop_assert_eq!(&found, &plain[at..(at + n).min(length)]);
                } else if jump.pass(n as u64).is_err() {
                    prop_assert!(!whole);
                    return Ok(());
                } else {
                    prop_assert!(whole);
                }
                at = (at + n).min(length);
            }
        }
    }
}
