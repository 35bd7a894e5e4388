//! Unquoted delimited text, read and written back without loss: claims, survey files, notebooks.
//!
//! Enters: bytes. Leaves: a [`Document`] of rows whose fields are read as text, set and written; what was
//! not set is written back as its own bytes, so an untouched document has the same bytes. Refuses: to set
//! text that holds a delimiter or a line's end, or that the encoding has no character for.
//!
//! Rows are cut before decoding: in CP932 no second byte is a comma, a tab, CR or LF, and a byte that
//! breaks a character is found when its field is decoded (strictly).

use std::{borrow::Cow, cell::RefCell, fmt, sync::LazyLock};

use encoding_rs::{DecoderResult, SHIFT_JIS};

use crate::arena::Arena;

/// How delimited text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// CP932 (Windows-31J), which Japan calls Shift_JIS.
    Cp932,
    /// UTF-8.
    Utf8,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Charset {
    /// Byte order mark, else UTF-8 if the bytes are valid and hold Japanese characters, else CP932.
    /// CP932 text that is by chance also UTF-8 would hold other characters than Japanese ones.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(BOM) {
            return Self::Utf8;
        }
        let clean = encoding_rs::Encoding::ascii_valid_up_to(bytes);
        if clean == bytes.len() {
            return Self::Cp932;
        }
        let japanese = |c: char| matches!(c, '\u{3000}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}');
        match std::str::from_utf8(&bytes[clean..]) {
            Ok(text) if text.chars().any(japanese) => Self::Utf8,
            _ => Self::Cp932,
        }
    }
    /// Strict decoding; `None` if a byte has no meaning.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Cp932 => SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }
    /// As [`Charset::decode`]; a text that is not the bytes themselves stands in the arena.
    pub(crate) fn decode_in<'a>(self, bytes: &'a [u8], arena: &'a Arena) -> Option<&'a str> {
        if self == Self::Utf8 || bytes.is_ascii() {
            return std::str::from_utf8(bytes).ok();
        }
        DECODED.with_borrow_mut(|text| {
            let mut decoder = SHIFT_JIS.new_decoder_without_bom_handling();
            text.clear();
            text.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
            let (result, _) = decoder.decode_to_string_without_replacement(bytes, text, true);
            (result == DecoderResult::InputEmpty).then(|| arena.text(text))
        })
    }
    /// Is every byte part of a character? As [`Charset::decode`], without the text.
    pub fn valid(self, bytes: &[u8]) -> bool {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
            Self::Cp932 => valid_cp932(bytes),
        }
    }
    /// Strict encoding; `None` if a character has no bytes.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Cp932 => {
                let (bytes, _, unmappable) = SHIFT_JIS.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
        }
    }
}

thread_local! {
    /// Text on its way from bytes to an arena.
    static DECODED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Which pairs of bytes are characters: one bit per pair, asked of the decoder once.
static PAIRS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bits = vec![0; 1 << 10];
    for pair in 0x8100..=0xFCFFusize {
        let bytes = [(pair >> 8) as u8, pair as u8];
        let decoded = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&bytes);
        if decoded.is_some_and(|text| text.chars().count() == 1) {
            bits[pair >> 6] |= 1 << (pair & 63);
        }
    }
    bits
});

fn valid_cp932(bytes: &[u8]) -> bool {
    let pairs: &[u64] = &PAIRS;
    let mut rest = bytes;
    loop {
        rest = &rest[encoding_rs::Encoding::ascii_valid_up_to(rest)..];
        loop {
            match rest {
                [] => return true,
                [0x00..=0x7F, ..] => break,
                [0x80 | 0xA1..=0xDF, more @ ..] => rest = more,
                [lead, trail, more @ ..] => {
                    let pair = usize::from(*lead) << 8 | usize::from(*trail);
                    if pairs[pair >> 6] >> (pair & 63) & 1 == 0 {
                        return false;
                    }
                    rest = more;
                }
                [_] => return false,
            }
        }
    }
}

/// Why a field could not be set. Names the field, never its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// It holds a delimiter or the end of a line.
    #[error("field {field} holds a delimiter or the end of a line")]
    Delimiter {
        /// Number, from 1.
        field: usize,
    },
    /// The encoding has no such character.
    #[error("field {field} holds a character that the encoding does not have")]
    Character {
        /// Number, from 1.
        field: usize,
    },
}

impl WriteError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Delimiter { field } => {
                format!("{field}番目の項目に区切り文字または改行が含まれるため書き出せません。")
            }
            Self::Character { field } => {
                format!("{field}番目の項目にCP932で表せない文字があるため書き出せません。")
            }
        }
    }
}

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub struct Row<'a> {
    cells: Vec<Cow<'a, [u8]>>,
    end: Cow<'a, [u8]>,
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row of {} fields", self.cells.len())
    }
}

impl Row<'_> {
    /// Number of its fields.
    pub fn width(&self) -> usize {
        self.cells.len()
    }
}

/// Delimited text that can be written back.
#[derive(Clone, PartialEq, Eq)]
pub struct Document<'a> {
    mark: &'a [u8],
    delimiter: u8,
    charset: Charset,
    rows: Vec<Row<'a>>,
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document of {} rows, {:?}", self.rows.len(), self.charset)
    }
}

