//! Chance from a seed, and how sure a share is.
//!
//! Every draw has a stream of its own (the number of the person or the attack), so that results do not depend on
//! the order in which threads come to them.

use serde::Serialize;

/// Steele, Lea, Flood 2014 (SplitMix64). Not for keys.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of one person or attack.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        chance.next();
        Self(chance.next() ^ stream)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number under `limit`; 0 if the limit is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// `count` different numbers under `limit`, in the order drawn; all of them, shuffled, if there are no more.
    pub(crate) fn draw(&mut self, count: usize, limit: usize) -> Vec<u32> {
        if count.saturating_mul(4) >= limit {
            let mut all: Vec<u32> = (0..limit as u32).collect();
            for at in 0..count.min(limit) {
                let other = at + self.below(limit - at);
                all.swap(at, other);
            }
            all.truncate(count);
            return all;
        }
        let mut seen = hashbrown::HashSet::with_capacity(count);
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            let next = self.below(limit) as u32;
            if seen.insert(next) {
                drawn.push(next);
            }
        }
        drawn
    }
}

/// The 97.5 % point of the normal distribution: all intervals are of 95 %.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A share of trials with its Wilson 95 % interval (Wilson 1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// Trials that succeeded.
    pub successes: u64,
    /// Trials.
    pub trials: u64,
    /// Their share; 0 without trials.
    pub rate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval; 1 without trials.
    pub high: f64,
}

impl Rate {
    /// So many of so many.
    pub fn of(successes: u64, trials: u64) -> Self {
        if trials == 0 {
            return Self { successes, trials, rate: 0.0, low: 0.0, high: 1.0 };
        }
        let (center, half) = wilson(successes, trials);
        Self {
            successes,
            trials,
            rate: successes as f64 / trials as f64,
            // The formula's ends are exact at 0 and at all; the last bit is not.
            low: if successes == 0 { 0.0 } else { (center - half).max(0.0) },
            high: if successes == trials { 1.0 } else { (center + half).min(1.0) },
        }
    }

    /// All persons were looked at: the share is known, its interval has no width.
    pub fn exact(successes: u64, trials: u64) -> Self {
        let rate = if trials == 0 { 0.0 } else { successes as f64 / trials as f64 };
        Self { successes, trials, rate, low: rate, high: rate }
    }
}

/// Middle and half width of the Wilson interval.
pub(crate) fn wilson(successes: u64, trials: u64) -> (f64, f64) {
    let (k, n) = (successes as f64, trials as f64);
    let denominator = n + Z * Z;
    let center = (k + 0.5 * Z * Z) / denominator;
    (center, Z / denominator * (k * (n - k) / n + Z * Z / 4.0).sqrt())
}

/// What an attack gains over its baseline: (attack - baseline) / (1 - baseline) (Giomi et al. 2023, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// From the plain shares; not under 0.
    pub value: f64,
    /// Lower end of the 95 % interval, by propagation of the two Wilson intervals. Under 0: within the noise.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Gain {
    /// Gain of one share over another.
    pub fn of(attack: &Rate, baseline: &Rate) -> Self {
        if attack.trials == 0 {
            return Self { value: 0.0, low: 0.0, high: 0.0 };
        }
        let (a, da) = wilson(attack.successes, attack.trials);
        let (b, db) = if baseline.trials == 0 {
            (baseline.rate, 0.0)
        } else {
            wilson(baseline.successes, baseline.trials)
        };
        let rest = 1.0 - b;
        let middle = (a - b) / rest;
        let error = ((da / rest).powi(2) + ((a - 1.0) / (rest * rest) * db).powi(2)).sqrt();
        let plain = if baseline.rate >= 1.0 {
            0.0
        } else {
            (attack.rate - baseline.rate) / (1.0 - baseline.rate)
        };
        Self { value: plain.max(0.0), low: middle - error, high: (middle + error).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_are_those_of_the_book() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (k, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let rate = Rate::of(k, n);
            assert!((rate.low - low).abs() < 6e-5 && (rate.high - high).abs() < 6e-5, "{rate:?}");
        }
    }

    #[test]
    fn a_gain_is_zero_where_attack_and_baseline_agree_and_one_where_the_attack_never_fails() {
        let same = Gain::of(&Rate::of(30, 1000), &Rate::of(30, 1000));
        assert!(same.value <= 0.0 && same.low < 0.0 && same.high > 0.0);
        let all = Gain::of(&Rate::of(1000, 1000), &Rate::of(30, 1000));
        assert!(all.value > 0.999_999 && all.low > 0.99);
    }

    #[test]
    fn draws_are_different_numbers_and_streams_differ() {
        for (count, limit) in [(5, 5), (3, 1000), (9, 4), (0, 3), (200, 1000)] {
            let mut drawn = Chance::new(1, 2).draw(count, limit);
            assert_eq!(drawn, Chance::new(1, 2).draw(count, limit));
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), count.min(limit));
            assert!(drawn.iter().all(|n| (*n as usize) < limit));
        }
        assert_ne!(Chance::new(1, 2).next(), Chance::new(1, 3).next());
    }
}
