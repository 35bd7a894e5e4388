//! A log to tamper with, and hands to tamper with it.

use std::{collections::BTreeMap, fs, path::Path};

use kiban_audit::{
    Committed, Db, Event, Log,
    sqlx::{self, Row as _},
    verify::{EventsVerified, Finding, Request, events},
};
use kiban_testkit::{TestDb, actor};
use serde_json::json;

pub(crate) async fn commit(log: &Log, number: u64) -> Committed {
    let mut tx = log.begin().await.unwrap();
    tx.note("lake", json!({ "snapshot": number }));
    tx.commit(event(&actor(number % 3), number)).await.unwrap()
}

pub(crate) fn event(actor: &kiban_govern::Actor, number: u64) -> Event<'_> {
    Event {
        kind: "delivery.received",
        actor,
        subject: format!("dlv_{number:026}"),
        law: None,
        body: json!({ "rows": number * 10 }),
    }
}

pub(crate) async fn grow(log: &Log, numbers: std::ops::Range<u64>) -> Vec<String> {
    let mut checkpoints = Vec::new();
    for number in numbers {
        let committed = commit(log, number).await;
        assert!(committed.published);
        checkpoints.push(committed.checkpoint);
    }
    checkpoints
}

pub(crate) async fn verify(test: &TestDb) -> Result<EventsVerified, Finding> {
    events(&Request::new().database(test.db()).copy(&test.audit_dir())).await
}

pub(crate) async fn verify_db(test: &TestDb) -> Result<EventsVerified, Finding> {
    events(&Request::new().database(test.db()).key(test.signer().verify_key())).await
}

pub(crate) async fn verify_copy(test: &TestDb) -> Result<EventsVerified, Finding> {
    events(&Request::new().copy(&test.audit_dir())).await
}

/// Everything the log has in the database.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    pub(crate) events: Vec<Row>,
    pub(crate) nodes: Vec<(i64, String)>,
    pub(crate) checkpoints: Vec<(i64, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) index: i64,
    pub(crate) columns: [String; 5],
    pub(crate) event: String,
    pub(crate) leaf_hash: String,
}

impl Row {
    /// Make the stored leaf hash fit the text, as a careful forger would.
    pub(crate) fn fix(&mut self) {
        self.leaf_hash = tlog_tiles::tlog::record_hash(self.event.as_bytes()).to_string();
    }
}

impl State {
    pub(crate) async fn read(db: &Db) -> Self {
        let events = sqlx::query(
            "SELECT event_index, at, kind, actor, organization, subject, event, leaf_hash \
             FROM audit_event ORDER BY event_index",
        )
        .fetch_all(db.pool())
        .await
        .unwrap();
        let pairs = |rows: Vec<sqlx::any::AnyRow>| {
            rows.iter().map(|r| (r.get(0), r.get(1))).collect::<Vec<_>>()
        };
        Self {
            events: events
                .iter()
                .map(|r| Row {
                    index: r.get(0),
                    columns: [r.get(1), r.get(2), r.get(3), r.get(4), r.get(5)],
                    event: r.get(6),
                    leaf_hash: r.get(7),
                })
                .collect(),
            nodes: pairs(
                sqlx::query("SELECT node_index, hash FROM audit_node ORDER BY node_index")
                    .fetch_all(db.pool())
                    .await
                    .unwrap(),
            ),
            checkpoints: pairs(
                sqlx::query("SELECT tree_size, note FROM audit_checkpoint ORDER BY tree_size")
                    .fetch_all(db.pool())
                    .await
                    .unwrap(),
            ),
        }
    }

    /// Replace what the database holds.
    pub(crate) async fn write(&self, db: &Db) {
        let mut tx = db.pool().begin().await.unwrap();
        for statement in
            ["DELETE FROM audit_event", "DELETE FROM audit_node", "DELETE FROM audit_checkpoint"]
        {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        for row in &self.events {
            let mut query =
                sqlx::query("INSERT INTO audit_event VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                    .bind(row.index);
            for column in &row.columns {
                query = query.bind(column.clone());
            }
            query
                .bind(row.event.clone())
                .bind(row.leaf_hash.clone())
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        for (statement, pairs) in [
            ("INSERT INTO audit_node VALUES ($1, $2)", &self.nodes),
            ("INSERT INTO audit_checkpoint VALUES ($1, $2)", &self.checkpoints),
        ] {
            for (number, text) in pairs {
                sqlx::query(statement)
                    .bind(*number)
                    .bind(text.clone())
                    .execute(&mut *tx)
                    .await
                    .unwrap();
            }
        }
        tx.commit().await.unwrap();
    }

    /// Give the events the places 0, 1, 2 ... as they stand.
    pub(crate) fn renumber(&mut self) {
        for (i, row) in self.events.iter_mut().enumerate() {
            row.index = i as i64;
        }
    }
}

/// Every file under a folder.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_none_or(|n| n != ".lock") {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

pub(crate) fn write_files(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
