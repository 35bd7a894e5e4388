//! What the tool promises of a list.

use std::collections::HashMap;

use kiban_linkage::{Model, ModelError, tool};

use crate::people::{Dice, country, file};

fn link(text: &[u8], options: &tool::Options) -> tool::Run {
    tool::link(text, options, &|_| {}).expect("the list is readable")
}

fn clusters(run: &tool::Run) -> String {
    let mut out = Vec::new();
    run.write_clusters(&mut out).expect("memory can be written");
    String::from_utf8(out).expect("ids are text")
}

fn pairs(run: &tool::Run) -> Vec<u8> {
    let mut out = Vec::new();
    run.write_pairs(&mut out).expect("memory can be written");
    out
}

/// Pairwise precision and recall; row `i` has the id `R{i}`.
fn quality(clusters: &str, truth: &[usize]) -> (f64, f64) {
    let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
    for line in clusters.lines().skip(1) {
        let (id, cluster) = line.split_once(',').expect("two columns");
        groups.entry(cluster).or_default().push(id[1..].parse().expect("a number"));
    }
    let pairs = |n: usize| n * n.saturating_sub(1) / 2;
    let found: usize = groups.values().map(|g| pairs(g.len())).sum();
    let right: usize = groups
        .values()
        .flat_map(|g| g.iter().enumerate().map(|(i, a)| (a, &g[i + 1..])))
        .map(|(a, rest)| rest.iter().filter(|b| truth[**b] == truth[*a]).count())
        .sum();
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    for who in truth {
        *sizes.entry(*who).or_default() += 1;
    }
    let all: usize = sizes.values().map(|n| pairs(*n)).sum();
    (right as f64 / found as f64, right as f64 / all as f64)
}

#[test]
fn people_are_found_without_examples() {
    for seed in [1, 2] {
        let (rows, truth) = country(1500, seed);
        let (precision, recall) =
            quality(&clusters(&link(file(&rows).as_bytes(), &tool::Options::default())), &truth);
        assert!(precision > 0.99 && recall > 0.985, "{seed}: {precision} {recall}");
    }
}

// linkage.list-order
#[test]
fn neither_order_nor_threads_matter() {
    let (mut rows, _) = country(300, 3);
    let threads = |n| tool::Options { threads: Some(n), ..tool::Options::default() };
    let one = link(file(&rows).as_bytes(), &threads(1));
    let mut dice = Dice::new(9);
    for i in (1..rows.len()).rev() {
        rows.swap(i, dice.below(i + 1));
    }
    for n in [1, 2, 4] {
        let run = link(file(&rows).as_bytes(), &threads(n));
        assert!(clusters(&run) == clusters(&one), "{n} threads");
        assert!(pairs(&run) == pairs(&one), "{n} threads");
        assert_eq!(run.report(), one.report(), "{n} threads");
    }
}

// linkage.model-again
#[test]
fn a_model_from_its_file_gives_the_same_persons() {
    let (rows, _) = country(300, 4);
    let run = link(file(&rows).as_bytes(), &tool::Options::default());
    let text = run.model().to_json();
    let model = Model::from_json(&text).expect("what was written can be read");
    assert_eq!(&model, run.model());
    let again = link(
        file(&rows).as_bytes(),
        &tool::Options { model: Some(model), ..tool::Options::default() },
    );
    assert_eq!(clusters(&again), clusters(&run));
    assert_eq!(Model::from_json("{"), Err(ModelError::Json));
    assert_eq!(Model::from_json("{}"), Err(ModelError::Version));
    // the first version had other levels of sex
    let old = text.replacen("\"kiban_linkage_model\": 2", "\"kiban_linkage_model\": 1", 1);
    let refused = Model::from_json(&old).expect_err("an older version");
    assert_eq!(refused, ModelError::Version);
    assert!(refused.ja().contains("作り直して"), "{}", refused.ja());
    let broken = text.replacen("\"share\"", "\"shore\"", 1);
    assert!(matches!(Model::from_json(&broken), Err(ModelError::Lacks { .. })));
}

#[test]
fn reasons_sum_to_the_score() {
    let (rows, _) = country(300, 5);
    let run = link(file(&rows).as_bytes(), &tool::Options::default());
    let listed = String::from_utf8(pairs(&run)).expect("text");
    for line in listed.lines().skip(1).take(200) {
        let cells: Vec<&str> = line.split(',').collect();
        let (reasons, score) = run.why(cells[0], cells[1]).expect("both are there");
        let sum: f64 = reasons.iter().map(|r| r.bits).sum();
        let listed: f64 = cells[2].parse().expect("a number");
        assert!((sum - score).abs() < 1e-6 && (score - listed).abs() < 1e-3, "{sum} {score}");
    }
    assert!(run.why("R000000", "nobody").is_none());
}

#[test]
fn encodings_do_not_matter() {
    let (rows, _) = country(200, 6);
    let text = file(&rows);
    let plain = link(text.as_bytes(), &tool::Options::default());
    let marked = link(format!("\u{FEFF}{text}").as_bytes(), &tool::Options::default());
    let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(&text);
    let cp932 = link(&cp932, &tool::Options::default());
    assert_eq!(clusters(&marked), clusters(&plain));
    assert_eq!(clusters(&cp932), clusters(&plain));
    assert_eq!((plain.report().encoding, cp932.report().encoding), ("utf-8", "cp932"));
}
