//! Sorting by hashes: they are spread evenly, so one scatter by their first bits leaves little to sort.

use rayon::prelude::*;

/// Sorts hashed keys with what they stand for.
pub(crate) fn sort_hashed(keyed: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    let n = keyed.len();
    let bits = (n.max(1).ilog2()).saturating_sub(7).min(14);
    if bits < 3 {
        let mut keyed = keyed;
        keyed.sort_unstable();
        return keyed;
    }
    let shift = 64 - bits;
    let mut next = vec![0usize; (1 << bits) + 1];
    for (key, _) in &keyed {
        next[(key >> shift) as usize + 1] += 1;
    }
    for b in 1..next.len() {
        next[b] += next[b - 1];
    }
    let ends: Vec<usize> = next[1..].to_vec();
    let mut out = vec![(0, 0); n];
    for item in keyed {
        let at = &mut next[(item.0 >> shift) as usize];
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
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_plain_sort() {
        for n in [0, 1, 5, 3000, 20_000] {
            let keyed: Vec<(u64, u32)> =
                (0..n).map(|i| (crate::list::mix(u64::from(i % 777), 3), i)).collect();
            let mut plain = keyed.clone();
            plain.sort_unstable();
            assert_eq!(sort_hashed(keyed), plain);
        }
    }
}
