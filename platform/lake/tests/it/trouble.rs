//! Bad rows and a failing disk leave the lake as it was.

use std::{fs, sync::Arc};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use kiban_lake::{Lake, LakeError, Snapshot, TableFileError};
use kiban_testkit::NoSteps;

use crate::support::{Deployment, batch};

#[tokio::test]
async fn rows_that_do_not_fit_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let good = batch("condition", &[(1, 1), (2, 2)]);
    let mut columns = good.columns().to_vec();
    columns[0] =
        Arc::new(StringArray::from(vec!["psn_00000000000000000000000000", "per_1"])) as ArrayRef;
    let nobody = RecordBatch::try_new(good.schema(), columns).unwrap();
    let got = d.lake.stage("condition", vec![nobody]).await.err().unwrap();
    assert!(matches!(got, LakeError::Person { table: "condition", row: 1 }));
    assert!(got.ja().contains("1 行目"));
    let got = d.lake.stage("person", vec![good.clone()]).await.err().unwrap();
    assert!(matches!(got, LakeError::Rows { source: TableFileError::UnknownColumn { .. }, .. }));
    let short = good.project(&[0, 1, 2]).unwrap();
    let got = d.lake.stage("condition", vec![short]).await.err().unwrap();
    assert!(matches!(got, LakeError::Rows { source: TableFileError::MissingColumn { .. }, .. }));
    assert!(matches!(d.lake.stage("nothing", vec![good]).await, Err(LakeError::UnknownTable)));
    assert!(d.disk().is_empty());
}

#[tokio::test]
async fn a_disk_that_fails_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &[(1, 1)]).await;
    let before = d.disk();
    // A file stands where the table's folder would have to be made.
    let obstacle = dir.path().join("lake/identified/note");
    fs::write(&obstacle, b"").unwrap();
    let got = d.lake.stage("note", vec![batch("note", &[(1, 1)])]).await;
    assert!(matches!(got, Err(LakeError::Io { .. })));
    fs::remove_file(obstacle).unwrap();
    let obstacle = dir.path().join("lake/source");
    fs::write(&obstacle, b"").unwrap();
    assert!(matches!(d.lake.container(), Err(LakeError::Io { .. })));
    fs::remove_file(obstacle).unwrap();
    assert_eq!(d.disk(), before);
    assert_eq!(d.lake.head().await.unwrap(), Snapshot(1));
    assert_eq!(d.verify().await.findings, []);
}

#[tokio::test]
async fn an_unfinished_container_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let mut writer = d.lake.container().unwrap();
    writer
        .put(kiban_kernel::Id::from_bytes([1; 16]), crate::support::person(1), (b"", b"x"))
        .unwrap();
    drop(writer);
    assert!(d.disk().is_empty());
}

#[tokio::test]
async fn collection_leaves_what_may_still_be_committed() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let staged = d.lake.stage("condition", vec![batch("condition", &[(1, 1)])]).await.unwrap();
    assert_eq!(d.lake.collect().await.unwrap().files, 0);
    let mut tx = d.log.begin().await.unwrap();
    d.lake.append(&mut tx, vec![staged]).await.unwrap();
    tx.rollback().await.unwrap();
    drop(d.lake.stage("condition", vec![batch("condition", &[(1, 1), (2, 2)])]).await.unwrap());
    assert_eq!(d.lake.collect().await.unwrap().files, 2, "staged and given up");
    d.append("condition", &[(3, 3)]).await;
    assert_eq!(d.lake.collect().await.unwrap().files, 1, "its transaction is known to have failed");
    assert_eq!(d.verify().await.findings, []);
}

#[tokio::test]
async fn collection_waits_while_another_process_has_the_lake_open() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let other = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await; // a lock of its own
    let staged = d.lake.stage("condition", vec![batch("condition", &[(1, 1)])]).await.unwrap();
    assert!(other.lake.collect().await.unwrap().skipped);
    let mut tx = d.log.begin().await.unwrap();
    d.lake.append(&mut tx, vec![staged]).await.unwrap();
    let _ = d.commit(tx).await;
    assert_eq!(
        other.rows("condition", Snapshot(1)).await,
        [(1, 1)],
        "and reads what was committed"
    );
    d.erase(&[1]).await;
    assert!(d.disk().is_empty(), "erased bytes go in any case");
    drop(d);
    assert!(!other.lake.collect().await.unwrap().skipped);
    assert_eq!(other.verify().await.findings, []);
}

/// `lake.same-bytes`
#[tokio::test]
async fn the_same_rows_make_the_same_plain_file_however_they_came() {
    use object_store::{ObjectStoreExt as _, local::LocalFileSystem, path::Path};
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let rows: Vec<_> = (0..2_000).map(|n| (n * 7 % 40, n as i64)).collect();
    let whole = vec![batch("measurement", &rows)];
    let parts = rows.chunks(77).map(|part| batch("measurement", part)).collect();
    let files = LocalFileSystem::new_with_prefix(dir.path().join("lake")).unwrap();
    let store = kiban_lake::SealedStore::new(Arc::new(files), d.lake.ring().clone());
    let mut plain = Vec::new();
    for batches in [whole, parts] {
        let staged = d.lake.stage("measurement", batches).await.unwrap();
        let mut tx = d.log.begin().await.unwrap();
        let at = d.lake.replace(&mut tx, "measurement", vec![staged]).await.unwrap();
        let _ = d.commit(tx).await;
        let mut bytes = Vec::new();
        for file in d.lake.files("measurement", at).await.unwrap() {
            bytes.push(store.get(&Path::from(file.path)).await.unwrap().bytes().await.unwrap());
        }
        plain.push(bytes);
    }
    assert_eq!(plain[0].len(), 8);
    assert!(plain[0] == plain[1]);
}

#[tokio::test]
async fn an_older_catalog_never_makes_garbage_of_newer_files() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &[(1, 1)]).await;
    d.lake.collect().await.unwrap();
    let (files, ring) = (d.disk(), d.lake.ring().clone());
    drop(d);
    let empty = kiban_testkit::TestDb::sqlite().await;
    let opened =
        Lake::open(dir.path().join("lake"), ring, empty.db().clone(), Arc::new(NoSteps)).await;
    let error = opened.err().unwrap();
    assert!(matches!(error, LakeError::RolledBack { known: 1, head: 0 }));
    assert!(error.ja().ends_with('。'));
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    assert_eq!(d.disk(), files);
    assert_eq!(d.verify().await.findings, []);
}
