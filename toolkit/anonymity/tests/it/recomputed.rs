//! What a run wrote, judged from the file alone; and models of a population by counting.

use kiban_anonymity::tool::{self, Options, RiskOptions, parse_models};
use kiban_anonymity::{Model, Recoding, Rule, Settings, ToTheEnd};
use proptest::prelude::*;
use std::collections::BTreeMap;

const AGES: &str = "1;1-2;1-4;*\n2;1-2;1-4;*\n3;3-4;1-4;*\n4;3-4;1-4;*\n5;5-6;5-8;*\n6;5-6;5-8;*\n";
const TOWNS: &str = "a;x;*\nb;x;*\nc;y;*\nd;y;*\n";
const ILLS: &str = "1;p;*\n2;p;*\n3;q;*\n10;q;*\n";

/// Label of a value at a level, read off the text of a hierarchy.
fn label<'a>(hierarchy: &'a str, value: &str, level: usize) -> &'a str {
    let line = hierarchy.lines().find(|line| line.split(';').next() == Some(value)).unwrap();
    line.split(';').nth(level).unwrap()
}

type Row = (u8, u8, u8);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((1_u8..7, 0_u8..4, 0_u8..4), 1..60)
}

fn cells(row: &Row) -> [&'static str; 3] {
    [
        ["1", "2", "3", "4", "5", "6"][row.0 as usize - 1],
        ["a", "b", "c", "d"][row.1 as usize],
        ["1", "2", "3", "10"][row.2 as usize],
    ]
}

fn csv(rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(|row| cells(row).join(";")).collect();
    format!("age;town;ill\n{}\n", lines.join("\n"))
}

fn options(models: Vec<Model>, limit: f64) -> Options {
    Options {
        delimiter: ';',
        hierarchies: [("age", AGES), ("town", TOWNS), ("ill", ILLS)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        quasi: vec!["age".into(), "town".into()],
        sensitive: vec!["ill".into()],
        identifying: Vec::new(),
        settings: Settings::new(models, limit),
    }
}

fn models() -> impl Strategy<Value = Vec<String>> {
    let one = prop::sample::select(vec![
        "k=2",
        "k=4",
        "l=2",
        "l=1.5,kind=entropy",
        "l=2,kind=recursive,c=1.5",
        "t=0.3",
        "t=0.3,kind=hierarchical",
        "t=0.2,kind=ordered",
        "delta=1.2",
        "beta=0.8",
        "beta=1,kind=enhanced",
        "average-risk=0.3",
        "unique=0.05",
        "kmap=3,population=500,significance=0.05",
        "population-unique=0.01,population=300,kind=zayatz",
        "population-unique=0.001,population=1000,kind=dankar",
        "population-unique=0.01,population=500,kind=snb",
        "population-unique=0.01,population=500,kind=pitman",
    ]);
    prop::collection::vec(one.prop_map(str::to_owned), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `anonymity.models-hold`, from the file alone, for every model and their combinations.
    #[test]
    fn the_output_holds_its_models(rows in rows(), texts in models(), local in any::<bool>()) {
        let models = parse_models(&texts, Some("ill")).unwrap();
        let mut options = options(models.clone(), 1.0);
        if local && models.iter().all(Model::supports_local_recoding) {
            options.settings.gs_factor = 0.05;
            options.settings.recoding = Recoding::LOCAL;
        }
        let data = csv(&rows);
        let run = tool::run(data.as_bytes(), &options, &ToTheEnd).unwrap();
        let mut out = Vec::new();
        run.write(data.as_bytes(), &mut out).unwrap();
        let asked = RiskOptions {
            delimiter: ';',
            quasi: options.quasi,
            sensitive: options.sensitive,
            hierarchies: options.hierarchies,
            models,
            population: None,
            threshold: 0.2,
        };
        let report = tool::risk(out.as_slice(), &asked).unwrap();
        for model in &report.models {
            prop_assert!(model.holds, "{}: {}", model.model, String::from_utf8_lossy(&out));
        }
        prop_assert_eq!(report.rows, rows.len() as u64);
    }

    /// k-map and δ-presence by counting the population under each label.
    #[test]
    fn populations_are_counted(rows in rows(), others in rows(), k in 1_u32..8, max in 0.3..1.0) {
        for model in [Model::KMap { k }, Model::DeltaPresence { min: 0.1, max }] {
            let options = options(vec![model.clone()], 1.0);
            let (data, outside) = (csv(&rows), csv(&others));
            let run = tool::run_with_population(
                data.as_bytes(), Some(outside.as_bytes()), &options, &ToTheEnd,
            ).unwrap();
            let levels = &run.report.transformation;
            let class = |row: &Row| {
                let [age, town, _] = cells(row);
                [label(AGES, age, levels["age"]), label(TOWNS, town, levels["town"])]
            };
            let mut counts: BTreeMap<[&str; 2], (u32, u32)> = BTreeMap::new();
            for row in &rows {
                counts.entry(class(row)).or_default().0 += 1;
            }
            for row in &others {
                counts.entry(class(row)).or_default().1 += 1;
            }
            let suppressed: u32 = counts
                .values()
                .filter(|(inside, outside)| {
                    let share = f64::from(*inside) / f64::from(inside + outside);
                    *inside > 0 && !match model {
                        Model::KMap { k } => inside + outside >= k,
                        _ => (0.1..=max).contains(&share),
                    }
                })
                .map(|(inside, _)| inside)
                .sum();
            prop_assert_eq!(run.report.suppressed, u64::from(suppressed), "{:?}", model);
        }
    }

    /// Neither hierarchies nor data nor models make the tool panic, whatever they hold.
    #[test]
    fn any_text_is_answered_or_refused(
        data in "[ab1;\"\n\r*あ]{0,40}",
        hierarchy in "[ab1;\"\n\r*あ]{0,40}",
        model in "[klt=,.0-9a-z]{0,12}",
    ) {
        let models = parse_models(&[model], Some("b")).unwrap_or(vec![Model::KAnonymity { k: 1 }]);
        let mut options = options(models, 1.0);
        options.quasi = vec!["a".into()];
        options.sensitive = vec!["b".into()];
        options.hierarchies = [("a".to_owned(), hierarchy)].into();
        let data = format!("a;b\n{data}");
        match tool::run(data.as_bytes(), &options, &ToTheEnd) {
            Ok(run) => run.write(data.as_bytes(), &mut Vec::new()).unwrap(),
            Err(error) => prop_assert!(!error.ja().is_empty()),
        }
    }
}

/// A condition whose estimate does not converge is not fulfilled: what is unique goes.
#[test]
fn no_convergence_is_no_permission() {
    let rows: Vec<Row> = (0..24).map(|n| (n % 6 + 1, n / 6, 0)).collect();
    let model = Model::PopulationUniqueness { threshold: 1.0, population: 100, rule: Rule::Pitman };
    let options = options(vec![model], 1.0);
    let run = tool::run(csv(&rows).as_bytes(), &options, &ToTheEnd).unwrap();
    assert!(run.report.risk_after.unique == 0);
}
