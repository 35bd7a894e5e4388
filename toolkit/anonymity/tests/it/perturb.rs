//! What perturbation promises to preserve, and to protect.

use kiban_anonymity::perturb::{
    Bounds, Centre, DateShift, Moments, NoiseShape, PerturbError, Reservoir, TailValue, Transition,
    add_noise, code_tails, mdav, microaggregate_sorted, rank_swap, round_half_even, round_matrix,
    round_random, round_series, sample_keys, sample_share, shift_days, suppress_to_k, tail_bounds,
};
use kiban_anonymity::{Chance, Keys};
use proptest::prelude::*;

fn normals(seed: u64, rows: usize) -> Vec<f64> {
    let mut stream = Chance::numbered(seed).stream();
    (0..rows).map(|_| stream.normal()).collect()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum::<f64>() / x.len() as f64
}

fn inside(x: &[f64], of: &[u32], groups: usize) -> f64 {
    (0..groups as u32)
        .map(|group| {
            let own: Vec<f64> =
                x.iter().zip(of).filter(|(_, g)| **g == group).map(|(x, _)| *x).collect();
            let middle = mean(&own);
            own.iter().map(|x| (x - middle).powi(2)).sum::<f64>()
        })
        .sum()
}

/// All ways to cut `sorted` into runs of at least `k`.
fn best_cut(sorted: &[f64], k: usize) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    (k..=sorted.len())
        .filter(|len| sorted.len() == *len || sorted.len() - len >= k)
        .map(|len| inside(&sorted[..len], &vec![0; len], 1) + best_cut(&sorted[len..], k))
        .fold(f64::INFINITY, f64::min)
}

