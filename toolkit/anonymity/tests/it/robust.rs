//! Bad hierarchies, bad data, hard tables: a clear refusal or a sensible answer (acceptance 7).

use kiban_anonymity::tool::{self, Options, RiskOptions, Run, ToolError, parse_models};
use kiban_anonymity::{
    AnonymizeError, Attribute, Control, Estimate, Hierarchy, HierarchyError, Model, ModelError,
    Rule, SearchKind, Settings, TableBuilder, TableError, ToTheEnd, anonymize,
};
use std::collections::BTreeMap;

fn options(hierarchies: &[(&str, &str)], quasi: &[&str], models: &[&str], limit: f64) -> Options {
    let models: Vec<String> = models.iter().map(|m| (*m).to_owned()).collect();
    Options {
        delimiter: ';',
        hierarchies: hierarchies.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
        quasi: quasi.iter().map(|name| (*name).to_owned()).collect(),
        sensitive: Vec::new(),
        identifying: Vec::new(),
        settings: Settings::new(parse_models(&models, None).unwrap(), limit),
    }
}

fn run(data: &str, options: &Options) -> Result<Run, ToolError> {
    tool::run(data.as_bytes(), options, &ToTheEnd)
}

fn output(data: &str, options: &Options) -> String {
    let mut out = Vec::new();
    run(data, options).unwrap().write(data.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const AGES: &str = "34;30-39;*\n36;30-39;*\n51;50-59;*\n";
const DATA: &str = "age;sex\n34;F\n36;F\n51;M\n34;F\n";
const SEXES: &str = "F;*\nM;*\n";

#[test]
fn bad_hierarchies_are_named_by_line() {
    let fault = |ages: &str| {
        let options = options(&[("age", ages), ("sex", SEXES)], &["age", "sex"], &["k=2"], 1.0);
        let error = run(DATA, &options).unwrap_err();
        assert!(error.ja().contains("age"), "{}", error.ja());
        error
    };
    let source = |ages: &str| match fault(ages) {
        ToolError::Hierarchy { source, .. } => source,
        error => panic!("{error}"),
    };
    assert_eq!(source(""), HierarchyError::Empty);
    assert_eq!(
        source("34;x;*\n\n36;x\n"),
        HierarchyError::Ragged { line: 3, found: 2, expected: 3 }
    );
    assert_eq!(
        source("34;x;*\n36;x;*\n34;y;*\n"),
        HierarchyError::ValueTwice { line: 3, first: 1 }
    );
    assert_eq!(source("34;x;a\n36;x;b\n"), HierarchyError::NotNested { line: 2, level: 1 });
    let missing = fault("34;x;*\n36;x;*\n");
    assert!(matches!(missing, ToolError::Table(TableError::ValueMissing { row: 3, .. })));
    assert!(!missing.to_string().contains("51") && !missing.ja().contains("51"));
}

#[test]
fn columns_are_checked_before_anything_is_read() {
    let of = |data: &str, quasi: &[&str]| {
        let options = options(&[("age", AGES), ("sex", SEXES)], quasi, &["k=2"], 1.0);
        run(data, &options).unwrap_err()
    };
    assert!(matches!(of(DATA, &["age", "height"]), ToolError::Column { .. }));
    assert!(matches!(of(DATA, &["age", "age"]), ToolError::NamedTwice { .. }));
    assert!(matches!(of("age;age\n34;36\n", &["age"]), ToolError::ColumnTwice { .. }));
    assert!(matches!(of("", &["age"]), ToolError::NoHeader));
    assert!(matches!(of("age;sex\n", &["age"]), ToolError::Anonymize(AnonymizeError::Empty)));
    assert!(matches!(of("age;sex\n34\n", &["age"]), ToolError::Width { line: 2, .. }));
    assert!(matches!(of("age;sex\n34;\"F\n", &["age"]), ToolError::UnclosedQuote { line: 2 }));
    let mut both = options(&[("age", AGES)], &["age"], &["k=2"], 1.0);
    both.sensitive = vec!["age".into()];
    assert!(matches!(run(DATA, &both).unwrap_err(), ToolError::NamedTwice { .. }));
    let mut quote = options(&[("age", AGES)], &["age"], &["k=2"], 1.0);
    quote.delimiter = '"';
    assert!(matches!(run(DATA, &quote).unwrap_err(), ToolError::Delimiter));
}

#[test]
fn more_records_asked_for_than_there_are() {
    let of = |limit| {
        let options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["k=9"], limit);
        run(DATA, &options)
    };
    let refused = of(0.5).unwrap_err();
    assert!(matches!(
        refused,
        ToolError::Anonymize(AnonymizeError::Impossible { rows: 4, suppressed: 4, limit: 2 })
    ));
    assert!(refused.ja().contains('4'));
    // Where everything may go, everything goes.
    let run = of(1.0).unwrap();
    assert_eq!((run.report.suppressed, run.report.classes.count), (4, 0));
}

#[test]
fn settings_that_are_no_numbers_are_refused() {
    let mut options = options(&[("age", AGES)], &["age"], &["k=2"], f64::NAN);
    let error = run(DATA, &options).unwrap_err();
    assert!(matches!(error, ToolError::Anonymize(AnonymizeError::Range { .. })));
    options.settings.suppression = 0.5;
    options.settings.gs_factor = f64::NAN;
    assert!(run(DATA, &options).is_err());
    for text in ["t=NaN", "t=inf", "beta=NaN", "average-risk=NaN", "k=-1", "k=1.5", "k", "q=1"] {
        let error = parse_models(&[text.to_owned()], Some("s")).unwrap_err();
        assert!(error.ja().contains("1番目"), "{}", error.ja());
    }
    let models = vec![Model::Closeness {
        attribute: "s".into(),
        t: f64::NAN,
        distance: kiban_anonymity::Distance::Equal,
    }];
    options.settings = Settings::new(models, 0.5);
    let error = run(DATA, &options).unwrap_err();
    assert!(matches!(error, ToolError::Anonymize(AnonymizeError::Model(ModelError::Range { .. }))));
}

#[test]
fn marks_line_ends_and_quotes_of_other_programs() {
    let labels = "\"a;b\";x;*\nc;x;*\n";
    let options = options(&[("age", labels), ("sex", SEXES)], &["age", "sex"], &["k=2"], 0.5);
    let data =
        "\u{feff}age;sex;note\r\n\"a;b\";F;\"two\r\nlines\"\r\n\"c\";F;\"say \"\"ah\"\"\"\r\n";
    let out = output(data, &options);
    assert_eq!(out, "age;sex;note\nx;F;\"two\r\nlines\"\nx;F;\"say \"\"ah\"\"\"\n");
}

#[test]
fn columns_without_a_value() {
    let with = options(&[("age", ";*\n"), ("sex", SEXES)], &["age", "sex"], &["k=2"], 0.0);
    assert_eq!(output("age;sex\n;F\n;F\n", &with), "age;sex\n;F\n;F\n");
    let without = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["k=2"], 0.0);
    assert!(matches!(
        run("age;sex\n;F\n;F\n", &without).unwrap_err(),
        ToolError::Table(TableError::ValueMissing { row: 1, .. })
    ));
}

