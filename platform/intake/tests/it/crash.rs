//! `intake.crash`: the process ends at each step of sealing; the next run finds nothing or the whole.

use std::{fs, path::PathBuf};

use kiban_intake::holder;
use kiban_kernel::NoSteps;
use kiban_testkit::{AbortAt, Child, CountingSteps, SeededEntropy};

use crate::home::{Home, patient, run, small};

#[test]
#[ignore = "run as a child by the test below"]
fn child_seals() {
    let Some(home) = Child::argument("KIBAN_HOME") else { return };
    let step: u64 = Child::argument("KIBAN_STEP").unwrap().parse().unwrap();
    let home = PathBuf::from(home);
    let request = holder::SealRequest::from_home(
        home.clone(),
        vec![home.join("in")],
        crate::home::day("2025-06-01"),
    )
    .unwrap();
    run(&request, &SeededEntropy::new(40 + step), &AbortAt::new(step)).unwrap();
}

/// Two persons in a delivery, and lists that revise what it said.
fn revising() -> Home {
    let mut home = Home::new();
    home.notify("p1", &kiban_kernel::Regime::ALL, "2024-05-01");
    home.notify("p2", &kiban_kernel::Regime::ALL, "2024-05-01");
    home.file("Patient.ndjson", patient("p1", "MARK-1") + &patient("p2", "MARK-2"));
    home.seal("2025-06-01").unwrap();
    let lists = [
        (
            "retractions.csv",
            "local_id,format,record,reason,on\np1,fhir_ndjson,Condition/c1,x,2025-05-30\n",
        ),
        ("corrections.csv", "kind,from,to,reason,on\nsame_person,p1,p2,x,2025-05-30\n"),
    ];
    for (name, text) in lists {
        fs::write(home.path().join(name), text).unwrap();
    }
    home
}

#[test]
fn a_crash_at_any_step_leaves_nothing_or_a_whole_recorded_delivery() {
    let home = revising();
    let first = holder::status(home.path()).unwrap().deliveries[0].0.path.clone();
    let steps = CountingSteps::default();
    run(&home.request("2025-06-01"), &SeededEntropy::new(3), &steps).unwrap();
    let mut deliveries = 2;
    for n in 1..=steps.count() {
        let finished = Child::running("crash::child_seals")
            .with("KIBAN_HOME", home.path())
            .with("KIBAN_STEP", n.to_string())
            .finishes();
        assert!(!finished, "step {n} was not reached");
        let before = holder::status(home.path()).unwrap();
        assert_eq!(before.provisions.len(), before.deliveries.len(), "after step {n}");
        let sealed: Vec<_> = before.deliveries.iter().map(|(r, _)| r.path.clone()).collect();
        let whole = sealed.len() - deliveries;
        let renamed = steps.names()[n as usize - 1] == "seal.renamed"
            || steps.names()[n as usize - 1] == "seal.recorded";
        assert_eq!(whole, usize::from(renamed), "after step {n}");
        for path in &sealed {
            let checked = home.open(path).unwrap();
            let lists = (checked.retractions().len(), checked.corrections().len());
            assert!(path == &first || lists == (1, 1), "after step {n}: {lists:?}");
        }
        // Nothing else stays: per delivery the sealed file, two lists and the record.
        assert_eq!(
            fs::read_dir(home.path().join("outbox")).unwrap().count(),
            sealed.len() * 4,
            "after step {n}"
        );
        deliveries = sealed.len();
    }
    run(&home.request("2025-06-01"), &SeededEntropy::new(4), &NoSteps).unwrap();
    assert_eq!(holder::status(home.path()).unwrap().deliveries.len(), deliveries + 1);
}

#[test]
fn a_torn_line_of_the_journal_is_mended() {
    let (home, _) = small();
    let journal = home.path().join("provision_records.jsonl");
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 20]).unwrap();
    let status = holder::status(home.path()).unwrap();
    assert_eq!(status.provisions.len(), 1);
    assert_eq!(fs::read(&journal).unwrap(), whole);
}

#[test]
#[ignore = "run as a child by the test below"]
fn child_runs_out_of_room() {
    let Some(home) = Child::argument("KIBAN_HOME") else { return };
    let home = PathBuf::from(home);
    let request = holder::SealRequest::from_home(
        home.clone(),
        vec![home.join("in")],
        crate::home::day("2025-06-01"),
    )
    .unwrap();
    match run(&request, &SeededEntropy::new(50), &NoSteps) {
        Err(e @ holder::SealError::Write(_)) => assert!(e.ja().contains("書き込めません")),
        other => panic!("{other:?}"),
    }
}

/// A limit on the size of files stands in for a full disk: writing fails half-way in the same way.
#[cfg(unix)]
#[test]
fn no_room_is_a_clear_error_and_leaves_the_folder_as_it_was() {
    let mut home = Home::new();
    home.notify("p1", &kiban_kernel::Regime::ALL, "2024-05-01");
    home.file("a.ndjson", crate::home::condition("p1", &"x".repeat(1000)).repeat(500));
    home.request("2025-06-01");
    let own = std::env::current_exe().unwrap();
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact crash::child_runs_out_of_room --ignored --nocapture";
    let out = std::process::Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(own)
        .env("KIBAN_HOME", home.path())
        .output()
        .unwrap();
    assert!(
        out.status.success() && String::from_utf8_lossy(&out.stdout).contains("1 passed"),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let status = holder::status(home.path()).unwrap();
    assert!(status.deliveries.is_empty() && status.provisions.is_empty());
    assert_eq!(fs::read_dir(home.path().join("outbox")).unwrap().count(), 0);
}
