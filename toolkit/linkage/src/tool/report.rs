//! The report of a run.

use serde::Serialize;

use crate::{candidate::PassReport, linker::Linked, model::Class, typed::Typed};

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

/// Three outcomes for pairs, from target error rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcomes {
    /// At most this part of the links may be wrong by the model.
    pub target_false_links: f64,
    /// At most this part of the true pairs may lie under the review band by the model.
    pub target_missed: f64,
    /// Pairs from this score on need no review (log2 odds).
    pub link_from: f64,
    /// Pairs from this score on deserve one.
    pub review_from: f64,
    /// Pairs of each outcome.
    pub link: u64,
    /// Pairs between the two scores.
    pub review: u64,
    /// Compared pairs under both.
    pub no_link: u64,
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
    /// Estimated share of right pairs among the scored pairs inside persons (no truth is needed; the model's own
    /// probabilities, so a lower bound of what is unknown).
    pub estimated_precision: f64,
    /// Estimated share of true pairs, among those compared, that are inside persons.
    pub estimated_recall: f64,
}

const TARGET_FALSE: f64 = 0.002;
const TARGET_MISSED: f64 = 0.005;

fn probability(score: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(score)).exp2())
}

fn outcomes(l: &Linked) -> Outcomes {
    let mut scores: Vec<f32> = l.pairs.iter().map(|p| p.2).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let all: f64 = scores.iter().map(|s| probability(*s)).sum();
    let (mut wrong, mut right) = (0.0, 0.0);
    let (mut link, mut review) = (0, 0);
    for (i, score) in scores.iter().enumerate() {
        let p = probability(*score);
        wrong += 1.0 - p;
        if wrong <= TARGET_FALSE * (i + 1) as f64 {
            link = i + 1;
        }
        if right < (1.0 - TARGET_MISSED) * all {
            review = i + 1;
        }
        right += p;
    }
    let review = review.max(link);
    let at = |i: usize| i.checked_sub(1).map_or(f64::MAX, |i| f64::from(scores[i]));
    Outcomes {
        target_false_links: TARGET_FALSE,
        target_missed: TARGET_MISSED,
        link_from: at(link),
        review_from: at(review),
        link: link as u64,
        review: (review - link) as u64,
        no_link: l.candidates - review as u64,
    }
}

pub(super) fn report(l: &Linked, cp932: bool, ragged: u64) -> Report {
    let mut sizes = vec![0u64; l.person.len()];
    for person in &l.person {
        sizes[*person as usize] += 1;
    }
    let mut by_records = [0; 10];
    for size in sizes.iter().filter(|s| **s > 0) {
        by_records[(*size as usize).min(10) - 1] += 1;
    }
    let (mut inside, mut right, mut all) = (0.0, 0.0, 0.0);
    for (a, b, score) in &l.pairs {
        let p = probability(*score);
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
        encoding: if cp932 { "cp932" } else { "utf-8" },
        ragged_lines: ragged,
        repeated_ids: l.typed.repeated_ids,
        names_cut: [l.typed.kana.split, l.typed.kanji.split],
        columns: columns(&l.typed),
        passes: l.passes.clone(),
        candidates: l.candidates,
        patterns: l.patterns,
        rounds: l.rounds,
        expected: Class::ALL.iter().map(|c| c.id()).zip(l.expected).collect(),
        outcomes: outcomes(l),
        estimated_precision: share(right, inside),
        estimated_recall: share(right, all),
    }
}

fn columns(typed: &Typed) -> Vec<ColumnReport> {
    typed
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
