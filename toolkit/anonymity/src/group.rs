//! Grouping: from the classes of a node to those of a more general one.

use crate::key::{self, Field};
use crate::model::Buffer;

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

/// Classes of one node, in the order of their first rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classes<const N: usize> {
    pub(crate) keys: Vec<[u64; N]>,
    pub(crate) counts: Vec<u32>,
    pub(crate) distributions: Vec<Distribution>,
}

/// Up to so many values, looking at all is cheaper than keeping a list.
const FEW: usize = 256;

/// Keys whose slots are asked for together.
const BLOCK: usize = 16;

/// Replace the label in one field by its label at a higher level; no map: by the only label there is.
pub(crate) type Step<'a> = (Field, &'a [u32]);

/// Buffers of one thread, used again for every node.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    slots: Vec<u32>,
    /// Classes of the last node, as a guess at those of the next one.
    last: usize,
    chunks: Vec<Chunk>,
    tables: Vec<u64>,
    /// The class of the general node that each class of the special node went into.
    pub(crate) child_of: Vec<u32>,
    /// Classes of the special node, sorted by the class they went into.
    pub(crate) members: Vec<u32>,
    /// Where the members of each class start.
    pub(crate) starts: Vec<u32>,
    /// Counts of the values of one class.
    pub(crate) dense: Vec<u32>,
    /// Values with a count above 0.
    pub(crate) touched: Vec<u32>,
    /// For the tests of classes.
    pub(crate) buffer: Buffer,
}

