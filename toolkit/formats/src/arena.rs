//! Where stands what reading makes: records, and texts that are not in the source: keys, days, decoded names, lists of
//! what a row says beside its columns.
//!
//! Enters: texts and records, while segments are read. Leaves: the same, borrowed, for as long as the arena lives: one text
//! is shared by all rows that say it, and all of some segments is given back at once. Refuses: nothing.

use std::{borrow::Cow, fmt};

use bumpalo::Bump;

use crate::record::Record;

/// The records and texts made while segments are read; what was read borrows from it.
#[derive(Default)]
pub struct Arena(Bump);

impl Arena {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }
    /// Forgets all that stands in it and keeps the room it took, for the segments that follow.
    pub fn reset(&mut self) {
        self.0.reset();
    }
    /// Bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.0.allocated_bytes()
    }
    /// Keeps a record.
    #[inline]
    pub fn record<'a, R>(&'a self, record: R) -> Record<'a>
    where
        R: Copy + 'a,
        Record<'a>: From<&'a R>,
    {
        Record::from(&*self.0.alloc(record))
    }
    /// Keeps a text.
    #[inline]
    pub fn text(&self, text: &str) -> &str {
        self.0.alloc_str(text)
    }
    /// Keeps a text that was made; one that is borrowed stays where it is.
    #[inline]
    pub(crate) fn keep<'a>(&'a self, text: Cow<'a, str>) -> &'a str {
        match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => self.text(&text),
        }
    }
    /// Keeps a text unless it is empty.
    #[inline]
    pub(crate) fn filled(&self, text: &str) -> Option<&str> {
        (!text.is_empty()).then(|| self.text(text))
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena of {} bytes", self.bytes())
    }
}

/// An arena that is never given back, for tests that keep what they read.
#[cfg(test)]
pub(crate) fn lasting() -> &'static Arena {
    Box::leak(Box::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_until_they_are_forgotten() {
        let mut arena = Arena::new();
        assert_eq!((arena.text("鍵"), arena.filled("")), ("鍵", None));
        let shown = format!("{arena:?}");
        assert!(shown.starts_with("Arena of") && !shown.contains('鍵'));
        arena.reset();
        assert_eq!(arena.filled("日"), Some("日"));
    }
}
