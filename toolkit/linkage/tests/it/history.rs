//! Persons that keep their ids.

use std::collections::{BTreeMap, BTreeSet};

use kiban_linkage::{Event, History, HistoryError, PersonId, Persons};
use proptest::prelude::*;

fn clusters(of: &[&[&str]]) -> Vec<Vec<String>> {
    of.iter().map(|c| c.iter().map(|r| (*r).to_owned()).collect()).collect()
}

fn after(history: &History, of: &[&[&str]]) -> History {
    history.advance(&clusters(of), "").expect("clusters")
}

fn kinds(history: &History) -> Vec<(&'static str, u64, usize)> {
    let last = history.steps().last().expect("a step");
    last.events.iter().map(|e| (e.id(), e.person().0, e.records().len())).collect()
}

#[test]
fn what_becomes_of_persons() {
    let first = after(&History::default(), &[&["a", "b", "c"], &["d", "e"]]);
    assert_eq!(kinds(&first), [("created", 1, 3), ("created", 2, 2)]);
    // the larger part keeps the id; the new record joins
    let split = after(&first, &[&["a", "b"], &["c", "x"], &["d", "e"]]);
    assert_eq!(kinds(&split), [("split", 3, 1), ("joined", 3, 1)]);
    // of equal parts the oldest person goes on
    let merged = after(&split, &[&["a", "b", "d", "e"], &["c", "x"]]);
    assert_eq!(kinds(&merged), [("merged", 1, 2)]);
    // one record changes sides
    let moved = after(&merged, &[&["a", "b", "d"], &["c", "e", "x"]]);
    assert_eq!(kinds(&moved), [("moved", 3, 1)]);
    // numbers are not used again, and nothing names the erased
    let erased = after(&moved, &[&["c", "e"], &["z"]]);
    assert_eq!(kinds(&erased), [("erased", 1, 0), ("erased", 3, 0), ("created", 4, 1)]);
    let told = serde_json::to_string(&erased).expect("JSON");
    assert!(["\"a\"", "\"b\"", "\"d\"", "\"x\""].iter().all(|r| !told.contains(r)), "{told}");
    let again: History = serde_json::from_str(&told).expect("JSON");
    assert_eq!(again.persons(), erased.persons());
    let Event::Erased { gone, count, .. } = &erased.steps()[4].events[0] else { panic!("erased") };
    assert_eq!((*gone, *count), (true, 3));
    assert!(erased.steps().iter().flat_map(|s| &s.events).all(|e| e.ja().ends_with('。')));
    let twice = History::default().advance(&clusters(&[&["a"], &["a", "b"]]), "");
    assert_eq!(twice, Err(HistoryError::Twice { count: 1 }));
    let broken = told.replacen("\"merged\",\"from\":2", "\"merged\",\"from\":3", 1);
    let broken: History = serde_json::from_str(&broken).expect("JSON");
    assert!(matches!(broken.persons(), Err(HistoryError::Broken { step: 3, event: 1 })));
    assert_eq!(PersonId(7).to_string(), "P0000000007");
}

fn groups(labels: &[usize]) -> Vec<Vec<String>> {
    let mut of: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    // label 0: the record is not there
    for (record, label) in labels.iter().enumerate().filter(|(_, l)| **l > 0) {
        of.entry(*label).or_default().push(format!("r{record:02}"));
    }
    of.into_values().collect()
}

fn sets(persons: &Persons) -> BTreeSet<BTreeSet<String>> {
    persons.values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    // history.replay, history.told
    #[test]
    fn replay_gives_the_persons_and_no_id_changes_untold(
        steps in prop::collection::vec(prop::collection::vec(0usize..6, 12), 1..8)
    ) {
        let mut history = History::default();
        let mut turned = History::default();
        let mut ever = BTreeSet::new();
        for labels in &steps {
            let now = groups(labels);
            let before = history.persons().expect("sound");
            history = history.advance(&now, "n").expect("sound");
            let mut other: Vec<Vec<String>> = now.clone();
            other.reverse();
            for c in &mut other {
                c.reverse();
            }
            turned = turned.advance(&other, "n").expect("sound");
            prop_assert_eq!(&history, &turned);
            let after = history.persons().expect("sound");
            let wanted: BTreeSet<BTreeSet<String>> =
                now.iter().map(|c| c.iter().cloned().collect()).collect();
            prop_assert_eq!(sets(&after), wanted);
            // who went never comes back under the same number
            for (person, records) in &after {
                prop_assert!(before.contains_key(person) || !ever.contains(person));
                // the same records are the same person
                if let Some((old, _)) = before.iter().find(|(_, r)| *r == records) {
                    prop_assert_eq!(old, person);
                }
            }
            ever.extend(after.keys().copied());
            let find = |p: &Persons, r: &str| {
                p.iter().find(|(_, set)| set.contains(r)).map(|(id, _)| *id)
            };
            let last = history.steps().last().expect("a step");
            for record in (0..12).map(|r| format!("r{r:02}")) {
                let (old, new) = (find(&before, &record), find(&after, &record));
                let told: Vec<&Event> =
                    last.events.iter().filter(|e| e.records().contains(&record)).collect();
                prop_assert_eq!(told.len(), usize::from(new.is_some() && old != new));
                prop_assert!(told.iter().all(|e| Some(e.person()) == new));
            }
            // a person ends in one event
            for person in before.keys().filter(|p| !after.contains_key(p)) {
                let ends = last.events.iter().filter(|e| match e {
                    Event::Merged { from, .. } => from == person,
                    Event::Erased { person: p, gone, .. } => p == person && *gone,
                    _ => false,
                });
                prop_assert_eq!(ends.count(), 1);
            }
            // an erased record is nowhere in the log
            let told = serde_json::to_string(&history).expect("JSON");
            for (record, label) in labels.iter().enumerate() {
                let text = format!("\"r{record:02}\"");
                prop_assert_eq!(told.contains(&text), *label > 0);
            }
            let again: History = serde_json::from_str(&told).expect("JSON");
            prop_assert_eq!(&again, &history);
        }
    }
}
