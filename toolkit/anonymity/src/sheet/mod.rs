//! What `kiban tool perturb`, `kiban tool km` and `kiban tool dp-count` do, without files, clock or process.
//!
//! Enters: delimited text with a header, read as a whole; options as the command line has them; chance. Leaves: text,
//! and a report. Refuses: unknown columns, text where numbers are needed; by line and column, without the value.
//! Empty cells, `*` and `NA` are missing values.

mod count;
mod error;
mod km;
mod perturb;

pub use count::{CountOptions, CountReport, dp_count};
pub use error::SheetError;
pub use km::{KmOptions, KmSheetReport, km};
pub use perturb::{ColumnReport, Method, PerturbOptions, PerturbReport, perturb};

use crate::Keys;
use crate::tool::{Records, ToolError, join, split};
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

/// A table of text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sheet {
    delimiter: char,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    fn parse(text: &str, delimiter: char) -> Result<Self, ToolError> {
        let mut records = Records::new(text.as_bytes(), delimiter)?;
        let cells = |record: &str| -> Vec<String> {
            split(record, delimiter).into_iter().map(std::borrow::Cow::into_owned).collect()
        };
        let header = records.next()?.map(cells).ok_or(ToolError::NoHeader)?;
        let mut rows = Vec::new();
        while records.advance()? {
            let row = cells(records.last()?);
            if row.len() != header.len() {
                let (line, found, expected) = (records.line, row.len(), header.len());
                return Err(ToolError::Width { line, found, expected });
            }
            rows.push(row);
        }
        Ok(Self { delimiter, header, rows })
    }

    fn place(&self, column: &str) -> Result<usize, ToolError> {
        let found = self.header.iter().position(|name| name == column);
        found.ok_or_else(|| ToolError::Column { column: column.to_owned() })
    }

    fn places(&self, columns: &[String]) -> Result<Vec<usize>, ToolError> {
        columns.iter().map(|column| self.place(column)).collect()
    }

    fn text(&self) -> String {
        let mut text = join(self.header.iter().map(String::as_str), self.delimiter);
        text.push('\n');
        for row in &self.rows {
            text.push_str(&join(row.iter().map(String::as_str), self.delimiter));
            text.push('\n');
        }
        text
    }

    fn column(&self, at: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| row[at].as_str())
    }

    /// The numbers of a column; missing ones are none.
    fn numbers(&self, at: usize) -> Result<Vec<Option<f64>>, SheetError> {
        let number = |(row, cell): (usize, &str)| {
            if is_missing(cell) {
                return Ok(None);
            }
            let number: Option<f64> = cell.trim().parse().ok().filter(|x: &f64| x.is_finite());
            let column = self.header[at].clone();
            number.map(Some).ok_or(SheetError::NotNumber { row: row as u64 + 1, column })
        };
        self.column(at).enumerate().map(number).collect()
    }
}

fn is_missing(cell: &str) -> bool {
    matches!(cell.trim(), "" | "*" | "NA")
}

/// Numbers texts in the order of first occurrence.
#[derive(Debug, Default)]
struct Codes {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Codes {
    fn code(&mut self, text: &str) -> u32 {
        let next = self.texts.len() as u32;
        match self.numbers.entry_ref(text) {
            EntryRef::Occupied(known) => *known.get(),
            EntryRef::Vacant(free) => {
                self.texts.push(text.into());
                free.insert(next);
                next
            }
        }
    }

    fn codes<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Vec<Option<u32>> {
        cells.map(|cell| (!is_missing(cell)).then(|| self.code(cell))).collect()
    }
}

/// The persons of the rows, or none.
struct Persons<'a>(Option<Vec<&'a str>>);

impl<'a> Persons<'a> {
    fn of(sheet: &'a Sheet, column: Option<&str>) -> Result<Self, ToolError> {
        let place = column.map(|column| sheet.place(column)).transpose()?;
        Ok(Self(place.map(|at| sheet.column(at).collect())))
    }

    fn keys(&self) -> Keys<'_> {
        self.0.as_deref().map_or(Keys::Rows, Keys::Of)
    }
}

#[cfg(test)]
mod tests;
