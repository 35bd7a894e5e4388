//! Local suppression against an adversary: who is found, whom it hides, and that nobody else loses a cell.

use crate::adversary::{age_fits, person};
use crate::people::{MAX_DAYS, Person, compare, holdings, population};
use kiban_anonymity::adversary::{Adversary, Effort, exposure, hide};
use kiban_anonymity::holdings::Facts;
use proptest::prelude::*;

/// Every person has a record; an empty cell may have been anything.
fn facts(inside: &[Person], shown: &[Person]) -> Facts {
    let mut compare = compare(MAX_DAYS);
    for column in &mut compare {
        column.missing = true;
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
        let first = hide(&before, &adversary, &["visit".into()], &effort(), candidates).unwrap();
        prop_assert_eq!(&first.found, &all);
        let shown = without(&people, &first.hidden, false);
        let middle = facts(&people, &shown);
        let rest = found(&middle, &adversary, candidates);
        prop_assert!(rest.iter().all(|p| all.contains(p)), "nobody is found who was not");
        let both = ["visit".into(), "diagnosis".into()];
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

#[test]
fn the_same_persons_for_any_number_of_threads_and_few_of_a_population() {
    let people = population(5, 2_000, 6);
    let facts = facts(&people, &people);
    let adversary = colleague(true, 1, 2);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let days = ["visit".to_owned()];
        pool.install(|| hide(&facts, &adversary, &days, &effort(), 2).unwrap())
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
    // The planted ones are of ages of their own: no days that are emptied hide them.
    assert!((2_000..2_006).all(|p| one.found.contains(&p) && !one.hidden.contains(&p)));
    assert!(one.hidden.len() <= 2 * one.found.len());
}
