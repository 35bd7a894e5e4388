//! How wrong the links are, without a truth: people judge a sample drawn in strata of the score.
//!
//! The plan draws more where the model is unsure (Neyman's allocation: size times standard deviation); the estimate
//! weighs each stratum by its size (Cochran 1977, chapter 5), its interval lies on the log-odds scale so that it never
//! leaves 0 to 1. Pairs that were never compared are outside: recall is among those compared.

use serde::Serialize;

use crate::{
    list::{hash_bytes, mix},
    review::probability,
    tool::Run,
};

/// A value with what it may be at 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The estimate.
    pub value: f64,
    /// Upper end.
    pub high: f64,
}

/// Pairs of like score, on one side of the decision.
#[derive(Clone, PartialEq)]
pub struct Stratum {
    /// Lowest score, log2 odds.
    pub from: f64,
    /// Are the pairs inside persons?
    pub linked: bool,
    /// How many pairs it has.
    pub pairs: u64,
    /// What the model expects of them to be of one person, as a share.
    pub expected: f64,
    /// The pairs to be judged, by record ids, in the order of chance.
    pub sample: Vec<(String, String)>,
}

impl std::fmt::Debug for Stratum {
    /// Never a record's id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stratum(from {}, {} pairs)", self.from, self.pairs)
    }
}

/// What people are to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplePlan {
    /// Strata, the lowest scores first, those outside persons before those inside.
    pub strata: Vec<Stratum>,
}

/// What people found of a stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Pairs of the stratum.
    pub pairs: u64,
    /// Are they inside persons?
    pub linked: bool,
    /// How many of them were judged.
    pub judged: u64,
    /// How many of those are of one person.
    pub same: u64,
}

/// Precision and recall of the links.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Share of the linked pairs that are of one person.
    pub precision: Interval,
    /// Share of the pairs of one person, among all strata, that are linked.
    pub recall: Interval,
    /// Pairs judged.
    pub judged: u64,
}

/// At least so many pairs of a stratum are judged.
const LEAST: u64 = 10;
/// Lowest scores of the strata.
const CUTS: [f64; 9] = [f64::NEG_INFINITY, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 11.0, 15.0];

/// Draws a plan: `most` pairs or a few more. `pairs` are (one, other, score, linked); the same pairs and seed give the
/// same plan, in whatever order they come.
pub fn plan(pairs: &[(String, String, f64, bool)], most: u64, seed: u64) -> SamplePlan {
    let mut strata: Vec<(f64, bool, Vec<usize>)> = [false, true]
        .into_iter()
        .flat_map(|linked| CUTS.map(|from| (from, linked, Vec::new())))
        .collect();
    for (i, (_, _, score, linked)) in pairs.iter().enumerate() {
        let cut = CUTS.partition_point(|c| c <= score).saturating_sub(1);
        strata[cut + usize::from(*linked) * CUTS.len()].2.push(i);
    }
    strata.retain(|s| !s.2.is_empty());
    let chance = |i: usize| {
        let (a, b) = (&pairs[i].0, &pairs[i].1);
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let text = |t: &str| hash_bytes(t.as_bytes());
        (mix(mix(seed, text(a)), text(b)), a, b)
    };
    // the order of chance is that of sums, too
    for (_, _, of) in &mut strata {
        of.sort_by_cached_key(|i| chance(*i));
    }
    let expected =
        |of: &[usize]| of.iter().map(|i| probability(pairs[*i].2)).sum::<f64>() / of.len() as f64;
    // the model may be too sure: no stratum counts as surer than one in fifty
    let spread = |of: &[usize]| {
        let p = expected(of).clamp(0.02, 0.98);
        of.len() as f64 * (p * (1.0 - p)).sqrt()
    };
    let all: f64 = strata.iter().map(|s| spread(&s.2)).sum();
    let strata = strata
        .into_iter()
        .map(|(from, linked, of)| {
            let share = (most as f64 * spread(&of) / all).round() as u64;
            let size = share.max(LEAST).min(of.len() as u64);
            let drawn = of.iter().take(size as usize).map(|i| {
                let (_, a, b) = chance(*i);
                (a.clone(), b.clone())
            });
            Stratum {
                from,
                linked,
                pairs: of.len() as u64,
                expected: expected(&of),
                sample: drawn.collect(),
            }
        })
        .collect();
    SamplePlan { strata }
}

impl Run {
    /// A plan for the pairs worth looking at of this run.
    pub fn sample_plan(&self, most: u64, seed: u64) -> SamplePlan {
        let state = self.state();
        let pairs: Vec<(String, String, f64, bool)> = state
            .pairs
            .iter()
            .map(|(a, b, score)| {
                let linked = state.person[*a as usize] == state.person[*b as usize];
                (state.id_text(*a), state.id_text(*b), f64::from(*score), linked)
            })
            .collect();
        plan(&pairs, most, seed)
    }
}

/// A total over strata with its variance.
#[derive(Clone, Copy, Default)]
struct Total {
    value: f64,
    variance: f64,
}

impl Total {
    fn add(&mut self, a: &Answer) {
        if a.judged == 0 {
            // nothing is known of it: it may be anything
            self.value += a.pairs as f64 / 2.0;
            self.variance += (a.pairs as f64).powi(2) / 12.0;
            return;
        }
        let (n, all) = (a.judged as f64, a.pairs as f64);
        self.value += all * a.same as f64 / n;
        // a sample without a failure is no proof: Agresti and Coull's share for the spread
        let p = (a.same as f64 + 1.0) / (n + 2.0);
        let finite = ((all - n) / all).max(0.0);
        self.variance += all * all * p * (1.0 - p) / (n + 2.0) * finite;
    }
}

