//! Candidates of adversaries against their definition.

use crate::people::{MAX_DAYS, Person, chapter, compare, facts, holdings, population};
use kiban_anonymity::adversary::{Adversary, Effort, Exposure, exposure, mapping};
use kiban_anonymity::holdings::{Compare, Facts, HoldingsError, Matches};
use proptest::prelude::*;

pub(crate) fn person() -> impl Strategy<Value = Person> {
    let codes = prop::sample::subsequence(vec!["A1", "A2", "B1", "C3"], 0..4);
    let days = prop::collection::btree_set(0_i32..25, 0..5);
    (0_u8..2, 0_u8..3, codes, days).prop_map(|(sex, age, codes, days)| Person {
        sex: ["F", "M"][sex as usize].into(),
        age: ["31", "34", "52"][age as usize].into(),
        diagnoses: codes.into_iter().map(String::from).collect(),
        days: days.into_iter().collect(),
    })
}

/// How a record is changed: age kept, in a band, residual or missing; codes kept or cut, one as residual; shift.
type Change = (u8, bool, bool, i32);

fn released(person: &Person, (age, cut, residual, shift): Change) -> Person {
    let band = if person.age == "52" { "50~55" } else { "30~35" };
    let mut diagnoses = person.diagnoses.clone();
    if cut {
        for code in &mut diagnoses {
            *code = chapter(code);
        }
    }
    if residual && !diagnoses.is_empty() {
        diagnoses[0] = "その他".into();
    }
    Person {
        sex: person.sex.clone(),
        age: [person.age.as_str(), band, "その他", ""][age as usize].into(),
        diagnoses,
        days: person.days.iter().map(|d| d + shift).collect(),
    }
}

pub(crate) fn age_fits(age: &str, label: &str) -> bool {
    match label {
        "30~35" => age != "52",
        "50~55" => age == "52",
        "その他" | "" => true,
        _ => label == age,
    }
}

fn item_fits(item: &str, record: &Person) -> bool {
    record.diagnoses.iter().any(|d| d == "その他" || *d == chapter(item) || d == item)
}

fn days_fit(days: &[&i32], record: &Person) -> bool {
    let most = i32::from(MAX_DAYS);
    (-most..=most).any(|shift| days.iter().all(|d| record.days.contains(&(*d + shift))))
}

fn subsets<T>(all: &[T], n: usize) -> Vec<Vec<&T>> {
    let n = n.min(all.len());
    (0_u32..1 << all.len())
        .filter(|mask| mask.count_ones() as usize == n)
        .map(|mask| (0..all.len()).filter(|at| mask >> at & 1 == 1).map(|at| &all[at]).collect())
        .collect()
}

/// Fewest candidates among parts that hold the truth, and the mean chance.
fn naive(
    inside: &[Person],
    shown: &[Person],
    of: &[u32],
    (demographics, items, dates): (bool, usize, usize),
) -> Vec<(u64, f64)> {
    let mut out = Vec::new();
    for (number, person) in inside.iter().enumerate() {
        let Some(own) = of.iter().position(|p| *p as usize == number) else { continue };
        let (mut fewest, mut chance, mut parts) = (0, 0.0, 0);
        for items in subsets(&person.diagnoses, items) {
            for days in subsets(&person.days, dates) {
                parts += 1;
                let fits = |record: &Person| {
                    (!demographics
                        || (person.sex == record.sex && age_fits(&person.age, &record.age)))
                        && items.iter().all(|i| item_fits(i, record))
                        && days_fit(&days, record)
                };
                let size = shown.iter().filter(|r| fits(r)).count() as u64;
                if fits(&shown[own]) {
                    chance += 1.0 / size as f64;
                    fewest = if fewest == 0 { size } else { fewest.min(size) };
                }
            }
        }
        out.push((fewest, chance / f64::from(parts)));
    }
    out
}

