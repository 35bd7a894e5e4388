//! Source bytes and secrets.

use std::{collections::HashSet, fs, sync::Arc};

use kiban_kernel::{Id, OsEntropy};
use kiban_lake::{KeyError, KeyRing, LakeError, SegmentPlace};
use kiban_testkit::{NoSteps, each_database};

use crate::support::{Deployment, batch, files_under, person};

const PIECE: usize = 64 * 1024;

#[tokio::test]
async fn segments_of_every_size_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let mut writer = d.lake.container().unwrap();
    let sizes = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3_000_000];
    let bytes = |size: usize| (0..size).map(|i| (i % 253) as u8).collect::<Vec<_>>();
    let places: Vec<_> = (sizes.iter().enumerate())
        .map(|(i, size)| {
            writer
                .put(Id::from_bytes([i as u8; 16]), person(i as u64 % 2), (b"", &bytes(*size)))
                .unwrap()
        })
        .collect();
    let staged = writer.finish().await.unwrap();
    assert_eq!(staged.segments(), 6);
    let mut tx = d.log.begin().await.unwrap();
    d.lake.append_with_sources(&mut tx, vec![], vec![staged]).await.unwrap();
    let _ = d.commit(tx).await;
    let mut conn = d.db.pool().acquire().await.unwrap();
    for (i, (size, place)) in sizes.iter().zip(&places).enumerate() {
        assert_eq!(
            d.lake.read_segment(&mut conn, *place, person(i as u64 % 2)).await.unwrap(),
            bytes(*size)
        );
    }
    // A place that was changed, or that names another segment, opens nothing.
    let wrong = [
        SegmentPlace { start: places[1].start + 1, ..places[1] },
        SegmentPlace { length: 0, ..places[1] },
        SegmentPlace { length: u64::MAX, ..places[1] },
        SegmentPlace { segment: places[3].segment, ..places[1] },
    ];
    for place in wrong {
        assert!(matches!(
            d.lake.read_segment(&mut conn, place, person(1)).await,
            Err(LakeError::Seal(_))
        ));
    }
    let (path, mut bad) = d.disk().pop_first().unwrap();
    bad[places[5].start as usize + 7] ^= 1;
    fs::write(dir.path().join("lake").join(path), bad).unwrap();
    assert!(matches!(
        d.lake.read_segment(&mut conn, places[5], person(1)).await,
        Err(LakeError::Seal(_))
    ));
    assert!(d.lake.read_segment(&mut conn, places[4], person(0)).await.is_ok());
}

#[tokio::test]
async fn nothing_named_is_on_disk_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), Arc::new(NoSteps)).await;
    let mut writer = d.lake.container().unwrap();
    writer
        .put(Id::from_bytes([1; 16]), person(7), (b"", "架空 花子 1234567 name_kanji".as_bytes()))
        .unwrap();
    let container = writer.finish().await.unwrap();
    let staged = d.lake.stage("person", vec![batch("person", &[(7, 1234567)])]).await.unwrap();
    let mut tx = d.log.begin().await.unwrap();
    let secret = *d.lake.ring().secret(tx.conn(), "pseudonym/test").await.unwrap().expose();
    d.lake.append_with_sources(&mut tx, vec![staged], vec![container]).await.unwrap();
    let _ = d.commit(tx).await;
    let files = files_under(dir.path());
    assert!(files.len() > 5);
    for needle in ["架空".as_bytes(), b"1234567 ", b"name_kanji", b"PAR1", &secret] {
        for (path, bytes) in &files {
            assert!(!bytes.windows(needle.len()).any(|w| w == needle), "{path}");
        }
    }
}

#[tokio::test]
async fn secrets_are_stable_apart_and_destroyed() {
    for db in each_database().await {
        let d = Deployment::on(&db).await;
        let ring = d.lake.ring();
        let mut tx = d.log.begin().await.unwrap();
        let given_up = *ring.secret(tx.conn(), "a").await.unwrap().expose();
        tx.rollback().await.unwrap();
        let mut tx = d.log.begin().await.unwrap();
        let mut seen = HashSet::from([given_up]);
        for name in ["a", "b", "pseudonym/project/x"] {
            assert!(ring.find_secret(tx.conn(), name).await.unwrap().is_none());
            let secret = *ring.secret(tx.conn(), name).await.unwrap().expose();
            assert!(seen.insert(secret), "each secret is its own");
            assert_eq!(*ring.secret(tx.conn(), name).await.unwrap().expose(), secret, "and stable");
        }
        let _ = d.commit(tx).await;

        let elsewhere = tempfile::tempdir().unwrap();
        let foreign = KeyRing::create(elsewhere.path(), &OsEntropy).unwrap();
        let mut conn = d.db.pool().acquire().await.unwrap();
        let got = foreign.find_secret(&mut conn, "a").await;
        assert!(matches!(got, Err(KeyError::UnknownKey)));
        drop(conn);

        let mut tx = d.log.begin().await.unwrap();
        let before = *ring.secret(tx.conn(), "a").await.unwrap().expose();
        assert!(ring.destroy_secret(tx.conn(), "a").await.unwrap());
        assert!(!ring.destroy_secret(tx.conn(), "a").await.unwrap());
        assert_ne!(
            *ring.secret(tx.conn(), "a").await.unwrap().expose(),
            before,
            "a new one is another"
        );
        let _ = d.commit(tx).await;
    }
}

#[test]
fn a_secret_is_a_keyed_hash() {
    let (a, b) = (tempfile::tempdir().unwrap(), [&b"x"[..], b"y"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let d = Deployment::in_folder(a.path(), Arc::new(NoSteps)).await;
        let mut conn = d.db.pool().acquire().await.unwrap();
        let secret = d.lake.ring().secret(&mut conn, "n").await.unwrap();
        assert_eq!(secret.mac(&b), secret.mac(&[b"xy"]));
        assert_ne!(secret.mac(&b), secret.mac(&[b"xz"]));
    });
}
