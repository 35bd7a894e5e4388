//! A deployment with a lake of invented persons.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use kiban_audit::{Event, Log, Tx};
use kiban_deid::{
    Anonymized, DatasetKey, ProduceError, ProjectKey, Pseudonymized, anonymize,
    finding::Decision,
    pseudonymize,
    spec::{Checked, Spec},
};
use kiban_kernel::{Date, Digest, Id, NoSteps, OsEntropy, Product, Rules, kinds};
use kiban_lake::{CodeMap, KeyRing, Lake, schema};
use kiban_testkit::{TestDb, actor, id};
use kiban_vault::{Anon52, Basis, Cleared, Pseudo57};

/// A deployment.
pub(crate) struct World {
    // Dropped last: the folder of everything.
    pub(crate) lake: Lake,
    pub(crate) log: Log,
    pub(crate) db: TestDb,
}

type Row = Vec<(&'static str, String)>;

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

/// A number that looks like chance and is the same in every run.
fn mixed(of: usize, salt: &str, below: usize) -> usize {
    let digest = Digest::of(format!("{salt} {of}").as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest.as_bytes()[..8]);
    (u64::from_be_bytes(head) % below as u64) as usize
}

const DISEASES: [&str; 8] = ["E119", "I10", "J459", "E785", "K210", "M544", "G20", "C509"];
const JOBS: [&str; 4] = ["会社員", "農業", "教員", "無職"];
const TOWNS: [&str; 4] = [
    "東京都町田市原町田1-2-3",
    "東京都八王子市元本郷町3-24-1",
    "神奈川県横浜市西区1",
    "東京都千代田区霞が関1-1",
];

impl World {
    /// A deployment of so many persons, of two holders each, and several rows in several tables.
    pub(crate) async fn of(persons: usize) -> Self {
        let db = TestDb::sqlite().await;
        let log = db.log().await;
        let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
        let folder = db.path().join("lake");
        let lake = Lake::open(folder, ring, db.db().clone(), Arc::new(NoSteps)).await.unwrap();
        let this = Self { lake, log, db };
        for holder in ["a", "b"] {
            this.add(&records(holder, persons)).await;
        }
        this
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

    pub(crate) async fn anonymized(&self, spec: &Checked) -> Result<Anonymized, ProduceError> {
        let mut tx = self.log.begin().await.unwrap();
        let key = DatasetKey::of(self.lake.ring(), tx.conn(), id(1)).await.unwrap();
        commit(tx).await;
        anonymize(&self.lake, &self.cleared::<Anon52>().await, &CodeMap::empty(), spec, &key).await
    }

    pub(crate) async fn pseudonymized(
        &self,
        spec: &Checked,
        decisions: &[Decision],
    ) -> Result<Pseudonymized, ProduceError> {
        let mut tx = self.log.begin().await.unwrap();
        let key = ProjectKey::of(self.lake.ring(), tx.conn(), id(2)).await.unwrap();
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
    }
}

async fn commit(tx: Tx) {
    let actor = actor(1);
    let body = serde_json::Value::Null;
    let event = Event { kind: "test.done", actor: &actor, subject: "test".into(), law: None, body };
    let _ = tx.commit(event).await.unwrap();
}

/// A specification, checked for a product.
pub(crate) fn checked(text: &str, product: Product) -> Checked {
    let rules = Rules::built_in().unwrap();
    Spec::parse(text).unwrap().check(product, &rules, Date::constant(2026, 4, 1)).unwrap()
}

/// The worked specification of the tables that this world fills, with days that are shifted and numbers that are banded
/// here and there, so that every kind of rule has its turn. A plan on a cluster costs some tenths of a second, however few
/// rows it reads: tables without rows would cost as much as the others.
pub(crate) fn specification() -> String {
    let whole = include_str!("../../../../spec/demo/spec.toml")
        .replacen(
            "anonymized = { truncate_date = { to = \"month\" } }",
            "anonymized = { shift_date = { max_days = 60 } }",
            1,
        )
        .replacen(
            "anonymized = { bounds = { low = 0, high = 91 } }",
            "anonymized = { band = { width = 7, low = 0, high = 91 } }",
            1,
        )
        .replacen("\"procedure.started_at\", \"procedure.ended_at\", ", "", 1);
    let filled = ["person.", "condition.", "medication.", "measurement.", "encounter."];
    tables(&whole, &filled)
}

/// A specification with these tables only.
fn tables(whole: &str, kept: &[&str]) -> String {
    let mut blocks = whole.split("\n[tables.");
    let head = blocks.next().unwrap().to_owned();
    let kept = blocks.filter(|b| kept.iter().any(|k| b.starts_with(k)));
    kept.fold(head, |text, block| format!("{text}\n[tables.{block}"))
}

/// Of the worked specification the persons and their diagnoses, without adversaries: some tens of plans.
pub(crate) fn small_specification() -> String {
    let whole = specification();
    let (head, _) = whole.split_once("# Whom both products").unwrap();
    let at = whole.find("\n[tables.").unwrap();
    tables(&format!("{head}{}", &whole[at..]), &["person.", "condition."])
}

fn records(holder: &'static str, persons: usize) -> Vec<(&'static str, Vec<Row>)> {
    let [mut person, mut condition, mut medication, mut measurement, mut encounter, mut link] =
        [const { Vec::new() }; 6];
    for i in 0..persons {
        let digest = Digest::of(format!("{holder} {i}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        let source = Id::<kinds::PersonSource>::from_bytes(bytes).to_string();
        // Most under both regimes, some under one.
        let bases = [3, 3, 3, 3, 1, 2][i % 6];
        let row = |cells: Vec<(&'static str, String)>| {
            let mut row = vec![
                ("person_source", source.clone()),
                ("bases", bases.to_string()),
                ("holder", format!("org_{holder}")),
                ("delivery", format!("dlv_{holder}")),
            ];
            row.extend(cells);
            row
        };
        let pick = |what: &str, below| mixed(i, what, below);
        let day = |what: &str| {
            format!(
                "20{:02}-{:02}-{:02}",
                18 + pick(what, 6),
                1 + pick(what, 12),
                1 + pick(what, 28)
            )
        };
        person.push(row(vec![
            ("name_kanji", "厚労花子".to_owned()),
            ("sex", ["F", "M"][pick("sex", 2)].to_owned()),
            ("birth_on", format!("19{:02}-05-06", 30 + pick("birth", 60))),
            ("address", TOWNS[pick("town", 4)].to_owned()),
            ("occupation", if i == 3 { "市長" } else { JOBS[mixed(i, holder, 4)] }.to_owned()),
            ("phone", "03-0000-0000".to_owned()),
        ]));
        for n in 0..2 + pick("diseases", 2) {
            let code = DISEASES[(pick("disease", 8) + n) % 8];
            condition.push(row(vec![
                ("code", code.to_owned()),
                ("icd10", format!("{}.{}", &code[..3], &code[3..])),
                ("recorded_at", format!("{}T10:20:30", day("recorded"))),
                ("encounter_key", format!("v{n}")),
                ("text", "自由記述".to_owned()),
            ]));
            encounter.push(row(vec![
                ("encounter_key", format!("v{n}")),
                ("class", "AMB".to_owned()),
                ("start_at", format!("{}T09:00:00", day(&format!("start {n}")))),
                ("department_code", ["01", "02", "99"][pick("department", 3)].to_owned()),
            ]));
            measurement.push(row(vec![
                ("code", ["3D010", "3F015"][n % 2].to_owned()),
                ("unit", "%".to_owned()),
                ("value_num", format!("{}.{}", 5 + pick("value", 9), pick("tenth", 10))),
                ("measured_at", format!("{}T09:00:00", day("measured"))),
            ]));
            medication.push(row(vec![
                ("code", format!("62000{}", pick("drug", 5))),
                ("dose", format!("{}", 1 + pick("dose", 6))),
                ("dose_unit", "mg".to_owned()),
                ("days", format!("{}", pick("days", 120))),
                ("started_at", format!("{}T00:00:00", day("started"))),
            ]));
        }
        link.push(vec![
            ("person_source", source),
            ("person", format!("per_{i:05}")),
            ("rule", "exact".to_owned()),
        ]);
    }
    vec![
        ("person", person),
        ("condition", condition),
        ("medication", medication),
        ("measurement", measurement),
        ("encounter", encounter),
        ("person_link", link),
    ]
}
