//! Every model against its definition, on random tables, all nodes of the lattice tried by hand.

use kiban_anonymity::{
    Aggregate, Anonymized, Attribute, Control, Distance, Hierarchy, Measure, Model, Recoding,
    SearchKind, Sensitive, Settings, Table, TableBuilder, ToTheEnd, anonymize, judge,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A random table: rows of leaves, labels of each leaf per level, sensitive values.
#[derive(Debug, Clone)]
struct Random {
    /// `labels[attribute][leaf][level]`
    labels: Vec<Vec<Vec<String>>>,
    rows: Vec<(Vec<usize>, usize)>,
}

const SECRETS: [(&str, &str); 4] = [("1", "x"), ("2", "x"), ("3", "y"), ("10", "y")];

fn labels() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2_usize..6, 1_usize..4, 1_usize..4).prop_map(|(leaves, width, levels)| {
        (0..leaves)
            .map(|leaf| {
                let mut row = vec![format!("v{leaf}")];
                for level in 1..levels {
                    row.push(format!("g{level}_{}", leaf / (width * level + 1)));
                }
                row.push("*".into());
                row
            })
            .collect::<Vec<_>>()
    })
}

/// Keep the rows that make a nested hierarchy: a level whose groups cross is replaced by the root.
fn nested(mut labels: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for level in 1..labels[0].len() {
        let crosses = (0..labels.len()).any(|a| {
            (0..labels.len()).any(|b| {
                labels[a][level - 1] == labels[b][level - 1] && labels[a][level] != labels[b][level]
            })
        });
        if crosses {
            for row in &mut labels {
                row[level] = "*".into();
            }
        }
    }
    labels
}

fn tables() -> impl Strategy<Value = Random> {
    prop::collection::vec(labels().prop_map(nested), 1..4).prop_flat_map(|labels| {
        let leaves: Vec<_> = labels.iter().map(|l| 0..l.len()).collect();
        let rows = prop::collection::vec((leaves, 0_usize..SECRETS.len()), 1..60);
        rows.prop_map(move |rows| Random { labels: labels.clone(), rows })
    })
}

fn table(random: &Random) -> Table {
    let attributes = random
        .labels
        .iter()
        .enumerate()
        .map(|(at, labels)| {
            let rows = labels.iter().map(|row| row.iter().map(String::as_str));
            Attribute::new(format!("a{at}"), Hierarchy::from_rows(rows).unwrap())
        })
        .collect();
    let tree = Hierarchy::from_rows(SECRETS.map(|(value, group)| [value, group, "*"])).unwrap();
    let mut builder = TableBuilder::new(attributes, vec![Sensitive::new("s", Some(tree))]).unwrap();
    for (leaves, secret) in &random.rows {
        let quasi: Vec<&str> =
            leaves.iter().zip(&random.labels).map(|(leaf, l)| l[*leaf][0].as_str()).collect();
        builder.push(&quasi, &[SECRETS[*secret].0]).unwrap();
    }
    builder.finish()
}

/// Shares of the sensitive values among some rows.
fn shares(random: &Random, rows: &[usize]) -> [f64; 4] {
    let mut shares = [0.0; 4];
    for row in rows {
        shares[random.rows[*row].1] += 1.0 / rows.len() as f64;
    }
    shares
}

