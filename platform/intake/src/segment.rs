//! Cuts a file into segments: the unit whose bytes are kept, erased and traced. One file of SS-MIX2, one
//! line of NDJSON, one row of a CSV. Memory holds one segment at a time.

use std::{
    io::{self, BufRead, Read as _},
    sync::LazyLock,
};

use kiban_formats::{Format, Parsed, fhir, municipal, ssmix2};
use memchr::memmem::Finder;

/// One segment as it stands in its file.
pub(crate) struct Raw<'a> {
    /// Line or row, from 1; 1 for an SS-MIX2 file.
    pub line: u64,
    /// Its bytes, with the line's end.
    pub bytes: &'a [u8],
    /// What it says; nothing if it was not wanted.
    pub parsed: Parsed<'a>,
    /// Was it wanted?
    pub wanted: bool,
}

static PATIENT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\"Patient\""));
static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u"));

/// Which segments are to be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// All.
    All,
    /// Those that may tell of a person's birth, death or name.
    Persons,
}

impl Want {
    /// Only a patient's basics tell of the person.
    fn message(self, path: &str) -> bool {
        self == Self::All || ssmix2::may_tell_of_person(tree_path(path))
    }

    /// A FHIR line that does not hold the word `"Patient"` is no `Patient` resource; in a line with
    /// escapes the word may be hidden.
    fn line(self, line: &[u8]) -> bool {
        self == Self::All || PATIENT.find(line).is_some() || ESCAPE.find(line).is_some()
    }
}

/// Why a file cannot be cut.
#[derive(Debug)]
pub(crate) enum CutError {
    /// Reading failed.
    Io(io::Error),
    /// A segment is longer than the limit.
    TooLong { line: u64 },
    /// The CSV header is of no known layout.
    Header,
}

/// Text form of a format in manifests.
pub fn format_name(format: Format) -> &'static str {
    match format {
        Format::SsMix2 => "ssmix2",
        Format::FhirNdjson => "fhir_ndjson",
        Format::MunicipalCsv => "municipal_csv",
    }
}

/// The format a manifest names.
pub fn format_of(name: &str) -> Option<Format> {
    [Format::SsMix2, Format::FhirNdjson, Format::MunicipalCsv]
        .into_iter()
        .find(|f| format_name(*f) == name)
}

/// Path of an SS-MIX2 file in its tree: without the bundle's prefix.
pub(crate) fn tree_path(path: &str) -> &str {
    path.strip_prefix(crate::manifest::DATA_PREFIX).unwrap_or(path)
}

/// Calls `each` with every segment of a file; `header` receives the CSV header line with its end.
///
/// # Errors
/// The file cannot be cut, or `each` says so.
pub(crate) fn cut<E: From<CutError>>(
    format: Format,
    path: &str,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut header: impl FnMut(&[u8]) -> Result<(), E>,
    mut each: impl FnMut(Raw<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    match format {
        Format::SsMix2 => {
            (&mut input).take(max_bytes + 1).read_to_end(&mut line).map_err(CutError::Io)?;
            if line.len() as u64 > max_bytes {
                return Err(CutError::TooLong { line: 1 }.into());
            }
            let wanted = want.message(path);
            let parsed =
                if wanted { ssmix2::parse_file(tree_path(path), &line) } else { Parsed::default() };
            each(Raw { line: 1, bytes: &line, parsed, wanted })
        }
        Format::FhirNdjson => {
            let mut number = 0;
            while read_line(&mut input, &mut line, max_bytes, number + 1)? {
                number += 1;
                let text = trim_end(&line);
                if text.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let text = if number == 1 {
                    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
                } else {
                    text
                };
                let wanted = want.line(text);
                let parsed =
                    if wanted { fhir::parse_line(text, number) } else { Parsed::default() };
                each(Raw { line: number, bytes: &line, parsed, wanted })?;
            }
            Ok(())
        }
        Format::MunicipalCsv => {
            if !read_line(&mut input, &mut line, max_bytes, 1)? {
                return Ok(());
            }
            header(&line)?;
            let reader = municipal::Reader::new(trim_end(&line)).map_err(|_| CutError::Header)?;
            let mut number = 1;
            while read_line(&mut input, &mut line, max_bytes, number + 1)? {
                number += 1;
                let row = trim_end(&line);
                if row.iter().all(|b| *b == b'\r') {
                    continue;
                }
                each(Raw {
                    line: number,
                    bytes: &line,
                    parsed: reader.parse_row(row, number),
                    wanted: true,
                })?;
            }
            Ok(())
        }
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The next line with its end, of at most `max_bytes`; false at the end of the input.
fn read_line(
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
        impl io::Read for Endless {
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
