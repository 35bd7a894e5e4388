//! People for the tests of adversaries and attacks: what is held, and releases of it.

use kiban_anonymity::holdings::{Compare, Facts, Holdings, HoldingsBuilder, Kind, Matches};

/// One person, inside or released.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Person {
    pub(crate) sex: String,
    pub(crate) age: String,
    pub(crate) diagnoses: Vec<String>,
    pub(crate) days: Vec<i32>,
}

pub(crate) const MAX_DAYS: u16 = 3;

/// Holdings of these persons, keyed by number and a prefix.
pub(crate) fn holdings(people: &[Person], prefix: &str) -> Holdings {
    let mut builder = HoldingsBuilder::new();
    let sex = builder.attribute("sex", Kind::Single).unwrap();
    let age = builder.attribute("age", Kind::Single).unwrap();
    let diagnosis = builder.attribute("diagnosis", Kind::Set).unwrap();
    let visit = builder.attribute("visit", Kind::Dates).unwrap();
    for (at, person) in people.iter().enumerate() {
        let number = builder.person(&format!("{prefix}{at}"));
        builder.push(sex, number, &person.sex);
        builder.push(age, number, &person.age);
        for item in &person.diagnoses {
            builder.push(diagnosis, number, item);
        }
        for day in &person.days {
            builder.push_day(visit, number, *day);
        }
    }
    builder.finish().unwrap()
}

/// The diagnosis label of the generalised release: the first letter.
pub(crate) fn chapter(code: &str) -> String {
    code.chars().take(1).collect()
}

pub(crate) fn compare(max_days: u16) -> Vec<Compare> {
    let chapters = |code: &str| vec![code.to_owned(), chapter(code)];
    vec![
        Compare::new("sex", Matches::Equal),
        Compare::new("age", Matches::Numbers),
        Compare::new("diagnosis", Matches::Labels(Box::new(chapters))).complete(),
        Compare::new("visit", Matches::Shifted { max_days }).complete(),
    ]
}

/// Facts of a release whose record i is that of person `of[i]`.
pub(crate) fn facts(inside: &[Person], released: &[Person], of: &[u32], max_days: u16) -> Facts {
    let truth = of.iter().enumerate().map(|(record, person)| (*person, record as u32));
    Facts::new(holdings(inside, "p"), holdings(released, "r"), truth, &compare(max_days)).unwrap()
}

/// A stream of numbers under a limit, for populations that are always the same.
pub(crate) fn stream(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |limit| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    }
}

/// A population without rare persons, and after it `planted` persons whom every kind of knowledge tells apart.
pub(crate) fn population(seed: u64, people: usize, planted: usize) -> Vec<Person> {
    let mut next = stream(seed);
    let codes = ["I10", "E11", "E78", "J06", "K21"];
    let mut all: Vec<Person> = (0..people)
        .map(|_| {
            let first = 100 + next(300) as i32;
            Person {
                sex: if next(2) == 0 { "F" } else { "M" }.into(),
                age: (20 + next(60)).to_string(),
                diagnoses: (0..=next(3)).map(|_| codes[next(5) as usize].to_owned()).collect(),
                days: vec![first, first + 7 * (1 + next(4) as i32)],
            }
        })
        .collect();
    for at in 0..planted {
        let first = 150 + at as i32;
        all.push(Person {
            sex: "F".into(),
            age: (103 + at).to_string(),
            diagnoses: vec!["I10".into(), format!("G{:02}", 50 + at)],
            days: vec![first, first + 41 + at as i32, first + 200],
        });
    }
    all
}
