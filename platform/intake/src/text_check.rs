//! What the first pass checks of FHIR lines and of files of one segment while they stream by: lengths, UTF-8,
//! number of segments.

use kiban_formats::Format;

use crate::{error::ReceiveError, limits::Limits, place::FileRef, segment::is_whole};

/// What was wrong, at which line.
pub(crate) enum TextError {
    TooLong { line: u64 },
    NotUtf8 { line: u64 },
}

impl TextError {
    pub(crate) fn at(self, file: &FileRef, limits: &Limits) -> ReceiveError {
        let file = file.clone();
        match self {
            Self::TooLong { line } => {
                ReceiveError::SegmentTooLong { file, line, max_bytes: limits.max_segment_bytes }
            }
            Self::NotUtf8 { line } => ReceiveError::NotUtf8 { file, line },
        }
    }
}

/// Streams over one file.
pub(crate) struct TextCheck {
    format: Format,
    max: u64,
    in_line: u64,
    line: u64,
    blank: bool,
    segments: u64,
    carry: Vec<u8>,
}

impl TextCheck {
    pub(crate) fn new(format: Format, max: u64) -> Self {
        Self { format, max, in_line: 0, line: 1, blank: true, segments: 0, carry: Vec::new() }
    }

    /// Segments seen so far.
    pub(crate) fn segments(&self) -> u64 {
        self.segments
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<(), TextError> {
        if is_whole(self.format) {
            self.in_line += chunk.len() as u64;
            return if self.in_line > self.max {
                Err(TextError::TooLong { line: 1 })
            } else {
                Ok(())
            };
        }
        self.utf8(chunk)?;
        let mut rest = chunk;
        while !rest.is_empty() {
            let (used, ended) =
                memchr::memchr(b'\n', rest).map_or((rest.len(), false), |i| (i + 1, true));
            self.in_line += used as u64;
            if self.in_line > self.max {
                return Err(TextError::TooLong { line: self.line });
            }
            self.blank &= rest[..used].iter().all(u8::is_ascii_whitespace);
            rest = &rest[used..];
            if ended {
                self.end_line();
            }
        }
        Ok(())
    }

    fn end_line(&mut self) {
        if !self.blank {
            self.segments += 1;
        }
        (self.in_line, self.blank) = (0, true);
        self.line += 1;
    }

    fn utf8(&mut self, chunk: &[u8]) -> Result<(), TextError> {
        let mut chunk = chunk;
        while !self.carry.is_empty() {
            let Some((first, rest)) = chunk.split_first() else { return Ok(()) };
            self.carry.push(*first);
            chunk = rest;
            match std::str::from_utf8(&self.carry) {
                Ok(_) => self.carry.clear(),
                Err(e) if e.error_len().is_none() && self.carry.len() < 4 => {}
                Err(_) => return Err(TextError::NotUtf8 { line: self.line }),
            }
        }
        match std::str::from_utf8(chunk) {
            Ok(_) => Ok(()),
            Err(e) if e.error_len().is_none() => {
                self.carry.extend_from_slice(&chunk[e.valid_up_to()..]);
                Ok(())
            }
            Err(e) => {
                let before = memchr::memchr_iter(b'\n', &chunk[..e.valid_up_to()]).count() as u64;
                Err(TextError::NotUtf8 { line: self.line + before })
            }
        }
    }

    pub(crate) fn finish(mut self) -> Result<u64, TextError> {
        if is_whole(self.format) {
            return Ok(1);
        }
        if !self.carry.is_empty() {
            return Err(TextError::NotUtf8 { line: self.line });
        }
        if self.in_line > 0 {
            self.end_line();
        }
        Ok(self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, bytes: &[u8], step: usize) -> Result<u64, String> {
        let mut check = TextCheck::new(format, 100);
        let show = |e: TextError| match e {
            TextError::TooLong { line } => format!("long {line}"),
            TextError::NotUtf8 { line } => format!("utf8 {line}"),
        };
        for chunk in bytes.chunks(step) {
            check.feed(chunk).map_err(show)?;
        }
        check.finish().map_err(show)
    }

    #[test]
    fn counts_and_finds_the_line_whatever_the_chunks() {
        let text = "{\"a\":\"見本\"}\n\n{\"b\":1}\r\n{}".as_bytes();
        let mut bad = text.to_vec();
        bad.extend_from_slice(b"\n{\"\xff\"}");
        let mut cut = text.to_vec();
        cut.push(0xe8);
        let mut long = b"{}\n".to_vec();
        long.extend_from_slice(&[b'x'; 101]);
        for step in 1..40 {
            assert_eq!(check(Format::FhirNdjson, text, step), Ok(3), "{step}");
            assert_eq!(check(Format::FhirNdjson, &bad, step), Err("utf8 5".into()), "{step}");
            assert_eq!(check(Format::FhirNdjson, &cut, step), Err("utf8 4".into()), "{step}");
            assert_eq!(check(Format::FhirNdjson, &long, step), Err("long 2".into()), "{step}");
        }
    }
}
