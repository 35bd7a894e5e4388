//! Every function of ours gives the same on both engines.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{array::RecordBatch, compute::concat_batches, util::pretty::pretty_format_batches};
use kiban_lake::{
    Engine, Session,
    functions::{
        DatePad, Level, as_day, as_number, as_text, band, bounds, category, code_parent,
        counted::{self, GROUP_SEPARATOR, Member, Override, cell_key},
        date_padding,
        keyed::{FixedOutcome, Keyed, PERSON},
        newest_known, region, truncate_date,
    },
    plan::{DataFrame, Expr, JoinType, MemTable, aggregates, col, ident, lit},
};

use crate::{nodes::Nodes, world::World};

fn set(values: &[&str]) -> Arc<HashSet<String>> {
    Arc::new(values.iter().map(|v| (*v).to_owned()).collect())
}

/// One call of each function over the table `person`.
fn calls() -> Vec<(&'static str, Expr)> {
    let keyed = Keyed::new(b"0123456789abcdef0123456789abcdef", "dst_test");
    let fixed = FixedOutcome { pseudonym: Some("K001".to_owned()), offset_days: Some(-31) };
    let fixed = Keyed::with_fixed(&[9; 32], "dst_printed", fixed);
    let member =
        |column: &str, common: &[&str]| Member { value: ident(column), common: set(common) };
    let by_sex = ["F", "M"].iter().zip([(1940.0, 1970.0), (1935.5, 1980.0)]);
    let by_sex: HashMap<_, _> = by_sex.map(|(s, b)| (format!("{s}{GROUP_SEPARATOR}"), b)).collect();
    let year =
        || as_number(kiban_lake::plan::functions::left(as_text(ident("birth_on")), lit(4_i64)));
    let decisions = HashMap::from([
        (cell_key("F", "市長"), Override::Empty),
        (cell_key("M", "市長"), Override::Empty),
        (cell_key("F", "農業"), Override::Text("第一次産業".to_owned())),
        (cell_key("M", "神奈川県横浜市西区1"), Override::Prefecture),
    ]);
    let decisions = Arc::new(decisions);
    let members = || vec![member("occupation", &["会社員", "農業"]), member("sex", &["F", "M"])];
    vec![
        ("text", as_text(ident("birth_on"))),
        ("number", as_number(ident("bases"))),
        ("day", as_day(ident("birth_on"))),
        ("padding", date_padding(as_text(ident("birth_on")))),
        ("month", truncate_date(ident("birth_on"), "month", DatePad::Bare, Some(1940))),
        ("band", band(year(), 7.5, Some(1935.0), None)),
        ("bounds", bounds(year(), Some(1940.0), Some(1980.0))),
        ("region", region(ident("address"), Level::Municipality)),
        ("parent", code_parent(ident("occupation"), 2)),
        ("category", category(ident("occupation"), "その他", ["教員", "無職"])),
        ("residual", counted::residual(members(), 0, "その他", None)),
        ("cut", counted::residual(members(), 0, "その他", Some(1))),
        ("alone", counted::residual(vec![member("occupation", &["教員"])], 0, "他", None)),
        ("in", counted::is_in(ident("occupation"), "jobs", set(&["教員", "市長"]))),
        ("group", counted::group_bounds(year(), vec![ident("sex")], Arc::new(by_sex))),
        ("decided", counted::decided(ident("sex"), ident("occupation"), Arc::clone(&decisions))),
        ("moved", counted::decided(ident("sex"), ident("address"), decisions)),
        ("code", keyed.pseudonym(PERSON, ident("person_source"))),
        ("other", keyed.pseudonym("record", ident("person_source"))),
        ("shift", keyed.shift(ident("person_source"), ident("birth_on"), 30, false, DatePad::Bare)),
        ("printed", fixed.pseudonym(PERSON, ident("person_source"))),
        (
            "moved_31",
            fixed.shift(ident("person_source"), ident("birth_on"), 60, true, DatePad::Padded),
        ),
    ]
}

