//! Classes in blocks: those that can never be put together stay apart, so that nodes can be grouped block by block.
//!
//! A block fits the nearest memory, and the classes of a finished block are final: whoever only wants to know whether
//! there are too many small ones may leave before the last block.

use super::{Classes, Distribution};
use crate::key::Field;
use core::ops::Range;

/// Blocks that a table is cut into, if its labels allow.
const BLOCKS: usize = 32;

/// Fewer classes are not worth a block.
const LEAST: usize = 256;

impl<const N: usize> Classes<N> {
    /// The same classes, sorted by the ranks of their labels in some fields, the first field first; as one block.
    pub(crate) fn sorted(&self, by: &[(Field, &[u32])]) -> Self {
        let mut order: Vec<u32> = (0..self.keys.len() as u32).collect();
        let mut sorted = order.clone();
        for (field, ranks) in by.iter().rev() {
            let rank = |at: u32| ranks[field.get(&self.keys[at as usize])] as usize;
            let mut starts = vec![0_u32; ranks.len() + 1];
            for at in &order {
                starts[rank(*at) + 1] += 1;
            }
            for at in 1..starts.len() {
                starts[at] += starts[at - 1];
            }
            for at in &order {
                let start = &mut starts[rank(*at)];
                sorted[*start as usize] = *at;
                *start += 1;
            }
            core::mem::swap(&mut order, &mut sorted);
        }
        self.pick(&order)
    }

    /// Where to cut: between neighbours that differ, unless the block would be small. All ends but the last.
    pub(crate) fn cuts(&self, differ: impl Fn(&[u64; N], &[u64; N]) -> bool) -> Vec<u32> {
        let least = (self.keys.len() / BLOCKS).max(LEAST);
        let mut begun = 0;
        let mut cuts = Vec::new();
        for (at, pair) in self.keys.windows(2).enumerate() {
            if at + 1 - begun >= least && differ(&pair[0], &pair[1]) {
                begun = at + 1;
                cuts.push(begun as u32);
            }
        }
        cuts
    }

    /// Some of the classes, in this order, as one block.
    pub(crate) fn pick(&self, numbers: &[u32]) -> Self {
        let distributions = self
            .distributions
            .iter()
            .map(|whole| {
                let mut part = Distribution {
                    starts: Vec::with_capacity(numbers.len() + 1),
                    pairs: Vec::with_capacity(whole.pairs.len()),
                };
                part.starts.push(0);
                for number in numbers {
                    part.pairs.extend_from_slice(whole.of(*number as usize));
                    part.starts.push(part.pairs.len() as u32);
                }
                part
            })
            .collect();
        Self {
            keys: numbers.iter().map(|n| self.keys[*n as usize]).collect(),
            counts: numbers.iter().map(|n| self.counts[*n as usize]).collect(),
            distributions,
            blocks: Vec::new(),
        }
    }

    /// The parts that cuts make; at least one.
    pub(crate) fn parts(&self, cuts: &[u32]) -> impl Iterator<Item = Range<usize>> {
        let starts = core::iter::once(0).chain(cuts.iter().map(|cut| *cut as usize));
        let all = self.keys.len();
        let ends = cuts.iter().map(|cut| *cut as usize).chain([all]);
        starts.zip(ends).map(|(start, end)| start..end)
    }
}