fn check(seen: &Exposure, naive: &[(u64, f64)]) {
    let chance = |size: u64| if size == 0 { 0.0 } else { 1.0 / size as f64 };
    let n = naive.len().max(1) as f64;
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b} {seen:?} {naive:?}");
    assert!(seen.exact);
    near(seen.average.value, naive.iter().map(|o| o.1).sum::<f64>() / n);
    near(seen.marketer.value, naive.iter().map(|o| chance(o.0)).sum::<f64>() / n);
    near(seen.prosecutor, naive.iter().map(|o| chance(o.0)).fold(0.0, f64::max));
    assert_eq!(seen.singled_out.successes, naive.iter().filter(|o| o.0 == 1).count() as u64);
    assert_eq!(seen.misled, naive.iter().filter(|o| o.0 == 0).count() as u64);
    let found: u64 = seen.histogram.iter().map(|b| b.persons).sum();
    assert_eq!(found + seen.misled, naive.len() as u64);
}

fn adversary(demographics: bool, items: usize, dates: usize) -> Adversary {
    let mut adversary =
        Adversary::demographics(if demographics { vec!["sex", "age"] } else { vec![] });
    if items > 0 {
        adversary.items = vec![("diagnosis".into(), items)];
    }
    adversary.dates = (dates > 0).then(|| ("visit".into(), dates));
    adversary
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn candidates_equal_a_naive_count(
        people in prop::collection::vec((person(), (0_u8..4, any::<bool>(), any::<bool>(), -3_i32..=3)), 1..14),
        order in any::<prop::sample::Index>(),
        unreleased in 0_usize..3,
        known in (any::<bool>(), 0_usize..3, 0_usize..4),
    ) {
        let inside: Vec<Person> = people.iter().map(|p| p.0.clone()).collect();
        let kept = inside.len().saturating_sub(unreleased).max(1);
        // Records in another order than persons.
        let mut of: Vec<u32> = (0..kept as u32).collect();
        of.rotate_left(order.index(kept));
        let shown: Vec<Person> = of.iter().map(|p| released(&people[*p as usize].0, people[*p as usize].1)).collect();
        let facts = facts(&inside, &shown, &of, MAX_DAYS);
        let seen = exposure(&facts, &adversary(known.0, known.1, known.2), &Effort::default()).unwrap();
        check(&seen, &naive(&inside, &shown, &of, known));
    }

    #[test]
    fn an_extract_is_matched_as_by_hand(
        extract in prop::collection::vec(person(), 1..12),
        records in prop::collection::vec((person(), 0_u8..4), 1..12),
    ) {
        let shown: Vec<Person> = records.iter().map(|(p, age)| released(p, (*age, false, false, 0))).collect();
        let compare = [Compare::new("sex", Matches::Equal), Compare::new("age", Matches::Numbers)];
        let found = mapping(&holdings(&extract, "e"), &holdings(&shown, "r"), &compare).unwrap();
        let sizes: Vec<u64> = shown
            .iter()
            .map(|r| extract.iter().filter(|p| p.sex == r.sex && age_fits(&p.age, &r.age)).count() as u64)
            .collect();
        prop_assert_eq!(found.absent, sizes.iter().filter(|s| **s == 0).count() as u64);
        prop_assert_eq!(found.singled_out.successes, sizes.iter().filter(|s| **s == 1).count() as u64);
        prop_assert_eq!(found.smallest, sizes.iter().copied().filter(|s| *s > 0).min().unwrap_or(0));
        let cases: Vec<u32> = (0..sizes.len() as u32).filter(|r| sizes[*r as usize] == 1).collect();
        prop_assert_eq!(found.cases.persons, cases);
    }
}

