//! One test per line of the crate's `# Guarantee` list, on plain tables.

use std::collections::{BTreeMap, BTreeSet};

use kiban_deid::{finding::FindingKind, report::RemovalReason, spec::WithheldReason};
use kiban_kernel::{Product, parse_date};
use proptest::prelude::*;

use crate::flat::{batch, cells, run};

const SPEC: &str = r#"
specification = { name = "t" }
person = { key = ["no"], id_column = "id" }
k = { target = 3 }
[tables.data.columns.no]
class = "linking_code"
anonymized = "drop"
pseudonymized = "drop"
[tables.data.columns.chart]
class = "linking_code"
anonymized = "pseudonym"
pseudonymized = "pseudonym"
[tables.data.columns.sex]
class = "quasi_identifier"
anonymized = { category = { values = ["M", "F"] } }
pseudonymized = "keep"
[tables.data.columns.birth]
class = "quasi_identifier"
role = "birth"
anonymized = { truncate_date = { to = "decade" } }
pseudonymized = "keep"
[tables.data.columns.job]
class = "quasi_identifier"
role = "occupation"
anonymized = { rare_to_residual = { min_persons = 2 } }
pseudonymized = "keep"
[tables.data.columns.seen]
class = "date"
anonymized = { shift_date = { max_days = 40 } }
pseudonymized = "keep"
[tables.data.columns.disease]
class = "sensitive_value"
role = "event"
anonymized = { rare_to_residual = { min_persons = 3, lists = ["designated_intractable"] } }
pseudonymized = "keep"
[tables.data.columns.value]
class = "sensitive_value"
anonymized = { extremes = { persons = 2, by = ["disease"] } }
pseudonymized = "keep"
"#;
const NAMES: [&str; 9] = ["no", "chart", "sex", "birth", "job", "seen", "disease", "value", "memo"];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A person: number, sex, year of birth, job; and visits: day, disease, value.
type Person = (u8, u8, u8, Vec<(u16, u8, u16)>);

fn people() -> impl Strategy<Value = Vec<Person>> {
    let visit = (0_u16..2000, 0_u8..4, 0_u16..300);
    prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..4, prop::collection::vec(visit, 1..4)), 1..40)
}

fn rows(people: &[Person]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (n, (sex, decade, job, visits)) in people.iter().enumerate() {
        for (day, disease, value) in visits {
            let seen =
                kiban_kernel::Date::constant(2020, 1, 1).checked_add(jiff_days(*day)).unwrap();
            rows.push(vec![
                format!("p{n:03}"),
                format!("c{}", n / 2),
                ["M", "F", "U"][usize::from(*sex)].to_owned(),
                format!("19{}5/3/4", 5 + decade),
                ["農業", "会社員", "市長", ""][usize::from(*job)].to_owned(),
                format!("{}/{}/{}", seen.year(), seen.month(), seen.day()),
                ["高血圧症", "膵島細胞症", "2型糖尿病", ""][usize::from(*disease)].to_owned(),
                value.to_string(),
                "言うべきでないこと".to_owned(),
            ]);
        }
    }
    rows
}

