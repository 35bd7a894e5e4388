//! Rank swapping (Moore 1996).

use super::{PerturbError, finite, same_length};
use crate::{Chance, Keys};

/// Ranks that are still free, with a count per prefix (Fenwick 1994).
struct Free(Vec<u32>);

impl Free {
    fn new(n: usize) -> Self {
        let mut tree = vec![0; n + 1];
        for at in 1..=n {
            tree[at] += 1;
            let up = at + (at & at.wrapping_neg());
            if up <= n {
                tree[up] += tree[at];
            }
        }
        Self(tree)
    }

    fn take(&mut self, at: usize) {
        let mut at = at + 1;
        while at < self.0.len() {
            self.0[at] -= 1;
            at += at & at.wrapping_neg();
        }
    }

    /// Free ranks below `end`.
    fn before(&self, end: usize) -> u32 {
        let mut at = end;
        let mut sum = 0;
        while at > 0 {
            sum += self.0[at];
            at &= at - 1;
        }
        sum
    }

    /// The free rank that has `before` free ones before it.
    fn nth(&self, before: u32) -> usize {
        let (mut at, mut left) = (0, before + 1);
        let mut step = self.0.len().next_power_of_two() / 2;
        while step > 0 {
            if at + step < self.0.len() && self.0[at + step] < left {
                at += step;
                left -= self.0[at];
            }
            step /= 2;
        }
        at
    }
}

/// Swap each value with one at most `percent` % of the rows away in rank, each free one equally likely. Rows of equal
/// value are ranked by the chance of their key, so that with distinct keys the result does not depend on the order of the
/// rows.
///
/// # Guarantee
/// The column keeps its values (mean, variance, quantiles, marginal); no value moves by more than
/// floor(rows x percent / 100) ranks. Correlations with other columns fall as `percent` grows.
/// # Errors
/// `percent` is not in 0 to 100, there is not a key per row, or a value is no finite number.
pub fn rank_swap(
    column: &[f64],
    percent: f64,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<Vec<f64>, PerturbError> {
    let rows = finite(&[column])?;
    same_length(keys, rows)?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(PerturbError::Range { parameter: "percent" });
    }
    let window = (rows as f64 * percent / 100.0).floor() as usize;
    let ties = chance.apart("ties");
    let mut order: Vec<(f64, u64, u32)> = column
        .iter()
        .enumerate()
        .map(|(row, value)| (*value, ties.record(keys, row).word(), row as u32))
        .collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut free = Free::new(rows);
    let mut swapped = column.to_vec();
    let mut taken = vec![false; rows];
    let mut stream = chance.stream();
    for rank in 0..rows {
        if taken[rank] {
            continue;
        }
        free.take(rank);
        let before = free.before(rank + 1);
        let reach = free.before((rank + window + 1).min(rows)) - before;
        if reach == 0 {
            continue;
        }
        let other = free.nth(before + stream.below(u64::from(reach)) as u32);
        free.take(other);
        taken[other] = true;
        let (a, b) = (order[rank].2 as usize, order[other].2 as usize);
        swapped.swap(a, b);
    }
    Ok(swapped)
}
