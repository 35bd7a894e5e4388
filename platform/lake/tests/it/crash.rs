//! `lake.one-commit`: the process ends at every step; what is found afterwards is a state between two
//! commits, without an orphan.

use std::{path::Path, sync::Arc};

use kiban_kernel::{Id, Steps};
use kiban_lake::{LakeError, SegmentPlace, Snapshot};
use kiban_testkit::{AbortAt, Child, NoSteps};

use crate::support::{Deployment, batch, person};

const FOLDER: &str = "KIBAN_LAKE_FOLDER";
const STEP: &str = "KIBAN_LAKE_STEP";

/// Deliver, replace, erase.
async fn acts(dir: &Path, steps: Arc<dyn Steps>) {
    let d = Deployment::in_folder(dir, steps).await;
    let mut container = d.lake.container().unwrap();
    for p in 1..4_u64 {
        let place =
            container.put(Id::from_bytes([p as u8; 16]), person(p), (b"", b"source")).unwrap();
        std::fs::write(dir.join(format!("place-{p}")), serde_json::to_vec(&place).unwrap())
            .unwrap();
    }
    let container = container.finish().await.unwrap();
    let staged = vec![
        d.lake
            .stage("condition", vec![batch("condition", &[(1, 1), (2, 2), (3, 3)])])
            .await
            .unwrap(),
        d.lake.stage("person_link", vec![batch("person_link", &[(1, 1)])]).await.unwrap(),
    ];
    let mut tx = d.log.begin().await.unwrap();
    d.lake.append_with_sources(&mut tx, staged, vec![container]).await.unwrap();
    let _ = d.commit(tx).await;

    let staged =
        d.lake.stage("person_link", vec![batch("person_link", &[(1, 9), (2, 8)])]).await.unwrap();
    let mut tx = d.log.begin().await.unwrap();
    d.lake.replace(&mut tx, "person_link", vec![staged]).await.unwrap();
    let _ = d.commit(tx).await;

    d.erase(&[1]).await;
}

async fn check(dir: &Path) {
    let d = Deployment::in_folder(dir, Arc::new(NoSteps)).await;
    let head = d.lake.head().await.unwrap();
    let (one, all) = ([(2, 2), (3, 3)], [(1, 1), (2, 2), (3, 3)]);
    let conditions: &[_] = match head.0 {
        0 => &[],
        1 | 2 => &all,
        _ => &one,
    };
    let links: &[_] = match head.0 {
        0 => &[],
        1 => &[(1, 1)],
        2 => &[(1, 9), (2, 8)],
        _ => &[(2, 8)],
    };
    assert_eq!(d.rows("condition", head).await, conditions);
    assert_eq!(d.rows("person_link", head).await, links);
    if head.0 == 3 {
        assert_eq!(d.rows("person_link", Snapshot(1)).await, []);
        assert_eq!(d.rows("condition", Snapshot(1)).await, one);
    }
    if head.0 > 0 {
        let mut conn = d.db.pool().acquire().await.unwrap();
        for p in 1..4_u64 {
            let bytes = std::fs::read(dir.join(format!("place-{p}"))).unwrap();
            let place: SegmentPlace = serde_json::from_slice(&bytes).unwrap();
            let got = d.lake.read_segment(&mut conn, place, person(p)).await;
            match (p, head.0) {
                (1, 3) => assert!(matches!(got, Err(LakeError::Shredded))),
                _ => assert_eq!(got.unwrap(), b"source"),
            }
        }
    }
    let report = d.verify().await;
    assert_eq!(report.findings, [], "opening collected every orphan");
    assert_eq!(report.snapshots, head.0);
    assert_eq!(d.log.events(0, 100).await.unwrap().len() as u64, head.0);
}

#[tokio::test]
#[ignore = "run as a child by the test below"]
async fn child() {
    let (Some(dir), Some(step)) = (Child::argument(FOLDER), Child::argument(STEP)) else { return };
    acts(Path::new(&dir), Arc::new(AbortAt::new(step.parse().unwrap()))).await;
}

#[tokio::test]
async fn whatever_step_the_process_ends_at_nothing_is_half_there() {
    let mut heads = std::collections::BTreeSet::new();
    for step in 1.. {
        let dir = tempfile::tempdir().unwrap();
        // Keys and schema are made before.
        drop(Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await);
        let finished = Child::running("crash::child")
            .with(FOLDER, dir.path())
            .with(STEP, step.to_string())
            .finishes();
        check(dir.path()).await;
        let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
        heads.insert(d.lake.head().await.unwrap().0);
        if finished {
            break;
        }
    }
    assert_eq!(heads.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}
