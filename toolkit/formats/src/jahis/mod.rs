//! JAHIS texts: the medication notebook (電子版お薬手帳) and the symbol on outpatient prescriptions
//! (院外処方箋２次元シンボル).
//!
//! Enters: a whole text, as [`segments`] cuts them at their `JAHIS…` line. Leaves: [`Parsed`]: person,
//! drugs, visits, insurance, notes. Refuses (`rejected`): no `JAHIS…` line, bytes that are neither CP932
//! nor UTF-8, no person, a My Number.
//!
//! A notebook has no key of the person: name (kana, else kanji), birth and sex stand for it. In a notebook
//! of output category 2, and in rows written by the patient, drugs are `self-reported`. Records without a
//! table of their own (pharmacy, prescriber, remarks …) are notes: their text, or `name=value` by field.

mod drugs;
mod join;
mod person;

use std::{io::Read, sync::LazyLock};

pub use join::{JoinError, join};

use crate::{
    arena::Arena,
    delimited::Charset,
    layout::{Layouts, RecordLayout, Role},
    record::{
        CoverageRecord, EncounterRecord, MedicationRecord, NoteRecord, Parsed, PersonRecord, Text,
    },
    row_view::{Cells, Decoded, RowView, at_line, cell, cut},
    segment::{Cut, SegmentReader},
    text::holds_my_number,
};
use drugs::Regimens;

/// The layouts.
pub(crate) const TABLE: &str = include_str!("../../layouts/jahis.csv");

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::load(TABLE));

/// Which of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// お薬手帳, `JAHISTC01` to `08` and later.
    Notebook,
    /// 院外処方箋, `JAHIS1` to `10` and later.
    Prescription,
}

impl Kind {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notebook => "notebook",
            Self::Prescription => "prescription",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Notebook => "電子版お薬手帳",
            Self::Prescription => "院外処方箋2次元シンボル",
        }
    }
    /// Told by the first line.
    pub fn of(first_line: &[u8]) -> Option<Self> {
        let line = first_line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first_line);
        let rest = line.strip_prefix(b"JAHIS")?;
        let (kind, rest) = match rest.strip_prefix(b"TC") {
            Some(rest) => (Self::Notebook, rest),
            None => (Self::Prescription, rest),
        };
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let ends = matches!(rest.get(digits), None | Some(b',' | b'\r' | b'\n' | 0x1A | b' '));
        (matches!(digits, 1..=3) && ends).then_some(kind)
    }
    /// Layout of a record (`201`).
    pub fn layout(self, id: &str) -> Option<&'static RecordLayout> {
        LAYOUTS.find(self.as_str(), id)
    }
    /// Layout of a row: a shorter shape where the row is no longer than it.
    fn layout_of(self, id: &str, width: usize) -> Option<&'static RecordLayout> {
        let id = id.trim();
        let short = LAYOUTS.find(self.as_str(), &format!("{id}@short"));
        short.filter(|s| width <= s.width()).or_else(|| self.layout(id))
    }
}

/// Says of each line whether a text begins.
pub fn cutter() -> impl FnMut(&[u8]) -> Cut {
    |line| if Kind::of(line).is_some() { Cut::Begin } else { Cut::Continue }
}

/// Cuts a file into its texts.
pub fn segments<R: Read>(source: R) -> SegmentReader<R, impl FnMut(&[u8]) -> Cut> {
    SegmentReader::new(source, cutter())
}

/// A text being read.
struct Reading<'a> {
    kind: Kind,
    /// Was it written by the patient (output category 2)?
    by_patient: bool,
    arena: &'a Arena,
    out: Parsed<'a>,
    person: PersonRecord<'a>,
    patient_no: Text<'a>,
    insurance: Option<CoverageRecord<'a>>,
    coverages: Vec<CoverageRecord<'a>>,
    visit: Option<EncounterRecord<'a>>,
    visits: u32,
    regimens: Regimens<'a>,
    my_number: bool,
}

/// Reads one text. `first_line` is the number of its first line in the file and appears in positions. What is made stands
/// in the arena.
pub fn parse_segment<'a>(bytes: &'a [u8], first_line: u64, arena: &'a Arena) -> Parsed<'a> {
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A) {
        return Parsed::default();
    }
    let Some(kind) = Kind::of(bytes) else {
        return Parsed::rejected("jahis.no-header", at_line(first_line));
    };
    let charset = Charset::of(bytes);
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Some(decoded) = Decoded::of(bytes, charset, arena) else {
        return Parsed::rejected("jahis.encoding", at_line(first_line));
    };
    let mut reading = Reading {
        kind,
        by_patient: false,
        arena,
        out: Parsed::default(),
        person: PersonRecord { position: at_line(first_line), ..PersonRecord::default() },
        patient_no: None,
        insurance: None,
        coverages: Vec::new(),
        visit: None,
        visits: 0,
        regimens: Regimens::default(),
        my_number: false,
    };
    let mut cells = Cells::default();
    for (line, text) in decoded.lines(first_line) {
        let text = text.strip_suffix('\x1a').unwrap_or(text);
        let bytes = text.as_bytes();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        cut(bytes, b',', &mut cells);
        if line == first_line {
            reading.by_patient =
                kind == Kind::Notebook && cell(bytes, &cells, 1).trim_ascii() == b"2";
            continue;
        }
        let id = &text[..cells[0].1 as usize];
        // Wide blanks around a number are those of UTF-8 texts only.
        let known = charset == Charset::Utf8 || id.is_ascii();
        match kind.layout_of(id, cells.len()).filter(|_| known) {
            Some(layout) => reading.row(decoded.row(line, text, &cells, layout)),
            None => reading.unknown(id, line),
        }
    }
    reading.finish(first_line)
}