/// MDAV word for word, with sorting.
fn naive_mdav(columns: &[Vec<f64>], k: usize) -> Vec<Vec<usize>> {
    let rows = columns[0].len();
    let z: Vec<Vec<f64>> = columns
        .iter()
        .map(|c| {
            let (m, s) = (mean(c), covariance(c, c).sqrt());
            c.iter().map(|x| if s > 0.0 { (x - m) * (1.0 / s) } else { 0.0 }).collect()
        })
        .collect();
    let mut rest: Vec<usize> = (0..rows).collect();
    let apart =
        |at: usize, p: &[f64]| -> f64 { z.iter().zip(p).map(|(c, p)| (c[at] - p).powi(2)).sum() };
    let point = |at: usize| z.iter().map(|c| c[at]).collect::<Vec<f64>>();
    let mut groups = Vec::new();
    let take = |rest: &mut Vec<usize>, p: &[f64], first: usize| {
        let mut near = rest.clone();
        near.sort_by(|a, b| {
            (*a != first)
                .cmp(&(*b != first))
                .then(apart(*a, p).total_cmp(&apart(*b, p)))
                .then(a.cmp(b))
        });
        near.truncate(k);
        rest.retain(|row| !near.contains(row));
        near.sort_unstable();
        near
    };
    let far = |rest: &[usize], p: &[f64]| {
        *rest.iter().rev().max_by(|a, b| apart(**a, p).total_cmp(&apart(**b, p))).unwrap()
    };
    while rest.len() >= 2 * k {
        let two = rest.len() >= 3 * k;
        let centre: Vec<f64> = z
            .iter()
            .map(|c| rest.iter().map(|row| c[*row]).sum::<f64>() / rest.len() as f64)
            .collect();
        let r = far(&rest, &centre);
        groups.push(take(&mut rest, &point(r), r));
        if two {
            let s = far(&rest, &point(r));
            groups.push(take(&mut rest, &point(s), s));
        }
    }
    groups.push(rest);
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn mdav_is_the_published_algorithm(
        values in prop::collection::vec((0_i32..12, 0_i32..12), 3..40), k in 1_usize..5
    ) {
        prop_assume!(values.len() >= k);
        let a: Vec<f64> = values.iter().map(|v| f64::from(v.0)).collect();
        let b: Vec<f64> = values.iter().map(|v| f64::from(v.1)).collect();
        let groups = mdav(&[&a, &b], k).unwrap();
        let mut found: Vec<Vec<usize>> = vec![Vec::new(); groups.sizes.len()];
        for (row, group) in groups.of.iter().enumerate() {
            found[*group as usize].push(row);
        }
        prop_assert!(groups.sizes.iter().all(|n| *n as usize >= k && (*n as usize) < 2 * k));
        let mut want = naive_mdav(&[a.clone(), b], k);
        want.retain(|group| !group.is_empty());
        prop_assert_eq!(found, want);
        let out = groups.aggregate(&a, Centre::Mean).unwrap();
        prop_assert!((mean(&out) - mean(&a)).abs() < 1e-9);
        let loss = groups.loss(&[&a]).unwrap();
        prop_assert!((covariance(&out, &out) - covariance(&a, &a) * (1.0 - loss)).abs() < 1e-9);
    }

    #[test]
    fn sorted_groups_are_optimal(values in prop::collection::vec(-50_i32..50, 1..14), k in 1_usize..4) {
        prop_assume!(values.len() >= k);
        let x: Vec<f64> = values.iter().map(|v| f64::from(*v) * 0.5).collect();
        let groups = microaggregate_sorted(&x, k).unwrap();
        prop_assert!(groups.sizes.iter().all(|n| *n as usize >= k));
        let mut sorted = x.clone();
        sorted.sort_by(f64::total_cmp);
        let ours = inside(&x, &groups.of, groups.sizes.len());
        prop_assert!((ours - best_cut(&sorted, k)).abs() < 1e-9);
    }

    #[test]
    fn swapped_ranks_stay_near(values in prop::collection::vec(0_i32..60, 1..120), percent in 0.0_f64..60.0) {
        let x: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        let y = rank_swap(&x, percent, Keys::Rows, &Chance::numbered(3)).unwrap();
        let (mut a, mut b) = (x.clone(), y.clone());
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        prop_assert_eq!(&a, &b);
        let window = (x.len() as f64 * percent / 100.0).floor() as usize;
        for (x, y) in x.iter().zip(&y) {
            // Ranks of equal values are a range: the nearest ends count.
            let (low, high) = if x < y { (x, y) } else { (y, x) };
            let end = a.partition_point(|v| v <= low);
            let start = a.partition_point(|v| v < high);
            prop_assert!(x.to_bits() == y.to_bits() || start + 1 - end <= window);
        }
    }

    #[test]
    fn controlled_rounding_keeps_all_totals(
        table in prop::collection::vec(prop::collection::vec(0_u64..40, 4), 1..6),
        base in 1_u64..12, seed in 0_u64..1000
    ) {
        let rounded = round_matrix(&table, base, &Chance::numbered(seed)).unwrap();
        let near = |a: u64, b: u64| b.is_multiple_of(base) && a.abs_diff(b) < base;
        for (a, b) in table.iter().zip(&rounded) {
            prop_assert!(a.iter().zip(b).all(|(a, b)| near(*a, *b)));
            prop_assert!(near(a.iter().sum(), b.iter().sum()));
        }
        for column in 0..4 {
            let sum = |t: &[Vec<u64>]| t.iter().map(|row| row[column]).sum::<u64>();
            prop_assert!(near(sum(&table), sum(&rounded)));
        }
        prop_assert!(near(table.iter().flatten().sum(), rounded.iter().flatten().sum()));
        let series = round_series(&table[0], base, &Chance::numbered(seed)).unwrap();
        prop_assert!(table[0].iter().zip(&series).all(|(a, b)| near(*a, *b)));
        prop_assert!(near(table[0].iter().sum(), series.iter().sum()));
    }
}

