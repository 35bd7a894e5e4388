//! Levels that the specification leaves to the search.

use std::collections::{BTreeMap, BTreeSet};

use kiban_deid::{
    ProduceError, Produced,
    spec::{Rule, SearchError, Spec, WithheldReason},
    tool::{self, ToolError},
};
use kiban_kernel::{Date, Product, Rules};
use kiban_lake::functions::keyed::FixedOutcome;
use proptest::prelude::*;

use crate::flat::{batch, cells, run};

const NAMES: [&str; 5] = ["no", "sex", "birth", "town", "disease"];

/// A specification with these rules for birth and town.
fn spec(search: &str, birth: &str, town: &str) -> String {
    format!(
        r#"
specification = {{ name = "t" }}
person = {{ key = ["no"], id_column = "id" }}
k = {{ target = 3 }}
{search}
[tables.data.columns.no]
class = "linking_code"
anonymized = "drop"
[tables.data.columns.sex]
class = "quasi_identifier"
anonymized = {{ category = {{ values = ["M", "F"] }} }}
[tables.data.columns.birth]
class = "quasi_identifier"
anonymized = {birth}
[tables.data.columns.town]
class = "quasi_identifier"
anonymized = {town}
[tables.data.columns.disease]
class = "sensitive_value"
anonymized = {{ rare_to_residual = {{ min_persons = 2, lists = ["designated_intractable"] }} }}
"#
    )
}

const BIRTH: [&str; 4] = [
    r#"{ truncate_date = { to = "month" } }"#,
    r#"{ truncate_date = { to = "year" } }"#,
    r#"{ truncate_date = { to = "half_decade" } }"#,
    r#"{ truncate_date = { to = "decade" } }"#,
];
const TOWN: [&str; 3] = [
    "{ code_to_parent = { characters = 3 } }",
    "{ code_to_parent = { characters = 1 } }",
    "\"drop\"",
];

fn levels(rules: &[&str]) -> String {
    format!("{{ levels = [{}] }}", rules.join(", "))
}

fn searched(search: &str) -> String {
    spec(search, &levels(&BIRTH), &levels(&TOWN))
}

/// A person: sex, year, month, visits to towns, disease.
type Person = (u8, u8, u8, Vec<(u8, u8)>, u8);

fn people() -> impl Strategy<Value = Vec<Person>> {
    let towns = prop::collection::vec((0_u8..2, 0_u8..2), 1..3);
    prop::collection::vec((0_u8..2, 0_u8..25, 0_u8..2, towns, 0_u8..3), 3..40)
}

fn rows(people: &[Person]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (n, (sex, year, month, towns, disease)) in people.iter().enumerate() {
        for (area, town) in towns {
            rows.push(vec![
                format!("p{n:03}"),
                ["M", "F"][usize::from(*sex)].to_owned(),
                format!("{}/{}/3", 1950 + u32::from(*year), 4 + month),
                format!("{area}0{town}9"),
                ["高血圧症", "2型糖尿病", "喘息"][usize::from(*disease)].to_owned(),
            ]);
        }
    }
    rows
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn made(spec: &str, rows: &[Vec<String>]) -> Produced {
    runtime().block_on(run(spec, Product::Anonymized, batch(&NAMES, rows), "d"))
}

fn refused(spec: &str, rows: &[Vec<String>]) -> ProduceError {
    tried(spec, rows).err().unwrap()
}

fn tried(spec: &str, rows: &[Vec<String>]) -> Result<Produced, ProduceError> {
    let spec = Spec::parse(spec).unwrap();
    let rules = Rules::built_in().unwrap();
    let made = runtime().block_on(tool::table(
        &spec,
        Product::Anonymized,
        &rules,
        Date::constant(2026, 4, 1),
        vec![batch(&NAMES, rows)],
        &[9; 32],
        "d",
        FixedOutcome::default(),
    ));
    made.map_err(|e| match e {
        ToolError::Produce(e) => e,
        other => panic!("{other}"),
    })
}

/// Each person's combination in the output, as the set of the rows' quasi-identifiers.
fn combinations(made: &Produced) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let (header, rows) = cells(made);
    let quasi: Vec<usize> = ["sex", "birth", "town"]
        .iter()
        .filter_map(|name| header.iter().position(|h| h == name))
        .collect();
    let mut of: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for row in rows {
        let held = quasi.iter().map(|i| row[*i].clone()).collect();
        of.entry(row[0].clone()).or_default().insert(held);
    }
    of
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The chosen levels, written down as plain rules, give the same table; k holds; no more persons are suppressed
    /// than may be, but for persons whose rows tell more together than column by column.
    #[test]
    fn a_search_is_the_same_as_its_answer_written_down(people in people()) {
        let rows = rows(&people);
        let limit = (people.len() as f64 * 0.3).floor() as u64;
        let coarsest = || made(&spec("", BIRTH[3], TOWN[2]), &rows).risk().persons_suppressed;
        let found = match tried(&searched("search = { suppression = 0.3 }"), &rows) {
            Ok(found) => found,
            Err(ProduceError::Search(SearchError::Anonymize(_))) => {
                prop_assert!(coarsest() > limit, "there was an answer");
                return Ok(());
            }
            Err(other) => panic!("{other}"),
        };
        let summary = found.risk().search.clone().unwrap();
        let level = |column: &str| summary.columns.iter().find(|c| c.column == column).unwrap().level;
        let fixed = made(&spec("", BIRTH[level("birth")], TOWN[level("town")]), &rows);
        prop_assert_eq!(cells(&found), cells(&fixed));
        prop_assert_eq!(&found.changes().tables, &fixed.changes().tables);
        prop_assert!(summary.suppressed <= summary.suppression_limit);
        prop_assert_eq!(summary.suppression_limit, limit);
        prop_assert!(summary.optimal && summary.checked > 0);

        let of = combinations(&found);
        for held in of.values() {
            prop_assert!(of.values().filter(|h| *h == held).count() >= 3);
        }
        let dropped = found.changes().withheld.iter().any(|w| w.column == "town" && w.reason == WithheldReason::Dropped);
        prop_assert_eq!(dropped, level("town") == 2);
    }
}

