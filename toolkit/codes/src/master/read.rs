//! The bytes of a master file to its entries.

use hashbrown::HashMap;
use jiff::civil::Date;

use super::{
    Entry, Layout, Master,
    layout::{Column, Field, plain_heading},
};
use crate::{rule::Effect, unit::Unit};

/// How many rows are searched for the heading: tables exported from spreadsheets begin with titles.
const HEADING_WITHIN: usize = 12;

/// How a file's bytes were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, strictly, with or without a byte order mark.
    Utf8,
    /// CP932 (Windows-31J).
    Cp932,
}

/// A rule that a row broke. Never holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Rule id, see [`crate::RULES`].
    pub rule: &'static str,
    /// 1-based line.
    pub line: u64,
    /// 1-based column, where one column is at fault.
    pub column: Option<usize>,
}

impl Defect {
    /// What became of the row.
    pub fn effect(&self) -> Effect {
        crate::rule(self.rule).map_or(Effect::Kept, |(effect, _)| effect)
    }

    /// The sentence shown to staff, with the place.
    pub fn japanese(&self) -> String {
        let sentence = crate::rule(self.rule).map_or("", |(_, sentence)| sentence);
        let column = self.column.map_or(String::new(), |column| format!("{column}列目"));
        format!("{}行目{column}: {sentence}", self.line)
    }
}

/// What an import made of a file.
#[derive(Clone, Debug)]
pub struct Import {
    /// The master.
    pub master: Master,
    /// Broken rules, in file order.
    pub defects: Vec<Defect>,
    /// Data rows of the file.
    pub rows: usize,
    /// Rows that were not used. `rows = master.entries().len() + dropped`.
    pub dropped: usize,
    /// How the bytes were read.
    pub encoding: Encoding,
    /// Headings of the file that the layout does not use, in order.
    pub unread: Vec<String>,
}

/// Why a file is not imported at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// UTF-16, or binary (a spreadsheet).
    #[error("the file is neither UTF-8 nor CP932 text")]
    NotText,
    /// No row.
    #[error("the file holds no row")]
    Empty,
    /// The columns of code and name cannot be told.
    #[error("the file has no column for {field} of layout {layout}")]
    NoColumn {
        /// `code` or `name`.
        field: &'static str,
        /// Layout.
        layout: String,
    },
}

impl ImportError {
    /// The sentence shown to staff.
    pub const fn japanese(&self) -> &'static str {
        match self {
            Self::NotText => {
                "文字のファイル（UTF-8またはCP932）ではありません。CSVで出力し直してください。"
            }
            Self::Empty => "データの行がありません。",
            Self::NoColumn { .. } => {
                "コードまたは名称の列が見つかりません。マスターの種類を確認してください。"
            }
        }
    }
}