/// All rows, in one batch, in a fixed order.
async fn rows(frame: DataFrame) -> RecordBatch {
    let by = frame.schema().fields().iter().map(|f| ident(f.name()).sort(true, true)).collect();
    let batches = frame.sort(by).unwrap().collect().await.unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// The plans: each function in a projection, as a key to count by, and in a filter; a join; memory beside the lake.
async fn answers(world: &World) -> Vec<(String, RecordBatch)> {
    let session = Session::new(&world.lake).unwrap();
    let head = world.lake.head().await.unwrap();
    let person = world.lake.frame(&session, "person", head).await.unwrap();
    let selected: Vec<Expr> = calls().into_iter().map(|(name, call)| call.alias(name)).collect();
    let mut answers =
        vec![("all at once".to_owned(), rows(person.clone().select(selected).unwrap()).await)];
    for (name, call) in calls() {
        let key = as_text(call.clone()).alias("key");
        let counted = person
            .clone()
            .filter(call.is_not_null())
            .unwrap()
            .aggregate(vec![key], vec![aggregates::count(lit(1)).alias("n")])
            .unwrap();
        answers.push((name.to_owned(), rows(counted).await));
    }
    let links = world.lake.frame(&session, "person_link", head).await.unwrap();
    let links =
        links.select(vec![ident("person_source").alias("s"), ident("person").alias("p")]).unwrap();
    let joined = person
        .clone()
        .join(links, JoinType::Left, &["person_source"], &["s"], None)
        .unwrap()
        .aggregate(
            vec![col("p")],
            vec![
                newest_known(ident("occupation"), vec![ident("person_source").sort(true, true)])
                    .unwrap()
                    .alias("job"),
                aggregates::max(as_number(ident("bases"))).alias("high"),
            ],
        )
        .unwrap();
    answers.push(("newest of a join".to_owned(), rows(joined).await));
    let few = rows(
        person.clone().select(vec![ident("occupation").alias("job")]).unwrap().distinct().unwrap(),
    )
    .await;
    let memory = MemTable::try_new(few.schema(), vec![vec![few]]).unwrap();
    let memory = session.context().read_table(Arc::new(memory)).unwrap();
    let beside = person
        .join(memory, JoinType::LeftSemi, &["occupation"], &["job"], None)
        .unwrap()
        .select(vec![ident("person_source"), ident("occupation")])
        .unwrap();
    answers.push(("memory beside the lake".to_owned(), rows(beside).await));
    let none = world.lake.frame(&session, "note", head).await.unwrap();
    assert_eq!(none.count().await.unwrap(), 0);
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_of_ours_gives_the_same_on_both_engines() {
    let world = World::of(120).await;
    let nodes = Nodes::start(world.db.path(), 2);
    world.lake.run_on(Engine::Embedded);
    let here = answers(&world).await;
    world.lake.run_on(nodes.engine());
    let there = answers(&world).await;
    for ((name, here), (_, there)) in here.iter().zip(&there) {
        assert_eq!(here.schema(), there.schema(), "{name}");
        let shown =
            |b: &RecordBatch| pretty_format_batches(std::slice::from_ref(b)).unwrap().to_string();
        assert!(here == there, "{name}\n{}\n{}", shown(here), shown(there));
        assert!(here.num_rows() > 0, "{name}");
    }
    // Every function that a session knows was called.
    let called: HashSet<String> = calls().iter().map(|(_, call)| call.to_string()).collect();
    for function in kiban_lake::functions::scalar() {
        assert!(
            called.iter().any(|c| c.contains(&format!("{}(", function.name()))),
            "{}",
            function.name()
        );
    }
    // No key in what nodes wrote, and the plan shows none.
    let written = nodes.written();
    for secret in [b"0123456789abcdef0123456789abcdef".as_slice(), &[9; 32]] {
        assert!(!written.windows(secret.len()).any(|w| w == secret));
    }
}
