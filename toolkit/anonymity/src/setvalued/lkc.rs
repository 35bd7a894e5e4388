//! LKC-privacy (Mohammed, Fung, Hung and Lee 2009): up to L known items, at least K persons, and no sensitive value
//! inferred with a confidence over C.

use super::check::limits;
use super::mine::{Counter, Miner, Place};
use super::{ItemSets, SetError};
use rayon::prelude::*;

/// Whether sets with a sensitive value per person are LKC-private.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LkcReport {
    /// True if all holds.
    pub holds: bool,
    /// Sets of up to L items that occur in fewer than K persons, while each of their parts occurs in at least K.
    pub below_k: u64,
    /// Sets of up to L items in at least K persons from which some sensitive value follows with more than C.
    pub over_c: u64,
    /// The highest confidence of those in at least K persons (the empty set included).
    pub highest_confidence: f64,
}

/// Largest share of one value, and the size it is a share of.
#[derive(Clone, Copy)]
struct Tally {
    over: u64,
    worst: (u32, u32),
}

fn worse(a: (u32, u32), b: (u32, u32)) -> (u32, u32) {
    let (left, right) = (u64::from(a.0) * u64::from(b.1), u64::from(b.0) * u64::from(a.1));
    if left >= right { a } else { b }
}

/// Check all sets of up to `l` items. `sensitive` is the value of each person; who has none counts as a person, but
/// towards no value.
///
/// # Errors
/// `l` is not in 1 to [`super::MOST_KNOWN`], `k` is 0, `c` is not in 0 to 1, or there is not a value per person.
pub fn check_lkc(
    sets: &ItemSets,
    sensitive: &[Option<u32>],
    l: usize,
    k: u32,
    c: f64,
) -> Result<LkcReport, SetError> {
    limits(k, l)?;
    if !(0.0..=1.0).contains(&c) {
        return Err(SetError::Range { parameter: "c" });
    }
    if sensitive.len() != sets.persons() as usize {
        let expected = sets.persons() as usize;
        return Err(SetError::Length { found: sensitive.len(), expected });
    }
    let (found, _) = Miner::new(sets, k).run(l, false);
    let below_k = found.iter().map(|violators| violators.supports.len() as u64).sum();
    let values = sensitive.iter().flatten().max().map_or(0, |most| *most as usize + 1);
    let miner = Miner::new(sets, k);
    let work = Walk { miner: &miner, sensitive, c };
    let all: Vec<Place> = (0..sets.persons()).map(|person| (person, 0)).collect();
    let whole = work.judge(&all, &mut vec![0; values]);
    let items = miner.original.len();
    let parts: Vec<Tally> = (0..items)
        .into_par_iter()
        .map_init(
            || (Counter::new(items), vec![0; values]),
            |(counter, counts), item| work.walk(miner.holders(item), l - 1, counter, counts),
        )
        .collect();
    let mut tally = if sets.persons() >= k { whole } else { Tally { over: 0, worst: (0, 1) } };
    for part in parts {
        tally.over += part.over;
        tally.worst = worse(tally.worst, part.worst);
    }
    Ok(LkcReport {
        holds: below_k == 0 && tally.over == 0,
        below_k,
        over_c: tally.over,
        highest_confidence: f64::from(tally.worst.0) / f64::from(tally.worst.1.max(1)),
    })
}

struct Walk<'a> {
    miner: &'a Miner,
    sensitive: &'a [Option<u32>],
    c: f64,
}

impl Walk<'_> {
    fn judge(&self, places: &[Place], counts: &mut [u32]) -> Tally {
        let value = |place: &Place| self.sensitive[place.0 as usize];
        let mut most = 0;
        for value in places.iter().filter_map(value) {
            counts[value as usize] += 1;
            most = most.max(counts[value as usize]);
        }
        for value in places.iter().filter_map(value) {
            counts[value as usize] = 0;
        }
        let size = places.len() as u32;
        Tally { over: u64::from(f64::from(most) > self.c * f64::from(size)), worst: (most, size) }
    }

    /// A set that occurs in at least k persons, and all that grow from it.
    fn walk(
        &self,
        places: &[Place],
        left: usize,
        counter: &mut Counter,
        counts: &mut [u32],
    ) -> Tally {
        let mut tally = self.judge(places, counts);
        if left == 0 {
            return tally;
        }
        for (_, own) in self.miner.split(places, counter) {
            if own.len() as u32 >= self.miner.k {
                let part = self.walk(&own, left - 1, counter, counts);
                tally.over += part.over;
                tally.worst = worse(tally.worst, part.worst);
            }
        }
        tally
    }
}
