//! `lake.erase`: after an erasure is committed and collected, nothing of the person can be read.

use std::sync::Arc;

use kiban_kernel::Id;
use kiban_lake::{LakeError, Snapshot};
use kiban_testkit::{NoSteps, each_database};

use crate::support::{Deployment, batch, person};

#[tokio::test]
async fn rows_leave_every_snapshot_and_sources_become_unreadable() {
    for db in each_database().await {
        let d = Deployment::on(&db).await;
        let mut container = d.lake.container().unwrap();
        let places: Vec<_> = (0..20_u64)
            .map(|p| {
                container
                    .put(
                        Id::from_bytes([p as u8; 16]),
                        person(p),
                        (b"", format!("source of {p}").as_bytes()),
                    )
                    .unwrap()
            })
            .collect();
        let container = container.finish().await.unwrap();
        let rows: Vec<_> = (0..20).map(|p| (p, 100 + p as i64)).collect();
        let staged = d.lake.stage("person", vec![batch("person", &rows)]).await.unwrap();
        let mut tx = d.log.begin().await.unwrap();
        d.lake.append_with_sources(&mut tx, vec![staged], vec![container]).await.unwrap();
        let _ = d.commit(tx).await;
        d.append("condition", &[(3, 1), (3, 2), (4, 3), (11, 4)]).await;
        let before = d.disk();

        let erased = d.erase(&[3, 17]).await;
        assert_eq!((erased.snapshot, erased.rows, erased.keys()), (Snapshot(3), 4, 2));
        for at in 1..=3 {
            let left = d.rows("person", Snapshot(at)).await;
            assert_eq!(left.len(), 18);
            assert!(left.iter().all(|(p, _)| ![3, 17].contains(p)));
        }
        assert_eq!(d.rows("condition", Snapshot(2)).await, [(4, 3), (11, 4)]);
        assert_eq!(d.rows("condition", Snapshot(1)).await, []);
        let after = d.disk();
        let gone = before.keys().filter(|path| !after.contains_key(*path)).count() as u64;
        assert_eq!(gone, erased.files, "the old bytes are removed, the container stays");
        assert_eq!(d.verify().await.findings, []);

        let mut conn = d.db.pool().acquire().await.unwrap();
        for p in [3, 17_u64] {
            let got = d.lake.read_segment(&mut conn, places[p as usize], person(p)).await;
            assert!(matches!(got, Err(LakeError::Shredded)));
            // Another person's key does not open it either.
            let got = d.lake.read_segment(&mut conn, places[p as usize], person(4)).await;
            assert!(matches!(got, Err(LakeError::Seal(_))));
        }
        let got = d.lake.read_segment(&mut conn, places[4], person(4)).await.unwrap();
        assert_eq!(got, b"source of 4");
        drop(conn);

        let erased = d.erase(&(0..20).collect::<Vec<_>>()).await;
        assert_eq!((erased.keys(), erased.containers), (18, 1));
        assert!(d.disk().is_empty(), "no key is left, so the container went too");
        assert_eq!(d.verify().await.findings, []);
    }
}

#[tokio::test]
async fn an_erasure_prepared_before_new_rows_came_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &[(1, 1), (2, 2)]).await;
    let staged = d.lake.stage_erasure(&[person(1)]).await.unwrap();
    d.append("condition", &[(2, 5)]).await;
    let mut tx = d.log.begin().await.unwrap();
    assert!(d.lake.erase(&mut tx, staged).await.is_ok(), "rows of another bucket do no harm");
    tx.rollback().await.unwrap();

    let staged = d.lake.stage_erasure(&[person(1)]).await.unwrap();
    d.append("condition", &[(1, 3)]).await;
    let mut tx = d.log.begin().await.unwrap();
    assert!(matches!(d.lake.erase(&mut tx, staged).await, Err(LakeError::Stale)));
    drop(tx);
    assert_eq!(d.erase(&[1]).await.rows, 2);
    assert_eq!(d.rows("condition", d.lake.head().await.unwrap()).await, [(2, 2), (2, 5)]);
    assert_eq!(d.verify().await.findings, []);
}

#[tokio::test]
async fn two_erasures_of_one_person_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &[(1, 1)]).await;
    let (a, b) = (
        d.lake.stage_erasure(&[person(1)]).await.unwrap(),
        d.lake.stage_erasure(&[person(1)]).await.unwrap(),
    );
    let mut tx = d.log.begin().await.unwrap();
    d.lake.erase(&mut tx, a).await.unwrap();
    let _ = d.commit(tx).await;
    let mut tx = d.log.begin().await.unwrap();
    assert!(matches!(d.lake.erase(&mut tx, b).await, Err(LakeError::Stale)));
    drop(tx);
    assert_eq!(d.erase(&[1]).await.rows, 0);
}
