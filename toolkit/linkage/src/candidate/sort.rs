//! Sorting by hashes: they are spread evenly, so one scatter by their first bits leaves little to sort.

use rayon::prelude::*;

/// Hashes with the numbers they stand for, in 64 bits each: as many first bits of the hash as the largest number leaves.
pub(crate) struct Hashed {
    sorted: Vec<u64>,
    bits: u32,
}

/// Memory that is used for one sort after the other.
#[derive(Default)]
pub(crate) struct Room {
    packed: Vec<u64>,
    sorted: Vec<u64>,
}

impl Room {
    /// As [`sort_hashed`].
    pub(crate) fn sort(
        &mut self,
        n: usize,
        hash: impl Fn(usize) -> Option<u64> + Sync + Send,
    ) -> Hashed {
        // no number has all bits set: so nothing that is there is `NONE`
        let bits = (n.max(1) + 1).next_power_of_two().ilog2();
        (0..n)
            .into_par_iter()
            .map(|i| hash(i).map_or(NONE, |hash| hash >> bits << bits | i as u64))
            .collect_into_vec(&mut self.packed);
        let mut out = std::mem::take(&mut self.sorted);
        sorted(&self.packed, &mut out);
        Hashed { sorted: out, bits }
    }
    /// Takes back what a sort needed.
    pub(crate) fn put_back(&mut self, hashed: Hashed) {
        self.sorted = hashed.sorted;
    }
}

/// Sorts numbers below `n` by their hashes. Two hashes that agree in the bits that are kept count as one: of a million
/// records 44 bits are kept.
pub(crate) fn sort_hashed(n: usize, hash: impl Fn(usize) -> Option<u64> + Sync + Send) -> Hashed {
    Room::default().sort(n, hash)
}

impl Hashed {
    /// Groups of one hash, in the order of the hashes; their members in the order of their numbers.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[u64]> {
        self.sorted.chunk_by(|a, b| a >> self.bits == b >> self.bits)
    }
    /// The number of a member.
    pub(crate) fn number(&self, member: u64) -> u32 {
        (member & ((1 << self.bits) - 1)) as u32
    }
    /// The number at a place of the order.
    pub(crate) fn at(&self, place: usize) -> u32 {
        self.number(self.sorted[place])
    }
}

/// What stands for a missing hash.
const NONE: u64 = u64::MAX;

fn sorted(packed: &[u64], out: &mut Vec<u64>) {
    let there = || packed.iter().copied().filter(|p| *p != NONE);
    let bits = (packed.len().max(1).ilog2()).saturating_sub(7).min(14);
    if bits < 3 {
        out.clear();
        out.extend(there());
        out.sort_unstable();
        return;
    }
    let shift = 64 - bits;
    let mut next = vec![0usize; (1 << bits) + 1];
    for key in there() {
        next[(key >> shift) as usize + 1] += 1;
    }
    for b in 1..next.len() {
        next[b] += next[b - 1];
    }
    let ends: Vec<usize> = next[1..].to_vec();
    // every place is written below
    out.resize(next[next.len() - 1], 0);
    for item in there() {
        let at = &mut next[(item >> shift) as usize];
        out[*at] = item;
        *at += 1;
    }
    let mut buckets = Vec::with_capacity(ends.len());
    let (mut rest, mut start) = (&mut out[..], 0);
    for end in ends {
        let (bucket, tail) = rest.split_at_mut(end - start);
        buckets.push(bucket);
        (rest, start) = (tail, end);
    }
    buckets.into_par_iter().with_min_len(64).for_each(|bucket| bucket.sort_unstable());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_plain_sort() {
        for n in [0, 1, 5, 3000, 20_000] {
            let hash = |i: usize| crate::list::mix(i as u64 % 777, 3);
            let hashed = sort_hashed(n, |i| (i % 10 != 0).then(|| hash(i)));
            let mut plain: Vec<(u64, u32)> =
                (0..n).filter(|i| i % 10 != 0).map(|i| (hash(i), i as u32)).collect();
            plain.sort_unstable();
            let groups: Vec<Vec<u32>> = plain
                .chunk_by(|a, b| a.0 == b.0)
                .map(|g| g.iter().map(|m| m.1).collect())
                .collect();
            let found: Vec<Vec<u32>> =
                hashed.groups().map(|g| g.iter().map(|m| hashed.number(*m)).collect()).collect();
            assert_eq!(found, groups);
            assert!(plain.iter().enumerate().all(|(place, m)| hashed.at(place) == m.1));
        }
    }
}
