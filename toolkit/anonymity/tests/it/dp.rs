//! Differential privacy against exact distributions.

use kiban_anonymity::dp::{
    Accounting, Budget, Choice, DpError, Gaussian, Laplace, Noise, Odometer, SafeSettings,
    Spending, bounded_counts, release_counts, safe_anonymize, safe_delta, safe_k, stable_histogram,
};
use kiban_anonymity::{Attribute, Chance, Hierarchy, Keys, Table, TableBuilder};
use std::collections::BTreeMap;

/// Chi-square of draws against probabilities, with cells of an expectation under 10 put together, and degrees of
/// freedom.
fn chi_square(noise: Noise, probability: impl Fn(i64) -> f64, draws: u32) -> (f64, f64) {
    let mut stream = Chance::numbered(99).stream();
    let mut seen: BTreeMap<i64, u32> = BTreeMap::new();
    for _ in 0..draws {
        *seen.entry(noise.draw(&mut stream)).or_insert(0) += 1;
    }
    let (mut sum, mut cells, mut rest) = (0.0, 0.0, (f64::from(draws), f64::from(draws)));
    for x in -2_000..=2_000 {
        let expected = probability(x) * f64::from(draws);
        if expected >= 10.0 {
            let observed = f64::from(seen.get(&x).copied().unwrap_or(0));
            sum += (observed - expected).powi(2) / expected;
            cells += 1.0;
            rest = (rest.0 - expected, rest.1 - observed);
        }
    }
    if rest.0 > 10.0 {
        sum += (rest.1 - rest.0).powi(2) / rest.0;
        cells += 1.0;
    }
    (sum, cells - 1.0)
}

#[test]
fn draws_have_their_distribution() {
    for (epsilon, sensitivity) in [(1.0, 1), (0.1, 1), (3.0, 2), (0.7, 5)] {
        let noise = Laplace::new(epsilon, sensitivity).unwrap();
        let (sum, freedom) = chi_square(Noise::Laplace(noise), |x| noise.probability(x), 60_000);
        assert!(sum < freedom + 4.5 * (2.0 * freedom).sqrt(), "{epsilon}: {sum} of {freedom}");
        let all: f64 = (-3_000..3_000).map(|x| noise.probability(x)).sum();
        assert!((all - 1.0).abs() < 1e-9);
        assert!(
            (noise.at_least(3) - (3..3_000).map(|x| noise.probability(x)).sum::<f64>()).abs()
                < 1e-9
        );
        // e^(ε/Δ) between neighbours, with ε rounded down.
        let ratio = noise.probability(4) / noise.probability(5);
        let bound = (epsilon / f64::from(sensitivity)).exp();
        assert!(ratio <= bound * (1.0 + 1e-12) && ratio > bound * (1.0 - 1e-5));
    }
    for variance in [0.3, 1.0, 20.0, 400.0] {
        let noise = Gaussian::new(variance).unwrap();
        let (sum, freedom) = chi_square(Noise::Gaussian(noise), |x| noise.probability(x), 60_000);
        assert!(sum < freedom + 4.5 * (2.0 * freedom).sqrt(), "{variance}: {sum} of {freedom}");
        let all: f64 = (-1_000..1_000).map(|x| noise.probability(x)).sum();
        assert!((all - 1.0).abs() < 1e-9, "{variance}");
    }
}

#[test]
fn large_noise_does_not_overflow() {
    let noise = Gaussian::new(1_000_000_000_000.0).unwrap();
    let mut stream = Chance::numbered(1).stream();
    let draws: Vec<f64> = (0..2_000).map(|_| noise.draw(&mut stream) as f64 / 1e6).collect();
    let square = draws.iter().map(|x| x * x).sum::<f64>() / 2_000.0;
    assert!((square - 1.0).abs() < 0.15, "{square}");
    let wide = Laplace::new(0.000_01, 1_000).unwrap();
    assert!((0..100).any(|_| wide.draw(&mut stream).abs() > 1_000_000));
}

#[test]
fn delta_is_that_of_the_distribution() {
    for (variance, epsilon) in [(2.0, 0.5), (9.0, 1.0), (30.0, 0.2)] {
        let noise = Gaussian::new(variance).unwrap();
        let exact: f64 = (-500..500)
            .map(|x| (noise.probability(x) - f64::exp(epsilon) * noise.probability(x + 1)).max(0.0))
            .sum();
        assert!((noise.delta(epsilon) - exact).abs() < 1e-12, "{variance}");
    }
    let noise = Gaussian::calibrated(1.0, 1e-6, 1).unwrap();
    let exact = noise.delta(1.0);
    assert!(exact <= 1e-6 && exact > 1e-8, "{exact}");
    let less = Gaussian::new(noise.variance() * 0.8).unwrap();
    assert!(less.delta(1.0) > exact);
    assert!((Gaussian::concentrated(0.5, 3).unwrap().variance() - 3.0).abs() < 1e-12);
}

