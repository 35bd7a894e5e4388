//! `intake.same-bytes`, `intake.withheld-never-leave`.

use std::fs;

use kiban_intake::{ReceiveError, holder::SealError};
use kiban_kernel::{Digest, Regime};
use proptest::prelude::*;

use crate::home::{Home, condition, holds, patient};

/// A person: marked lines, and under which regimes notified.
#[derive(Debug, Clone)]
struct Someone {
    notified: (bool, bool),
    stopped: bool,
    conditions: Vec<String>,
    checkups: u8,
}

fn someone() -> impl Strategy<Value = Someone> {
    let text = "[a-zA-Zぁ-ん亜-腕]{0,12}";
    (any::<(bool, bool)>(), prop::bool::weighted(0.2), prop::collection::vec(text, 0..4), 0u8..3)
        .prop_map(|(notified, stopped, conditions, checkups)| Someone {
            notified,
            stopped,
            conditions,
            checkups,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn bytes_accepted_are_the_bytes_sealed_of_exactly_the_right_persons(
        people in prop::collection::vec(someone(), 1..7),
        crlf in any::<bool>(),
        last_line_open in any::<bool>(),
    ) {
        let mut home = Home::new();
        let end = if crlf { "\r\n" } else { "\n" };
        let (mut patients, mut conditions) = (String::new(), String::new());
        let header = format!("宛名番号,死亡年月日,死因コード{end}");
        let mut deaths = header.clone();
        let mut kept: [String; 3] = [String::new(), String::new(), header.clone()];
        let mut withheld = Vec::new();
        for (i, who) in people.iter().enumerate() {
            let id = format!("id{i:03}");
            if who.notified.0 { home.notify(&id, &[Regime::Anon52], "2024-05-01"); }
            if who.notified.1 { home.notify(&id, &[Regime::Pseudo57], "2024-05-01"); }
            if who.stopped { home.stop(&id, ""); }
            let sent = (who.notified.0 || who.notified.1) && !who.stopped;
            if !sent { withheld.push(id.clone()); }
            let mut add = |at: usize, all: &mut String, line: String| {
                let line = line.replace('\n', end);
                all.push_str(&line);
                if sent { kept[at].push_str(&line); }
            };
            add(0, &mut patients, patient(&id, &format!("MARK-{id}")));
            for text in &who.conditions {
                add(1, &mut conditions, condition(&id, &format!("{text}-{id}")));
            }
            for n in 0..who.checkups {
                add(2, &mut deaths, format!("{id},202501{:02},C{n}\n", n + 1));
            }
        }
        if last_line_open && patients.ends_with(end) {
            patients.truncate(patients.len() - end.len());
        }
        home.file("Patient.ndjson", &patients);
        home.file("a/Condition.ndjson", &conditions);
        home.file("death.csv", &deaths);
        let sealed = match home.seal("2025-06-01") {
            Err(SealError::NobodyToSend { withheld: n, .. }) => {
                prop_assert_eq!(n as usize, people.len());
                prop_assert_eq!(fs::read_dir(home.path().join("outbox")).unwrap().count(), 0);
                return Ok(());
            }
            sealed => sealed.unwrap(),
        };
        prop_assert_eq!(sealed.kept_persons as usize, people.len() - withheld.len());
        let plain = home.plain(&sealed.path);
        for id in &withheld {
            prop_assert!(!holds(&plain, id), "a byte of a withheld person left");
        }
        let checked = home.open(&sealed.path).unwrap();
        let mut got: std::collections::BTreeMap<String, Vec<u8>> = std::collections::BTreeMap::new();
        checked.segments::<ReceiveError>(|s| {
            let file = got.entry(s.file.path.clone()).or_insert_with(|| s.header.to_vec());
            file.extend_from_slice(s.bytes);
            assert!(s.person.is_some());
            Ok(())
        }).unwrap();
        for (path, mut expected) in ["data/Patient.ndjson", "data/a/Condition.ndjson", "data/death.csv"].into_iter().zip(kept) {
            let last_sent = !withheld.contains(&format!("id{:03}", people.len() - 1));
            let found = got.remove(path).unwrap_or_default();
            if found.is_empty() {
                prop_assert!(expected.is_empty() || expected == header);
                continue;
            }
            if last_line_open && last_sent && path.ends_with("Patient.ndjson") { expected.truncate(expected.len() - end.len()); }
            prop_assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
        prop_assert!(got.is_empty());
    }
}

#[test]
fn the_look_at_persons_misses_no_person_and_no_death() {
    let mut home = Home::new();
    let mut lines = String::new();
    for i in 0..4 {
        home.notify(&format!("p{i}"), &Regime::ALL, "2024-05-01");
        lines += &patient(&format!("p{i}"), "x")
            .replace("\"Patient\"", ["\"Patient\"", "\"P\\u0061tient\""][i % 2]);
        lines += &condition(&format!("p{i}"), "x");
    }
    home.file("all.ndjson", lines);
    home.file("death.csv", "宛名番号,死亡年月日,死因コード\np1,20250101,C34\n");
    let checked = home.open(&home.seal("2025-06-01").unwrap().path).unwrap();
    let mut seen = Vec::new();
    checked
        .person_segments::<ReceiveError>(|s| {
            seen.extend(s.parsed.records.iter().map(kiban_formats::Record::table));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, ["person", "person", "person", "person", "death"]);
}

#[test]
fn nothing_decrypted_and_nothing_temporary_stays_on_the_disk() {
    let (home, path) = crate::home::small();
    home.open(&path).unwrap().segments::<ReceiveError>(|_| Ok(())).unwrap();
    for entry in fs::read_dir(home.path().join("outbox")).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        assert!(!holds(&bytes, "MARK-1") && !holds(&bytes, "MARK-2"), "{:?}", entry.file_name());
        assert!(!entry.file_name().to_string_lossy().ends_with(".part"));
    }
}

#[test]
fn the_same_files_sealed_twice_carry_the_same_files_digest() {
    let (home, path) = crate::home::small();
    let again = crate::home::run(
        &home.request("2025-06-01"),
        &kiban_testkit::SeededEntropy::new(3),
        &kiban_kernel::NoSteps,
    )
    .unwrap();
    let (a, b) = (home.open(&path).unwrap(), home.open(&again.path).unwrap());
    assert_eq!(a.manifest().files, b.manifest().files);
    assert_ne!(a.sealed_digest(), b.sealed_digest());
    for (checked, path) in [(a, &path), (b, &again.path)] {
        assert_eq!(checked.sealed_digest(), Digest::of(&fs::read(path).unwrap()));
    }
}
