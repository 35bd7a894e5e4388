//! Segments that are not read yet, and what reads them: on any thread, in any order.
//!
//! Enters: a format, the file's path, its bytes as a stream. Leaves: [`RawPiece`]s in order, each segment with its
//! [`SegmentParser`]. Refuses: as [`cut`](super::cut); and the export of a telephone, whose lines mean something in their
//! order only.

use std::{
    io::{BufRead, Read as _},
    sync::Arc,
};

use super::{
    CutError, Want, limit,
    line_formats::{care, claims, municipal, ndjson, stays},
    lines::trim_end,
    says_nothing, whole,
};
use crate::{
    Arena, Format, care as care_format, checkup, dpc, fhir, jahis, municipal as municipal_format,
    record::Parsed,
    segment::SegmentReader,
    uke::{self, Keyed},
};

/// A segment as it stands in its file.
#[derive(Debug, Clone, Copy)]
pub struct RawUnit<'a> {
    /// Its first line, from 1.
    pub line: u64,
    /// Its bytes, with the ends of its lines.
    pub bytes: &'a [u8],
    /// What reads it.
    pub parser: &'a SegmentParser,
    /// Is it wanted?
    pub wanted: bool,
}

/// A part of a file.
#[derive(Debug)]
pub enum RawPiece<'a> {
    /// Lines that the segments behind them are read with, until the next header.
    Header(&'a [u8]),
    /// A segment.
    Segment(RawUnit<'a>),
    /// Totals of a claims file: its bytes and their line.
    Totals(&'a [u8], u64),
    /// What the file says beside its segments.
    Remark(Parsed<'a>),
}

#[derive(Debug)]
pub(super) enum Kind {
    Whole(Format, String),
    Ndjson,
    Municipal(municipal_format::Reader),
    Care(care_format::Reader),
    Certified(care_format::certification::Reader),
    Claims(Option<uke::Reader>),
    Stays(dpc::Reader),
    Notebook,
}

/// Reads the segments behind one header of one file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SegmentParser(Arc<Kind>);

impl SegmentParser {
    pub(super) fn new(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
    /// What a segment of the file says: all, or what may tell of the person. What is made stands in the arena.
    pub fn parse<'a>(
        &self,
        want: Want,
        bytes: &'a [u8],
        line: u64,
        arena: &'a Arena,
    ) -> Parsed<'a> {
        match &*self.0 {
            Kind::Whole(Format::CheckupXml, _) if want == Want::Persons => {
                checkup::parse_person(bytes, arena)
            }
            Kind::Whole(format, path) => whole(*format, path, bytes, arena),
            Kind::Ndjson => {
                let text = trim_end(bytes);
                let mark = if line == 1 { text.strip_prefix(b"\xef\xbb\xbf") } else { None };
                fhir::parse_line(mark.unwrap_or(text), line, arena)
            }
            Kind::Municipal(reader) => reader.parse_row(trim_end(bytes), line, arena),
            Kind::Care(reader) => reader.parse_row(trim_end(bytes), line, arena),
            Kind::Certified(reader) => reader.parse_row(trim_end(bytes), line, arena),
            Kind::Claims(Some(reader)) if want == Want::Persons => {
                reader.parse_person(bytes, line, arena)
            }
            Kind::Claims(Some(reader)) => reader.parse_segment(bytes, line, arena),
            Kind::Claims(None) => Parsed::rejected("uke.no-header", format!("line {line}")),
            Kind::Stays(reader) => reader.parse_segment(bytes, line, arena),
            Kind::Notebook => jahis::parse_segment(bytes, line, arena),
        }
    }
    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }
    /// Is a segment of this file a remark, about nobody, because of what it says?
    pub fn is_remark(&self, parsed: &Parsed<'_>) -> bool {
        let may = matches!(
            &*self.0,
            Kind::Whole(Format::CheckupXml, _)
                | Kind::Care(_)
                | Kind::Certified(_)
                | Kind::Stays(_)
        );
        may && says_nothing(parsed)
    }
}

/// Calls `each` with every piece of a file, in order, without reading the segments; which are `wanted` is told.
/// `path` is the file's path in its tree; segments are of at most `max_bytes`.
///
/// # Errors
/// The file cannot be cut, or `each` says so.
pub fn cut_raw<E: From<CutError>>(
    format: Format,
    keyed: Keyed,
    path: &str,
    mut input: impl BufRead,
    max_bytes: u64,
    want: Want,
    mut each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
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
            let parser = &SegmentParser::new(Kind::Whole(format, path.to_owned()));
            each(RawPiece::Segment(RawUnit { line: 1, bytes: &bytes, parser, wanted }))
        }
        Format::FhirNdjson => ndjson(input, max_bytes, want, each),
        Format::MunicipalCsv => municipal(input, max_bytes, want, each),
        Format::CareClaims | Format::CareCertification => {
            care(format, input, max_bytes, want, each)
        }
        Format::HealthKit => Err(CutError::Header.into()),
        Format::Uke => claims(keyed, input, max_bytes, want, each),
        Format::Dpc => stays(path, input, max_bytes, want, each),
        Format::Jahis => {
            let parser = &SegmentParser::new(Kind::Notebook);
            let mut segments = SegmentReader::with_limit(input, jahis::cutter(), limit(max_bytes));
            while let Some(s) = segments.next_segment().map_err(CutError::from)? {
                if !super::blank(s.bytes) {
                    let (line, bytes, wanted) = (s.first_line, s.bytes, want.any());
                    each(RawPiece::Segment(RawUnit { line, bytes, parser, wanted }))?;
                }
            }
            Ok(())
        }
    }
}
