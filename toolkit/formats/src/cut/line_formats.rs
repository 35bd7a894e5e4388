//! Cutting of the formats whose segments are lines or runs of lines.
//!
//! Enters: the file's stream. Leaves: its pieces in order. Refuses: a file without the header its format needs.

use std::io::{BufRead, Cursor, Read};

use super::{
    CutError, Want, blank, limit,
    lines::{lines, read_line, trim_end},
    named,
    raw::{Kind, RawPiece, RawUnit, SegmentParser},
};
use crate::{Arena, Format, care, dpc, municipal, segment::SegmentReader, uke};

/// Lines in front of a municipal table in which its header is looked for.
const TITLE_LINES: usize = 10;
/// Bytes by which the encoding of a care file is told.
const ENCODING_BYTES: u64 = 64 << 10;

pub(super) fn ndjson<E: From<CutError>>(
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let parser = &SegmentParser::new(Kind::Ndjson);
    lines(input, 0, max_bytes, |bytes, line| {
        let text = trim_end(bytes);
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted: want.line(text) }))
    })
}

pub(super) fn municipal<E: From<CutError>>(
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
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
        each(RawPiece::Remark(named("自治体CSV.表題行")))?;
    }
    each(RawPiece::Header(&line))?;
    let parser = &SegmentParser::new(Kind::Municipal(reader));
    lines(input, number, max_bytes, |bytes, line| {
        if trim_end(bytes).iter().all(|b| *b == b'\r') {
            return Ok(());
        }
        each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted: want.any() }))
    })
}

/// Exchange files and certifications of long-term care: a line is a segment, the control record or the line
/// of names the header.
pub(super) fn care<E: From<CutError>>(
    format: Format,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut first = Vec::new();
    (&mut input).take(ENCODING_BYTES).read_to_end(&mut first).map_err(CutError::Io)?;
    let encoding = care::encoding(&first);
    let line = first.split(|b| *b == b'\n').next().unwrap_or_default().to_vec();
    let claims = care::Reader::new(encoding);
    let (header, parser) = match format {
        Format::CareCertification => {
            let reader = care::certification::Reader::new(trim_end(&line), encoding)
                .map_err(|_| CutError::Header)?;
            (reader.has_header(), SegmentParser::new(Kind::Certified(reader)))
        }
        _ => (false, SegmentParser::new(Kind::Care(claims))),
    };
    let parser = &parser;
    lines(Cursor::new(first).chain(input), 0, max_bytes, |bytes, line| {
        let row = trim_end(bytes);
        if blank(row) {
            return Ok(());
        }
        if header && line == 1 {
            return each(RawPiece::Header(bytes));
        }
        if format == Format::CareClaims && care::is_control(row) {
            each(RawPiece::Header(bytes))?;
            let arena = Arena::new();
            return each(RawPiece::Remark(claims.parse_row(row, line, &arena)));
        }
        each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted: want.any() }))
    })
}

pub(super) fn claims<E: From<CutError>>(
    keyed: uke::Keyed,
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut segments = SegmentReader::with_limit(input, uke::cutter(), limit(max_bytes));
    let mut parser = SegmentParser::new(Kind::Claims(None));
    while let Some(s) = segments.next_segment().map_err(CutError::from)? {
        let (line, bytes) = (s.first_line, s.bytes);
        match uke::piece(bytes) {
            uke::Piece::Header => {
                let reader = uke::Reader::new(bytes).ok().map(|r| r.keyed_by(keyed));
                parser = SegmentParser::new(Kind::Claims(reader));
                each(RawPiece::Header(bytes))?;
            }
            uke::Piece::Trailer => each(RawPiece::Totals(bytes, line))?,
            uke::Piece::Blank => {}
            uke::Piece::Claim => {
                let parser = &parser;
                each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted: want.any() }))?;
            }
        }
    }
    Ok(())
}

pub(super) fn stays<E: From<CutError>>(
    path: &str,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut first = Vec::new();
    if !read_line(&mut input, &mut first, max_bytes, 1)? {
        return Ok(());
    }
    let reader = dpc::Reader::new(path, trim_end(&first)).map_err(|_| CutError::Header)?;
    let source = Cursor::new(first).chain(input);
    let mut segments = SegmentReader::with_limit(source, reader.cutter(), limit(max_bytes));
    let header = reader.has_header();
    let wanted = match want {
        Want::Persons => reader.tells_of_person(),
        _ => want.any(),
    };
    let parser = &SegmentParser::new(Kind::Stays(reader));
    while let Some(s) = segments.next_segment().map_err(CutError::from)? {
        let (line, bytes) = (s.first_line, s.bytes);
        if line == 1 && header {
            each(RawPiece::Header(bytes))?;
        } else if !blank(bytes) {
            each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted }))?;
        }
    }
    Ok(())
}
