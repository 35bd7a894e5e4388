//! audit.against: rollback, fork and a replaced key show against a checkpoint found elsewhere.

use std::sync::Arc;

use kiban_audit::{
    Log, LogError, LogSigner, PublishError,
    note::NoteError,
    verify::{Finding, Request, events},
};
use kiban_testkit::{FixedClock, NoSteps, SeededEntropy, TestDb, each_database};

use crate::deployment::{State, commit, files, grow, verify, write_files};

/// The whole deployment as it was.
struct Earlier(State, std::collections::BTreeMap<String, Vec<u8>>);

impl Earlier {
    async fn of(test: &TestDb) -> Self {
        Self(State::read(test.db()).await, files(&test.audit_dir()))
    }
    async fn restore(&self, test: &TestDb) {
        self.0.write(test.db()).await;
        write_files(&test.audit_dir(), &self.1);
    }
}

async fn against(test: &TestDb, held: &[&String]) -> Result<usize, Finding> {
    let dir = test.audit_dir();
    let mut request = Request::new().database(test.db()).copy(&dir);
    for (i, checkpoint) in held.iter().enumerate() {
        request = request.against(format!("receipt {i}"), checkpoint.as_str());
    }
    let whole = events(&request).await.map(|v| v.held);
    let mut request = Request::new().copy(&dir);
    for (i, checkpoint) in held.iter().enumerate() {
        request = request.against(format!("receipt {i}"), checkpoint.as_str());
    }
    assert_eq!(events(&request).await.map(|v| v.held), whole, "the copy alone says the same");
    whole
}

#[tokio::test]
async fn rolling_everything_back_shows_against_each_later_checkpoint() {
    for test in each_database().await {
        let log = test.log().await;
        let mut held = grow(&log, 0..5).await;
        let earlier = Earlier::of(&test).await;
        held.extend(grow(&log, 5..9).await);
        assert_eq!(against(&test, &held.iter().collect::<Vec<_>>()).await, Ok(9));
        earlier.restore(&test).await;
        assert_eq!(verify(&test).await.unwrap().events, 5, "in itself it is whole");
        for (i, checkpoint) in held.iter().enumerate() {
            let held = i as u64 + 1;
            let expected = if held <= 5 {
                Ok(1)
            } else {
                Err(Finding::RolledBack { from: "receipt 0".into(), index: 5, held })
            };
            assert_eq!(against(&test, &[checkpoint]).await, expected);
        }
    }
}

#[tokio::test]
async fn another_past_shows_as_a_fork() {
    for test in each_database().await {
        let log = test.log().await;
        let mut held = grow(&log, 0..5).await;
        let earlier = Earlier::of(&test).await;
        held.extend(grow(&log, 5..9).await);
        earlier.restore(&test).await;
        grow(&log, 105..112).await;
        assert_eq!(verify(&test).await.unwrap().events, 12, "in itself it is whole");
        for size in 6..=9_u64 {
            let checkpoint = &held[size as usize - 1];
            let fork =
                |from: &str, index| Err(Finding::Forked { from: from.into(), index, held: size });
            assert_eq!(against(&test, &[checkpoint]).await, fork("receipt 0", 0));
            // With another one that agrees, the place is closed in on.
            assert_eq!(against(&test, &[checkpoint, &held[4]]).await, fork("receipt 0", 5));
        }
    }
}

#[tokio::test]
async fn a_log_replaced_together_with_its_key_shows() {
    let test = TestDb::sqlite().await;
    let held = grow(&test.log().await, 0..3).await;
    let trusted = test.signer();
    State::default().write(test.db()).await;
    std::fs::remove_dir_all(test.audit_dir()).unwrap();
    let other = LogSigner::generate(&SeededEntropy::new(9), trusted.origin()).unwrap();
    let clock = Arc::new(FixedClock("2026-04-01T00:00:00Z".parse().unwrap()));
    let log = Log::open(test.db().clone(), test.audit_dir(), other, clock, Arc::new(NoSteps))
        .await
        .unwrap();
    grow(&log, 0..3).await;
    assert!(verify(&test).await.is_ok(), "in itself it is whole");
    let from = "receipt 0".into();
    let foreign = Finding::Foreign { from, why: NoteError::Unsigned };
    assert_eq!(against(&test, &[&held[2]]).await, Err(foreign));
    let dir = test.audit_dir();
    let request = Request::new().database(test.db()).copy(&dir).key(trusted.verify_key());
    assert_eq!(events(&request).await, Err(Finding::OtherKey));
}

#[tokio::test]
async fn a_checkpoint_of_nobody_is_refused() {
    let test = TestDb::sqlite().await;
    let held = grow(&test.log().await, 0..3).await;
    for (text, why) in [
        ("nothing".to_owned(), NoteError::Malformed),
        (held[2].replacen("\n3\n", "\n2\n", 1), NoteError::Signature),
    ] {
        let finding = Finding::Foreign { from: "receipt 0".into(), why };
        assert_eq!(against(&test, &[&text]).await, Err(finding));
    }
}

#[tokio::test]
async fn a_log_that_was_rolled_back_or_forked_does_not_open() {
    for test in each_database().await {
        let log = test.log().await;
        grow(&log, 0..3).await;
        let earlier = State::read(test.db()).await;
        grow(&log, 3..6).await;
        let later = files(&test.audit_dir());
        earlier.write(test.db()).await;
        let open = async || {
            let clock = Arc::new(FixedClock("2026-04-02T00:00:00Z".parse().unwrap()));
            let steps = Arc::new(NoSteps);
            Log::open(test.db().clone(), test.audit_dir(), test.signer(), clock, steps).await.err()
        };
        let found = open().await;
        assert!(
            matches!(
                found,
                Some(LogError::Publish(PublishError::RolledBack { stored: 3, published: 6 }))
            ),
            "{found:?}"
        );
        // A commit on the log that was open stands, but is not published over the other past.
        std::fs::remove_dir_all(test.audit_dir()).unwrap();
        for number in 103..109 {
            let _ = commit(&log, number).await;
        }
        write_files(&test.audit_dir(), &later);
        let found = open().await;
        assert!(
            matches!(found, Some(LogError::Publish(PublishError::Forked { size: 6 }))),
            "{found:?}"
        );
        assert!(!commit(&log, 200).await.published);
        assert_eq!(files(&test.audit_dir()), later, "the other past is left as it is");
    }
}

#[tokio::test]
async fn nothing_is_signed_on_top_of_a_damaged_tree() {
    for test in each_database().await {
        let log = test.log().await;
        grow(&log, 0..6).await;
        let good = State::read(test.db()).await;
        let mut cut = good.clone();
        cut.events.truncate(4);
        let mut longer = good.clone();
        longer.events.push(longer.events[5].clone());
        longer.renumber();
        let mut node = good.clone();
        // Stored hash 6: the root of the first four leaves.
        node.nodes[6].1 = node.nodes[0].1.clone();
        let mut missing = good.clone();
        missing.nodes.remove(6);
        for state in [cut, longer, node, missing] {
            state.write(test.db()).await;
            let tx = log.begin().await.unwrap();
            let actor = kiban_testkit::actor(1);
            let result = tx.commit(crate::deployment::event(&actor, 7)).await;
            assert!(matches!(result, Err(LogError::Damaged)), "{result:?}");
            assert_eq!(State::read(test.db()).await, state);
        }
        good.write(test.db()).await;
        let _ = commit(&log, 7).await;
        assert!(verify(&test).await.is_ok());
    }
}
