//! A file as segments, whatever its format: the unit that is about one person, kept, erased and traced.
//!
//! Enters: a format, the file's path, its bytes as a stream. Leaves: [`Piece`]s in order: headers that the
//! segments behind them need, [`Unit`]s with what they say, and remarks on what is neither (totals, title
//! lines). Refuses: a file without the header its format needs, a segment longer than the limit
//! ([`CutError`]). Memory: one segment.
//!
//! A header with some of the segments behind it is a file of the same format: whoever leaves segments out
//! keeps the rest readable.

use std::{
    borrow::Cow,
    io::{self, BufRead},
    sync::LazyLock,
};

use memchr::memmem::Finder;

mod count;
mod encoding;
mod kinds;
mod line_formats;
mod lines;
mod raw;

use lines::{lines, trim_end};

pub use self::{
    count::SegmentCount,
    encoding::encoding,
    raw::{RawPiece, RawUnit, SegmentParser, cut_raw},
};
use crate::{
    Arena, Format, checkup, dpc, fhir, mml, phr,
    record::Parsed,
    segment::{MAX_SEGMENT_BYTES, SegmentError},
    ssmix2,
    uke::{self, Keyed},
};

/// One segment as it stands in its file.
#[derive(Debug)]
pub struct Unit<'a> {
    /// Its first line, from 1; 1 for a format of one segment a file.
    pub line: u64,
    /// Its bytes, with the ends of its lines.
    pub bytes: &'a [u8],
    /// What it says; nothing if it was not wanted.
    pub parsed: Parsed<'a>,
    /// Was it wanted?
    pub wanted: bool,
    /// What reads it; none for the export of a telephone.
    pub parser: Option<&'a SegmentParser>,
}

/// A part of a file.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Lines that the segments behind them are read with, until the next header.
    Header(&'a [u8]),
    /// A segment.
    Segment(Unit<'a>),
    /// What the file says beside its segments: it belongs to nobody. The bytes are not handed on.
    Remark(Parsed<'a>),
}

/// Which segments are to be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// All.
    All,
    /// Those that may tell of a person's birth, death or name.
    Persons,
    /// None: they are only counted.
    Nothing,
}

static PATIENT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\"Patient\""));
static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u"));

impl Want {
    /// Only a patient's basics tell of the person.
    fn message(self, path: &str) -> bool {
        self == Self::All || self == Self::Persons && ssmix2::may_tell_of_person(path)
    }
    /// A FHIR line that does not hold the word `"Patient"` is no `Patient` resource and no bundle with one;
    /// in a line with escapes the word may be hidden.
    fn line(self, line: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Persons => PATIENT.find(line).is_some() || ESCAPE.find(line).is_some(),
            Self::Nothing => false,
        }
    }
    fn any(self) -> bool {
        self != Self::Nothing
    }

    /// May a file that begins so hold a segment that is wanted?
    pub fn in_file(self, format: Format, path: &str, first: &[u8]) -> bool {
        match format {
            Format::SsMix2 => self.message(path),
            Format::SsMix2Extended => self == Self::All,
            Format::Dpc if self == Self::Persons => {
                let line = first.split(|b| *b == b'\n').next().unwrap_or_default();
                // One of no known layout cannot be cut: whoever tries says so.
                dpc::Reader::new(path, trim_end(line)).map_or(true, |file| file.tells_of_person())
            }
            _ => self.any(),
        }
    }
}

/// Why a file cannot be cut.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CutError {
    /// Reading failed.
    #[error("cannot read the file")]
    Io(#[source] io::Error),
    /// A segment is longer than the limit.
    #[error("the segment at line {line} is too long")]
    TooLong {
        /// Its first line, from 1.
        line: u64,
    },
    /// The header is of no known layout.
    #[error("the header is of no known layout")]
    Header,
}

impl From<SegmentError> for CutError {
    fn from(e: SegmentError) -> Self {
        match e {
            SegmentError::TooLong { line, .. } => Self::TooLong { line },
            SegmentError::Read { source, .. } => Self::Io(source),
        }
    }
}