/// The definition of each model for one class.
fn holds(random: &Random, model: &Model, class: &[usize]) -> bool {
    let all: Vec<usize> = (0..random.rows.len()).collect();
    let (p, q) = (shares(random, class), shares(random, &all));
    let apart = |a: f64, b: f64| a <= b + 1e-12;
    match model {
        Model::KAnonymity { k } => class.len() >= *k as usize,
        Model::DistinctDiversity { l, .. } => p.iter().filter(|p| **p > 0.0).count() >= *l as usize,
        Model::EntropyDiversity { l, .. } => {
            let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            apart(l.ln(), entropy)
        }
        Model::RecursiveDiversity { c, l, .. } => {
            let mut counts: Vec<f64> = p.iter().filter(|p| **p > 0.0).copied().collect();
            counts.sort_by(|a, b| b.total_cmp(a));
            counts.len() >= *l as usize
                && counts[0] + 1e-12 < c * counts[*l as usize - 1..].iter().sum::<f64>()
        }
        Model::Closeness { t, distance, .. } => {
            let d: Vec<f64> = p.iter().zip(&q).map(|(p, q)| p - q).collect();
            let emd = match distance {
                Distance::Equal => d.iter().map(|d| d.abs()).sum::<f64>() / 2.0,
                // Two groups of two: what can be balanced inside a group costs 1/2, the rest 1.
                Distance::Hierarchical => {
                    let inside =
                        |a: f64, b: f64| if a * b < 0.0 { a.abs().min(b.abs()) } else { 0.0 };
                    let across = (d[0] + d[1]).abs().min((d[2] + d[3]).abs());
                    0.5 * (inside(d[0], d[1]) + inside(d[2], d[3])) + across
                }
                Distance::Ordered => {
                    let mut sum = 0.0;
                    let mut carried = 0.0;
                    for d in &d {
                        carried += d;
                        sum += f64::abs(carried);
                    }
                    sum / 3.0
                }
            };
            apart(emd, *t)
        }
        Model::DeltaDisclosure { delta, .. } => {
            p.iter().zip(&q).all(|(p, q)| *p == 0.0 || (p / q).log2().abs() < *delta)
        }
        Model::BetaLikeness { beta, enhanced, .. } => p.iter().zip(&q).all(|(p, q)| {
            let limit = if *enhanced { beta.min(-q.ln()) } else { *beta };
            *p == 0.0 || apart((p - q) / q, limit)
        }),
        model => panic!("no definition of {model:?} here"),
    }
}

/// Classes of a node, and which of them fail.
fn classes(random: &Random, levels: &[usize], models: &[Model]) -> Vec<(Vec<usize>, bool)> {
    let mut classes: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (row, (leaves, _)) in random.rows.iter().enumerate() {
        let key = leaves
            .iter()
            .enumerate()
            .map(|(at, leaf)| random.labels[at][*leaf][levels[at]].as_str())
            .collect();
        classes.entry(key).or_default().push(row);
    }
    let fails = |class: &[usize]| !models.iter().all(|model| holds(random, model, class));
    classes
        .into_values()
        .map(|class| {
            let fails = fails(&class);
            (class, fails)
        })
        .collect()
}

/// Suppressed rows and Loss of a node.
fn score(random: &Random, levels: &[usize], models: &[Model], gs: f64) -> (usize, f64) {
    let classes = classes(random, levels, models);
    let suppressed = classes.iter().filter(|(_, fails)| *fails).map(|(class, _)| class.len()).sum();
    let (g, s) =
        (if gs <= 0.5 { 1.0 } else { 2.0 - 2.0 * gs }, if gs < 0.5 { 2.0 * gs } else { 1.0 });
    let n = random.rows.len() as f64;
    let product: f64 = (0..levels.len())
        .map(|at| {
            let labels = &random.labels[at];
            let leaves = labels.len() as f64;
            let mut sum = 0.0;
            for (class, fails) in &classes {
                for row in class {
                    let label = &labels[random.rows[*row].0[at]][levels[at]];
                    let share = labels.iter().filter(|row| row[levels[at]] == *label).count()
                        as f64
                        / leaves;
                    sum += if *fails { share + s * (1.0 - share) } else { g * share };
                }
            }
            let least = g * n / leaves;
            let value = ((sum - least) / (n - least)).max(0.0);
            (1.0 + value).powf(1.0 / levels.len() as f64)
        })
        .product();
    (suppressed, product - 1.0)
}

fn nodes(random: &Random) -> Vec<Vec<usize>> {
    let mut nodes = vec![vec![]];
    for labels in &random.labels {
        nodes = nodes
            .into_iter()
            .flat_map(|node: Vec<usize>| {
                (0..labels[0].len()).map(move |level| [node.clone(), vec![level]].concat())
            })
            .collect();
    }
    nodes
}

