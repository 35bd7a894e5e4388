//! The journey and its truth: who reaches which product, what stays nowhere, stops at every time, repeats.

mod gate;
mod sources;
mod stops;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use kiban_country::fixtures;
use kiban_journeys::{
    Error, Parties, StopRequest,
    holder::{self, Gate, SealError, SealRequest},
    kernel::{Bases, NoSteps, OsEntropy, Regime},
    stop::{Requester, Scope},
};

use crate::support::{
    Scratch,
    acts::{self, WISHES},
    files::{self, csv_rows},
    lake, run,
    site::{self, HOLDERS, Site, day_after, specification},
};

/// Records of the truth file, each with its opaque id.
async fn regimes(site: &Site) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    for row in csv_rows(&site.truth().join("regimes.csv")) {
        let holder = Parties::organization_id(&row["holder"]);
        let id = kiban_journeys::person_sources(&site.on, holder, [row["local_id"].as_str()])
            .await
            .unwrap();
        found.push((id[0].to_string(), row));
    }
    found
}

/// The cleared records must be exactly those of two columns of the truth.
async fn assert_cleared(site: &Site, columns: [&str; 2]) {
    let truth = regimes(site).await;
    for (regime, column) in Regime::ALL.into_iter().zip(columns) {
        let cleared = kiban_journeys::cleared_sources(&site.on, regime).await.unwrap();
        let expected: BTreeSet<String> =
            truth.iter().filter(|(_, r)| r[column] == "yes").map(|(id, _)| id.clone()).collect();
        for (id, row) in &truth {
            let (is, must) = (cleared.contains(id), expected.contains(id));
            assert_eq!(
                is, must,
                "{column}: {} of {} ({})",
                row["local_id"], row["holder"], row["group"]
            );
        }
        assert_eq!(cleared.len(), expected.len(), "{column}: somebody the truth does not know");
        assert!(!expected.is_empty());
    }
}

async fn verified(site: &Site) -> u64 {
    let verified = kiban_journeys::verify_deployment(&site.dir, &[]).await.unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    verified.events
}

#[test]
fn exactly_the_right_records_reach_each_product() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        assert_cleared(&site, ["reaches_anon", "reaches_pseudo"]).await;
        // Every group of the issue occurs, at every holder.
        let groups: BTreeSet<(String, String)> = regimes(&site)
            .await
            .into_iter()
            .map(|(_, r)| (r["holder"].clone(), r["group"].clone()))
            .collect();
        for holder in HOLDERS {
            for group in ["both", "anon_only", "pseudo_only", "neither", "waiting", "refused"] {
                assert!(
                    groups.contains(&(holder.to_owned(), group.to_owned())),
                    "{holder} has no {group}"
                );
            }
        }
        assert!(groups.iter().any(|(_, g)| g == "dead_before_notice"));
        // The persons of the opened pseudonymized package are those of the truth: as many, of the same sex and
        // birth date.
        let links = kiban_journeys::links(&site.on).await.unwrap();
        let person_of: BTreeMap<String, String> =
            links.iter().map(|(source, person)| (source.to_string(), person.to_string())).collect();
        let sources: BTreeSet<String> = regimes(&site)
            .await
            .into_iter()
            .filter(|(_, r)| r["reaches_pseudo"] == "yes")
            .map(|(s, _)| s)
            .collect();
        let mut births: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for row in &lake::rows(&site.on, "person").await {
            if sources.contains(&row["person_source"]) {
                let known = births.entry(&person_of[&row["person_source"]]).or_default();
                known.extend(row.get("birth_on").cloned());
            }
        }
        let datasets = acts::delivered(&site);
        for (wish, dataset) in WISHES.iter().zip(&datasets).skip(1) {
            let opened = acts::open(&site, *wish, dataset.id);
            let persons = csv_rows(&opened.join("data/person.csv"));
            assert_eq!(persons.len(), births.len());
            let known: Vec<&BTreeSet<String>> = births.values().collect();
            // A birth date that a finding coarsened or emptied fits anybody.
            let fits = |person: usize, of: usize| {
                let birth = &persons[person]["birth_on"];
                !birth.contains('-') || known[of].is_empty() || known[of].contains(birth)
            };
            let mut taken = vec![None; known.len()];
            for person in 0..persons.len() {
                let mut tried = vec![false; known.len()];
                assert!(
                    assign(person, &fits, &mut taken, &mut tried),
                    "a birth date that nobody has"
                );
            }
        }
        site.close().await;
    });
}

