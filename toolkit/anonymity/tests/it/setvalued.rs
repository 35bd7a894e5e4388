//! k^m-anonymity and LKC-privacy against their definitions.

use kiban_anonymity::setvalued::{
    Fate, ItemSets, KmSettings, PairReader, SetError, anonymize_km, check_km, check_lkc,
};
use kiban_anonymity::{Chance, Hierarchy};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Persons = Vec<BTreeSet<u32>>;

fn sets(persons: &Persons, kinds: u32) -> ItemSets {
    let pairs = persons
        .iter()
        .enumerate()
        .flat_map(|(person, items)| items.iter().map(move |item| (person as u32, *item)))
        .collect();
    ItemSets::new(persons.len() as u32, kinds, pairs).unwrap()
}

/// All sets of 1 to m items that occur, with the persons who hold them.
fn supports(persons: &Persons, m: usize) -> BTreeMap<Vec<u32>, BTreeSet<usize>> {
    let mut found: BTreeMap<Vec<u32>, BTreeSet<usize>> = BTreeMap::new();
    for (person, items) in persons.iter().enumerate() {
        let items: Vec<u32> = items.iter().copied().collect();
        for chosen in 1_u32..1 << items.len() {
            if chosen.count_ones() as usize <= m {
                let set = (0..items.len()).filter(|at| chosen >> at & 1 == 1).map(|at| items[at]);
                found.entry(set.collect()).or_default().insert(person);
            }
        }
    }
    found
}

fn population() -> impl Strategy<Value = Persons> {
    prop::collection::vec(prop::collection::btree_set(0_u32..9, 0..7), 1..25)
}

fn tree() -> Hierarchy {
    let rows = [
        "0;a;A;*", "1;a;A;*", "2;b;A;*", "3;b;A;*", "4;c;B;*", "5;c;B;*", "6;d;B;*", "7;d;B;*",
        "8;e;C;*",
    ];
    Hierarchy::parse(&rows.join("\n"), ';').unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn violations_are_those_of_the_definition(persons in population(), k in 1_u32..6, m in 1_usize..5) {
        let report = check_km(&sets(&persons, 9), k, m).unwrap();
        let all = supports(&persons, m);
        let rare = |set: &[u32]| all.get(set).is_some_and(|held| held.len() < k as usize);
        let mut minimal = vec![0_u64; m + 1];
        let mut rarest = vec![0_u32; m + 1];
        let mut at_risk = BTreeSet::new();
        for (set, held) in &all {
            if !rare(set) {
                continue;
            }
            at_risk.extend(held.iter().copied());
            let parts = (0..set.len()).map(|out| {
                let mut part = set.clone();
                part.remove(out);
                part
            });
            if parts.into_iter().all(|part| !rare(&part)) {
                minimal[set.len()] += 1;
                let own = held.len() as u32;
                let least = &mut rarest[set.len()];
                *least = if *least == 0 { own } else { own.min(*least) };
            }
        }
        for size in &report.sizes {
            prop_assert_eq!(size.minimal_violators, minimal[size.size]);
            prop_assert_eq!(size.rarest, rarest[size.size]);
        }
        prop_assert_eq!(report.persons_at_risk, at_risk.len());
        prop_assert_eq!(report.holds, at_risk.is_empty());
    }

    #[test]
    fn answers_are_anonymous(
        persons in population(), k in 1_u32..6, m in 1_usize..4,
        suppress: bool, residual: bool, generalise: bool
    ) {
        let tree = tree();
        let names: Vec<Box<str>> = (0..9).map(|n| n.to_string().into()).collect();
        let hierarchy = generalise.then_some(&tree);
        let settings = KmSettings { k, m, hierarchy, suppress, residual };
        let answer = match anonymize_km(&sets(&persons, 9), &names, &settings) {
            Ok(answer) => answer,
            Err(error) => {
                prop_assert!(!suppress);
                let impossible = matches!(error, SetError::Impossible { .. });
                prop_assert!(impossible);
                let holders = persons.iter().filter(|items| !items.is_empty()).count();
                prop_assert!(!generalise || holders < k as usize);
                return Ok(());
            }
        };
        prop_assert!(answer.after.holds);
        // Once more by the fates alone.
        let mut labels: BTreeMap<String, u32> = BTreeMap::new();
        let again: Persons = persons.iter().map(|items| items.iter().filter_map(|item| {
            let text = match answer.fate(*item, hierarchy) {
                Fate::Kept => format!("={item}"),
                Fate::Label(label) => label.to_owned(),
                Fate::Residual => "other".to_owned(),
                Fate::Suppressed => return None,
            };
            let next = labels.len() as u32;
            Some(*labels.entry(text).or_insert(next))
        }).collect()).collect();
        prop_assert!(supports(&again, m).values().all(|held| held.len() >= k as usize));
        prop_assert!((0.0..=1.0).contains(&answer.loss));
        if answer.before.holds {
            prop_assert!(answer.loss == 0.0);
        }
    }

    #[test]
    fn lkc_is_the_definition(
        persons in population(), k in 1_u32..5, l in 1_usize..4, c in 0.2_f64..1.0, seed in 0_u64..99
    ) {
        let mut stream = Chance::numbered(seed).stream();
        let sensitive: Vec<Option<u32>> =
            persons.iter().map(|_| Some(stream.below(4) as u32).filter(|v| *v < 3)).collect();
        let report = check_lkc(&sets(&persons, 9), &sensitive, l, k, c).unwrap();
        let mut over = 0;
        let mut highest = 0.0_f64;
        let mut below = false;
        let mut all = supports(&persons, l);
        all.insert(Vec::new(), (0..persons.len()).collect());
        for (set, held) in all {
            if held.len() < k as usize {
                below |= !set.is_empty();
                continue;
            }
            let most = (0..3)
                .map(|value| held.iter().filter(|p| sensitive[**p] == Some(value)).count())
                .max()
                .unwrap();
            over += u64::from(most as f64 > c * held.len() as f64);
            highest = highest.max(most as f64 / held.len() as f64);
        }
        prop_assert_eq!(report.below_k > 0, below);
        prop_assert_eq!(report.over_c, over);
        prop_assert!((report.highest_confidence - highest).abs() < 1e-12);
        prop_assert_eq!(report.holds, over == 0 && !below);
    }
}

