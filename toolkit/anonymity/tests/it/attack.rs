//! The attacker finds whom he should, and nobody where there is nothing to find.

use crate::people::{Person, facts, holdings, population};
use kiban_anonymity::adversary::Adversary;
use kiban_anonymity::attack::{AttackReport, Criterion, Plan, attack};
use kiban_anonymity::holdings::{Compare, Facts, Matches};
use kiban_anonymity::tool::{AttackOptions, ToolError, attack_files};
use kiban_anonymity::{Attribute, Hierarchy, Model, Settings, TableBuilder, ToTheEnd, anonymize};

const PEOPLE: usize = 1_200;
const PLANTED: usize = 6;

fn plan(adversaries: Vec<Adversary>) -> Plan {
    let names = ["sex", "age", "diagnosis"].map(String::from).to_vec();
    Plan { attacks: 1_500, ..Plan::new(names, vec!["diagnosis".into()], adversaries) }
}

fn all_of(people: &[Person]) -> Vec<u32> {
    (0..people.len() as u32).collect()
}

/// Ages to bands and sexes by the engine, k = 10; rare diagnoses to the residual; visits not released.
fn anonymized(inside: &[Person]) -> (Vec<Person>, Vec<u32>) {
    let band =
        |age: u32, width: u32| format!("{}~{}", age / width * width, age / width * width + width);
    let ages = (20..120).map(|a: u32| vec![a.to_string(), band(a, 5), band(a, 10), "*".into()]);
    let ages =
        Hierarchy::from_rows(ages.collect::<Vec<_>>().iter().map(|r| r.iter().map(String::as_str)));
    let sexes = Hierarchy::from_rows([["F"], ["M"]]);
    let quasi = vec![Attribute::new("sex", sexes.unwrap()), Attribute::new("age", ages.unwrap())];
    let mut table = TableBuilder::new(quasi, vec![]).unwrap();
    for person in inside {
        table.push(&[&person.sex, &person.age], &[]).unwrap();
    }
    let table = table.finish();
    let settings = Settings::new(vec![Model::KAnonymity { k: 10 }], 0.01);
    let answer = anonymize(&table, &settings, &ToTheEnd).unwrap();
    let mut of = Vec::new();
    let mut shown = Vec::new();
    for (row, person) in inside.iter().enumerate() {
        let Some(labels) = answer.labels(&table, row) else { continue };
        of.push(row as u32);
        let count = |code: &String| inside.iter().filter(|p| p.diagnoses.contains(code)).count();
        shown.push(Person {
            sex: labels[0].into(),
            age: labels[1].into(),
            diagnoses: person
                .diagnoses
                .iter()
                .map(|d| if count(d) < 10 { "その他".into() } else { d.clone() })
                .collect(),
            days: Vec::new(),
        });
    }
    (shown, of)
}

fn trial<'a>(report: &'a AttackReport, name: &str) -> &'a kiban_anonymity::attack::Trial {
    report.trials.iter().find(|t| t.name == name).unwrap()
}

#[test]
fn planted_persons_are_singled_out_of_an_unprotected_copy() {
    let inside = population(3, PEOPLE, PLANTED);
    let mut shown = inside.clone();
    for (at, person) in shown.iter_mut().enumerate() {
        person.days.iter_mut().for_each(|d| *d += (at % 19) as i32 - 9);
    }
    let facts = facts(&inside, &shown, &all_of(&inside), 9);
    let adversaries = vec![
        Adversary::demographics(["sex", "age"]),
        Adversary::items("diagnosis", 1),
        Adversary::visit_dates("visit", 2),
        Adversary::clinician(["sex", "age"], "visit", "diagnosis"),
    ];
    let report = attack(&facts, &Plan { attacks: 5_000, ..plan(adversaries) }).unwrap();
    assert!(report.blocks);
    let planted: Vec<u32> = (PEOPLE as u32..(PEOPLE + PLANTED) as u32).collect();
    for seen in &report.exposures {
        for person in &planted {
            assert!(
                seen.cases.persons.contains(person) || seen.cases.count > 1_000,
                "{}",
                seen.adversary
            );
        }
    }
    // Nobody else has a rare diagnosis or an age of his own.
    assert_eq!(report.exposures[1].cases.persons, planted);
    let single = trial(&report, "univariate");
    assert_eq!(single.attack.successes, single.attack.trials);
    assert!(single.blocks && planted.iter().all(|p| single.cases.persons.contains(p)));
    let clinician = trial(&report, "clinician");
    assert!(clinician.blocks && clinician.attack.rate > 0.9 && !clinician.includes_baseline);
    assert!(
        trial(&report, "multivariate-3").attack.rate
            > trial(&report, "multivariate-3").baseline.high
    );
}

