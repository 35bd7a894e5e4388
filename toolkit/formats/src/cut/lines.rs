//! Lines of bounded length, with their ends.
//!
//! Enters: a stream. Leaves: lines and their numbers. Refuses: a line over the limit.

use std::io::{self, BufRead};

use super::CutError;

pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Calls `each` with every line, its end included, and its number; `before` lines were read already.
pub(super) fn lines<E: From<CutError>>(
    mut input: impl BufRead,
    before: u64,
    max_bytes: u64,
    mut each: impl FnMut(&[u8], u64) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    let mut number = before;
    while read_line(&mut input, &mut line, max_bytes, number + 1)? {
        number += 1;
        each(&line, number)?;
    }
    Ok(())
}

/// The next line with its end, of at most `max_bytes`; false at the end of the input.
pub(super) fn read_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    max_bytes: u64,
    number: u64,
) -> Result<bool, CutError> {
    line.clear();
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(CutError::Io(e)),
        };
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let (used, ended) =
            memchr::memchr(b'\n', buffer).map_or((buffer.len(), false), |i| (i + 1, true));
        if line.len() as u64 + used as u64 > max_bytes {
            return Err(CutError::TooLong { line: number });
        }
        line.extend_from_slice(&buffer[..used]);
        input.consume(used);
        if ended {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn lines_keep_their_ends_and_over_long_ones_are_named() {
        let mut input = &b"a\r\nbb\n\nccc"[..];
        let mut line = Vec::new();
        let mut got = Vec::new();
        while read_line(&mut input, &mut line, 3, got.len() as u64 + 1).unwrap() {
            got.push(line.clone());
        }
        assert_eq!(got.concat(), b"a\r\nbb\n\nccc");
        let mut input = &b"a\nbbbb\n"[..];
        assert!(read_line(&mut input, &mut line, 3, 1).unwrap());
        assert!(matches!(
            read_line(&mut input, &mut line, 3, 2),
            Err(CutError::TooLong { line: 2 })
        ));
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, b: &mut [u8]) -> io::Result<usize> {
                b.fill(b'x');
                Ok(b.len())
            }
        }
        let mut line = Vec::new();
        let mut input = io::BufReader::new(Endless);
        assert!(matches!(
            read_line(&mut input, &mut line, 1 << 20, 1),
            Err(CutError::TooLong { line: 1 })
        ));
        assert!(line.len() <= 1 << 20);
    }
}
