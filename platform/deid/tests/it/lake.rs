//! Products from a lake: regimes, linked persons, decisions, domains, rebuilds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use kiban_audit::{Event, Log};
use kiban_deid::{
    Anonymized, DatasetKey, ProduceError, ProjectKey, Pseudonymized, Releasable, anonymize,
    finding::{Choice, Decision, FindingKind},
    pseudonymize,
    report::RemovalReason,
    spec::{Checked, Spec},
};
use kiban_kernel::{Date, Digest, Id, NoSteps, OsEntropy, Product, Rules, Timestamp, kinds};
use kiban_lake::{CodeMap, KeyRing, Lake, Session, schema};
use kiban_testkit::{TestDb, actor, id};
use kiban_vault::{Anon52, Basis, Cleared, Pseudo57};

use crate::flat;

const DEMO: &str = include_str!("../../../../spec/demo/spec.toml");

/// The worked specification with days that are shifted, so that intervals can be looked at.
fn shifted() -> String {
    DEMO.replace("{ truncate_date = { to = \"month\" } }", "{ shift_date = { max_days = 60 } }")
}

type Row = Vec<(&'static str, String)>;

struct World {
    // Dropped last: the folder of everything.
    lake: Lake,
    log: Log,
    db: TestDb,
}

/// Rows of a canonical table; what a row does not name is empty, custody columns are filled in.
fn batch(table: &str, rows: &[Row]) -> RecordBatch {
    let schema = schema::table(table).unwrap().arrow();
    let columns = schema.fields().iter().map(|field| {
        let cells = rows.iter().enumerate().map(|(i, row)| {
            let given = row.iter().find(|(name, _)| name == field.name()).map(|(_, v)| v.clone());
            let filler = || {
                if *field.data_type() == DataType::Utf8 { format!("x{i}") } else { "1".to_owned() }
            };
            given.or_else(|| (!field.is_nullable()).then(filler))
        });
        let texts: ArrayRef = Arc::new(cells.collect::<StringArray>());
        cast(&texts, field.data_type()).unwrap()
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

fn row(cells: &[(&'static str, &str)]) -> Row {
    cells.iter().map(|(k, v)| (*k, (*v).to_owned())).collect()
}

impl World {
    async fn new() -> Self {
        let db = TestDb::sqlite().await;
        let log = db.log().await;
        let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
        let lake = Lake::open(db.path().join("lake"), ring, db.db().clone(), Arc::new(NoSteps))
            .await
            .unwrap();
        Self { lake, log, db }
    }

    async fn add(&self, tables: &[(&str, Vec<Row>)]) {
        let mut staged = Vec::new();
        for (table, rows) in tables {
            staged.push(self.lake.stage(table, vec![batch(table, rows)]).await.unwrap());
        }
        let mut tx = self.log.begin().await.unwrap();
        self.lake.append(&mut tx, staged).await.unwrap();
        commit(tx).await;
    }

    async fn cleared<B: Basis>(&self) -> Cleared<B> {
        let mut conn = self.db.db().pool().acquire().await.unwrap();
        Cleared::mint(&mut conn, &self.lake).await.unwrap()
    }

    async fn anonymized(&self, spec: &Checked, dataset: u64) -> Anonymized {
        let mut tx = self.log.begin().await.unwrap();
        let key = DatasetKey::of(self.lake.ring(), tx.conn(), id(dataset)).await.unwrap();
        commit(tx).await;
        anonymize(&self.lake, &self.cleared::<Anon52>().await, &CodeMap::empty(), spec, &key)
            .await
            .unwrap()
    }

    async fn pseudonymized(
        &self,
        spec: &Checked,
        project: u64,
        decisions: &[Decision],
    ) -> Pseudonymized {
        let mut tx = self.log.begin().await.unwrap();
        let key = ProjectKey::of(self.lake.ring(), tx.conn(), id(project)).await.unwrap();
        commit(tx).await;
        pseudonymize(
            &self.lake,
            &self.cleared::<Pseudo57>().await,
            &CodeMap::empty(),
            spec,
            &key,
            decisions,
        )
        .await
        .unwrap()
    }
}

async fn commit(tx: kiban_audit::Tx) {
    let actor = actor(1);
    let body = serde_json::Value::Null;
    let event = Event { kind: "test.done", actor: &actor, subject: "test".into(), law: None, body };
    let _ = tx.commit(event).await.unwrap();
}

fn checked(text: &str, product: Product) -> Checked {
    let rules = Rules::built_in().unwrap();
    Spec::parse(text).unwrap().check(product, &rules, Date::constant(2026, 4, 1)).unwrap()
}

/// Sources 0..n of `holder`, each its own person; `bases` by number.
fn people(holder: &str, n: usize, bases: impl Fn(usize) -> u8) -> Vec<(&'static str, Vec<Row>)> {
    let source = |i: usize| {
        let digest = Digest::of(format!("{holder} {i}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Id::<kinds::PersonSource>::from_bytes(bytes).to_string()
    };
    let common = |i: usize| {
        vec![
            ("person_source", source(i)),
            ("bases", bases(i).to_string()),
            ("holder", format!("org_{holder}")),
        ]
    };
    let mut person = Vec::new();
    let mut condition = Vec::new();
    let mut measurement = Vec::new();
    let mut link = Vec::new();
    for i in 0..n {
        let mut p = common(i);
        p.extend(row(&[
            ("name_kanji", "厚労花子"),
            ("sex", if i % 2 == 0 { "F" } else { "M" }),
            ("birth_on", "1961-05-06"),
            ("address", "東京都町田市原町田1-2-3"),
            ("occupation", if i == 4 { "市長" } else { "会社員" }),
            ("phone", "03-0000-0000"),
        ]));
        person.push(p);
        let mut c = common(i);
        c.extend(row(&[
            ("code", "E119"),
            ("icd10", "E11.9"),
            ("recorded_at", "2024-03-04T10:20:30"),
            ("encounter_key", "v1"),
            ("text", "自由記述"),
            ("practitioner", "医師名"),
        ]));
        condition.push(c);
        let mut m = common(i);
        m.extend(row(&[("code", "3D010"), ("unit", "%"), ("measured_at", "2024-03-05T09:00:00")]));
        m.push(("value_num", format!("{}", 5.0 + i as f64 / 10.0)));
        measurement.push(m);
        link.push(vec![
            ("person_source", source(i)),
            ("person", format!("per_{i:03}")),
            ("rule", "exact".to_owned()),
        ]);
    }
    vec![
        ("person", person),
        ("condition", condition),
        ("measurement", measurement),
        ("person_link", link),
    ]
}

/// The cells of one table of a product.
fn table(produced: &kiban_deid::Produced, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    flat::cells_of(&produced.tables().iter().find(|(n, _)| n == name).unwrap().1)
}

fn column(produced: &kiban_deid::Produced, name: &str, column: &str) -> Vec<String> {
    let (header, rows) = table(produced, name);
    let at = header.iter().position(|h| h == column).unwrap();
    rows.into_iter().map(|r| r[at].clone()).collect()
}

#[tokio::test]
async fn each_product_is_made_of_its_own_regimes_rows() {
    let world = World::new().await;
    // Persons 0-19 under both, 20-29 under 52 only, 30-34 under 57 only.
    world
        .add(&people("a", 35, |i| {
            if i < 20 {
                3
            } else if i < 30 {
                1
            } else {
                2
            }
        }))
        .await;
    let anonymized = world.anonymized(&checked(&shifted(), Product::Anonymized), 1).await;
    let pseudonymized =
        world.pseudonymized(&checked(&shifted(), Product::Pseudonymized), 2, &[]).await;
    let count = |made: &kiban_deid::Produced, name: &str| {
        made.changes().tables.iter().find(|t| t.table == name).unwrap().clone()
    };
    let of = |made: &kiban_deid::Produced| {
        let c = count(made, "condition");
        let not_cleared =
            c.removed.iter().find(|r| r.reason == RemovalReason::NotCleared).map(|r| r.rows);
        (c.rows_in, c.rows_out, not_cleared, c.persons_out)
    };
    // The mayor's occupation is residual, which nobody shares: k suppresses the person.
    assert_eq!(of(anonymized.produced()), (35, 29, Some(5), 29));
    assert_eq!(of(pseudonymized.produced()), (35, 25, Some(10), 25));
    for made in [anonymized.produced(), pseudonymized.produced()] {
        for t in &made.changes().tables {
            assert_eq!(
                t.rows_in,
                t.rows_out + t.removed.iter().map(|r| r.rows).sum::<u64>(),
                "{}",
                t.table
            );
        }
        let payload = made.payload().unwrap();
        for file in &payload.files {
            let text = String::from_utf8_lossy(&file.bytes);
            for secret in
                ["厚労", "03-0000", "医師名", "自由記述", "原町田", "psn_", "per_0", "org_a"]
            {
                assert!(!text.contains(secret), "{secret} in {}", file.path);
            }
        }
        assert!(
            made.tables().iter().all(|(name, _)| name != "note"),
            "a table of which nothing may leave"
        );
    }
    // Anonymized: no address, year (nothing forces a coarser level on so few who are alike), shifted date, bounds.
    // Pseudonymized: municipality and the rest as it was.
    let a = anonymized.produced();
    let person = &a.tables().iter().find(|(name, _)| name == "person").unwrap().1[0];
    assert!(person.column_by_name("address").is_none());
    assert_eq!(column(a, "person", "birth_on")[0], "1961");
    assert!(
        column(a, "condition", "recorded_at").iter().all(|d| d != "2024-03-04" && d.len() == 10)
    );
    assert_eq!(column(a, "condition", "icd10")[0], "E11");
    assert!(
        column(a, "measurement", "value_num").iter().filter(|v| v.ends_with("以上")).count() >= 5
    );
    let p = pseudonymized.produced();
    assert_eq!(column(p, "person", "address")[0], "東京都町田市");
    assert_eq!(column(p, "person", "birth_on")[0], "1961-05-06");
    assert_eq!(column(p, "condition", "recorded_at")[0], "2024-03-04T10:20:30");
    assert_eq!(column(p, "condition", "icd10")[0], "E11.9");
    assert!(a.risk().smallest_class >= 5);
    // One offset per person: condition and measurement one day apart before and after.
    let (ids, days) = (column(a, "condition", "person_id"), column(a, "condition", "recorded_at"));
    let first: BTreeMap<String, Date> =
        ids.into_iter().zip(days.iter().map(|d| d.parse().unwrap())).collect();
    let (ids, days) =
        (column(a, "measurement", "person_id"), column(a, "measurement", "measured_at"));
    for (id, day) in ids.iter().zip(days) {
        assert_eq!((day.parse::<Date>().unwrap() - first[id]).get_days(), 1);
    }
}

#[tokio::test]
async fn a_person_of_two_holders_is_one_person_and_local_numbers_do_not_meet() {
    let world = World::new().await;
    world.add(&people("a", 12, |_| 3)).await;
    world.add(&people("b", 12, |_| 3)).await;
    let made = world.pseudonymized(&checked(&shifted(), Product::Pseudonymized), 2, &[]).await;
    let made = made.produced();
    assert_eq!(column(made, "person", "person_id").len(), 12);
    let persons: BTreeSet<String> = column(made, "condition", "person_id").into_iter().collect();
    assert_eq!(persons.len(), 12);
    // Both holders number their encounters v1: two codes, and each the same wherever the encounter is named.
    let encounters: BTreeSet<String> =
        column(made, "condition", "encounter_key").into_iter().collect();
    assert_eq!(encounters.len(), 2);
    let merged = made.changes().tables.iter().find(|t| t.table == "person").unwrap();
    assert_eq!(merged.removed[0].reason, RemovalReason::MergedIntoPerson);
    assert_eq!(merged.removed[0].rows, 12);
}

#[tokio::test]
async fn a_mayor_blocks_until_decided_and_the_decision_survives_the_next_run() {
    let world = World::new().await;
    world.add(&people("a", 12, |_| 3)).await;
    let spec = checked(&shifted(), Product::Pseudonymized);
    let made = world.pseudonymized(&spec, 2, &[]).await;
    let open: Vec<_> = made.produced().undecided().cloned().collect();
    assert_eq!(
        open.iter().map(|f| (f.kind, f.persons)).collect::<Vec<_>>(),
        [(FindingKind::Occupation, 1)]
    );
    let decide = |choice| Decision {
        finding: open[0].id,
        choice,
        by: id(7),
        reason: "市町村が特定されるため".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    for (choice, left, text) in
        [(Choice::Keep, 1, "市長"), (Choice::Coarsen, 1, "その他"), (Choice::Drop, 1, "")]
    {
        // A later snapshot: more persons, the same finding.
        let again = world.pseudonymized(&spec, 2, &[decide(choice)]).await;
        let again = again.produced();
        assert_eq!(again.undecided().count(), 0, "{choice:?}");
        let jobs = column(again, "person", "occupation");
        assert_eq!(jobs.iter().filter(|j| *j == text).count(), left);
        assert_eq!(jobs.iter().filter(|j| *j == "会社員").count(), 11);
        assert_eq!(again.provenance().decisions.len(), 1);
    }
    world.add(&people("b", 14, |_| 3)).await;
    let later = world.pseudonymized(&spec, 2, &[decide(Choice::Coarsen)]).await;
    assert_eq!(later.produced().undecided().count(), 0);
    let elsewhere = world.pseudonymized(&spec, 3, &[decide(Choice::Coarsen)]).await;
    assert_eq!(
        elsewhere.produced().undecided().count(),
        1,
        "a decision is for its own project line"
    );
}

#[tokio::test]
async fn rebuilds_are_identical_and_domains_share_nothing() {
    let world = World::new().await;
    world.add(&people("a", 30, |_| 3)).await;
    let spec = checked(&shifted(), Product::Pseudonymized);
    let anon = checked(&shifted(), Product::Anonymized);
    let first = world.pseudonymized(&spec, 2, &[]).await;
    let again = world.pseudonymized(&spec, 2, &[]).await;
    assert_eq!(first.produced().payload().unwrap(), again.produced().payload().unwrap());
    assert_eq!(first.produced().provenance(), again.produced().provenance());
    let a = world.anonymized(&anon, 2).await;
    assert_eq!(
        a.produced().payload().unwrap().digest(),
        world.anonymized(&anon, 2).await.produced().payload().unwrap().digest()
    );
    let ids = |made: &kiban_deid::Produced| -> BTreeSet<String> {
        ["person_id", "encounter_key"].iter().flat_map(|c| column(made, "condition", c)).collect()
    };
    let line = ids(first.produced());
    let other_line = world.pseudonymized(&spec, 3, &[]).await;
    let other_set = world.anonymized(&anon, 3).await;
    for other in [other_line.produced(), a.produced(), other_set.produced()] {
        assert_eq!(line.intersection(&ids(other)).count(), 0);
    }
    // Next year's data: the persons keep their ids.
    world.add(&people("b", 30, |_| 3)).await;
    let next = world.pseudonymized(&spec, 2, &[]).await;
    assert_eq!(
        column(next.produced(), "person", "person_id"),
        column(first.produced(), "person", "person_id")
    );
}

#[tokio::test]
async fn the_wrong_check_and_an_empty_lake_are_refused() {
    let world = World::new().await;
    let mut conn = world.db.db().pool().acquire().await.unwrap();
    assert!(Cleared::<Anon52>::mint(&mut conn, &world.lake).await.is_err());
    drop(conn);
    world.add(&people("a", 5, |_| 2)).await;
    let mut tx = world.log.begin().await.unwrap();
    let key = DatasetKey::of(world.lake.ring(), tx.conn(), Id::from_bytes([4; 16])).await.unwrap();
    commit(tx).await;
    let cleared = world.cleared::<Anon52>().await;
    let wrong = anonymize(
        &world.lake,
        &cleared,
        &CodeMap::empty(),
        &checked(&shifted(), Product::Pseudonymized),
        &key,
    )
    .await;
    assert!(matches!(wrong, Err(ProduceError::WrongProduct { .. })));
    // Nobody is cleared under 52: an empty product, not an error.
    let none = anonymize(
        &world.lake,
        &cleared,
        &CodeMap::empty(),
        &checked(&shifted(), Product::Anonymized),
        &key,
    )
    .await
    .unwrap();
    assert_eq!(none.produced().risk().persons_out, 0);
    assert!(none.produced().payload().is_ok());
    assert!(Session::detached().is_ok());
}
