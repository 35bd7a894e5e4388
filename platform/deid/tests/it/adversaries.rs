//! Declared adversaries, measured before and after the rules, against counts made by hand.

use std::collections::{BTreeMap, BTreeSet};

use kiban_deid::{
    Produced,
    report::{AdversaryRisk, RemovalReason},
    spec::Spec,
};
use kiban_kernel::Product;

use crate::flat::{batch, cells, run};

const NAMES: [&str; 5] = ["no", "sex", "birth", "seen", "disease"];
const SPEC: &str = r#"
specification = { name = "t" }
person = { key = ["no"], id_column = "id" }
k = { target = 3 }

[[adversaries]]
name = "neighbour"
label = "近所の人"
knows = ["data.sex", "data.birth"]
population = 126000000
max_risk = 0.34

[[adversaries]]
name = "diagnosis"
items = [{ column = "data.disease" }]
max_singled_out = 0.0

[[adversaries]]
name = "visits"
dates = { column = "data.seen", count = 2 }

[[adversaries]]
name = "chart"
knows = ["data.no"]

[tables.data.columns.no]
class = "linking_code"
anonymized = "drop"
pseudonymized = "drop"
[tables.data.columns.sex]
class = "quasi_identifier"
anonymized = { category = { values = ["M", "F"] } }
pseudonymized = "keep"
[tables.data.columns.birth]
class = "quasi_identifier"
anonymized = { truncate_date = { to = "decade" } }
pseudonymized = "keep"
[tables.data.columns.seen]
class = "date"
anonymized = { shift_date = { max_days = 30 } }
pseudonymized = "keep"
[tables.data.columns.disease]
class = "sensitive_value"
anonymized = { rare_to_residual = { min_persons = 3, lists = ["designated_intractable"] } }
pseudonymized = "keep"
"#;

/// 30 persons with two or three visits each; three have a disease that nobody else has, person 0 a gap of 200 days.
fn rows() -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for n in 0..30_u32 {
        let (sex, year) = (["M", "F"][(n % 2) as usize], 1950 + n / 2 % 8);
        let gaps: &[u32] = if n == 0 { &[0, 200] } else { &[0, 7, 14] };
        for gap in gaps {
            let day = 1 + n % 10 + gap;
            let date = kiban_kernel::Date::constant(2020, 1, 1)
                .checked_add(std::time::Duration::from_secs(u64::from(day) * 86_400))
                .unwrap();
            rows.push(vec![
                format!("p{n:02}"),
                sex.to_owned(),
                format!("{year}/{}/1", 1 + n % 12),
                format!("{}/{}/{}", date.year(), date.month(), date.day()),
                match n {
                    0..3 => format!("希少な病{n}"),
                    _ => ["高血圧症", "2型糖尿病"][(n % 2) as usize].to_owned(),
                },
            ]);
        }
    }
    rows
}

fn made(product: Product) -> Produced {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(SPEC, product, batch(&NAMES, &rows()), "d"))
}

fn of<'a>(made: &'a Produced, name: &str) -> &'a AdversaryRisk {
    made.risk().adversaries.iter().find(|a| a.name == name).unwrap()
}

/// Persons by the set of values that `key` makes of their rows.
fn sizes(rows: &[Vec<String>], key: impl Fn(&[String]) -> Vec<String>) -> Vec<usize> {
    let mut of: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
    for row in rows {
        of.entry(&row[0]).or_default().insert(key(row));
    }
    of.values().map(|own| of.values().filter(|o| *o == own).count()).collect()
}

