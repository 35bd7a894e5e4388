//! The heuristic on lattices of 10^7 and 10^13 nodes.

use crate::oracle::{folder, json, set};
use kiban_anonymity::{Model, SearchKind, Settings, ToTheEnd, anonymize};

fn run(name: &str) {
    let Some(folder) = folder() else { return };
    let best = json(&folder, "high_dimensional.json")
        .iter()
        .filter(|run| run["dataset"] == name)
        .map(|run| match &run["score_text"] {
            serde_json::Value::String(text) => text.parse().unwrap(),
            value => value.as_f64().unwrap(),
        })
        .fold(f64::INFINITY, f64::min);
    let set = set(&folder, name);
    let table = set.table(&set.header, None);
    let mut settings = Settings::new(vec![Model::KAnonymity { k: 5 }], 1.0);
    settings.search = SearchKind::Heuristic { checks: 1_000 };
    let answer = anonymize(&table, &settings, &ToTheEnd).unwrap();
    assert!(answer.checked <= 1_000);
    assert!(answer.score <= best, "{} is worse than {best}", answer.score);
}

#[test]
fn creditcard_at_least_as_good_as_the_reference() {
    run("creditcard");
}

#[test]
fn mach2019_at_least_as_good_as_the_reference() {
    run("mach2019");
}