#[test]
fn intervals_hold_what_they_say() {
    for noise in [
        Noise::Laplace(Laplace::new(0.5, 1).unwrap()),
        Noise::Gaussian(Gaussian::new(50.0).unwrap()),
    ] {
        let w = noise.interval(0.95).unwrap();
        let inside = |w: u64| 1.0 - 2.0 * noise.at_least(w as i64 + 1);
        assert!(inside(w) >= 0.95 && inside(w - 1) < 0.95);
        let chance = Chance::numbered(3);
        let draws = release_counts(&vec![100; 20_000], noise, &chance);
        let held = draws.iter().filter(|x| x.abs_diff(100) <= w).count() as f64 / 20_000.0;
        assert!((held - inside(w)).abs() < 0.006);
    }
}

#[test]
fn contributions_are_bounded() {
    let cells = [0, 1, 2, 2, 1, 0, 3];
    let keys = ["a", "a", "a", "a", "b", "b", "c"];
    let chance = Chance::numbered(5);
    let counts = bounded_counts(&cells, 5, Keys::Of(&keys), 2, &chance).unwrap();
    assert_eq!(counts.iter().sum::<u64>(), 5);
    assert_eq!((counts[3], counts[4]), (1, 0));
    let all = bounded_counts(&cells, 5, Keys::Of(&keys), 5, &chance).unwrap();
    assert_eq!(all, [2, 2, 1, 1, 0]);
    // One person less changes nothing else.
    let rest = bounded_counts(&cells[4..], 5, Keys::Of(&keys[4..]), 2, &chance).unwrap();
    let apart: u64 = counts.iter().zip(&rest).map(|(a, b)| a.abs_diff(*b)).sum();
    assert_eq!(apart, 2);
    let outside = bounded_counts(&cells, 3, Keys::Of(&keys), 2, &chance);
    assert_eq!(outside, Err(DpError::Cell { row: 6 }));
}

#[test]
fn a_lone_person_shows_with_delta_at_most() {
    for (epsilon, delta, contributions) in [(1.0, 1e-3, 1), (0.5, 1e-2, 4)] {
        let histogram = stable_histogram(epsilon, delta, contributions).unwrap();
        let leak = |threshold: u64| {
            f64::from(contributions) * histogram.noise.at_least(threshold as i64 - 1)
        };
        assert!(leak(histogram.threshold) <= delta && leak(histogram.threshold - 1) > delta);
    }
    let histogram = stable_histogram(1.0, 0.01, 1).unwrap();
    let names: Vec<String> = (0..20_000).map(|at| at.to_string()).collect();
    let released =
        histogram.release(&vec![1; 20_000], |cell| &names[cell as usize], &Chance::numbered(1));
    assert!(released.len() < 260, "{}", released.len());
    let large = histogram.release(&[500, 0], |cell| &names[cell as usize], &Chance::numbered(2));
    assert!(large.len() == 1 && large[0].cell == 0 && large[0].count.abs_diff(500) < 30);
}

#[test]
fn the_odometer_refuses_what_exceeds_the_budget() {
    let pure = Spending::Approximate { epsilon: 0.1, delta: 0.0 };
    let mut basic = Odometer::new(Budget { epsilon: 1.0, delta: 0.0 }, Accounting::Basic).unwrap();
    for _ in 0..10 {
        basic.spend(pure).unwrap();
    }
    let before = basic.clone();
    assert!(matches!(basic.spend(pure), Err(DpError::Budget { delta: 0.0, .. })));
    assert_eq!(basic, before);
    assert_eq!(basic.releases(), 10);
    let budget = Budget { epsilon: 1.0, delta: 1e-6 };
    let run = |accounting, spending| {
        let mut odometer = Odometer::new(budget, accounting).unwrap();
        while odometer.spend(spending).is_ok() {}
        assert!(odometer.total().epsilon <= 1.0 + 1e-9);
        odometer.releases()
    };
    let small = Spending::Approximate { epsilon: 0.01, delta: 0.0 };
    let (basic, advanced, concentrated) = (
        run(Accounting::Basic, small),
        run(Accounting::Advanced { slack: 1e-6 }, small),
        run(Accounting::Concentrated, small),
    );
    // sqrt(2 ln(10^6) n 10^-4) + n 10^-4 / 2 <= 1.
    assert_eq!((basic, advanced), (100, 349));
    assert!(concentrated > advanced && concentrated < 500, "{concentrated}");
    assert_eq!(
        Odometer::new(budget, Accounting::Basic)
            .unwrap()
            .spend(Spending::Concentrated { rho: 0.1 }),
        Err(DpError::Concentrated)
    );
    let both = Spending::Approximate { epsilon: 0.01, delta: 4e-7 };
    assert_eq!(run(Accounting::Basic, both), 2);
    assert!(Odometer::new(Budget { epsilon: 1.0, delta: 0.0 }, Accounting::Concentrated).is_err());
}

/// P(Binomial(n, β) = j) by repeated multiplication.
fn binomial(n: usize, beta: f64) -> Vec<f64> {
    let mut row = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; row.len() + 1];
        for (at, p) in row.iter().enumerate() {
            next[at] += p * (1.0 - beta);
            next[at + 1] += p * beta;
        }
        row = next;
    }
    row
}

