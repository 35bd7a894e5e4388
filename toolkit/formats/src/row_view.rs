//! One row of delimited text seen through its layout.

use std::borrow::Cow;

use crate::{
    Position,
    delimited::Charset,
    layout::{RecordLayout, Role},
    parsed::Parsed,
    record::Text,
};

/// Cuts a line into fields, into a list that is used again.
pub(crate) fn cut<'a>(line: &'a [u8], delimiter: u8, cells: &mut Vec<&'a [u8]>) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    cells.clear();
    let pattern = ONES * u64::from(delimiter);
    let mut from = 0;
    let mut at = 0;
    // Delimiters stand so close that a search for each costs more than looking at every byte: eight at a time, with
    // the high bit of each that is one.
    let (words, rest) = line.as_chunks::<8>();
    for word in words {
        let bytes = u64::from_le_bytes(*word) ^ pattern;
        let mut found = !(((bytes & LOW) + LOW) | bytes | LOW);
        while found != 0 {
            let here = at + (found.trailing_zeros() >> 3) as usize;
            cells.push(&line[from..here]);
            from = here + 1;
            found &= found - 1;
        }
        at += 8;
    }
    for (here, byte) in (at..).zip(rest) {
        if *byte == delimiter {
            cells.push(&line[from..here]);
            from = here + 1;
        }
    }
    cells.push(&line[from..]);
}

/// The lines of a segment without their ends, with their numbers.
pub(crate) fn lines(bytes: &[u8], first: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = bytes;
    let mut number = first;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let stop = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(stop);
        rest = after;
        number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some((number - 1, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

/// Text of a field, blanks around it taken off; `None` if nothing is left or it cannot be decoded.
#[inline]
pub(crate) fn text(charset: Charset, bytes: &[u8]) -> Text<'_> {
    let bytes = match bytes {
        [] => return None,
        [b' ' | b'\t', ..] | [.., b' ' | b'\t' | b'\r'] => bytes.trim_ascii(),
        _ => bytes,
    };
    if bytes.is_empty() {
        return None;
    }
    // Cells are mostly a few ASCII bytes: one look at each tells both ASCII and UTF-8.
    if let Ok(text) = std::str::from_utf8(bytes)
        && (charset == Charset::Utf8 || text.is_ascii())
    {
        let text = if text.is_ascii() { text } else { text.trim_matches(char::is_whitespace) };
        return (!text.is_empty()).then_some(Cow::Borrowed(text));
    }
    let blank = |c: char| c.is_whitespace();
    let text = match charset.decode(bytes)? {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(blank)),
        Cow::Owned(text) if text.trim_matches(blank).len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(blank).to_owned()),
    };
    (!text.is_empty()).then_some(text)
}

/// `line 17`.
pub(crate) fn at_line(number: u64) -> Position<'static> {
    Position::Line(number)
}

/// The ASCII beginning and end of a line as text, looked at once for all of its fields.
#[derive(Clone, Copy)]
struct Ascii<'a> {
    /// Address of the line's first byte: only to find where in the line a field stands.
    address: usize,
    head: &'a str,
    tail: &'a str,
    tail_at: usize,
}

impl<'a> Ascii<'a> {
    fn of(line: &'a [u8]) -> Self {
        let clean = encoding_rs::Encoding::ascii_valid_up_to(line);
        // A field behind the last byte that is not ASCII begins behind a delimiter, hence not inside a
        // character.
        let tail_at = match line.iter().rposition(|b| !b.is_ascii()) {
            Some(last) => last + 1,
            None => line.len(),
        };
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
        Self {
            address: line.as_ptr() as usize,
            head: text(&line[..clean]),
            tail: text(&line[tail_at..]),
            tail_at,
        }
    }
    /// The field as text, if it stands in the beginning or the end.
    #[inline]
    fn field(&self, cell: &[u8]) -> Option<&'a str> {
        let from = (cell.as_ptr() as usize).wrapping_sub(self.address);
        let to = from.checked_add(cell.len())?;
        self.head
            .get(from..to)
            .or_else(|| self.tail.get(from.checked_sub(self.tail_at)?..to - self.tail_at))
    }
}