#[test]
fn swapping_does_not_depend_on_the_order_of_rows() {
    let x: Vec<f64> = (0..200).map(|at| f64::from(at % 17)).collect();
    let names: Vec<String> = (0..200).map(|at| format!("p{at}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let chance = Chance::numbered(5);
    let there = rank_swap(&x, 10.0, Keys::Of(&keys), &chance).unwrap();
    let back: Vec<f64> = x.iter().rev().copied().collect();
    let keys: Vec<&str> = keys.into_iter().rev().collect();
    let again = rank_swap(&back, 10.0, Keys::Of(&keys), &chance).unwrap();
    assert_eq!(there, again.into_iter().rev().collect::<Vec<_>>());
    assert_ne!(there, x);
}

#[test]
fn groups_do_not_depend_on_threads() {
    let (a, b) = (normals(1, 40_000), normals(2, 40_000));
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| mdav(&[&a, &b], 2_000).unwrap())
    };
    let one = with(1);
    assert_eq!(one, with(3));
    assert!(one.sizes.iter().all(|n| (2_000..4_000).contains(n)));
}

#[test]
fn pram_keeps_counts_in_expectation_and_can_be_inverted() {
    let counts = [6_000_u64, 3_000, 900, 100];
    let codes: Vec<Option<u32>> = counts
        .iter()
        .enumerate()
        .flat_map(|(code, n)| std::iter::repeat_n(Some(code as u32), *n as usize))
        .collect();
    let given = Transition::new(&[
        vec![0.7, 0.1, 0.1, 0.1],
        vec![0.2, 0.6, 0.1, 0.1],
        vec![0.1, 0.1, 0.7, 0.1],
        vec![0.3, 0.0, 0.0, 0.7],
    ])
    .unwrap();
    let expected = |matrix: &Transition| -> Vec<f64> {
        (0..4)
            .map(|to| (0..4).map(|from| counts[from] as f64 * matrix.probability(from, to)).sum())
            .collect()
    };
    for invariant in
        [Transition::invariant(&counts, 0.8).unwrap(), given.two_stage(&counts).unwrap()]
    {
        for (sum, count) in expected(&invariant).iter().zip(counts) {
            assert!((sum - count as f64).abs() < 1e-6);
        }
    }
    assert!((Transition::invariant(&counts, 0.8).unwrap().probability(3, 3) - 0.2).abs() < 1e-12);
    let back = given.estimate(&expected(&given)).unwrap();
    assert!(back.iter().zip(counts).all(|(a, b)| (a - b as f64).abs() < 1e-6));
    let out = given.apply(&codes, Keys::Rows, &Chance::numbered(1)).unwrap();
    let mut observed = [0.0; 4];
    for code in out.iter().flatten() {
        observed[*code as usize] += 1.0;
    }
    // Within five standard deviations of the expectation.
    assert!(observed.iter().zip(expected(&given)).all(|(a, b)| (a - b).abs() < 5.0 * b.sqrt()));
    let wrong = Transition::new(&[vec![0.5, 0.4], vec![0.0, 1.0]]);
    assert_eq!(wrong, Err(PerturbError::NotStochastic { row: 0 }));
    let outside = given.apply(&[Some(0), Some(4)], Keys::Rows, &Chance::numbered(1));
    assert_eq!(outside, Err(PerturbError::Code { row: 1 }));
    let twice = given
        .apply(&[Some(1), None, Some(1)], Keys::Of(&["a", "a", "a"]), &Chance::numbered(9))
        .unwrap();
    assert!(twice[0] == twice[2] && twice[1].is_none());
}

