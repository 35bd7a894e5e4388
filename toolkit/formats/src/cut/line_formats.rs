//! Cutting of the formats whose segments are lines or runs of lines.
//!
//! Enters: the file's stream. Leaves: its pieces in order. Refuses: a file without the header its format needs.

use std::{
    borrow::Cow,
    io::{BufRead, Cursor, Read},
};

use super::{
    CutError, Piece, Want, blank, limit,
    lines::{lines, read_line, trim_end},
    says_nothing, unit,
};
use crate::{Format, care, dpc, fhir, municipal, record::Parsed, segment::SegmentReader, uke};

/// Lines in front of a municipal table in which its header is looked for.
const TITLE_LINES: usize = 10;
/// Bytes by which the encoding of a care file is told.
const ENCODING_BYTES: u64 = 64 << 10;

fn named(name: &'static str) -> Parsed<'static> {
    Parsed { unread: vec![Cow::Borrowed(name)], ..Parsed::default() }
}

pub(super) fn ndjson<E: From<CutError>>(
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

pub(super) fn municipal<E: From<CutError>>(
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
pub(super) fn care<E: From<CutError>>(
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

pub(super) fn claims<E: From<CutError>>(
    keyed: uke::Keyed,
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
                reader = uke::Reader::new(s.bytes).ok().map(|r| r.keyed_by(keyed));
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

pub(super) fn stays<E: From<CutError>>(
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
