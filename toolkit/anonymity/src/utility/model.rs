//! What a model learns from the release, tried on the original.

use super::{Logistic, UtilityError, same};
use crate::Chance;

/// How well a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Performance {
    /// Area under the ROC curve; none if all outcomes are alike.
    pub auc: Option<f64>,
    /// Brier score: mean squared error of the probabilities.
    pub brier: f64,
    /// Brier score of always predicting the share.
    pub brier_of_share: f64,
}

/// Probability that a case has a higher score than another, ties counting half (Mann and Whitney).
pub fn auc(scores: &[f64], outcome: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut below, mut won, mut cases) = (0.0, 0.0, 0.0);
    let mut from = 0;
    while from < order.len() {
        let tied: Vec<usize> = order[from..]
            .iter()
            .copied()
            .take_while(|at| scores[*at] <= scores[order[from]])
            .collect();
        let own = tied.iter().filter(|at| outcome[**at]).count() as f64;
        let others = tied.len() as f64 - own;
        won += own * (below + others / 2.0);
        below += others;
        cases += own;
        from += tied.len();
    }
    (cases > 0.0 && below > 0.0).then(|| won / (cases * below))
}

/// Cross-validated performance of a logistic regression: fitted on the folds of `train`, judged on the fold left out
/// of `test`, whose rows are the same persons in the same order (give the original twice for "before"; released and
/// original for "after": what a model learned from the release is worth on real people). Folds are drawn from `chance`, stratified by
/// the outcome of `test`.
///
/// # Errors
/// Lengths differ, fewer than 2 folds or more than rows, or no convergence.
pub fn performance(
    train: (&[&[f64]], &[bool]),
    test: (&[&[f64]], &[bool]),
    folds: usize,
    ridge: f64,
    chance: &Chance,
) -> Result<Performance, UtilityError> {
    same(&[train.0.len(), test.0.len()])?;
    let rows = same(&[test.1.len(), train.1.len()])?;
    for table in [train.0, test.0] {
        let mut lengths = vec![rows];
        lengths.extend(table.iter().map(|column| column.len()));
        same(&lengths)?;
    }
    if folds < 2 || folds > rows {
        return Err(UtilityError::Range { parameter: "folds" });
    }
    let mut order: Vec<usize> = (0..rows).collect();
    chance.stream().shuffle(&mut order);
    order.sort_by_key(|row| test.1[*row]);
    let mut fold_of = vec![0; rows];
    for (at, row) in order.iter().enumerate() {
        fold_of[*row] = at % folds;
    }
    let mut scores = vec![0.0; rows];
    for fold in 0..folds {
        let own: Vec<usize> = (0..rows).filter(|row| fold_of[*row] != fold).collect();
        let model = Logistic::fit(train.0, train.1, &own, ridge)?;
        for row in (0..rows).filter(|row| fold_of[*row] == fold) {
            scores[row] = model.probability(test.0, row);
        }
    }
    let is = |row: usize| f64::from(u8::from(test.1[row]));
    let share = (0..rows).map(is).sum::<f64>() / rows as f64;
    let brier = (0..rows).map(|row| (scores[row] - is(row)).powi(2)).sum::<f64>() / rows as f64;
    Ok(Performance { auc: auc(&scores, test.1), brier, brier_of_share: share * (1.0 - share) })
}
