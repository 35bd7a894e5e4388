//! Distributions of values as sketches of quantiles, and whether two of them may be one quantity in one unit.
//!
//! Enters: quantiles with counts, no single value of a person. Leaves: the distance of two sketches, and where a factor
//! explains a large one, which.

use crate::{
    exact::Rational,
    unit::{Analyte, Unit, factor_between},
};

/// The levels on which two sketches are compared.
const LEVELS: [f64; 11] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/// Fewer numeric values than this say nothing.
pub const FEWEST: u64 = 30;
/// 99.9 % point of the two-sample Kolmogorov-Smirnov statistic times sqrt(nm/(n+m)) (Smirnov 1948).
const CHANCE: f64 = 1.95;
/// Hospitals differ: a distance up to this is as good as none (a surgical and a paediatric ward, two generations of reagents).
const HOUSES_DIFFER: f64 = 0.25;
/// From here the two are different quantities or units.
const APART: f64 = 0.75;
/// A factor is looked for from this distance, has to leave no more than `EXPLAINED`, and to take away `GAIN`.
const SUSPICIOUS: f64 = 0.45;
const EXPLAINED: f64 = 0.2;
const GAIN: f64 = 0.35;

/// A summary of the values of one item at one holder.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    count: u64,
    persons: u64,
    texts: u64,
    /// Level (0 to 1) and value, both rising.
    quantiles: Vec<(f64, f64)>,
}

impl Distribution {
    /// A sketch: numeric values, persons, results that are text, and quantiles as (level, value). `None` unless there are two
    /// finite quantiles or more, with rising levels in 0 to 1 and values that do not fall.
    pub fn of_quantiles(
        count: u64,
        persons: u64,
        texts: u64,
        quantiles: &[(f64, f64)],
    ) -> Option<Self> {
        let rising = quantiles.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1);
        let sound =
            quantiles.iter().all(|(level, value)| (0.0..=1.0).contains(level) && value.is_finite());
        (quantiles.len() >= 2 && rising && sound).then(|| Self {
            count,
            persons,
            texts,
            quantiles: quantiles.to_vec(),
        })
    }

    /// A sketch of a histogram: rising edges, one more than counts; values spread evenly inside a bin.
    pub fn of_histogram(persons: u64, texts: u64, edges: &[f64], counts: &[u64]) -> Option<Self> {
        let total: u64 = counts.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n))?;
        if edges.len() != counts.len() + 1 || total == 0 {
            return None;
        }
        let mut below = 0_u64;
        let mut quantiles: Vec<(f64, f64)> = Vec::new();
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (level, value) in
                [(below as f64, edges[at]), ((below + count) as f64, edges[at + 1])]
            {
                let level = level / total as f64;
                // A gap between bins: the level stays, the value jumps; the later one is kept.
                match quantiles.last_mut().filter(|last| last.0 >= level) {
                    Some(last) => last.1 = value,
                    None => quantiles.push((level, value)),
                }
            }
            below += count;
        }
        Self::of_quantiles(total, persons, texts, &quantiles)
    }

    /// A sketch of values, for callers that hold them: quantiles at 1, 5, 10, 20 … 90, 95, 99 %.
    pub fn of_values(persons: u64, texts: u64, values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let quantiles: Vec<(f64, f64)> = std::iter::once(0.01)
            .chain(LEVELS)
            .chain(std::iter::once(0.99))
            .map(|level| (level, sorted[(level * last as f64).round() as usize]))
            .collect();
        Self::of_quantiles(sorted.len() as u64, persons, texts, &quantiles)
    }

    /// Numeric values.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Persons.
    pub const fn persons(&self) -> u64 {
        self.persons
    }

    /// Share of results that are text, 0 to 1.
    pub fn text_share(&self) -> f64 {
        let all = self.count + self.texts;
        if all == 0 { 0.0 } else { self.texts as f64 / all as f64 }
    }

    /// The quantiles: level (0 to 1) and value, both rising.
    pub fn quantiles(&self) -> &[(f64, f64)] {
        &self.quantiles
    }

    /// The median, by linear interpolation.
    pub fn median(&self) -> f64 {
        self.value(0.5)
    }

    /// The value at a level, by linear interpolation; the outermost quantile beyond the ends.
    fn value(&self, level: f64) -> f64 {
        interpolate(&self.quantiles, level, |q| (q.0, q.1))
    }

    /// The share of values up to `value`.
    fn share(&self, value: f64) -> f64 {
        let (first, last) = (self.quantiles[0], self.quantiles[self.quantiles.len() - 1]);
        if value < first.1 {
            return 0.0;
        }
        if value > last.1 {
            return 1.0;
        }
        // Among equal values (a detection limit) the middle of their levels.
        let upper = self.quantiles.partition_point(|q| q.1 <= value);
        let lower = self.quantiles.partition_point(|q| q.1 < value);
        if lower < upper {
            return f64::midpoint(self.quantiles[lower].0, self.quantiles[upper - 1].0);
        }
        interpolate(&self.quantiles, value, |q| (q.1, q.0))
    }

    fn scaled(&self, slope: f64, intercept: f64) -> Self {
        let quantiles = self.quantiles.iter().map(|(l, v)| (*l, v * slope + intercept)).collect();
        Self { quantiles, ..self.clone() }
    }

    /// The largest difference of the two distribution functions on the common levels: a Kolmogorov-Smirnov distance of
    /// sketches, 0 to 1.
    fn distance(&self, other: &Self) -> f64 {
        let one = |a: &Self, b: &Self| {
            LEVELS.iter().map(|l| (b.share(a.value(*l)) - l).abs()).fold(0.0, f64::max)
        };
        one(self, other).max(one(other, self))
    }
}