/// Read a master. `edition` is the operator's name for it (`2026-04`), kept for the history of mappings.
///
/// Comma or tab separated, quoted or not, UTF-8 or CP932 (`encoding` settles it; else strict UTF-8 decides). A heading row is
/// looked for among the first twelve rows; without one the layout's places hold.
///
/// # Errors
/// [`ImportError`]; a broken row is a [`Defect`], not an error.
pub fn read(
    bytes: &[u8],
    layout: &Layout,
    edition: &str,
    encoding: Option<Encoding>,
) -> Result<Import, ImportError> {
    let (text, encoding) = decode(bytes, encoding)?;
    let delimiter = {
        let head = text.lines().take(HEADING_WITHIN).collect::<String>();
        if head.matches('\t').count() > head.matches(',').count() { b'\t' } else { b',' }
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    // Reading from text, no record can be invalid UTF-8, and `flexible` takes any length.
    let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
    let (places, first, unread) = places(layout, &rows)?;
    let mut import = Import {
        master: Master::new(layout.name(), edition, Vec::new()),
        defects: Vec::new(),
        rows: 0,
        dropped: 0,
        encoding,
        unread,
    };
    let mut seen: HashMap<String, ()> = HashMap::new();
    let mut entries = Vec::new();
    // One parse for each way a unit is written: masters repeat a few.
    let mut units: HashMap<String, Option<Unit>> = HashMap::new();
    for row in &rows[first..] {
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        import.rows += 1;
        let line = row.position().map_or(0, csv::Position::line);
        let mut found = Vec::new();
        let entry = entry(row, line, layout, &places, &mut found, &mut units).filter(|entry| {
            let fresh = seen.insert(entry.code.clone(), ()).is_none();
            if !fresh {
                found.push(Defect { rule: "master.code-twice", line, column: None });
            }
            fresh
        });
        import.defects.append(&mut found);
        match entry {
            Some(entry) => entries.push(entry),
            None => import.dropped += 1,
        }
    }
    if import.rows == 0 {
        return Err(ImportError::Empty);
    }
    import.master = Master::new(layout.name(), edition, entries);
    Ok(import)
}

fn decode(bytes: &[u8], wanted: Option<Encoding>) -> Result<(String, Encoding), ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let binary = bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(4096).any(|b| *b == 0);
    if binary {
        return Err(ImportError::NotText);
    }
    let encoding = wanted.unwrap_or_else(|| {
        if std::str::from_utf8(bytes).is_ok() { Encoding::Utf8 } else { Encoding::Cp932 }
    });
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Cp932 => encoding_rs::SHIFT_JIS.decode_without_bom_handling(bytes).0.into_owned(),
    };
    Ok((text, encoding))
}

/// A column of the layout and its place in this file.
type Places<'a> = Vec<(&'a Column, usize)>;

fn places<'a>(
    layout: &'a Layout,
    rows: &[csv::StringRecord],
) -> Result<(Places<'a>, usize, Vec<String>), ImportError> {
    if rows.is_empty() {
        return Err(ImportError::Empty);
    }
    let heading = if layout.heading == Some(false) {
        None
    } else {
        rows.iter()
            .take(HEADING_WITHIN)
            .enumerate()
            .filter_map(|(at, row)| {
                let plain: Vec<String> = row.iter().map(plain_heading).collect();
                let named = named(layout, &plain);
                let has = |field: &Field| named.iter().any(|(c, _)| c.field == *field);
                (has(&Field::Code) && has(&Field::Name)).then_some((named.len(), at, named))
            })
            // The row that names most; of equals the first.
            .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))
    };
    if let Some((_, at, mut named)) = heading {
        named.extend(
            layout
                .columns
                .iter()
                .filter(|c| c.headings.is_empty())
                .filter_map(|c| c.place.map(|place| (c, place))),
        );
        let unread = rows[at]
            .iter()
            .enumerate()
            .filter(|(place, cell)| {
                !cell.trim().is_empty() && named.iter().all(|(_, used)| used != place)
            })
            .map(|(_, cell)| cell.trim().to_owned())
            .collect();
        return Ok((named, at + 1, unread));
    }
    let placed: Places<'a> =
        layout.columns.iter().filter_map(|c| c.place.map(|place| (c, place))).collect();
    for (field, name) in [(Field::Code, "code"), (Field::Name, "name")] {
        if placed.iter().all(|(c, _)| c.field != field) {
            return Err(ImportError::NoColumn { field: name, layout: layout.name().to_owned() });
        }
    }
    let first = usize::from(layout.heading == Some(true));
    Ok((placed, first, Vec::new()))
}

/// Columns found by heading. A heading serves one column of a field; other fields may use it as well (a price code that is
/// also the key).
fn named<'a>(layout: &'a Layout, plain: &[String]) -> Places<'a> {
    let mut found: Places<'a> = Vec::new();
    for column in &layout.columns {
        let place = column.headings.iter().find_map(|wanted| {
            plain.iter().enumerate().find(|(place, heading)| {
                *heading == wanted
                    && found.iter().all(|(c, used)| used != place || c.field != column.field)
            })
        });
        if let Some((place, _)) = place {
            found.push((column, place));
        }
    }
    found
}

