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
    io::{self, BufRead, Cursor, Read},
    sync::LazyLock,
};

use memchr::memmem::Finder;

use crate::{
    Format, care, checkup,
    delimited::Charset,
    dpc, fhir, jahis, mml, municipal, phr,
    record::Parsed,
    segment::{Cut, MAX_SEGMENT_BYTES, SegmentError, SegmentReader},
    ssmix2, uke, xml,
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

/// Lines in front of a municipal table in which its header is looked for.
const TITLE_LINES: usize = 10;
/// Bytes by which the encoding of a care file is told.
const ENCODING_BYTES: u64 = 64 << 10;

/// Calls `each` with every piece of a file, in order. `path` is the file's path in its tree; segments are of
/// at most `max_bytes`.
///
/// # Errors
/// The file cannot be cut, or `each` says so.
pub fn cut<E: From<CutError>>(
    format: Format,
    path: &str,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match format {
        Format::SsMix2
        | Format::SsMix2Extended
        | Format::FhirJson
        | Format::CheckupXml
        | Format::Mml => {
            let mut bytes = Vec::new();
            (&mut input).take(max_bytes + 1).read_to_end(&mut bytes).map_err(CutError::Io)?;
            if bytes.len() as u64 > max_bytes {
                return Err(CutError::TooLong { line: 1 }.into());
            }
            let wanted = match format {
                Format::SsMix2 => want.message(path),
                Format::SsMix2Extended => want == Want::All,
                _ => want.any(),
            };
            let parsed = if wanted { whole(format, path, &bytes) } else { Parsed::default() };
            // An index or a summary beside check-ups is about nobody.
            if wanted && format == Format::CheckupXml && says_nothing(&parsed) {
                return each(Piece::Remark(parsed));
            }
            each(Piece::Segment(Unit { line: 1, bytes: &bytes, parsed, wanted }))
        }
        Format::FhirNdjson => ndjson(input, max_bytes, want, each),
        Format::MunicipalCsv => municipal(input, max_bytes, want, each),
        Format::CareClaims | Format::CareCertification => {
            care(format, input, max_bytes, want, each)
        }
        Format::HealthKit => {
            // The export names nobody: whoever takes it must know whose it is.
            let mut reader = phr::Reader::new("");
            lines(input, 0, max_bytes, |line, number| {
                let parsed = want.any().then(|| reader.parse_line(trim_end(line), number));
                match parsed {
                    Some(parsed) if says_nothing(&parsed) => each(Piece::Remark(parsed)),
                    parsed => each(Piece::Segment(unit(number, line, parsed))),
                }
            })
        }
        Format::Uke => claims(input, max_bytes, want, each),
        Format::Dpc => stays(path, input, max_bytes, want, each),
        Format::Jahis => {
            let mut segments = SegmentReader::with_limit(input, jahis::cutter(), limit(max_bytes));
            while let Some(s) = segments.next_segment().map_err(CutError::from)? {
                if blank(s.bytes) {
                    continue;
                }
                let parsed = want.any().then(|| jahis::parse_segment(s.bytes, s.first_line));
                each(Piece::Segment(unit(s.first_line, s.bytes, parsed)))?;
            }
            Ok(())
        }
    }
}

fn whole<'a>(format: Format, path: &str, bytes: &'a [u8]) -> Parsed<'a> {
    match format {
        Format::SsMix2 => ssmix2::parse_file(path, bytes),
        Format::SsMix2Extended => ssmix2::parse_extended(path, bytes),
        Format::CheckupXml => checkup::parse_file(bytes),
        Format::Mml => mml::parse_file(bytes),
        _ => fhir::parse_line(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), 1),
    }
}

