//! Chance as a parameter: one seed, a stream of its own for every purpose and every record.
//!
//! Enters: a seed of 32 bytes. Leaves: streams of ChaCha20 (RFC 8439). The stream of a record follows from the seed
//! and the record's key alone, so that a result depends neither on the order of the rows nor on the number of
//! threads, and a person with several rows meets the same chance in each of them.
//!
//! The seed is a secret: who knows it can draw the same numbers and take noise off again.

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// A source of streams.
#[derive(Clone)]
pub struct Chance {
    seed: [u8; 32],
}

impl core::fmt::Debug for Chance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Chance")
    }
}

/// What tells records apart.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// The number of the row: each row has its own chance, which moves with its place.
    Rows,
    /// A key per row, e.g. the person: rows of one key share their chance, wherever they stand.
    Of(&'a [&'a str]),
}

impl Chance {
    /// From 32 secret bytes.
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    /// From a number, for tests and repeatable trials; not for secrets.
    pub fn numbered(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self { seed: Sha256::digest(seed).into() }
    }

    fn derive(&self, kind: u8, text: &[u8]) -> [u8; 32] {
        // The seed has a fixed length and the digest is never shown: no extension is possible.
        Sha256::new()
            .chain_update(self.seed)
            .chain_update([kind])
            .chain_update(text)
            .finalize()
            .into()
    }

    /// An independent source for one purpose, e.g. a column and a method.
    pub fn apart(&self, purpose: &str) -> Self {
        Self { seed: self.derive(0, purpose.as_bytes()) }
    }

    /// The one stream of this source.
    pub fn stream(&self) -> Stream {
        Stream(ChaCha20Rng::from_seed(self.derive(1, &[])))
    }

    /// The stream of a record by its key.
    pub fn of(&self, key: &str) -> Stream {
        Stream(ChaCha20Rng::from_seed(self.derive(2, key.as_bytes())))
    }

    /// The stream of a row by its number.
    pub fn at(&self, row: u64) -> Stream {
        let mut stream = ChaCha20Rng::from_seed(self.seed);
        stream.set_stream(row);
        Stream(stream)
    }

    pub(crate) fn record(&self, keys: Keys<'_>, row: usize) -> Stream {
        match keys {
            Keys::Rows => self.at(row as u64),
            Keys::Of(keys) => self.of(keys[row]),
        }
    }
}

/// A stream of random bits.
#[derive(Clone)]
pub struct Stream(ChaCha20Rng);

impl core::fmt::Debug for Stream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    /// 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number below `bound`, each equally likely (exactly; 0 if `bound` is 0).
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        // Multiply and reject (Lemire 2019).
        let least = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            if product as u64 >= least {
                return (product >> 64) as u64;
            }
        }
    }

    /// As [`Self::below`], for bounds over 64 bits.
    pub(crate) fn below_wide(&mut self, bound: u128) -> u128 {
        if let Ok(bound) = u64::try_from(bound) {
            return u128::from(self.below(bound));
        }
        let mask = u128::MAX >> (bound - 1).leading_zeros();
        loop {
            let drawn = (u128::from(self.word()) << 64 | u128::from(self.word())) & mask;
            if drawn < bound {
                return drawn;
            }
        }
    }

    /// One of the 2^53 numbers k / 2^53 in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A standard normal number (Marsaglia and Bray 1964). Not for differential privacy.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// Put into random order, each equally likely.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let chance = Chance::numbered(7);
        let first = |mut stream: Stream| stream.word();
        assert_eq!(first(chance.of("a")), first(chance.of("a")));
        assert_ne!(first(chance.of("a")), first(chance.of("b")));
        assert_ne!(first(chance.apart("x").at(1)), first(chance.apart("y").at(1)));
        assert_ne!(first(chance.at(1)), first(chance.at(2)));
        assert_ne!(first(chance.stream()), first(Chance::numbered(8).stream()));
        assert_eq!(format!("{chance:?}"), "Chance");
    }

    #[test]
    fn numbers_below_a_bound_are_even() {
        let mut stream = Chance::numbered(1).stream();
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[stream.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|n| n.abs_diff(10_000) < 400), "{seen:?}");
        let bound = 3_u128 << 70;
        assert!((0..100).all(|_| stream.below_wide(bound) < bound));
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut stream = Chance::numbered(2).stream();
        let drawn: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let square = drawn.iter().map(|x| x * x).sum::<f64>() / 1e5;
        let fourth = drawn.iter().map(|x| x.powi(4)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.015 && (square - 1.0).abs() < 0.02 && (fourth - 3.0).abs() < 0.15);
    }
}
