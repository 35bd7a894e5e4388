//! One pass over the text: tags are checked and linked, values stay where they are.

use std::{borrow::Cow, cell::Cell};

use super::{Document, MAX_BYTES, MAX_DEPTH, MAX_PARTS, NONE, Part};
use crate::arena::Arena;

/// Why bytes are no document we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// The bytes are not of the declared encoding.
    #[error("the bytes are not of the declared encoding")]
    Encoding,
    /// A document type declaration.
    #[error("a document type declaration at byte {at}")]
    Doctype {
        /// Where.
        at: usize,
    },
    /// A reference to an entity that is none of XML's own.
    #[error("a reference to an unknown entity at byte {at}")]
    Entity {
        /// Where.
        at: usize,
    },
    /// Nested too deeply.
    #[error("more than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// Too many bytes or parts.
    #[error("larger than {MAX_BYTES} bytes or {MAX_PARTS} parts")]
    TooLarge,
    /// Not well-formed.
    #[error("not well-formed at byte {at}")]
    Malformed {
        /// Where.
        at: usize,
    },
}

impl XmlError {
    /// The rule that was broken.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Encoding => "xml.encoding",
            Self::Doctype { .. } => "xml.dtd",
            Self::Entity { .. } => "xml.entity",
            Self::TooDeep { .. } => "xml.too-deep",
            Self::TooLarge => "xml.too-large",
            Self::Malformed { .. } => "xml.malformed",
        }
    }
    /// Where, for reports: `byte 17`, or `file`.
    pub fn position(&self) -> Cow<'static, str> {
        match self {
            Self::Doctype { at }
            | Self::Entity { at }
            | Self::TooDeep { at }
            | Self::Malformed { at } => Cow::Owned(format!("byte {at}")),
            Self::Encoding | Self::TooLarge => Cow::Borrowed("file"),
        }
    }
}

fn blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// May a byte stand in a name?
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        table[b] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b':')
            || byte >= 0x80;
        b += 1;
    }
    table
};

/// Length of the name in front.
fn name_len(bytes: &[u8]) -> usize {
    let starts = bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80);
    if starts {
        bytes.iter().position(|b| !NAME[usize::from(*b)]).unwrap_or(bytes.len())
    } else {
        0
    }
}

/// Local name of the tag in front.
fn local_name_at(bytes: &[u8]) -> &[u8] {
    let name = &bytes[..name_len(bytes)];
    memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

struct Builder<'a> {
    text: &'a str,
    parts: Vec<Part<'a>>,
    /// Open elements with their last child.
    open: Vec<(u32, u32)>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, name: &'a str, raw: &'a str) -> Result<u32, XmlError> {
        if self.parts.len() >= MAX_PARTS {
            return Err(XmlError::TooLarge);
        }
        let at = self.parts.len() as u32;
        let local = name.rfind(':').map_or(0, |c| c + 1) as u32;
        self.parts.push(Part { name, local, raw, first: NONE, next: NONE, read: Cell::new(false) });
        if let Some((parent, last)) = self.open.last_mut() {
            if *last == NONE {
                self.parts[*parent as usize].first = at;
            } else {
                self.parts[*last as usize].next = at;
            }
            *last = at;
        }
        Ok(at)
    }

    fn add_text(&mut self, from: usize, until: usize) -> Result<(), XmlError> {
        let piece = &self.text[from..until];
        if piece.bytes().all(blank) {
            return Ok(());
        }
        if self.open.is_empty() {
            return Err(XmlError::Malformed { at: from });
        }
        check_references(piece, from)?;
        self.add("", piece).map(|_| ())
    }

    /// `<![CDATA[…]]>` at `at`; the place behind it.
    fn cdata(&mut self, at: usize) -> Result<usize, XmlError> {
        let malformed = XmlError::Malformed { at };
        let end = memchr::memmem::find(&self.text.as_bytes()[at..], b"]]>").ok_or(malformed)? + at;
        if self.open.is_empty() {
            return Err(malformed);
        }
        // The whole section is kept, so that its text is told apart from text with references.
        self.add("", &self.text[at..end + 3])?;
        Ok(end + 3)
    }
}

/// Are all references of the five entities of XML, or of characters?
fn check_references(piece: &str, offset: usize) -> Result<(), XmlError> {
    for at in memchr::memchr_iter(b'&', piece.as_bytes()) {
        reference(&piece[at..]).ok_or(XmlError::Entity { at: offset + at })?;
    }
    Ok(())
}

/// The character of the reference in front, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let c = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r'))?
        }
    };
    Some((c, end + 1))
}

/// Resolves references; they have been checked.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        match reference(&rest[at..]) {
            Some((c, len)) => {
                out.push(c);
                rest = &rest[at + len..];
            }
            None => {
                out.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Text of a text part.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix("<![CDATA[").and_then(|r| r.strip_suffix("]]>")) {
        Some(inner) => Cow::Borrowed(inner),
        None => unescape(raw),
    }
}

/// Names and raw values of checked attributes: a name ends before the next `=`, a value at its own quote.
pub(super) fn attributes(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let equals = rest.bytes().position(|b| b == b'=')?;
        let name = rest[..equals].trim_ascii();
        let after = rest[equals + 1..].trim_ascii_start();
        let quote = *after.as_bytes().first()?;
        let end = memchr::memchr(quote, &after.as_bytes()[1..])? + 1;
        rest = &after[end + 1..];
        Some((name, &after[1..end]))
    })
}