#[test]
fn nobody_is_found_in_a_ten_anonymous_release() {
    let inside = population(3, PEOPLE, PLANTED);
    let (shown, of) = anonymized(&inside);
    assert!(of.len() * 100 >= inside.len() * 95 && shown.iter().any(|p| p.age.contains('~')));
    let truth = of.iter().enumerate().map(|(record, person)| (*person, record as u32));
    let compare = [
        Compare::new("sex", Matches::Equal),
        Compare::new("age", Matches::Numbers),
        Compare::new("diagnosis", Matches::Equal).complete(),
    ];
    let facts = Facts::new(holdings(&inside, "p"), holdings(&shown, "r"), truth, &compare).unwrap();
    let adversaries =
        vec![Adversary::demographics(["sex", "age"]), Adversary::items("diagnosis", 1)];
    let report = attack(&facts, &plan(adversaries)).unwrap();
    for trial in &report.trials {
        assert!(trial.includes_baseline && !trial.blocks, "{}", trial.sentence_ja());
    }
    assert!(!report.blocks && report.exposures[0].smallest >= 10);
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("I10") && !text.contains('~'), "a report quotes no value");
}

#[test]
fn a_release_that_has_nothing_to_do_with_the_people_tells_nothing() {
    for seed in 0..3 {
        let inside = population(10 + seed, 2_000, 0);
        let shown = population(100 + seed, 2_000, 0);
        let facts = facts(&inside, &shown, &all_of(&inside), 3);
        let adversaries = vec![
            Adversary::demographics(["sex", "age"]),
            Adversary::items("diagnosis", 2),
            Adversary::visit_dates("visit", 2),
        ];
        let mut plan = plan(adversaries);
        plan.seed = seed;
        plan.attributes.push("visit".into());
        let report = attack(&facts, &plan).unwrap();
        for trial in &report.trials {
            assert!(trial.includes_baseline && !trial.blocks, "{}", trial.sentence_ja());
        }
    }
}

/// Half of the people are released, the other half is the control.
#[test]
fn a_held_out_half_is_the_control() {
    let inside = population(4, 2_000, 0);
    let of: Vec<u32> = (0..1_000).collect();
    let shown: Vec<Person> = inside[..1_000].to_vec();
    let facts = facts(&inside, &shown, &of, 0);
    let mut plan = plan(vec![]);
    plan.attributes = vec!["sex".into(), "age".into(), "visit".into()];
    plan.control = (1_000..2_000).collect();
    let report = attack(&facts, &plan).unwrap();
    let inference = trial(&report, "diagnosis");
    assert_eq!(inference.criterion, Criterion::Inference);
    assert!(inference.blocks && inference.attack.rate > 0.8 && inference.baseline.rate < 0.7);
    // The same people and release without a control: the own record is taken away instead.
    plan.control.clear();
    let report = attack(&facts, &plan).unwrap();
    let without = trial(&report, "diagnosis");
    assert!(without.blocks && (without.baseline.rate - inference.baseline.rate).abs() < 0.08);
    assert!(without.cases.count > 0 && without.commonest.is_some());
}

