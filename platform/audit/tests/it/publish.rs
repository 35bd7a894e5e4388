//! audit.public: the copy is C2SP tlog-tiles, readable by others' tools.

use std::{fs, path::PathBuf};

use kiban_audit::{Db, verify};
use kiban_testkit::TestDb;
use tlog_tiles::{
    checkpoint::Checkpoint,
    tile::{Tile, TileHashReader, TileReader},
    tlog,
};

use crate::deployment::{State, files, grow, verify_copy, write_files};

/// The log as a stranger's client sees it: `tlog_tiles` over files.
struct Stranger(PathBuf);

impl TileReader for Stranger {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        tiles
            .iter()
            .map(|t| {
                fs::read(self.0.join(t.path().replacen("tile/8/", "tile/", 1)))
                    .map_err(|_| tlog::Error::InvalidTile)
            })
            .collect()
    }
    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[tokio::test]
async fn a_stranger_can_prove_every_event_and_the_growth() {
    let test = TestDb::sqlite().await;
    let log = test.log().await;
    let held = grow(&log, 0..260).await;
    let dir = test.audit_dir();
    let names: Vec<String> = files(&dir).into_keys().collect();
    assert_eq!(
        names,
        [
            "checkpoint",
            "key",
            "tile/0/000",
            "tile/0/001.p/4",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/4"
        ]
    );
    let note = fs::read_to_string(dir.join("checkpoint")).unwrap();
    let body = kiban_audit::note::verify(&note, &[log.verify_key().clone()]).unwrap();
    let tree = Checkpoint::from_bytes(body.as_bytes()).unwrap();
    let stranger = Stranger(dir.clone());
    let reader = TileHashReader::new(tree.size(), *tree.hash(), &stranger);
    let entries = State::read(test.db()).await.events;
    for n in [0, 1, 2, 100, 255, 256, 259_u64] {
        let proof = tlog::prove_record(tree.size(), n, &reader).unwrap();
        let leaf = tlog::record_hash(entries[n as usize].event.as_bytes());
        tlog::check_record(&proof, tree.size(), *tree.hash(), n, leaf).unwrap();
    }
    for size in [1, 7, 255, 256, 257_u64] {
        let text = held[size as usize - 1].split("\n\n").next().unwrap();
        let old = Checkpoint::from_bytes(format!("{text}\n").as_bytes()).unwrap();
        let proof = tlog::prove_tree(tree.size(), size, &reader).unwrap();
        tlog::check_tree(&proof, tree.size(), *tree.hash(), size, *old.hash()).unwrap();
    }
    assert_eq!(verify_copy(&test).await.unwrap().events, 260);

    // Missing files, of any age, come back as they were; opening twice changes nothing.
    let good = files(&dir);
    for name in good.keys().filter(|n| *n != "checkpoint" && *n != "key") {
        fs::remove_file(dir.join(name)).unwrap();
        let found = verify_copy(&test).await.unwrap_err();
        assert!(matches!(found, verify::Finding::File { missing: true, .. }), "{found}");
        let _ = test.log().await;
        assert_eq!(files(&dir), good, "{name}");
    }
    write_files(&dir, &std::collections::BTreeMap::new());
    let _ = test.log().await;
    assert_eq!(files(&dir), good);
    fs::write(dir.join("tile/0/.tmp-001"), "half").unwrap();
    fs::create_dir_all(dir.join("tile/0/000.p")).unwrap();
    fs::write(dir.join("tile/0/000.p/9"), "stale").unwrap();
    let _ = test.log().await;
    assert_eq!(files(&dir), good);

    // Upper tiles are checked too.
    let mut changed = good.clone();
    changed.get_mut("tile/1/000.p/1").unwrap()[0] ^= 1;
    write_files(&dir, &changed);
    let found = verify_copy(&test).await.unwrap_err();
    assert_eq!(found.event(), Some(0), "{found}");
    write_files(&dir, &good);

    // A read-only look at the database suffices to verify, and creates nothing.
    let path = test.path().join("governance.sqlite");
    let db = Db::open_file_read_only(&path).await.unwrap();
    let request = verify::Request::new().database(&db).copy(&dir);
    assert_eq!(verify::events(&request).await.unwrap().events, 260);
    assert!(kiban_audit::sqlx::query("DELETE FROM audit_event").execute(db.pool()).await.is_err());
    assert!(Db::open_file_read_only(&test.path().join("none.sqlite")).await.is_err());
    assert!(!test.path().join("none.sqlite").exists());
}