impl CutError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Io(_) => "ファイルを読み取れません。ファイルと媒体を確認してください。".into(),
            Self::TooLong { line } => format!(
                "{line}行目からのひとまとまりが長すぎます。改行やレコードの欠落がないか確認してください。"
            ),
            Self::Header => "見出し行が既知の様式と一致しません。先頭行を確認してください。".into(),
        }
    }
}

/// Calls `each` with every piece of a file, in order. `path` is the file's path in its tree; segments are of
/// at most `max_bytes`.
///
/// # Errors
/// The file cannot be cut, or `each` says so.
pub fn cut<E: From<CutError>>(
    format: Format,
    path: &str,
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    cut_keyed(format, Keyed::Institution, path, input, max_bytes, want, each)
}

/// As [`cut`], for a holder that knows the persons of its claims by something else than an institution does.
///
/// # Errors
/// As [`cut`].
pub fn cut_keyed<E: From<CutError>>(
    format: Format,
    keyed: Keyed,
    path: &str,
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if format == Format::HealthKit {
        // The export names nobody: whoever takes it must know whose it is.
        let mut reader = phr::Reader::new("");
        let mut arena = Arena::new();
        return lines(input, 0, max_bytes, |line, number| {
            arena.reset();
            let arena = &arena;
            let parsed = want.any().then(|| reader.parse_line(trim_end(line), number, arena));
            match parsed {
                Some(parsed) if says_nothing(&parsed) => each(Piece::Remark(parsed)),
                parsed => each(Piece::Segment(unit(number, line, parsed, None))),
            }
        });
    }
    let mut totals = uke::Totals::default();
    let mut arena = Arena::new();
    cut_raw(format, keyed, path, input, max_bytes, want, |piece| {
        let raw = match piece {
            RawPiece::Header(lines) => return each(Piece::Header(lines)),
            RawPiece::Remark(parsed) => return each(Piece::Remark(parsed)),
            RawPiece::Totals(bytes, line) => {
                totals.declare(bytes, line);
                return each(Piece::Remark(named("レセプト.合計")));
            }
            RawPiece::Segment(raw) => raw,
        };
        arena.reset();
        let arena = &arena;
        let parsed = raw.wanted.then(|| raw.parser.parse(want, raw.bytes, raw.line, arena));
        if format == Format::Uke
            && let Some(parsed) = &parsed
        {
            totals.add(parsed);
        }
        match parsed {
            Some(parsed) if raw.parser.is_remark(&parsed) => each(Piece::Remark(parsed)),
            parsed => each(Piece::Segment(unit(raw.line, raw.bytes, parsed, Some(raw.parser)))),
        }
    })?;
    let issues = if want == Want::All { totals.issues() } else { Vec::new() };
    if issues.is_empty() {
        return Ok(());
    }
    each(Piece::Remark(Parsed { issues, ..Parsed::default() }))
}

/// A remark that only names what is not read.
fn named(name: &'static str) -> Parsed<'static> {
    Parsed { unread: vec![Cow::Borrowed(name)], ..Parsed::default() }
}

fn whole<'a>(format: Format, path: &str, bytes: &'a [u8], arena: &'a Arena) -> Parsed<'a> {
    match format {
        Format::SsMix2 => ssmix2::parse_file(path, bytes, arena),
        Format::SsMix2Extended => ssmix2::parse_extended(path, bytes, arena),
        Format::CheckupXml => checkup::parse_file(bytes, arena),
        Format::Mml => mml::parse_file(bytes, arena),
        _ => fhir::parse_line(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), 1, arena),
    }
}

fn unit<'a>(
    line: u64,
    bytes: &'a [u8],
    parsed: Option<Parsed<'a>>,
    parser: Option<&'a SegmentParser>,
) -> Unit<'a> {
    let wanted = parsed.is_some();
    Unit { line, bytes, parsed: parsed.unwrap_or_default(), wanted, parser }
}

fn limit(max_bytes: u64) -> usize {
    usize::try_from(max_bytes).map_or(MAX_SEGMENT_BYTES, |m| m.min(MAX_SEGMENT_BYTES))
}

/// Nothing but names of what is not read: a line about nobody.
fn says_nothing(parsed: &Parsed<'_>) -> bool {
    !parsed.rejected
        && parsed.person.is_none()
        && parsed.records.is_empty()
        && parsed.issues.is_empty()
}

fn blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A)
}