#[test]
fn two_halves_that_tell_a_person_apart_are_linked() {
    let mut inside = population(6, 400, 0);
    for (at, person) in inside.iter_mut().enumerate() {
        person.sex = format!("s{}", at / 2);
        person.age = (at * 3).to_string();
    }
    let facts = facts(&inside, &inside, &all_of(&inside), 0);
    let report = attack(&facts, &plan(vec![])).unwrap();
    let linked = report.trials.iter().find(|t| t.criterion == Criterion::Linkability).unwrap();
    // Two share the first half; the nearest age belongs to somebody else once the own record is gone.
    assert!(linked.blocks && linked.attack.rate > 0.4, "{}", linked.sentence_ja());
    assert!(linked.baseline.rate < linked.attack.low);
}

#[test]
fn the_same_report_for_any_number_of_threads() {
    let inside = population(8, 800, 3);
    let facts = facts(&inside, &inside, &all_of(&inside), 3);
    let plan = plan(vec![Adversary::visit_dates("visit", 2)]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| attack(&facts, &plan).unwrap())
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}

fn options() -> AttackOptions {
    AttackOptions {
        delimiter: ';',
        person: Some("id".into()),
        quasi: vec!["sex".into(), "age".into()],
        sensitive: Vec::new(),
        dates: Some("visit".into()),
        max_shift: 5,
        items: Some("code".into()),
        hierarchies: [("sex".to_owned(), "F;*\nM;*\n".to_owned())].into(),
        attacks: 500,
        seed: 1,
        limit: 0.05,
    }
}

/// Rows of a file: two visits a person, of which `shown` says how they are written.
fn file(shown: impl Fn(usize, usize) -> String) -> String {
    let mut text = String::from("id;sex;age;code;visit\n");
    for person in 0..200 {
        for visit in 0..2 {
            text.push_str(&shown(person, visit));
            text.push('\n');
        }
    }
    text
}

fn original() -> String {
    file(|p, v| {
        let (sex, code) = (["F", "M"][p % 2], ["I10", "E11"][v]);
        format!("p{p};{sex};{};{code};2024-01-{:02}", 20 + p % 100, 1 + v * 9 + p % 5)
    })
}

#[test]
fn files_are_attacked_by_row_or_by_pairs() {
    let shifted = file(|p, v| {
        let (sex, code) = (["F", "M"][p % 2], ["I10", "E11"][v]);
        format!("x{p};{sex};{};{code};2024-01-{:02}", 20 + p % 100, 2 + v * 9 + p % 5)
    });
    let none: Option<&[u8]> = None;
    let run =
        |released: &str| attack_files(original().as_bytes(), released.as_bytes(), none, &options());
    let report = run(&shifted).unwrap();
    assert_eq!((report.persons, report.records, report.overlap), (200, 200, 200));
    assert_eq!((report.exposures[0].smallest, report.exposures[0].misled), (2, 0));
    assert_eq!(
        (report.exposures[2].adversary.as_str(), report.exposures[2].misled),
        ("visit-dates-2", 0)
    );
    let starred = file(|p, _| {
        if p == 0 {
            return "x0;*;*;*;".into();
        }
        format!("x{p};*;{};I10;", if p % 100 < 40 { "60未満" } else { "60以上" })
    });
    let report = run(&starred).unwrap();
    assert_eq!((report.overlap, report.blocks), (199, false), "{}", report.verdict_ja());
    assert!(report.exposures[0].smallest >= 40);
    let pairs = (0..200).fold(String::new(), |all, p| format!("{all}p{p};x{p}\n"));
    let by_pairs = |pairs: &str| {
        attack_files(original().as_bytes(), shifted.as_bytes(), Some(pairs.as_bytes()), &options())
    };
    assert_eq!(by_pairs(&pairs).unwrap(), run(&shifted).unwrap());
    assert!(matches!(by_pairs("p0;nobody\n"), Err(ToolError::Pair { line: 1 })));
    assert!(matches!(run("id;sex;age;code;visit\n"), Err(ToolError::Rows { original: 400, .. })));
    assert!(matches!(run("id;sex\n"), Err(ToolError::Column { .. })));
}
