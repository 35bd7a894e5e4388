//! The report of a run.

use serde::Serialize;

use crate::{
    candidate::PassReport,
    linker::Stats,
    model::Class,
    review::{Outcomes, outcomes, probability},
    tool::Run,
};

/// A column of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Which value.
    pub field: String,
    /// Records that have something written there.
    pub written: u64,
    /// Records of which it could be used: no placeholder, not impossible.
    pub usable: u64,
}

/// What a run did. No value of the list is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Records read.
    pub records: u64,
    /// Persons found.
    pub persons: u64,
    /// Persons by number of records: one, two, ..., nine, ten or more.
    pub persons_by_records: [u64; 10],
    /// The largest person's records.
    pub largest: u64,
    /// `utf-8` or `cp932`.
    pub encoding: &'static str,
    /// Lines with more or fewer cells than the header.
    pub ragged_lines: u64,
    /// Records whose id an earlier record has.
    pub repeated_ids: u64,
    /// Names written together that were cut by the list's own dictionary, kana and kanji, by distinct value.
    pub names_cut: [u64; 2],
    /// Columns.
    pub columns: Vec<ColumnReport>,
    /// Passes, with what was capped.
    pub passes: Vec<PassReport>,
    /// Pairs compared.
    pub candidates: u64,
    /// Distinct patterns of agreement among them.
    pub patterns: u64,
    /// Rounds of estimation; 0 if a model was given.
    pub rounds: usize,
    /// Expected pairs of each class among the candidates.
    pub expected: Vec<(&'static str, f64)>,
    /// Outcomes of pairs.
    pub outcomes: Outcomes,
    /// Pairs and joins of groups within one millionth of a threshold.
    pub ties: u64,
    /// Constraints between records of the list.
    pub constraints: u64,
    /// Constraints that name a record that there is not.
    pub constraints_of_unknown_records: u64,
    /// Constraints that do not hold, because stronger ones say otherwise.
    pub contradictions: u64,
    /// Estimated share of right pairs among the scored pairs inside persons (no truth is needed; the model's own
    /// probabilities, so a lower bound of what is unknown).
    pub estimated_precision: f64,
    /// Estimated share of true pairs, among those compared, that are inside persons.
    pub estimated_recall: f64,
}

pub(super) fn report(run: &Run) -> Report {
    let Run { state: l, stats, cp932, ragged, .. } = run;
    let mut sizes = vec![0u64; l.person.len()];
    for person in &l.person {
        sizes[*person as usize] += 1;
    }
    let mut by_records = [0; 10];
    for size in sizes.iter().filter(|s| **s > 0) {
        by_records[(*size as usize).min(10) - 1] += 1;
    }
    let scores: Vec<f64> = l.pairs.iter().map(|p| f64::from(p.2)).collect();
    let (mut inside, mut right, mut all) = (0.0, 0.0, 0.0);
    for (a, b, score) in &l.pairs {
        let p = probability(f64::from(*score));
        all += p;
        if l.person[*a as usize] == l.person[*b as usize] {
            inside += 1.0;
            right += p;
        }
    }
    let share = |a: f64, b: f64| if b > 0.0 { a / b } else { 1.0 };
    Report {
        version: 1,
        records: l.person.len() as u64,
        persons: by_records.iter().sum(),
        persons_by_records: by_records,
        largest: sizes.iter().copied().max().unwrap_or(0),
        encoding: if *cp932 { "cp932" } else { "utf-8" },
        ragged_lines: *ragged,
        repeated_ids: stats.repeated_ids,
        names_cut: stats.cut,
        columns: columns(stats),
        passes: stats.passes.clone(),
        candidates: stats.candidates,
        patterns: stats.patterns,
        rounds: stats.rounds,
        expected: Class::ALL.iter().map(|c| c.id()).zip(stats.expected).collect(),
        outcomes: outcomes(&scores, stats.candidates, &run.targets),
        ties: stats.ties.len() as u64,
        constraints: l.bounds.len() as u64,
        constraints_of_unknown_records: stats.unknown_constraints,
        contradictions: stats.dropped.len() as u64,
        estimated_precision: share(right, inside),
        estimated_recall: share(right, all),
    }
}

fn columns(stats: &Stats) -> Vec<ColumnReport> {
    stats
        .filled
        .iter()
        .filter(|(_, written, _)| *written > 0)
        .map(|(field, written, usable)| ColumnReport {
            field: field.id().to_owned(),
            written: *written,
            usable: *usable,
        })
        .collect()
}
