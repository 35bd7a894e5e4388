//! Lines and fields of delimited text; quotes as in RFC 4180, but no line breaks inside them.

use super::ToolError;
use std::borrow::Cow;
use std::io::BufRead;

/// Non-empty lines of a text, without their ends.
#[derive(Debug)]
pub(super) struct Lines<R> {
    data: R,
    pub(super) delimiter: char,
    pub(super) number: u64,
    buffer: String,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(data: R, delimiter: char) -> Self {
        Self { data, delimiter, number: 0, buffer: String::new() }
    }

    pub(super) fn next(&mut self) -> Result<Option<String>, ToolError> {
        loop {
            self.buffer.clear();
            if self.data.read_line(&mut self.buffer).map_err(ToolError::Read)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line = self.buffer.trim_end_matches(['\n', '\r']);
            if !line.is_empty() {
                return Ok(Some(line.to_owned()));
            }
        }
    }
}

/// The fields of a line.
pub fn split(line: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(delimiter).map(Cow::Borrowed).collect();
    }
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                field.push('"');
                letters.next();
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            letter if letter == delimiter && !quoted => {
                fields.push(Cow::Owned(core::mem::take(&mut field)));
            }
            letter => field.push(letter),
        }
    }
    fields.push(Cow::Owned(field));
    fields
}

/// A line of these fields, quoted where they need it.
pub fn join<'a>(fields: impl Iterator<Item = &'a str>, delimiter: char) -> String {
    let mut line = String::new();
    for (at, field) in fields.enumerate() {
        if at > 0 {
            line.push(delimiter);
        }
        if field.contains([delimiter, '"']) {
            line.push('"');
            line.push_str(&field.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(field);
        }
    }
    line
}
