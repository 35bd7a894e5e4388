//! DPC survey files (DPC調査 退院患者調査): form 1, 3, 4, D, EF (joined, E and F apart, outpatient), H, K.
//!
//! Enters: the file's name and first line, then the rows of one stay after another ([`Reader::cutter`]:
//! rows with the same facility, data id and admission (and what stands between them) that stand together). Leaves: [`Parsed`] per stay;
//! the person is データ識別番号. Form 1 gives stay, encounter, conditions, procedures, body measures; EF and
//! D give one `claim_item` per row and the events of their detail rows; what has no table of its own gives
//! `survey` rows. Refuses: a first line of no known file ([`HeaderError`]); a stay (`rejected`) that is not
//! of the file's encoding, has no データ識別番号, or holds a My Number.
//!
//! **E and F rows tell the same money twice**: sum rows with `source_record` `E` or with `F`, never both.
//! Form 3 is about the facility: no person, no records; its columns are named in `unread`. The common id of
//! K files is a person's code made for linkage by the survey: it is never handed on.
//!
//! Layouts are data (`layouts/dpc.csv`). Files: tab separated CP932, with a header line (columns may then
//! stand in any order) or without; comma separated and, for EF, fixed width are read too.

mod cost;
mod form1;
mod header;
mod patient;

use std::{io::Read, sync::LazyLock};

pub use header::HeaderError;

use crate::{
    arena::Arena,
    delimited::Charset,
    layout::{Layouts, RecordLayout, Role},
    record::Parsed,
    row_view::{Cells, Decoded, RowView, at_line, lines},
    segment::{Cut, SegmentReader},
};
use header::{Columns, Delimiter};

/// The layouts.
pub(crate) const TABLE: &str = include_str!("../../layouts/dpc.csv");

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::load(TABLE));

/// Kind of a survey file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum File {
    /// 様式1, one row per item.
    Form1,
    /// 様式1, one row per stay, items in columns.
    Form1Wide,
    /// 様式3: the facility.
    Form3,
    /// 様式4: who paid.
    Form4,
    /// Dファイル: the bundle.
    D,
    /// EF統合ファイル, inpatients.
    Ef,
    /// 外来EF統合ファイル.
    EfOutpatient,
    /// Eファイル.
    E,
    /// Fファイル.
    F,
    /// Hファイル: nursing needs, daily.
    H,
    /// Kファイル: common ids.
    K,
}

impl File {
    /// All files.
    pub const ALL: [Self; 11] = [
        Self::Form1,
        Self::Form1Wide,
        Self::Form3,
        Self::Form4,
        Self::D,
        Self::Ef,
        Self::EfOutpatient,
        Self::E,
        Self::F,
        Self::H,
        Self::K,
    ];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form1 | Self::Form1Wide => "form1",
            Self::Form3 => "form3",
            Self::Form4 => "form4",
            Self::D => "d",
            Self::Ef => "ef",
            Self::EfOutpatient => "efg",
            Self::E => "e",
            Self::F => "f",
            Self::H => "h",
            Self::K => "k",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Form1 => "様式1",
            Self::Form1Wide => "様式1（横持ち）",
            Self::Form3 => "様式3",
            Self::Form4 => "様式4",
            Self::D => "Dファイル",
            Self::Ef => "EF統合ファイル",
            Self::EfOutpatient => "外来EF統合ファイル",
            Self::E => "Eファイル",
            Self::F => "Fファイル",
            Self::H => "Hファイル",
            Self::K => "Kファイル",
        }
    }
    /// Layout of its rows.
    ///
    /// # Panics
    /// Never: every file has its rows in the table, which a test checks.
    pub fn layout(self) -> &'static RecordLayout {
        // Safety of expect: `every_file_has_a_layout`.
        LAYOUTS.find(self.as_str(), "row").expect("the table has the rows of every file")
    }
}

/// Payloads of a code of form 1 (`A006030`), as they stand from a version (`YYYYMMDD`) on.
pub fn form1_layout(code: &str, version: &str) -> Option<&'static RecordLayout> {
    LAYOUTS.version("code", code, version)
}

/// Reads the stays of one file.
#[derive(Debug, Clone)]
pub struct Reader {
    file: File,
    delimiter: Delimiter,
    columns: Option<Columns>,
    /// How many cells at the beginning of a line hold the key of the stay, if they stand there.
    key_cells: Option<usize>,
}