fn interpolate(points: &[(f64, f64)], at: f64, axis: impl Fn(&(f64, f64)) -> (f64, f64)) -> f64 {
    let upper = points.partition_point(|p| axis(p).0 < at);
    let Some(b) = points.get(upper) else { return axis(&points[points.len() - 1]).1 };
    let Some(a) = upper.checked_sub(1).map(|i| &points[i]) else { return axis(b).1 };
    let ((ax, ay), (bx, by)) = (axis(a), axis(b));
    if bx > ax { ay + (by - ay) * (at - ax) / (bx - ax) } else { by }
}

/// A factor that would explain why two distributions do not meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// What the local values would have to be multiplied by.
    pub factor: f64,
    /// `power-of-ten`, or the analyte whose chemistry has this factor.
    pub rule: String,
    /// The distance after the factor, 0 to 1.
    pub distance: f64,
}

/// What the comparison of two distributions says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Too few values on either side, or units that do not meet.
    Silent,
    /// They may be one quantity; the distance beyond chance and house differences, 0 to 1.
    Near {
        /// Distance beyond chance and house differences.
        distance: f64,
    },
    /// They cannot be the same quantity in the same unit, and a factor explains it: the unit is wrong.
    WrongUnit(Shift),
    /// They cannot be the same quantity, and no known factor explains it.
    Apart {
        /// Distance beyond chance and house differences.
        distance: f64,
    },
}

/// Compare a local item's values with those of an item that is mapped already. Units are converted by exact factors where
/// both are known (through the analyte where chemistry is needed), else values are compared as they are.
pub fn compare(
    local: &Distribution,
    local_unit: Option<&Unit>,
    known: &Distribution,
    known_unit: Option<&Unit>,
    analyte: Option<&'static Analyte>,
) -> Verdict {
    let (n, m) = (local.count as f64, known.count as f64);
    if local.count.min(known.count) < FEWEST {
        return Verdict::Silent;
    }
    let slope = match (local_unit, known_unit) {
        (Some(a), Some(b)) => match factor_between(a, b, analyte) {
            Some((factor, _)) => factor.to_f64(),
            None => return Verdict::Silent,
        },
        _ => 1.0,
    };
    let allowed = CHANCE.mul_add((1.0 / n + 1.0 / m).sqrt(), HOUSES_DIFFER);
    let beyond = |d: f64| ((d - allowed) / (1.0 - allowed).max(0.1)).clamp(0.0, 1.0);
    let here = local.scaled(slope, 0.0);
    let distance = here.distance(known);
    // A factor explains what house differences do not: it has to take most of the distance away. Powers of ten come first, and
    // chemistry wins only where it explains clearly better.
    let best = factors(analyte)
        .into_iter()
        .map(|(factor, rule)| {
            let distance = here.scaled(factor, 0.0).distance(known);
            Shift { factor, rule, distance }
        })
        .reduce(|best, next| if next.distance < best.distance - 0.03 { next } else { best })
        .filter(|shift| {
            distance - allowed > SUSPICIOUS - HOUSES_DIFFER
                && shift.distance <= EXPLAINED + (allowed - HOUSES_DIFFER)
                && distance - shift.distance >= GAIN
        });
    match best {
        Some(shift) => Verdict::WrongUnit(shift),
        None if distance - allowed < APART - HOUSES_DIFFER => {
            Verdict::Near { distance: beyond(distance) }
        }
        None => Verdict::Apart { distance: beyond(distance) },
    }
}

/// Factors by which units are confused: powers of ten, and the chemistry of the analyte (of all analytes where it is not
/// known) between mass and amount per volume, in the usual sizes.
fn factors(analyte: Option<&'static Analyte>) -> Vec<(f64, String)> {
    let mut all: Vec<(f64, String)> =
        (-6..=6).filter(|e| *e != 0).map(|e| (10_f64.powi(e), "power-of-ten".to_owned())).collect();
    let analytes = Analyte::all().iter().filter(|a| match analyte {
        Some(wanted) => *a == wanted,
        None => CONFUSED.contains(&a.key()),
    });
    for one in analytes {
        let Some(mass) = one.molar_mass().map(Rational::to_f64) else { continue };
        // mg/dL and mmol/L: mass / 10; mg/dL and umol/L: mass / 10000; g/dL and mmol/L: mass / 10000.
        for factor in [mass / 10.0, mass / 1e4] {
            all.push((factor, one.key().to_owned()));
            all.push((1.0 / factor, one.key().to_owned()));
        }
        if let Some(valence) = one.valence().map(Rational::to_f64).filter(|v| *v > 1.0) {
            all.push((valence, one.key().to_owned()));
            all.push((1.0 / valence, one.key().to_owned()));
            all.push((mass / 10.0 / valence, one.key().to_owned()));
            all.push((valence * 10.0 / mass, one.key().to_owned()));
        }
    }
    all
}

/// Analytes whose units are confused in practice; tried where the item's analyte is not known.
const CONFUSED: [&str; 7] = [
    "glucose",
    "cholesterol",
    "triglyceride",
    "creatinine",
    "urea-nitrogen",
    "bilirubin",
    "calcium",
];
