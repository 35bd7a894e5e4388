//! Declared adversaries, and how far each could get with a release.
//!
//! Enters: [`Facts`] and what an adversary knows of a person: some attributes as a whole, n items of a set, n dates.
//! Leaves: [`Exposure`] (prosecutor, journalist, marketer, singled out, histogram, cases); for the holder of an extract
//! of a population, [`Mapping`]. Refuses: attributes that are not there or of the wrong kind.
//!
//! # Method
//! Released records are sorted by their combination of labels (a trie, one level per attribute); a person's candidates
//! are ranges of that order. Who has an item is a list of ranks per set of labels the item may have become; who has
//! two days with a known gap is found in an index by gap. Residual and missing values fit anything.
//!
//! # Costs
//! n records, c distinct combinations inside, s items or days of a person, m = max shift.
//! Attributes, and one item: exact for all persons, O(n log n + c x nodes met + persons x s x log n). Two items and
//! more, and dates: seeded sample of [`Effort::persons`] persons, and of [`Effort::parts`] parts each where there are
//! more; dates cost O(n s^2) for the index per block of 2^25 pairs, and a look at the pairs within the window of 2m + 1
//! days per query. `cargo run -p kiban-anonymity --example attack_bench -- PERSONS VISITS` measures.
//!
//! ```
//! use kiban_anonymity::adversary::{Adversary, Effort, exposure};
//! use kiban_anonymity::holdings::{Compare, Facts, HoldingsBuilder, Kind, Matches};
//!
//! let side = |ages: [&str; 3]| {
//!     let mut side = HoldingsBuilder::new();
//!     let age = side.attribute("age", Kind::Single)?;
//!     for (person, value) in ["a", "b", "c"].into_iter().zip(ages) {
//!         let person = side.person(person);
//!         side.push(age, person, value);
//!     }
//!     side.finish()
//! };
//! let (inside, outside) = (side(["31", "34", "52"])?, side(["30~35", "30~35", "50~55"])?);
//! let truth = [(0, 0), (1, 1), (2, 2)];
//! let facts = Facts::new(inside, outside, truth, &[Compare::new("age", Matches::Numbers)])?;
//! let seen = exposure(&facts, &Adversary::demographics(["age"]), &Effort::default())?;
//! assert_eq!((seen.smallest, seen.cases.persons), (1, vec![2]));
//! # Ok::<(), kiban_anonymity::holdings::HoldingsError>(())
//! ```

pub(crate) mod dates;
mod exposure;
mod extract;
mod hide;
pub(crate) mod items;
mod measure;
mod parts;
pub(crate) mod trie;

pub use exposure::{Bin, Cases, Exposure, MOST_CASES, Mean};
pub use extract::{Mapping, mapping};
pub use hide::{Emptying, Hiding, hide};
pub use measure::exposure;

/// Who might try, and what he or she knows of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adversary {
    /// Name, for reports.
    pub name: String,
    /// What is known, for a page.
    pub label_ja: String,
    /// Attributes known as a whole.
    pub attributes: Vec<String>,
    /// Sets of which so many items are known (all, of a person with fewer).
    pub items: Vec<(String, usize)>,
    /// Dates of which so many are known (all, of a person with fewer). With shifted dates the adversary knows the gaps.
    pub dates: Option<(String, usize)>,
}

impl Adversary {
    /// Knows some attributes.
    pub fn demographics<'a>(attributes: impl IntoIterator<Item = &'a str>) -> Self {
        let attributes: Vec<String> = attributes.into_iter().map(String::from).collect();
        Self {
            name: "demographics".into(),
            label_ja: format!("基本属性（{}）を知る者", attributes.join("、")),
            attributes,
            items: Vec::new(),
            dates: None,
        }
    }

    /// Knows the days of some visits.
    pub fn visit_dates(dates: &str, count: usize) -> Self {
        Self {
            name: format!("visit-dates-{count}"),
            label_ja: format!("受診日（{dates}）を{count}日知る者"),
            attributes: Vec::new(),
            items: Vec::new(),
            dates: Some((dates.into(), count)),
        }
    }

    /// Knows some items of a set (k^m: any m of them).
    pub fn items(attribute: &str, count: usize) -> Self {
        Self {
            name: format!("items-{count}"),
            label_ja: format!("「{attribute}」を{count}件知る者"),
            attributes: Vec::new(),
            items: vec![(attribute.into(), count)],
            dates: None,
        }
    }

    /// Works in the same hospital: demographics and facility, two visits, one diagnosis.
    pub fn clinician<'a>(
        attributes: impl IntoIterator<Item = &'a str>,
        dates: &str,
        diagnoses: &str,
    ) -> Self {
        Self {
            name: "clinician".into(),
            label_ja: "同じ施設の医療従事者（基本属性・施設・受診日2日・病名1件を知る者）".into(),
            attributes: attributes.into_iter().map(String::from).collect(),
            items: vec![(diagnoses.into(), 1)],
            dates: Some((dates.into(), 2)),
        }
    }

    /// With another name and label.
    pub fn named(mut self, name: impl Into<String>, label_ja: impl Into<String>) -> Self {
        (self.name, self.label_ja) = (name.into(), label_ja.into());
        self
    }
}

/// How much is looked at where not everything can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Most persons, where parts are known of dates or of two items and more.
    pub persons: usize,
    /// Most parts of the knowledge (pairs of dates, for example) per person.
    pub parts: usize,
    /// Chance.
    pub seed: u64,
    /// Size of the population, for the journalist.
    pub population: Option<u64>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { persons: 10_000, parts: 64, seed: 1, population: None }
    }
}