#[test]
fn demographics_are_counted_as_by_hand_before_and_after() {
    let made = made(Product::Anonymized);
    let neighbour = of(&made, "neighbour");
    assert_eq!(neighbour.label_ja, "近所の人");
    let check = |figures: &kiban_deid::report::ExposureFigures, sizes: &[usize]| {
        assert!(figures.exact);
        assert_eq!(figures.persons, sizes.len() as u64);
        assert_eq!(figures.smallest, *sizes.iter().min().unwrap() as u64);
        assert_eq!(figures.singled_out, sizes.iter().filter(|s| **s == 1).count() as u64);
        let marketer = sizes.iter().map(|s| 1.0 / *s as f64).sum::<f64>() / sizes.len() as f64;
        assert!((figures.marketer[0] - marketer).abs() < 1e-12);
    };
    check(&neighbour.before, &sizes(&rows(), |r| r[1..3].to_vec()));
    let (_, out) = cells(&made);
    check(&neighbour.after, &sizes(&out, |r| r[1..3].to_vec()));
    let journalist = neighbour.after.journalist.unwrap();
    let expected = neighbour.after.prosecutor * 30.0 / 126_000_000.0;
    assert!((journalist - expected).abs() < 1e-15, "{journalist}");
    assert!(neighbour.exceeded.is_empty());
}

#[test]
fn a_rare_diagnosis_singles_out_before_and_not_after() {
    let (anonymized, pseudonymized) = (made(Product::Anonymized), made(Product::Pseudonymized));
    let diagnosis = of(&anonymized, "diagnosis");
    assert_eq!((diagnosis.before.singled_out, diagnosis.before.smallest), (3, 1));
    // The residual is one label of three persons.
    assert_eq!((diagnosis.after.singled_out, diagnosis.after.smallest), (0, 3));
    assert!(diagnosis.exceeded.is_empty());

    let diagnosis = of(&pseudonymized, "diagnosis");
    assert_eq!(diagnosis.after.singled_out, 3);
    // The pseudonymized product has no limits: who may have it is certified.
    assert!(diagnosis.exceeded.is_empty());
    let (_, found) = pseudonymized.singled_out().iter().find(|(a, _)| a == "diagnosis").unwrap();
    let planted = |n| found.iter().any(|p| p.contains(&format!("p0{n}")));
    assert!(found.len() == 3 && (0..3).all(planted), "the planted persons");
    // The package names nobody.
    let payload = pseudonymized.payload().unwrap();
    let risk = String::from_utf8(payload.file("risk.json").unwrap().bytes.clone()).unwrap();
    assert!(risk.contains("\"adversaries\"") && !risk.contains("p00"));
}

#[test]
fn the_gap_between_two_visits_survives_a_shift_and_is_measured() {
    let made = made(Product::Anonymized);
    let visits = of(&made, "visits");
    assert_eq!(visits.after.singled_out, 1, "the gap of 200 days: {visits:?}");
    assert!(visits.before.singled_out >= 1);
}

#[test]
fn what_is_not_released_helps_nobody() {
    let made = made(Product::Anonymized);
    let chart = of(&made, "chart");
    assert_eq!(chart.not_released, ["data.no"]);
    assert_eq!((chart.after.smallest, chart.after.singled_out), (30, 0));
}

#[test]
fn a_limit_that_is_not_kept_is_named() {
    let strict = SPEC.replace("max_risk = 0.34", "max_risk = 0.01");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(run(&strict, Product::Anonymized, batch(&NAMES, &rows()), "d"));
    assert_eq!(of(&made, "neighbour").exceeded, ["max_risk"]);
    let sentences = made.risk().over_limits_ja();
    assert!(sentences.len() == 1 && sentences[0].contains("近所の人"), "{sentences:?}");

    for (wrong, sentence) in [
        (SPEC.replace("max_risk = 0.34", "max_risk = 1.5"), "0から1"),
        (SPEC.replace("[\"data.sex\", \"data.birth\"]", "[]"), "1つ以上"),
        (SPEC.replace("data.birth\"]", "birth\"]"), "表.列"),
    ] {
        assert!(Spec::parse(&wrong).unwrap_err().ja().contains(sentence));
    }
}

#[test]
fn figures_are_the_same_in_every_run() {
    assert_eq!(made(Product::Anonymized).risk(), made(Product::Anonymized).risk());
}

const SUPPRESSION: &str = "dates = { column = \"data.seen\", count = 2 }\n";

fn with_suppression(lines: &str) -> String {
    SPEC.replace(SUPPRESSION, &format!("{SUPPRESSION}{lines}\n"))
}

fn made_from(spec: &str, product: Product) -> Produced {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(spec, product, batch(&NAMES, &rows()), "d"))
}

