//! audit.one-event: a transaction and its event are there together or not at all.

use std::sync::Arc;

use kiban_audit::{Db, Engine, Event, Identified, Log, LogError, sqlx};
use kiban_testkit::{CountingSteps, FixedClock, TestDb, actor, each_database};
use serde_json::json;

use crate::deployment::{State, commit, event, files, grow, verify};

async fn with_table() -> Vec<TestDb> {
    let all = each_database().await;
    for test in &all {
        sqlx::query("CREATE TABLE thing (number BIGINT PRIMARY KEY)")
            .execute(test.db().pool())
            .await
            .unwrap();
    }
    all
}

async fn things(db: &Db) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM thing").fetch_one(db.pool()).await.unwrap()
}

async fn act(log: &Log, number: i64) -> Result<u64, LogError> {
    let mut tx = log.begin().await?;
    sqlx::query("INSERT INTO thing (number) VALUES ($1)")
        .bind(number)
        .execute(tx.conn())
        .await
        .map_err(LogError::from)?;
    let actor = actor(1);
    Ok(tx.commit(event(&actor, number as u64)).await?.index)
}

#[tokio::test]
async fn rows_and_event_commit_together_and_roll_back_together() {
    for test in with_table().await {
        let log = test.log().await;
        assert_eq!(act(&log, 1).await.unwrap(), 0);
        // A statement that fails, a dropped transaction, one rolled back, an event refused.
        assert!(act(&log, 1).await.is_err());
        let insert = "INSERT INTO thing (number) VALUES (2)";
        let mut tx = log.begin().await.unwrap();
        sqlx::query(insert).execute(tx.conn()).await.unwrap();
        drop(tx);
        let mut tx = log.begin().await.unwrap();
        sqlx::query(insert).execute(tx.conn()).await.unwrap();
        tx.rollback().await.unwrap();
        let mut tx = log.begin().await.unwrap();
        sqlx::query(insert).execute(tx.conn()).await.unwrap();
        let actor = actor(1);
        let refused = Event { body: json!({ "name": "山田" }), ..event(&actor, 2) };
        assert!(matches!(tx.commit(refused).await, Err(LogError::NotOpaque { .. })));
        assert_eq!(things(test.db()).await, 1);
        assert_eq!(act(&log, 3).await.unwrap(), 1);
        assert_eq!(things(test.db()).await, 2);
        assert_eq!(verify(&test).await.unwrap().events, 2);
    }
}

#[tokio::test]
async fn an_event_reads_back_with_its_notes() {
    for test in each_database().await {
        let at = "2026-04-01T00:00:00.5Z".parse().unwrap();
        let steps = Arc::new(CountingSteps::default());
        let log = test.log_with(Arc::new(FixedClock(at)), steps.clone()).await;
        let mut tx = log.begin().await.unwrap();
        assert_eq!(tx.now(), at);
        tx.note("lake", json!({ "snapshot": 1 }));
        tx.note("erased", json!(["seg_1"]));
        tx.note("erased", json!(["seg_2"]));
        let actor = actor(7);
        let law = kiban_kernel::LawKey::new("anonymized.making").ok();
        let event = Event { law: law.clone(), ..event(&actor, 4) };
        let committed = tx.commit(event).await.unwrap();
        let stored = log.events(0, 10).await.unwrap().remove(0);
        assert_eq!(stored.index, committed.index);
        assert_eq!(stored.at, at);
        assert_eq!(stored.kind, "delivery.received");
        assert_eq!(stored.actor, actor.account.to_string());
        assert_eq!(stored.law.as_deref(), law.as_ref().map(kiban_kernel::LawKey::as_str));
        assert_eq!(stored.body["rows"], json!(40));
        assert_eq!(stored.notes("lake"), [json!({ "snapshot": 1 })]);
        assert_eq!(stored.notes("erased"), [json!(["seg_1"]), json!(["seg_2"])]);
        assert!(stored.notes("none").is_empty());
        assert_eq!(log.about(&stored.subject).await.unwrap(), [stored]);
        assert!(log.about("dlv_none").await.unwrap().is_empty());
        assert_eq!(log.size().await.unwrap(), 1);
        assert_eq!(log.checkpoint().await.unwrap(), Some(committed.checkpoint));
        assert_eq!(
            steps.names(),
            [
                "audit.before_commit",
                "audit.after_commit",
                "audit.tile_written",
                "audit.tile_written",
                "audit.checkpoint_written",
                "audit.exported"
            ]
        );
    }
}

