//! CSV files of a municipality: residents, check-ups, insurance, deaths.
//!
//! Enters: the header line, then one row after another (lines without terminators, as
//! [`crate::LineReader`] gives them). Leaves: [`Parsed`] per row; the person is 宛名番号. Refuses: a header
//! of no known layout ([`HeaderError`]); a row (`rejected`) that is not of the file's encoding, whose quotes
//! are broken or whose cells are not as many as the header's, that names no person, or holds a My Number.
//!
//! Columns are found by their header, in any order; a column that is not known is named in `unread` where
//! it holds something. Dates stay as they are written: ISO, `YYYYMMDD` or an era.

mod events;
mod layout;
mod row;

use std::borrow::Cow;

pub use layout::Layout;
pub(crate) use layout::plain as plain_header;
pub use row::Encoding;

use crate::{
    Position,
    arena::Arena,
    checkup::ITEM_SYSTEM,
    record::{CheckupRecord, CoverageRecord, DeathRecord, Parsed, PersonRecord, Text},
    text,
};
use layout::{Column, column, unread_name};
pub(crate) use row::cells;

/// Most columns of a file.
const MAX_COLUMNS: usize = 2_000;

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Neither UTF-8 nor CP932.
    #[error("the header is neither UTF-8 nor CP932")]
    Encoding,
    /// Broken quotes.
    #[error("the quotes of the header do not close")]
    Quotes,
    /// Not the columns of any layout.
    #[error("the header has not the columns of any known layout")]
    Unknown,
    /// A column that is read occurs twice.
    #[error("column {column} of the header occurs twice")]
    Twice {
        /// Number of the second one, from 1.
        column: usize,
    },
}

impl HeaderError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Encoding => {
                "見出し行の文字コードがUTF-8でもCP932でもありません。保存形式を確認してください。".into()
            }
            Self::Quotes => "見出し行の引用符が閉じていません。1行目を確認してください。".into(),
            Self::Unknown => {
                "見出し行が住民・健診・資格・死亡・予防接種・異動・介護被保険者のいずれの様式でもありません。宛名番号などの列名を確認してください。".into()
            }
            Self::Twice { column } => {
                format!("見出し行の{column}列目が重複しています。列名を確認してください。")
            }
        }
    }
}

/// Reads the rows of one file.
#[derive(Debug, Clone)]
pub struct Reader {
    layout: Layout,
    encoding: Encoding,
    columns: Vec<Column>,
    codes: Vec<String>,
    unread: Vec<Cow<'static, str>>,
}

