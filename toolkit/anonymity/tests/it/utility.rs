//! Utility figures against hand-made and naive values.

use kiban_anonymity::utility::{
    Correlation, Logistic, UtilityError, auc, class_divergence, class_utility, correlation_change,
    correlations, cramers_v, divergence, moment_change, pair_divergences, performance,
    prevalence_shift, propensity, quantile, total_variation,
};
use kiban_anonymity::{
    Attribute, Chance, Hierarchy, Keys, Model, Settings, TableBuilder, ToTheEnd, anonymize,
};
use proptest::prelude::*;

fn known(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

fn close(a: f64, b: f64, by: f64) {
    assert!((a - b).abs() <= by, "{a} not {b}");
}

#[test]
fn moments_of_known_values() {
    let before = [Some(1.0), Some(2.0), None, Some(4.0), Some(5.0)];
    let after = [Some(2.0), Some(2.0), Some(4.0), None, Some(5.0)];
    let change = moment_change(&before, &after).unwrap();
    assert_eq!((change.before.known, change.before.missing), (4, 1));
    close(change.before.mean.unwrap(), 3.0, 1e-12);
    close(change.before.variance.unwrap(), 10.0 / 3.0, 1e-12);
    close(change.mean_shift.unwrap(), 0.25 / (10.0_f64 / 3.0).sqrt(), 1e-12);
    close(change.distribution_distance.unwrap(), 0.25, 1e-12);
    close(quantile(&[1.0, 2.0, 4.0, 5.0], 0.25), 1.75, 1e-12);
    let constant = moment_change(&known(&[1.0, 1.0]), &known(&[2.0, 2.0])).unwrap();
    assert_eq!((constant.mean_shift, constant.variance_ratio), (None, None));
    let wrong = moment_change(&known(&[f64::INFINITY]), &after).unwrap_err();
    assert_eq!(wrong, UtilityError::NotFinite { row: 0, column: 0 });
}

#[test]
fn distributions() {
    let code = |codes: &[u32]| codes.iter().map(|c| Some(*c)).collect::<Vec<_>>();
    let (a, b) = (code(&[0, 0, 0, 1]), code(&[0, 1, 1, 2]));
    close(total_variation(&a, &b), 0.5, 1e-12);
    close(total_variation(&a, &a), 0.0, 0.0);
    // Smoothed by a half: (3.5, 1.5, 0.5) and (1.5, 2.5, 1.5) of 5.5.
    let by_hand = [(3.5, 1.5), (1.5, 2.5), (0.5, 1.5)]
        .iter()
        .map(|(p, q): &(f64, f64)| p / 5.5 * (p / q).log2())
        .sum::<f64>();
    close(divergence(&a, &b), by_hand, 1e-12);
    close(divergence(&a, &a), 0.0, 1e-15);
    let pairs = pair_divergences(&[&a, &b], &[&a, &a]).unwrap();
    assert_eq!(pairs.len(), 1);
    assert!(pairs[0].2 > 0.0);
    let keys = ["p", "p", "q", "r"];
    let shifts = prevalence_shift((&a, Keys::Of(&keys)), (&b, Keys::Of(&keys)), 20).unwrap();
    // Category 0: p and q before, p after; 1: r before, p and q after.
    assert_eq!(shifts.len(), 2);
    let zero = shifts.iter().find(|shift| shift.category == 0).unwrap();
    close(zero.before, 2.0 / 3.0, 1e-12);
    close(zero.after, 1.0 / 3.0, 1e-12);
}

#[test]
fn class_figures() {
    let utility = class_utility(&[(5, 2), (10, 1)], 3, 5);
    assert_eq!((utility.rows, utility.classes), (23, 3));
    close(utility.average_class_size.unwrap(), 20.0 / 3.0 / 5.0, 1e-12);
    close(utility.discernibility, 150.0 + 69.0, 1e-12);
    assert_eq!(class_utility(&[], 4, 2).average_class_size, None);
}

#[test]
fn divergence_of_classes_by_hand() {
    let ages = Hierarchy::parse("34;30-39;*\n36;30-39;*\n38;30-39;*\n51;50-59;*\n", ';').unwrap();
    let mut table = TableBuilder::new(vec![Attribute::new("age", ages)], vec![]).unwrap();
    for age in ["34", "36", "34", "51"] {
        table.push(&[age], &[]).unwrap();
    }
    let table = table.finish();
    let run = |k| {
        let settings = Settings::new(vec![Model::KAnonymity { k }], 0.25);
        class_divergence(&table, &anonymize(&table, &settings, &ToTheEnd).unwrap())
    };
    // Classes: 3 rows over 3 leaves, 1 suppressed row over 4.
    let by_hand = 0.5 * (2.0_f64 / 3.0 * 3.0).log2()
        + 0.25 * (1.0_f64 / 3.0 * 3.0).log2()
        + 0.25 * 4.0_f64.log2();
    close(run(2), by_hand, 1e-12);
    close(run(1), 0.0, 1e-12);
}

#[test]
fn correlations_of_values_ranks_and_categories() {
    let x = known(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    let y = known(&[1.0, 4.0, 9.0, 16.0, 25.0]);
    let flat = known(&[7.0; 5]);
    let ranks = correlations(&[&x, &y, &flat], Correlation::Spearman).unwrap();
    close(ranks[0][1].unwrap(), 1.0, 1e-12);
    assert_eq!(ranks[0][2], None);
    let values = correlations(&[&x, &y], Correlation::Pearson).unwrap();
    close(values[0][1].unwrap(), 0.981_104_9, 1e-6);
    let tied = known(&[1.0, 1.0, 2.0, 2.0, 3.0]);
    let ranks = correlations(&[&x, &tied], Correlation::Spearman).unwrap();
    close(ranks[0][1].unwrap(), 0.948_683_298, 1e-9);
    let change = correlation_change(&[&x, &y, &x], &[&x, &flat, &x], Correlation::Pearson).unwrap();
    assert_eq!((change.lost, change.largest), (2, 0.0));
    let a = [0, 0, 1, 1].map(Some);
    assert_eq!(cramers_v(&a, &[5, 5, 9, 9].map(Some)).unwrap(), Some(1.0));
    assert_eq!(cramers_v(&a, &[5, 9, 5, 9].map(Some)).unwrap(), Some(0.0));
    assert_eq!(cramers_v(&a, &[5; 4].map(Some)).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn auc_counts_pairs(rows in prop::collection::vec((0_u32..6, prop::bool::ANY), 2..40)) {
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
        let outcome: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for (a, _) in scores.iter().zip(&outcome).filter(|(_, case)| **case) {
            for (b, _) in scores.iter().zip(&outcome).filter(|(_, case)| !**case) {
                pairs += 1.0;
                won += if a > b { 1.0 } else if a < b { 0.0 } else { 0.5 };
            }
        }
        let found = auc(&scores, &outcome);
        prop_assert_eq!(found.is_some(), pairs > 0.0);
        if let Some(found) = found {
            prop_assert!((found - won / pairs).abs() < 1e-12);
        }
    }
}

/// Two columns and an outcome that follows from them.
fn people(rows: usize) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
    let mut stream = Chance::numbered(3).stream();
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let (a, b) = (50.0 + 10.0 * stream.normal(), stream.normal());
        let score = 0.15 * (a - 50.0) - b - 0.5;
        columns.0.push(a);
        columns.1.push(b);
        columns.2.push(stream.unit() < 1.0 / (1.0 + (-score).exp()));
    }
    columns
}

#[test]
fn regression_finds_its_coefficients() {
    let (a, b, outcome) = people(20_000);
    let rows: Vec<usize> = (0..20_000).collect();
    let model = Logistic::fit(&[&a, &b], &outcome, &rows, 1e-9).unwrap();
    let found = model.coefficients();
    close(found[1], 0.15, 0.006);
    close(found[2], -1.0, 0.06);
    // The score equations of the maximum.
    let residual = |x: &dyn Fn(usize) -> f64| {
        rows.iter()
            .map(|row| {
                let p = model.probability(&[&a, &b], *row);
                (f64::from(u8::from(outcome[*row])) - p) * x(*row)
            })
            .sum::<f64>()
    };
    assert!(residual(&|_| 1.0).abs() < 1e-3 && residual(&|row| b[row]).abs() < 1e-3);
    // Separated data and outcomes that are all alike are held by the ridge.
    let apart = Logistic::fit(&[&[0.0, 1.0]], &[false, true], &[0, 1], 1e-3).unwrap();
    assert!(apart.coefficients()[1].is_finite());
    assert!(Logistic::fit(&[&[0.0, 1.0]], &[true, true], &[0, 1], 1e-3).is_ok());
}

#[test]
fn a_model_loses_what_the_release_lost() {
    let (a, b, outcome) = people(3_000);
    let original: [&[f64]; 2] = [&a, &b];
    let run = |train: &[&[f64]]| {
        let chance = Chance::numbered(8);
        performance((train, &outcome), (&original, &outcome), 5, 1e-6, &chance).unwrap()
    };
    let before = run(&original);
    let mut mixed = b.clone();
    Chance::numbered(4).stream().shuffle(&mut mixed);
    let after = run(&[&a, &mixed]);
    assert!(before.auc.unwrap() > 0.8 && after.auc.unwrap() < before.auc.unwrap() - 0.03);
    assert!(before.brier < after.brier && before.brier < before.brier_of_share);
    assert_eq!(before, run(&original));
    let folds =
        performance((&original, &outcome), (&original, &outcome), 1, 1e-6, &Chance::numbered(8));
    assert_eq!(folds, Err(UtilityError::Range { parameter: "folds" }));
}

#[test]
fn propensity_tells_copies_from_changes() {
    // Two samples of 200 of one population, 30 times: 1 / (1 - c) = 2 in the mean.
    let (a, b, _) = people(12_000);
    let mean = (0..30)
        .map(|at| {
            let (x, y) = (at * 400..at * 400 + 200, at * 400 + 200..at * 400 + 400);
            let before: [&[f64]; 2] = [&a[x.clone()], &b[x]];
            propensity(&before, &[&a[y.clone()], &b[y]], true).unwrap().ratio
        })
        .sum::<f64>()
        / 30.0;
    assert!((1.5..2.6).contains(&mean), "{mean}");
    let (a, b) = (a[..2_000].to_vec(), b[..2_000].to_vec());
    let same = propensity(&[&a, &b], &[&a, &b], true).unwrap();
    assert!(same.pmse < 1e-12);
    let mut mixed = b.clone();
    mixed.iter_mut().zip(&a).for_each(|(b, a)| *b += 0.2 * (a - 50.0));
    let changed = propensity(&[&a, &b], &[&a, &mixed], true).unwrap();
    assert!(changed.ratio > 20.0, "{changed:?}");
}