fn unit<'a>(line: u64, bytes: &'a [u8], parsed: Option<Parsed<'a>>) -> Unit<'a> {
    let wanted = parsed.is_some();
    Unit { line, bytes, parsed: parsed.unwrap_or_default(), wanted }
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

fn named(name: &'static str) -> Parsed<'static> {
    Parsed { unread: vec![Cow::Borrowed(name)], ..Parsed::default() }
}

fn ndjson<E: From<CutError>>(
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    lines(input, 0, max_bytes, |line, number| {
        let text = trim_end(line);
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let mark = if number == 1 { text.strip_prefix(b"\xef\xbb\xbf") } else { None };
        let text = mark.unwrap_or(text);
        let parsed = want.line(text).then(|| fhir::parse_line(text, number));
        each(Piece::Segment(unit(number, line, parsed)))
    })
}

fn municipal<E: From<CutError>>(
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    let mut number = 0;
    let reader = loop {
        if !read_line(&mut input, &mut line, max_bytes, number + 1)? {
            return if number == 0 { Ok(()) } else { Err(CutError::Header.into()) };
        }
        number += 1;
        match municipal::Reader::new(trim_end(&line)) {
            Ok(reader) => break reader,
            Err(_) if number < TITLE_LINES as u64 => {}
            Err(_) => return Err(CutError::Header.into()),
        }
    };
    if number > 1 {
        each(Piece::Remark(named("自治体CSV.表題行")))?;
    }
    each(Piece::Header(&line))?;
    lines(input, number, max_bytes, |line, number| {
        let row = trim_end(line);
        if row.iter().all(|b| *b == b'\r') {
            return Ok(());
        }
        let parsed = want.any().then(|| reader.parse_row(row, number));
        each(Piece::Segment(unit(number, line, parsed)))
    })
}

/// Exchange files and certifications of long-term care: a line is a segment, the control record or the line
/// of names the header.
fn care<E: From<CutError>>(
    format: Format,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut first = Vec::new();
    (&mut input).take(ENCODING_BYTES).read_to_end(&mut first).map_err(CutError::Io)?;
    let encoding = care::encoding(&first);
    let line = first.split(|b| *b == b'\n').next().unwrap_or_default().to_vec();
    let certified = match format {
        Format::CareCertification => Some(
            care::certification::Reader::new(trim_end(&line), encoding)
                .map_err(|_| CutError::Header)?,
        ),
        _ => None,
    };
    let claims = care::Reader::new(encoding);
    lines(Cursor::new(first).chain(input), 0, max_bytes, |line, number| {
        let row = trim_end(line);
        if blank(row) {
            return Ok(());
        }
        let parsed = match &certified {
            Some(reader) if number == 1 && reader.has_header() => {
                return each(Piece::Header(line));
            }
            Some(reader) => want.any().then(|| reader.parse_row(row, number)),
            None if care::is_control(row) => {
                each(Piece::Header(line))?;
                return each(Piece::Remark(claims.parse_row(row, number)));
            }
            None => want.any().then(|| claims.parse_row(row, number)),
        };
        match parsed {
            Some(parsed) if says_nothing(&parsed) => each(Piece::Remark(parsed)),
            parsed => each(Piece::Segment(unit(number, line, parsed))),
        }
    })
}

fn claims<E: From<CutError>>(
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut segments = SegmentReader::with_limit(input, uke::cutter(), limit(max_bytes));
    let mut reader: Option<uke::Reader> = None;
    let mut totals = uke::Totals::default();
    while let Some(s) = segments.next_segment().map_err(CutError::from)? {
        match uke::piece(s.bytes) {
            uke::Piece::Header => {
                reader = uke::Reader::new(s.bytes).ok();
                each(Piece::Header(s.bytes))?;
            }
            uke::Piece::Trailer => {
                totals.declare(s.bytes, s.first_line);
                each(Piece::Remark(named("レセプト.合計")))?;
            }
            uke::Piece::Blank => {}
            uke::Piece::Claim => {
                let parsed = want.any().then(|| match &reader {
                    Some(reader) => reader.parse_segment(s.bytes, s.first_line),
                    None => Parsed::rejected("uke.no-header", format!("line {}", s.first_line)),
                });
                if let Some(parsed) = &parsed {
                    totals.add(parsed);
                }
                each(Piece::Segment(unit(s.first_line, s.bytes, parsed)))?;
            }
        }
    }
    let issues = if want == Want::All { totals.issues() } else { Vec::new() };
    if issues.is_empty() {
        return Ok(());
    }
    each(Piece::Remark(Parsed { issues, ..Parsed::default() }))
}

fn stays<E: From<CutError>>(
    path: &str,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut first = Vec::new();
    if !read_line(&mut input, &mut first, max_bytes, 1)? {
        return Ok(());
    }
    let reader = dpc::Reader::new(path, trim_end(&first)).map_err(|_| CutError::Header)?;
    let source = Cursor::new(first).chain(input);
    let mut segments = SegmentReader::with_limit(source, reader.cutter(), limit(max_bytes));
    while let Some(s) = segments.next_segment().map_err(CutError::from)? {
        if s.first_line == 1 && reader.has_header() {
            each(Piece::Header(s.bytes))?;
        } else if !blank(s.bytes) {
            let parsed = want.any().then(|| reader.parse_segment(s.bytes, s.first_line));
            match parsed {
                Some(parsed) if says_nothing(&parsed) => each(Piece::Remark(parsed))?,
                parsed => each(Piece::Segment(unit(s.first_line, s.bytes, parsed)))?,
            }
        }
    }
    Ok(())
}

/// Says of each line whether a segment begins.
type Rule = Box<dyn FnMut(&[u8]) -> Cut + Send>;

/// Counts the segments of a file that is put together of pieces of others, as [`cut`] will count them: of a
/// survey file, blocks that come to stand beside each other may become one.
pub struct SegmentCount<'p> {
    path: &'p str,
    stays: bool,
    rule: Option<Rule>,
    count: u64,
}

impl std::fmt::Debug for SegmentCount<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SegmentCount({})", self.count)
    }
}

