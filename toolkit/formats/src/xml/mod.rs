//! XML as health data use it: elements, attributes, text. No DTD, no entities of one's own, bounded depth.
//!
//! Enters: the bytes of one document. Leaves: a [`Document`] whose names, attributes and text borrow from
//! the bytes. Refuses ([`XmlError`]): bytes that are not of the declared encoding, a document type
//! declaration (and so every entity but the five of XML itself), elements that do not close, more than
//! 100 levels, more than 64 MiB or a million parts.
//!
//! Elements and attributes are found by their local name: prefixes and name space addresses differ between
//! versions and vendors. Each element remembers whether a reader looked at it; [`Document::unread`] names
//! those nobody looked at.
//!
//! Time and memory grow linearly with the bytes.

mod parse;

use std::{borrow::Cow, cell::Cell};

use encoding_rs::{Encoding, UTF_8};

use crate::arena::Arena;

pub use parse::XmlError;

/// Largest document.
pub const MAX_BYTES: usize = 64 << 20;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 100;
/// Most elements and pieces of text of a document.
pub const MAX_PARTS: usize = 1_000_000;

/// No part.
const NONE: u32 = u32::MAX;

/// An element or a piece of text.
struct Part<'a> {
    /// Qualified name; empty for text.
    name: &'a str,
    /// Where the local name begins.
    local: u32,
    /// Attributes as written, or the text itself.
    raw: &'a str,
    first: u32,
    next: u32,
    read: Cell<bool>,
}

/// One document.
pub struct Document<'a> {
    parts: Vec<Part<'a>>,
    arena: &'a Arena,
}

/// Text of a document, by its byte order mark, else its declaration, else UTF-8.
///
/// # Errors
/// The encoding is unknown, or the bytes are not of it.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::TooLarge);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
        return text.ok_or(XmlError::Encoding);
    }
    let encoding = declared(bytes).map_or(Some(UTF_8), Encoding::for_label);
    let encoding = encoding.ok_or(XmlError::Encoding)?;
    encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(XmlError::Encoding)
}

/// The label in `<?xml … encoding="label"?>`.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(&declaration[..declaration.len().min(200)], b"?>")?;
    let declaration = &declaration[..end];
    let at = memchr::memmem::find(declaration, b"encoding")? + 8;
    let rest = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = *rest.first().filter(|q| matches!(q, b'"' | b'\''))?;
    let stop = memchr::memchr(quote, &rest[1..])?;
    Some(&rest[1..=stop])
}

/// Do the bytes begin with the byte order mark of UTF-16?
pub(crate) fn is_wide(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"\xFF\xFE") || first_bytes.starts_with(b"\xFE\xFF")
}

/// Local name of the first element, without reading the document: enough to tell formats apart.
pub fn root_name(first_bytes: &[u8]) -> Option<String> {
    if is_wide(first_bytes) {
        let (encoding, _) = Encoding::for_bom(first_bytes)?;
        return root_name(encoding.decode_with_bom_removal(first_bytes).0.as_bytes());
    }
    let mut rest = first_bytes;
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = &rest[at + 1..];
        match rest.first()? {
            b'?' => rest = &rest[memchr::memmem::find(rest, b"?>")?..],
            b'!' if rest.starts_with(b"!--") => {
                rest = &rest[memchr::memmem::find(&rest[3..], b"-->")? + 3..];
            }
            b'!' => {}
            _ => {
                let end = rest
                    .iter()
                    .position(|b| matches!(b, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))?;
                let name = std::str::from_utf8(&rest[..end]).ok()?;
                return Some(name.rsplit(':').next().unwrap_or(name).to_owned());
            }
        }
    }
    None
}

impl<'a> Document<'a> {
    /// Reads a document. Texts that are not its own as they stand are made in the arena.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(text: &'a str, arena: &'a Arena) -> Result<Self, XmlError> {
        parse::document(text, None, arena)
    }

    /// Reads what stands before the first element of a local name right below the root (the whole document if there is
    /// none): for a look at a document's head. What follows is not looked at, whatever it is.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse_head(text: &'a str, until: &str, arena: &'a Arena) -> Result<Self, XmlError> {
        parse::document(text, Some(until), arena)
    }

    /// The outermost element.
    pub fn root(&self) -> Element<'_, 'a> {
        let root = Element { document: self, at: 0 };
        root.part().read.set(true);
        root
    }

    /// Names of the elements nobody looked at, as `parent/child`, each once; names that are not plain ASCII
    /// become `?`.
    pub fn unread(&self, mut note: impl FnMut(&str, &str)) {
        let mut open = vec![0u32];
        while let Some(at) = open.pop() {
            let parent = &self.parts[at as usize];
            let mut child = parent.first;
            while child != NONE {
                let part = &self.parts[child as usize];
                if part.read.get() {
                    open.push(child);
                } else if !part.name.is_empty() {
                    note(plain(parent.local_name()), plain(part.local_name()));
                }
                child = part.next;
            }
        }
    }
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} parts)", self.parts.len())
    }
}

/// A name that may be repeated in a report.
fn plain(name: &str) -> &str {
    let plain = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && name.bytes().filter(u8::is_ascii_digit).count() < 5;
    if plain { name } else { "?" }
}

impl<'a> Part<'a> {
    fn local_name(&self) -> &'a str {
        &self.name[self.local as usize..]
    }
}

/// One element of a document.
#[derive(Clone, Copy)]
pub struct Element<'d, 'a> {
    document: &'d Document<'a>,
    at: u32,
}

