//! The tool on a small table.

use super::*;
use crate::{AnonymizeError, Model, ToTheEnd};

const DATA: &str =
    "id;age;sex;ill\n1;34;F;flu\n2;36;F;cold\n3;34;F;flu\n4;51;M;\"a;b\"\n5;36;F;cold\n";

fn options() -> Options {
    Options {
        delimiter: ';',
        hierarchies: BTreeMap::from([
            ("age".into(), "34;30-39;*\n36;30-39;*\n51;50-59;*\n".into()),
            ("sex".into(), "F;*\nM;*\n".into()),
        ]),
        quasi: vec!["age".into(), "sex".into()],
        sensitive: vec!["ill".into()],
        identifying: vec!["id".into()],
        settings: Settings::new(
            parse_models(&["k=2".into(), "l=2".into()], Some("ill")).unwrap(),
            0.2,
        ),
    }
}

#[test]
fn rows_stay_in_order_and_the_output_holds_its_models() {
    let options = options();
    let run = run(DATA.as_bytes(), &options, &ToTheEnd).unwrap();
    let mut out = Vec::new();
    run.write(DATA.as_bytes(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(
        out,
        "id;age;sex;ill\n*;30-39;F;flu\n*;30-39;F;cold\n*;30-39;F;flu\n*;*;*;\"a;b\"\n*;30-39;F;cold\n"
    );
    assert_eq!(run.report.suppressed, 1);
    assert_eq!(run.report.transformation["age"], 1);
    let asked = RiskOptions {
        delimiter: ';',
        quasi: options.quasi.clone(),
        sensitive: options.sensitive.clone(),
        hierarchies: BTreeMap::new(),
        models: options.settings.models.clone(),
        population: None,
        threshold: 0.2,
    };
    let report = risk(out.as_bytes(), &asked).unwrap();
    assert!(report.models.iter().all(|model| model.holds));
    assert_eq!((report.rows, report.suppressed, report.sample.smallest), (5, 1, 4));
    let before = risk(DATA.as_bytes(), &asked).unwrap();
    assert!(before.models.iter().all(|model| !model.holds));
}

#[test]
fn faults_name_places_and_never_values() {
    let mut wrong = options();
    wrong.quasi.push("height".into());
    wrong.hierarchies.insert("height".into(), "1;*\n".into());
    let error = run(DATA.as_bytes(), &wrong, &ToTheEnd).unwrap_err();
    assert!(matches!(error, ToolError::Column { .. }));
    let mut wrong = options();
    wrong.hierarchies.insert("age".into(), "34;*\n36;*\n".into());
    let error = run(DATA.as_bytes(), &wrong, &ToTheEnd).unwrap_err();
    assert!(error.ja().contains("4行目") && !error.to_string().contains("51"));
    let mut wrong = options();
    wrong.settings.models = vec![Model::KAnonymity { k: 6 }];
    let error = run(DATA.as_bytes(), &wrong, &ToTheEnd).unwrap_err();
    assert!(matches!(error, ToolError::Anonymize(AnonymizeError::Impossible { limit: 1, .. })));
    let error = run("id;age;sex;ill\n".as_bytes(), &options(), &ToTheEnd).unwrap_err();
    assert!(matches!(error, ToolError::Anonymize(AnonymizeError::Empty)));
    let error = run("id;age;sex;ill\n1;34\n".as_bytes(), &options(), &ToTheEnd).unwrap_err();
    assert!(matches!(error, ToolError::Width { line: 2, found: 2, expected: 4 }));
}

#[test]
fn models_are_read_as_the_command_line_has_them() {
    let of = |text: &str| parse_model(text, Some("ill"));
    assert_eq!(of("k=5"), Ok(Model::KAnonymity { k: 5 }));
    assert_eq!(of("l=3,kind=entropy").unwrap().name(), "entropy l-diversity");
    assert_eq!(of("l=3,kind=recursive"), Err(ModelText::Missing("c")));
    assert_eq!(of("t=0.2,kind=square"), Err(ModelText::Kind));
    assert_eq!(of("k=5,c=2"), Err(ModelText::Parameter));
    assert_eq!(parse_model("l=3", None), Err(ModelText::Sensitive));
}
