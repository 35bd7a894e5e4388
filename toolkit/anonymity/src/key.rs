//! Keys of classes: the labels of all quasi-identifiers, packed into words.

use crate::hierarchy::Hierarchy;

/// Where a quasi-identifier lives in a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) word: usize,
    pub(crate) shift: u32,
    pub(crate) mask: u64,
}

impl Field {
    #[inline]
    pub(crate) fn get<const N: usize>(self, key: &[u64; N]) -> usize {
        ((key[self.word] >> self.shift) & self.mask) as usize
    }

    #[inline]
    pub(crate) fn set<const N: usize>(self, key: &mut [u64; N], label: u32) {
        key[self.word] =
            (key[self.word] & !(self.mask << self.shift)) | (u64::from(label) << self.shift);
    }
}

/// Place the attributes one after the other; none straddles two words. Also tells the words needed.
pub(crate) fn layout<'a>(hierarchies: impl Iterator<Item = &'a Hierarchy>) -> (Vec<Field>, usize) {
    let mut word = 0;
    let mut used = 0;
    let fields = hierarchies
        .map(|hierarchy| {
            let bits = usize::BITS - (hierarchy.labels(0).max(2) - 1).leading_zeros();
            if used + bits > 64 {
                word += 1;
                used = 0;
            }
            let field = Field { word, shift: used, mask: (1 << bits) - 1 };
            used += bits;
            field
        })
        .collect();
    (fields, word + 1)
}

/// Mix a key into 64 bits whose upper half is well spread.
#[inline]
pub(crate) fn hash<const N: usize>(key: &[u64; N]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in key {
        let product = u128::from(word ^ state) * 0xd6e8_feb8_6659_fd93_u128;
        state = (product >> 64) as u64 ^ product as u64;
    }
    state
}