fn jiff_days(days: u16) -> std::time::Duration {
    std::time::Duration::from_secs(u64::from(days) * 86_400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// `deid.k`, `deid.rows`, `deid.undeclared`, `deid.rare`: recounted naively from the output.
    #[test]
    fn k_holds_rows_add_up_and_nothing_undeclared_leaves(people in people()) {
        let input = rows(&people);
        let made = runtime().block_on(run(SPEC, Product::Anonymized, batch(&NAMES, &input), "d"));
        let (header, out) = cells(&made);
        prop_assert_eq!(&header, &["id", "chart", "sex", "birth", "job", "seen", "disease", "value"]);

        let mut combinations: BTreeMap<&str, BTreeSet<&[String]>> = BTreeMap::new();
        for row in &out {
            combinations.entry(&row[0]).or_default().insert(&row[2..5]);
        }
        for combination in combinations.values() {
            let alike = combinations.values().filter(|c| *c == combination).count();
            prop_assert!(alike >= 3, "a class of {}", alike);
        }
        let count = &made.changes().tables[0];
        let removed: u64 = count.removed.iter().map(|r| r.rows).sum();
        prop_assert_eq!(count.rows_in, input.len() as u64);
        prop_assert_eq!(count.rows_out + removed, count.rows_in);
        prop_assert_eq!(count.rows_out, out.len() as u64);
        prop_assert!(count.removed.iter().all(|r| r.reason == RemovalReason::SmallClass));
        prop_assert_eq!(made.risk().persons_out, combinations.len() as u64);
        prop_assert_eq!(made.risk().persons_in - made.risk().persons_suppressed, made.risk().persons_out);
        prop_assert!(made.risk().smallest_class >= 3 || combinations.is_empty());

        let withheld: Vec<_> = made.changes().withheld.iter().map(|w| (w.column.as_str(), w.reason)).collect();
        prop_assert_eq!(withheld, [("memo", WithheldReason::Undeclared), ("no", WithheldReason::Dropped)]);

        for disease in ["高血圧症", "2型糖尿病"] {
            let held: BTreeSet<&str> = out.iter().filter(|r| r[6] == disease).map(|r| r[0].as_str()).collect();
            prop_assert!(held.is_empty() || held.len() >= 3);
        }
        prop_assert!(out.iter().all(|r| r[6] != "膵島細胞症"), "a listed disease stays never");
        let residual: BTreeSet<&str> = out.iter().filter(|r| r[6] == "その他").map(|r| r[0].as_str()).collect();
        let something_stays = out.iter().any(|r| !r[6].is_empty() && r[6] != "その他");
        prop_assert!(residual.is_empty() || residual.len() >= 3 || !something_stays, "a residual that names its person");
    }

    /// `deid.shift`: one offset per person, never 0, so intervals are unchanged.
    #[test]
    fn intervals_between_a_persons_dates_are_unchanged(people in people()) {
        let spec = SPEC.replace("target = 3", "target = 1");
        let input = rows(&people);
        let made = runtime().block_on(run(&spec, Product::Anonymized, batch(&NAMES, &input), "d"));
        let (_, out) = cells(&made);
        let gaps = |days: &mut Vec<i64>| {
            days.sort_unstable();
            days.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>()
        };
        let day = |text: &str| i64::from((parse_date(text).unwrap() - kiban_kernel::Date::constant(1970, 1, 1)).get_days());
        let mut before: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut after: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for row in &input {
            before.entry(&row[0]).or_default().push(day(&row[5]));
        }
        for row in &out {
            after.entry(&row[0]).or_default().push(day(&row[5]));
        }
        let mut a: Vec<_> = before.values_mut().map(gaps).collect();
        let mut b: Vec<_> = after.values_mut().map(gaps).collect();
        a.sort();
        b.sort();
        prop_assert_eq!(a, b);
        let all_before: BTreeSet<i64> = before.values().flatten().copied().collect();
        let moved = after.values().flatten().filter(|d| !all_before.contains(d)).count();
        prop_assert!(moved > 0 || all_before.len() > 1);
    }

    /// `deid.domains`: inside a domain stable, across domains nothing in common; `deid.same-bytes`.
    #[test]
    fn ids_are_stable_in_a_domain_and_never_meet_another(people in people()) {
        let input = rows(&people);
        let made = |product, domain: &'static str, rows: &[Vec<String>]| {
            runtime().block_on(run(SPEC, product, batch(&NAMES, rows), domain))
        };
        let ids = |made: &kiban_deid::Produced| -> BTreeSet<String> {
            cells(made).1.into_iter().flat_map(|r| [r[0].clone(), r[1].clone()]).collect()
        };
        let one = made(Product::Pseudonymized, "prj_a", &input);
        let again = made(Product::Pseudonymized, "prj_a", &input);
        let mut turned = input.clone();
        turned.reverse();
        let reversed = made(Product::Pseudonymized, "prj_a", &turned);
        let other = made(Product::Pseudonymized, "prj_b", &input);
        prop_assert_eq!(ids(&one).intersection(&ids(&other)).count(), 0);
        prop_assert_eq!(one.payload().unwrap().digest(), again.payload().unwrap().digest());
        prop_assert_eq!(one.payload().unwrap().digest(), reversed.payload().unwrap().digest(), "the order of the input shows");
        // Half of the persons, next year: the same ids.
        let half = &input[..input.len().div_ceil(2)];
        prop_assert!(ids(&made(Product::Pseudonymized, "prj_a", half)).is_subset(&ids(&one)));
    }

    /// `deid.explained`: what a rule does not change is as it was; what it changes follows from the rule.
    #[test]
    fn every_output_value_is_explained_by_its_rule(people in people()) {
        let input = rows(&people);
        let made = runtime().block_on(run(SPEC, Product::Pseudonymized, batch(&NAMES, &input), "d"));
        let (_, out) = cells(&made);
        let mut before: Vec<&[String]> = input.iter().map(|r| &r[2..8]).collect();
        let mut after: Vec<&[String]> = out.iter().map(|r| &r[2..8]).collect();
        before.sort();
        after.sort();
        prop_assert_eq!(before, after, "kept columns of the pseudonymized product");
        let changed: u64 = made.changes().columns.iter().filter(|c| c.rule == "keep").map(|c| c.changed).sum();
        prop_assert_eq!(changed, 0);

        let made = runtime().block_on(run(SPEC, Product::Anonymized, batch(&NAMES, &input), "d"));
        for row in cells(&made).1 {
            prop_assert!(matches!(row[2].as_str(), "M" | "F" | "その他"));
            prop_assert!(row[3].len() == 9 && row[3].contains("0~19"));
            prop_assert!(row[7].is_empty() || kiban_lake::functions::range_of(&row[7]).is_some());
        }
    }
}

