//! Electronic claims (レセプト電算, UKE): medical, DPC, dental, pharmacy, home nursing.
//!
//! Enters: the header record, then one claim after another (all rows from one `RE` to the next, as
//! [`segments`] cuts them). Leaves: [`Parsed`] per claim: person, claim, payers, one item per row, and the
//! events the rows tell of: conditions, procedures, drugs, visits, DPC stays, dated by the day columns.
//! Refuses: a header of no known kind ([`HeaderError`]); a claim (`rejected`) without `RE`, with bytes that
//! are not CP932, or with a My Number.
//!
//! Layouts are data (`layouts/uke.csv`); records that are not known are named in `unread`, fields that the
//! reader has no use for are kept by their number in `detail`. Dates stay as they are written: `YYYYMMDD`
//! of the present specifications, `GYYMMDD` of those before 2020; a day of the month is set behind the
//! month of care as that is written.
//!
//! Source: 記録条件仕様 of 支払基金 for the five kinds; checked on a sample file: medical only.

mod claim;
mod dpc;
mod header;
mod items;
mod payers;
mod person;
mod pharmacy;
mod runs;
mod totals;

use std::{io::Read, sync::LazyLock};

pub use header::{Header, HeaderError};
pub(crate) use items::receipt_system;
pub use totals::Totals;

use crate::{
    arena::Arena,
    layout::{Layouts, RecordLayout},
    record::Parsed,
    segment::{Cut, Segment, SegmentError, SegmentReader},
};

/// The layouts.
pub(crate) const TABLE: &str = include_str!("../../layouts/uke.csv");

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::load(TABLE));

/// The layouts of a form by the two letters of their records: asked for every row.
struct ByLetters(Vec<Option<&'static RecordLayout>>);

static BY_LETTERS: LazyLock<[ByLetters; 4]> = LazyLock::new(|| {
    Form::ALL.map(|form| {
        let letters = (b'A'..=b'Z').flat_map(|a| (b'A'..=b'Z').map(move |b| [a, b]));
        ByLetters(letters.map(|id| form.layout(std::str::from_utf8(&id).ok()?)).collect())
    })
});

impl ByLetters {
    #[inline]
    fn of(&self, id: &str) -> Option<&'static RecordLayout> {
        let [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] = *id.as_bytes() else { return None };
        self.0[usize::from(a - b'A') * 26 + usize::from(b - b'A')]
    }
}

/// Kind of a claims file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// 医科 and DPC (which is told per claim, by its `BU` record).
    Medical,
    /// 歯科.
    Dental,
    /// 調剤.
    Pharmacy,
    /// 訪問看護.
    HomeNursing,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Medical, Self::Dental, Self::Pharmacy, Self::HomeNursing];

    /// Text form, as in the table `claim`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Medical => "medical",
            Self::Dental => "dental",
            Self::Pharmacy => "pharmacy",
            Self::HomeNursing => "home_nursing",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Medical => "医科・DPC",
            Self::Dental => "歯科",
            Self::Pharmacy => "調剤",
            Self::HomeNursing => "訪問看護",
        }
    }
    /// Layout of a record (`SI`) of this form.
    pub fn layout(self, id: &str) -> Option<&'static RecordLayout> {
        let own = match self {
            Self::HomeNursing => "nursing",
            other => other.as_str(),
        };
        LAYOUTS.find(own, id).or_else(|| LAYOUTS.find("any", id))
    }
    /// Its layouts by their letters.
    fn layouts(self) -> &'static ByLetters {
        &BY_LETTERS[self as usize]
    }
}

/// By what the holder knows the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Keyed {
    /// The institution's own number (カルテ番号等), else the insurance. For files of the institution.
    #[default]
    Institution,
    /// Insurer, symbol, number, branch (or name), birth, sex. For files of an insurer, where the numbers
    /// of many institutions meet.
    Insured,
}

/// Reads the claims of one file.
#[derive(Debug, Clone)]
pub struct Reader {
    header: Header,
    keyed: Keyed,
}

impl Reader {
    /// Recognises the kind of file from its first record.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn new(header_line: &[u8]) -> Result<Self, HeaderError> {
        Ok(Self { header: Header::parse(header_line)?, keyed: Keyed::default() })
    }
    /// The same, with persons known by something else.
    pub fn keyed_by(self, keyed: Keyed) -> Self {
        Self { keyed, ..self }
    }
    /// What the first record says.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// Reads one segment. `first_line` is the number of its first line in the file (the header is 1) and
    /// appears in positions. Header, trailer and end mark give an empty [`Parsed`]. What is made stands in the arena.
    pub fn parse_segment<'a>(
        &self,
        bytes: &'a [u8],
        first_line: u64,
        arena: &'a Arena,
    ) -> Parsed<'a> {
        if matches!(piece(bytes), Piece::Header | Piece::Trailer | Piece::Blank) {
            return Parsed::default();
        }
        claim::parse(self, bytes, first_line, false, arena)
    }
    /// As [`Self::parse_segment`], but only the rows that tell of the person and the payers are read: for a first look at
    /// who is in a file.
    pub fn parse_person<'a>(
        &self,
        bytes: &'a [u8],
        first_line: u64,
        arena: &'a Arena,
    ) -> Parsed<'a> {
        if piece(bytes) != Piece::Claim {
            return Parsed::default();
        }
        claim::parse(self, bytes, first_line, true, arena)
    }
}

