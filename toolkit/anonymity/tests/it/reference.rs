//! Every configuration of the reference results (acceptance 1 of the engine).

use crate::oracle::{Set, folder, json, set};
use kiban_anonymity::{
    Aggregate, Anonymized, Distance, Measure, Model, Recoding, Settings, Table, ToTheEnd,
    anonymize, judge,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Settings from the name of a configuration.
fn settings(name: &str, sensitive: &str, rows: usize) -> Option<Settings> {
    if ["population_uniqueness", "edp", "local_fast"].iter().any(|p| name.starts_with(p)) {
        return None;
    }
    let number = |text: &str| text.parse::<f64>().unwrap();
    let attribute = || sensitive.trim_start_matches('~').to_owned();
    let parts: Vec<&str> = name.split('_').collect();
    let suppression = parts.iter().find_map(|part| part.strip_prefix("supp")).map_or(0.05, number);
    let mut models = Vec::new();
    let k = parts.iter().flat_map(|p| p.split('+')).find_map(|p| p.strip_prefix('k'));
    models.extend(k.and_then(|k| k.parse().ok()).map(|k| Model::KAnonymity { k }));
    let after = |prefix: &str| {
        let at = name.find(prefix)? + prefix.len();
        Some(number(name[at..].split('_').next().unwrap()))
    };
    if let Some(l) = after("distinct_l") {
        models.push(Model::DistinctDiversity { attribute: attribute(), l: l as u32 });
    }
    if let Some(l) = after("entropy_l") {
        models.push(Model::EntropyDiversity { attribute: attribute(), l });
    }
    if let Some(c) = after("recursive_c") {
        let l = name.split("_l").nth(1).map(|l| number(l.split('_').next().unwrap())).unwrap();
        models.push(Model::RecursiveDiversity { attribute: attribute(), c, l: l as u32 });
    }
    for (prefix, distance) in
        [("t_equal_", Distance::Equal), ("t_hierarchical_", Distance::Hierarchical)]
    {
        if let Some(t) = after(prefix) {
            models.push(Model::Closeness { attribute: attribute(), t, distance });
        }
    }
    for (prefix, enhanced) in [("basic_beta", false), ("enhanced_beta", true)] {
        if let Some(beta) = after(prefix) {
            models.push(Model::BetaLikeness { attribute: attribute(), beta, enhanced });
        }
    }
    if let Some(delta) = after("delta_disclosure") {
        models.push(Model::DeltaDisclosure { attribute: attribute(), delta });
    }
    if let Some(threshold) = after("avg_reid_risk_") {
        models.push(Model::AverageRisk { threshold });
    }
    if let Some(threshold) = after("sample_uniqueness_") {
        models.push(Model::SampleUniqueness { threshold });
    }
    if name.starts_with("kmap_3_sig0.01_usa") {
        let population = 317_238_626;
        assert!(rows > 0);
        models.push(Model::KMapEstimated { k: 3, population, significance: 0.01 });
    }
    let mut settings = Settings::new(models, suppression);
    if name.contains("discernibility_monotonic") {
        settings.measure = Measure::DiscernibilityMonotonic;
    }
    if name.ends_with("_am") {
        settings.aggregate = Aggregate::ArithmeticMean;
    }
    if name.starts_with("local_iterative") {
        settings.gs_factor = 0.05;
        settings.recoding = Recoding::LOCAL;
    }
    Some(settings)
}

fn digest(set: &Set, table: &Table, answer: &Anonymized, untyped: Option<&str>) -> String {
    let places: HashMap<&str, usize> =
        table.attributes().iter().enumerate().map(|(at, a)| (a.name.as_str(), at)).collect();
    let mut sha = Sha256::new();
    sha.update(format!("{}\n", set.header.join(";")));
    for (at, row) in set.rows.iter().enumerate() {
        let labels = answer.labels(table, at);
        let cells: Vec<&str> = set
            .header
            .iter()
            .zip(row)
            .map(|(name, value)| match places.get(name.as_str()) {
                Some(place) => labels.as_ref().map_or("*", |labels| labels[*place]),
                None if untyped == Some(name.as_str()) => "*",
                None => value,
            })
            .collect();
        sha.update(cells.join(";"));
        sha.update("\n");
    }
    hex::encode(sha.finalize())
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        value => value.as_f64().unwrap(),
    }
}