/// More records than are looked at one by one: the index by gap answers as the plain look does.
#[test]
fn the_index_by_gap_and_the_plain_look_agree() {
    let inside = population(5, 9_000, 3);
    let of: Vec<u32> = (0..inside.len() as u32).collect();
    let mut shown = inside.clone();
    for (at, person) in shown.iter_mut().enumerate() {
        let shift = (at % 7) as i32 - 3;
        person.days.iter_mut().for_each(|d| *d += shift);
    }
    let facts = facts(&inside, &shown, &of, MAX_DAYS);
    let effort = Effort { persons: 40, ..Effort::default() };
    for dates in 1..4 {
        let seen = exposure(&facts, &adversary(false, 0, dates), &effort).unwrap();
        assert!(!seen.exact && seen.persons == 40);
        // The same question with everybody's sex and age unknown goes another way: bands of records by hand.
        let most = i32::from(MAX_DAYS);
        let fits = |known: &[&i32], r: &Person| {
            (-most..=most).any(|s| known.iter().all(|d| r.days.binary_search(&(*d + s)).is_ok()))
        };
        let mut expected = Vec::new();
        for case in &seen.cases.persons {
            let person = &inside[*case as usize];
            let fewest = subsets(&person.days, dates)
                .iter()
                .map(|known| shown.iter().filter(|r| fits(known, r)).count())
                .min();
            expected.push(fewest);
        }
        assert!(expected.iter().all(|f| *f == Some(1)), "{dates} {expected:?}");
    }
    // The planted persons are told apart by a gap that nobody else has.
    let all = Effort { persons: 20_000, ..Effort::default() };
    let seen = exposure(&facts, &Adversary::visit_dates("visit", 2), &all).unwrap();
    assert!(seen.exact && seen.prosecutor > 0.99);
    for planted in 9_000..9_003 {
        assert!(seen.cases.persons.binary_search(&planted).is_ok());
    }
    let by_hand: u64 = (0..30)
        .map(|p| {
            let known: Vec<&i32> = inside[p].days.iter().collect();
            shown
                .iter()
                .filter(|r| {
                    let pairs = subsets(&r.days, 2);
                    pairs.iter().any(|pair| {
                        pair[1] - pair[0] == known[1] - known[0]
                            && (pair[0] - known[0]).abs() <= i32::from(MAX_DAYS)
                    })
                })
                .count() as u64
        })
        .filter(|n| *n == 1)
        .count() as u64;
    let found = seen.cases.persons.iter().filter(|c| **c < 30).count() as u64;
    assert_eq!(found, by_hand);
}

#[test]
fn what_is_not_compared_or_of_another_kind_is_refused() {
    let inside = population(1, 5, 0);
    let facts = facts(&inside, &inside, &[0, 1, 2, 3, 4], 0);
    let refused =
        |adversary: Adversary| exposure(&facts, &adversary, &Effort::default()).unwrap_err();
    assert!(matches!(refused(Adversary::demographics(["weight"])), HoldingsError::Unknown { .. }));
    assert!(matches!(refused(Adversary::visit_dates("sex", 2)), HoldingsError::Kind { .. }));
    assert!(matches!(refused(Adversary::items("visit", 1)), HoldingsError::Kind { .. }));
    assert!(matches!(refused(Adversary::demographics(["visit"])), HoldingsError::Kind { .. }));
    let sides = (holdings(&inside, "p"), holdings(&inside, "r"));
    let twice = Facts::new(sides.0, sides.1, [(0, 0), (0, 1)], &compare(0));
    assert!(matches!(twice, Err(HoldingsError::Truth { position: 1 })));
}

#[test]
fn the_same_exposure_for_any_number_of_threads() {
    let inside = population(9, 3_000, 4);
    let of: Vec<u32> = (0..inside.len() as u32).collect();
    let facts = facts(&inside, &inside, &of, MAX_DAYS);
    let effort = Effort { persons: 500, parts: 3, ..Effort::default() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let clinician = Adversary::clinician(["sex", "age"], "visit", "diagnosis");
            [clinician, Adversary::visit_dates("visit", 2), Adversary::items("diagnosis", 2)]
                .map(|a| exposure(&facts, &a, &effort).unwrap())
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}