fn models() -> impl Strategy<Value = Vec<Model>> {
    let attribute = || "s".to_owned();
    let one = prop_oneof![
        (1_u32..4).prop_map(move |l| Model::DistinctDiversity { attribute: attribute(), l }),
        (1.0..3.0).prop_map(move |l| Model::EntropyDiversity { attribute: attribute(), l }),
        (1_u32..4, 0.5..4.0).prop_map(move |(l, c)| Model::RecursiveDiversity {
            attribute: attribute(),
            c,
            l
        }),
        (0.05..0.9, 0..3).prop_map(move |(t, kind)| Model::Closeness {
            attribute: attribute(),
            t,
            distance: [Distance::Equal, Distance::Hierarchical, Distance::Ordered][kind as usize],
        }),
        (0.3..3.0).prop_map(move |delta| Model::DeltaDisclosure { attribute: attribute(), delta }),
        (0.2..3.0, any::<bool>()).prop_map(move |(beta, enhanced)| Model::BetaLikeness {
            attribute: attribute(),
            beta,
            enhanced
        }),
    ];
    (1_u32..6, prop::option::of(one))
        .prop_map(|(k, more)| [Some(Model::KAnonymity { k }), more].into_iter().flatten().collect())
}

fn within<T: Send>(threads: usize, act: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(act)
}