fn levels(value: &Value, header: &[String]) -> (Vec<String>, Vec<usize>) {
    let map = value.as_object().unwrap();
    header
        .iter()
        .filter_map(|name| Some((name.clone(), map.get(name)?.as_u64().unwrap() as usize)))
        .unzip()
}

fn run_set(name: &str) {
    let Some(folder) = folder() else { return };
    let set = set(&folder, name);
    let mut faults = Vec::new();
    for expected in json(&folder, &format!("{name}.json")) {
        let config = expected["config"].as_str().unwrap();
        let sensitive = expected["sensitive"].as_str();
        let Some(settings) = settings(config, sensitive.unwrap_or(""), set.rows.len()) else {
            continue;
        };
        let (quasi, want) = levels(&expected["transformation"], &set.header);
        let table = set.table(&quasi, sensitive.filter(|name| !name.starts_with('~')));
        let answer = anonymize(&table, &settings, &ToTheEnd).unwrap();
        let untyped = sensitive.and_then(|name| name.strip_prefix('~'));
        let mut fault = |what: &str| {
            faults.push(format!("{config}: {what}"));
        };
        if (answer.score - number(&expected["score_text"])).abs() > 1e-9 {
            fault(&format!("score {} not {}", answer.score, expected["score_text"]));
        }
        if answer.passes[0].levels != want {
            fault(&format!("levels {:?} not {want:?}", answer.passes[0].levels));
        }
        let eq = &expected["eq"];
        if answer.suppressed != eq["suppressed"].as_u64().unwrap() {
            fault(&format!("suppressed {} not {}", answer.suppressed, eq["suppressed"]));
        }
        if answer.classes() != eq["classes"].as_u64().unwrap() {
            fault(&format!("classes {} not {}", answer.classes(), eq["classes"]));
        }
        if u128::from(expected["lattice_nodes"].as_u64().unwrap()) != answer.lattice_nodes {
            fault("nodes of the lattice");
        }
        let histogram: Vec<u64> =
            answer.histogram.iter().flat_map(|(size, n)| [u64::from(*size), *n]).collect();
        let want = expected["class_histogram_size_count"].as_array();
        if want.is_some_and(|want| *want != histogram) {
            fault("histogram of class sizes");
        }
        if expected["output_sha256"].as_str() != Some(&digest(&set, &table, &answer, untyped)) {
            fault("digest of the output");
        }
    }
    assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
}

#[test]
fn adult_as_the_reference() {
    run_set("adult");
}

#[test]
fn fars_as_the_reference() {
    run_set("fars");
}

fn run_nodes(name: &str) {
    let Some(folder) = folder() else { return };
    let set = set(&folder, name);
    let mut faults = Vec::new();
    for expected in json(&folder, &format!("node_samples_{name}.json")) {
        let config = expected["config"].as_str().unwrap();
        let sensitive = expected["sensitive"].as_str();
        let Some(settings) = settings(config, sensitive.unwrap_or(""), set.rows.len()) else {
            continue;
        };
        let nodes = expected["nodes"].as_array().unwrap();
        let (quasi, _) = levels(&nodes[0]["t"], &set.header);
        let table = set.table(&quasi, sensitive);
        for (at, expected) in nodes.iter().enumerate() {
            let (_, levels) = levels(&expected["t"], &set.header);
            let node = judge(&table, &settings, &levels).unwrap();
            let want: Vec<f64> = match &expected["vector"] {
                Value::Array(vector) => vector.iter().map(number).collect(),
                _ => Vec::new(),
            };
            let near = settings.measure != Measure::Loss
                || node.values.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-9);
            let eq = &expected["eq"];
            if !near
                || node.suppressed != eq["suppressed"].as_u64().unwrap()
                || node.classes != eq["classes"].as_u64().unwrap()
                || node.anonymous != (expected["anonymous"] == "ANONYMOUS")
            {
                faults.push(format!("{config} node {at}: {node:?} not {expected}"));
            }
        }
    }
    faults.truncate(20);
    assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
}

#[test]
fn adult_nodes_as_the_reference() {
    run_nodes("adult");
}

#[test]
fn fars_nodes_as_the_reference() {
    run_nodes("fars");
}