/// Fields of one row with the layout that names them.
#[derive(Clone, Copy)]
pub(crate) struct RowView<'a, 's> {
    /// Number of the line.
    pub line: u64,
    /// Its fields; in claims and notebooks the first is the record's id.
    pub cells: &'s [&'a [u8]],
    /// Its layout.
    pub layout: &'s RecordLayout,
    /// Its encoding.
    pub charset: Charset,
    ascii: Ascii<'a>,
}

impl<'a, 's> RowView<'a, 's> {
    /// The fields of a line; `bytes` is the line they were cut from.
    pub(crate) fn new(
        line: u64,
        bytes: &'a [u8],
        cells: &'s [&'a [u8]],
        layout: &'s RecordLayout,
        charset: Charset,
    ) -> Self {
        Self { line, cells, layout, charset, ascii: Ascii::of(bytes) }
    }
    /// Text of one of its fields.
    #[inline]
    pub(crate) fn text(&self, cell: &'a [u8]) -> Text<'a> {
        match cell {
            [] => return None,
            [b' ' | b'\t', ..] | [.., b' ' | b'\t' | b'\r'] => {}
            _ => {
                if let Some(text) = self.ascii.field(cell) {
                    return Some(Cow::Borrowed(text));
                }
            }
        }
        text(self.charset, cell)
    }
    /// Text of a role's field.
    #[inline]
    pub(crate) fn get(&self, role: Role) -> Text<'a> {
        self.text(self.raw(role))
    }
    /// Bytes of a role's field; none if the layout or the row has no such field.
    #[inline]
    pub(crate) fn raw(&self, role: Role) -> &'a [u8] {
        self.layout.at(role).and_then(|at| self.cells.get(at).copied()).unwrap_or_default()
    }
    /// Fields of a role that stand in a run.
    #[inline]
    pub(crate) fn run(&self, role: Role) -> &[&'a [u8]] {
        let Some(from) = self.layout.at(role) else { return &[] };
        let to = self.layout.run(role).end.min(self.cells.len());
        self.cells.get(from..to).unwrap_or_default()
    }
    /// Where it stands.
    pub(crate) fn position(&self) -> Position<'static> {
        at_line(self.line)
    }
    /// Appends the filled fields that have no role, as `number=text`, and names filled fields behind the
    /// last one of the layout in `unread`.
    pub(crate) fn keep(&self, prefix: &str, into: &mut String, out: &mut Parsed<'a>) {
        for (index, label) in self.layout.kept_at() {
            let Some(cell) = self.cells.get(*index) else { break };
            if cell.is_empty() {
                continue;
            }
            let Some(value) = self.text(cell) else { continue };
            if into.is_empty() {
                into.reserve(48);
            } else {
                into.push(';');
            }
            into.push_str(prefix);
            into.push_str(label);
            push_escaped(into, &value);
        }
        for index in self.layout.beyond()..self.cells.len() {
            if self.text(self.cells[index]).is_some() {
                out.note_unread(format!("{}.{}", self.layout.id, index + 1));
            }
        }
    }
    /// The filled fields without a role, or `None`.
    pub(crate) fn detail(&self, out: &mut Parsed<'a>) -> Text<'a> {
        let mut detail = String::new();
        self.keep("", &mut detail, out);
        owned(detail)
    }
}

/// The text unless it is empty.
pub(crate) fn owned<'a>(text: String) -> Text<'a> {
    (!text.is_empty()).then_some(Cow::Owned(text))
}

/// Appends a value of a list whose separators are `;`, `:` and `=`; a backslash stands before them.
pub(crate) fn push_escaped(into: &mut String, value: &str) {
    if !value.bytes().any(|b| matches!(b, b';' | b'\\')) {
        into.push_str(value);
        return;
    }
    for c in value.chars() {
        if matches!(c, ';' | '\\') {
            into.push('\\');
        }
        into.push(c);
    }
}
