//! Grouping: from the classes of a node to those of a more general one.

use crate::key::{self, Field};
use crate::model::Buffer;
use core::ops::Range;

mod blocks;
mod members;
mod relabel;

pub(crate) use relabel::Relabel;

/// How often each value of a sensitive attribute occurs in each class.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distribution {
    /// Where the pairs of each class start; one more than there are classes.
    pub(crate) starts: Vec<u32>,
    /// Value and count.
    pub(crate) pairs: Vec<(u32, u32)>,
}

impl Distribution {
    /// From (class, value, count), in any order.
    pub(crate) fn new(classes: usize, mut triples: Vec<(u32, u32, u32)>) -> Self {
        triples.sort_unstable();
        let mut starts = vec![0; classes + 1];
        for (class, _, _) in &triples {
            starts[*class as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts, pairs: triples.into_iter().map(|(_, value, n)| (value, n)).collect() }
    }

    pub(crate) fn of(&self, class: usize) -> &[(u32, u32)] {
        &self.pairs[self.starts[class] as usize..self.starts[class + 1] as usize]
    }
}

/// Classes of one node, in the order of their first rows inside each block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classes<const N: usize> {
    pub(crate) keys: Vec<[u64; N]>,
    pub(crate) counts: Vec<u32>,
    pub(crate) distributions: Vec<Distribution>,
    /// Where all blocks but the last one end: no node that is grouped from here puts classes of two blocks together.
    pub(crate) blocks: Vec<u32>,
}

impl<const N: usize> Classes<N> {
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.counts.clear();
        self.blocks.clear();
    }
}

/// Keys whose slots are asked for together.
const ASKED: usize = 16;

/// Replace the label in one field by its label at a higher level; no map: by the only label there is.
pub(crate) type Step<'a> = (Field, &'a [u32]);

/// Buffers of one thread, used again for every node.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Number of a class of the present block, from 1; 0 is free. A power of two, more than twice the classes.
    slots: Vec<u32>,
    /// Classes that went into the last block and that it made, as a guess at those of the next one.
    last: (usize, usize),
    chunks: Vec<relabel::Chunk>,
    tables: Vec<u64>,
    /// The class of the general node that each class of the special node went into.
    pub(crate) child_of: Vec<u32>,
    /// Classes of the special node, sorted by the class they went into.
    members: Vec<u32>,
    /// Where the members of each class start, from the class `first` on.
    starts: Vec<u32>,
    first: usize,
    /// Counts of the values of one class.
    pub(crate) dense: Vec<u32>,
    /// Values with a count above 0.
    pub(crate) touched: Vec<u32>,
    /// For the tests of classes.
    pub(crate) buffer: Buffer,
}

impl Scratch {
    /// New slots; the classes found so far are put in again.
    fn grow<const N: usize>(&mut self, keys: &[[u64; N]], size: usize) {
        self.slots.clear();
        self.slots.resize(size, 0);
        let (shift, mask) = (64 - size.trailing_zeros(), size - 1);
        for (number, key) in keys.iter().enumerate() {
            let mut at = (key::hash(key) >> shift) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = number as u32 + 1;
        }
    }
}

/// Group the classes `part` of `parent`, whole blocks, by their keys after `relabel`; add those that result to `child`
/// (without distributions), at most `limit`. With `follow`, `scratch.child_of` tells where each class went.
pub(crate) fn group<const N: usize>(
    parent: &Classes<N>,
    part: Range<usize>,
    relabel: &Relabel<N>,
    limit: u128,
    child: &mut Classes<N>,
    scratch: &mut Scratch,
    follow: bool,
) {
    // Few classes want few slots, which stay near the processor; the table grows with them.
    let most = (part.len() as u128).min(limit) as usize;
    let (from, to) = scratch.last;
    let guess = to * part.len() / from.max(1);
    let guess = (guess + guess / 4).min(most).max(64);
    scratch.grow::<N>(&[], (guess * 3).next_power_of_two());
    if follow {
        if part.start == 0 {
            scratch.child_of.clear();
        }
        scratch.child_of.reserve(part.len());
    }
    let first = child.keys.len();
    let (mut done, mut found) = (part.start, 0);
    while done < part.end {
        // No more than fill half of the slots.
        let room = scratch.slots.len() / 2 - found;
        if room < ASKED {
            scratch.grow(&child.keys[first..first + found], scratch.slots.len() * 2);
            continue;
        }
        let end = part.end.min(done + room / ASKED * ASKED);
        let most = first + (found + end - done).min(part.len());
        if child.keys.len() < most {
            child.keys.resize(most, [0; N]);
            child.counts.resize(most, 0);
        }
        let mut into = Into {
            slots: &mut scratch.slots,
            keys: &mut child.keys[first..],
            counts: &mut child.counts[first..],
            first: first as u32,
            found,
        };
        let (keys, counts) = (&parent.keys[done..end], &parent.counts[done..end]);
        if follow {
            into.put::<true>(keys, counts, relabel, &mut scratch.child_of);
        } else {
            into.put::<false>(keys, counts, relabel, &mut scratch.child_of);
        }
        (done, found) = (end, into.found);
    }
    child.keys.truncate(first + found);
    child.counts.truncate(first + found);
    scratch.last = (part.len(), found);
}