#[tokio::test]
async fn events_are_canonical_text() {
    let test = TestDb::sqlite().await;
    let at = "2026-04-01T00:00:00Z".parse().unwrap();
    let log = test.log_with(Arc::new(FixedClock(at)), Arc::new(CountingSteps::default())).await;
    let _ = commit(&log, 3).await;
    let state = State::read(test.db()).await;
    let actor = actor(0);
    assert_eq!(
        state.events[0].event,
        format!(
            r#"{{"actor":"{}","at":"2026-04-01T00:00:00Z","body":{{"lake":{{"snapshot":3}},"rows":30}},"index":0,"kind":"delivery.received","law":null,"organization":"{}","subject":"dlv_00000000000000000000000003"}}"#,
            actor.account, actor.organization
        )
    );
}

#[tokio::test]
async fn opening_identified_data_is_on_the_record() {
    for test in each_database().await {
        let log = test.log().await;
        let sealed = Identified::seal("厚労花子").map_sealed(str::len);
        let receipt = log.read(&actor(1), "link.persons", "psn_1").await.unwrap();
        assert_eq!(sealed.open(&receipt), 12);
        let stored = log.events(receipt.index(), receipt.index() + 1).await.unwrap().remove(0);
        assert_eq!(stored.kind, "identified.opened");
        assert_eq!(stored.body["purpose"], "link.persons");
        assert!(receipt.checkpoint().starts_with("test.kiban.invalid/audit\n1\n"));
        assert!(matches!(
            log.read(&actor(1), "目的", "psn_1").await,
            Err(LogError::NotOpaque { .. })
        ));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_two_processes_take_turns() {
    for test in with_table().await {
        // Two pools and two logs over one database, as two processes would have.
        let second = Db::open(&test.url()).await.unwrap();
        assert_eq!(second.engine(), test.db().engine());
        let log = test.log().await;
        let clock = Arc::new(FixedClock("2026-04-01T00:00:00Z".parse().unwrap()));
        let other = Log::open(
            second,
            test.audit_dir(),
            test.signer(),
            clock,
            Arc::new(CountingSteps::default()),
        )
        .await
        .unwrap();
        let mut writers = Vec::new();
        for writer in 0..4_i64 {
            let log = if writer % 2 == 0 { log.clone() } else { other.clone() };
            writers.push(tokio::spawn(async move {
                let mut places = Vec::new();
                for i in 0..15 {
                    places.push(act(&log, writer * 1000 + i).await.unwrap());
                }
                places
            }));
        }
        let mut places = Vec::new();
        for writer in writers {
            let mine = writer.await.unwrap();
            assert!(mine.is_sorted());
            places.extend(mine);
        }
        places.sort_unstable();
        assert_eq!(places, (0..60).collect::<Vec<_>>());
        assert_eq!(things(test.db()).await, 60);
        assert_eq!(verify(&test).await.unwrap().events, 60);
        assert_eq!(files(&test.audit_dir()).len(), 4);
    }
}

/// Who waits for the turn holds no connection, so that the writer can read beside its transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_leave_connections_to_read_with() {
    for test in with_table().await {
        let log = test.log().await;
        let writers: Vec<_> = (0..40_u64)
            .map(|number| {
                let log = log.clone();
                tokio::spawn(async move {
                    let tx = log.begin().await.unwrap();
                    let seen = log.size().await.unwrap();
                    let actor = actor(1);
                    assert_eq!(tx.commit(event(&actor, number)).await.unwrap().index, seen);
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(verify(&test).await.unwrap().events, 40);
    }
}

/// Should two writers ever get past the lock, the unique place decides, and the loser may retry.
#[tokio::test]
async fn the_unique_place_decides_a_race() {
    for test in each_database().await {
        let log = test.log().await;
        grow(&log, 0..1).await;
        let state = State::read(test.db()).await;
        let again = sqlx::query("INSERT INTO audit_event VALUES (0, '', '', '', '', '', $1, '')")
            .bind(state.events[0].event.clone())
            .execute(test.db().pool())
            .await
            .unwrap_err();
        assert!(LogError::from(again).is_retryable(), "{:?}", test.db().engine());
    }
}

#[tokio::test]
async fn sqlite_is_set_to_be_durable() {
    let test = TestDb::sqlite().await;
    assert_eq!(test.db().engine(), Engine::Sqlite);
    let pool = test.db().pool();
    let text: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
    assert_eq!(text, "wal");
    for (pragma, value) in [
        ("PRAGMA synchronous", 2_i64),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA secure_delete", 1),
        ("PRAGMA busy_timeout", 30_000),
    ] {
        let got: i64 = sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap();
        assert_eq!(got, value, "{pragma}");
    }
}
