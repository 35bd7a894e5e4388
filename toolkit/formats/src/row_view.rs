//! One row of delimited text seen through its layout.
//!
//! Enters: a segment's bytes, decoded once ([`Decoded`]); its lines, cut ([`cut`]). Leaves: [`RowView`]: the fields by
//! their roles, as text of the arena or the segment itself. Refuses: bytes that are not of the encoding.

mod again;

pub(crate) use self::again::Again;
use crate::{
    Position,
    arena::Arena,
    delimited::Charset,
    layout::{RecordLayout, Role},
    parsed::Parsed,
    record::Text,
};

/// Where a field stands in its line: from, to. Lines are parts of segments, which are far shorter than 4 GiB.
pub(crate) type Span = (u32, u32);

/// Where the fields of a line stand; used again for the next line.
#[derive(Default)]
pub(crate) struct Cells {
    /// Never shortened: what stands behind `len` is of an earlier line.
    spans: Vec<Span>,
    len: usize,
}

impl Cells {
    /// One field more.
    #[inline]
    pub(crate) fn push(&mut self, span: Span) {
        self.room()[0] = span;
        self.len += 1;
    }
    /// No fields.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
    #[cold]
    fn grow(&mut self) {
        self.spans.resize(self.len * 2 + 64, (0, 0));
    }
    /// Room for eight fields behind the last one.
    #[inline]
    fn room(&mut self) -> &mut [Span; 8] {
        if self.spans.len() < self.len + 8 {
            self.grow();
        }
        // There is room: the line above made it.
        self.spans[self.len..].first_chunk_mut().expect("eight fields")
    }
}

impl std::ops::Deref for Cells {
    type Target = [Span];
    #[inline]
    fn deref(&self) -> &[Span] {
        &self.spans[..self.len]
    }
}

/// Cuts a line into fields.
pub(crate) fn cut(line: &[u8], delimiter: u8, cells: &mut Cells) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    const HIGH: u64 = ONES << 7;
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
        if found == HIGH {
            // Most of the days of a month are empty.
            let room = cells.room();
            for (place, span) in (at..).zip(room.iter_mut()) {
                *span = (place, place);
            }
            room[0].0 = from;
            from = at + 8;
            cells.len += 8;
        } else if found != 0 {
            let room = cells.room();
            let mut count = 0;
            while found != 0 {
                let here = at + (found.trailing_zeros() >> 3);
                room[count & 7] = (from, here);
                count += 1;
                from = here + 1;
                found &= found - 1;
            }
            cells.len += count;
        }
        at += 8;
    }
    for (here, byte) in (at..).zip(rest) {
        if *byte == delimiter {
            cells.push((from, here));
            from = here + 1;
        }
    }
    cells.push((from, line.len() as u32));
}

/// Bytes of a field of a line; none if there is no such field.
pub(crate) fn cell<'a>(line: &'a [u8], cells: &[Span], at: usize) -> &'a [u8] {
    let (from, to) = cells.get(at).copied().unwrap_or_default();
    line.get(from as usize..to as usize).unwrap_or_default()
}

/// A segment as text, decoded once for all of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Decoded<'a> {
    /// The text.
    pub text: &'a str,
    /// How it was encoded.
    pub charset: Charset,
    /// Where texts are made.
    pub arena: &'a Arena,
    /// Does it hold a character that is escaped in lists?
    escapes: bool,
}

impl<'a> Decoded<'a> {
    /// `None` if a byte has no meaning.
    pub(crate) fn of(bytes: &'a [u8], charset: Charset, arena: &'a Arena) -> Option<Self> {
        let text = charset.decode_in(bytes, arena)?;
        let escapes = memchr::memchr2(b';', b'\\', text.as_bytes()).is_some();
        Some(Self { text, charset, arena, escapes })
    }
    /// Its lines without their ends, with their numbers.
    pub(crate) fn lines(&self, first: u64) -> impl Iterator<Item = (u64, &'a str)> + use<'a> {
        let mut rest = self.text;
        let mut number = first;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let stop = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(stop);
            rest = after;
            number += 1;
            let line = line.strip_suffix('\n').unwrap_or(line);
            Some((number - 1, line.strip_suffix('\r').unwrap_or(line)))
        })
    }
    /// One of its rows.
    pub(crate) fn row<'s>(
        &self,
        line: u64,
        text: &'a str,
        cells: &'s [Span],
        layout: &'s RecordLayout,
    ) -> RowView<'a, 's> {
        RowView { line, cells, layout, text, decoded: *self, source: None }
    }
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

/// A field's text without the blanks around it; `None` if nothing is left.
fn trimmed(cell: &str) -> Option<&str> {
    let cell = match cell.as_bytes() {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t' | b'\r'] => cell.trim_ascii(),
        _ => cell,
    };
    let cell = if cell.is_ascii() { cell } else { cell.trim_matches(char::is_whitespace) };
    (!cell.is_empty()).then_some(cell)
}

