//! Seeded chance: one independent stream per purpose and index, so that a person's values depend on
//! nothing but the seed and the person's place. Only integer and basic float arithmetic is used, so
//! that the bytes do not depend on the machine. The generator is SplitMix64: good enough for made-up
//! people, and a stream costs nothing to open. Never for secrets.

/// What a stream is for; two purposes never share numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    Households = 1,
    House,
    Person,
    Health,
    Checkup,
    Coverage,
    Standing,
    Links,
    Death,
    Specialist,
    Numbers,
    ListHousehold,
    ListLife,
    ListRecord,
    ListSource,
    ListOrder,
    ListHard,
    Predecessor,
}

/// All streams of one purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    key: u64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Streams {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        Self { key: mix(mix(seed.wrapping_add(STEP)) ^ (purpose as u64).wrapping_mul(STEP)) }
    }

    pub(crate) fn of(&self, index: u64) -> Chance {
        Chance { state: mix(self.key ^ mix(index.wrapping_add(STEP))) }
    }
}

/// SplitMix64's finisher.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number in `0..n` (n > 0; the bias of 2^-32 does not matter here).
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        (((self.number() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number in `from..=to`.
    pub(crate) fn between(&mut self, from: i32, to: i32) -> i32 {
        if to <= from { from } else { from + self.below((to - from + 1) as u32) as i32 }
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.number() >> 32) as f64 / 4_294_967_296.0
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// About normal: mean 0, deviation 1, never beyond 3.5. The sum of four uniform numbers, because
    /// logarithms and cosines differ between machines.
    pub(crate) fn normal(&mut self) -> f64 {
        let bits = self.number();
        let sum: u64 = (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum();
        (sum as f64 / 65_536.0 - 2.0) * 1.732_050_8
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u32) as usize]
    }
}

/// A one-to-one shuffling of `0..size` without memory: an affine map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shuffle {
    size: u64,
    factor: u64,
    offset: u64,
}

impl Shuffle {
    pub(crate) fn new(size: u64, chance: &mut Chance) -> Self {
        let size = size.max(1);
        let mut factor = (chance.number() % size).max(1);
        while gcd(factor, size) != 1 {
            factor = factor % size + 1;
        }
        Self { size, factor, offset: chance.number() % size }
    }

    pub(crate) fn at(&self, index: u64) -> u64 {
        let wide = u128::from(index) * u128::from(self.factor) + u128::from(self.offset);
        (wide % u128::from(self.size)) as u64
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_shuffle_meets_every_number_once() {
        for size in [1, 2, 7, 10, 1000, 5000] {
            let shuffle = Shuffle::new(size, &mut Streams::new(9, Purpose::Numbers).of(size));
            let seen: HashSet<u64> = (0..size).map(|i| shuffle.at(i)).collect();
            assert_eq!(seen.len() as u64, size);
            assert!(seen.iter().all(|n| *n < size));
        }
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let draw = |seed, purpose, index| Streams::new(seed, purpose).of(index).number();
        let first = draw(1, Purpose::House, 1);
        assert_eq!(first, draw(1, Purpose::House, 1));
        assert_ne!(first, draw(2, Purpose::House, 1));
        assert_ne!(first, draw(1, Purpose::Person, 1));
        assert_ne!(first, draw(1, Purpose::House, 2));
    }

    #[test]
    fn normal_has_mean_zero_and_deviation_one() {
        let mut chance = Streams::new(5, Purpose::Health).of(0);
        let draws: Vec<f64> = (0..100_000).map(|_| chance.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02);
    }
}
