//! Persons of a delivery: what is told of them, and what was judged.

use kiban_formats::{Arena, Format, fhir};
use kiban_intake::{
    Segment,
    manifest::FileEntry,
    notices::{NoticeRow, Notices},
};
use kiban_kernel::{Bases, Digest, Regime};

use super::{
    BOTH,
    world::{HOSPITAL, World, day, told},
};
use crate::{
    people::{Otherwise, People},
    versions::Persons,
};

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
    let mut table = Persons::default();
    let mut people = People::new(&Notices::of(rows.concat()), gate.into(), &mut table);
    let mut regimes = |people: &mut People, local_id: &str| {
        let person = people.person(&mut table, local_id);
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
    let a = people.person(&mut table, "a");
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
    let mut table = Persons::default();
    let mut people = People::new(&Notices::of(rows), gate.into(), &mut table);
    let mut died_on = |people: &mut People, local_id: &str| {
        let person = people.person(&mut table, local_id);
        people.tell(person).unwrap().died_on
    };
    assert_eq!(died_on(&mut people, "a"), Some(day("2026-04-03").into()));
    assert_eq!(died_on(&mut people, "b"), None);
}

/// Sees what is told of one person's birth and death, line by line, each judged before the next is seen.
async fn seen_meanwhile(notices: Vec<NoticeRow>, told: &[&str]) -> Vec<Result<(), Otherwise>> {
    let dir = tempfile::tempdir().unwrap();
    let world = World::in_folder(dir.path(), std::sync::Arc::new(kiban_kernel::NoSteps)).await;
    world.register().await;
    let gate = world.gate(HOSPITAL, "2026-06-01").await;
    let mut table = Persons::default();
    let mut people = People::new(&Notices::of(notices), gate.into(), &mut table);
    let file = FileEntry {
        path: "data/all".into(),
        sha256: Digest::of(b""),
        size: 0,
        segments: told.len() as u64,
        format: kiban_intake::format_name(Format::FhirNdjson).into(),
        insured: false,
    };
    let arena = Arena::new();
    let mut out = Vec::new();
    for (line, told) in (1..).zip(told) {
        let text = format!(r#"{{"resourceType":"Patient","id":"a",{told}}}"#);
        let parsed = fhir::parse_line(text.as_bytes(), line, &arena);
        let segment = Segment {
            file: &file,
            file_number: 1,
            format: Format::FhirNdjson,
            line,
            person: parsed.person,
            bytes: text.as_bytes(),
            header: b"",
            parsed: &parsed,
        };
        out.push(people.see_meanwhile(&mut table, &segment));
        people.person(&mut table, parsed.person.unwrap());
    }
    out
}

#[tokio::test]
async fn who_was_judged_by_less_is_found_out_if_it_makes_a_difference() {
    let birth = |on: &str| format!(r#""birthDate":"{on}""#);
    let (old, older, child) = (birth("1960-04-01"), birth("1959-12-31"), birth("2014-04-01"));
    let dead = |on: &str| format!(r#""deceasedDateTime":"{on}""#);
    let seen = async |told: &[&str]| seen_meanwhile(self::told("a", &BOTH), told).await;
    assert_eq!(seen(&[&old, &older, &old]).await, [Ok(()); 3], "of age in any case");
    assert_eq!(seen(&[&child, &old]).await, [Ok(()); 2], "the youngest reading counts");
    assert_eq!(seen(&[&old, &child]).await, [Ok(()), Err(Otherwise)]);
    let nothing = r#""active":true"#;
    assert_eq!(seen(&[nothing, &old]).await, [Ok(()); 2], "unknown counts as of age");
    assert_eq!(seen(&[nothing, &child]).await, [Ok(()), Err(Otherwise)]);
    assert_eq!(seen(&[&old, &dead("2026-04-05")]).await, [Ok(()), Err(Otherwise)]);
    assert_eq!(seen(&[&dead("2026-04-05"), &dead("2026-04-06")]).await, [Ok(()); 2]);

    // A guardian was told: the child passes too, but the day of coming of age stands beside the notice.
    let mut guardian = self::told("a", &BOTH);
    for row in &mut guardian {
        row.guardian = true;
    }
    let seen = seen_meanwhile(guardian, &[&old, &child]).await;
    assert_eq!(seen, [Ok(()), Err(Otherwise)]);
}
