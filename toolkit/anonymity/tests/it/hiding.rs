//! Local suppression against an adversary: who is found, whom it hides, and that nobody else loses a cell.

use crate::adversary::{age_fits, person};
use crate::people::{MAX_DAYS, Person, chapter, compare, holdings, population};
use kiban_anonymity::adversary::{Adversary, Effort, Emptying, Hiding, exposure, hide};
use kiban_anonymity::holdings::Facts;
use proptest::prelude::*;

/// Every person has a record; an empty cell may have been anything.
fn facts(inside: &[Person], shown: &[Person]) -> Facts {
    facts_of(inside, shown, true)
}

/// The same, where who has no cell had none.
fn facts_of(inside: &[Person], shown: &[Person], absent: bool) -> Facts {
    let mut compare = compare(MAX_DAYS);
    for column in &mut compare {
        (column.missing, column.absent) = (true, absent);
    }
    let truth = (0..inside.len() as u32).map(|p| (p, p));
    Facts::new(holdings(inside, "p"), holdings(shown, "r"), truth, &compare).unwrap()
}

fn colleague(demographics: bool, items: usize, dates: usize) -> Adversary {
    let mut adversary =
        Adversary::demographics(if demographics { vec!["sex", "age"] } else { vec![] });
    adversary.items = vec![("diagnosis".into(), items)];
    adversary.dates = Some(("visit".into(), dates));
    adversary
}

fn effort() -> Effort {
    Effort { parts: 10_000, ..Effort::default() }
}

fn found(facts: &Facts, adversary: &Adversary, candidates: u64) -> Vec<u32> {
    hide(facts, adversary, &[], &effort(), candidates).unwrap().found
}

/// The records without the days (and the diagnoses) of some persons.
fn without(shown: &[Person], hidden: &[u32], diagnoses: bool) -> Vec<Person> {
    let mut shown = shown.to_vec();
    for person in hidden {
        shown[*person as usize].days.clear();
        if diagnoses {
            shown[*person as usize].diagnoses.clear();
        }
    }
    shown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whoever_has_enough_company_is_hidden(
        people in prop::collection::vec(person(), 1..20),
        demographics in any::<bool>(),
        items in 1_usize..3,
        dates in 1_usize..3,
        candidates in 2_u64..5,
    ) {
        let adversary = colleague(demographics, items, dates);
        let before = facts(&people, &people);
        let seen = exposure(&before, &adversary, &effort()).unwrap();
        let all = found(&before, &adversary, candidates);
        let small: u64 = seen.histogram.iter().filter(|b| b.from < candidates).map(|b| b.persons).sum();
        prop_assert_eq!(all.len() as u64, small);

        // Nothing to empty hides nobody.
        prop_assert!(hide(&before, &adversary, &[], &effort(), candidates).unwrap().hidden.is_empty());

        // The days alone, then days and diagnoses of whom that did not hide.
        let first = hide(&before, &adversary, &[Emptying::whole("visit")], &effort(), candidates).unwrap();
        prop_assert_eq!(&first.found, &all);
        let shown = without(&people, &first.hidden, false);
        let middle = facts(&people, &shown);
        let rest = found(&middle, &adversary, candidates);
        prop_assert!(rest.iter().all(|p| all.contains(p)), "nobody is found who was not");
        let both = [Emptying::whole("visit"), Emptying::whole("diagnosis")];
        let second = hide(&middle, &adversary, &both, &effort(), candidates).unwrap();
        prop_assert_eq!(&second.found, &rest);
        let shown = without(&shown, &second.hidden, true);
        for person in found(&facts(&people, &shown), &adversary, candidates) {
            let own = &people[person as usize];
            let like = |p: &&Person| !demographics || (p.sex == own.sex && age_fits(&own.age, &p.age));
            let class = people.iter().filter(like).count() as u64;
            prop_assert!(class < candidates, "{person} has {class} like him");
        }
        // No more are touched than the found and their company.
        let most = |hidden: &[u32], found: &[u32], parts: u64| hidden.len() as u64 <= candidates * parts * found.len() as u64;
        prop_assert!(most(&first.hidden, &all, 64) && most(&second.hidden, &rest, 1));
        // Of people who all agree with each other no more than the found and the missing company.
        if !demographics {
            let wanted = candidates.max(rest.len() as u64);
            prop_assert!(second.hidden.is_empty() || second.hidden.len() as u64 == wanted);
        }
    }
}

