//! From keys of a special node to those of a general one.

use super::{Scratch, Step};
use crate::key::Field;

/// Some bits of a key, replaced together: one or more neighbouring fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    word: usize,
    shift: u32,
    mask: u64,
    /// Where its table starts; entries are in place already.
    table: usize,
}

/// How keys become those of the general node.
#[derive(Debug)]
pub(crate) struct Relabel<const N: usize> {
    /// The bits that stay.
    clear: [u64; N],
    chunks: Vec<Chunk>,
    tables: Vec<u64>,
}

impl Scratch {
    /// Steps made ready for so many keys.
    pub(crate) fn prepare<const N: usize>(
        &mut self,
        steps: &[Step<'_>],
        keys: usize,
    ) -> Relabel<N> {
        let mut relabel = Relabel {
            clear: [u64::MAX; N],
            chunks: core::mem::take(&mut self.chunks),
            tables: core::mem::take(&mut self.tables),
        };
        relabel.chunks.clear();
        relabel.tables.clear();
        // Fields that end at a root are cleared all at once.
        for (field, _) in steps.iter().filter(|(_, map)| map.is_empty()) {
            relabel.clear[field.word] &= !(field.mask << field.shift);
        }
        relabel.join(steps, keys);
        for chunk in &relabel.chunks {
            relabel.clear[chunk.word] &= !(chunk.mask << chunk.shift);
        }
        relabel
    }

    /// Its space may be used again.
    pub(crate) fn done<const N: usize>(&mut self, relabel: Relabel<N>) {
        (self.chunks, self.tables) = (relabel.chunks, relabel.tables);
    }
}

impl<const N: usize> Relabel<N> {
    /// Put steps on neighbouring fields together, as long as their tables are small against `keys`.
    fn join(&mut self, steps: &[Step<'_>], keys: usize) {
        let most = (keys / 8).max(2).ilog2().min(12);
        let mut steps: Vec<Step<'_>> =
            steps.iter().filter(|(_, map)| !map.is_empty()).copied().collect();
        steps.sort_by_key(|(field, _)| (field.word, field.shift));
        let end = |field: &Field| field.shift + field.mask.count_ones();
        let mut rest = steps.as_slice();
        while let Some((first, map)) = rest.first() {
            let fits = |(field, _): &&Step<'_>| {
                field.word == first.word && end(field) - first.shift <= most
            };
            let taken = rest.iter().take_while(fits).count().max(1);
            let (part, after) = rest.split_at(taken);
            rest = after;
            let bits = part.last().map_or(0, |(field, _)| end(field)) - first.shift;
            let table = self.tables.len();
            let mask = u64::MAX >> (64 - bits);
            if taken == 1 {
                self.tables.extend(map.iter().map(|label| u64::from(*label) << first.shift));
            } else {
                let clear = self.clear[first.word];
                self.tables.extend((0..=mask).map(|chunk| {
                    let mut key = [chunk << first.shift & clear];
                    for (field, map) in part {
                        let field = Field { word: 0, ..*field };
                        let label = map.get(field.get(&key)).copied().unwrap_or(0);
                        field.set(&mut key, label);
                    }
                    key[0]
                }));
            }
            self.chunks.push(Chunk { word: first.word, shift: first.shift, mask, table });
        }
    }

    /// The general keys of some special ones; `general` has room for them.
    #[inline]
    pub(super) fn apply(&self, keys: &[[u64; N]], general: &mut [[u64; N]]) {
        for (general, key) in general.iter_mut().zip(keys) {
            for ((word, clear), key) in general.iter_mut().zip(&self.clear).zip(key) {
                *word = key & clear;
            }
        }
        for chunk in &self.chunks {
            let table = &self.tables[chunk.table..];
            for (general, key) in general.iter_mut().zip(keys) {
                let bits = (key[chunk.word] >> chunk.shift) & chunk.mask;
                general[chunk.word] |= table[bits as usize];
            }
        }
    }
}
