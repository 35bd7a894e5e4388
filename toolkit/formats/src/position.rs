//! Where in its source something was read.
//!
//! Enters: the number of a line, or words. Leaves: [`Position`], whose words are made when somebody asks for them: a
//! record is made for every row, its position is read once at most. Refuses: nothing.

use std::{borrow::Cow, fmt};

use crate::arena::Arena;

/// A place in a source: `line 17`, `OBX[3]`, `row 5 column 12`.
#[derive(Clone, Copy)]
pub enum Position<'a> {
    /// A line, from 1: `line 17`.
    Line(u64),
    /// Any other place, in words.
    Words(&'a str),
}

impl<'a> Position<'a> {
    /// In words.
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Line(number) => Cow::Owned(line_text(*number)),
            Self::Words(words) => Cow::Borrowed(words),
        }
    }
    /// Hands its words on without making a text of its own of them.
    pub fn with_text<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        match self {
            Self::Line(number) => {
                let mut bytes = *b"line 00000000000000000000";
                let from = digits(*number, &mut bytes);
                let len = bytes.len() - from;
                bytes.copy_within(from.., 5);
                f(std::str::from_utf8(&bytes[..5 + len]).unwrap_or_default())
            }
            Self::Words(words) => f(words),
        }
    }
    /// The same place, with its words in another arena.
    pub fn copy_in(self, arena: &Arena) -> Position<'_> {
        match self {
            Self::Line(number) => Position::Line(number),
            Self::Words(words) => Position::Words(arena.text(words)),
        }
    }
    /// The words of a place that is no line; for tests.
    #[cfg(test)]
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Line(_) => "a line",
            Self::Words(words) => words,
        }
    }
    /// Is nothing said?
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Words(words) if words.is_empty())
    }
}

/// Writes a number to the end of the bytes; where it begins.
fn digits(number: u64, bytes: &mut [u8; 25]) -> usize {
    let mut from = bytes.len();
    let mut rest = number;
    loop {
        from -= 1;
        bytes[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return from;
        }
    }
}

fn line_text(number: u64) -> String {
    Position::Line(number).with_text(str::to_owned)
}

impl Default for Position<'_> {
    fn default() -> Self {
        Self::Words("")
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Position<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Line(a), Self::Line(b)) => a == b,
            (a, b) => a.text() == b.text(),
        }
    }
}

impl Eq for Position<'_> {}

impl PartialEq<str> for Position<'_> {
    fn eq(&self, other: &str) -> bool {
        self.with_text(|text| text == other)
    }
}

impl PartialEq<&str> for Position<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl<'a> From<&'a str> for Position<'a> {
    fn from(words: &'a str) -> Self {
        Self::Words(words)
    }
}

impl<'a> From<Position<'a>> for Cow<'a, str> {
    fn from(position: Position<'a>) -> Self {
        match position {
            Position::Line(number) => Cow::Owned(line_text(number)),
            Position::Words(words) => Cow::Borrowed(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_its_words_say() {
        for number in [0, 7, 10, 12_345, u64::MAX] {
            let words = format!("line {number}");
            let line = Position::Line(number);
            assert_eq!((line.to_string(), line.text().as_ref()), (words.clone(), words.as_str()));
            assert_eq!(line, Position::from(words.as_str()));
            assert_eq!(Cow::from(line), words);
        }
        assert_ne!(Position::Line(1), Position::from("OBX[1]"));
        assert!(Position::default().is_empty());
    }
}
