//! Records and fields of delimited text as in RFC 4180: quotes, and line breaks inside them.

use super::ToolError;
use std::borrow::Cow;
use std::io::BufRead;

/// A record longer than this has a quote that nobody closed.
const LONGEST: usize = 1 << 24;

/// Non-empty records of a text, without their ends; a byte order mark at the start is skipped.
#[derive(Debug)]
pub(crate) struct Records<R> {
    data: R,
    pub(super) delimiter: char,
    /// First line of the last record, from 1.
    pub(crate) line: u64,
    lines: u64,
    buffer: Vec<u8>,
    /// Where the last record starts in the buffer.
    at: usize,
    /// Digest of all records so far, to tell that a second reading meets the same text.
    pub(super) digest: u64,
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(data: R, delimiter: char) -> Result<Self, ToolError> {
        if matches!(delimiter, '"' | '\n' | '\r') {
            return Err(ToolError::Delimiter);
        }
        Ok(Self { data, delimiter, line: 0, lines: 0, buffer: Vec::new(), at: 0, digest: 0 })
    }

    /// The next record; it may hold line breaks inside quotes.
    pub(crate) fn next(&mut self) -> Result<Option<&str>, ToolError> {
        if self.advance()? { self.last().map(Some) } else { Ok(None) }
    }

    /// Read the next record, if there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, ToolError> {
        self.buffer.clear();
        let (mut at, mut open) = (0, false);
        loop {
            let start = self.buffer.len();
            let read = self.data.read_until(b'\n', &mut self.buffer).map_err(ToolError::Read)?;
            if read == 0 {
                if start == 0 {
                    return Ok(false);
                }
                return Err(ToolError::UnclosedQuote { line: self.line });
            }
            self.lines += 1;
            if start == 0 {
                self.line = self.lines;
                at = if self.lines == 1 && self.buffer.starts_with("\u{feff}".as_bytes()) {
                    3
                } else {
                    0
                };
            }
            let new = &self.buffer[start.max(at)..];
            if open || new.contains(&b'"') {
                let text = std::str::from_utf8(new)
                    .map_err(|_| ToolError::NotUtf8 { line: self.lines })?;
                open = Fields::new(text, self.delimiter, open).open();
                if open {
                    if self.buffer.len() > LONGEST {
                        return Err(ToolError::UnclosedQuote { line: self.line });
                    }
                    continue;
                }
            }
            let mut end = self.buffer.len();
            if self.buffer[at..end].ends_with(b"\n") {
                end -= 1;
            }
            if self.buffer[at..end].ends_with(b"\r") {
                end -= 1;
            }
            if end > at {
                self.buffer.truncate(end);
                break;
            }
            self.buffer.clear();
        }
        self.digest = digest(self.digest, &self.buffer[at..]);
        self.at = at;
        Ok(true)
    }

    /// The last record.
    pub(crate) fn last(&self) -> Result<&str, ToolError> {
        std::str::from_utf8(&self.buffer[self.at..])
            .map_err(|_| ToolError::NotUtf8 { line: self.line })
    }
}

/// A quick digest: it tells an edited file from the one read before, it withstands nobody who means harm.
fn digest(mut state: u64, bytes: &[u8]) -> u64 {
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let product = u128::from(state ^ u64::from_le_bytes(word)) * 0xd6e8_feb8_6659_fd93_u128;
        state = ((product >> 64) as u64 ^ product as u64).wrapping_add(chunk.len() as u64);
    }
    state.rotate_left(7) ^ bytes.len() as u64
}

/// Walks the fields of a record.
struct Fields<'a> {
    rest: Option<&'a str>,
    delimiter: char,
    /// True if the text starts inside a quoted field; at the end, if it ends inside one.
    open: bool,
}

impl<'a> Fields<'a> {
    fn new(record: &'a str, delimiter: char, open: bool) -> Self {
        Self { rest: Some(record), delimiter, open }
    }

