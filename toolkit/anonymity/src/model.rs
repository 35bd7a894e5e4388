//! Privacy models: what a class, or all classes together, must fulfil.
//!
//! Enters: the models of a release. Leaves: a verdict per class. Refuses: parameters out of range and sensitive
//! attributes the table lacks.

use crate::table::Table;
use std::sync::Arc;

/// How far apart two sensitive values are, for t-closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// All values are equally far apart (variational distance).
    Equal,
    /// Level of the lowest common ancestor, divided by the height of the hierarchy.
    Hierarchical,
    /// Ranks of the values: numbers by size, other text by its characters.
    Ordered,
}

/// A privacy model. `attribute` names a sensitive attribute of the table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Model {
    /// Every class has at least `k` records (Sweeney 2002).
    KAnonymity {
        /// Smallest class.
        k: u32,
    },
    /// Every class has at least `k` records in the given population (Sweeney 2001).
    KMap {
        /// Smallest class of the population.
        k: u32,
    },
    /// k-map with an estimated population: the smallest sample class that a population class below `k` reaches
    /// with a probability under `significance`, Poisson estimate D3 of El Emam and Dankar 2008 (Pannekoek 1999).
    KMapEstimated {
        /// Smallest class of the population.
        k: u32,
        /// Persons in the population.
        population: u64,
        /// Accepted probability of an error.
        significance: f64,
    },
    /// At least `l` different sensitive values per class (Machanavajjhala 2007).
    DistinctDiversity {
        /// Sensitive attribute.
        attribute: String,
        /// Smallest number of values.
        l: u32,
    },
    /// Entropy of the sensitive values of at least log `l` per class (Machanavajjhala 2007).
    EntropyDiversity {
        /// Sensitive attribute.
        attribute: String,
        /// Smallest effective number of values.
        l: f64,
    },
    /// The commonest value occurs less than `c` times as often as all from the `l`-th commonest on together
    /// (Machanavajjhala 2007).
    RecursiveDiversity {
        /// Sensitive attribute.
        attribute: String,
        /// Factor.
        c: f64,
        /// Rank from which values are summed.
        l: u32,
    },
    /// The distribution in each class is at most `t` away from that of the table (Li 2007).
    Closeness {
        /// Sensitive attribute.
        attribute: String,
        /// Largest distance.
        t: f64,
        /// Ground distance.
        distance: Distance,
    },
    /// The probability that a member of the population is in the table is between `min` and `max` (Nergiz 2007).
    DeltaPresence {
        /// Smallest probability.
        min: f64,
        /// Largest probability.
        max: f64,
    },
    /// |log2(p/q)| < `delta` for each value of a class, p its share in the class, q in the table (Brickell 2008).
    DeltaDisclosure {
        /// Sensitive attribute.
        attribute: String,
        /// Bound.
        delta: f64,
    },
    /// (p - q)/q at most `beta`; enhanced: at most min(`beta`, -ln q) (Cao and Karras 2012).
    BetaLikeness {
        /// Sensitive attribute.
        attribute: String,
        /// Bound.
        beta: f64,
        /// The enhanced variant.
        enhanced: bool,
    },
    /// Classes per record, suppressed ones apart, at most `threshold`; the smallest classes are suppressed until
    /// it holds.
    AverageRisk {
        /// Largest average risk.
        threshold: f64,
    },
    /// Share of records that are unique, suppressed ones apart, at most `threshold`; classes are suppressed as for
    /// the average risk.
    SampleUniqueness {
        /// Largest share.
        threshold: f64,
    },
}

/// A test of one class by the counts of one sensitive attribute.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Distinct(u32),
    Entropy(f64),
    Recursive { c: f64, l: usize },
    Equal(f64),
    Hierarchical { t: f64, tree: Arc<Tree> },
    Ordered { t: f64, rank: Arc<Vec<u32>> },
    Disclosure(f64),
    Beta { beta: f64, enhanced: bool },
    Presence { min: f64, max: f64 },
    MapAtLeast(u32),
}

