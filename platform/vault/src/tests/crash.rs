//! The process ends at a step of a delivery or a stop: what is found afterwards is a state between two
//! commits, without an orphan, and doing it again completes it.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use kiban_kernel::{Bases, NoSteps};
use kiban_lake::{Snapshot, verify_files};
use kiban_register::stop;
use kiban_testkit::{AbortAt, Child};

use super::{
    BOTH, lines, request,
    world::{HOSPITAL, World, told},
};

const FOLDER: &str = "KIBAN_VAULT_FOLDER";
const STEP: &str = "KIBAN_VAULT_STEP";

/// Deliver two persons; one asks to stop.
async fn acts(world: &World) {
    let notices = [told("p1", &BOTH), told("p2", &BOTH)].concat();
    world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&[1, 2])).await;
    let stop = world.receive_stop(&request(HOSPITAL, "p1", Bases::BOTH), &crate::STORES).await;
    world.apply(&stop).await;
}

/// Which of the states between two commits is it?
async fn check(world: &World) -> &'static str {
    let head = world.head().await;
    let mut conn = world.db.pool().acquire().await.unwrap();
    let stops = stop::all(&mut conn).await.unwrap();
    let rows = world.rows(head).await.len();
    let gone = world.person(HOSPITAL, "p1");
    let present: u64 = world.vault.persons_present(&[gone]).await.unwrap().values().sum();
    let found = verify_files(&world.db, &world.path.join("lake")).await.unwrap();
    assert!(found.findings.is_empty(), "opening collected every orphan: {:?}", found.findings);
    match (head, stops.first().map(|s| s.closed_at.is_some())) {
        (Snapshot(0), None) => {
            assert_eq!((rows, present), (0, 0));
            "nothing"
        }
        (Snapshot(1), None) => {
            assert_eq!(rows, 6);
            "delivered"
        }
        (Snapshot(1), Some(false)) => {
            assert_eq!(rows, 6);
            "asked"
        }
        // Each store of the vault erases in a snapshot of its own.
        (Snapshot(2..), Some(closed)) => {
            assert_eq!(rows, 3);
            match (closed, present) {
                (true, 0) => "closed",
                (false, 0) => "erased",
                (false, _) => "erasing",
                (true, _) => panic!("closed over {present} rows"),
            }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "run as a child by the test below"]
async fn child() {
    let (Some(dir), Some(step)) = (Child::argument(FOLDER), Child::argument(STEP)) else { return };
    let steps = Arc::new(AbortAt::new(step.parse().unwrap()));
    acts(&World::in_folder(Path::new(&dir), steps).await).await;
}

#[tokio::test]
async fn whatever_step_the_process_ends_at_doing_it_again_completes_it() {
    let mut states = BTreeSet::new();
    for step in 1.. {
        let dir = tempfile::tempdir().unwrap();
        World::in_folder(dir.path(), Arc::new(NoSteps)).await.register().await;
        let finished = Child::running("tests::crash::child")
            .with(FOLDER, dir.path())
            .with(STEP, step.to_string())
            .finishes();
        let world = World::in_folder(dir.path(), Arc::new(NoSteps)).await;
        states.insert(check(&world).await);
        acts(&world).await;
        assert_eq!(check(&world).await, "closed");
        if finished {
            break;
        }
    }
    assert_eq!(
        states.into_iter().collect::<Vec<_>>(),
        ["asked", "closed", "delivered", "erased", "erasing", "nothing"]
    );
}
