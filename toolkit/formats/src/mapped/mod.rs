//! Any CSV, read by a mapping that the holder writes: which column goes where.
//!
//! Enters: a [`Mapping`] (TOML or JSON), the header line, then row after row. Leaves: [`Parsed`] per row, one record per
//! `[[record]]` of the mapping whose condition holds. Refuses: a mapping that names a table or column that does not exist
//! ([`MappingError`]); a row (`rejected`) that is not of the file's encoding, whose quotes are broken, with another number of
//! cells, without the person's columns, or with a My Number. A column that no record uses is named in `unread` where it
//! holds something.
//!
//! ```
//! let mapping = kiban_formats::mapped::Mapping::from_toml(r#"
//!     person = ["患者番号"]
//!     [[record]]
//!     table = "measurement"
//!     [record.columns]
//!     code = { column = "検査コード" }
//!     value_text = { column = "結果" }
//!     measured_at = { column = "検査日", date = "YYYY/M/D" }
//!     category = { value = "laboratory" }
//! "#).unwrap();
//! let reader = kiban_formats::mapped::Reader::new(&mapping, "患者番号,検査コード,結果,検査日".as_bytes()).unwrap();
//! let arena = kiban_formats::Arena::new();
//! let parsed = reader.parse_row("7,3B035,21,2024/4/1".as_bytes(), 2, &arena);
//! assert_eq!(parsed.person, Some("7"));
//! let columns = |name: &str| { let mut out = None; parsed.records[0].for_each(|c, v| if c == name { out = v; }); out };
//! assert_eq!(columns("measured_at"), Some("2024-04-01"));
//! ```

mod date;
mod mapping;

pub use date::read_date;
pub use mapping::{Mapping, MappingError, RecordRule, Source, When};

use crate::{
    arena::Arena,
    municipal::{Encoding, cells, plain_header},
    record::{Parsed, Record, Text},
    text,
};

/// Most columns of a file.
const MAX_COLUMNS: usize = 2_000;

/// Reads the rows of one file by a mapping.
#[derive(Debug, Clone)]
pub struct Reader<'m> {
    mapping: &'m Mapping,
    encoding: Encoding,
    columns: Vec<String>,
    person: Vec<usize>,
    rules: Vec<Bound<'m>>,
    dated: Vec<bool>,
    used: Vec<bool>,
}

/// A rule with its columns found.
#[derive(Debug, Clone)]
struct Bound<'m> {
    rule: &'m RecordRule,
    when: Option<(usize, &'m When)>,
    fields: Vec<(&'m str, Option<usize>, &'m Source)>,
}