#[test]
fn noise_keeps_the_moments_it_names() {
    let rows = 20_000;
    let a = normals(1, rows);
    let b: Vec<f64> = normals(2, rows).iter().zip(&a).map(|(n, a)| 50.0 + 3.0 * a + n).collect();
    let columns: [&[f64]; 2] = [&a, &b];
    let chance = Chance::numbered(4);
    let run =
        |shape, moments| add_noise(&columns, 0.25, shape, moments, Keys::Rows, &chance).unwrap();
    let close = |x: f64, y: f64, by: f64| assert!((x - y).abs() <= by * y.abs(), "{x} not {y}");
    let free = run(NoiseShape::Uncorrelated, Moments::Free);
    close(covariance(&free[1], &free[1]), 1.25 * covariance(&b, &b), 0.03);
    close(covariance(&free[0], &free[1]), covariance(&a, &b), 0.03);
    let kim = run(NoiseShape::Correlated, Moments::Expected);
    close(covariance(&kim[1], &kim[1]), covariance(&b, &b), 0.03);
    close(covariance(&kim[0], &kim[1]), covariance(&a, &b), 0.03);
    let exact = run(NoiseShape::Correlated, Moments::Exact);
    for (x, y) in [(0, 0), (0, 1), (1, 1)] {
        close(covariance(&exact[x], &exact[y]), covariance(columns[x], columns[y]), 1e-10);
    }
    close(mean(&exact[1]), mean(&b), 1e-12);
    // The noise is there: the correlation with the original is that of the shrunk sum.
    let r = covariance(&exact[1], &b) / covariance(&b, &b);
    close(r, 1.0 / 1.25_f64.sqrt(), 1e-9);
    let own = run(NoiseShape::Uncorrelated, Moments::Exact);
    close(covariance(&own[1], &own[1]), covariance(&b, &b), 1e-10);
    let same = [b.clone(), b.clone()];
    let same: Vec<&[f64]> = same.iter().map(Vec::as_slice).collect();
    let refused = add_noise(&same, 0.1, NoiseShape::Correlated, Moments::Free, Keys::Rows, &chance);
    assert_eq!(refused, Err(PerturbError::Singular));
    let person = add_noise(
        &[&[1.0, 2.0, 4.0]],
        0.1,
        NoiseShape::Uncorrelated,
        Moments::Free,
        Keys::Of(&["a", "b", "a"]),
        &chance,
    )
    .unwrap();
    close(person[0][2] - person[0][0], 3.0, 1e-12);
}

#[test]
fn random_rounding_is_unbiased() {
    let chance = Chance::numbered(6);
    let column = vec![7.0; 50_000];
    let rounded = round_random(&column, 10.0, Keys::Rows, &chance).unwrap();
    assert!(rounded.iter().all(|x| [0.0, 10.0].contains(x)));
    assert!((mean(&rounded) - 7.0).abs() < 0.1);
    assert_eq!(
        round_half_even(&[5.0, 15.0, -4.0, 12.0], 10.0).unwrap(),
        [0.0, 20.0, 0.0, 10.0].map(|x: f64| x)
    );
    let table = [vec![3, 1, 9], vec![0, 7, 2]];
    let mut sums = [0_u64; 6];
    for seed in 0..20_000 {
        let out = round_matrix(&table, 5, &chance.apart(&seed.to_string())).unwrap();
        for (sum, cell) in sums.iter_mut().zip(out.concat()) {
            *sum += cell;
        }
    }
    for (sum, cell) in sums.iter().zip(table.concat()) {
        assert!((*sum as f64 / 20_000.0 - cell as f64).abs() < 0.08, "{sum} {cell}");
    }
    assert!(round_series(&[1], 0, &chance).is_err());
}

#[test]
fn samples_keep_persons_whole() {
    let names: Vec<String> = (0..3_000).map(|at| format!("p{}", at / 3)).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let chance = Chance::numbered(8);
    let share = sample_share(3_000, 0.3, Keys::Of(&keys), &chance).unwrap();
    assert!(share.chunks(3).all(|rows| rows[0] == rows[1] && rows[1] == rows[2]));
    assert!((250..350).contains(&share.chunks(3).filter(|rows| rows[0]).count()));
    let fixed = sample_keys(3_000, 100, Keys::Of(&keys), &chance).unwrap();
    assert_eq!(fixed.iter().filter(|kept| **kept).count(), 300);
    let back: Vec<&str> = keys.iter().rev().copied().collect();
    let again = sample_keys(3_000, 100, Keys::Of(&back), &chance).unwrap();
    assert_eq!(fixed, again.into_iter().rev().collect::<Vec<_>>());
    let error = sample_keys(3_000, 1_001, Keys::Of(&keys), &chance);
    assert_eq!(error, Err(PerturbError::TooFew { rows: 1_000, needed: 1_001 }));
    // Each of five is kept in two of five trials.
    let mut kept = [0; 5];
    for seed in 0..10_000 {
        let mut reservoir = Reservoir::new(2, &Chance::numbered(seed));
        (0..5).for_each(|at| reservoir.push(at));
        assert_eq!(reservoir.seen(), 5);
        reservoir.finish().into_iter().for_each(|at: usize| kept[at] += 1);
    }
    assert!(kept.iter().all(|n: &i32| (n - 4_000).abs() < 250), "{kept:?}");
}

