//! Two releases of overlapping people join where something leaks, and only there.

use crate::people::{Person, population, stream};
use kiban_anonymity::attack::joins::{JoinPlan, JoinReport, joins};
use kiban_anonymity::holdings::{Holdings, HoldingsBuilder, HoldingsError, Kind};

/// What the second release repeats of the first.
#[derive(Clone, Copy, PartialEq)]
enum Leak {
    Nothing,
    Id,
    OneId,
    Gaps,
    Bag,
    Part,
}

fn release(people: &[(usize, Person)], side: usize, leak: Leak) -> Holdings {
    let mut builder = HoldingsBuilder::new();
    let id = builder.attribute("id", Kind::Single).unwrap();
    let sex = builder.attribute("sex", Kind::Single).unwrap();
    let visit = builder.attribute("visit", Kind::Dates).unwrap();
    let lab = builder.attribute("lab", Kind::Bag).unwrap();
    for (at, (number, person)) in people.iter().enumerate() {
        let record = builder.person(&format!("{side}/{at}"));
        let own = leak == Leak::Id || (leak == Leak::OneId && *number == 0);
        let pseudonym = if own { format!("{number}") } else { format!("{side}-{number}") };
        builder.push(id, record, &pseudonym);
        builder.push(sex, record, &person.sex);
        // Of each release its own numbers, unless they leak; a shift for everybody.
        let repeat = |leaks: &[Leak]| if leaks.contains(&leak) { 0 } else { side as u64 + 1 };
        let mut dates = stream(*number as u64 * 4 + repeat(&[Leak::Gaps]));
        let mut day = (at as i32 * 13 + side as i32 * 7) % 29;
        for _ in 0..4 {
            day += 1 + dates(60) as i32;
            builder.push_day(visit, record, day);
        }
        let mut labs = stream(*number as u64 * 4 + repeat(&[Leak::Bag, Leak::Part]));
        for place in 0..5 {
            let value = format!("{}.{}", 3 + labs(9), labs(100));
            // A part: each release lacks another value.
            if leak != Leak::Part || place != side {
                builder.push(lab, record, &value);
            }
        }
    }
    builder.finish().unwrap()
}

fn run(leak: Leak) -> JoinReport {
    let people: Vec<(usize, Person)> = population(2, 900, 0).into_iter().enumerate().collect();
    let left = release(&people[..600], 0, leak);
    let right = release(&people[300..], 1, leak);
    let mut pairs: Vec<(u32, u32)> = (300..600).map(|p| (p, p - 300)).collect();
    if leak == Leak::OneId {
        // One person only, who is not even in both.
        let mut other: Vec<(usize, Person)> = people[300..].to_vec();
        other[599].0 = 0;
        pairs.truncate(300);
        return joins(&left, &release(&other, 1, leak), &pairs, &plan()).unwrap();
    }
    joins(&left, &right, &pairs, &plan()).unwrap()
}

fn plan() -> JoinPlan {
    JoinPlan::new(vec!["id".into()], vec!["id".into()])
}

#[test]
fn nothing_in_common_is_nothing_to_join_by() {
    let report = run(Leak::Nothing);
    assert!(!report.blocks && report.shared_ids.is_empty(), "{}", report.verdict_ja());
    assert!(report.trials.iter().all(|t| t.includes_baseline && !t.blocks));
    assert_eq!((report.left, report.right, report.overlap), (600, 600, 300));
}

#[test]
fn a_leaked_pseudonym_is_caught_even_of_one_person() {
    let report = run(Leak::Id);
    assert!(report.blocks);
    assert_eq!((report.shared_ids[0].values, report.shared_ids[0].persons), (300, 300));
    let report = run(Leak::OneId);
    assert!(report.blocks && report.shared_ids[0].values == 1, "{:?}", report.shared_ids);
    assert_eq!(report.shared_ids[0].persons, 0);
}

#[test]
fn gaps_that_a_shift_keeps_and_bags_of_values_are_caught() {
    let report = run(Leak::Gaps);
    let gaps = report.trials.iter().find(|t| t.name == "visit gaps").unwrap();
    assert!(report.blocks && gaps.blocks && gaps.attack.rate > 0.95, "{}", report.verdict_ja());
    let days = report.trials.iter().find(|t| t.name == "visit").unwrap();
    assert!(!days.blocks);
    let report = run(Leak::Bag);
    assert!(report.trials.iter().any(|t| t.name == "lab" && t.blocks));
}

#[test]
fn records_that_agree_in_part_only_are_caught_by_likeness() {
    let report = run(Leak::Part);
    let whole = report.trials.iter().find(|t| t.name == "lab").unwrap();
    let alike = report.trials.iter().find(|t| t.name == "alike").unwrap();
    assert!(!whole.blocks && alike.blocks && alike.attack.rate > 0.9, "{}", report.verdict_ja());
}

#[test]
fn the_same_for_any_number_of_threads_and_wrong_pairs_are_refused() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(Leak::Part))
    };
    assert_eq!(run(1), run(4));
    let people: Vec<(usize, Person)> = population(2, 3, 0).into_iter().enumerate().collect();
    let side = release(&people, 0, Leak::Nothing);
    let wrong = joins(&side, &side, &[(0, 0), (1, 0)], &plan());
    assert!(matches!(wrong, Err(HoldingsError::Truth { position: 1 })));
}
