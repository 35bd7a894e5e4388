//! Short text in two words: to be compared and looked up without another look at its bytes.
//!
//! Enters: bytes. Leaves: [`Short`], which two texts share only if they are the same. Refuses: more than sixteen bytes. Most
//! cells of a delivery are codes, days and amounts, shorter than that.

/// Text of at most sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Short {
    low: u64,
    high: u64,
    length: u32,
}

/// A short text and its key, without a gap between.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    low: u64,
    high: u64,
    length: u32,
    pub(crate) key: i32,
}

impl Keyed {
    pub(crate) fn new(Short { low, high, length }: Short, key: i32) -> Self {
        Self { low, high, length, key }
    }
    pub(crate) fn short(&self) -> Short {
        Short { low: self.low, high: self.high, length: self.length }
    }
    /// The key, if it is that of this text.
    #[inline]
    pub(crate) fn of(&self, text: Short) -> Option<i32> {
        (self.short() == text).then_some(self.key)
    }
}

/// Places of [`Recent`].
const RECENT: usize = 256;
/// No text has this length.
const NOTHING: Keyed = Keyed { low: 0, high: 0, length: u32::MAX, key: 0 };

/// Some of the texts that were looked up of late, each at the one place it can have: most are found here, and a table of
/// all is not asked.
#[derive(Default)]
pub(crate) struct Recent(Vec<Keyed>);

impl Recent {
    /// Where the text stands, or another.
    #[inline]
    pub(crate) fn place(&mut self, Short { low, high, length }: Short) -> &mut Keyed {
        if self.0.len() < RECENT {
            self.0 = vec![NOTHING; RECENT];
        }
        let mixed = low ^ high.rotate_left(23) ^ u64::from(length);
        &mut self.0[(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % RECENT]
    }
    pub(crate) fn forget(&mut self) {
        self.0.fill(NOTHING);
    }
}

impl Short {
    /// The text; `None` if it is longer.
    #[inline]
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        // The two words of a text may share bytes in its middle: with its length, they tell all of it.
        let (low, high) = if let Some((first, _)) = text.split_first_chunk::<8>() {
            let (_, last) = text.split_last_chunk::<8>().filter(|_| text.len() <= 16)?;
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let Some((first, _)) = text.split_first_chunk::<4>() {
            let (_, last) = text.split_last_chunk::<4>()?;
            (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
        } else {
            let byte = |at: usize| text.get(at).map_or(0, |b| u64::from(*b));
            (byte(0) | byte(1) << 8 | byte(2) << 16, 0)
        };
        Some(Self { low, high, length: text.len() as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_same_text_is_the_same(a in "[ab\0]{0,18}", b in "[ab\0]{0,18}") {
            let (short_a, short_b) = (Short::of(a.as_bytes()), Short::of(b.as_bytes()));
            prop_assert_eq!(short_a.is_some(), a.len() <= 16);
            if a.len() <= 16 && b.len() <= 16 {
                prop_assert_eq!(short_a == short_b, a == b);
            }
        }
    }
}