#[test]
fn tails_hold_enough_persons_and_keep_the_mean() {
    let column: Vec<Option<f64>> =
        [1.0, 2.0, 3.0, 50.0, 60.0, 90.0, 95.0, 99.0].into_iter().map(Some).collect();
    let keys = ["a", "b", "c", "d", "e", "f", "f", "f"];
    let bounds = tail_bounds(&column, Keys::Of(&keys), 2).unwrap();
    assert_eq!(bounds, Bounds { bottom: Some(2.0), top: Some(60.0) });
    let coded = code_tails(&column, bounds, TailValue::Mean).unwrap();
    assert_eq!((coded.low, coded.high), (2, 4));
    let values: Vec<f64> = coded.values.iter().flatten().copied().collect();
    assert!((mean(&values) - 50.0).abs() < 1e-12);
    let flat = code_tails(&column, bounds, TailValue::Bound).unwrap();
    assert_eq!(flat.values[7], Some(60.0));
    assert_eq!(flat.values[3], Some(50.0));
    assert!(tail_bounds(&column, Keys::Of(&keys), 7).is_err());
    let crossed = Bounds { bottom: Some(5.0), top: Some(5.0) };
    assert!(code_tails(&column, crossed, TailValue::Bound).is_err());
}

#[test]
fn dates_of_a_person_move_together_and_never_stay() {
    let chance = Chance::numbered(11);
    let shift = DateShift { most_days: 30, whole_weeks: false };
    let mut seen = [0; 61];
    for at in 0..6_000 {
        let key = at.to_string();
        let offset = shift.offset(&key, &chance).unwrap();
        seen[(offset + 30) as usize] += 1;
        let weeks = DateShift { most_days: 30, whole_weeks: true };
        let offset = weeks.offset(&key, &chance).unwrap();
        assert!(offset != 0 && offset % 7 == 0 && offset.abs() <= 28);
    }
    assert_eq!(seen[30], 0);
    assert!(seen.iter().enumerate().all(|(at, n)| at == 30 || (50..160).contains(n)), "{seen:?}");
    let days = [Some(100), Some(107), None, Some(100)];
    let out = shift_days(&days, &["a", "a", "a", "b"], shift, &chance).unwrap();
    assert_eq!(out[1].unwrap() - out[0].unwrap(), 7);
    assert!(out[2].is_none() && out[0] != days[0] && out[3] != days[3]);
    let late = shift_days(&[Some(i32::MAX), Some(i32::MIN)], &["a", "a"], shift, &chance);
    assert!(matches!(late, Err(PerturbError::Date { .. })));
    let none = DateShift { most_days: 6, whole_weeks: true };
    assert!(none.offset("a", &chance).is_err());
}

#[test]
fn faults_name_places_and_never_values() {
    let nan = mdav(&[&[1.0, 2.0], &[3.0, f64::NAN]], 1).unwrap_err();
    assert_eq!(nan, PerturbError::NotFinite { row: 1, column: 1 });
    assert_eq!(nan.ja(), "2番目の列の2行目の値は数値ではありません。");
    let few = microaggregate_sorted(&[1.0], 2).unwrap_err();
    assert_eq!(few, PerturbError::TooFew { rows: 1, needed: 2 });
    assert!(suppress_to_k(&[&[Some(1), Some(2)]], &[1], 2).is_err());
    assert!(rank_swap(&[1.0], 101.0, Keys::Rows, &Chance::numbered(1)).is_err());
}