impl Reader {
    /// Recognises the layout from the header line.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn new(header_line: &[u8]) -> Result<Self, HeaderError> {
        let encoding = Encoding::of_header(header_line);
        let text = encoding.decode(header_line).ok_or(HeaderError::Encoding)?;
        let arena = Arena::new();
        let header = cells(text.trim_end_matches(['\r', '\n']), MAX_COLUMNS, &arena)
            .ok_or(HeaderError::Quotes)?;
        if header.len() > MAX_COLUMNS {
            return Err(HeaderError::Unknown);
        }
        let columns: Vec<Column> = header.iter().map(|h| column(h)).collect();
        let layout = Layout::of(&columns).ok_or(HeaderError::Unknown)?;
        let codes: Vec<String> = header.iter().map(|h| layout::plain(h)).collect();
        for (index, found) in columns.iter().enumerate() {
            let same = |before: usize| match found {
                Column::Unknown => false,
                Column::Item => columns[before] == Column::Item && codes[before] == codes[index],
                _ => columns[before] == *found,
            };
            if (0..index).any(same) {
                return Err(HeaderError::Twice { column: index + 1 });
            }
        }
        let unread = header.iter().enumerate().map(|(i, h)| unread_name(layout, h, i)).collect();
        Ok(Self { layout, encoding, columns, codes, unread })
    }

    /// Finds the header among the first lines of a file: title lines above it (as KDB writes them) and lines that begin
    /// with `#` are passed over. Gives the reader and how many lines stand before the first row.
    ///
    /// # Errors
    /// None of the first ten lines is a header; the error is the first line's.
    pub fn find<'l>(
        first_lines: impl IntoIterator<Item = &'l [u8]>,
    ) -> Result<(Self, usize), HeaderError> {
        let mut first = None;
        for (index, line) in first_lines.into_iter().take(10).enumerate() {
            match Self::new(line) {
                Ok(reader) => return Ok((reader, index + 1)),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(HeaderError::Unknown))
    }

    /// What the file is about.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How it is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Reads one row. `row_no` is the line's number in the file (the header is 1) and appears in positions. What is made
    /// stands in the arena.
    pub fn parse_row<'a>(&self, line: &'a [u8], row_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = || format!("row {row_no}");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Parsed::default();
        }
        if line.starts_with(b"#") {
            let mut out = Parsed::default();
            out.note_unread(format!("{}.comment", self.layout.label_ja()));
            return out;
        }
        let Some(text) = self.encoding.decode(line) else {
            return Parsed::rejected(self.encoding.broken(), at());
        };
        let Some(mut row) = cells(arena.keep(text), self.columns.len(), arena) else {
            return Parsed::rejected("csv.quotes", at());
        };
        if row.len() != self.columns.len() {
            return Parsed::rejected("csv.columns", at());
        }
        for (index, cell) in row.iter().enumerate() {
            let dated = matches!(
                self.columns[index],
                Column::Birth
                    | Column::Moved
                    | Column::Died
                    | Column::From
                    | Column::To
                    | Column::Examined
                    | Column::Vaccinated
                    | Column::Notified
                    | Column::ValidFrom
                    | Column::ValidTo
            );
            if !dated && text::holds_my_number(cell) {
                return Parsed::rejected("my-number", format!("row {row_no} column {}", index + 1));
            }
        }
        let mut cells = Cells { reader: self, row: &mut row, row_no, arena };
        let mut out = Parsed { person: cells.key(), ..Parsed::default() };
        if out.person.is_none() {
            out.reject("csv.no-person", at());
            return out;
        }
        match self.layout {
            Layout::Persons => persons(&mut cells, &mut out),
            Layout::Coverage => coverage(&mut cells, &mut out),
            Layout::Death => death(&mut cells, &mut out),
            Layout::Checkup => checkup(&mut cells, &mut out),
            Layout::Vaccination => events::vaccination(&mut cells, &mut out),
            Layout::Residency => events::residency(&mut cells, &mut out),
            Layout::CareInsured => events::care_insured(&mut cells, &mut out),
        }
        // What no one took is unread.
        for (index, cell) in row.iter().enumerate() {
            if !cell.trim().is_empty() {
                out.note_unread(self.unread[index].clone());
            }
        }
        out
    }
}

struct Cells<'r, 'a> {
    reader: &'r Reader,
    row: &'r mut Vec<&'a str>,
    row_no: u64,
    arena: &'a Arena,
}

impl<'a> Cells<'_, 'a> {
    /// The person's key: 宛名番号, or the numbers that stand for it, joined by `:`.
    fn key(&mut self) -> Text<'a> {
        let blank = |c: char| c.is_whitespace();
        let filled = |column: &Column| {
            let index = self.reader.columns.iter().position(|c| c == column)?;
            Some(self.row[index].trim_matches(blank)).filter(|c| !c.is_empty())
        };
        let optional = |c: &Column| matches!(c, Column::Symbol | Column::Branch);
        let keys = self.reader.layout.keys().iter();
        let key = keys.copied().find(|key| {
            // A card needs insurer and number; symbol and branch may be empty.
            key.iter().all(|c| optional(c) || filled(c).is_some())
        })?;
        if let [only] = key {
            return self.take(*only);
        }
        if key.contains(&Column::Number) {
            let part = |c: Column| key.contains(&c).then(|| filled(&c)).flatten();
            return Some(self.arena.text(&text::member_key([
                part(Column::InsurerNo),
                part(Column::Symbol),
                part(Column::Number),
                part(Column::Branch),
            ])));
        }
        let parts: Vec<String> = key.iter().filter_map(filled).map(text::narrowed).collect();
        Some(self.arena.text(&parts.join(":")))
    }

    /// Does the file tell people apart by 宛名番号, so that a register of residents is delivered too?
    fn by_address_number(&self) -> bool {
        self.reader.columns.contains(&Column::Key)
    }

    /// Takes the cell of a column out of the row; `None` if the column is missing or the cell blank.
    fn take(&mut self, column: Column) -> Text<'a> {
        let index = self.reader.columns.iter().position(|c| *c == column)?;
        self.take_at(index)
    }
    fn take_at(&mut self, index: usize) -> Text<'a> {
        let blank = |c: char| c.is_whitespace();
        let cell = std::mem::take(&mut self.row[index]).trim_matches(blank);
        (!cell.is_empty()).then_some(cell)
    }
    /// `row 5`.
    fn position(&self) -> Position<'a> {
        self.arena.text(&format!("row {}", self.row_no)).into()
    }
}