#[test]
fn data_that_change_between_the_readings() {
    let options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["k=2"], 1.0);
    let run = run(DATA, &options).unwrap();
    for other in ["age;sex\n34;F\n36;F\n51;M\n36;F\n", "age;sex\n34;F\n36;F\n51;M\n", ""] {
        assert!(run.write(other.as_bytes(), &mut Vec::new()).is_err());
    }
}

/// A million different values in one attribute: found, in the memory of its hierarchy.
#[test]
fn a_million_values() {
    let values: Vec<String> = (0..1_000_000).map(|n| format!("{n:06}")).collect();
    let codes = Hierarchy::prefixes(values.iter().map(String::as_str), &[4, 2]).unwrap();
    let sexes = Hierarchy::parse(SEXES, ';').unwrap();
    let attributes = vec![Attribute::new("code", codes), Attribute::new("sex", sexes)];
    let mut table = TableBuilder::new(attributes, vec![]).unwrap();
    for value in &values {
        table.push(&[value, "F"], &[]).unwrap();
    }
    let table = table.finish();
    let settings = Settings::new(vec![Model::KAnonymity { k: 5 }], 0.0);
    let answer = anonymize(&table, &settings, &ToTheEnd).unwrap();
    assert_eq!(answer.passes[0].levels, [1, 0]);
    assert_eq!(answer.classes(), 10_000);
}

/// Told to stop at once, before anything is found.
#[test]
fn stopped_before_anything_was_found() {
    struct Now;
    impl Control for Now {
        fn stop(&self) -> bool {
            true
        }
    }
    let options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["k=2"], 0.5);
    let error = tool::run(DATA.as_bytes(), &options, &Now).unwrap_err();
    assert!(matches!(error, ToolError::Anonymize(AnonymizeError::Stopped)));
    assert!(error.ja().contains("中止"));
}

