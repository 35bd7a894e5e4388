//! Where the texts stand that reading makes: keys, days, decoded names, lists of what a row says beside its columns.
//!
//! Enters: texts, while segments are read. Leaves: the same texts, borrowed, for as long as the arena lives: one text
//! is shared by all rows that say it, and all texts of some segments are given back at once. Refuses: nothing.

use std::fmt;

use bumpalo::Bump;

/// The texts made while segments are read; what was read borrows from it.
#[derive(Default)]
pub struct Arena(Bump);

impl Arena {
    /// An arena without texts.
    pub fn new() -> Self {
        Self::default()
    }
    /// Forgets all texts and keeps the room they took, for the segments that follow.
    pub fn reset(&mut self) {
        self.0.reset();
    }
    /// Bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.0.allocated_bytes()
    }
    /// Keeps a text.
    #[inline]
    pub(crate) fn text(&self, text: &str) -> &str {
        self.0.alloc_str(text)
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
