//! Privacy models: what a class, or all classes together, must fulfil.
//!
//! Enters: the models of a release. Leaves: a verdict per class. Refuses: parameters out of range and sensitive
//! attributes the table lacks.

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

/// Which estimate of population uniqueness a model asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The rule of Dankar et al. 2012: Pitman up to a sampling fraction of 0.1, else the smaller of SNB and Zayatz.
    Dankar,
    /// Pitman's sampling formula (Hoshino 2001).
    Pitman,
    /// Zayatz 1991.
    Zayatz,
    /// Shifted negative binomial (Chen and Keller-McNulty 1998).
    Snb,
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
    /// Estimated share of the population that is unique at most `threshold`; unique records are suppressed until it
    /// holds. An estimate that does not converge does not fulfil the condition. Once no kept record is unique it holds
    /// without an estimate: a class of the population has at least the members of its class in the sample.
    PopulationUniqueness {
        /// Largest share.
        threshold: f64,
        /// Persons in the population the table is a sample of; at least as many as the table has rows.
        population: u64,
        /// The estimate.
        rule: Rule,
    },
}

/// A test of one class by the counts of one sensitive attribute.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Distinct(u32),
    Entropy { l: f64, products: Products },
    Recursive { c: f64, l: usize },
    Equal(f64),
    Hierarchical { t: f64, tree: Arc<Tree> },
    Ordered { t: f64, rank: Arc<Vec<u32>> },
    Disclosure(f64),
    Beta { beta: f64, enhanced: bool },
    Presence { min: f64, max: f64 },
    MapAtLeast(u32),
}

/// A hierarchy of sensitive values without its root: all nodes, those of the lowest level first.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Levels without the root.
    height: usize,
    /// Nodes of the lowest level.
    leaves: usize,
    /// For each leaf the node above it at each level, itself first.
    path: Vec<u32>,
    /// Rows of the table under each node.
    totals: Vec<f64>,
    /// Their shares.
    shares: Vec<f64>,
}

/// A condition on all kept classes together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whole {
    AverageRisk(f64),
    Uniqueness(f64),
    Population { threshold: f64, population: u64, rule: Rule },
}

/// Models made ready for one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compiled {
    /// Every class needs so many records: fewer fail a model, whatever they are.
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
            Self::PopulationUniqueness { .. } => "population uniqueness",
        }
    }

    /// True if the model holds for a table put together from parts that fulfil it, each class in one part.
    pub fn supports_local_recoding(&self) -> bool {
        !matches!(
            self,
            Self::KMap { .. }
                | Self::DeltaPresence { .. }
                | Self::SampleUniqueness { .. }
                | Self::PopulationUniqueness { .. }
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
            Self::DeltaDisclosure { delta, .. } => {
                range(*delta > 0.0 && delta.is_finite(), "delta")
            }
            Self::BetaLikeness { beta, .. } => range(*beta > 0.0 && beta.is_finite(), "beta"),
            Self::PopulationUniqueness { threshold, population, .. } => {
                range(share(*threshold), "threshold")?;
                range(*population >= 1, "population")
            }
            Self::AverageRisk { threshold } | Self::SampleUniqueness { threshold } => {
                range(share(*threshold), "threshold")
            }
        }
    }
}

mod class_test;
mod compile;
mod error;
mod least;

use class_test::Products;
pub(crate) use class_test::{Buffer, Class};
pub use compile::estimated_map;
pub use error::ModelError;
