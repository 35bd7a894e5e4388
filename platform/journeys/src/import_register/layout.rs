//! The layout of the files: CSV, UTF-8 (a byte order mark is passed over), a header, one row a line.
//!
//! Persons: `holder,local_id,regimes,notice_version,notified_on,channel,guardian,birth_on,died_on`.
//! Stops: `holder,local_id,regimes,requested_on,receipt_no,requester,evidence,withdrawn_on,withdrawal_receipt_no`.
//! The header tells which; the order of columns is free, further columns are refused.

use std::io::Read;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Persons with their notices.
    Persons,
    /// Stops.
    Stops,
}

pub(super) const PERSONS: [&str; 9] = [
    "holder",
    "local_id",
    "regimes",
    "notice_version",
    "notified_on",
    "channel",
    "guardian",
    "birth_on",
    "died_on",
];
pub(super) const STOPS: [&str; 9] = [
    "holder",
    "local_id",
    "regimes",
    "requested_on",
    "receipt_no",
    "requester",
    "evidence",
    "withdrawn_on",
    "withdrawal_receipt_no",
];

/// A file being read.
pub(super) struct Rows<R> {
    reader: csv::Reader<R>,
    record: csv::ByteRecord,
    /// Place of each of the layout's columns.
    columns: [usize; 9],
    pub(super) kind: ImportKind,
    width: usize,
    /// Number of the row just read, from 1 for the first below the header.
    pub(super) row: u64,
}

/// Drops a byte order mark.
struct WithoutMark<R> {
    inner: R,
    begun: bool,
}

impl<R: Read> Read for WithoutMark<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.begun || buffer.len() < 3 {
            self.begun = true;
            return self.inner.read(buffer);
        }
        self.begun = true;
        let mut have = 0;
        while have < 3 {
            match self.inner.read(&mut buffer[have..3])? {
                0 => break,
                n => have += n,
            }
        }
        if &buffer[..have] == b"\xef\xbb\xbf" {
            return self.inner.read(buffer);
        }
        Ok(have)
    }
}

/// Opens a file; `None` if its header is of neither layout.
pub(super) fn open<R: Read>(inner: R) -> Option<Rows<impl Read + use<R>>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(WithoutMark { inner, begun: false });
    let header = reader.byte_headers().ok()?.clone();
    let place = |layout: &[&str; 9]| -> Option<[usize; 9]> {
        let mut out = [0; 9];
        for (at, name) in out.iter_mut().zip(layout) {
            *at = header.iter().position(|h| h.trim_ascii() == name.as_bytes())?;
        }
        (header.len() == 9).then_some(out)
    };
    let (kind, columns) = match (place(&PERSONS), place(&STOPS)) {
        (Some(columns), _) => (ImportKind::Persons, columns),
        (None, Some(columns)) => (ImportKind::Stops, columns),
        (None, None) => return None,
    };
    let record = csv::ByteRecord::new();
    Some(Rows { reader, record, columns, kind, width: header.len(), row: 0 })
}

/// A row as it stands.
pub(super) enum Read1<'a> {
    /// Its cells in the order of the layout, trimmed.
    Cells([&'a str; 9]),
    /// It breaks the layout, by rule.
    Broken(&'static str),
}

impl<R: Read> Rows<R> {
    /// The next row; `None` at the end. What csv cannot read at all ends the file with an error.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Read1<'_>>> {
        if !self.reader.read_byte_record(&mut self.record).map_err(std::io::Error::other)? {
            return Ok(None);
        }
        self.row += 1;
        if self.record.len() != self.width {
            return Ok(Some(Read1::Broken("import.columns")));
        }
        let mut cells = [""; 9];
        for (cell, at) in cells.iter_mut().zip(self.columns) {
            match std::str::from_utf8(&self.record[at]) {
                Ok(text) => *cell = text.trim(),
                Err(_) => return Ok(Some(Read1::Broken("import.encoding"))),
            }
        }
        Ok(Some(Read1::Cells(cells)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_layout_and_rows_are_counted() {
        let text = format!(
            "\u{feff}{}\na,1,anon52,v1,2025-01-01,post,0,,\nshort,row\n",
            PERSONS.join(",")
        );
        let mut rows = open(text.as_bytes()).unwrap();
        assert_eq!(rows.kind, ImportKind::Persons);
        match rows.next().unwrap() {
            Some(Read1::Cells(c)) => assert_eq!(c[..3], ["a", "1", "anon52"]),
            _ => panic!("a row"),
        }
        assert!(matches!(rows.next().unwrap(), Some(Read1::Broken("import.columns"))));
        assert_eq!(rows.row, 2);
        assert!(rows.next().unwrap().is_none());
        assert_eq!(open(STOPS.join(",").as_bytes()).unwrap().kind, ImportKind::Stops);
        assert!(open(&b"local_id,name\n"[..]).is_none());
    }
}
