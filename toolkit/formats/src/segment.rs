//! A byte stream as segments of several lines: a claim, the rows of one stay, a whole notebook.
//!
//! Enters: any reader, and a rule that says of each line whether it begins a segment. Leaves: segments
//! one after another, each with its place and its bytes, line ends included, so that the segments of a
//! file joined are the file. Refuses: a segment longer than the limit, by its first line, before it fills
//! the memory. Memory: one segment and one read.

use std::{
    fmt,
    io::{self, Read},
};

/// Longest segment by default: 16 MiB.
pub const MAX_SEGMENT_BYTES: usize = 16 << 20;

/// What a line means for the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It begins a segment.
    Begin,
    /// It belongs to the segment of the line before.
    Continue,
    /// It is a segment of its own (a header, a trailer).
    Alone,
}

/// Why segments could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A segment is longer than the limit.
    #[error("the segment at line {line} is longer than {limit} bytes")]
    TooLong {
        /// Number of its first line, from 1.
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

impl SegmentError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::TooLong { line, limit } => format!(
                "{line}行目からのひとまとまりが上限（{limit}バイト）を超えています。改行やレコードの欠落がないか提供元に確認してください。"
            ),
            Self::Read { line, .. } => {
                format!("{line}行目より後を読み取れません。ファイルと媒体を確認してください。")
            }
        }
    }
}

/// Some lines that belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Segment<'b> {
    /// Number in the stream, from 1.
    pub number: u64,
    /// Number of its first line, from 1.
    pub first_line: u64,
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Its bytes, with the ends of its lines.
    pub bytes: &'b [u8],
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Segment {} at line {}, offset {}, {} bytes",
            self.number,
            self.first_line,
            self.offset,
            self.bytes.len()
        )
    }
}

/// Reads segments one after another into one buffer.
pub struct SegmentReader<R, F> {
    source: R,
    cut: F,
    buffer: Vec<u8>,
    /// Beginning of the open segment.
    start: usize,
    /// Beginning of the first line that was not judged.
    next: usize,
    /// Up to where the line at `next` was searched for its end.
    searched: usize,
    end: usize,
    offset: u64,
    line: u64,
    lines_open: u64,
    number: u64,
    alone: bool,
    limit: usize,
    finished: bool,
}

const CHUNK: usize = 256 << 10;

impl<R, F> fmt::Debug for SegmentReader<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentReader at line {}", self.line)
    }
}

impl<R: Read, F: FnMut(&[u8]) -> Cut> SegmentReader<R, F> {
    /// Segments of at most [`MAX_SEGMENT_BYTES`]; `cut` sees each line without its end, in order.
    pub fn new(source: R, cut: F) -> Self {
        Self::with_limit(source, cut, MAX_SEGMENT_BYTES)
    }

    /// Segments of at most `limit` bytes.
    pub fn with_limit(source: R, cut: F, limit: usize) -> Self {
        Self {
            source,
            cut,
            buffer: vec![0; CHUNK],
            start: 0,
            next: 0,
            searched: 0,
            end: 0,
            offset: 0,
            line: 1,
            lines_open: 0,
            number: 0,
            alone: false,
            limit,
            finished: false,
        }
    }