/// Parents of the leaves and inner nodes of a hierarchy, level by level.
#[derive(Debug)]
pub(crate) struct Tree {
    /// For each level but the root: the parent, one level up, of each label.
    up: Vec<Vec<u32>>,
    labels: Vec<usize>,
}

/// A condition on all kept classes together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whole {
    AverageRisk(f64),
    Uniqueness(f64),
}

/// Models made ready for one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compiled {
    /// Every class needs so many records.
    pub(crate) k: u32,
    /// Tests, with the distribution they look at.
    pub(crate) tests: Vec<(usize, Test)>,
    pub(crate) whole: Vec<Whole>,
    /// Number of values of each distribution.
    pub(crate) values: Vec<usize>,
    /// Occurrences of each value of each distribution in the table, and their sum.
    pub(crate) totals: Vec<(Vec<u32>, u64)>,
}

impl Model {
    /// Short name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KAnonymity { .. } => "k-anonymity",
            Self::KMap { .. } | Self::KMapEstimated { .. } => "k-map",
            Self::DistinctDiversity { .. } => "distinct l-diversity",
            Self::EntropyDiversity { .. } => "entropy l-diversity",
            Self::RecursiveDiversity { .. } => "recursive (c,l)-diversity",
            Self::Closeness { .. } => "t-closeness",
            Self::DeltaPresence { .. } => "delta-presence",
            Self::DeltaDisclosure { .. } => "delta-disclosure privacy",
            Self::BetaLikeness { .. } => "beta-likeness",
            Self::AverageRisk { .. } => "average risk",
            Self::SampleUniqueness { .. } => "sample uniqueness",
        }
    }

    /// True if the model holds for a table put together from parts that fulfil it, each class in one part.
    pub fn supports_local_recoding(&self) -> bool {
        !matches!(
            self,
            Self::KMap { .. } | Self::DeltaPresence { .. } | Self::SampleUniqueness { .. }
        )
    }

    fn check(&self) -> Result<(), ModelError> {
        let model = self.name();
        let range = |ok: bool, parameter| {
            if ok { Ok(()) } else { Err(ModelError::Range { model, parameter }) }
        };
        let share = |value: f64| (0.0..=1.0).contains(&value);
        match self {
            Self::KAnonymity { k } | Self::KMap { k } => range(*k >= 1, "k"),
            Self::KMapEstimated { k, population, significance } => {
                range(*k >= 1, "k")?;
                range(*population >= 1, "population")?;
                range(*significance > 0.0 && *significance < 1.0, "significance")
            }
            Self::DistinctDiversity { l, .. } => range(*l >= 1, "l"),
            Self::EntropyDiversity { l, .. } => range(*l >= 1.0 && l.is_finite(), "l"),
            Self::RecursiveDiversity { c, l, .. } => {
                range(*c > 0.0 && c.is_finite(), "c")?;
                range(*l >= 1, "l")
            }
            Self::Closeness { t, .. } => range(share(*t), "t"),
            Self::DeltaPresence { min, max } => {
                range(share(*min), "min")?;
                range(share(*max) && min <= max, "max")
            }
            Self::DeltaDisclosure { delta, .. } => range(*delta > 0.0, "delta"),
            Self::BetaLikeness { beta, .. } => range(*beta > 0.0, "beta"),
            Self::AverageRisk { threshold } | Self::SampleUniqueness { threshold } => {
                range(share(*threshold), "threshold")
            }
        }
    }
}

/// The sample class size below which a population class smaller than `k` stays likely: Poisson estimate D3.
pub fn estimated_map(k: u32, rows: u64, population: u64, significance: f64) -> u32 {
    let lambda = f64::from(k) * rows as f64 / population as f64;
    let mut term = (-lambda).exp();
    let mut sum = 0.0;
    let mut count = 0_u32;
    while sum < 1.0 - significance && count < k {
        sum += term;
        count += 1;
        term *= lambda / f64::from(count);
    }
    (count + 1).min(k)
}

