//! audit.tamper-evident, the published copy's side: with the database, and alone.

use kiban_audit::verify::{Finding, Place, Tamper};
use kiban_testkit::{TestDb, each_database};

use crate::deployment::{State, files, grow, verify, verify_copy, write_files};

const EVENTS: u64 = 9;

fn bad(index: usize, what: Tamper) -> Finding {
    Finding::Event { index: index as u64, what, place: Place::Copy }
}

fn unbundle(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        bytes = rest;
    }
    entries
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let prefixed = |e: &Vec<u8>| [&(e.len() as u16).to_be_bytes()[..], e].concat();
    entries.iter().flat_map(prefixed).collect()
}

#[tokio::test]
async fn every_entry_and_leaf_is_checked() {
    for test in each_database().await {
        grow(&test.log().await, 0..EVENTS).await;
        let dir = test.audit_dir();
        let good = files(&dir);
        let names: Vec<&str> = good.keys().map(String::as_str).collect();
        assert_eq!(names, ["checkpoint", "key", "tile/0/000.p/9", "tile/entries/000.p/9"]);
        let entries = unbundle(&good["tile/entries/000.p/9"]);
        let with = |changed: &[Vec<u8>], fix: bool| {
            let mut files = good.clone();
            files.insert("tile/entries/000.p/9".into(), bundle(changed));
            if fix {
                let hashes: Vec<u8> =
                    changed.iter().flat_map(|e| tlog_tiles::tlog::record_hash(e).0).collect();
                files.insert("tile/0/000.p/9".into(), hashes);
            }
            files
        };
        for i in 0..entries.len() {
            let mut changed = entries.clone();
            let at = changed[i].len() / 2;
            changed[i][at] ^= 1;
            for fix in [false, true] {
                write_files(&dir, &with(&changed, fix));
                assert_eq!(verify(&test).await, Err(bad(i, Tamper::Changed)));
                let alone = verify_copy(&test).await;
                if fix {
                    // Entries and leaves agree; alone, only the signature tells that one is bad.
                    let (index, size) = (0, EVENTS);
                    assert_eq!(alone, Err(Finding::Somewhere { index, size }));
                } else {
                    assert_eq!(alone, Err(bad(i, Tamper::Changed)));
                }
            }
            for j in i + 1..entries.len() {
                let mut changed = entries.clone();
                changed.swap(i, j);
                write_files(&dir, &with(&changed, false));
                let finding = bad(i, Tamper::Swapped { with: j as u64 });
                assert_eq!(verify(&test).await, Err(finding.clone()));
                assert_eq!(verify_copy(&test).await, Err(finding));
            }
            let mut changed = good.clone();
            if let Some(hashes) = changed.get_mut("tile/0/000.p/9") {
                hashes[i * 32] ^= 1;
            }
            write_files(&dir, &changed);
            assert_eq!(verify(&test).await, Err(bad(i, Tamper::LeafHash)));
            assert_eq!(verify_copy(&test).await.unwrap_err().event(), Some(i as u64));
        }
        write_files(&dir, &good);
        assert_eq!(verify(&test).await.unwrap().events, EVENTS);
    }
}

#[tokio::test]
async fn every_byte_of_every_file_counts() {
    let test = TestDb::sqlite().await;
    grow(&test.log().await, 0..EVENTS).await;
    let dir = test.audit_dir();
    let good = files(&dir);
    for (name, bytes) in &good {
        let step = if bytes.len() > 400 { 37 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(dir.join(name), &changed).unwrap();
            assert!(verify(&test).await.is_err(), "{name} byte {at}");
            assert!(verify_copy(&test).await.is_err(), "{name} byte {at}, alone");
        }
        std::fs::write(dir.join(name), &bytes[..bytes.len() - 1]).unwrap();
        assert!(verify_copy(&test).await.is_err(), "{name} cut");
        std::fs::remove_file(dir.join(name)).unwrap();
        assert!(verify_copy(&test).await.is_err(), "{name} removed");
        assert!(verify(&test).await.is_err(), "{name} removed");
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    assert!(verify_copy(&test).await.is_ok());
}

#[tokio::test]
async fn a_copy_cut_back_to_an_earlier_state_is_found() {
    let test = TestDb::sqlite().await;
    let log = test.log().await;
    grow(&log, 0..4).await;
    let earlier = files(&test.audit_dir());
    grow(&log, 4..EVENTS).await;
    write_files(&test.audit_dir(), &earlier);
    let finding = Finding::CopyBehind { published: 4, stored: EVENTS };
    assert_eq!(verify(&test).await, Err(finding));
    // Alone it is a whole log; whoever holds a later checkpoint knows better (held.rs).
    assert_eq!(verify_copy(&test).await.unwrap().events, 4);
}

#[tokio::test]
async fn a_database_cut_back_to_an_earlier_state_is_found() {
    for test in each_database().await {
        let log = test.log().await;
        grow(&log, 0..4).await;
        let earlier = State::read(test.db()).await;
        grow(&log, 4..EVENTS).await;
        earlier.write(test.db()).await;
        let what = Tamper::Cut { of: EVENTS };
        let finding = Finding::Event { index: 4, what, place: Place::Database };
        assert_eq!(verify(&test).await, Err(finding));
    }
}