#[test]
fn safe_delta_bounds_what_a_group_tells() {
    for (epsilon, beta, k, want) in [
        (1.0, -f64::exp_m1(-1.0), 5, 0.144_176_478_954_582),
        (1.0, 0.3, 10, 0.000_651_960_008_999_999_6),
        (2.0, 0.5, 20, 1.049_041_748_046_875e-5),
        (0.5, 0.2, 15, 0.000_141_806_449_393_081_1),
        (1.0, -f64::exp_m1(-1.0), 40, 0.000_327_949_333_459_384_25),
    ] {
        let delta = safe_delta(epsilon, beta, k).unwrap();
        assert!((delta / want - 1.0).abs() < 1e-8, "{epsilon} {beta} {k}: {delta} not {want}");
        // A group of n persons or n + 1: what is seen is the number drawn, 0 if below k.
        let seen = |n: usize| {
            let mut row = binomial(n, beta);
            row.resize(n + 2, 0.0);
            let hidden: f64 = row.iter().take(k as usize).sum();
            row.iter_mut().take(k as usize).for_each(|p| *p = 0.0);
            row[0] = hidden;
            row
        };
        for n in 0..150 {
            let (a, mut b) = (seen(n + 1), seen(n));
            b.resize(a.len(), 0.0);
            let over = |p: &[f64], q: &[f64]| -> f64 {
                p.iter().zip(q).map(|(p, q)| (p - epsilon.exp() * q).max(0.0)).sum()
            };
            assert!(over(&a, &b) <= delta + 1e-13 && over(&b, &a) <= delta + 1e-13, "{n}");
        }
    }
    let k = safe_k(1.0, 0.3, 1e-6).unwrap();
    assert!(
        safe_delta(1.0, 0.3, k).unwrap() <= 1e-6 && safe_delta(1.0, 0.3, k - 1).unwrap() > 1e-6
    );
    assert_eq!(safe_delta(0.1, 0.5, 5), Err(DpError::Range { parameter: "beta" }));
}

fn table(rows: usize) -> (Table, Vec<(usize, usize)>) {
    let ages: Vec<String> = (0..80).map(|age: i32| age.to_string()).collect();
    let ages = Hierarchy::intervals(ages.iter().map(String::as_str), 0, &[10, 40]).unwrap();
    let sexes = Hierarchy::parse("F;*\nM;*\n", ';').unwrap();
    let mut builder =
        TableBuilder::new(vec![Attribute::new("age", ages), Attribute::new("sex", sexes)], vec![])
            .unwrap();
    let mut stream = Chance::numbered(1).stream();
    let mut pushed = Vec::new();
    for _ in 0..rows {
        let (age, sex) = (stream.below(80) as usize, stream.below(2) as usize);
        builder.push(&[&age.to_string(), ["F", "M"][sex]], &[]).unwrap();
        pushed.push((age, sex));
    }
    (builder.finish(), pushed)
}

#[test]
fn the_whole_route_keeps_k_and_does_not_depend_on_order() {
    let (table, pushed) = table(4_000);
    let settings = |choice| SafeSettings { epsilon: 2.0, delta: 1e-6, beta: None, choice };
    let chance = Chance::numbered(12);
    let fixed =
        safe_anonymize(&table, &settings(Choice::Levels(vec![1, 0])), Keys::Rows, &chance).unwrap();
    assert!(fixed.delta <= 1e-6 && (fixed.beta - 0.864_664_7).abs() < 1e-6);
    let answer =
        safe_anonymize(&table, &settings(Choice::Private { epsilon: 1.0 }), Keys::Rows, &chance)
            .unwrap();
    assert!((answer.beta - 0.632_120_5).abs() < 1e-6);
    // 16 groups of 250 are far over k, 160 of 25 are not: ages in tens, or wider.
    assert!(answer.levels[0] == 1 && answer.levels[1] == 0, "{:?}", answer.levels);
    for answer in [&fixed, &answer] {
        let mut groups: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for (row, (age, sex)) in pushed.iter().enumerate() {
            let labels = answer.labels(&table, row);
            assert_eq!(labels.is_some(), answer.kept[row]);
            if let Some(labels) = labels {
                assert_eq!(labels[1], ["F", "M"][*sex]);
                *groups.entry((age / 10, *sex)).or_insert(0) += 1;
            }
        }
        assert!(groups.values().all(|n| *n >= answer.k));
        let kept = answer.kept.iter().filter(|kept| **kept).count() as f64;
        assert!((kept / 4_000.0 - answer.beta).abs() < 0.03);
    }
    let wrong = safe_anonymize(&table, &settings(Choice::Levels(vec![9, 0])), Keys::Rows, &chance);
    assert_eq!(wrong, Err(DpError::Range { parameter: "levels" }));
    let none =
        safe_anonymize(&table, &settings(Choice::Private { epsilon: 2.5 }), Keys::Rows, &chance);
    assert!(matches!(none, Err(DpError::Range { .. })));
}