#[tokio::test]
async fn a_specialist_hospitals_300_persons_of_a_listed_disease_are_still_residual() {
    let people: Vec<Person> = (0..300).map(|_| (0, 0, 0, vec![(10, 1, 5)])).collect();
    let made = run(SPEC, Product::Anonymized, batch(&NAMES, &rows(&people)), "d").await;
    let (_, out) = cells(&made);
    assert_eq!(out.len(), 300);
    assert!(out.iter().all(|r| r[6] == "その他"));
    let column = made.changes().columns.iter().find(|c| c.column == "disease").unwrap();
    assert_eq!((column.cells, column.changed, column.residual), (300, 300, 300));
}

#[tokio::test]
async fn a_mayor_and_a_person_of_111_years_are_findings() {
    let mut people: Vec<Person> = (0..20).map(|_| (0, 0, 1, vec![(10, 0, 5)])).collect();
    people[3].2 = 2;
    let mut input = rows(&people);
    input[7][3] = "1914/5/6".to_owned();
    let made = run(SPEC, Product::Pseudonymized, batch(&NAMES, &input), "d").await;
    let kinds: Vec<_> =
        made.findings().iter().map(|f| (f.kind, f.persons, f.columns.clone())).collect();
    assert_eq!(
        kinds,
        [
            (FindingKind::VeryHighAge, 1, vec!["data.birth".to_owned()]),
            (FindingKind::Occupation, 1, vec!["data.job".to_owned()]),
        ]
    );
    assert_eq!(made.undecided().count(), 2);
    let text = format!("{:?} {}", made.findings(), made.findings()[1].ja());
    assert!(!text.contains("市長") && !text.contains("1914"), "a finding quotes no value");
    let anonymized = run(SPEC, Product::Anonymized, batch(&NAMES, &input), "d").await;
    assert!(cells(&anonymized).1.iter().all(|r| r[4] != "市長"));
}

#[tokio::test]
async fn bounds_have_enough_persons_beyond_them_and_small_groups_are_emptied() {
    let mut people: Vec<Person> = (0..30_u16).map(|i| (0, 0, 1, vec![(10, 0, i)])).collect();
    people.extend((0..3_u16).map(|i| (0, 0, 1, vec![(10, 2, 100 + i)])));
    let made = run(SPEC, Product::Anonymized, batch(&NAMES, &rows(&people)), "d").await;
    let (_, out) = cells(&made);
    let of = |disease: &str| {
        out.iter().filter(|r| r[6] == disease).map(|r| r[7].clone()).collect::<Vec<_>>()
    };
    let common = of("高血圧症");
    assert_eq!(common.iter().filter(|v| *v == "28以上").count(), 2);
    assert_eq!(common.iter().filter(|v| *v == "1以下").count(), 2);
    assert_eq!(of("2型糖尿病"), ["", "", ""], "three persons cannot stand twice beyond two bounds");
}

#[tokio::test]
async fn a_window_counts_what_it_leaves_out() {
    let spec = SPEC.replace("target = 3", "target = 1").replace(
        "[tables.data.columns.no]",
        "[window]\nfrom = 2020-01-01\nuntil = 2020-02-01\n[tables.data]\nwindow_column = \"seen\"\n[tables.data.columns.no]",
    );
    let spec = spec
        .replace("from = 2020-01-01", "from = \"2020-01-01\"")
        .replace("until = 2020-02-01", "until = \"2020-02-01\"");
    let people: Vec<Person> = (0..10_u16).map(|i| (0, 0, 1, vec![(i * 5, 0, 1)])).collect();
    let made = run(&spec, Product::Pseudonymized, batch(&NAMES, &rows(&people)), "d").await;
    let count = &made.changes().tables[0];
    assert_eq!((count.rows_in, count.rows_out), (10, 7));
    assert_eq!(count.removed[0].reason, RemovalReason::OutsideWindow);
}

#[tokio::test]
async fn the_numbers_before_and_after_hide_the_extremes() {
    let people: Vec<Person> = (0..200_u16).map(|i| (0, 0, 1, vec![(10, 0, i)])).collect();
    let made = run(SPEC, Product::Anonymized, batch(&NAMES, &rows(&people)), "d").await;
    let value = made.changes().columns.iter().find(|c| c.column == "value").unwrap();
    let utility = value.utility.as_ref().unwrap();
    assert!((utility.before.mean - 99.5).abs() < 1e-9 && utility.before.count == 200);
    assert!((utility.after.quantiles[2] - utility.before.quantiles[2]).abs() < 1e-9);
    assert_eq!(value.changed, 4, "two persons at each end, the bounds' own values included");
}