/// The interval of a share from its value and variance, on the log-odds scale.
fn interval(value: f64, variance: f64, size: f64) -> Interval {
    const Z: f64 = 1.959_963_984_540_054;
    if !value.is_finite() {
        return Interval { low: 0.0, value, high: 1.0 };
    }
    if variance <= 0.0 {
        return Interval { low: value, value, high: value };
    }
    let inner = value.clamp(0.5 / (size + 1.0), 1.0 - 0.5 / (size + 1.0));
    let centre = (inner / (1.0 - inner)).ln();
    let half = Z * variance.sqrt() / (inner * (1.0 - inner));
    // at an end the log-odds scale says nothing: the plain interval bounds it there
    let plain = Z * variance.sqrt();
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    let low = back(centre - half).min(value).max(value - 3.0 * plain);
    let high = back(centre + half).max(value).min(value + 3.0 * plain);
    Interval { low: low.max(0.0), value, high: high.min(1.0) }
}

/// Precision and recall from the answers, one per stratum.
pub fn estimate(answers: &[Answer]) -> Estimate {
    let (mut inside, mut outside, mut linked) = (Total::default(), Total::default(), 0.0);
    let (mut judged_in, mut judged) = (0, 0);
    for a in answers {
        judged += a.judged;
        if a.linked {
            inside.add(a);
            linked += a.pairs as f64;
            judged_in += a.judged;
        } else {
            outside.add(a);
        }
    }
    let precision =
        interval(inside.value / linked, inside.variance / (linked * linked), judged_in as f64);
    let all = inside.value + outside.value;
    let recall = inside.value / all;
    // the delta method for a ratio of independent totals
    let variance = ((outside.value / (all * all)).powi(2) * inside.variance)
        + ((inside.value / (all * all)).powi(2) * outside.variance);
    Estimate { precision, recall: interval(recall, variance, judged as f64), judged }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(state: &mut u64) -> f64 {
        *state = mix(*state, 77);
        (*state >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One, other, score, linked, of one person.
    type Judged = (String, String, f64, bool, bool);

    /// 3,000 pairs whose true probabilities are worse than the model says.
    fn world(seed: u64) -> Vec<Judged> {
        let mut dice = seed;
        (0..3000)
            .map(|i| {
                let score = next(&mut dice) * 24.0 - 4.0;
                let linked = score > 0.5 || (score > -1.0 && next(&mut dice) < 0.3);
                let same = next(&mut dice) < probability(score * 0.7);
                (format!("a{i}"), format!("b{i}"), score, linked, same)
            })
            .collect()
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        let (mut covered, mut runs) = ([0, 0], 0);
        for seed in 1..200 {
            let world = world(seed);
            let pairs: Vec<(String, String, f64, bool)> =
                world.iter().map(|w| (w.0.clone(), w.1.clone(), w.2, w.3)).collect();
            let plan = plan(&pairs, 300, seed);
            let answers: Vec<Answer> = plan
                .strata
                .iter()
                .map(|s| {
                    let same = |(a, _): &(String, String)| {
                        world[a[1..].parse::<usize>().expect("a number")].4
                    };
                    Answer {
                        pairs: s.pairs,
                        linked: s.linked,
                        judged: s.sample.len() as u64,
                        same: s.sample.iter().filter(|p| same(p)).count() as u64,
                    }
                })
                .collect();
            let found = estimate(&answers);
            assert!((290..420).contains(&found.judged), "{}", found.judged);
            let count = |of: &dyn Fn(&&Judged) -> bool| world.iter().filter(of).count() as f64;
            let both = count(&|w| w.3 && w.4);
            let truth = [both / count(&|w| w.3), both / count(&|w| w.4)];
            for (hit, (t, i)) in
                covered.iter_mut().zip(truth.iter().zip([found.precision, found.recall]))
            {
                *hit += usize::from(i.low <= *t && *t <= i.high);
                assert!(i.low <= i.value && i.value <= i.high && i.high - i.low < 0.2);
            }
            runs += 1;
        }
        for hit in covered {
            let share = f64::from(u32::try_from(hit).expect("few")) / f64::from(runs);
            assert!((0.92..=1.0).contains(&share), "{share}");
        }
    }

    #[test]
    fn a_plan_is_the_same_in_any_order_and_judging_all_is_exact() {
        let pairs: Vec<(String, String, f64, bool)> =
            world(5).into_iter().map(|w| (w.0, w.1, w.2, w.3)).collect();
        let mut turned = pairs.clone();
        turned.reverse();
        assert_eq!(plan(&pairs, 100, 3), plan(&turned, 100, 3));
        assert_ne!(plan(&pairs, 100, 3), plan(&pairs, 100, 4));
        let all = [
            Answer { pairs: 40, linked: true, judged: 40, same: 38 },
            Answer { pairs: 20, linked: false, judged: 20, same: 2 },
        ];
        let e = estimate(&all);
        assert_eq!((e.precision.low, e.precision.value, e.precision.high), (0.95, 0.95, 0.95));
        assert!((e.recall.value - 0.95).abs() < 1e-12);
        let none = estimate(&[Answer { pairs: 40, linked: true, judged: 0, same: 0 }]);
        assert!(none.precision.low < 0.1 && none.precision.high > 0.9);
    }
}