/// The document; with `until`, only what stands before the first element of that local name right below the root.
pub(super) fn document<'a>(
    text: &'a str,
    until: Option<&str>,
    arena: &'a Arena,
) -> Result<Document<'a>, XmlError> {
    if text.len() > MAX_BYTES {
        return Err(XmlError::TooLarge);
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let bytes = text.as_bytes();
    let mut b = Builder {
        text,
        parts: Vec::with_capacity(bytes.len() / 32 + 8),
        open: Vec::with_capacity(16),
    };
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', &bytes[at..]) {
        let tag = at + found;
        b.add_text(at, tag)?;
        let malformed = XmlError::Malformed { at: tag };
        match bytes.get(tag + 1) {
            Some(b'/') => {
                let len = name_len(&bytes[tag + 2..]);
                let name = &text[tag + 2..tag + 2 + len];
                let mut end = tag + 2 + len;
                while bytes.get(end).copied().is_some_and(blank) {
                    end += 1;
                }
                let (open, _) = b.open.pop().ok_or(malformed)?;
                if bytes.get(end) != Some(&b'>') || b.parts[open as usize].name != name {
                    return Err(malformed);
                }
                at = end + 1;
            }
            Some(b'!') if bytes[tag..].starts_with(b"<!--") => {
                let end = memchr::memmem::find(&bytes[tag + 4..], b"-->").ok_or(malformed)?;
                at = tag + 4 + end + 3;
            }
            Some(b'!') if bytes[tag..].starts_with(b"<![CDATA[") => at = b.cdata(tag)?,
            Some(b'!') if bytes[tag..].starts_with(b"<!DOCTYPE") => {
                return Err(XmlError::Doctype { at: tag });
            }
            Some(b'?') => {
                let end = memchr::memmem::find(&bytes[tag..], b"?>").ok_or(malformed)?;
                at = tag + end + 2;
            }
            Some(_) => {
                if b.open.len() == 1
                    && until
                        .is_some_and(|until| local_name_at(&bytes[tag + 1..]) == until.as_bytes())
                {
                    return Ok(Document { parts: b.parts, arena });
                }
                at = element(&mut b, tag)?;
            }
            None => return Err(malformed),
        }
    }
    b.add_text(at, text.len())?;
    match (b.parts.is_empty(), b.open.is_empty()) {
        (false, true) => Ok(Document { parts: b.parts, arena }),
        _ => Err(XmlError::Malformed { at: text.len() }),
    }
}

/// A start tag at `tag`; the place behind it.
fn element(b: &mut Builder<'_>, tag: usize) -> Result<usize, XmlError> {
    let text = b.text;
    let bytes = text.as_bytes();
    let malformed = XmlError::Malformed { at: tag };
    let len = name_len(&bytes[tag + 1..]);
    if len == 0 || (b.open.is_empty() && !b.parts.is_empty()) {
        return Err(malformed);
    }
    let name = &text[tag + 1..tag + 1 + len];
    let from = tag + 1 + len;
    let mut at = from;
    let mut keys: [&str; 8] = [""; 8];
    let mut count = 0;
    let (end, empty) = loop {
        let mut gap = false;
        while bytes.get(at).copied().is_some_and(blank) {
            at += 1;
            gap = true;
        }
        match bytes.get(at) {
            Some(b'>') => break (at, false),
            Some(b'/') if bytes.get(at + 1) == Some(&b'>') => break (at, true),
            _ => {}
        }
        let start = at;
        let key = name_len(&bytes[at..]);
        if key == 0 || !gap {
            return Err(malformed);
        }
        at += key;
        while bytes.get(at).copied().is_some_and(blank) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'=') {
            return Err(malformed);
        }
        at += 1;
        while bytes.get(at).copied().is_some_and(blank) {
            at += 1;
        }
        let quote = *bytes.get(at).filter(|q| matches!(q, b'"' | b'\'')).ok_or(malformed)?;
        let value = at + 1;
        let stop = value + memchr::memchr(quote, &bytes[value..]).ok_or(malformed)?;
        match memchr::memchr2(b'<', b'&', &bytes[value..stop]) {
            Some(found) if bytes[value + found] == b'<' => return Err(malformed),
            Some(_) if bytes[value..stop].contains(&b'<') => return Err(malformed),
            Some(_) => check_references(&text[value..stop], value)?,
            None => {}
        }
        let key = &text[start..start + key];
        // The first few names are remembered; more are looked up where they stand.
        let twice = keys[..count.min(keys.len())].contains(&key)
            || (count > keys.len() && attributes(&text[from..start]).any(|(k, _)| k == key));
        if twice {
            return Err(malformed);
        }
        if let Some(slot) = keys.get_mut(count) {
            *slot = key;
        }
        count += 1;
        at = stop + 1;
    };
    let part = b.add(name, &text[from..end])?;
    if empty {
        return Ok(end + 2);
    }
    if b.open.len() >= MAX_DEPTH {
        return Err(XmlError::TooDeep { at: tag });
    }
    b.open.push((part, NONE));
    Ok(end + 1)
}