impl<'m> Reader<'m> {
    /// Finds the mapping's columns. Without a header (`header = false`) the line is the first row, and columns are named by
    /// their number from 1.
    ///
    /// # Errors
    /// A column of the mapping is missing, or the line is of no known encoding.
    pub fn new(mapping: &'m Mapping, first_line: &[u8]) -> Result<Self, MappingError> {
        let encoding = match mapping.encoding.as_str() {
            "utf-8" => Encoding::Utf8,
            "cp932" => Encoding::Cp932,
            _ => Encoding::of_header(first_line),
        };
        let text = encoding.decode(first_line).ok_or(MappingError::Encoding)?;
        let arena = Arena::new();
        let row = cut(&text, mapping.delimiter, MAX_COLUMNS, &arena).ok_or(MappingError::Quotes)?;
        if row.len() > MAX_COLUMNS {
            return Err(MappingError::Quotes);
        }
        let columns: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(n, c)| if mapping.header { plain_header(c) } else { (n + 1).to_string() })
            .collect();
        let find = |name: &str| {
            let at = columns.iter().position(|c| *c == plain_header(name));
            at.ok_or_else(|| MappingError::Missing { column: name.to_owned() })
        };
        let person = mapping.person.iter().map(|p| find(p)).collect::<Result<Vec<_>, _>>()?;
        let mut used = vec![false; columns.len()];
        let mut dated = used.clone();
        for at in &person {
            used[*at] = true;
        }
        let mut rules = Vec::new();
        for rule in &mapping.record {
            let when = match &rule.when {
                Some(when) => Some((find(&when.column)?, when)),
                None => None,
            };
            let mut fields = Vec::new();
            for (target, source) in &rule.columns {
                let at = source.column.as_deref().map(find).transpose()?;
                if let Some(at) = at {
                    used[at] = true;
                    dated[at] |= source.date.is_some();
                }
                fields.push((target.as_str(), at, source));
            }
            if let Some((at, _)) = when {
                used[at] = true;
            }
            rules.push(Bound { rule, when, fields });
        }
        Ok(Self { mapping, encoding, columns, person, rules, dated, used })
    }

    /// Columns of the file that the mapping does not use: the dry run's list.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(c, _)| c.as_str())
    }

    /// How the file is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Reads one row. `row_no` is the line's number in the file. What is made stands in the arena.
    pub fn parse_row<'a>(&self, line: &'a [u8], row_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = || format!("row {row_no}");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Parsed::default();
        }
        let Some(text) = self.encoding.decode(line) else {
            return Parsed::rejected(self.encoding.broken(), at());
        };
        let text = arena.keep(text);
        let Some(row) = cut(text, self.mapping.delimiter, self.columns.len(), arena) else {
            return Parsed::rejected("csv.quotes", at());
        };
        if row.len() != self.columns.len() {
            return Parsed::rejected("csv.columns", at());
        }
        let row: Vec<&str> = row.into_iter().map(str::trim).collect();
        for (index, cell) in row.iter().enumerate() {
            if !self.dated[index] && text::holds_my_number(cell) {
                return Parsed::rejected("my-number", format!("row {row_no} column {}", index + 1));
            }
        }
        let parts: Vec<String> = self.person.iter().map(|i| text::narrowed(row[*i])).collect();
        if parts.iter().all(String::is_empty) {
            return Parsed::rejected("mapped.no-person", at());
        }
        let mut out = Parsed { person: Some(arena.text(&parts.join(":"))), ..Parsed::default() };
        let mut took = vec![false; row.len()];
        for index in &self.person {
            took[*index] = true;
        }
        for bound in &self.rules {
            if let Some((index, _)) = bound.when {
                took[index] = true;
            }
            if bound.when.is_some_and(|(i, when)| when.is.iter().any(|v| v == row[i]) == when.not) {
                continue;
            }
            let mut filled = false;
            let mut columns = Vec::with_capacity(bound.fields.len());
            for (target, index, source) in &bound.fields {
                let (value, from_row) = match index {
                    Some(index) => {
                        took[*index] = true;
                        (value(source, row[*index], row_no, *index, &mut out, arena), true)
                    }
                    None => (source.value.as_deref().map(|value| arena.text(value)), false),
                };
                filled |= value.is_some() && from_row;
                columns.push((*target, value));
            }
            if filled {
                let position = arena.text(&at()).into();
                let record = Record::of_table(&bound.rule.table, position, columns, arena);
                // The mapping was checked: table and columns are there.
                out.records.extend(record);
            }
        }
        for (index, cell) in row.iter().enumerate() {
            if !cell.is_empty() && !took[index] {
                out.note_unread(self.name(index));
            }
        }
        if out.records.is_empty() && out.unread.is_empty() {
            out.note_unread("表.person only");
        }
        out
    }

    /// A column's name for reports, if it is a harmless one.
    fn name(&self, index: usize) -> String {
        let name = &self.columns[index];
        let harmless = self.mapping.header
            && (1..=40).contains(&name.chars().count())
            && name.chars().filter(char::is_ascii_digit).count() < 5;
        if harmless { format!("表.{name}") } else { format!("表.column {}", index + 1) }
    }
}

/// A cell made into a value: dates by their pattern, codes by their list.
fn value<'a>(
    source: &Source,
    cell: &'a str,
    row_no: u64,
    index: usize,
    out: &mut Parsed<'_>,
    arena: &'a Arena,
) -> Text<'a> {
    if cell.is_empty() || source.empty.iter().any(|e| e == cell) {
        return None;
    }
    if let Some(pattern) = &source.date {
        let day = read_date(cell, pattern).map(|day| arena.text(&day));
        return Some(day.unwrap_or_else(|| {
            out.note_issue("mapped.date", format!("row {row_no} column {}", index + 1));
            cell
        }));
    }
    if !source.codes.is_empty() {
        let code = source.codes.get(cell).map(|code| arena.text(code));
        return Some(code.unwrap_or_else(|| {
            out.note_issue("mapped.code", format!("row {row_no} column {}", index + 1));
            cell
        }));
    }
    if source.number {
        return text::quantity(cell).map(|q| arena.keep(q.number));
    }
    Some(cell)
}

/// Cells of a line; other delimiters than the comma know no quotes.
fn cut<'a>(line: &'a str, delimiter: char, most: usize, arena: &'a Arena) -> Option<Vec<&'a str>> {
    let line = line.trim_end_matches(['\r', '\n']);
    if delimiter == ',' {
        return cells(line, most, arena);
    }
    if line.contains('"') {
        return None;
    }
    Some(line.split(delimiter).take(most + 1).collect())
}

#[cfg(test)]
mod tests;
