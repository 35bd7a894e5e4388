//! Persons of a delivery: what is told of them, and what was judged.

use kiban_intake::notices::Notices;
use kiban_kernel::{Bases, Regime};

use super::{
    BOTH,
    world::{HOSPITAL, World, day, told},
};
use crate::people::People;

#[tokio::test]
async fn rows_of_a_person_that_stand_apart_are_one_list() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::in_folder(dir.path(), std::sync::Arc::new(kiban_kernel::NoSteps)).await;
    world.register().await;
    let gate = world.gate(HOSPITAL, "2026-06-01").await;
    let one = |local_id: &str, regime| told(local_id, &[regime]);
    let rows = [
        one("a", Regime::Anon52),
        one("b", Regime::Anon52),
        one("a", Regime::Pseudo57),
        one("c", Regime::Pseudo57),
        one("b", Regime::Pseudo57),
        told("d", &BOTH),
        one("a", Regime::Anon52),
    ];
    let mut people = People::new(&Notices::of(rows.concat()), gate.into());
    let regimes = |people: &mut People, local_id: &str| {
        let person = people.person(local_id);
        let bases = people.gate(person).bases();
        let told = people.tell(person).unwrap();
        let regimes: Vec<Regime> = told.notices.iter().map(|n| n.regime).collect();
        assert!(people.tell(person).is_none(), "told once");
        (bases, regimes)
    };
    let [anon, pseudo] = Regime::ALL;
    assert_eq!(regimes(&mut people, "a"), (Bases::BOTH, vec![anon, pseudo, anon]));
    assert_eq!(regimes(&mut people, "b"), (Bases::BOTH, vec![anon, pseudo]));
    assert_eq!(regimes(&mut people, "c"), (Bases::NONE.with(pseudo), vec![pseudo]));
    assert_eq!(regimes(&mut people, "d"), (Bases::BOTH, vec![anon, pseudo]));
    // Nobody told this person; and whoever is only in the list is not counted.
    assert_eq!(regimes(&mut people, "e"), (Bases::NONE, vec![]));
    let a = people.person("a");
    people.keep(a);
    let (kept, refused) = people.count();
    assert_eq!((kept, refused.map(|(_, persons)| persons).sum::<u64>()), (1, 4));
}

#[tokio::test]
async fn the_earliest_death_of_all_rows_counts() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::in_folder(dir.path(), std::sync::Arc::new(kiban_kernel::NoSteps)).await;
    world.register().await;
    let gate = world.gate(HOSPITAL, "2026-06-01").await;
    let mut rows = [told("a", &BOTH), told("b", &BOTH), told("a", &BOTH)].concat();
    rows[1].died_on = Some(day("2026-04-20").into());
    rows[5].died_on = Some(day("2026-04-03").into());
    let mut people = People::new(&Notices::of(rows), gate.into());
    let died_on = |people: &mut People, local_id: &str| {
        let person = people.person(local_id);
        people.tell(person).unwrap().died_on
    };
    assert_eq!(died_on(&mut people, "a"), Some(day("2026-04-03").into()));
    assert_eq!(died_on(&mut people, "b"), None);
}
