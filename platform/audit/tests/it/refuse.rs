//! audit.opaque, keys and migrations: what is refused.

use std::sync::Arc;

use kiban_audit::{
    Db, DbError, Event, Log, LogError, LogSigner, MAX_EVENT, note, sqlx,
    verify::{Finding, Request, events},
};
use kiban_kernel::OsEntropy;
use kiban_testkit::{FixedClock, NoSteps, SeededEntropy, TestDb, actor, each_database};
use serde_json::json;

use crate::deployment::{State, event, files, grow};

#[tokio::test]
async fn what_could_be_somebodys_data_is_refused() {
    let test = TestDb::sqlite().await;
    let log = test.log().await;
    let actor = actor(1);
    let refused = [
        json!({ "name": "ﾔﾏﾀﾞ" }),
        json!({ "deep": [{ "er": "内科" }] }),
        json!({ "line": "a\nb" }),
        json!({ "病院": 1 }),
        json!({ "long": "x".repeat(600) }),
    ];
    for body in refused {
        let tx = log.begin().await.unwrap();
        let result = tx.commit(Event { body, ..event(&actor, 1) }).await;
        assert!(matches!(result, Err(LogError::NotOpaque { .. })), "{result:?}");
    }
    let tx = log.begin().await.unwrap();
    let subject = "花子".to_owned();
    let result = tx.commit(Event { subject, ..event(&actor, 1) }).await;
    let error = result.unwrap_err();
    assert!(matches!(error, LogError::NotOpaque { .. }));
    assert!(!error.to_string().contains("花子") && !error.ja().contains("花子"));

    let tx = log.begin().await.unwrap();
    let result = tx.commit(Event { body: json!([1]), ..event(&actor, 1) }).await;
    assert!(matches!(result, Err(LogError::Body)));
    let mut tx = log.begin().await.unwrap();
    tx.note("rows", json!(1));
    let result = tx.commit(event(&actor, 1)).await;
    assert!(matches!(result, Err(LogError::NoteTwice("rows"))));
    let tx = log.begin().await.unwrap();
    let body = json!({ "many": vec!["x".repeat(500); MAX_EVENT / 500] });
    let result = tx.commit(Event { body, ..event(&actor, 1) }).await;
    assert!(matches!(result, Err(LogError::TooLong { .. })));
    assert_eq!(State::read(test.db()).await, State::default());
}

#[tokio::test]
async fn another_key_does_not_open_the_log() {
    for test in each_database().await {
        grow(&test.log().await, 0..2).await;
        let before = files(&test.audit_dir());
        let other = LogSigner::generate(&OsEntropy, "test.kiban.invalid/audit").unwrap();
        let clock = Arc::new(FixedClock("2026-04-01T00:00:00Z".parse().unwrap()));
        let opened =
            Log::open(test.db().clone(), test.audit_dir(), other, clock, Arc::new(NoSteps)).await;
        assert!(matches!(opened.err(), Some(LogError::OtherKey)));
        assert_eq!(files(&test.audit_dir()), before);
    }
}

#[tokio::test]
async fn an_empty_log_is_whole_and_no_log_is_not() {
    let test = TestDb::sqlite().await;
    let dir = test.audit_dir();
    let request = Request::new().database(test.db()).copy(&dir);
    assert_eq!(events(&request).await, Err(Finding::Key));
    let _ = test.log().await;
    assert_eq!(events(&request).await.unwrap().events, 0);
    std::fs::remove_file(dir.join("key")).unwrap();
    let signer = test.signer();
    let request = request.key(signer.verify_key());
    assert!(matches!(events(&request).await, Err(Finding::File { missing: true, .. })));
}

#[tokio::test]
async fn a_newer_or_altered_database_is_refused() {
    for test in each_database().await {
        test.db().migrate().await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, description, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .execute(test.db().pool())
        .await
        .unwrap();
        assert!(matches!(test.db().migrate().await, Err(DbError::Newer(9999))));
    }
    assert!(matches!(Db::open("mysql://x").await, Err(DbError::Address)));
    let nowhere = Db::open("sqlite:///nowhere/at/all.sqlite").await.err().unwrap();
    assert!(matches!(nowhere, DbError::Open(_)));
    assert!(!nowhere.ja().is_empty());
}

#[tokio::test]
async fn a_path_with_odd_characters_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("基盤 1?#%41.sqlite");
    Db::open_file(&path).await.unwrap().migrate().await.unwrap();
    assert!(path.is_file());
}

#[test]
fn keys_keep_their_file_to_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.key");
    let key = LogSigner::generate(&SeededEntropy::new(3), "a.invalid/log").unwrap();
    key.save(&path).unwrap();
    assert!(key.save(&path).is_err(), "an existing key is never overwritten");
    let read = LogSigner::load(&path).unwrap();
    assert_eq!(read.verify_key(), key.verify_key());
    assert_eq!(read.origin(), "a.invalid/log");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(LogSigner::load(&path).err(), Some(note::KeyFileError::TooOpen)));
    }
}