/// The classes of the general node, while they are found.
struct Into<'a, const N: usize> {
    slots: &'a mut [u32],
    keys: &'a mut [[u64; N]],
    counts: &'a mut [u32],
    /// Number of the first class of the block.
    first: u32,
    found: usize,
}

impl<const N: usize> Into<'_, N> {
    /// Put classes of the special node in; there is room for them. With `FOLLOW`, `child_of` tells where each went.
    fn put<const FOLLOW: bool>(
        &mut self,
        keys: &[[u64; N]],
        counts: &[u32],
        relabel: &Relabel<N>,
        child_of: &mut Vec<u32>,
    ) {
        let Self { slots, keys: found_keys, counts: found_counts, first, found } = self;
        let mask = slots.len() - 1;
        let shift = 64 - slots.len().trailing_zeros();
        let mut number_of_found = *found;
        let mut general = [[0; N]; ASKED];
        let mut places = [0_usize; ASKED];
        for (keys, counts) in keys.chunks(ASKED).zip(counts.chunks(ASKED)) {
            relabel.apply(keys, &mut general);
            // First all slots are asked for, so that memory answers them side by side.
            let mut asked = 0;
            for (place, general) in places.iter_mut().zip(&general) {
                *place = (key::hash(general) >> shift) as usize & mask;
                asked |= slots[*place];
            }
            core::hint::black_box(asked);
            for ((key, place), count) in general.iter().zip(&places).zip(counts) {
                let mut at = *place;
                let number = loop {
                    let slot = slots[at] as usize;
                    if slot == 0 {
                        found_keys[number_of_found] = *key;
                        found_counts[number_of_found] = *count;
                        number_of_found += 1;
                        slots[at] = number_of_found as u32;
                        break number_of_found - 1;
                    }
                    if found_keys[slot - 1] == *key {
                        found_counts[slot - 1] += count;
                        break slot - 1;
                    }
                    at = (at + 1) & mask;
                };
                if FOLLOW {
                    child_of.push(*first + number as u32);
                }
            }
        }
        *found = number_of_found;
    }
}

/// Group all of `parent` into `child`, the distributions too, in the blocks that `cuts` makes of it.
pub(crate) fn group_all<const N: usize>(
    parent: &Classes<N>,
    cuts: &[u32],
    steps: &[Step<'_>],
    limit: u128,
    child: &mut Classes<N>,
    scratch: &mut Scratch,
    values: &[usize],
) {
    let follow = !parent.distributions.is_empty();
    let relabel = scratch.prepare(steps, parent.keys.len());
    child.clear();
    child.distributions.resize_with(parent.distributions.len(), Distribution::default);
    for distribution in &mut child.distributions {
        distribution.pairs.clear();
        distribution.starts.clear();
        distribution.starts.push(0);
    }
    for part in parent.parts(cuts) {
        let first = child.keys.len();
        if part.start > 0 {
            child.blocks.push(first as u32);
        }
        group(parent, part.clone(), &relabel, limit, child, scratch, follow);
        if follow {
            scratch.sort_members(part, first..child.keys.len());
        }
        for ((to, from), values) in
            child.distributions.iter_mut().zip(&parent.distributions).zip(values)
        {
            for class in first..child.keys.len() {
                if let Some(member) = scratch.only_member(class) {
                    to.pairs.extend_from_slice(from.of(member));
                } else {
                    scratch.gather(from, class, *values);
                    let found = scratch.touched.iter().map(|v| (*v, scratch.dense[*v as usize]));
                    to.pairs.extend(found);
                }
                to.starts.push(to.pairs.len() as u32);
            }
        }
    }
    scratch.done(relabel);
}
