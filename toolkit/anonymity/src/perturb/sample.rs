//! Sampling of rows or persons.

use super::{PerturbError, same_length};
use crate::chance::Stream;
use crate::{Chance, Keys};
use hashbrown::{HashMap, HashSet};

/// Keep each key with probability `share`, all its rows together (Bernoulli, or Poisson, sampling). Who is drawn
/// depends on the key alone.
///
/// # Guarantee
/// Shares, means and quantiles are unbiased; counts times 1 / `share` are.
/// # Errors
/// `share` is not in 0 to 1, or there is not a key per row.
pub fn sample_share(
    rows: usize,
    share: f64,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<Vec<bool>, PerturbError> {
    same_length(keys, rows)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(PerturbError::Range { parameter: "share" });
    }
    Ok((0..rows).map(|row| chance.record(keys, row).unit() < share).collect())
}

/// Keep exactly `size` keys without replacement, each set of so many equally likely, all rows of a key together:
/// those with the smallest random numbers, which follow from the key alone.
///
/// # Guarantee
/// As [`sample_share`], with a fixed number of persons; a smaller sample from the same chance is part of a larger.
/// # Errors
/// There are fewer keys, or there is not a key per row.
pub fn sample_keys(
    rows: usize,
    size: usize,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<Vec<bool>, PerturbError> {
    same_length(keys, rows)?;
    let mut drawn: Vec<((u64, u64), usize)> = Vec::new();
    let draw = |mut stream: Stream| (stream.word(), stream.word());
    let mut first: HashMap<&str, usize> = HashMap::new();
    for row in 0..rows {
        if let Keys::Of(keys) = keys {
            if first.contains_key(keys[row]) {
                continue;
            }
            first.insert(keys[row], row);
        }
        drawn.push((draw(chance.record(keys, row)), row));
    }
    if drawn.len() < size {
        return Err(PerturbError::TooFew { rows: drawn.len(), needed: size });
    }
    if size < drawn.len() {
        drawn.select_nth_unstable(size);
        drawn.truncate(size);
    }
    let chosen: HashSet<usize> = drawn.into_iter().map(|(_, row)| row).collect();
    let is_chosen = |row: usize| match keys {
        Keys::Rows => chosen.contains(&row),
        Keys::Of(keys) => chosen.contains(&first[keys[row]]),
    };
    Ok((0..rows).map(is_chosen).collect())
}

/// A simple random sample of a stream whose length is not known (Algorithm R: Vitter 1985).
#[derive(Debug, Clone)]
pub struct Reservoir<T> {
    size: usize,
    seen: u64,
    stream: Stream,
    kept: Vec<T>,
}

impl<T> Reservoir<T> {
    /// Nothing seen yet; at most `size` are kept.
    pub fn new(size: usize, chance: &Chance) -> Self {
        Self { size, seen: 0, stream: chance.stream(), kept: Vec::new() }
    }

    /// One more.
    pub fn push(&mut self, value: T) {
        self.seen += 1;
        if self.kept.len() < self.size {
            self.kept.push(value);
            return;
        }
        let place = self.stream.below(self.seen);
        if place < self.size as u64 {
            self.kept[place as usize] = value;
        }
    }

    /// How many were seen.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The sample: each set of so many equally likely, in no meaningful order.
    pub fn finish(self) -> Vec<T> {
        self.kept
    }
}