/// 40 persons in two groups that only the month tells apart, and one person alone.
fn crowd() -> Vec<Vec<String>> {
    let mut people: Vec<Person> =
        (0..40).map(|i| (0, 10, i % 2, vec![(0, 0)], u8::from(i >= 20))).collect();
    people.push((1, 24, 0, vec![(1, 1)], 2));
    rows(&people)
}

#[test]
fn nothing_is_coarser_than_it_must_be() {
    let found = made(&searched("search = { suppression = 0.05 }"), &crowd());
    let summary = found.risk().search.clone().unwrap();
    assert!(summary.columns.iter().all(|c| c.level == 0), "{summary:?}");
    assert_eq!((summary.suppressed, found.risk().persons_out), (1, 40));
    assert_eq!(summary.columns[0].rule, BIRTH_MONTH_AS_JSON);
    // Nobody may be suppressed: the last person must be hidden by coarser values, and sex cannot be coarsened.
    let error = refused(&searched("search = { suppression = 0.0 }"), &crowd());
    assert!(error.ja().contains("[search]"), "{}", error.ja());
}
const BIRTH_MONTH_AS_JSON: &str = r#"{"truncate_date":{"to":"month","earliest":null}}"#;

#[test]
fn a_further_model_holds_in_the_output() {
    // By month, each class of 20 has both diseases; but the persons of one disease all have one month here.
    let mut people: Vec<Person> = (0..40).map(|i| (0, 10, i % 2, vec![(0, 0)], i % 2)).collect();
    people.extend((0..40).map(|i| (1, 10, i % 2, vec![(0, 0)], u8::from(i >= 20))));
    let model = r#"search = { suppression = 0.0, models = ["l=2,attribute=data.disease"] }"#;
    let found = made(&searched(model), &rows(&people));
    let (header, cells) = cells(&found);
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let mut diseases: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for row in &cells {
        let class = vec![row[at("sex")].clone(), row[at("birth")].clone()];
        diseases.entry(class).or_default().insert(row[at("disease")].clone());
    }
    assert!(diseases.values().all(|d| d.len() >= 2), "{diseases:?}");
    assert_eq!(found.risk().persons_out, 80);
    let level = found.risk().search.clone().unwrap().columns[0].level;
    assert_eq!(level, 1, "months would tell the disease");
}

#[test]
fn what_cannot_be_searched_is_named() {
    let not_nested = spec(
        "",
        r#"{ levels = [{ truncate_date = { to = "year" } }, { truncate_date = { to = "month" } }] }"#,
        r#""drop""#,
    );
    let error =
        refused(&not_nested, &rows(&[(0, 1, 0, vec![(0, 0)], 0), (0, 1, 1, vec![(0, 0)], 0)]));
    assert!(
        matches!(&error, ProduceError::Search(SearchError::NotNested { column, .. }) if column == "birth")
    );

    let several = searched(r#"search = { models = ["l=2,attribute=data.town"] }"#);
    let error = refused(&several, &rows(&[(0, 1, 0, vec![(0, 0), (1, 1)], 0)]));
    assert!(matches!(&error, ProduceError::Search(SearchError::Sensitive { .. })));
    assert!(error.ja().contains("data.town"));

    for (wrong, sentence) in [
        (searched("search = { suppression = 1.5 }"), "0から1"),
        (searched(r#"search = { models = ["x=2"] }"#), "models"),
        (spec("", r#"{ levels = ["drop", "keep"] }"#, r#""drop""#), "levels"),
        (spec("", r#"{ levels = [{ truncate_date = { to = "year" } }] }"#, r#""drop""#), "levels"),
    ] {
        assert!(Spec::parse(&wrong).unwrap_err().ja().contains(sentence), "{wrong}");
    }
    // A level that would break the standard of processing is refused as any rule is.
    let kept =
        spec("", r#"{ levels = ["keep", { truncate_date = { to = "year" } }] }"#, r#""drop""#);
    let rules = Rules::built_in().unwrap();
    let on = Date::constant(2026, 4, 1);
    let error =
        Spec::parse(&kept).unwrap().check_tool(Product::Anonymized, &rules, on).unwrap_err();
    assert!(error.ja().contains("birth") && error.ja().contains("anonymized.database"));
    assert_eq!(Rule::Levels(vec![Rule::Keep, Rule::Drop]).name(), "levels");
}
