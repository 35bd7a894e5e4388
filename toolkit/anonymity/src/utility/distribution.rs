//! Distributions of categories.

use super::{UtilityError, same};
use crate::Keys;
use hashbrown::{HashMap, HashSet};

/// A category; missing is one of its own.
type Code = Option<u32>;

fn counts(codes: &[Code]) -> HashMap<Code, f64> {
    let mut counts = HashMap::new();
    for code in codes {
        *counts.entry(*code).or_insert(0.0) += 1.0;
    }
    counts
}

/// The sorted categories of both, with their shares before and after, 0 where absent.
fn shares<K: Copy + Eq + core::hash::Hash + Ord>(
    before: &HashMap<K, f64>,
    after: &HashMap<K, f64>,
) -> Vec<(f64, f64)> {
    let mut all: Vec<K> = before.keys().chain(after.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    let sum = |counts: &HashMap<K, f64>| counts.values().sum::<f64>().max(1.0);
    let (n, m) = (sum(before), sum(after));
    let share = |counts: &HashMap<K, f64>, key: &K| counts.get(key).copied().unwrap_or(0.0);
    all.iter().map(|key| (share(before, key) / n, share(after, key) / m)).collect()
}

/// Half the sum of the absolute differences of the shares: the largest difference any event can have. 0 to 1.
pub fn total_variation(before: &[Option<u32>], after: &[Option<u32>]) -> f64 {
    let pairs = shares(&counts(before), &counts(after));
    pairs.iter().map(|(p, q)| (p - q).abs()).sum::<f64>() / 2.0
}

/// Kullback-Leibler divergence of the distribution after from that before, in bits: sum of p log2(p / q). Both are
/// smoothed by half a row per category that occurs in either, so that it is finite and 0 only if shares are equal.
fn smoothed<K: Copy + Eq + core::hash::Hash + Ord>(
    before: &HashMap<K, f64>,
    after: &HashMap<K, f64>,
) -> f64 {
    let mut all: Vec<K> = before.keys().chain(after.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    let extra = all.len() as f64 * 0.5;
    let (n, m) = (before.values().sum::<f64>() + extra, after.values().sum::<f64>() + extra);
    let count = |counts: &HashMap<K, f64>, key: &K| counts.get(key).copied().unwrap_or(0.0) + 0.5;
    all.iter()
        .map(|key| {
            let (p, q) = (count(before, key) / n, count(after, key) / m);
            p * (p / q).log2()
        })
        .sum::<f64>()
        .max(0.0)
}

/// Kullback-Leibler divergence of a column, in bits: sum of p log2(p / q), p before, q after, each smoothed by half a
/// row per category that occurs in either (so that it is always finite).
pub fn divergence(before: &[Option<u32>], after: &[Option<u32>]) -> f64 {
    smoothed(&counts(before), &counts(after))
}

/// Kullback-Leibler divergences of all pairs of columns (first, second, bits), as [`divergence`].
///
/// # Errors
/// Columns of one table differ in length, or the tables in the number of columns.
pub fn pair_divergences(
    before: &[&[Option<u32>]],
    after: &[&[Option<u32>]],
) -> Result<Vec<(usize, usize, f64)>, UtilityError> {
    same(&[before.len(), after.len()])?;
    for table in [before, after] {
        same(&table.iter().map(|column| column.len()).collect::<Vec<_>>())?;
    }
    let joint = |a: &[Code], b: &[Code]| {
        let mut counts: HashMap<(Code, Code), f64> = HashMap::new();
        for pair in a.iter().copied().zip(b.iter().copied()) {
            *counts.entry(pair).or_insert(0.0) += 1.0;
        }
        counts
    };
    let mut found = Vec::new();
    for first in 0..before.len() {
        for second in first + 1..before.len() {
            let (p, q) = (joint(before[first], before[second]), joint(after[first], after[second]));
            found.push((first, second, smoothed(&p, &q)));
        }
    }
    Ok(found)
}

/// How much the share of persons with a category moved.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PrevalenceShift {
    /// The category.
    pub category: u32,
    /// Share of persons who have it, before.
    pub before: f64,
    /// The same after.
    pub after: f64,
}

fn persons(codes: &[Code], keys: Keys<'_>) -> Result<(HashMap<u32, usize>, usize), UtilityError> {
    let mut holders: HashMap<u32, usize> = HashMap::new();
    let Keys::Of(keys) = keys else {
        for code in codes.iter().flatten() {
            *holders.entry(*code).or_insert(0) += 1;
        }
        return Ok((holders, codes.len()));
    };
    same(&[codes.len(), keys.len()])?;
    let mut pairs = HashSet::new();
    for (code, key) in codes.iter().zip(keys) {
        if let Some(code) = *code
            && pairs.insert((code, *key))
        {
            *holders.entry(code).or_insert(0) += 1;
        }
    }
    Ok((holders, keys.iter().collect::<HashSet<_>>().len()))
}

/// Share of persons (not rows) with each of the `most` commonest categories, before and after; largest shift first.
///
/// # Errors
/// There is not a key per row.
pub fn prevalence_shift(
    before: (&[Option<u32>], Keys<'_>),
    after: (&[Option<u32>], Keys<'_>),
    most: usize,
) -> Result<Vec<PrevalenceShift>, UtilityError> {
    let (holders, all) = persons(before.0, before.1)?;
    let (later, all_later) = persons(after.0, after.1)?;
    let mut common: Vec<(usize, u32)> = holders.iter().map(|(code, n)| (*n, *code)).collect();
    common.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    common.truncate(most);
    let share = |n: usize, all: usize| if all == 0 { 0.0 } else { n as f64 / all as f64 };
    let mut shifts: Vec<PrevalenceShift> = common
        .into_iter()
        .map(|(n, category)| PrevalenceShift {
            category,
            before: share(n, all),
            after: share(later.get(&category).copied().unwrap_or(0), all_later),
        })
        .collect();
    let size = |shift: &PrevalenceShift| (shift.after - shift.before).abs();
    shifts.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.category.cmp(&b.category)));
    Ok(shifts)
}