/// Finds `person` a place of its own among those that fit, moving others where need be.
fn assign(
    person: usize,
    fits: &impl Fn(usize, usize) -> bool,
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for of in 0..taken.len() {
        if tried[of] || !fits(person, of) {
            continue;
        }
        tried[of] = true;
        if taken[of].is_none_or(|other| assign(other, fits, taken, tried)) {
            taken[of] = Some(person);
            return true;
        }
    }
    false
}

#[test]
fn of_those_who_must_not_be_sent_no_byte_is_kept() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let truth = regimes(&site).await;
        let never: Vec<&(String, BTreeMap<String, String>)> = truth
            .iter()
            .filter(|(_, r)| r["sent_anon"] == "no" && r["sent_pseudo"] == "no")
            .collect();
        let kinds: BTreeSet<&str> = never.iter().map(|(_, r)| r["group"].as_str()).collect();
        for group in ["neither", "waiting", "refused", "dead_before_notice"] {
            assert!(kinds.contains(group), "nobody of {group} was withheld altogether");
        }
        // What names them: opaque id, local id, name and phone as in the holders' own files.
        let mut values: Vec<Vec<u8>> = Vec::new();
        for (id, row) in &never {
            values.push(id.clone().into_bytes());
            values.push(row["local_id"].clone().into_bytes());
        }
        values.extend(names(&site, &never));
        assert!(values.len() > 3 * never.len(), "names were found for nearly all");
        let scanner = AhoCorasick::new(&values).unwrap();
        let mut files_read = 0;
        for path in files::walk(&site.dir) {
            let inside = path.strip_prefix(&site.dir).unwrap();
            if inside.starts_with("country") || inside.starts_with("holders") {
                continue;
            }
            files_read += 1;
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !files::holds(&bytes, &scanner),
                "{} names somebody who was never sent",
                inside.display()
            );
        }
        assert!(files_read > 50);
        // And decrypted: no row, no cell, no container, no key.
        let mut cells = 0;
        for table in lake::tables() {
            for row in lake::rows(&site.on, table).await {
                for (column, cell) in row {
                    cells += 1;
                    assert!(
                        !(scanner.is_match(&cell) && is_theirs(&cell, &never)),
                        "{table}.{column} names somebody who was never sent"
                    );
                }
            }
        }
        assert!(cells > 10_000, "{cells}");
        site.close().await;
    });
}

/// A cell of somebody else may hold the same name or household phone; ids and local ids are nobody else's.
fn is_theirs(cell: &str, never: &[&(String, BTreeMap<String, String>)]) -> bool {
    never
        .iter()
        .any(|(id, row)| cell.contains(id.as_str()) || cell.contains(row["local_id"].as_str()))
}

/// Kanji names and phones of these records, as the holders' files have them, in UTF-8.
fn names(site: &Site, of: &[&(String, BTreeMap<String, String>)]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let ids: BTreeSet<&str> = of.iter().map(|(_, r)| r["local_id"].as_str()).collect();
    let bytes = std::fs::read(site.source("municipality").join("persons.csv")).unwrap();
    let (text, _, broken) = encoding_rs::SHIFT_JIS.decode(&bytes);
    assert!(!broken);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| {
        header.iter().position(|h| h.contains(name)).unwrap_or_else(|| panic!("{name}: {header:?}"))
    };
    let (id, kanji, phone) = (column("宛名番号"), column("氏名"), column("電話"));
    for row in reader.records().map(Result::unwrap) {
        if ids.contains(&row[id]) {
            found.extend([row[kanji].as_bytes().to_vec(), row[phone].as_bytes().to_vec()]);
        }
    }
    let patients =
        std::fs::read_to_string(site.source("hospital_b").join("Patient.ndjson")).unwrap();
    for line in patients.lines() {
        let patient: serde_json::Value = serde_json::from_str(line).unwrap();
        if ids.contains(patient["id"].as_str().unwrap()) {
            found.extend(
                patient["name"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|n| n["text"].as_str())
                    .map(|n| n.as_bytes().to_vec()),
            );
        }
    }
    found.retain(|value| value.len() >= 6);
    found
}