    /// The next segment; `None` at the end. After an error there are no more segments.
    ///
    /// # Errors
    /// The segment is too long, or the reader failed.
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>, SegmentError> {
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]);
            let stop = match found {
                Some(at) => self.searched + at + 1,
                None if self.finished && self.next == self.end => {
                    if self.next == self.start {
                        return Ok(None);
                    }
                    let lines = std::mem::take(&mut self.lines_open);
                    return Ok(Some(self.take(self.end, lines)));
                }
                None if self.finished => self.end,
                None => {
                    self.searched = self.end;
                    self.fill()?;
                    continue;
                }
            };
            let line = &self.buffer[self.next..stop];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let cut = (self.cut)(line.strip_suffix(b"\r").unwrap_or(line));
            let from = self.next;
            let begins = self.alone || cut != Cut::Continue;
            self.next = stop;
            self.searched = stop;
            self.alone = cut == Cut::Alone;
            if begins && from > self.start {
                let lines = std::mem::replace(&mut self.lines_open, 1);
                return Ok(Some(self.take(from, lines)));
            }
            self.lines_open += 1;
            if self.next - self.start > self.limit {
                return Err(self.too_long());
            }
        }
    }

    fn take(&mut self, stop: usize, lines: u64) -> Segment<'_> {
        let from = self.start;
        let (first_line, offset) = (self.line, self.offset);
        self.number += 1;
        self.line += lines;
        self.offset += (stop - from) as u64;
        self.start = stop;
        Segment { number: self.number, first_line, offset, bytes: &self.buffer[from..stop] }
    }

    /// Moves what is open to the front and reads more.
    fn fill(&mut self) -> Result<(), SegmentError> {
        if self.end - self.start > self.limit {
            return Err(self.too_long());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        let moved = self.start;
        self.end -= moved;
        self.next -= moved;
        self.searched -= moved;
        self.start = 0;
        if self.buffer.len() - self.end < CHUNK / 2 {
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
                    let line = self.line + self.lines_open - 1;
                    self.stop();
                    return Err(SegmentError::Read { line, source });
                }
            }
        }
    }

    fn too_long(&mut self) -> SegmentError {
        self.stop();
        SegmentError::TooLong { line: self.line, limit: self.limit }
    }

    fn stop(&mut self) {
        self.finished = true;
        (self.start, self.next, self.searched, self.end) = (0, 0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(line: &[u8]) -> Cut {
        match line.first() {
            Some(b'B') => Cut::Begin,
            Some(b'A') => Cut::Alone,
            _ => Cut::Continue,
        }
    }

    fn all(bytes: &[u8], step: usize) -> Vec<(u64, Vec<u8>)> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let n = self.1.min(self.0.len()).min(into.len());
                into[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        let mut reader = SegmentReader::new(Slow(bytes, step), rule);
        let mut out = Vec::new();
        while let Some(s) = reader.next_segment().unwrap() {
            assert!(bytes[s.offset as usize..].starts_with(s.bytes));
            assert_eq!(s.number, out.len() as u64 + 1);
            out.push((s.first_line, s.bytes.to_vec()));
        }
        out
    }

    #[test]
    fn headers_claims_and_trailers_stand_alone() {
        let got = all(b"A0\r\nB1\r\nx\r\nB2\r\nA9\r\n\x1a", 3);
        let lines: Vec<u64> = got.iter().map(|(l, _)| *l).collect();
        assert_eq!(lines, [1, 2, 4, 5, 6]);
        assert_eq!(got[1].1, b"B1\r\nx\r\n");
        assert_eq!(got[4].1, b"\x1a");
    }

    #[test]
    fn an_endless_segment_is_named_and_memory_stays_bounded() {
        let endless = io::Cursor::new(b"B\n".to_vec()).chain(io::repeat(b'x'));
        let mut reader = SegmentReader::with_limit(endless, rule, 1 << 20);
        assert!(matches!(reader.next_segment(), Err(SegmentError::TooLong { line: 1, .. })));
        assert!(reader.buffer.len() <= 4 << 20);
        assert!(matches!(reader.next_segment(), Ok(None)));
    }

    #[test]
    fn memory_does_not_grow_with_the_file() {
        let block = b"B claim\r\nrow row row\r\nrow\r\n".repeat(1000);
        let source = (0..400).fold(Box::new(io::empty()) as Box<dyn Read>, |all, _| {
            Box::new(all.chain(io::Cursor::new(block.clone())))
        });
        let mut reader = SegmentReader::new(source, rule);
        let mut count = 0;
        while reader.next_segment().unwrap().is_some() {
            count += 1;
        }
        assert_eq!((count, reader.buffer.len() <= 2 * CHUNK), (400_000, true));
    }

    proptest! {
        #[test]
        fn segments_joined_are_the_file(text in "[ABx\r\n]{0,60}", step in 1usize..9) {
            let got = all(text.as_bytes(), step);
            let joined: Vec<u8> = got.iter().flat_map(|(_, b)| b.clone()).collect();
            prop_assert_eq!(joined, text.as_bytes());
            let mut line = 1;
            for (first, bytes) in got {
                prop_assert_eq!(first, line);
                line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
            }
        }
    }
}