/// What the row says about the person.
fn person<'a>(cells: &mut Cells<'_, 'a>, out: &Parsed<'a>) -> PersonRecord<'a> {
    PersonRecord {
        position: cells.position(),
        name_kanji: cells.take(Column::NameKanji),
        name_kana: cells.take(Column::NameKana),
        sex: cells.take(Column::Sex).map(|s| match s {
            "1" | "１" | "男" => "M",
            "2" | "２" | "女" => "F",
            "9" | "９" => "O",
            "0" | "０" | "3" | "３" | "不明" => "U",
            _ => s,
        }),
        birth_on: cells.take(Column::Birth),
        postal_code: cells.take(Column::PostalCode),
        address: cells.take(Column::Address),
        phone: cells.take(Column::Phone),
        occupation: cells.take(Column::Occupation),
        insurer_no: None,
        insured_symbol: None,
        insured_number: None,
        insured_branch: None,
        death_on: cells.take(Column::Died),
        record_no: out.person,
    }
}

fn persons<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let person = person(cells, out);
    for (name, value) in [("氏名漢字", &person.name_kanji), ("住所", &person.address)] {
        if value.as_deref().is_some_and(text::gaiji) {
            out.note_issue("gaiji", format!("{} {name}", cells.position()));
        }
    }
    if person.birth_on.is_none() {
        out.note_issue("csv.no-birth", cells.position());
    }
    out.records.push(cells.arena.record(person));
}

fn coverage<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let coverage = CoverageRecord {
        position: cells.position(),
        insurer_no: cells.take(Column::InsurerNo),
        insurer_name: cells.take(Column::InsurerName),
        insured_symbol: cells.take(Column::Symbol),
        insured_number: cells.take(Column::Number),
        insured_branch: cells.take(Column::Branch),
        kind: None,
        relation: cells.take(Column::Relation),
        from_on: cells.take(Column::From),
        to_on: cells.take(Column::To),
    };
    if coverage.insurer_no.is_none() {
        out.note_issue("csv.no-insurer", cells.position());
    }
    out.records.push(cells.arena.record(coverage));
}

fn death<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let cause_code = cells.take(Column::CauseCode);
    let death = DeathRecord {
        position: cells.position(),
        died_on: cells.take(Column::Died),
        cause_system: cause_code.is_some().then_some("ICD-10"),
        cause_code,
        cause_text: cells.take(Column::CauseText),
        place: cells.take(Column::Place),
    };
    if death.died_on.is_none() {
        out.note_issue("csv.no-date", cells.position());
    }
    if !cells.by_address_number() {
        // A death certificate is joined by name, birth, sex and address alone.
        let death_on = death.died_on;
        let record = PersonRecord { death_on, ..person(cells, out) };
        out.records.push(cells.arena.record(record));
    }
    out.records.push(cells.arena.record(death));
}

fn checkup<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    if !cells.by_address_number() {
        // The insurer's number joins the rows with others of the person; who it is, only this row tells.
        let (insurer_no, insured_symbol) =
            (cells.take(Column::InsurerNo), cells.take(Column::Symbol));
        let insured_number = cells.take(Column::Number).or_else(|| cells.take(Column::InsuredNo));
        let insured_branch = cells.take(Column::Branch);
        let record = PersonRecord {
            insurer_no,
            insured_symbol,
            insured_number,
            insured_branch,
            record_no: None,
            ..person(cells, out)
        };
        out.records.push(cells.arena.record(record));
    }
    let examined_on = cells.take(Column::Examined);
    let institution = cells.take(Column::Institution);
    if examined_on.is_none() {
        out.note_issue("csv.no-date", cells.position());
    }
    let items = cells.reader.columns.iter().enumerate().filter(|(_, c)| **c == Column::Item);
    for (index, _) in items {
        let Some(value) = cells.take_at(index) else { continue };
        let number = text::quantity(value).map(|q| cells.arena.keep(q.number));
        let place = format!("row {} column {}", cells.row_no, index + 1);
        let item = CheckupRecord {
            position: cells.arena.text(&place).into(),
            item_code: Some(cells.arena.text(&cells.reader.codes[index])),
            code_system: Some(ITEM_SYSTEM),
            text: None,
            value_num: number,
            value_text: Some(value),
            unit: None,
            examined_on,
            institution,
            ..CheckupRecord::default()
        };
        out.records.push(cells.arena.record(item));
    }
    if !out.records.iter().any(|r| r.table() == CheckupRecord::TABLE) {
        out.note_issue("csv.no-item", cells.position());
    }
}

#[cfg(test)]
mod tests;
