//! One CSV row, decoded, cut into cells.
//!
//! Enters: bytes of a line. Leaves: cells, borrowed where no quotes had to be resolved. Refuses: bytes
//! that are not of the file's encoding, quotes that do not close, text behind a closing quote.

use std::borrow::Cow;

use encoding_rs::SHIFT_JIS;

use crate::arena::Arena;

/// How the file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// CP932 (Windows-31J), which Japan calls Shift_JIS.
    Cp932,
}

impl Encoding {
    /// Name, as recorded in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Cp932 => "CP932",
        }
    }

    /// The rule that a line breaks which is not of this encoding.
    pub(crate) fn broken(self) -> &'static str {
        match self {
            Self::Utf8 => "csv.not-utf8",
            Self::Cp932 => "csv.not-cp932",
        }
    }

    /// Byte order mark, else strict UTF-8, else CP932.
    pub(crate) fn of_header(line: &[u8]) -> Self {
        if line.starts_with(BOM) || std::str::from_utf8(line).is_ok() {
            Self::Utf8
        } else {
            Self::Cp932
        }
    }

    /// Strict decoding; `None` if a byte has no meaning.
    pub(crate) fn decode(self, line: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => {
                std::str::from_utf8(line.strip_prefix(BOM).unwrap_or(line)).ok().map(Cow::Borrowed)
            }
            Self::Cp932 => SHIFT_JIS.decode_without_bom_handling_and_without_replacement(line),
        }
    }
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts a row into cells by RFC 4180; `None` if its quotes are broken. Stops behind `most` cells.
pub(crate) fn cells<'a>(row: &'a str, most: usize, arena: &'a Arena) -> Option<Vec<&'a str>> {
    let mut out = Vec::with_capacity(16);
    let mut rest = row;
    loop {
        if out.len() > most {
            return Some(out);
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut text, mut after) = quoted.split_once('"')?;
            // Two quotes are one.
            if after.starts_with('"') {
                let mut joined = text.to_owned();
                while let Some(more) = after.strip_prefix('"') {
                    let (part, behind) = more.split_once('"')?;
                    joined.push('"');
                    joined.push_str(part);
                    after = behind;
                }
                text = arena.text(&joined);
            }
            out.push(text);
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None if after.is_empty() => return Some(out),
                None => return None,
            }
        } else {
            match rest.split_once(',') {
                Some((cell, more)) => {
                    out.push(cell);
                    rest = more;
                }
                None => {
                    out.push(rest);
                    return Some(out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_are_resolved_or_refused() {
        let arena = Arena::new();
        let cells = |row| cells(row, 9, &arena);
        assert_eq!(cells("a,\"b,\"\"c\",,").unwrap(), ["a", "b,\"c", "", ""]);
        assert_eq!(cells("\"\"").unwrap(), [""]);
        assert_eq!(cells("\"a"), None);
        assert_eq!(cells("\"a\"b,c"), None);
        assert_eq!(
            super::cells(&",".repeat(1000), 3, &arena).unwrap().len(),
            4,
            "no more than needed to refuse"
        );
    }

    #[test]
    fn cp932_is_windows_31j_and_strict() {
        let (bytes, _, _) = SHIFT_JIS.encode("髙﨑①㈱～");
        assert_eq!(Encoding::of_header(&bytes), Encoding::Cp932);
        assert_eq!(Encoding::Cp932.decode(&bytes).as_deref(), Some("髙﨑①㈱～"));
        assert_eq!(Encoding::Cp932.decode(b"a\x81"), None);
        assert_eq!(Encoding::Utf8.decode(b"\xEF\xBB\xBFa").as_deref(), Some("a"));
        assert_eq!(Encoding::Utf8.decode(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate(fields in proptest::collection::vec("[a,\" あ]{0,5}", 1..6)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&fields).unwrap();
            let line = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let arena = Arena::new();
            prop_assert_eq!(cells(line.strip_suffix('\n').unwrap(), 9, &arena).unwrap(), fields);
        }
    }
}