fn entry(
    row: &csv::StringRecord,
    line: u64,
    layout: &Layout,
    places: &Places<'_>,
    defects: &mut Vec<Defect>,
    units: &mut HashMap<String, Option<Unit>>,
) -> Option<Entry> {
    let mut note = |rule: &'static str, place: Option<usize>| {
        defects.push(Defect { rule, line, column: place.map(|p| p + 1) });
    };
    if let Some(place) = row.iter().position(|cell| cell.contains('\u{fffd}')) {
        note("master.not-decodable", Some(place));
        return None;
    }
    let needed = places.iter().filter(|(c, _)| c.needed).map(|(_, place)| *place).max();
    if needed.is_some_and(|place| place >= row.len()) {
        note("master.row-short", None);
        return None;
    }
    let mut entry = Entry {
        code: String::new(),
        names: Vec::new(),
        kana: None,
        unit: None,
        specimen: None,
        method: None,
        links: Vec::new(),
        from: None,
        until: None,
        line,
        parsed_unit: None,
    };
    for (column, place) in places {
        let cell = row.get(*place).unwrap_or_default().trim_matches([' ', '\u{3000}', '\t']);
        if cell.is_empty() {
            if column.field == Field::Code && entry.code.is_empty() {
                note("master.code-missing", Some(*place));
                return None;
            }
            continue;
        }
        let set = |slot: &mut Option<String>| {
            slot.get_or_insert_with(|| cell.to_owned());
        };
        match &column.field {
            Field::Code => match column.shape.check(cell) {
                Ok(code) => entry.code = code,
                Err(rule) => {
                    note(rule, Some(*place));
                    return None;
                }
            },
            Field::Name => {
                if entry.names.iter().all(|name| name != cell) {
                    entry.names.push(cell.to_owned());
                }
            }
            Field::Kana => set(&mut entry.kana),
            Field::Unit => set(&mut entry.unit),
            Field::Specimen => set(&mut entry.specimen),
            Field::Method => set(&mut entry.method),
            Field::From | Field::Until => match date(cell) {
                Ok(day) if column.field == Field::From => entry.from = day,
                Ok(day) => entry.until = day,
                Err(()) => note("master.date", Some(*place)),
            },
            Field::Link(kind) => {
                // `0`, `0000`: how the receipt masters write no code.
                if cell.bytes().all(|b| b == b'0') {
                    continue;
                }
                match column.shape.check(cell) {
                    Ok(code) => entry.links.push((kind.clone(), code)),
                    Err("master.check-digit") => note("master.check-digit", Some(*place)),
                    Err(_) => note("master.link-shape", Some(*place)),
                }
            }
        }
    }
    if entry.names.is_empty() {
        note("master.name-missing", None);
        return None;
    }
    if let (Some(from), Some(until)) = (entry.from, entry.until)
        && until < from
    {
        note("master.period", None);
    }
    if let Some(unit) = &entry.unit {
        entry.parsed_unit =
            units.entry_ref(unit.as_str()).or_insert_with(|| Unit::parse(unit)).clone();
        // Drugs are counted in units of the trade that no table holds; laboratory units should be known.
        if entry.parsed_unit.is_none() && layout.name().starts_with("jlac") {
            note("master.unknown-unit", None);
        }
    }
    Some(entry)
}

/// `20260401`, `2026-04-01`, `2026/4/1`; all nines or zeros is no date.
fn date(text: &str) -> Result<Option<Date>, ()> {
    if text.bytes().all(|b| b == b'9') || text.bytes().all(|b| b == b'0') {
        return Ok(None);
    }
    let parts: Vec<&str> = match text.len() {
        8 if text.bytes().all(|b| b.is_ascii_digit()) => {
            vec![&text[..4], &text[4..6], &text[6..]]
        }
        _ => text.split(['-', '/', '.']).collect(),
    };
    let [year, month, day] = parts.as_slice() else { return Err(()) };
    let number = |t: &str| t.parse::<i8>().map_err(|_| ());
    let year = year.parse::<i16>().map_err(|_| ())?;
    Date::new(year, number(month)?, number(day)?).map(Some).map_err(|_| ())
}
