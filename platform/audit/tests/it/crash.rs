//! audit.crash-safe: the process may end at any step; the next opening completes the copy.

use std::sync::Arc;

use kiban_audit::{Db, Log, sqlx};
use kiban_testkit::{AbortAt, Child, NoSteps, ScriptedClock, TestDb, each_database};

use crate::deployment::{commit, verify};

const COMMITS: u64 = 4;

fn clock() -> Arc<ScriptedClock> {
    Arc::new(ScriptedClock::starting("2026-04-01".parse().unwrap()))
}

/// The child: commits, noting in a file what it was told is committed, until it is ended.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn child_commits() {
    let Some(dir) = Child::argument("KIBAN_CHILD_DIR") else { return };
    let url = Child::argument("KIBAN_CHILD_URL").unwrap();
    let at = Child::argument("KIBAN_CHILD_STEP").unwrap().parse().unwrap();
    let dir = std::path::PathBuf::from(dir);
    let signer = kiban_audit::LogSigner::load(&dir.join("log.key")).unwrap();
    let db = Db::open(&url).await.unwrap();
    let steps = Arc::new(AbortAt::new(at));
    let log = Log::open(db, dir.join("audit"), signer, clock(), steps).await.unwrap();
    for number in 0..COMMITS {
        let committed = commit(&log, number).await;
        std::fs::write(dir.join("told"), (committed.index + 1).to_string()).unwrap();
    }
}

async fn check(test: &TestDb) -> u64 {
    let told = std::fs::read_to_string(test.path().join("told")).unwrap_or_else(|_| "0".into());
    let told: u64 = told.parse().unwrap();
    let clock = clock();
    let log =
        Log::open(test.db().clone(), test.audit_dir(), test.signer(), clock, Arc::new(NoSteps))
            .await
            .unwrap();
    let verified = verify(test).await.unwrap();
    assert!(verified.events >= told, "what was told as committed is there");
    let tiles = crate::deployment::files(&test.audit_dir());
    assert!(!tiles.keys().any(|k| k.contains(".tmp-")), "nothing half-written stays");
    assert_eq!(tiles.len(), if verified.events == 0 { 1 } else { 4 });
    let _ = commit(&log, 99).await;
    assert_eq!(verify(test).await.unwrap().events, verified.events + 1);
    verified.events
}

#[tokio::test]
async fn the_process_may_end_at_every_step() {
    for (which, name) in ["SQLite", "PostgreSQL"].into_iter().enumerate() {
        let mut step = 1;
        let mut ends = Vec::new();
        loop {
            let test = match which {
                0 => TestDb::sqlite().await,
                _ => match TestDb::postgres_if_given().await {
                    Some(test) => test,
                    None => return,
                },
            };
            test.signer().save(&test.path().join("log.key")).unwrap();
            let finished = Child::running("crash::child_commits")
                .with("KIBAN_CHILD_DIR", test.path())
                .with("KIBAN_CHILD_URL", test.url())
                .with("KIBAN_CHILD_STEP", step.to_string())
                .finishes();
            ends.push(check(&test).await);
            if finished {
                break;
            }
            step += 1;
        }
        // Six steps a commit: only the first of them is before the database's commit.
        let expected: Vec<u64> = (0..COMMITS * 6).map(|s| s.div_ceil(6)).chain([COMMITS]).collect();
        assert_eq!(ends, expected, "{name}");
    }
}

#[tokio::test]
async fn a_copy_that_could_not_be_written_is_completed_later() {
    for test in each_database().await {
        let log = test.log().await;
        // A file stands where the folder must be: as good as a full disk.
        std::fs::remove_dir_all(test.audit_dir()).unwrap();
        std::fs::write(test.audit_dir(), "").unwrap();
        let committed = commit(&log, 0).await;
        assert!(!committed.published);
        assert!(log.publish().await.is_err());
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit_event")
            .fetch_one(test.db().pool())
            .await
            .unwrap();
        assert_eq!(count, 1, "the transaction stands");
        std::fs::remove_file(test.audit_dir()).unwrap();
        assert!(commit(&log, 1).await.published);
        assert_eq!(verify(&test).await.unwrap().events, 2);
    }
}
