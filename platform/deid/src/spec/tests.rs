use kiban_kernel::{ColumnClass, Date, Product, Rules};

use super::*;

const DEMO: &str = include_str!("../../../../spec/demo/spec.toml");
const MINISTRY: &str = include_str!("../../../../spec/ministry_example/spec.toml");
const NAME_KEPT: &str = include_str!("../../../../spec/broken/name_kept.toml");
const SINGULAR_KEPT: &str = include_str!("../../../../spec/broken/singular_kept.toml");
const WEAKER_CLASS: &str = include_str!("../../../../spec/broken/weaker_class.toml");
const BOTH: [Product; 2] = [Product::Anonymized, Product::Pseudonymized];

fn on() -> Date {
    Date::constant(2026, 4, 1)
}

fn findings(text: &str, product: Product) -> Vec<SpecFinding> {
    let rules = Rules::built_in().unwrap();
    match Spec::parse(text).unwrap().check(product, &rules, on()) {
        Ok(_) => Vec::new(),
        Err(CheckError::Findings(found)) => found,
        Err(other) => panic!("{other}"),
    }
}

/// (table.column, law key) of each finding.
fn places(text: &str, product: Product) -> Vec<(String, String)> {
    findings(text, product)
        .into_iter()
        .map(|f| (format!("{}.{}", f.table, f.column), f.law.to_string()))
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn the_shipped_specifications_pass() {
    let rules = Rules::built_in().unwrap();
    for product in BOTH {
        assert_eq!(findings(DEMO, product), Vec::new(), "demo");
        let ministry = Spec::parse(MINISTRY).unwrap();
        assert!(ministry.is_flat());
        assert!(ministry.check_tool(product, &rules, on()).is_ok());
        let refused = ministry.check(product, &rules, on());
        let Err(CheckError::Findings(found)) = refused else {
            panic!("[fixed] passed in a deployment")
        };
        assert_eq!(found[0].breach, Breach::Fixed);
    }
}

#[test]
fn a_kept_identifier_is_refused_in_both_products() {
    assert_eq!(
        places(NAME_KEPT, Product::Anonymized),
        pairs(&[
            ("person.insured_number", "anonymized.id_codes"),
            ("person.name_kanji", "anonymized.identifiers"),
            ("person.phone", "anonymized.identifiers"),
        ])
    );
    assert_eq!(
        places(NAME_KEPT, Product::Pseudonymized),
        pairs(&[
            ("person.insured_number", "pseudonymized.id_codes"),
            ("person.name_kanji", "pseudonymized.identifiers"),
            ("person.phone", "pseudonymized.identifiers"),
        ])
    );
    let first = findings(NAME_KEPT, Product::Anonymized).remove(1);
    assert_eq!(
        (first.position, first.class),
        (Position { line: 8, column: 24 }, Some(ColumnClass::DirectIdentifier))
    );
    let ja = first.ja();
    assert!(
        ["person", "name_kanji", "直接識別子", "drop", "匿名加工基準1号", "anonymized.identifiers"]
            .iter()
            .all(|w| ja.contains(w)),
        "{ja}"
    );
}

#[test]
fn singular_values_dates_text_and_the_model_are_looked_at() {
    assert_eq!(
        places(SINGULAR_KEPT, Product::Anonymized),
        pairs(&[
            ("condition.icd10", "anonymized.singular"),
            ("condition.recorded_at", "anonymized.database"),
            ("measurement.value_num", "anonymized.singular"),
            ("note.text", "anonymized.identifiers"),
            ("person.address", "anonymized.identifiers"),
            ("person.address", "anonymized.database"),
            ("person.birth_on", "anonymized.database"),
        ])
    );
    assert_eq!(
        places(SINGULAR_KEPT, Product::Pseudonymized),
        pairs(&[("note.text", "pseudonymized.identifiers")])
    );
}

#[test]
fn a_weaker_class_than_the_schemas_is_refused() {
    for product in BOTH {
        let found = findings(WEAKER_CLASS, product);
        let breaches: Vec<_> =
            found.iter().map(|f| (f.table.as_str(), f.column.as_str(), &f.breach)).collect();
        assert_eq!(
            breaches,
            [
                (
                    "condition",
                    "code",
                    &Breach::WeakerClass { canonical: ColumnClass::SensitiveValue }
                ),
                ("horoscope", "", &Breach::UnknownTable),
                (
                    "person",
                    "name_kana",
                    &Breach::WeakerClass { canonical: ColumnClass::DirectIdentifier }
                ),
                ("person", "shoe_size", &Breach::UnknownColumn),
            ]
        );
        assert!(found.iter().all(|f| !f.law.article().is_empty()));
    }
}

#[test]
fn every_class_has_its_law_key() {
    for product in BOTH {
        for class in ColumnClass::ALL {
            assert!(kiban_kernel::LawKey::new(default_law(class, product)).is_ok(), "{class:?}");
        }
    }
}

/// One flat column under a class and a rule.
fn one(class: &str, rule: &str) -> String {
    format!(
        "[specification]\nname = \"t\"\n[k]\ntarget = 2\n[tables.data.columns.x]\nclass = \"{class}\"\nanonymized = {rule}\npseudonymized = {rule}\n"
    )
}

#[test]
fn the_table_of_house_rule_4_cell_by_cell() {
    let rules = Rules::built_in().unwrap();
    let keep = "\"keep\"";
    let shift = "{ shift_date = { max_days = 3 } }";
    let month = "{ truncate_date = { to = \"month\" } }";
    let bounds = "{ bounds = { low = 1, high = 2 } }";
    let rare = "{ rare_to_residual = { min_persons = 2, lists = [\"designated_intractable\"] } }";
    let one_end = "{ top_code = { at = 9 } }";
    let reasoned = "{ top_code = { at = 9, other_end = \"0が自然な下限\" } }";
    let prefecture = "{ region = { to = \"prefecture\" } }";
    // class, rule, passes anonymized, passes pseudonymized
    let cells = [
        ("direct_identifier", "\"drop\"", true, true),
        ("direct_identifier", keep, false, false),
        ("direct_identifier", "\"pseudonym\"", false, false),
        ("direct_identifier", prefecture, true, true),
        ("individual_id_code", "\"withhold\"", true, true),
        ("individual_id_code", "\"pseudonym\"", false, false),
        ("linking_code", "\"pseudonym\"", true, true),
        ("linking_code", keep, false, false),
        ("financial_damage", "\"drop\"", true, true),
        ("financial_damage", keep, false, false),
        ("quasi_identifier", keep, false, true),
        ("quasi_identifier", month, true, true),
        ("quasi_identifier", shift, false, true),
        ("quasi_identifier", "\"pseudonym\"", false, false),
        ("sensitive_value", keep, false, true),
        ("sensitive_value", bounds, true, true),
        ("sensitive_value", rare, true, true),
        ("sensitive_value", one_end, false, true),
        ("sensitive_value", reasoned, true, true),
        ("sensitive_value", "{ code_to_parent = { characters = 3 } }", false, true),
        ("date", keep, false, true),
        ("date", shift, true, true),
        ("date", month, true, true),
        ("free_text", keep, false, false),
        ("free_text", "\"withhold\"", true, true),
        ("insensitive", keep, true, true),
    ];
    for (class, rule, anonymized, pseudonymized) in cells {
        let spec = Spec::parse(&one(class, rule)).unwrap();
        assert_eq!(
            spec.check(Product::Anonymized, &rules, on()).is_ok(),
            anonymized,
            "{class} {rule}"
        );
        assert_eq!(
            spec.check(Product::Pseudonymized, &rules, on()).is_ok(),
            pseudonymized,
            "{class} {rule}"
        );
    }
}

#[test]
fn errors_of_the_text_have_line_and_column() {
    let at = |text: &str| match Spec::parse(text) {
        Err(SpecError::Syntax { position, message }) => (position.line, position.column, message),
        other => panic!("{other:?}"),
    };
    let (line, column, message) = at("[specification]\nname = \"x\"\nnmae = 1\n[tables]\n");
    assert!(
        (line, column) == (3, 1) && message.contains("unknown field"),
        "{line}:{column} {message}"
    );
    assert_eq!(at("[specification\n").0, 1);
    assert_eq!(at(&one("quasi_identifier", "\"kep\"")).0, 7);
    assert_eq!(at(&one("quasi", "\"keep\"")).0, 6);
    assert_eq!(at(&one("date", "{ shift_date = { max_day = 3 } }")).0, 7);
    let wrong = Spec::parse(&one("sensitive_value", "{ band = { width = 0 } }"));
    let Err(SpecError::Parameter { position, problem, .. }) = wrong else { panic!() };
    assert_eq!((position.line, problem), (5, ParameterProblem::Width));
    let unknown =
        one("sensitive_value", "{ rare_to_residual = { min_persons = 2, lists = [\"nope\"] } }");
    assert!(matches!(
        Spec::parse(&unknown),
        Err(SpecError::Parameter { problem: ParameterProblem::UnknownList, .. })
    ));
    assert!(matches!(
        Spec::parse("specification = { name = \"x\" }\ntables = {}"),
        Err(SpecError::NoTable)
    ));
    let unknown_law = one("insensitive", "\"keep\"") + "law = \"no.such.law\"\n";
    assert_eq!(at(&unknown_law).0, 9);
}

#[test]
fn part_of_a_group_may_not_be_kept() {
    let text = "[specification]\nname = \"t\"\n[tables.data.columns.code]\nclass = \"sensitive_value\"\ngroup = \"g\"\nanonymized = { rare_to_residual = { min_persons = 2, lists = [\"designated_intractable\"] } }\n[tables.data.columns.name]\nclass = \"insensitive\"\ngroup = \"g\"\nanonymized = \"keep\"\n";
    let found = findings(text, Product::Anonymized);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].column.as_str(), &found[0].breach), ("name", &Breach::GroupBroken));
}

#[test]
fn the_json_schema_knows_every_rule() {
    let schema = Spec::json_schema().to_string();
    for rule in [
        "drop",
        "withhold",
        "truncate_date",
        "shift_date",
        "rare_to_residual",
        "extremes",
        "half_decade",
        "individual_id_code",
    ] {
        assert!(schema.contains(rule), "{rule}");
    }
}