/// `line 17`.
pub(crate) fn at_line(number: u64) -> Position<'static> {
    Position::Line(number)
}

/// Fields of one row with the layout that names them.
#[derive(Clone, Copy)]
pub(crate) struct RowView<'a, 's> {
    /// Number of the line.
    pub line: u64,
    /// Its fields; in claims and notebooks the first is the record's id.
    pub cells: &'s [Span],
    /// Its layout.
    pub layout: &'s RecordLayout,
    text: &'a str,
    decoded: Decoded<'a>,
    /// Of a row whose fields have fixed widths in bytes: its bytes and where its fields stand in them.
    source: Option<(&'s [u8], &'s [Span])>,
}

impl<'a, 's> RowView<'a, 's> {
    /// The same, with the bytes that the row was before it was decoded.
    pub(crate) fn with_source(self, bytes: &'s [u8], cells: &'s [Span]) -> Self {
        Self { source: Some((bytes, cells)), ..self }
    }
    /// Where texts are made.
    pub(crate) fn arena(&self) -> &'a Arena {
        self.decoded.arena
    }
    /// How it was encoded.
    pub(crate) fn charset(&self) -> Charset {
        self.decoded.charset
    }
    /// Are the bytes of its fields those of the file, not those of its text?
    pub(crate) fn is_source(&self) -> bool {
        self.source.is_some()
    }
    /// A field as it stands.
    #[inline]
    pub(crate) fn cell(&self, (from, to): Span) -> &'a str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }
    /// Text of one of its fields, blanks around it taken off; `None` if nothing is left.
    #[inline]
    pub(crate) fn text(&self, span: Span) -> Text<'a> {
        if span.0 == span.1 {
            return None;
        }
        let cell = self.cell(span);
        match cell.as_bytes() {
            [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => Some(cell),
            _ => trimmed(cell),
        }
    }
    /// Text of a role's field.
    #[inline]
    pub(crate) fn get(&self, role: Role) -> Text<'a> {
        self.text(*self.cells.get(self.layout.at(role)?)?)
    }
    /// Bytes of a role's field; none if the layout or the row has no such field. Those of a row without fixed widths
    /// are of its text.
    #[inline]
    pub(crate) fn raw(&self, role: Role) -> &'s [u8]
    where
        'a: 's,
    {
        let Some(at) = self.layout.at(role) else { return &[] };
        match self.source {
            None => cell(self.text.as_bytes(), self.cells, at),
            Some((bytes, cells)) => cell(bytes, cells, at),
        }
    }
    /// Fields of a role that stand in a run.
    #[inline]
    pub(crate) fn run(&self, role: Role) -> &'s [Span] {
        let Some(from) = self.layout.at(role) else { return &[] };
        let to = self.layout.run(role).end.min(self.cells.len());
        self.cells.get(from..to).unwrap_or_default()
    }
    /// Where it stands.
    pub(crate) fn position(&self) -> Position<'static> {
        at_line(self.line)
    }
    /// Appends the filled fields that have no role, as `number=text` or `prefix.number=text`, and names filled fields behind the
    /// last one of the layout in `unread`.
    pub(crate) fn keep(&self, prefix: &str, into: &mut String, out: &mut Parsed<'a>) {
        for (index, label) in self.layout.kept_at() {
            let Some(span) = self.cells.get(*index) else { break };
            let Some(value) = self.text(*span) else { continue };
            if !into.is_empty() {
                into.push(';');
            }
            if !prefix.is_empty() {
                into.push_str(prefix);
                into.push('.');
            }
            into.push_str(label);
            self.push_value(into, value);
        }
        for index in self.layout.beyond()..self.cells.len() {
            if self.text(self.cells[index]).is_some() {
                out.note_unread(format!("{}.{}", self.layout.id, index + 1));
            }
        }
    }
    /// Appends `name=value` to a list.
    pub(crate) fn push_named(&self, into: &mut String, name: &str, value: &str) {
        if !into.is_empty() {
            into.push(';');
        }
        into.push_str(name);
        into.push('=');
        self.push_value(into, value);
    }
    /// Appends one of its values to a list ([`push_escaped`]).
    pub(crate) fn push_value(&self, into: &mut String, value: &str) {
        if self.decoded.escapes {
            push_escaped(into, value);
        } else {
            into.push_str(value);
        }
    }
    /// The filled fields without a role, or `None`; made in a list that is used again.
    pub(crate) fn detail(&self, list: &mut String, out: &mut Parsed<'a>) -> Text<'a> {
        list.clear();
        self.keep("", list, out);
        self.made(list)
    }
    /// A text that was made, as a record's field; `None` if it is empty.
    pub(crate) fn made(&self, text: &str) -> Text<'a> {
        self.decoded.arena.filled(text)
    }
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