#[test]
fn cells_by_which_somebody_would_be_found_are_emptied_and_nobody_elses() {
    let spec = with_suppression(
        "local_suppression = [{ columns = [\"data.seen\"] }]\nmax_singled_out = 0.0",
    );
    let (plain, made) = (made(Product::Anonymized), made_from(&spec, Product::Anonymized));
    let visits = of(&made, "visits");
    assert_eq!((visits.after.singled_out, visits.after.misled), (0, 0));
    assert!(visits.exceeded.is_empty());
    let [done] = visits.local_suppression.as_slice() else { panic!("one group was needed") };
    assert_eq!(done.columns, ["data.seen"]);
    // Alone the emptied record would be known by that: another goes with it.
    assert_eq!((done.found, done.persons), (1, 2));
    // Two visits of the one, three of the other; the change report counts them.
    let (header, out) = cells(&made);
    let seen = header.iter().position(|c| c == "seen").unwrap();
    let empty: Vec<_> = out.iter().filter(|r| r[seen].is_empty()).collect();
    assert_eq!(empty.len(), 5);
    let persons: BTreeSet<&str> = empty.iter().map(|r| r[0].as_str()).collect();
    assert_eq!(persons.len(), 2);
    let change = made.changes().columns.iter().find(|c| c.column == "seen").unwrap();
    assert_eq!(change.emptied, 5);
    // Everything else stands as it did.
    let without = |made: &Produced| {
        let rows = cells(made).1.into_iter();
        let mut rows: Vec<_> = rows.filter(|r| !persons.contains(r[0].as_str())).collect();
        rows.sort();
        rows
    };
    assert_eq!(without(&plain), without(&made));
    assert_ne!(plain.provenance().plan_digest, made.provenance().plan_digest);
}

#[test]
fn the_next_group_is_for_whom_the_first_did_not_hide() {
    let lines = "items = [{ column = \"data.disease\" }]\nmin_candidates = 5\n\
                 local_suppression = [{ columns = [\"data.seen\"] }, { columns = [\"data.disease\"] }]";
    let made = made_from(&with_suppression(lines), Product::Anonymized);
    let visits = of(&made, "visits");
    // Three share the residual: without their days they are still three. Without the diseases too they hide among two
    // others.
    let [done] = visits.local_suppression.as_slice() else {
        panic!("{:?}", visits.local_suppression)
    };
    assert_eq!(done.columns, ["data.disease", "data.seen"]);
    assert_eq!((done.found, done.persons), (3, 5));
    assert!(visits.after.smallest >= 5, "{visits:?}");
    let (header, out) = cells(&made);
    let at = |name: &str| header.iter().position(|c| c == name).unwrap();
    assert!(out.iter().all(|r| r[at("disease")].is_empty() == r[at("seen")].is_empty()));
}

#[test]
fn the_pseudonymized_product_loses_no_cell_and_the_model_s_columns_are_not_named() {
    let spec = with_suppression("local_suppression = [{ columns = [\"data.seen\"] }]");
    let product = Product::Pseudonymized;
    assert_eq!(cells(&made_from(&spec, product)), cells(&made(product)));
    for wrong in [
        "[{ columns = [\"data.sex\"] }]",
        "[{ columns = [\"data.unknown\"] }]",
        "[{ columns = [\"seen\"] }]",
        "[{ columns = [] }]",
        // Nobody knows the disease; not among the columns; not known by items.
        "[{ columns = [\"data.disease\"], rows_of = \"data.disease\" }]",
        "[{ columns = [\"data.disease\"], rows_of = \"data.seen\" }]",
        "[{ columns = [\"data.seen\"], rows_of = \"data.seen\" }]",
    ] {
        let wrong = with_suppression(&format!("local_suppression = {wrong}"));
        assert!(Spec::parse(&wrong).unwrap_err().ja().contains("local_suppression"));
    }
}

