//! Three outcomes from target error rates.

use serde::Serialize;

use crate::review::probability;

/// How many errors are bearable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets {
    /// At most this part of the pairs that are linked unseen may be of two persons.
    pub false_links: f64,
    /// At most this part of the pairs of one person may be dismissed unseen.
    pub missed: f64,
}

impl Default for Targets {
    fn default() -> Self {
        Self { false_links: 0.0005, missed: 0.002 }
    }
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

/// The scores from which pairs are links or deserve review. `scores` are log2 odds in any order, of the pairs worth
/// looking at among `compared`. The longest list of links whose expected errors keep the target, then as many for review
/// as the other target wants. Call it per stratum (source, year) where targets hold for each.
pub fn outcomes(scores: &[f64], compared: u64, targets: &Targets) -> Outcomes {
    let mut scores = scores.to_vec();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let all: f64 = scores.iter().map(|s| probability(*s)).sum();
    let (mut wrong, mut right) = (0.0, 0.0);
    let (mut link, mut review) = (0, 0);
    for (i, score) in scores.iter().enumerate() {
        let p = probability(*score);
        wrong += 1.0 - p;
        if wrong <= targets.false_links * (i + 1) as f64 {
            link = i + 1;
        }
        if right < (1.0 - targets.missed) * all {
            review = i + 1;
        }
        right += p;
    }
    let review = review.max(link);
    let at = |i: usize| i.checked_sub(1).map_or(f64::MAX, |i| scores[i]);
    Outcomes {
        target_false_links: targets.false_links,
        target_missed: targets.missed,
        link_from: at(link),
        review_from: at(review),
        link: link as u64,
        review: (review - link) as u64,
        no_link: compared.saturating_sub(review as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_kept_and_used() {
        let scores: Vec<f64> = (0..2000).map(|i| 20.0 - f64::from(i) * 0.02).collect();
        let targets = Targets { false_links: 0.01, missed: 0.05 };
        let o = outcomes(&scores, 5000, &targets);
        let (linked, rest) = scores.split_at(o.link as usize);
        let wrong = |s: &[f64]| s.iter().map(|s| 1.0 - probability(*s)).sum::<f64>();
        assert!(wrong(linked) <= 0.01 * linked.len() as f64);
        assert!(wrong(&scores[..=linked.len()]) > 0.01 * (linked.len() + 1) as f64);
        let right = |s: &[f64]| s.iter().map(|s| probability(*s)).sum::<f64>();
        let missed = right(&rest[o.review as usize..]) / right(&scores);
        assert!(missed <= 0.05, "{missed}");
        assert_eq!(o.link + o.review + o.no_link, 5000);
        // stricter targets link less and show more
        let strict = outcomes(&scores, 5000, &Targets::default());
        assert!(strict.link < o.link && strict.link + strict.review > o.link + o.review);
        assert_eq!(outcomes(&[], 0, &targets).link, 0);
    }
}