impl<'d, 'a> Element<'d, 'a> {
    fn part(&self) -> &'d Part<'a> {
        &self.document.parts[self.at as usize]
    }

    /// Where texts are made.
    pub(crate) fn arena(&self) -> &'a Arena {
        self.document.arena
    }

    /// Name without prefix.
    pub fn name(&self) -> &'a str {
        self.part().local_name()
    }

    /// Prefix, or nothing.
    pub fn prefix(&self) -> &'a str {
        let part = self.part();
        part.name.get(..(part.local as usize).saturating_sub(1)).unwrap_or("")
    }

    /// Child elements in their order. Each one given counts as looked at.
    pub fn children(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        self.parts().filter(|e| !e.part().name.is_empty()).inspect(|e| e.part().read.set(true))
    }

    /// Child elements and text; nothing is marked.
    fn parts(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        let document = self.document;
        let mut next = self.part().first;
        std::iter::from_fn(move || {
            (next != NONE).then(|| {
                let at = next;
                next = document.parts[at as usize].next;
                Element { document, at }
            })
        })
    }

    /// Child elements of a local name; each counts as looked at.
    pub fn all<'n>(
        &self,
        name: &'n str,
    ) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a, 'n> {
        self.parts()
            .filter(move |e| e.part().local_name() == name)
            .inspect(|e| e.part().read.set(true))
    }

    /// The first child element of a local name; it counts as looked at.
    pub fn child(&self, name: &str) -> Option<Element<'d, 'a>> {
        self.all(name).next()
    }

    /// The element behind a path of local names, the first one at each step.
    pub fn path(&self, names: &[&str]) -> Option<Element<'d, 'a>> {
        names.iter().try_fold(*self, |element, name| element.child(name))
    }

    /// Value of the attribute of a local name; `None` if missing.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let local = |key: &str| {
            let prefix = key.len().checked_sub(name.len() + 1);
            key == name
                || (prefix.is_some_and(|p| key.as_bytes()[p] == b':')
                    && key.ends_with(name)
                    && !key.starts_with("xmlns"))
        };
        parse::attributes(self.part().raw)
            .find(|(key, _)| local(key))
            .map(|(_, raw)| self.arena().keep(parse::unescape(raw)))
    }

    /// As [`Self::attribute`], trimmed; `None` if blank.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.attribute(name).and_then(trimmed)
    }

    /// The element's own text, trimmed; `None` if blank.
    pub fn text(&self) -> Option<&'a str> {
        let mut own = self.parts().filter(|e| e.part().name.is_empty());
        let first = parse::text(own.next()?.part().raw);
        match own.next() {
            None => trimmed(self.arena().keep(first)),
            Some(second) => {
                let mut whole = first.into_owned();
                whole.push_str(&parse::text(second.part().raw));
                own.for_each(|e| whole.push_str(&parse::text(e.part().raw)));
                trimmed(&whole).map(|text| self.arena().text(text))
            }
        }
    }

    /// Text of a child element, trimmed; `None` if blank or missing.
    pub fn child_text(&self, name: &str) -> Option<&'a str> {
        self.child(name)?.text()
    }

    /// All text below the element, line by line; everything below counts as looked at.
    pub fn whole_text(&self) -> Option<&'a str> {
        let mut lines = Vec::new();
        self.gather_apart(&|_| false, &mut lines);
        match lines.len() {
            0 => None,
            1 => lines.pop(),
            _ => Some(self.arena().text(&lines.join("\n"))),
        }
    }

    /// As [`Self::whole_text`], leaving out elements of the names `apart` says; those are not marked.
    pub fn text_apart(&self, apart: &dyn Fn(&str) -> bool) -> Option<&'a str> {
        let mut lines = Vec::new();
        self.gather_apart(apart, &mut lines);
        (!lines.is_empty()).then(|| self.arena().text(&lines.join("\n")))
    }

    fn gather_apart(&self, apart: &dyn Fn(&str) -> bool, lines: &mut Vec<&'a str>) {
        for part in self.parts() {
            if part.part().name.is_empty() {
                lines.extend(trimmed(self.arena().keep(parse::text(part.part().raw))));
            } else if !apart(part.name()) {
                part.part().read.set(true);
                part.gather_apart(apart, lines);
            }
        }
    }

    /// Child elements without marking them.
    pub(crate) fn peek(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        self.parts().filter(|e| !e.part().name.is_empty())
    }

    /// The element counts as looked at.
    pub(crate) fn look(&self) {
        self.part().read.set(true);
    }

    /// Elements of a local name at any depth; they and what leads to them count as looked at.
    pub fn descendants(&self, name: &str) -> Vec<Element<'d, 'a>> {
        let mut found = Vec::new();
        self.collect(name, &mut found);
        found
    }

    fn collect(&self, name: &str, found: &mut Vec<Element<'d, 'a>>) {
        for child in self.parts().filter(|e| !e.part().name.is_empty()) {
            let before = found.len();
            if child.name() == name {
                found.push(child);
            }
            child.collect(name, found);
            if found.len() > before {
                child.part().read.set(true);
            }
        }
    }

    /// Everything below counts as looked at.
    pub fn mark(&self) {
        self.part().read.set(true);
        self.parts().for_each(|e| e.mark());
    }
}

impl std::fmt::Debug for Element<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Element({})", plain(self.name()))
    }
}

fn trimmed(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
