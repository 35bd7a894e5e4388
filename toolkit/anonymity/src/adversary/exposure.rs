//! How exposed the persons of a release are to one adversary.

use crate::rate::{Rate, Z};
use serde::Serialize;

/// A mean with its 95 % interval (no width if all persons were looked at).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Mean {
    /// Of a sample of a population of so many.
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone, population: usize) -> Self {
        let n = values.clone().count();
        let mean = if n == 0 { 0.0 } else { values.clone().sum::<f64>() / n as f64 };
        let square: f64 = values.map(|v| (v - mean) * (v - mean)).sum();
        let half = if n < 2 || n >= population {
            0.0
        } else {
            let rest = 1.0 - n as f64 / population as f64;
            Z * (square / (n - 1) as f64 / n as f64 * rest).sqrt()
        };
        Self { value: mean, low: (mean - half).max(0.0), high: (mean + half).min(1.0) }
    }
}

/// Persons whose number of candidates is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// Fewest candidates.
    pub from: u64,
    /// Most candidates; none: no bound.
    pub to: Option<u64>,
    /// Persons.
    pub persons: u64,
}

const FROM: [u64; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 1_000, 10_000];

/// Counts of sizes; 0 is left out.
pub(crate) fn histogram(sizes: impl Iterator<Item = u64>) -> Vec<Bin> {
    let mut counts = [0_u64; FROM.len()];
    for size in sizes {
        if let Some(at) = FROM.partition_point(|from| *from <= size).checked_sub(1) {
            counts[at] += 1;
        }
    }
    let bins = FROM.iter().zip(counts).enumerate();
    bins.filter(|(_, (_, persons))| *persons > 0)
        .map(|(at, (from, persons))| Bin {
            from: *from,
            to: FROM.get(at + 1).map(|to| to - 1),
            persons,
        })
        .collect()
}

/// Persons named by a measurement: numbers of the holdings inside, which mean nothing outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cases {
    /// How many there are.
    pub count: u64,
    /// The first of them, ascending.
    pub persons: Vec<u32>,
}

/// Most persons that [`Cases`] lists.
pub const MOST_CASES: usize = 10_000;

impl Cases {
    pub(crate) fn of(mut persons: Vec<u32>) -> Self {
        persons.sort_unstable();
        persons.dedup();
        let count = persons.len() as u64;
        persons.truncate(MOST_CASES);
        Self { count, persons }
    }
}

/// What one adversary could do to the persons of a release.
///
/// The candidates of a person are the released records that may be his or hers by all the adversary knows. Where
/// knowledge is a part of something (two of the visits, one of the diagnoses), the *worst* part counts for the
/// prosecutor, for the histogram and for those singled out; `average` is over all parts. A person whose own record is
/// not among the candidates (it was changed) would be mistaken for another: no risk, counted as `misled`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exposure {
    /// Name of the adversary.
    pub adversary: String,
    /// What he knows, for a page.
    pub label_ja: String,
    /// Original persons with a released record.
    pub population: u64,
    /// Persons looked at.
    pub persons: u64,
    /// Released records.
    pub records: u64,
    /// All persons and all parts of the knowledge were looked at; else figures are estimates of a seeded sample, and
    /// `prosecutor` and `smallest` bounds from below and above.
    pub exact: bool,
    /// Fewest candidates of a person; 0 if there is no person with candidates.
    pub smallest: u64,
    /// Prosecutor (the target is known to be in the data): highest chance to be right about a person.
    pub prosecutor: f64,
    /// Journalist, if the population's size was given: as the prosecutor, with classes that are as many times larger
    /// as the population is larger than the release.
    pub journalist: Option<f64>,
    /// Marketer: expected share of persons found, with the worst part known of each.
    pub marketer: Mean,
    /// The same with any part known.
    pub average: Mean,
    /// Persons with one candidate, who is the right one.
    pub singled_out: Rate,
    /// Persons whose own record is never among the candidates.
    pub misled: u64,
    /// Persons by number of candidates.
    pub histogram: Vec<Bin>,
    /// Who is singled out.
    pub cases: Cases,
}

/// One person's outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) person: u32,
    /// Fewest candidates with the right one among them; 0: never among them.
    pub(crate) fewest: u64,
    /// Mean chance to be right.
    pub(crate) mean: f64,
}

impl Exposure {
    pub(crate) fn of(
        (adversary, label_ja): (&str, &str),
        (population, records): (usize, u32),
        outcomes: &[Outcome],
        exact: bool,
        people: Option<u64>,
    ) -> Self {
        let chance = |size: u64| if size == 0 { 0.0 } else { 1.0 / size as f64 };
        let smallest = outcomes.iter().map(|o| o.fewest).filter(|f| *f > 0).min().unwrap_or(0);
        let single: Vec<u32> =
            outcomes.iter().filter(|o| o.fewest == 1).map(|o| o.person).collect();
        let (found, persons) = (single.len() as u64, outcomes.len() as u64);
        let whole = persons == population as u64;
        Self {
            adversary: adversary.into(),
            label_ja: label_ja.into(),
            population: population as u64,
            persons,
            records: u64::from(records),
            exact,
            smallest,
            prosecutor: chance(smallest),
            journalist: people.map(|people| {
                let times = (people as f64 / f64::from(records.max(1))).max(1.0);
                chance(smallest) / times
            }),
            marketer: Mean::of(outcomes.iter().map(|o| chance(o.fewest)), population),
            average: Mean::of(outcomes.iter().map(|o| o.mean), population),
            singled_out: if whole { Rate::exact(found, persons) } else { Rate::of(found, persons) },
            misled: outcomes.iter().filter(|o| o.fewest == 0).count() as u64,
            histogram: histogram(outcomes.iter().map(|o| o.fewest)),
            cases: Cases::of(single),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_all_persons_with_candidates() {
        let bins = histogram([0, 1, 1, 9, 10, 19, 20, 50_000].into_iter());
        let bin = |from, to, persons| Bin { from, to, persons };
        assert_eq!(
            bins,
            [
                bin(1, Some(1), 2),
                bin(9, Some(9), 1),
                bin(10, Some(19), 2),
                bin(20, Some(49), 1),
                bin(10_000, None, 1)
            ]
        );
    }

    #[test]
    fn a_mean_of_all_has_no_width() {
        let all = Mean::of([0.0, 1.0].into_iter(), 2);
        assert!(all.high - all.low <= 0.0 && (all.value - 0.5).abs() < 1e-12);
        let some = Mean::of([0.0, 1.0, 0.0, 1.0].into_iter(), 100);
        assert!(some.low < 0.5 && some.high > 0.5);
    }
}