#[test]
fn a_rare_item_costs_less_than_its_chapter() {
    let mut reader = PairReader::new();
    for person in 0..40 {
        reader.push(&person.to_string(), "0");
        reader.push(&person.to_string(), "2");
    }
    reader.push("7", "8");
    reader.push("7", "8");
    let (sets, names) = reader.finish().unwrap();
    assert_eq!((sets.persons(), sets.pairs()), (40, 81));
    let tree = tree();
    let settings =
        KmSettings { k: 3, m: 2, hierarchy: Some(&tree), suppress: true, residual: false };
    let answer = anonymize_km(&sets, &names, &settings).unwrap();
    assert_eq!(answer.fate(2, Some(&tree)), Fate::Suppressed);
    assert_eq!(answer.fate(0, Some(&tree)), Fate::Kept);
    assert_eq!((answer.suppressed_pairs, answer.before.persons_at_risk), (1, 1));
    let missing = anonymize_km(&sets, &["0".into(), "x".into(), "8".into()], &settings);
    assert_eq!(missing.unwrap_err(), SetError::ItemMissing { position: 1 });
    assert_eq!(check_km(&sets, 2, 9).unwrap_err(), SetError::Range { parameter: "m" });
}

/// 20,000 persons with about 20 of 2,000 items, commoner ones first: minutes if it were done by hand.
#[test]
fn the_answer_does_not_depend_on_threads() {
    let mut stream = Chance::numbered(1).stream();
    let mut pairs = Vec::new();
    for person in 0..20_000 {
        for _ in 0..20 {
            let unit = stream.unit();
            pairs.push((person, (2_000.0 * unit * unit * unit) as u32));
        }
    }
    let sets = ItemSets::new(20_000, 2_000, pairs).unwrap();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| check_km(&sets, 5, 2).unwrap())
    };
    let one = with(1);
    assert_eq!(one, with(4));
    assert!(one.sizes[1].minimal_violators > 100_000 && one.persons_at_risk == 20_000);
}
