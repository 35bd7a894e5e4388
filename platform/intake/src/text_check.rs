//! Whether lines of text are UTF-8, checked while they stream by.

use std::str;

/// The line, from 1, that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotUtf8(pub(crate) u64);

/// Streams over one file.
#[derive(Debug, Default)]
pub(crate) struct Utf8Check {
    /// Ends of lines so far.
    lines: u64,
    /// The beginning of a character whose end is still to come.
    carry: Vec<u8>,
}

impl Utf8Check {
    pub(crate) fn feed(&mut self, mut chunk: &[u8]) -> Result<(), NotUtf8> {
        while !self.carry.is_empty() {
            let Some((first, rest)) = chunk.split_first() else { return Ok(()) };
            self.carry.push(*first);
            chunk = rest;
            match str::from_utf8(&self.carry) {
                Ok(_) => self.carry.clear(),
                Err(e) if e.error_len().is_none() && self.carry.len() < 4 => {}
                Err(_) => return Err(self.here()),
            }
        }
        let (valid, error) = match str::from_utf8(chunk) {
            Ok(_) => (chunk, None),
            Err(e) => (&chunk[..e.valid_up_to()], Some(e)),
        };
        self.lines += memchr::memchr_iter(b'\n', valid).count() as u64;
        match error {
            None => Ok(()),
            Some(e) if e.error_len().is_none() => {
                self.carry.extend_from_slice(&chunk[e.valid_up_to()..]);
                Ok(())
            }
            Some(_) => Err(self.here()),
        }
    }

    pub(crate) fn finish(&self) -> Result<(), NotUtf8> {
        if self.carry.is_empty() { Ok(()) } else { Err(self.here()) }
    }

    fn here(&self) -> NotUtf8 {
        NotUtf8(self.lines + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], step: usize) -> Result<(), NotUtf8> {
        let mut check = Utf8Check::default();
        bytes.chunks(step).try_for_each(|chunk| check.feed(chunk))?;
        check.finish()
    }

    #[test]
    fn the_line_is_found_whatever_the_chunks() {
        let text = "{\"a\":\"見本\"}\n\n{\"b\":1}\r\n{}".as_bytes();
        let bad = [text, b"\n{\"\xff\"}"].concat();
        let cut = [text, b"\xe8"].concat();
        for step in 1..40 {
            assert_eq!(check(text, step), Ok(()), "{step}");
            assert_eq!(check(&bad, step), Err(NotUtf8(5)), "{step}");
            assert_eq!(check(&cut, step), Err(NotUtf8(4)), "{step}");
        }
    }
}