/// What tells one stay from another.
const KEY: [Role; 3] = [Role::Facility, Role::Key, Role::Admitted];

/// Most rows of one segment: a stay of more is cut, so that memory stays bounded.
const MAX_ROWS: u32 = 20_000;

impl Reader {
    /// Recognises the file by its header line, else by its name, else by the shape of its first row.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn new(file_name: &str, first_line: &[u8]) -> Result<Self, HeaderError> {
        header::recognise(file_name, first_line)
    }
    fn of(file: File, delimiter: Delimiter, columns: Option<Columns>) -> Self {
        let in_order = columns.as_ref().is_none_or(Columns::in_order);
        let last = KEY.iter().filter_map(|role| file.layout().at(*role)).max();
        let key_cells = last.filter(|_| in_order && delimiter != Delimiter::Fixed).map(|at| at + 1);
        Self { file, delimiter, columns, key_cells }
    }
    /// Which file it is.
    pub fn file(&self) -> File {
        self.file
    }
    /// The code of a row of form 1, if it is one of the known ones.
    pub(crate) fn form1_code<'l>(&self, line: &'l [u8]) -> Option<&'l str> {
        let at = self.file.layout().at(Role::ItemCode)?;
        let at = self.columns.as_ref().map_or(Some(at), |c| c.source_of(at))?;
        let code = std::str::from_utf8(self.delimiter.cell(line, at)?.trim_ascii()).ok()?;
        LAYOUTS.version("code", code, "").map(|_| code)
    }
    /// May a row of it tell of the person's birth, death or name?
    pub(crate) fn tells_of_person(&self) -> bool {
        matches!(self.file, File::Form1 | File::Form1Wide | File::EfOutpatient)
    }
    /// Is the first line a header?
    pub fn has_header(&self) -> bool {
        self.columns.is_some()
    }
    /// The delimiter, or `None` for fixed widths.
    pub fn delimiter(&self) -> Option<u8> {
        match self.delimiter {
            Delimiter::Byte(byte) => Some(byte),
            Delimiter::Fixed => None,
        }
    }

    /// Says of each line, the header included, whether a segment begins: where facility, data id or
    /// admission differ from the line before.
    pub fn cutter(&self) -> impl FnMut(&[u8]) -> Cut + use<> {
        let reader = self.clone();
        let mut first = true;
        let mut rows = 0;
        let mut before: Vec<u8> = Vec::new();
        let mut key: Vec<u8> = Vec::new();
        move |line| {
            if std::mem::take(&mut first) && reader.has_header() {
                return Cut::Alone;
            }
            reader.key_of(line, &mut key);
            rows += 1;
            if rows < MAX_ROWS && key == before {
                return Cut::Continue;
            }
            rows = 0;
            std::mem::swap(&mut key, &mut before);
            Cut::Begin
        }
    }
    /// Cuts a file into its segments.
    pub fn segments<R: Read>(
        &self,
        source: R,
    ) -> SegmentReader<R, impl FnMut(&[u8]) -> Cut + use<R>> {
        SegmentReader::new(source, self.cutter())
    }

    /// Facility, data id and admission of a row, as one key.
    fn key_of(&self, line: &[u8], key: &mut Vec<u8>) {
        key.clear();
        if self.file == File::Form3 {
            return;
        }
        if let (Delimiter::Byte(delimiter), Some(cells)) = (self.delimiter, self.key_cells) {
            let mut left = cells;
            let end = line.iter().position(|b| {
                left -= usize::from(*b == delimiter);
                left == 0
            });
            key.extend_from_slice(&line[..end.unwrap_or(line.len())]);
            return;
        }
        let layout = self.file.layout();
        for role in KEY {
            let Some(at) = layout.at(role) else { continue };
            let at = self.columns.as_ref().map_or(Some(at), |c| c.source_of(at));
            let cell = at.and_then(|at| self.delimiter.cell(line, at)).unwrap_or_default();
            key.extend_from_slice(cell);
            key.push(0);
        }
    }

    /// Reads one segment. `first_line` is the number of its first line in the file and appears in
    /// positions. The header and an end mark give an empty [`Parsed`]. What is made stands in the arena.
    pub fn parse_segment<'a>(
        &self,
        bytes: &'a [u8],
        first_line: u64,
        arena: &'a Arena,
    ) -> Parsed<'a> {
        if self.has_header() && first_line == 1
            || bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A)
        {
            return Parsed::default();
        }
        let charset = Charset::of(bytes);
        let Some(decoded) = Decoded::of(bytes, charset, arena) else {
            return Parsed::rejected("dpc.not-cp932", at_line(first_line));
        };
        let mut stay = patient::Stay::new(self.file, arena);
        stay.out.records.reserve(bytes.len() / 60 + 4);
        let layout = self.file.layout();
        let mut cells = Cells::default();
        let mut ordered = Cells::default();
        let mut fixed = Cells::default();
        // Widths are counted in bytes: such rows are cut before they are decoded.
        let widths = self.delimiter == Delimiter::Fixed;
        let mut sources = widths.then(|| lines(bytes, first_line));
        for (line, text) in decoded.lines(first_line) {
            let bytes = text.as_bytes();
            let source = sources.as_mut().and_then(Iterator::next).map(|(_, source)| source);
            if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A) {
                continue;
            }
            let text = match source {
                Some(source) => {
                    self.delimiter.cut(source, &mut fixed);
                    header::widen(source, &fixed, &decoded, &mut cells)
                }
                None => {
                    self.delimiter.cut(bytes, &mut cells);
                    text
                }
            };
            let cells = match &self.columns {
                Some(columns) if !columns.in_order() => {
                    columns.order(&cells, &mut ordered);
                    &ordered
                }
                _ => &cells,
            };
            let mut row = decoded.row(line, text, cells, layout);
            if let Some(source) = source {
                row = row.with_source(source, &fixed);
            }
            if self.file == File::Form3 {
                self.facility(&row, &mut stay.out);
                continue;
            }
            if !stay.same_person(&row) {
                continue;
            }
            let least = if self.file == File::K { 2 } else { 5 };
            if self.file != File::Form1Wide && row.cells.len() < least {
                stay.out.note_issue("dpc.columns", row.position());
                stay.out.note_unread(format!("line {line}"));
                continue;
            }
            match self.file {
                File::Ef | File::EfOutpatient | File::E | File::F | File::D => stay.cost(row),
                File::Form1 => stay.form1(row),
                File::Form1Wide => {
                    if let Some(columns) = &self.columns {
                        stay.form1_wide(row, columns);
                    }
                }
                File::H | File::Form4 => stay.survey(row),
                File::K => {
                    stay.out.note_unread("K.一次共通ID");
                }
                File::Form3 => {}
            }
            if let Some(columns) = &self.columns
                && self.file != File::Form1Wide
            {
                for (at, name) in columns.unknown() {
                    if self.delimiter.cell(bytes, *at).is_some_and(|c| !c.trim_ascii().is_empty()) {
                        stay.out.note_unread(format!("{}.{name}", self.file.label_ja()));
                    }
                }
            }
        }
        stay.finish(first_line)
    }

    /// Form 3: columns that hold something, by name.
    fn facility<'a>(&self, row: &RowView<'a, '_>, out: &mut Parsed<'a>) {
        for index in 1..row.cells.len() {
            if row.text(row.cells[index]).is_some() {
                let name = self.columns.as_ref().and_then(|c| c.name(index));
                match name {
                    Some(name) => out.note_unread(format!("様式3.{name}")),
                    None => out.note_unread(format!("様式3.column {}", index + 1)),
                }
            }
        }
    }
}

/// The facility, the data id and the day of admission of a stay, as one key.
fn stay_key<'a>(row: &RowView<'a, '_>) -> Option<&'a str> {
    let mut key = String::with_capacity(32);
    for role in KEY {
        if !key.is_empty() {
            key.push('-');
        }
        key.push_str(row.get(role).unwrap_or_default());
    }
    row.arena().filled(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_layout() {
        for file in File::ALL {
            assert_eq!(file.layout().at(Role::Facility), Some(0), "{}", file.label_ja());
            assert!(file == File::Form3 || file.layout().at(Role::Key).is_some());
        }
        assert_eq!(
            form1_layout("A006030", "20240401").unwrap().number_of("医療資源を最も投入した傷病名"),
            Some(9)
        );
    }
}