impl Compiled {
    pub(crate) fn new(models: &[Model], table: &Table) -> Result<Self, ModelError> {
        if models.is_empty() {
            return Err(ModelError::None);
        }
        let mut compiled = Self { k: 1, ..Self::default() };
        for sensitive in &table.sensitive {
            compiled.values.push(sensitive.values.len());
            compiled.totals.push((sensitive.totals.clone(), table.rows));
        }
        if table.population.is_some() {
            compiled.values.push(2);
            compiled.totals.push((Vec::new(), 0));
        }
        for model in models {
            model.check()?;
            compiled.add(model, table)?;
        }
        Ok(compiled)
    }

    fn add(&mut self, model: &Model, table: &Table) -> Result<(), ModelError> {
        let find = |attribute: &String| {
            table
                .sensitive
                .iter()
                .position(|s| s.name == *attribute)
                .ok_or_else(|| ModelError::Sensitive { attribute: attribute.clone() })
        };
        let population = || table.population.ok_or(ModelError::Population { model: model.name() });
        match model {
            Model::KAnonymity { k } => self.k = self.k.max(*k),
            Model::KMapEstimated { k, population, significance } => {
                let k = estimated_map(*k, table.rows, *population, *significance);
                self.k = self.k.max(k);
            }
            Model::KMap { k } => self.tests.push((population()?, Test::MapAtLeast(*k))),
            Model::DeltaPresence { min, max } => {
                self.tests.push((population()?, Test::Presence { min: *min, max: *max }));
            }
            Model::DistinctDiversity { attribute, l } => {
                self.k = self.k.max(*l);
                self.tests.push((find(attribute)?, Test::Distinct(*l)));
            }
            Model::EntropyDiversity { attribute, l } => {
                // Entropy log l needs at least l values, hence l records.
                let least = l.ceil() as u32;
                self.k = self.k.max(least);
                let at = find(attribute)?;
                self.tests.push((at, Test::Distinct(least)));
                self.tests.push((at, Test::Entropy(*l)));
            }
            Model::RecursiveDiversity { attribute, c, l } => {
                self.k = self.k.max(*l);
                let at = find(attribute)?;
                self.tests.push((at, Test::Distinct(*l)));
                self.tests.push((at, Test::Recursive { c: *c, l: *l as usize }));
            }
            Model::Closeness { attribute, t, distance } => {
                let at = find(attribute)?;
                let sensitive = &table.sensitive[at];
                let test = match distance {
                    Distance::Equal => Test::Equal(*t),
                    Distance::Ordered => {
                        Test::Ordered { t: *t, rank: Arc::new(order(&sensitive.values)) }
                    }
                    Distance::Hierarchical => {
                        let hierarchy = sensitive.hierarchy.as_ref().ok_or_else(|| {
                            ModelError::Hierarchy { attribute: attribute.clone() }
                        })?;
                        let levels = hierarchy.levels();
                        let tree = Tree {
                            up: (1..levels).map(|up| hierarchy.step(up - 1, up)).collect(),
                            labels: (0..levels).map(|level| hierarchy.labels(level)).collect(),
                        };
                        Test::Hierarchical { t: *t, tree: Arc::new(tree) }
                    }
                };
                self.tests.push((at, test));
            }
            Model::DeltaDisclosure { attribute, delta } => {
                self.tests.push((find(attribute)?, Test::Disclosure(*delta)));
            }
            Model::BetaLikeness { attribute, beta, enhanced } => {
                let test = Test::Beta { beta: *beta, enhanced: *enhanced };
                self.tests.push((find(attribute)?, test));
            }
            Model::AverageRisk { threshold } => self.whole.push(Whole::AverageRisk(*threshold)),
            Model::SampleUniqueness { threshold } => self.whole.push(Whole::Uniqueness(*threshold)),
        }
        Ok(())
    }
}

/// Values in ascending order: as numbers if all are, else as text.
fn order(values: &[Box<str>]) -> Vec<u32> {
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.trim().parse().ok()).collect();
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    match numbers {
        Some(numbers) => {
            order.sort_by(|a, b| numbers[*a as usize].total_cmp(&numbers[*b as usize]));
        }
        None => order.sort_by(|a, b| values[*a as usize].cmp(&values[*b as usize])),
    }
    order
}

mod class_test;
mod error;

pub(crate) use class_test::Class;
pub use error::ModelError;
