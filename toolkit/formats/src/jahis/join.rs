//! Notebook texts that were split over several symbols.
//!
//! A text too long for one symbol is cut anywhere, also inside a character; its parts carry a record `911`
//! with the same id, their number and their place. The parts are joined as bytes, before any decoding.

use super::Kind;

/// Why parts cannot be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A part has no readable `911` record.
    #[error("part {part} has no control record")]
    NoControl {
        /// Which, from 1, in the order given.
        part: usize,
    },
    /// A part is of another text.
    #[error("part {part} is of another text")]
    Other {
        /// Which.
        part: usize,
    },
    /// Parts are missing, or one stands twice.
    #[error("{found} different parts of {declared}")]
    Missing {
        /// Different places found.
        found: usize,
        /// Parts declared.
        declared: usize,
    },
}

impl JoinError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::NoControl { part } => {
                format!("{part}番目の二次元コードに分割制御レコード（911）がありません。")
            }
            Self::Other { part } => format!("{part}番目の二次元コードは別のデータのものです。"),
            Self::Missing { found, declared } => {
                format!("{declared}個に分割されたデータのうち{found}個しかありません。すべて読み取ってください。")
            }
        }
    }
}

struct Part<'a> {
    id: &'a [u8],
    of: usize,
    place: usize,
    bytes: Vec<u8>,
}

/// Joins the parts of a text, given in any order. The control records and the `JAHISTC…` lines of later
/// parts fall away.
///
/// # Errors
/// See [`JoinError`].
pub fn join(parts: &[&[u8]]) -> Result<Vec<u8>, JoinError> {
    let mut read = Vec::with_capacity(parts.len());
    for (index, bytes) in parts.iter().enumerate() {
        read.push(part(bytes).ok_or(JoinError::NoControl { part: index + 1 })?);
    }
    read.sort_by_key(|p| p.place);
    let Some(first) = read.first() else { return Ok(Vec::new()) };
    let (id, of) = (first.id, first.of);
    if let Some(at) = parts
        .iter()
        .position(|bytes| part(bytes).is_none_or(|p| p.id != id || p.of != of))
    {
        return Err(JoinError::Other { part: at + 1 });
    }
    read.dedup_by_key(|p| p.place);
    if read.len() != of || read.iter().enumerate().any(|(n, p)| p.place != n + 1) {
        return Err(JoinError::Missing { found: read.len(), declared: of });
    }
    let mut out = Vec::new();
    for (n, part) in read.iter().enumerate() {
        let mut bytes = &part.bytes[..];
        if n > 0 && Kind::of(bytes).is_some() {
            let stop = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            bytes = &bytes[stop..];
        }
        out.extend_from_slice(bytes);
    }
    Ok(out)
}

/// The control record of a part and what is left without it. It begins a line, or stands at the end
/// behind a line that the cut left open.
fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let text = bytes.strip_suffix(b"\x1a").unwrap_or(bytes);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let from = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let control = &text[from..];
    let mut cells = control.split(|b| *b == b',');
    if cells.next()? != b"911" {
        return None;
    }
    let id = cells.next()?;
    let mut number = || std::str::from_utf8(cells.next()?).ok()?.trim().parse::<usize>().ok();
    let (of, place) = (number()?, number()?);
    // The line end before the control record was made for it, except where the part ends with a line.
    let body = &bytes[..from];
    let body = if place < of { body.strip_suffix(b"\r\n").unwrap_or(body) } else { body };
    (1..=99).contains(&of).then(|| Part { id, of, place, bytes: body.to_vec() })
}
