//! audit.public, once more: a verifier that shares no line of code with ours agrees with it.

use std::process::Command;

use kiban_testkit::{TestDb, missing};

use crate::deployment::{files, grow, verify_copy, write_files};

#[tokio::test]
async fn a_verifier_of_another_hand_agrees() {
    if Command::new("python3").arg("--version").output().is_err() {
        missing("python3 is not there: the independent verifier was not tried");
        return;
    }
    let test = TestDb::sqlite().await;
    let log = test.log().await;
    let held = grow(&log, 0..259).await;
    let dir = test.audit_dir();
    let python = |held: Option<&str>| {
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/verify.py")).arg(&dir);
        if let Some(held) = held {
            let path = test.path().join("held");
            std::fs::write(&path, held).unwrap();
            command.arg("--against").arg(path);
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (whole, said) = python(Some(&held[99]));
    assert!(whole && said.starts_with("259 events"), "{said}");
    let good = files(&dir);
    for (name, bytes) in &good {
        let mut changed = good.clone();
        let at = bytes.len() / 3;
        changed.insert(name.clone(), [&bytes[..at], &[bytes[at] ^ 1], &bytes[at + 1..]].concat());
        write_files(&dir, &changed);
        let (whole, said) = python(None);
        assert!(!whole && verify_copy(&test).await.is_err(), "{name}: {said}");
    }
    write_files(&dir, &good);
    let later = grow(&log, 259..262).await;
    write_files(&dir, &good);
    let (whole, said) = python(Some(&later[2]));
    assert!(!whole && said.starts_with("rolled back"), "{said}");
    assert!(!python(Some(&held[3].replacen("\n4\n", "\n3\n", 1))).0);
}