/// The release in chapters, without the days of those hidden and without the cells of the values named.
fn without_values(people: &[Person], hiding: &Hiding) -> Vec<Person> {
    let mut shown = people.to_vec();
    for (at, person) in shown.iter_mut().enumerate() {
        let lost = hiding.values.get("diagnosis").and_then(|of| of.get(&(at as u32)));
        for code in &mut person.diagnoses {
            let gone = lost.is_some_and(|lost| lost.contains(code));
            *code = if gone { String::new() } else { chapter(code) };
        }
        if hiding.hidden.binary_search(&(at as u32)).is_ok() {
            person.days.clear();
        }
    }
    shown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn single_values_hide_as_well_and_cost_less(
        people in prop::collection::vec(person(), 1..20),
        demographics in any::<bool>(),
        items in 1_usize..3,
        dates in 0_usize..3,
        candidates in 2_u64..5,
    ) {
        let mut adversary = colleague(demographics, items, dates.max(1));
        if dates == 0 {
            adversary.dates = None;
        }
        let before = facts_of(&people, &without_values(&people, &Hiding::default()), false);
        let both = [Emptying::whole("visit"), Emptying::values("diagnosis")];
        let hiding = hide(&before, &adversary, &both, &effort(), candidates).unwrap();
        let lost = &hiding.values["diagnosis"];
        for (person, values) in lost {
            prop_assert!(hiding.hidden.contains(person));
            prop_assert!(values.iter().all(|v| people[*person as usize].diagnoses.contains(v)));
            // Company loses no more than is known, a found person what shows the same chapter besides.
            let chapters: std::collections::BTreeSet<String> = values.iter().map(|v| chapter(v)).collect();
            prop_assert!(values.len() <= items || hiding.found.contains(person), "{values:?}");
            prop_assert!(!chapters.is_empty());
        }
        let shown = without_values(&people, &hiding);
        let after = facts_of(&people, &shown, false);
        for person in found(&after, &adversary, candidates) {
            prop_assert!(hiding.found.contains(&person), "nobody is found who was not");
            let own = &people[person as usize];
            let like = |p: &&Person| {
                (!demographics || (p.sex == own.sex && age_fits(&own.age, &p.age)))
                    && (own.diagnoses.is_empty() || !p.diagnoses.is_empty())
            };
            let class = people.iter().filter(like).count() as u64;
            prop_assert!(class < candidates, "{person} has {class} like him: {people:?} {hiding:?}");
        }
        // Whole cells take every diagnosis of whom they hide: never fewer than single values do.
        let whole = [Emptying::whole("visit"), Emptying::whole("diagnosis")];
        let whole = hide(&before, &adversary, &whole, &effort(), candidates).unwrap();
        prop_assert_eq!(&whole.found, &hiding.found);
        prop_assert_eq!(&whole.hidden, &hiding.hidden);
    }
}

#[test]
fn company_loses_what_most_persons_hold_and_a_found_one_all_that_shows_alike() {
    let one = |codes: &[&str]| Person {
        diagnoses: codes.iter().map(|c| (*c).to_owned()).collect(),
        ..Person::default()
    };
    let mut people = vec![one(&["G1", "G2", "I1"])];
    people.extend((0..8).map(|_| one(&["I1", "J1"])));
    people.push(one(&["I1"]));
    let adversary =
        Adversary { items: vec![("diagnosis".into(), 1)], ..Adversary::demographics([]) };
    let before = facts_of(&people, &without_values(&people, &Hiding::default()), false);
    let by_value = [Emptying::values("diagnosis")];
    let hiding = hide(&before, &adversary, &by_value, &effort(), 4).unwrap();
    assert_eq!((hiding.found.as_slice(), hiding.hidden.as_slice()), (&[0][..], &[0, 1, 2, 3][..]));
    let of = |person: u32| hiding.values["diagnosis"][&person].iter().cloned().collect::<Vec<_>>();
    assert_eq!(of(0), ["G1", "G2"]);
    // Ten hold I1, eight J1: the next loss is that of the smaller share.
    assert_eq!([of(1), of(2), of(3)], [["I1"], ["J1"], ["I1"]]);
    assert!(
        found(&facts_of(&people, &without_values(&people, &hiding), false), &adversary, 4)
            .is_empty()
    );
}

#[test]
fn the_same_persons_for_any_number_of_threads_and_few_of_a_population() {
    let people = population(5, 2_000, 6);
    let facts = facts(&people, &people);
    let adversary = colleague(true, 1, 2);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let days = [Emptying::whole("visit")];
        pool.install(|| hide(&facts, &adversary, &days, &effort(), 2).unwrap())
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
    // The planted ones are of ages of their own: no days that are emptied hide them.
    assert!((2_000..2_006).all(|p| one.found.contains(&p) && !one.hidden.contains(&p)));
    assert!(one.hidden.len() <= 2 * one.found.len());
}