#[test]
fn the_report_has_the_curve_and_a_gap() {
    let options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["k=2"], 1.0);
    let report = run(DATA, &options).unwrap().report;
    assert!(report.optimal && report.gap == Some(0.0));
    assert!(report.explored.iter().any(|p| p.transformation == report.transformation));
    assert!(report.explored.iter().all(|p| p.score >= report.score));
    assert!(report.explored.iter().all(|p| p.smallest_class != 1));
    let mut heuristic = options;
    heuristic.settings.search = SearchKind::Heuristic { checks: 3 };
    let report = run(DATA, &heuristic).unwrap().report;
    let bound = report.lower_bound.unwrap();
    assert!(!report.optimal && bound <= report.score);
}

/// An estimate that does not converge is no permission; without unique records none is needed.
#[test]
fn population_uniqueness_as_a_condition() {
    let lines = |line: fn(u32) -> String| (0..40).map(line).collect::<Vec<_>>().join("\n");
    let labels = lines(|n| format!("{n};{}x;*", n / 10));
    let data = format!("age;sex\n{}\n", lines(|n| format!("{n};F")));
    for kind in ["dankar", "pitman", "zayatz", "snb"] {
        let model = format!("population-unique=0.01,population=400,kind={kind}");
        let options =
            options(&[("age", &labels), ("sex", SEXES)], &["age", "sex"], &[model.as_str()], 0.5);
        let run = run(&data, &options).unwrap();
        assert_eq!(run.report.transformation["age"], 1, "{kind}");
        let estimates = &run.report.population_uniqueness[0];
        assert_eq!(estimates.after, Estimate::Share(0.0));
        if kind != "zayatz" {
            assert_eq!(estimates.before, Estimate::NotConverged, "{kind}");
        }
    }
    let model = Model::PopulationUniqueness { threshold: 0.01, population: 10, rule: Rule::Zayatz };
    let mut small = options(&[("age", &labels), ("sex", SEXES)], &["age", "sex"], &["k=1"], 0.5);
    small.settings.models = vec![model];
    assert!(matches!(
        run(&data, &small).unwrap_err(),
        ToolError::Anonymize(AnonymizeError::Model(ModelError::PopulationSmaller { .. }))
    ));
}

#[test]
fn a_population_table_answers_k_map_and_presence() {
    let outside = "sex;age\nF;34\nF;36\nM;51\nM;51\n";
    for (model, suppressed) in [("kmap=3", 0), ("kmap=4", 3), ("presence=0.5,max=0.8", 1)] {
        let mut options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &[model], 1.0);
        options.settings.gs_factor = 0.0;
        let run = tool::run_with_population(
            DATA.as_bytes(),
            Some(outside.as_bytes()),
            &options,
            &ToTheEnd,
        )
        .unwrap();
        assert!(run.report.suppressed <= suppressed.max(4), "{model}");
    }
    let options = options(&[("age", AGES), ("sex", SEXES)], &["age", "sex"], &["kmap=3"], 1.0);
    let error = run(DATA, &options).unwrap_err();
    assert!(error.ja().contains("--population-table"));
    let wrong = "sex;age\nF;99\n";
    let error =
        tool::run_with_population(DATA.as_bytes(), Some(wrong.as_bytes()), &options, &ToTheEnd)
            .unwrap_err();
    assert!(matches!(error, ToolError::PopulationTable(TableError::ValueMissing { row: 1, .. })));
}

/// What the tool wrote fulfils its models when they are computed from the file alone.
#[test]
fn the_file_alone_holds_its_models() {
    let mut options = options(
        &[("age", AGES), ("sex", SEXES)],
        &["age", "sex"],
        &["k=2", "average-risk=0.5", "unique=0"],
        0.5,
    );
    options.settings.gs_factor = 0.3;
    let out = output(DATA, &options);
    let asked = RiskOptions {
        delimiter: ';',
        quasi: options.quasi.clone(),
        sensitive: Vec::new(),
        hierarchies: BTreeMap::new(),
        models: options.settings.models.clone(),
        population: None,
        threshold: 0.2,
    };
    let report = tool::risk(out.as_bytes(), &asked).unwrap();
    assert!(report.models.iter().all(|model| model.holds), "{out}");
}
