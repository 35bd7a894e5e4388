//! The report of `kiban tool anonymize`.

use crate::engine::{Anonymized, Settings};
use crate::model::Model;
use crate::risk::{Estimate, SampleRisk, estimate, sample_risk};
use crate::search::Point;
use crate::table::{Table, with_bottom};
use std::collections::BTreeMap;

/// Sizes of the classes that are kept.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ClassSizes {
    /// Number of classes.
    pub count: u64,
    /// Smallest, 0 if there is none.
    pub min: u32,
    /// Largest, 0 if there is none.
    pub max: u32,
    /// Average, 0 if there is none.
    pub avg: f64,
}

/// Whether a model holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelVerdict {
    /// Name of the model.
    pub model: String,
    /// True if every class, or all together, hold.
    pub holds: bool,
    /// Classes that fail.
    pub failing_classes: u64,
}

/// A solution the search met: a point of the risk-utility curve.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Solution {
    /// Level of each attribute.
    pub transformation: BTreeMap<String, usize>,
    /// Its score.
    pub score: f64,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Their share.
    pub suppressed_share: f64,
    /// Smallest class that is kept, 0 if none is.
    pub smallest_class: u64,
    /// Prosecutor: 1 / smallest class, 0 if none is kept.
    pub highest_risk: f64,
    /// Marketer: classes / rows kept, 0 if none is kept.
    pub average_risk: f64,
}

/// An estimate that a model asked for, before and after.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PopulationVerdict {
    /// Name of the model.
    pub model: String,
    /// Estimated share of the population that is unique, before.
    pub before: Estimate,
    /// The same, after; a release without unique records has a share of 0 without an estimate.
    pub after: Estimate,
}

/// The report of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// Level of each attribute (of the first pass, with local recoding).
    pub transformation: BTreeMap<String, usize>,
    /// The score (of the first pass).
    pub score: f64,
    /// The value of each attribute (of the first pass).
    pub score_per_attribute: BTreeMap<String, f64>,
    /// Rows of the data.
    pub rows: u64,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Sizes of the classes that are kept.
    pub classes: ClassSizes,
    /// Sizes of classes and their numbers.
    pub class_histogram: Vec<(u32, u64)>,
    /// Nodes of the lattice.
    pub lattice_nodes: u128,
    /// Nodes checked.
    pub checked: u64,
    /// True if no full-domain solution is better.
    pub optimal: bool,
    /// A score that no full-domain solution undercuts (of the first pass); the score itself if it is optimal, none if
    /// the measure has no such bound.
    pub lower_bound: Option<f64>,
    /// How much the score may be above the best one: score - lower bound; 0 if it is optimal.
    pub gap: Option<f64>,
    /// The risk-utility curve over the solutions that were checked (of the first pass): the best for each hundredth of
    /// suppressed rows and each doubling of the smallest class.
    pub explored: Vec<Solution>,
    /// Estimates of the models of population uniqueness.
    pub population_uniqueness: Vec<PopulationVerdict>,
    /// Passes of local recoding; 1 for full-domain recoding.
    pub passes: usize,
    /// Risks before.
    pub risk_before: SampleRisk,
    /// Risks of the rows that are kept.
    pub risk_after: SampleRisk,
    /// Wall-clock seconds, filled in by the caller.
    pub seconds: Option<f64>,
    /// Peak memory of the process, filled in by the caller.
    pub peak_rss_bytes: Option<u64>,
}

impl Report {
    pub(super) fn new(table: &Table, answer: &Anonymized, settings: &Settings) -> Self {
        let names = || table.attributes().iter().map(|a| a.name.clone());
        let threshold = settings
            .models
            .iter()
            .find_map(|model| match model {
                crate::Model::KAnonymity { k } => Some(1.0 / f64::from(*k)),
                _ => None,
            })
            .unwrap_or(0.2);
        let before: Vec<(u32, u64)> = with_bottom!(&table.store, bottom => {
            let mut sizes = BTreeMap::new();
            for count in &bottom.classes.counts {
                *sizes.entry(*count).or_insert(0) += 1;
            }
            sizes.into_iter().collect()
        });
        let after = sample_risk(&answer.histogram, threshold);
        Self {
            transformation: names().zip(answer.passes[0].levels.iter().copied()).collect(),
            score: answer.score,
            score_per_attribute: names().zip(answer.score_per_attribute.iter().copied()).collect(),
            rows: table.rows(),
            suppressed: answer.suppressed,
            classes: ClassSizes {
                count: after.classes,
                min: after.smallest,
                max: after.largest,
                avg: after.average_class,
            },
            class_histogram: answer.histogram.clone(),
            lattice_nodes: answer.lattice_nodes,
            checked: answer.checked,
            optimal: answer.optimal,
            lower_bound: answer.bound,
            gap: answer.bound.map(|bound| (answer.score - bound).max(0.0)),
            explored: answer.explored.iter().map(|point| solution(table, point)).collect(),
            population_uniqueness: uniqueness(&settings.models, &before, &answer.histogram),
            passes: answer.passes.len(),
            risk_before: sample_risk(&before, threshold),
            risk_after: after,
            seconds: None,
            peak_rss_bytes: None,
        }
    }
}

fn solution(table: &Table, point: &Point) -> Solution {
    let kept = table.rows() - point.suppressed;
    let share = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
    Solution {
        transformation: table
            .attributes()
            .iter()
            .map(|a| a.name.clone())
            .zip(point.levels.iter().copied())
            .collect(),
        score: point.score,
        suppressed: point.suppressed,
        suppressed_share: share(point.suppressed as f64, table.rows()),
        smallest_class: point.smallest,
        highest_risk: share(1.0, point.smallest),
        average_risk: share(point.classes as f64, kept),
    }
}

fn uniqueness(
    models: &[Model],
    before: &[(u32, u64)],
    after: &[(u32, u64)],
) -> Vec<PopulationVerdict> {
    models
        .iter()
        .filter_map(|model| match model {
            Model::PopulationUniqueness { population, rule, .. } => Some(PopulationVerdict {
                model: model.name().to_owned(),
                before: estimate(before, *population, *rule),
                after: estimate(after, *population, *rule),
            }),
            _ => None,
        })
        .collect()
}