impl<'a> Document<'a> {
    /// Reads all rows; the charset is found as [`Charset::of`] says.
    pub fn parse(bytes: &'a [u8], delimiter: u8) -> Self {
        let charset = Charset::of(bytes);
        let mark = if bytes.starts_with(BOM) { &bytes[..BOM.len()] } else { &bytes[..0] };
        let mut rows = Vec::new();
        let mut rest = &bytes[mark.len()..];
        while !rest.is_empty() {
            let stop = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(stop);
            rest = after;
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            rows.push(Row {
                cells: text.split(|b| *b == delimiter).map(Cow::Borrowed).collect(),
                end: Cow::Borrowed(&line[text.len()..]),
            });
        }
        Self { mark, delimiter, charset, rows }
    }
    /// An empty document to be written.
    pub fn new(delimiter: u8, charset: Charset) -> Self {
        Self { mark: &[], delimiter, charset, rows: Vec::new() }
    }
    /// Its encoding.
    pub fn charset(&self) -> Charset {
        self.charset
    }
    /// Its rows.
    pub fn rows(&self) -> &[Row<'a>] {
        &self.rows
    }
    /// Text of a field; row from 0, field from 1. `None` if there is none or it cannot be decoded.
    pub fn text(&self, row: usize, field: usize) -> Option<Cow<'_, str>> {
        self.charset.decode(self.rows.get(row)?.cells.get(field.checked_sub(1)?)?)
    }
    /// Sets a field; row from 0, field from 1. Rows grow to the field.
    ///
    /// # Errors
    /// See [`WriteError`]; the document is then as before.
    ///
    /// # Panics
    /// There is no such row, or the field is 0.
    pub fn set(&mut self, row: usize, field: usize, text: &str) -> Result<(), WriteError> {
        assert!(field > 0, "fields are counted from 1");
        let bytes = self.bytes_of(field, text)?;
        let cells = &mut self.rows[row].cells;
        if cells.len() < field {
            cells.resize(field, Cow::Borrowed(&[]));
        }
        cells[field - 1] = Cow::Owned(bytes);
        Ok(())
    }
    /// Appends a row, ended by CR LF.
    ///
    /// # Errors
    /// See [`WriteError`]; the document is then as before.
    pub fn push(&mut self, fields: &[&str]) -> Result<(), WriteError> {
        let cells = fields
            .iter()
            .enumerate()
            .map(|(i, text)| self.bytes_of(i + 1, text).map(Cow::Owned))
            .collect::<Result<_, _>>()?;
        self.rows.push(Row { cells, end: Cow::Borrowed(b"\r\n") });
        Ok(())
    }
    fn bytes_of(&self, field: usize, text: &str) -> Result<Vec<u8>, WriteError> {
        let cut = |b: u8| b == self.delimiter || b == b'\r' || b == b'\n';
        if text.bytes().any(cut) {
            return Err(WriteError::Delimiter { field });
        }
        self.charset.encode(text).ok_or(WriteError::Character { field })
    }
    /// The document's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.mark.to_vec();
        for row in &self.rows {
            for (i, cell) in row.cells.iter().enumerate() {
                if i > 0 {
                    out.push(self.delimiter);
                }
                out.extend_from_slice(cell);
            }
            out.extend_from_slice(&row.end);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_set_field_is_written_and_others_keep_their_bytes() {
        // 0x81BE and 0x879B are the same character: decoding and encoding would change the second.
        let bytes = b"SY,1,\x87\x9b\r\nCO,2,\x82\xa0\x1a";
        let mut document = Document::parse(bytes, b',');
        assert_eq!(document.to_bytes(), bytes);
        document.set(1, 2, "い").unwrap();
        assert_eq!(document.to_bytes(), b"SY,1,\x87\x9b\r\nCO,\x82\xa2,\x82\xa0\x1a");
        assert_eq!(document.text(1, 2).as_deref(), Some("い"));
        assert_eq!(document.set(0, 1, "a,b"), Err(WriteError::Delimiter { field: 1 }));
        assert_eq!(document.set(0, 2, "한"), Err(WriteError::Character { field: 2 }));
        assert!(!document.set(0, 2, "한").unwrap_err().ja().is_empty());
    }

    #[test]
    fn charsets_are_told_apart() {
        assert_eq!(Charset::of("1,山田 太郎".as_bytes()), Charset::Utf8);
        assert_eq!(Charset::of(&SHIFT_JIS.encode("1,山田 太郎").0), Charset::Cp932);
        // Half-width kana that are by chance valid UTF-8 of other letters.
        assert_eq!(Charset::of(b"RE,\xC4\xB1"), Charset::Cp932);
        assert_eq!(Charset::of(b"plain"), Charset::Cp932);
    }

    proptest! {
        #[test]
        fn valid_is_what_decodes(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80u8..=0xFF, Just(b'a')], 0..20)) {
            let decodes = Charset::Cp932.decode(&bytes).is_some();
            prop_assert_eq!(Charset::Cp932.valid(&bytes), decodes);
        }
        #[test]
        fn any_bytes_are_written_back(bytes in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..80)) {
            prop_assert_eq!(Document::parse(&bytes, b',').to_bytes(), bytes);
        }
    }
}
