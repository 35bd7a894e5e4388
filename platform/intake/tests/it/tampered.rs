//! `intake.any-change-refused`: every byte, every cut, and what follows the end.

use std::fs;

use kiban_intake::{KnownHolder, ReceiveError, open_seal};
use kiban_kernel::{NoSteps, OsEntropy};

use crate::home::{Home, small};

#[test]
fn every_changed_byte_is_refused() {
    let (home, path) = small();
    let bytes = fs::read(&path).unwrap();
    let target = home.path().join("changed");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&target, &changed).unwrap();
        for refused in [home.open(&target), home.take_in(&target)] {
            let error = refused.expect_err("a changed byte was accepted");
            assert!(error.ja().contains("保存していません"), "byte {at}: {}", error.ja());
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let (home, path) = small();
    let bytes = fs::read(&path).unwrap();
    let target = home.path().join("changed");
    // Every cut of header and end; in between every fifth.
    for n in (0..bytes.len()).filter(|n| *n < 300 || *n > bytes.len() - 300 || n % 5 == 0) {
        fs::write(&target, &bytes[..n]).unwrap();
        assert!(home.open(&target).is_err(), "cut at {n}");
        assert!(home.take_in(&target).is_err(), "cut at {n}");
    }
    let mut longer = bytes.clone();
    longer.extend_from_slice(&[0; 7]);
    fs::write(&target, &longer).unwrap();
    assert!(home.open(&target).is_err());
    longer.extend_from_slice(&bytes);
    fs::write(&target, &longer).unwrap();
    assert!(home.open(&target).is_err());
}

#[test]
fn a_change_in_a_large_delivery_names_the_file() {
    let mut home = Home::new();
    home.notify("p1", &kiban_kernel::Regime::ALL, "2024-05-01");
    let line = crate::home::condition("p1", &"x".repeat(500));
    home.file("A.ndjson", line.repeat(400));
    home.file("B.ndjson", line.repeat(400));
    let report = home.seal("2025-06-01").unwrap();
    let mut bytes = fs::read(&report.path).unwrap();
    let at = bytes.len() * 3 / 4;
    bytes[at] ^= 1;
    fs::write(&report.path, &bytes).unwrap();
    assert!(home.look(&report.path).is_ok(), "what tells who sealed it is in order");
    for refused in [home.open(&report.path), home.take_in(&report.path)] {
        match refused {
            Err(e @ ReceiveError::Altered { .. }) => {
                assert!(e.to_string().contains("data/B.ndjson"), "{e}");
            }
            other => panic!("{other:?}"),
        }
    }
    bytes.truncate(at);
    fs::write(&report.path, &bytes).unwrap();
    assert!(matches!(
        home.look(&report.path),
        Err(ReceiveError::Altered { .. } | ReceiveError::Truncated { .. })
    ));
}

#[test]
fn other_keys_and_other_holders_are_told_apart() {
    let (home, path) = small();
    let open =
        |identity: &age::x25519::Identity, known: &[KnownHolder]| open_seal(&path, identity, known);
    let stranger = age::x25519::Identity::generate();
    let known = home.known.clone();
    assert!(matches!(open(&stranger, std::slice::from_ref(&known)), Err(ReceiveError::WrongKey)));
    assert!(matches!(open(&home.identity, &[]), Err(ReceiveError::UnknownHolder)));
    let key = kiban_audit::note::SigningKey::generate(&OsEntropy, &known.id.to_string()).unwrap();
    let other = KnownHolder { id: known.id, key: key.verify_key().clone() };
    assert!(matches!(open(&home.identity, &[other]), Err(ReceiveError::WrongSignature)));
    fs::write(home.path().join("x"), b"not a sealed file at all, only some text").unwrap();
    assert!(matches!(home.open(&home.path().join("x")), Err(ReceiveError::NotSealed)));
    assert!(matches!(home.open(&home.path().join("absent")), Err(ReceiveError::Read(_))));
}

#[test]
fn a_file_exchanged_between_the_passes_is_noticed() {
    let (home, path) = small();
    let checked = home.open(&path).unwrap();
    let other = crate::home::run(
        &home.request("2025-06-01"),
        &kiban_testkit::SeededEntropy::new(9),
        &NoSteps,
    )
    .unwrap();
    // In place, as a copy over the file would: the open file changes under the reader.
    let mut bytes = fs::read(&other.path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let got = checked.segments::<ReceiveError>(|_| Ok(()));
    assert!(matches!(got, Err(ReceiveError::ChangedMeanwhile)), "{got:?}");
}
