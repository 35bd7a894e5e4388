//! Notebook texts that were split over several symbols.
//!
//! The parts of a text too long for one symbol carry a record `911` with the same id, their number and
//! their place. They are joined as bytes, before any decoding: a cut may stand inside a character. Parts
//! that begin with a `JAHISTC…` line of their own are cut between records.

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
                format!(
                    "{declared}個に分割されたデータのうち{found}個しかありません。すべて読み取ってください。"
                )
            }
        }
    }
}

struct Part<'a> {
    id: &'a [u8],
    of: usize,
    place: usize,
    bytes: &'a [u8],
}

/// Joins the parts of a text, given in any order. The control records fall away; of later parts that are
/// texts of their own also the first line and the person, if it is the same.
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
    if let Some(at) =
        parts.iter().position(|bytes| part(bytes).is_none_or(|p| p.id != id || p.of != of))
    {
        return Err(JoinError::Other { part: at + 1 });
    }
    read.dedup_by_key(|p| p.place);
    if read.len() != of || read.iter().enumerate().any(|(n, p)| p.place != n + 1) {
        return Err(JoinError::Missing { found: read.len(), declared: of });
    }
    let mut out: Vec<u8> = Vec::new();
    let person =
        read[0].bytes.split(|b| *b == b'\n').find(|l| l.starts_with(b"1,")).unwrap_or_default();
    for (n, part) in read.iter().enumerate() {
        if n == 0 {
            out.extend_from_slice(part.bytes);
        } else if Kind::of(part.bytes).is_some() {
            // A part that is a text of its own: its first line and the person come again.
            let again = |line: &[u8]| Kind::of(line).is_some() || line == person;
            for line in part.bytes.split_inclusive(|b| *b == b'\n') {
                if !again(line.strip_suffix(b"\n").unwrap_or(line)) {
                    out.extend_from_slice(line);
                }
            }
        } else {
            // Cut anywhere: the line end before the control record was made for it.
            if out.ends_with(b"\n") {
                out.pop();
            }
            if out.ends_with(b"\r") {
                out.pop();
            }
            out.extend_from_slice(part.bytes);
        }
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
    (1..=99).contains(&of).then(|| Part { id, of, place, bytes: &bytes[..from] })
}
