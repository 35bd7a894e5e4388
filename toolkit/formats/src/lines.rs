//! A byte stream as lines, with bounded memory.
//!
//! Enters: any reader. Leaves: lines without their terminator (LF or CRLF), each with its number and
//! offset. Refuses: a line longer than the limit, by its number, before it fills the memory.

use std::io::{self, Read};

/// Longest line by default: 64 MiB.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// Why lines could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// A line is longer than the limit.
    #[error("line {line} is longer than {limit} bytes")]
    TooLong {
        /// Number of the line, from 1.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// The reader failed.
    #[error("cannot read after line {line}")]
    Read {
        /// Last whole line.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl LineError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::TooLong { line, limit } => format!(
                "{line}行目が上限（{limit}バイト）を超えています。改行の欠落がないか提供元に確認してください。"
            ),
            Self::Read { line, .. } => {
                format!("{line}行目より後を読み取れません。ファイルと媒体を確認してください。")
            }
        }
    }
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'b> {
    /// Number, from 1.
    pub number: u64,
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Bytes without the terminator.
    pub bytes: &'b [u8],
}

/// Reads lines one after another into one buffer.
#[derive(Debug)]
pub struct LineReader<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    number: u64,
    limit: usize,
    finished: bool,
}

const CHUNK: usize = 64 << 10;

impl<R: Read> LineReader<R> {
    /// Lines of at most [`MAX_LINE_BYTES`].
    pub fn new(source: R) -> Self {
        Self::with_limit(source, MAX_LINE_BYTES)
    }

    /// Lines of at most `limit` bytes.
    pub fn with_limit(source: R, limit: usize) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset: 0,
            number: 0,
            limit,
            finished: false,
        }
    }

    /// The next line; `None` at the end. After an error there are no more lines.
    ///
    /// # Errors
    /// The line is too long, or the reader failed.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, LineError> {
        let mut searched = self.start;
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[searched..self.end]);
            let (stop, consumed) = match found {
                Some(at) => (searched + at, searched + at + 1),
                None if self.finished && self.start == self.end => return Ok(None),
                None if self.finished => (self.end, self.end),
                None => {
                    if self.end - self.start > self.limit {
                        return Err(self.too_long());
                    }
                    searched = self.end - self.start;
                    self.fill()?;
                    continue;
                }
            };
            let from = self.start;
            let cr = usize::from(stop > from && self.buffer[stop - 1] == b'\r');
            if stop - cr - from > self.limit {
                return Err(self.too_long());
            }
            let offset = self.offset;
            self.number += 1;
            self.offset += (consumed - from) as u64;
            self.start = consumed;
            let bytes = &self.buffer[from..stop - cr];
            return Ok(Some(Line { number: self.number, offset, bytes }));
        }
    }

    /// Moves what is left to the front and reads more.
    fn fill(&mut self) -> Result<(), LineError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            let room = self.buffer.len().min(self.limit.max(CHUNK));
            self.buffer.resize(self.buffer.len() + room, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.finished = read == 0;
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.stop();
                    return Err(LineError::Read { line: self.number, source });
                }
            }
        }
    }

    fn too_long(&mut self) -> LineError {
        self.stop();
        LineError::TooLong { line: self.number + 1, limit: self.limit }
    }

    fn stop(&mut self) {
        self.finished = true;
        self.start = 0;
        self.end = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, LineError> {
        let mut reader = LineReader::with_limit(bytes, limit);
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line()? {
            assert_eq!(line.number, lines.len() as u64 + 1);
            assert!(bytes[line.offset as usize..].starts_with(line.bytes));
            lines.push(line.bytes.to_vec());
        }
        Ok(lines)
    }

    #[test]
    fn terminators_and_the_last_line() {
        assert_eq!(all(b"a\r\nb\n\nc", 9).unwrap(), [&b"a"[..], b"b", b"", b"c"]);
        assert_eq!(all(b"a\n", 9).unwrap(), [b"a"]);
        assert!(all(b"", 9).unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_named_and_memory_stays_bounded() {
        let endless = io::Cursor::new(b"ok\n".to_vec()).chain(io::repeat(b'x'));
        let mut reader = LineReader::with_limit(endless, 1 << 20);
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"ok");
        assert!(matches!(reader.next_line(), Err(LineError::TooLong { line: 2, .. })));
        assert!(reader.buffer.len() <= 4 << 20);
        assert!(matches!(reader.next_line(), Ok(None)), "nothing follows an error");
    }

    proptest! {
        #[test]
        fn lines_are_those_of_split(text in "[a\r\n]{0,40}", pieces in 1usize..5) {
            struct Slow<'a>(&'a [u8], usize);
            impl Read for Slow<'_> {
                fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                    let n = self.1.min(self.0.len()).min(into.len());
                    into[..n].copy_from_slice(&self.0[..n]);
                    self.0 = &self.0[n..];
                    Ok(n)
                }
            }
            let mut expected: Vec<&str> = text.split('\n').collect();
            if expected.last() == Some(&"") { expected.pop(); }
            let mut reader = LineReader::new(Slow(text.as_bytes(), pieces));
            for line in expected {
                let got = reader.next_line().unwrap().unwrap();
                prop_assert_eq!(got.bytes, line.strip_suffix('\r').unwrap_or(line).as_bytes());
            }
            prop_assert!(reader.next_line().unwrap().is_none());
        }
    }
}
