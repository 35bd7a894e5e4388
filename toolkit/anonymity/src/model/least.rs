//! How many records a class must have at least to hold a test at all.
//!
//! Counts are whole: a class of five has shares of fifths, and may be unable to come near the shares of the table. Such
//! classes need no test, and all parts of them fail, too.

use super::{Test, Tree};

/// Sizes that are tried: the more values, the fewer.
const MOST: u32 = 1_000;
const WORK: usize = 4_000_000;

/// No class of fewer records holds the test. `table` has the counts of all values in the table.
pub(super) fn size(test: &Test, table: &[u32]) -> u32 {
    let rows: f64 = table.iter().map(|n| f64::from(*n)).sum();
    let shares: Vec<f64> = table.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / rows).collect();
    if shares.is_empty() {
        return 1;
    }
    let most = MOST.min((WORK / shares.len()) as u32).max(1);
    let first =
        |fits: &dyn Fn(f64) -> bool| (1..most).find(|n| fits(f64::from(*n))).unwrap_or(most);
    let room = |size: f64, most_of: &dyn Fn(f64) -> f64| -> bool {
        shares.iter().map(|q| (size * most_of(*q) + 1e-9).floor()).sum::<f64>() >= size
    };
    match test {
        Test::Equal(t) => first(&|size| distance(&shares, size) <= t + 1e-9),
        Test::Hierarchical { t, tree } => {
            let levels = levels(tree);
            first(&|size| {
                let sum: f64 = levels.iter().map(|shares| distance(shares, size)).sum();
                sum <= (t + 1e-9) * levels.len() as f64
            })
        }
        Test::Disclosure(delta) => first(&|size| room(size, &|q| q * delta.exp2())),
        Test::Beta { beta, enhanced } => {
            let limit = |q: f64| if *enhanced { beta.min(-q.ln()) } else { *beta };
            first(&|size| room(size, &|q| q * (1.0 + limit(q))))
        }
        _ => 1,
    }
}

/// The least variational distance that so many records can have from these shares.
fn distance(shares: &[f64], size: f64) -> f64 {
    let whole = |q: &f64| (q * size + 1e-12).floor();
    let fitting: f64 = shares.iter().map(whole).sum();
    let mut rest: Vec<f64> = shares.iter().map(|q| (q * size - whole(q)).max(0.0)).collect();
    rest.sort_unstable_by(|a, b| b.total_cmp(a));
    let left = (size - fitting).max(0.0) as usize;
    1.0 - (fitting + rest.iter().take(left).sum::<f64>()) / size
}

/// The shares at each level of a tree.
fn levels(tree: &Tree) -> Vec<Vec<f64>> {
    let mut levels: Vec<Vec<u32>> = vec![Vec::new(); tree.height];
    for path in tree.path.chunks_exact(tree.height.max(1)) {
        for (level, node) in levels.iter_mut().zip(path) {
            level.push(*node);
        }
    }
    levels
        .into_iter()
        .map(|mut nodes| {
            nodes.sort_unstable();
            nodes.dedup();
            let shares = nodes.into_iter().map(|node| tree.shares[node as usize]);
            shares.filter(|share| *share > 0.0).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All ways to share out `size` records.
    fn nearest(shares: &[f64], size: u32, left: u32, so_far: f64) -> f64 {
        let Some((q, rest)) = shares.split_first() else {
            return if left == 0 { so_far } else { 1.0 };
        };
        (0..=left)
            .map(|n| {
                let apart = (q - f64::from(n) / f64::from(size)).max(0.0);
                nearest(rest, size, left - n, so_far + apart)
            })
            .fold(1.0, f64::min)
    }

    #[test]
    fn the_least_distance_is_that_of_the_nearest_whole_counts() {
        for shares in [vec![0.5, 0.3, 0.2], vec![0.4, 0.4, 0.1, 0.1], vec![0.9, 0.1], vec![1.0]] {
            for size in 1..9 {
                let want = nearest(&shares, size, size, 0.0);
                assert!((distance(&shares, f64::from(size)) - want).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn too_few_records_hold_no_test() {
        let table = [25; 4];
        // Three of four values: a quarter away. Two of four: a half.
        assert_eq!(size(&Test::Equal(0.25), &table), 3);
        assert_eq!(size(&Test::Equal(0.0), &table), 4);
        assert_eq!(size(&Test::Equal(0.5), &table), 2);
        // No share over a half: two records. None over 3/8: three.
        assert_eq!(size(&Test::Beta { beta: 1.0, enhanced: false }, &table), 2);
        assert_eq!(size(&Test::Beta { beta: 0.5, enhanced: false }, &table), 3);
        assert_eq!(size(&Test::Distinct(3), &table), 1);
        assert_eq!(size(&Test::Equal(0.2), &[]), 1);
    }
}
