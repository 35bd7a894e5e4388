//! A deployment in a folder, and rows that fit any table.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{
        ArrayRef, AsArray as _, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
        StringArray, TimestampMicrosecondArray, UInt8Array,
    },
    datatypes::{DataType, Int64Type},
};
use kiban_audit::{Committed, Db, Event, Log, LogSigner, Tx};
use kiban_kernel::{Id, NoSteps, OsEntropy, ScriptedClock, Steps, kinds};
use kiban_lake::{FilesVerified, KeyRing, Lake, Snapshot, schema, verify_files};
use kiban_testkit::{SeededEntropy, TestDb, actor};

/// A deployment's database, log, keys and lake.
pub(crate) struct Deployment {
    pub(crate) dir: PathBuf,
    pub(crate) db: Db,
    pub(crate) log: Log,
    pub(crate) lake: Lake,
}

impl Deployment {
    /// In `dir`, on SQLite; made when it is not there.
    pub(crate) async fn in_folder(dir: &Path, steps: Arc<dyn Steps>) -> Self {
        let db = Db::open_file(&dir.join("governance.sqlite")).await.unwrap();
        db.migrate().await.unwrap();
        Self::with_db(dir, db, steps).await
    }

    /// In the folder and database of a `TestDb`.
    pub(crate) async fn on(db: &TestDb) -> Self {
        Self::with_db(db.path(), db.db().clone(), Arc::new(NoSteps)).await
    }

    async fn with_db(dir: &Path, db: Db, steps: Arc<dyn Steps>) -> Self {
        let clock = Arc::new(ScriptedClock::starting("2026-04-01".parse().unwrap()));
        let signer =
            LogSigner::generate(&SeededEntropy::new(1), "test.kiban.invalid/audit").unwrap();
        let log =
            Log::open(db.clone(), dir.join("audit"), signer, clock, steps.clone()).await.unwrap();
        let keys = dir.join("keys");
        let ring =
            if keys.exists() { KeyRing::open(&keys) } else { KeyRing::create(&keys, &OsEntropy) };
        let lake =
            Lake::open(dir.join("lake"), Arc::new(ring.unwrap()), db.clone(), steps).await.unwrap();
        Self { dir: dir.to_owned(), db, log, lake }
    }

    pub(crate) async fn commit(&self, tx: Tx) -> Committed {
        let actor = actor(1);
        let event = Event {
            kind: "test.done",
            actor: &actor,
            subject: "evt_test".to_owned(),
            law: None,
            body: serde_json::Value::Null,
        };
        tx.commit(event).await.unwrap()
    }

    /// Append rows of one table in a transaction of its own.
    pub(crate) async fn append(&self, table: &str, rows: &[(u64, i64)]) -> Snapshot {
        let staged = self.lake.stage(table, vec![batch(table, rows)]).await.unwrap();
        let mut tx = self.log.begin().await.unwrap();
        let snapshot = self.lake.append(&mut tx, vec![staged]).await.unwrap();
        let _ = self.commit(tx).await;
        snapshot
    }

    /// Erase persons in a transaction of its own, and collect.
    pub(crate) async fn erase(&self, persons: &[u64]) -> kiban_lake::Erased {
        let staged = self
            .lake
            .stage_erasure(&persons.iter().map(|p| person(*p)).collect::<Vec<_>>())
            .await
            .unwrap();
        let mut tx = self.log.begin().await.unwrap();
        let erased = self.lake.erase(&mut tx, staged).await.unwrap();
        let _ = self.commit(tx).await;
        self.lake.collect().await.unwrap();
        erased
    }

    /// Person and number of each row of a table at a snapshot, sorted.
    pub(crate) async fn rows(&self, table: &str, at: Snapshot) -> Vec<(u64, i64)> {
        numbers(table, &self.lake.scan(table, at).await.unwrap())
    }

    pub(crate) async fn verify(&self) -> FilesVerified {
        verify_files(&self.db, &self.dir.join("lake")).await.unwrap()
    }

    /// The files under the lake's folder, by path inside it, without locks and mark.
    pub(crate) fn disk(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = files_under(&self.dir.join("lake"));
        files.retain(|path, _| ![".open", ".collect", ".head"].contains(&path.as_str()));
        files
    }
}

/// Every file under a folder, by path inside it.
pub(crate) fn files_under(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Person number `n`. Numbers spread over all buckets.
pub(crate) fn person(n: u64) -> Id<kinds::PersonSource> {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(n as u32).to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    Id::from_bytes(bytes)
}

fn number_of(id: &str) -> u64 {
    let id: Id<kinds::PersonSource> = id.parse().unwrap();
    u64::from_be_bytes(id.to_bytes()[8..].try_into().unwrap())
}

/// Rows that fit a table: each a person and a number that every other column shows in its own way.
pub(crate) fn batch(table: &str, rows: &[(u64, i64)]) -> RecordBatch {
    let schema = schema::table(table).unwrap().arrow();
    let numbers = || rows.iter().map(|(_, n)| *n);
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.data_type() {
            DataType::Utf8 if field.name() == schema::PERSON_COLUMN => Arc::new(
                rows.iter().map(|(p, _)| Some(person(*p).to_string())).collect::<StringArray>(),
            ),
            DataType::Utf8 => Arc::new(
                numbers().map(|n| Some(format!("{n} {}", field.name()))).collect::<StringArray>(),
            ),
            DataType::UInt8 => {
                Arc::new(UInt8Array::from_iter_values(numbers().map(|n| (n % 4) as u8)))
            }
            DataType::Int64 => Arc::new(Int64Array::from_iter_values(numbers())),
            DataType::Float64 => {
                Arc::new(Float64Array::from_iter_values(numbers().map(|n| n as f64 / 2.0)))
            }
            DataType::Boolean => {
                Arc::new(numbers().map(|n| Some(n % 2 == 0)).collect::<BooleanArray>())
            }
            DataType::Date32 => {
                Arc::new(Date32Array::from_iter_values(numbers().map(|n| n as i32)))
            }
            DataType::Timestamp(..) => {
                Arc::new(TimestampMicrosecondArray::from_iter_values(numbers()))
            }
            other => panic!("no test value for {other}"),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

/// What [`batch`] was made of, sorted; checks that all columns of a row belong together.
pub(crate) fn numbers(table: &str, batches: &[RecordBatch]) -> Vec<(u64, i64)> {
    let mut out = Vec::new();
    for found in batches {
        let persons = found.column_by_name(schema::PERSON_COLUMN).unwrap().as_string::<i32>();
        let text = schema::table(table)
            .unwrap()
            .columns
            .iter()
            .find(|c| c.kind == schema::ColumnType::Utf8 && c.name != schema::PERSON_COLUMN);
        let text = found.column_by_name(&text.unwrap().name).unwrap().as_string::<i32>();
        let rows: Vec<_> = (0..found.num_rows())
            .map(|i| {
                (
                    number_of(persons.value(i)),
                    text.value(i).split(' ').next().unwrap().parse().unwrap(),
                )
            })
            .collect();
        assert_eq!(*found, batch(table, &rows), "columns of one row stay together");
        out.extend(rows);
    }
    out.sort_unstable();
    out
}

/// The single number of a query's answer.
pub(crate) fn single(batches: &[RecordBatch]) -> i64 {
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
    batches
        .iter()
        .find(|b| b.num_rows() == 1)
        .unwrap()
        .column(0)
        .as_primitive::<Int64Type>()
        .value(0)
}