/// 40 persons of one sex and age with two diseases each, a row per disease and visit; three have a third one.
fn charts() -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for n in 0..40_u32 {
        let third = (n % 15 == 4).then_some("痛風");
        let two = ["高血圧症", if n < 30 { "2型糖尿病" } else { "脂質異常症" }];
        for disease in two.into_iter().chain(third) {
            let row = [&format!("p{n:02}"), "F", "1950/4/1", "2020/5/1", disease];
            rows.push(row.map(str::to_owned).to_vec());
        }
    }
    rows
}

#[test]
fn rows_of_a_value_that_finds_are_emptied_and_no_others() {
    let lines =
        "local_suppression = [{ columns = [\"data.disease\"], rows_of = \"data.disease\" }]";
    let diagnosis = "max_singled_out = 0.0\n\n[[adversaries]]\nname = \"visits\"";
    let spec = SPEC.replace(diagnosis, &format!("min_candidates = 6\n{lines}\n{diagnosis}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |spec: &str| {
        runtime.block_on(run(spec, Product::Anonymized, batch(&NAMES, &charts()), "d"))
    };
    let made = run(&spec);
    let figures = of(&made, "diagnosis");
    let [done] = figures.local_suppression.as_slice() else { panic!("{figures:?}") };
    assert_eq!(
        (done.columns.as_slice(), done.rows.as_slice()),
        (&["data.disease".to_owned()][..], &["data.disease".to_owned()][..])
    );
    assert_eq!((done.found, done.persons), (3, 6));
    assert!(figures.after.smallest >= 6 && figures.exceeded.is_empty(), "{figures:?}");

    let (header, out) = cells(&made);
    let (_, plain) = cells(&run(SPEC));
    let at = header.iter().position(|c| c == "disease").unwrap();
    // Gout is gone; three of the company lost one value each, the smallest share of its holders first.
    let count = |rows: &[Vec<String>], value: &str| rows.iter().filter(|r| r[at] == value).count();
    assert_eq!((count(&plain, "痛風"), count(&plain, "")), (3, 0));
    assert_eq!((count(&out, "痛風"), count(&out, "")), (0, 6));
    assert_eq!((count(&out, "高血圧症"), count(&out, "2型糖尿病")), (38, 29));
    assert_eq!(count(&out, "脂質異常症"), 10);
    // Whoever loses a row keeps the others.
    for row in out.iter().filter(|r| r[at].is_empty()) {
        assert!(out.iter().any(|r| r[0] == row[0] && !r[at].is_empty()));
    }
    assert_eq!(plain.len(), out.len());
}

#[test]
fn who_cannot_hide_is_left_out_and_so_is_a_class_that_falls_under_k() {
    // Of three persons of one age only one has a disease: rows stay, so that having one finds. Four others share another.
    let mut rows = charts();
    for n in 0..7 {
        let (year, disease) = if n < 3 { ("1960/4/1", "") } else { ("1970/4/1", "高血圧症") };
        let disease = if n == 0 { "高血圧症" } else { disease };
        rows.push([&format!("q{n}"), "F", year, "2020/5/1", disease].map(str::to_owned).to_vec());
    }
    let adversary = "knows = [\"data.sex\", \"data.birth\"]\nitems = [{ column = \"data.disease\" }]\n\
                     min_candidates = 2\nleave_out_found = true\nmax_singled_out = 0.0";
    let spec =
        SPEC.replace("items = [{ column = \"data.disease\" }]\nmax_singled_out = 0.0", adversary);
    assert_ne!(spec, SPEC);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(run(&spec, Product::Anonymized, batch(&NAMES, &rows), "d"));
    let figures = of(&made, "diagnosis");
    assert_eq!(figures.left_out, 1);
    assert_eq!(figures.after.singled_out, 0);
    // The two left of the class are fewer than k.
    assert_eq!((made.risk().persons_in, made.risk().persons_out), (47, 44));
    let removed = &made.changes().tables[0].removed;
    let of_reason = |reason| removed.iter().find(|r| r.reason == reason).map(|r| r.rows);
    assert_eq!(of_reason(RemovalReason::Found), Some(1));
    assert_eq!(of_reason(RemovalReason::SmallClass), Some(2));
    assert_eq!(of(&made, "neighbour").left_out, 0);
}
