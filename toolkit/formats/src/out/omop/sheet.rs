//! One table of the model as a CSV file.
//!
//! Enters: values by the name of their column. Leaves: RFC 4180 rows (UTF-8, LF, lower-case header, ISO dates, empty =
//! NULL). Refuses: nothing; a text over the column's length is cut at a character and counted.

use std::io::{self, Write};

use super::layout::{Kind, Table};
use crate::out::{moment::Moment, summary::Summary};

pub(super) struct Sheet<W> {
    table: &'static Table,
    sink: W,
    cells: Vec<String>,
    line: Vec<u8>,
    pub rows: u64,
}

impl<W: Write> Sheet<W> {
    pub(super) fn new(table: &'static Table, mut sink: W) -> io::Result<Self> {
        let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        sink.write_all(names.join(",").as_bytes())?;
        sink.write_all(b"\n")?;
        let cells = vec![String::new(); table.columns.len()];
        Ok(Self { table, sink, cells, line: Vec::new(), rows: 0 })
    }
    fn cell(&mut self, column: &str) -> Option<(&mut String, usize)> {
        let at = self.table.columns.iter().position(|c| c.name == column);
        debug_assert!(at.is_some(), "{}.{column}", self.table.name);
        let limit = self.table.columns[at?].length.unwrap_or(usize::MAX);
        Some((&mut self.cells[at?], limit))
    }
    /// A whole number.
    pub(super) fn int(&mut self, column: &str, value: i64) -> &mut Self {
        if let Some((cell, _)) = self.cell(column) {
            *cell = value.to_string();
        }
        self
    }
    /// A whole number, if there is one.
    pub(super) fn maybe_int(&mut self, column: &str, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int(column, value),
            None => self,
        }
    }
    /// A day.
    pub(super) fn date(&mut self, column: &str, value: Moment) -> &mut Self {
        if let Some((cell, _)) = self.cell(column) {
            *cell = value.day_or_first().0.date();
        }
        self
    }
    /// A day with its time, only where the source has a time.
    pub(super) fn datetime(&mut self, column: &str, value: Moment) -> &mut Self {
        if let (Some(clock), Some((cell, _))) = (value.clock(), self.cell(column)) {
            *cell = format!("{} {clock}", value.date());
        }
        self
    }
    /// A number as the source wrote it; nothing if it is none.
    pub(super) fn float(&mut self, column: &str, value: Option<&str>) -> &mut Self {
        if let (Some(number), Some((cell, _))) = (value.and_then(number), self.cell(column)) {
            cell.clear();
            cell.push_str(number);
        }
        self
    }
    /// A text; what is over the column's length is cut off and counted.
    pub(super) fn text(
        &mut self,
        column: &str,
        value: Option<&str>,
        summary: &mut Summary,
    ) -> &mut Self {
        let name = self.table.name;
        if let (Some(value), Some((cell, limit))) = (value, self.cell(column)) {
            cell.clear();
            match value.char_indices().nth(limit) {
                Some((end, _)) => {
                    summary.shortened(name, column);
                    cell.push_str(&value[..end]);
                }
                None => cell.push_str(value),
            }
        }
        self
    }
    /// Ends the row: concepts that are not known are 0.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.line.clear();
        for (at, (column, cell)) in self.table.columns.iter().zip(&mut self.cells).enumerate() {
            if at > 0 {
                self.line.push(b',');
            }
            let concept = column.kind == Kind::Int
                && (column.required && column.name.contains("concept_id")
                    || column.name.ends_with("_source_concept_id"));
            if cell.is_empty() && concept {
                self.line.push(b'0');
            } else {
                debug_assert!(
                    !column.required || !cell.is_empty(),
                    "{}.{} is required",
                    self.table.name,
                    column.name
                );
                quote(&mut self.line, cell);
            }
            cell.clear();
        }
        self.line.push(b'\n');
        self.rows += 1;
        self.sink.write_all(&self.line)
    }
    pub(super) fn finish(mut self) -> io::Result<(&'static str, u64)> {
        self.sink.flush()?;
        Ok((self.table.name, self.rows))
    }
}

/// Quotes a cell that holds what ends cells, or blanks at its ends.
fn quote(line: &mut Vec<u8>, cell: &str) {
    let special = |b: u8| matches!(b, b',' | b'"' | b'\n' | b'\r' | 0);
    let edges =
        cell.starts_with([' ', '\t', '\u{feff}', '\u{3000}']) || cell.ends_with([' ', '\t']);
    if !edges && !cell.bytes().any(special) {
        line.extend_from_slice(cell.as_bytes());
        return;
    }
    line.push(b'"');
    for byte in cell.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

/// A decimal text as a number of the target: digits, at most one point, an exponent.
pub(in crate::out) fn number(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (plain && text.parse::<f64>().is_ok_and(f64::is_finite)).then_some(text)
}

/// A decimal text that is a whole number of 32 bits.
pub(super) fn whole_number(text: Option<&str>) -> Option<i64> {
    let text = text?.trim();
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, rest)| if rest.bytes().all(|b| b == b'0') { whole } else { text });
    whole.parse::<i32>().ok().map(Into::into)
}
