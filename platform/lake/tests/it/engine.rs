//! The engine over the sealed store.

use std::sync::Arc;

use kiban_lake::{LakeError, Session, Snapshot, plan::*, schema};
use kiban_testkit::NoSteps;

use crate::support::{Deployment, numbers, single};

#[tokio::test]
async fn a_frame_reads_its_snapshot_with_the_declared_types() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let many: Vec<_> = (0..3_000).map(|n| (n % 50, n as i64)).collect();
    d.append("measurement", &many).await;
    d.append("measurement", &[(1, 5_000)]).await;
    d.append("person_link", &[(1, 1), (2, 2)]).await;
    d.erase(&[1]).await;

    let session = Session::new(&d.lake).unwrap();
    let frame = d.lake.frame(&session, "measurement", Snapshot(1)).await.unwrap();
    let declared = schema::table("measurement").unwrap().arrow();
    assert_eq!(frame.schema().as_arrow().fields(), declared.fields());
    let rows = frame.collect().await.unwrap();
    assert_eq!(numbers("measurement", &rows), d.rows("measurement", Snapshot(1)).await);

    let head = d.lake.head().await.unwrap();
    let frame = d.lake.frame(&session, "measurement", head).await.unwrap();
    let persons = frame
        .clone()
        .aggregate(vec![], vec![aggregates::count_distinct(col("person_source"))])
        .unwrap();
    assert_eq!(single(&persons.collect().await.unwrap()), 49);
    let high = frame.filter(col("value_num").gt(lit(1_000.0))).unwrap();
    assert_eq!(high.count().await.unwrap(), (2_001..3_000).filter(|n| n % 50 != 1).count());

    let links = d.lake.frame(&session, "person_link", head).await.unwrap();
    let all = d.lake.frame(&session, "measurement", head).await.unwrap();
    let joined =
        all.join(links, JoinType::LeftSemi, &["person_source"], &["person_source"], None).unwrap();
    assert_eq!(joined.count().await.unwrap(), 60);
}

#[tokio::test]
async fn a_table_without_files_is_an_empty_frame() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let session = Session::new(&d.lake).unwrap();
    let frame = d.lake.frame(&session, "note", Snapshot(0)).await.unwrap();
    assert_eq!(frame.schema().as_arrow().fields(), schema::table("note").unwrap().arrow().fields());
    assert_eq!(frame.count().await.unwrap(), 0);
}

#[tokio::test]
async fn the_engine_refuses_a_changed_file() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &(0..100).map(|n| (1, n)).collect::<Vec<_>>()).await;
    let (path, mut bytes) = d.disk().pop_first().unwrap();
    bytes[200] ^= 1;
    std::fs::write(dir.path().join("lake").join(path), bytes).unwrap();
    let session = Session::new(&d.lake).unwrap();
    let frame = d.lake.frame(&session, "condition", Snapshot(1)).await.unwrap();
    assert!(frame.collect().await.is_err());
    let scanned = d.lake.scan("condition", Snapshot(1)).await;
    assert!(matches!(scanned, Err(LakeError::Seal(_))));
}