impl<'p> SegmentCount<'p> {
    /// For a file of this format and path.
    pub fn new(format: Format, path: &'p str) -> Self {
        Self { path, stays: format == Format::Dpc, rule: None, count: 0 }
    }
    /// A header was written.
    ///
    /// # Errors
    /// It is none.
    pub fn header(&mut self, bytes: &[u8]) -> Result<(), CutError> {
        if self.stays { self.judge(bytes).map(|_| ()) } else { Ok(()) }
    }
    /// A segment was written.
    ///
    /// # Errors
    /// Without the segments left out the file would not be known any more.
    pub fn segment(&mut self, bytes: &[u8]) -> Result<(), CutError> {
        if !self.stays {
            self.count += 1;
            return Ok(());
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            self.count += u64::from(self.judge(line)? == Cut::Begin);
        }
        Ok(())
    }
    /// Segments so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn judge(&mut self, line: &[u8]) -> Result<Cut, CutError> {
        let line = trim_end(line);
        if self.rule.is_none() {
            let reader = dpc::Reader::new(self.path, line).map_err(|_| CutError::Header)?;
            self.rule = Some(Box::new(reader.cutter()));
        }
        Ok(self.rule.as_mut().map_or(Cut::Continue, |rule| rule(line)))
    }
}

/// How a file is encoded, told by its first bytes (some KiB), as reports name it.
pub fn encoding(format: Format, first_bytes: &[u8]) -> &'static str {
    let charset = |c: Charset| match c {
        Charset::Cp932 => "CP932",
        Charset::Utf8 => "UTF-8",
    };
    match format {
        Format::SsMix2 => "ISO-2022-JP",
        Format::SsMix2Extended => "binary",
        Format::FhirNdjson | Format::FhirJson | Format::HealthKit => "UTF-8",
        Format::MunicipalCsv => {
            let lines = first_bytes.split(|b| *b == b'\n').map(trim_end);
            municipal::Reader::find(lines).map_or("CP932", |(r, _)| r.encoding().as_str())
        }
        Format::CareClaims | Format::CareCertification => care::encoding(first_bytes).as_str(),
        Format::Uke | Format::Dpc | Format::Jahis => {
            // The cut may go through a character: whole lines only.
            let end = memchr::memrchr(b'\n', first_bytes).map_or(first_bytes.len(), |i| i + 1);
            charset(Charset::of(&first_bytes[..end]))
        }
        Format::CheckupXml | Format::Mml => declared(first_bytes),
    }
}

/// Of an XML file: wide characters, else what the declaration says, else UTF-8.
fn declared(first_bytes: &[u8]) -> &'static str {
    if xml::is_wide(first_bytes) {
        return "UTF-16";
    }
    let head = &first_bytes[..first_bytes.len().min(200)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let declaration = text.split("?>").next().unwrap_or_default();
    if ["shift_jis", "windows-31j", "cp932", "ms932"].iter().any(|n| declaration.contains(n)) {
        "CP932"
    } else if declaration.contains("euc-jp") {
        "EUC-JP"
    } else {
        "UTF-8"
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Calls `each` with every line, its end included, and its number; `before` lines were read already.
fn lines<E: From<CutError>>(
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