impl Scratch {
    /// Sort the classes of the special node by the class they went into (after [`group`] with `follow`).
    pub(crate) fn sort_members(&mut self, children: usize) {
        self.starts.clear();
        self.starts.resize(children + 1, 0);
        for child in &self.child_of {
            self.starts[*child as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.members.clear();
        self.members.resize(self.child_of.len(), 0);
        for (at, child) in self.child_of.iter().enumerate().rev() {
            let start = &mut self.starts[*child as usize];
            *start -= 1;
            self.members[*start as usize] = at as u32;
        }
    }

    /// Sum the distributions of the members of a class into `dense` and `touched`.
    pub(crate) fn gather(&mut self, parent: &Distribution, child: usize, values: usize) {
        self.clear(values);
        let members = self.starts[child] as usize..self.starts[child + 1] as usize;
        if let [member] = self.members[members.clone()] {
            for (value, count) in parent.of(member as usize).iter().filter(|(_, count)| *count > 0)
            {
                self.dense[*value as usize] = *count;
                self.touched.push(*value);
            }
            return;
        }
        for member in &self.members[members] {
            for (value, count) in parent.of(*member as usize) {
                self.dense[*value as usize] += count;
                if values > FEW {
                    self.touched.push(*value);
                }
            }
        }
        self.settle(values);
    }

    /// Take one class's own distribution into `dense` and `touched`.
    pub(crate) fn load(&mut self, pairs: &[(u32, u32)], values: usize) {
        self.clear(values);
        for (value, count) in pairs {
            self.dense[*value as usize] = *count;
            if values > FEW {
                self.touched.push(*value);
            }
        }
        self.settle(values);
    }

    fn clear(&mut self, values: usize) {
        if self.dense.len() < values {
            self.dense.resize(values, 0);
        }
        for value in self.touched.drain(..) {
            self.dense[value as usize] = 0;
        }
    }

    /// List the values that occur, ascending.
    fn settle(&mut self, values: usize) {
        if values > FEW {
            self.touched.sort_unstable();
            self.touched.dedup();
            self.touched.retain(|value| self.dense[*value as usize] > 0);
        } else {
            self.touched.resize(values, 0);
            let mut found = 0;
            for (value, count) in self.dense[..values].iter().enumerate() {
                self.touched[found] = value as u32;
                found += usize::from(*count > 0);
            }
            self.touched.truncate(found);
        }
    }
}

/// Some bits of a key, replaced together: one or more neighbouring fields.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    word: usize,
    shift: u32,
    mask: u64,
    /// Where its table starts; entries are in place already.
    table: usize,
}

impl Scratch {
    /// Put steps on neighbouring fields together, as long as their tables are small against `keys`.
    fn prepare<const N: usize>(&mut self, steps: &[Step<'_>], roots: &[u64; N], keys: usize) {
        let most = (keys / 8).max(2).ilog2().min(12);
        let mut steps: Vec<Step<'_>> =
            steps.iter().filter(|(_, map)| !map.is_empty()).copied().collect();
        steps.sort_by_key(|(field, _)| (field.word, field.shift));
        self.chunks.clear();
        self.tables.clear();
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
                self.tables.extend((0..=mask).map(|chunk| {
                    let mut key = [chunk << first.shift & roots[first.word]];
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

    /// Twice the slots; the classes found so far are put in again.
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

/// Group `parent` by its keys after `steps` into `child` (without distributions). `limit` bounds the number of
/// classes that can result. With `follow`, `scratch.child_of` tells where each class went.
pub(crate) fn group<const N: usize>(
    parent: &Classes<N>,
    steps: &[Step<'_>],
    limit: u128,
    child: &mut Classes<N>,
    scratch: &mut Scratch,
    follow: bool,
) {
    // Fields that end at a root are cleared all at once.
    let mut clear = [u64::MAX; N];
    for (field, _) in steps.iter().filter(|(_, map)| map.is_empty()) {
        clear[field.word] &= !(field.mask << field.shift);
    }
    scratch.prepare(steps, &clear, parent.keys.len());
    // Few classes want few slots, which stay near the processor; the table grows with them.
    let most = (parent.keys.len() as u128).min(limit) as usize;
    let guess = (scratch.last + scratch.last / 4).min(most).max(128);
    scratch.grow::<N>(&[], (guess * 3).next_power_of_two());
    if follow {
        scratch.child_of.clear();
        scratch.child_of.reserve(parent.keys.len());
    }
    let chunks = core::mem::take(&mut scratch.chunks);
    let tables = core::mem::take(&mut scratch.tables);
    for chunk in &chunks {
        clear[chunk.word] &= !(chunk.mask << chunk.shift);
    }
    let relabel = Relabel { clear, chunks: &chunks, tables: &tables };
    let (mut done, mut found) = (0, 0);
    while done < parent.keys.len() {
        // No more than fill half of the slots.
        let room = scratch.slots.len() / 2 - found;
        if room < BLOCK {
            scratch.grow(&child.keys[..found], scratch.slots.len() * 2);
            continue;
        }
        let end = parent.keys.len().min(done + room / BLOCK * BLOCK);
        let most = (found + end - done).min(parent.keys.len());
        if child.keys.len() < most {
            child.keys.resize(most, [0; N]);
            child.counts.resize(most, 0);
        }
        let mut into = Into {
            slots: &mut scratch.slots,
            keys: &mut child.keys,
            counts: &mut child.counts,
            found,
        };
        let (keys, counts) = (&parent.keys[done..end], &parent.counts[done..end]);
        if follow {
            into.put::<true>(keys, counts, &relabel, &mut scratch.child_of);
        } else {
            into.put::<false>(keys, counts, &relabel, &mut scratch.child_of);
        }
        (done, found) = (end, into.found);
    }
    child.keys.truncate(found);
    child.counts.truncate(found);
    scratch.last = found;
    scratch.chunks = chunks;
    scratch.tables = tables;
}

/// How keys become those of the general node.
struct Relabel<'a, const N: usize> {
    clear: [u64; N],
    chunks: &'a [Chunk],
    tables: &'a [u64],
}

/// The classes of the general node, while they are found.
struct Into<'a, const N: usize> {
    /// Number of a class, from 1; 0 is free. A power of two, more than twice the classes.
    slots: &'a mut [u32],
    keys: &'a mut [[u64; N]],
    counts: &'a mut [u32],
    found: usize,
}

impl<const N: usize> Into<'_, N> {
    /// Put classes of the special node in; there is room for them. With `FOLLOW`, `child_of` tells where each went.
    fn put<const FOLLOW: bool>(
        &mut self,
        keys: &[[u64; N]],
        counts: &[u32],
        relabel: &Relabel<'_, N>,
        child_of: &mut Vec<u32>,
    ) {
        let Self { slots, keys: found_keys, counts: found_counts, found } = self;
        let mask = slots.len() - 1;
        let shift = 64 - slots.len().trailing_zeros();
        let mut number_of_found = *found;
        let mut general = [[0; N]; BLOCK];
        let mut places = [0_usize; BLOCK];
        for (keys, counts) in keys.chunks(BLOCK).zip(counts.chunks(BLOCK)) {
            for (general, key) in general.iter_mut().zip(keys) {
                for ((word, clear), key) in general.iter_mut().zip(&relabel.clear).zip(key) {
                    *word = key & clear;
                }
            }
            for chunk in relabel.chunks {
                let table = &relabel.tables[chunk.table..];
                for (general, key) in general.iter_mut().zip(keys) {
                    let bits = (key[chunk.word] >> chunk.shift) & chunk.mask;
                    general[chunk.word] |= table[bits as usize];
                }
            }
            // First all slots of a block are asked for, so that memory answers them side by side.
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
                    child_of.push(number as u32);
                }
            }
        }
        *found = number_of_found;
    }
}

/// As [`group`], and the distributions too.
pub(crate) fn group_all<const N: usize>(
    parent: &Classes<N>,
    steps: &[Step<'_>],
    limit: u128,
    child: &mut Classes<N>,
    scratch: &mut Scratch,
    values: &[usize],
) {
    let follow = !parent.distributions.is_empty();
    group(parent, steps, limit, child, scratch, follow);
    child.distributions.resize_with(parent.distributions.len(), Distribution::default);
    if !follow {
        return;
    }
    scratch.sort_members(child.keys.len());
    for (at, from) in parent.distributions.iter().enumerate() {
        let mut to = core::mem::take(&mut child.distributions[at]);
        to.starts.clear();
        to.pairs.clear();
        to.starts.push(0);
        for class in 0..child.keys.len() {
            let members = scratch.starts[class] as usize..scratch.starts[class + 1] as usize;
            if let [member] = scratch.members[members] {
                to.pairs.extend_from_slice(from.of(member as usize));
                to.starts.push(to.pairs.len() as u32);
                continue;
            }
            scratch.gather(from, class, values[at]);
            to.pairs.extend(scratch.touched.iter().map(|v| (*v, scratch.dense[*v as usize])));
            to.starts.push(to.pairs.len() as u32);
        }
        child.distributions[at] = to;
    }
}
