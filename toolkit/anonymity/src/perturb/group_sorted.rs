//! Univariate microaggregation: the optimal groups of one column (Hansen and Mukherjee 2003).

use super::{Groups, PerturbError, finite};

/// The groups of at least `k` rows with the smallest sum of squares inside them. An optimal group is a run of the
/// sorted column and has at most `2k - 1` rows, so that a shortest path over n nodes finds it: O(n log n + n k).
/// Rows of equal value keep their order; of two equally good partitions the one with the longer last group counts.
///
/// # Guarantee
/// No partition into groups of at least `k` has a smaller sum of squares (to rounding).
/// # Errors
/// As [`super::mdav`].
pub fn microaggregate_sorted(column: &[f64], k: usize) -> Result<Groups, PerturbError> {
    let rows = finite(&[column])?;
    if k == 0 {
        return Err(PerturbError::Range { parameter: "k" });
    }
    if rows < k || u32::try_from(rows).is_err() {
        return Err(PerturbError::TooFew { rows, needed: k });
    }
    let mut order: Vec<u32> = (0..rows as u32).collect();
    order.sort_by(|a, b| column[*a as usize].total_cmp(&column[*b as usize]));
    let sorted: Vec<f64> = order.iter().map(|row| column[*row as usize]).collect();
    // best[end] = cost of the rows before `end`; start[end] = where its last group starts.
    let mut best = vec![f64::INFINITY; rows + 1];
    let mut start = vec![0_u32; rows + 1];
    best[0] = 0.0;
    for end in k..=rows {
        let (mut sum, mut squares) = (0.0, 0.0);
        // Walk back from the end; sums around the group's last value stay small, whatever the column's mean.
        let anchor = sorted[end - 1];
        for begin in (end.saturating_sub(2 * k - 1)..end).rev() {
            let value = sorted[begin] - anchor;
            sum += value;
            squares += value * value;
            let size = end - begin;
            if size < k || best[begin] == f64::INFINITY {
                continue;
            }
            let cost = best[begin] + (squares - sum * sum / size as f64).max(0.0);
            if cost <= best[end] {
                best[end] = cost;
                start[end] = begin as u32;
            }
        }
    }
    let mut ends = vec![rows];
    while let Some(end) = ends.last().filter(|end| **end > 0) {
        ends.push(start[*end] as usize);
    }
    ends.reverse();
    let mut of = vec![0; rows];
    let mut sizes = Vec::with_capacity(ends.len() - 1);
    for (group, run) in ends.windows(2).enumerate() {
        sizes.push((run[1] - run[0]) as u32);
        for row in &order[run[0]..run[1]] {
            of[*row as usize] = group as u32;
        }
    }
    Ok(Groups { of, sizes })
}