/// What a segment of a claims file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Piece {
    /// `IR`, `YK`, `HM`, `HI`: what follows is of this institution.
    Header,
    /// A claim.
    Claim,
    /// `GO`, `HG`: totals.
    Trailer,
    /// An end mark or blank lines.
    Blank,
}

/// What a segment is, told by its first record.
pub fn piece(bytes: &[u8]) -> Piece {
    match record_id(bytes) {
        b"IR" | b"YK" | b"HM" | b"HI" => Piece::Header,
        b"GO" | b"HG" => Piece::Trailer,
        _ if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A) => Piece::Blank,
        _ => Piece::Claim,
    }
}

fn record_id(line: &[u8]) -> &[u8] {
    let stop = line.iter().take(8).position(|b| matches!(b, b',' | b'\r' | b'\n'));
    &line[..stop.unwrap_or(line.len().min(8))]
}

/// Says of each line whether a segment begins: at `RE`, or at a record of the insurer or of a returned
/// file that stands before its `RE`.
pub fn cutter() -> impl FnMut(&[u8]) -> Cut {
    let mut leading = false;
    move |line| match record_id(line) {
        b"IR" | b"YK" | b"HM" | b"HI" | b"GO" | b"HG" => {
            leading = false;
            Cut::Alone
        }
        b"RE" if leading => {
            leading = false;
            Cut::Continue
        }
        b"RE" => Cut::Begin,
        b"MN" | b"HR" if !leading => {
            leading = true;
            Cut::Begin
        }
        _ => Cut::Continue,
    }
}

/// Cuts a claims file into its segments.
pub fn segments<R: Read>(source: R) -> SegmentReader<R, impl FnMut(&[u8]) -> Cut> {
    SegmentReader::new(source, cutter())
}

/// A rule that cuts, of any kind.
type Cutter = Box<dyn FnMut(&[u8]) -> Cut + Send>;

/// A whole file, one segment after another, with its totals.
pub struct Claims<R> {
    segments: SegmentReader<R, Cutter>,
    reader: Option<Reader>,
    keyed: Keyed,
    totals: Totals,
    /// Texts of the claim that was read last.
    arena: Arena,
}

impl<R> std::fmt::Debug for Claims<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").field("segments", &self.segments).finish_non_exhaustive()
    }
}

impl<R: Read> Claims<R> {
    /// Reads a file whose persons are known as `keyed` says.
    pub fn new(source: R, keyed: Keyed) -> Self {
        Self {
            segments: SegmentReader::new(source, Box::new(cutter())),
            reader: None,
            keyed,
            totals: Totals::default(),
            arena: Arena::new(),
        }
    }
    /// The next segment and what it says; `None` at the end. A claim before any header is rejected.
    ///
    /// # Errors
    /// A segment is too long, or the source failed.
    pub fn next_claim(&mut self) -> Result<Option<(Segment<'_>, Parsed<'_>)>, SegmentError> {
        let Some(segment) = self.segments.next_segment()? else { return Ok(None) };
        self.arena.reset();
        let at = || crate::row_view::at_line(segment.first_line);
        let parsed = match piece(segment.bytes) {
            Piece::Header => match Reader::new(segment.bytes) {
                Ok(reader) => {
                    self.reader = Some(reader.keyed_by(self.keyed));
                    Parsed::default()
                }
                Err(_) => {
                    self.reader = None;
                    Parsed::rejected("uke.no-header", at())
                }
            },
            Piece::Trailer => {
                self.totals.declare(segment.bytes, segment.first_line);
                Parsed::default()
            }
            Piece::Blank => Parsed::default(),
            Piece::Claim => match &self.reader {
                Some(reader) => {
                    let parsed =
                        reader.parse_segment(segment.bytes, segment.first_line, &self.arena);
                    self.totals.add(&parsed);
                    parsed
                }
                None => Parsed::rejected("uke.no-header", at()),
            },
        };
        Ok(Some((segment, parsed)))
    }
    /// What was counted so far; its [`Totals::issues`] are the file's own defects.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
    /// The header last read.
    pub fn header(&self) -> Option<&Header> {
        self.reader.as_ref().map(Reader::header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_found_by_its_letters() {
        for line in TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let id = line.split(',').nth(1).unwrap();
            for form in Form::ALL {
                let found = form.layouts().of(id).map(|l| (l.form, l.id));
                assert_eq!(found, form.layout(id).map(|l| (l.form, l.id)), "{id}");
            }
        }
        assert!(Form::Medical.layouts().of("S").is_none());
    }
}