impl<'a> Reading<'a> {
    fn row(&mut self, row: RowView<'a, '_>) {
        let id = row.layout.id.split('@').next().unwrap_or_default();
        match (self.kind, id) {
            (Kind::Notebook, "1") => self.notebook_person(row),
            (Kind::Notebook, "3") => self.over_the_counter(row),
            (Kind::Notebook, "5") => self.dispensing(row),
            (Kind::Notebook, "55") | (Kind::Prescription, "4" | "5" | "51") => self.visit(row),
            (Kind::Prescription, "11" | "12" | "13") => self.prescription_person(row),
            (Kind::Prescription, "21" | "22" | "23") => self.insurance(row),
            (Kind::Prescription, "27" | "28" | "29" | "30") => self.public(row),
            (Kind::Prescription, "61") => {
                self.person.address = row.get(Role::Address);
                self.person.phone = row.get(Role::Phone);
                self.side(row);
            }
            (_, "201") => self.drug(row),
            (Kind::Notebook, "301") | (Kind::Prescription, "101" | "111") => self.usage(row),
            (Kind::Prescription, "241") => {
                self.dose(row);
                self.side(row);
            }
            _ => self.note(row),
        }
    }

    /// A record whose point is a text.
    fn note(&mut self, row: RowView<'a, '_>) {
        let Some(words) = row.get(Role::Text) else {
            self.side(row);
            return;
        };
        let title = match (row.get(Role::Rp), row.get(Role::Section)) {
            (Some(rp), None) => Some(self.arena.text(&format!("RP{rp}"))),
            (Some(rp), Some(section)) => Some(self.arena.text(&format!("RP{rp} 区分{section}"))),
            (None, section) => section,
        };
        let record = NoteRecord {
            position: row.position(),
            kind: Self::kind_of(&row),
            title,
            text: Some(words),
            written_at: row.get(Role::Started).or_else(|| self.day()),
            encounter_key: self.encounter_key(),
            practitioner: None,
        };
        self.out.records.push(self.arena.record(record));
        self.side(row);
    }

    /// Official name of a record's main field.
    fn kind_of(row: &RowView<'a, '_>) -> Text<'a> {
        let at = row.layout.at(Role::Text).map_or(1, |at| at + 1);
        row.layout.name_of(at).or_else(|| row.layout.fields.first().map(|f| f.name))
    }

    /// Fields without a role, as a note of `name=value` pairs.
    fn side(&mut self, row: RowView<'a, '_>) {
        let mut words = String::new();
        for (index, cell) in row.cells.iter().enumerate().skip(1) {
            if row.layout.kept(index) == Some(false) {
                continue;
            }
            let Some(value) = row.text(*cell) else { continue };
            let Some(name) = row.layout.name_of(index + 1) else {
                self.out.note_unread(format!("{}.{}", row.layout.id, index + 1));
                continue;
            };
            self.my_number |= holds_my_number(value);
            row.push_named(&mut words, name, value);
        }
        if words.is_empty() {
            return;
        }
        let record = NoteRecord {
            position: row.position(),
            kind: row.layout.fields.first().map(|f| f.name),
            title: Some(row.layout.id),
            text: row.made(&words),
            written_at: self.day(),
            encounter_key: self.encounter_key(),
            practitioner: None,
        };
        self.out.records.push(self.arena.record(record));
    }

    fn unknown(&mut self, id: &'a str, line: u64) {
        if (1..=3).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()) {
            self.out.note_unread(id);
        } else {
            self.out.note_issue("jahis.record-no", at_line(line));
            self.out.note_unread(format!("line {line}"));
        }
    }

    fn day(&self) -> Text<'a> {
        self.visit.as_ref().and_then(|v| v.start_at)
    }
    fn encounter_key(&self) -> Text<'a> {
        self.visit.as_ref().and_then(|v| v.encounter_key)
    }

    fn finish(mut self, first_line: u64) -> Parsed<'a> {
        self.close_visit();
        let person = self.key();
        if person.is_none() {
            self.out.person = None;
            self.out.reject("jahis.no-person", at_line(first_line));
            return self.out;
        }
        if self.my_number {
            return Parsed::rejected("my-number", at_line(first_line));
        }
        self.out.person = person;
        self.person.record_no.clone_from(&self.patient_no);
        if self.person.birth_on.is_none() {
            self.out.note_issue("jahis.no-birth", self.person.position);
        }
        let insurance = self.insurance.into_iter().chain(self.coverages);
        self.out.records.push(self.arena.record(self.person));
        self.out.records.extend(insurance.map(|insurance| self.arena.record(insurance)));
        self.out
    }

    fn drug_record(&self, position: crate::Position<'a>) -> MedicationRecord<'a> {
        MedicationRecord {
            position,
            kind: Some(match (self.kind, self.by_patient) {
                (Kind::Prescription, _) => "order",
                (Kind::Notebook, false) => "dispense",
                (Kind::Notebook, true) => "self-reported",
            }),
            encounter_key: self.encounter_key(),
            ..MedicationRecord::default()
        }
    }
}