fn same(a: &Anonymized, b: &Anonymized) -> bool {
    (a.score.to_bits(), &a.passes, a.suppressed, &a.histogram, a.checked)
        == (b.score.to_bits(), &b.passes, b.suppressed, &b.histogram, b.checked)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// `anonymity.optimal`, `anonymity.models-hold`: the answer is the best of all nodes, by definition.
    #[test]
    fn the_best_node_by_definition(
        random in tables(),
        models in models(),
        limit in prop::sample::select(vec![0.0, 0.1, 0.5, 1.0]),
        gs in prop::sample::select(vec![0.05, 0.5, 0.8]),
    ) {
        let table = table(&random);
        let mut settings = Settings::new(models.clone(), limit);
        settings.gs_factor = gs;
        let allowed = (limit * random.rows.len() as f64).floor() as usize;
        let mut best = f64::INFINITY;
        for levels in nodes(&random) {
            let (suppressed, score) = score(&random, &levels, &models, gs);
            let node = judge(&table, &settings, &levels).unwrap();
            prop_assert_eq!(node.suppressed as usize, suppressed, "{:?}", levels);
            prop_assert!((node.score - score).abs() < 1e-9, "{} not {}", node.score, score);
            if suppressed <= allowed {
                best = best.min(score);
            }
        }
        match anonymize(&table, &settings, &ToTheEnd) {
            Ok(answer) => {
                prop_assert!((answer.score - best).abs() < 1e-9, "{} not {best}", answer.score);
                for (class, fails) in classes(&random, &answer.passes[0].levels, &models) {
                    for row in class {
                        prop_assert_eq!(answer.labels(&table, row).is_none(), fails);
                    }
                }
            }
            Err(_) => prop_assert!(best.is_infinite()),
        }
    }

    /// `anonymity.deterministic`: 1, 2 and 4 threads give the same answer, whatever the search.
    #[test]
    fn threads_do_not_matter(random in tables(), models in models(), kind in 0..3) {
        let table = table(&random);
        let mut settings = Settings::new(models, 1.0);
        match kind {
            0 => settings.search = SearchKind::Optimal,
            1 => settings.search = SearchKind::Heuristic { checks: 20 },
            _ => {
                settings.models.truncate(1);
                settings.gs_factor = 0.05;
                settings.recoding = Recoding::LOCAL;
            }
        }
        let run = |threads| within(threads, || anonymize(&table, &settings, &ToTheEnd).unwrap());
        let one = run(1);
        prop_assert!(same(&one, &run(2)) && same(&one, &run(4)));
    }

    /// Local recoding keeps at least as many rows, and every class of every pass has k rows.
    #[test]
    fn local_recoding_keeps_more_and_keeps_k(random in tables(), k in 1_u32..6) {
        let table = table(&random);
        let mut settings = Settings::new(vec![Model::KAnonymity { k }], 1.0);
        settings.gs_factor = 0.05;
        let once = anonymize(&table, &settings, &ToTheEnd).unwrap();
        settings.recoding = Recoding::LOCAL;
        let local = anonymize(&table, &settings, &ToTheEnd).unwrap();
        prop_assert!(local.suppressed <= once.suppressed);
        let mut sizes: BTreeMap<Vec<&str>, u32> = BTreeMap::new();
        for row in 0..random.rows.len() {
            if let Some(labels) = local.labels(&table, row) {
                *sizes.entry(labels).or_insert(0) += 1;
            }
        }
        prop_assert!(sizes.values().all(|size| *size >= k));
        prop_assert_eq!(sizes.values().map(|n| u64::from(*n)).sum::<u64>(), local.kept());
    }

    /// More generalisation never lowers the class measure DM*, and never raises what k suppresses.
    #[test]
    fn monotone_quantities_move_the_right_way(random in tables(), k in 1_u32..6) {
        let table = table(&random);
        let mut settings = Settings::new(vec![Model::KAnonymity { k }], 1.0);
        settings.measure = Measure::DiscernibilityMonotonic;
        settings.aggregate = Aggregate::ArithmeticMean;
        for levels in nodes(&random) {
            let here = judge(&table, &settings, &levels).unwrap();
            for at in 0..levels.len() {
                let mut up = levels.clone();
                up[at] += 1;
                if up[at] < random.labels[at][0].len() {
                    let above = judge(&table, &settings, &up).unwrap();
                    prop_assert!(above.score >= here.score);
                    prop_assert!(above.suppressed <= here.suppressed);
                }
            }
        }
    }

    /// Other measures: the search agrees with judging every node.
    #[test]
    fn every_measure_is_minimised(random in tables(), k in 1_u32..4, which in 0..7) {
        let table = table(&random);
        let mut settings = Settings::new(vec![Model::KAnonymity { k }], 0.5);
        settings.measure = [
            Measure::Loss,
            Measure::Precision,
            Measure::Entropy,
            Measure::Discernibility,
            Measure::DiscernibilityMonotonic,
            Measure::ClassSize,
            Measure::Ambiguity,
        ][which as usize];
        let judged = nodes(&random).into_iter().map(|n| judge(&table, &settings, &n).unwrap());
        let best = judged.filter(|n| n.anonymous).map(|n| n.score).fold(f64::INFINITY, f64::min);
        match anonymize(&table, &settings, &ToTheEnd) {
            Ok(answer) => prop_assert!((answer.score - best).abs() < 1e-9),
            Err(_) => prop_assert!(best.is_infinite()),
        }
    }
}

/// A search that is stopped returns the best found so far.
#[test]
fn stopped_searches_return_what_they_have() {
    struct After(std::sync::atomic::AtomicU64);
    impl Control for After {
        fn stop(&self) -> bool {
            self.0.load(std::sync::atomic::Ordering::Relaxed) > 0
        }
        fn progress(&self, checked: u64, _best: f64) {
            self.0.store(checked, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let labels: Vec<Vec<String>> =
        (0..8).map(|v| vec![format!("{v}"), format!("{}x", v / 2), "*".into()]).collect();
    let rows =
        (0..400).map(|r| (vec![r % 8, r / 3 % 8, r / 7 % 8, r / 11 % 8, r / 5 % 8, r % 5], 0));
    let random = Random { labels: vec![labels; 6], rows: rows.collect() };
    let table = table(&random);
    let settings = Settings::new(vec![Model::KAnonymity { k: 5 }], 0.5);
    let stopped = anonymize(&table, &settings, &After(0.into())).unwrap();
    let whole = anonymize(&table, &settings, &ToTheEnd).unwrap();
    assert!(!stopped.optimal && whole.optimal && stopped.checked < whole.checked);
    assert!(stopped.score >= whole.score);
}
