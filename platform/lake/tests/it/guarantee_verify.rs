//! `lake.verify`: whatever is done to files and rows, the verifier names it.

use std::{fs, sync::Arc};

use kiban_audit::sqlx;
use kiban_kernel::{Id, kinds};
use kiban_lake::{Finding, verify_files};
use kiban_testkit::NoSteps;

use crate::support::{Deployment, person};

/// Two snapshots, an erasure and a container.
async fn deployment(dir: &std::path::Path) -> Deployment {
    let d = Deployment::in_folder(dir, Arc::new(NoSteps)).await;
    d.append("condition", &[(0, 1), (1, 2), (2, 3)]).await;
    let mut container = d.lake.container().unwrap();
    container.put(Id::from_bytes([1; 16]), person(1), (b"", b"source")).unwrap();
    let container = container.finish().await.unwrap();
    let mut tx = d.log.begin().await.unwrap();
    d.lake.append_with_sources(&mut tx, vec![], vec![container]).await.unwrap();
    let _ = d.commit(tx).await;
    d.erase(&[2]).await;
    assert_eq!(d.verify().await.findings, []);
    d
}

#[tokio::test]
async fn every_change_of_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let d = deployment(dir.path()).await;
    let files = d.disk();
    let paths: Vec<&String> = files.keys().collect();
    assert_eq!(paths.len(), 3);
    let root = dir.path().join("lake");
    let put_back =
        || files.iter().for_each(|(path, bytes)| fs::write(root.join(path), bytes).unwrap());

    for (path, bytes) in &files {
        let mut bad = bytes.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(root.join(path), &bad).unwrap();
        let size = bytes.len() as u64;
        let changed = |found| Finding::Changed { path: path.clone(), bytes: size, found };
        assert_eq!(d.verify().await.findings, [changed(size)]);
        fs::write(root.join(path), &bytes[..bytes.len() - 5]).unwrap();
        assert_eq!(d.verify().await.findings, [changed(size - 5)]);
        fs::remove_file(root.join(path)).unwrap();
        assert_eq!(d.verify().await.findings, [Finding::Missing { path: path.clone() }]);
        put_back();
    }
    fs::write(root.join(paths[0]), &files[paths[1]]).unwrap();
    fs::write(root.join(paths[1]), &files[paths[0]]).unwrap();
    let swapped =
        |a: usize, b: usize| Finding::Swapped { path: paths[a].clone(), with: paths[b].clone() };
    assert_eq!(d.verify().await.findings, [swapped(0, 1), swapped(1, 0)]);
    assert!(
        d.lake.scan("condition", d.lake.head().await.unwrap()).await.is_err(),
        "and the reader refuses it"
    );
    put_back();

    let ours = format!("identified/condition/{}.kbs", Id::<kinds::File>::from_bytes([7; 16]));
    let foreign = ["README".to_owned(), ours.clone()].map(|path| Finding::Foreign { path });
    fs::write(root.join("README"), b"x").unwrap();
    fs::write(root.join(&ours), b"x").unwrap();
    assert_eq!(d.verify().await.findings, foreign);
    assert!(foreign[1].ja().contains(&ours));
    d.lake.collect().await.unwrap();
    assert_eq!(
        d.verify().await.findings,
        foreign[..1],
        "collection touches no file that is not ours"
    );
}

#[tokio::test]
async fn a_file_brought_back_after_its_erasure_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    d.append("condition", &[(1, 1)]).await;
    let (path, bytes) = d.disk().pop_first().unwrap();
    d.erase(&[1]).await;
    let place = dir.path().join("lake").join(&path);
    fs::write(&place, bytes).unwrap();
    assert_eq!(d.verify().await.findings, [Finding::NotRemoved { path }]);
    d.lake.collect().await.unwrap();
    assert!(!place.exists());
}

#[tokio::test]
async fn every_change_of_the_catalog_is_named() {
    let rows =
        |snapshot, table: &str, event| Finding::Rows { snapshot, table: table.into(), event };
    let cases: Vec<(&'static str, Vec<Finding>)> = vec![
        (
            "UPDATE lake_file SET row_count = row_count + 1 WHERE bucket = 1",
            vec![rows(1, "condition", 0)],
        ),
        ("UPDATE lake_file SET begin_snapshot = 2 WHERE bucket = 1", vec![rows(1, "condition", 0)]),
        ("UPDATE lake_file SET bucket = 7 WHERE bucket = 1", vec![rows(1, "condition", 0)]),
        ("UPDATE lake_file SET end_snapshot = 3 WHERE bucket = 1", vec![rows(3, "condition", 2)]),
        (
            "UPDATE lake_file SET erased_snapshot = NULL WHERE bucket = 2",
            vec![Finding::Missing { path: String::new() }, rows(3, "condition", 2)],
        ),
        (
            "DELETE FROM lake_file WHERE bucket = 1",
            vec![Finding::Foreign { path: String::new() }, rows(1, "condition", 0)],
        ),
        ("UPDATE lake_container SET segment_count = 9", vec![rows(2, "source", 1)]),
        (
            "UPDATE lake_container SET added_snapshot = 1",
            vec![rows(1, "source", 0), rows(2, "source", 1)],
        ),
        ("DELETE FROM lake_person_key", vec![Finding::Keys { recorded: 1, found: 0 }]),
        (
            "INSERT INTO lake_snapshot (snapshot, kind, made_at) VALUES (9, 'append', 'x')",
            vec![Finding::NoEvent { snapshot: 9 }],
        ),
    ];
    for (statement, want) in cases {
        let dir = tempfile::tempdir().unwrap();
        let d = deployment(dir.path()).await;
        sqlx::query(statement).execute(d.db.pool()).await.unwrap();
        let mut found = verify_files(&d.db, &dir.path().join("lake")).await.unwrap().findings;
        for finding in &mut found {
            if let Finding::Missing { path } | Finding::Foreign { path } = finding {
                path.clear(); // file ids are random
            }
        }
        assert_eq!(found, want, "{statement}");
        assert!(found.iter().all(|f| f.ja().ends_with('。')));
    }
}

#[tokio::test]
async fn a_snapshot_taken_out_of_the_catalog_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let d = deployment(dir.path()).await;
    for statement in [
        "DELETE FROM lake_person_key",
        "DELETE FROM lake_container",
        "DELETE FROM lake_snapshot WHERE snapshot = 2",
    ] {
        sqlx::query(statement).execute(d.db.pool()).await.unwrap();
    }
    let found = d.verify().await.findings;
    assert!(found.contains(&Finding::NoSnapshot { snapshot: 2, event: 1 }), "{found:?}");
}
