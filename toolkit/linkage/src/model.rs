//! The model: what each class of pairs makes of each level, and the weight of a pair.
//!
//! Pairs of records are of eight classes: one person whose circumstances stayed, one person who moved or changed
//! insurer or name, one person under an alias, two of one household born on one day, two of one household, strangers
//! of one region, strangers of one name, other strangers. Inside a class the
//! variables are taken as independent (Fellegi and Sunter 1969; latent classes: Winkler 1993). Because a household is
//! a class of its own, what its members share (family name, address, telephone, insurance) does not speak for one
//! person. What strangers do is not estimated: it is counted from the frequencies of values.

mod chance;
mod em;
mod frequency;
mod json;
mod why;

use crate::compare::{LEVELS, Pattern, VARIABLES, Variable};

pub(crate) use chance::{Chance, chance};
pub(crate) use em::fit;
pub(crate) use frequency::{Counts, Frequency};
pub use json::ModelError;
pub use why::Reason;

/// Classes of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// One person, circumstances as before.
    Same,
    /// One person whose address, insurer, telephone or name changed.
    SameChanged,
    /// One person under another name altogether (通称名), the rest as before.
    SameAlias,
    /// Two of one household, born on one day.
    Twins,
    /// Two of one household.
    Household,
    /// Two strangers of one region or insurer.
    Region,
    /// Two strangers of one name.
    Namesakes,
    /// Two who have nothing to do with each other.
    Strangers,
}

/// How many classes there are.
pub(crate) const CLASSES: usize = 8;

impl Class {
    /// All, in the order of their numbers.
    pub const ALL: [Self; CLASSES] = [
        Self::Same,
        Self::SameChanged,
        Self::SameAlias,
        Self::Twins,
        Self::Household,
        Self::Region,
        Self::Namesakes,
        Self::Strangers,
    ];

    /// Id in models and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::SameChanged => "same_changed",
            Self::SameAlias => "same_alias",
            Self::Twins => "twins",
            Self::Household => "household",
            Self::Region => "region",
            Self::Namesakes => "namesakes",
            Self::Strangers => "strangers",
        }
    }
    /// Are the two records of this class of one person?
    pub fn is_one_person(self) -> bool {
        matches!(self, Self::Same | Self::SameChanged | Self::SameAlias)
    }
}

/// Probabilities of levels, by variable and level; those of a group sum to one.
pub(crate) type Table = [[f64; LEVELS]; VARIABLES];

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Share of each class among all pairs of the list.
    pub(crate) share: [f64; CLASSES],
    /// What each class makes of each level.
    pub(crate) tables: Vec<Table>,
    /// How much commoner strangers born in one year have like given names: by kind of level.
    pub(crate) cohort: [f64; 5],
    /// All pairs of the list that it was fitted on.
    pub(crate) all_pairs: f64,
}

/// What a pattern weighs, before the frequencies of values: joint probabilities of the pattern with one person, with
/// two of a household, with strangers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) one: f64,
    pub(crate) household: f64,
    pub(crate) strangers: f64,
}

impl Weighed {
    /// Log2 of the odds of one person, `rarity` being how much rarer or commoner than usual the values are that agree.
    pub(crate) fn score(&self, rarity: f64) -> f64 {
        (self.one / (self.household + self.strangers * rarity)).log2()
    }
}

impl Model {
    /// Joint probability of a pattern and each class.
    pub(crate) fn joint(&self, pattern: Pattern) -> [f64; CLASSES] {
        let mut out = self.share;
        for v in Variable::ALL {
            let level = pattern.level(v);
            for (p, table) in out.iter_mut().zip(&self.tables) {
                *p *= table[v as usize][level];
            }
        }
        let same_year = matches!(pattern.level(Variable::Birth), 1 | 2 | 5 | 7 | 9 | 11);
        if same_year && let Some((_, kind)) = Variable::Given.level(pattern.level(Variable::Given))
        {
            out[Class::Strangers as usize] *= self.cohort[kind as usize];
            out[Class::Region as usize] *= self.cohort[kind as usize];
        }
        out
    }
    pub(crate) fn weigh(&self, pattern: Pattern) -> Weighed {
        let [same, changed, alias, twins, household, region, namesakes, strangers] =
            self.joint(pattern);
        Weighed {
            one: same + changed + alias,
            household: twins + household,
            strangers: region + namesakes + strangers,
        }
    }
}

/// Brings a table to sum to one in each group.
pub(crate) fn normalise(table: &mut Table) {
    for v in Variable::ALL {
        let row = &mut table[v as usize];
        let mut sums = [0.0; 16];
        for (level, p) in row.iter().enumerate() {
            if let Some((group, _)) = v.level(level) {
                sums[group as usize] += p;
            }
        }
        for (level, p) in row.iter_mut().enumerate() {
            *p = match v.level(level) {
                Some((group, _)) if sums[group as usize] > 0.0 => *p / sums[group as usize],
                _ => 0.0,
            };
        }
    }
}