    /// True if the last field has an opening quote without a closing one.
    fn open(mut self) -> bool {
        while self.next().is_some() {}
        self.open
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let text = self.rest.take()?;
        let quoted = if self.open { Some(text) } else { text.strip_prefix('"') };
        self.open = false;
        let Some(quoted) = quoted else {
            let (field, rest) = match text.split_once(self.delimiter) {
                Some((field, rest)) => (field, Some(rest)),
                None => (text, None),
            };
            self.rest = rest;
            return Some(Cow::Borrowed(field));
        };
        let mut field = String::new();
        let mut text = quoted;
        loop {
            let Some(at) = text.find('"') else {
                field.push_str(text);
                self.open = true;
                return Some(Cow::Owned(field));
            };
            field.push_str(&text[..at]);
            text = &text[at + 1..];
            match text.strip_prefix('"') {
                Some(rest) => {
                    field.push('"');
                    text = rest;
                }
                None => break,
            }
        }
        // What stands between the closing quote and the delimiter is kept as it is.
        match text.split_once(self.delimiter) {
            Some((tail, rest)) => {
                field.push_str(tail);
                self.rest = Some(rest);
            }
            None => field.push_str(text),
        }
        Some(Cow::Owned(field))
    }
}

/// The fields of a record. A quote opens a field only at its start; a field that is not closed ends with the record.
pub fn split(record: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    if !record.contains('"') {
        return record.split(delimiter).map(Cow::Borrowed).collect();
    }
    Fields::new(record, delimiter, false).collect()
}

/// A record of these fields, quoted where they need it.
pub fn join<'a>(fields: impl Iterator<Item = &'a str>, delimiter: char) -> String {
    let mut record = String::new();
    join_into(fields, delimiter, &mut record);
    record
}

/// As [`join`], into a buffer.
pub(super) fn join_into<'a>(
    fields: impl Iterator<Item = &'a str>,
    delimiter: char,
    record: &mut String,
) {
    record.clear();
    for (at, field) in fields.enumerate() {
        if at > 0 {
            record.push(delimiter);
        }
        if field.contains(['"', '\n', '\r']) || field.contains(delimiter) {
            record.push('"');
            record.push_str(&field.replace('"', "\"\""));
            record.push('"');
        } else {
            record.push_str(field);
        }
    }
    if record.is_empty() {
        // A record of one empty field would read as an empty line.
        record.push_str("\"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8]) -> Result<Vec<String>, ToolError> {
        let mut records = Records::new(text, ';')?;
        let mut all = Vec::new();
        while let Some(record) = records.next()? {
            all.push(record.to_owned());
        }
        Ok(all)
    }

    #[test]
    fn marks_ends_and_quotes() {
        assert_eq!(records("\u{feff}a;b\r\n\r\n1;2\n".as_bytes()).unwrap(), ["a;b", "1;2"]);
        assert_eq!(records(b"a;\"x\ny\";b\n1;2;3").unwrap(), ["a;\"x\ny\";b", "1;2;3"]);
        assert_eq!(split("\"a;b\";\"c\"\"d\";e\"f;\"\"", ';'), ["a;b", "c\"d", "e\"f", ""]);
        assert!(matches!(records(b"a\nb;\"c\nd\n"), Err(ToolError::UnclosedQuote { line: 2 })));
        assert!(matches!(records(b"a\n\x82\xa0\n"), Err(ToolError::NotUtf8 { line: 2 })));
        assert!(matches!(Records::new(&b""[..], '"'), Err(ToolError::Delimiter)));
    }

    proptest! {
        /// No text makes the reader panic, and what was written is read back.
        #[test]
        fn any_text_is_read_or_refused(bytes in prop::collection::vec(
            prop_oneof![Just(b'"'), Just(b';'), Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..60,
        )) {
            if let Ok(records) = records(&bytes) {
                for record in records {
                    prop_assert!(!split(&record, ';').is_empty());
                }
            }
        }

        #[test]
        fn what_was_joined_is_split_again(
            fields in prop::collection::vec("[a;\"\n\r あ]{0,6}", 1..6),
            delimiter in prop::sample::select(vec![';', ',', '\t', '、']),
        ) {
            let record = join(fields.iter().map(String::as_str), delimiter);
            let split = split(&record, delimiter);
            prop_assert_eq!(split, fields);
        }

        #[test]
        fn written_files_are_read_back(rows in prop::collection::vec(
            prop::collection::vec("[a;\"\n\r]{0,6}", 1..4), 1..6,
        )) {
            let text: Vec<String> =
                rows.iter().map(|row| join(row.iter().map(String::as_str), ';')).collect();
            let mut file = text.join("\r\n");
            file.push('\n');
            prop_assert_eq!(records(file.as_bytes()).unwrap(), text);
        }
    }
}
