//! Histograms of persons.

use super::{DpError, Laplace, Noise, share_open};
use crate::{Chance, Keys};
use hashbrown::HashMap;

/// Count persons per cell, each person in at most `most` cells and once in each. Who is in more keeps a random choice,
/// each set of cells equally likely, drawn by the person's key.
///
/// # Guarantee
/// One person changes the counts by at most `most` in all, by at most 1 in a cell (L1 `most`, squared L2 `most`).
/// # Errors
/// `most` is 0, a cell is not below `kinds`, or there is not a key per row.
pub fn bounded_counts(
    cells: &[u32],
    kinds: usize,
    keys: Keys<'_>,
    most: usize,
    chance: &Chance,
) -> Result<Vec<u64>, DpError> {
    if most == 0 {
        return Err(DpError::Range { parameter: "contributions" });
    }
    if let Some(row) = cells.iter().position(|cell| *cell as usize >= kinds) {
        return Err(DpError::Cell { row });
    }
    let mut counts = vec![0; kinds];
    let Keys::Of(keys) = keys else {
        for cell in cells {
            counts[*cell as usize] += 1;
        }
        return Ok(counts);
    };
    if keys.len() != cells.len() {
        return Err(DpError::Keys { found: keys.len(), expected: cells.len() });
    }
    let chance = chance.apart("contributions");
    let mut persons: HashMap<&str, Vec<u32>> = HashMap::new();
    for (key, cell) in keys.iter().zip(cells) {
        persons.entry(key).or_default().push(*cell);
    }
    for (key, mut own) in persons {
        own.sort_unstable();
        own.dedup();
        if own.len() > most {
            chance.of(key).shuffle(&mut own);
            own.truncate(most);
        }
        for cell in own {
            counts[cell as usize] += 1;
        }
    }
    Ok(counts)
}

/// Noise on every count of a domain that is fixed without looking at the data (empty cells included). Noisy counts
/// can be negative; rounding them up to 0 afterwards costs no privacy, but biases.
pub fn release_counts(counts: &[u64], noise: Noise, chance: &Chance) -> Vec<i64> {
    let chance = chance.apart("noise");
    let noisy = |(cell, count): (usize, &u64)| {
        noise.draw(&mut chance.at(cell as u64)).saturating_add_unsigned(*count)
    };
    counts.iter().enumerate().map(noisy).collect()
}

/// A histogram over a domain that follows from the data: cells below a threshold are not shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StableHistogram {
    /// The noise.
    pub noise: Laplace,
    /// Noisy counts below are not released.
    pub threshold: u64,
    /// ε that is spent.
    pub epsilon: f64,
    /// δ that is spent: the probability that a cell shows that only one person is in.
    pub delta: f64,
}

/// A cell that was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// Number of the cell.
    pub cell: u32,
    /// Noisy count.
    pub count: u64,
}

/// (ε, δ)-private for persons in at most `contributions` cells (partition selection by a stability threshold:
/// Korolova et al. 2009; Bun, Nissim and Stemmer 2016), with two-sided geometric noise.
///
/// # Errors
/// ε or δ is out of range, or nobody may contribute.
pub fn stable_histogram(
    epsilon: f64,
    delta: f64,
    contributions: u32,
) -> Result<StableHistogram, DpError> {
    share_open(delta, "delta")?;
    let noise = Laplace::new(epsilon, contributions)?;
    // A cell of one person shows with P(1 + noise >= threshold); a person is alone in so many cells at most.
    let leak = |threshold: u64| f64::from(contributions) * noise.at_least(threshold as i64 - 1);
    let (mut low, mut high) = (1, 2);
    while leak(high) > delta {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if leak(middle) <= delta {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(StableHistogram { noise, threshold: high, epsilon, delta })
}

impl StableHistogram {
    /// The cells that pass. `key` names a cell independently of its number, so that numbering by first occurrence
    /// does not show in the noise; cells nobody is in are not looked at.
    pub fn release<'a>(
        &self,
        counts: &[u64],
        key: impl Fn(u32) -> &'a str,
        chance: &Chance,
    ) -> Vec<Released> {
        let chance = chance.apart("noise");
        let mut released = Vec::new();
        for (cell, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let cell = cell as u32;
            let noise = self.noise.draw(&mut chance.of(key(cell)));
            let noisy = noise.saturating_add_unsigned(*count);
            if let Ok(count) = u64::try_from(noisy)
                && count >= self.threshold
            {
                released.push(Released { cell, count });
            }
        }
        released
    }
}
