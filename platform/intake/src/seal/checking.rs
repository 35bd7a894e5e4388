//! The content of a file, compared with what was signed while it is read.

use std::io::{self, Read};

use aws_lc_rs::digest::Context;
use kiban_formats::Format;

use super::stream::{digest, sha256};
use crate::{
    error::ReceiveError,
    manifest::FileEntry,
    place::FileRef,
    segment::format_name,
    text_check::{NotUtf8, Utf8Check},
};

/// Passes a file's bytes on, hashes them, and looks at those of lines of text. An error of the text ends the reading.
pub(super) struct Checking<'f, R> {
    inner: R,
    file: &'f FileEntry,
    hash: Context,
    text: Option<Utf8Check>,
    wrong: Option<NotUtf8>,
}

impl<'f, R: Read> Checking<'f, R> {
    pub(super) fn of(inner: R, file: &'f FileEntry) -> Self {
        let of_lines = file.format == format_name(Format::FhirNdjson);
        let text = of_lines.then(Utf8Check::default);
        Self { inner, file, hash: sha256(), text, wrong: None }
    }

    /// What came of a file that was read; `read`: what came of the reading.
    pub(super) fn finish(
        self,
        at: &FileRef,
        read: Result<bool, ReceiveError>,
    ) -> Result<bool, ReceiveError> {
        let refused = |NotUtf8(line)| ReceiveError::NotUtf8 { file: at.clone(), line };
        if let Some(wrong) = self.wrong {
            return Err(refused(wrong));
        }
        let goes_on = read?;
        if !goes_on {
            return Ok(false);
        }
        if let Some(text) = self.text {
            text.finish().map_err(refused)?;
        }
        if digest(self.hash) != self.file.sha256 {
            return Err(ReceiveError::HashMismatch { file: at.clone() });
        }
        Ok(true)
    }
}

impl<R: Read> Read for Checking<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        if let Some(text) = &mut self.text
            && let Err(wrong) = text.feed(&buffer[..n])
        {
            self.wrong = Some(wrong);
            return Err(io::Error::other("the text is not in order"));
        }
        Ok(n)
    }
}
