//! The process is ended at every step of every act, and at random times (acceptance 8): the next start completes
//! or rolls back; nothing accepted is lost, nothing is half visible, no orphan stays; done again, the act is
//! complete.

mod scenario;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kiban_audit::{
    Db,
    sqlx::{self, Row as _},
};
use kiban_country::fixtures;
use kiban_journeys::{
    Parties, ProduceRequest, Route, StopRequest,
    holder::{self, SealRequest},
    kernel::{Bases, Date, NoSteps, OsEntropy, Product, Regime, Rules, ScriptedClock, Steps},
    stop::{Requester, Scope},
};
use kiban_testkit::{AbortAt, Child, CountingSteps};

use scenario::{ACTS, Act, HOLDER, PATIENTS, SPECIFICATION, WISH, column, day, home};

use crate::support::{
    Scratch,
    acts::{self, Wish},
    files, lake, run,
    site::Site,
};

/// At least so many ends (the number).
const ENDS: usize = 200;
/// Random kills per act.
const KILLS: usize = 8;
#[test]
#[ignore = "run as a child by the test below"]
fn child_acts() {
    let (Some(act), Some(dir)) = (Child::argument("KIBAN_ACT"), Child::argument("KIBAN_DIR"))
    else {
        return;
    };
    let step: u64 = Child::argument("KIBAN_STEP").unwrap().parse().unwrap();
    let act: Act = act.parse().unwrap();
    act.perform(Path::new(&dir), Arc::new(AbortAt::new(step)));
}

/// What counts of a deployment, by part: each part is as before the act or as after it.
type Outcome = BTreeMap<String, String>;

/// Tables whose number of rows an act may change, each as a whole.
const TABLES: [&str; 13] = [
    "intake_delivery",
    "lake_file",
    "lake_container",
    "lake_person_key",
    "lake_snapshot",
    "register_stop",
    "register_stop_person",
    "register_stop_store",
    "register_suppression",
    "release_dataset",
    "release_finding",
    "deliver_delivery",
    "deliver_erasure",
];

/// Opens the deployment, which completes or removes what the ended process left; then nothing may be wrong, and
/// no file may be there that belongs to nothing.
async fn recovered(dir: &Path) -> Outcome {
    let status = holder::status(&home(dir)).unwrap();
    let site = Site::open(dir, day(), Arc::new(NoSteps)).await;
    let mut outcome = Outcome::new();
    let count = |n: usize| n.to_string();
    let sealed = files::walk(&home(dir).join("outbox"))
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "kiban"))
        .count();
    assert_eq!(status.deliveries.len(), sealed);
    assert_eq!(status.provisions.len(), sealed);
    outcome.insert("outbox".to_owned(), count(sealed));
    let lake = lake::counts(&site.on).await;
    outcome.insert("lake".to_owned(), format!("{lake:?}"));
    for table in TABLES {
        let rows = column(&site, &format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}")).await;
        outcome.insert(table.to_owned(), rows[0].clone());
    }
    let closed = "SELECT COALESCE(CAST(COUNT(closed_at) AS TEXT), '0') FROM register_stop";
    outcome.insert("stops closed".to_owned(), column(&site, closed).await[0].clone());
    let approvals = column(&site, "SELECT actor FROM release_approval").await;
    assert!(approvals.len() <= 2);
    let packages = files::walk(&dir.join("packages"));
    outcome.insert("packages".to_owned(), count(packages.len()));
    site.close().await;
    let verified = kiban_journeys::verify_deployment(dir, &[]).await.unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    for path in files::walk(dir) {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(
            !name.ends_with(".part") && !name.ends_with(".tmp") && !name.starts_with(".tmp"),
            "orphan {}",
            path.display()
        );
    }
    outcome
}

/// The state before an act, and what the act makes of it undisturbed.
struct Prepared {
    act: Act,
    dir: PathBuf,
    steps: Vec<&'static str>,
    before: Outcome,
    after: Outcome,
    time: Duration,
}

/// The deployments before each act, each made by the acts before.
fn prepare(scratch: &Scratch) -> Vec<Prepared> {
    let first = scratch.join("first");
    run(|| async {
        let site = Site::create(&first).await;
        acts::keys(&site).await;
        // The secret of the persons' ids, so that every run puts the same persons into the same files.
        let holder = Parties::organization_id(HOLDER);
        kiban_journeys::person_sources(&site.on, holder, PATIENTS).await.unwrap();
        site.close().await;
    });
    let tree = scratch.join("tree");
    fixtures::unpack_ssmix2(&tree).unwrap();
    let mut notices =
        String::from("local_id,regime,notice_version,notified_on,channel,guardian,died_on\n");
    for patient in PATIENTS {
        let inside = Path::new("ssmixtwins").join(&patient[..3]).join(&patient[3..6]).join(patient);
        files::copy(&tree.join(&inside), &first.join("country/source").join(&inside));
        for regime in ["anon52", "pseudo57"] {
            notices.extend([patient, ",", regime, ",2025-1,2025-04-01,letter,1,\n"]);
        }
    }
    fs::write(home(&first).join("notices.csv"), notices).unwrap();
    fs::write(home(&first).join("stops.csv"), "local_id,regimes,requested_on,receipt_no\n")
        .unwrap();
    let mut dir = first;
    let mut found = Vec::new();
    for act in ACTS {
        if act == Act::Produce {
            run(|| async {
                let site = Site::open(&dir, day(), Arc::new(NoSteps)).await;
                let granted = acts::granted(&site, WISH, SPECIFICATION).await;
                fs::write(dir.join("country/application"), granted.application.to_string())
                    .unwrap();
                site.close().await;
            });
        }
        let before = run(|| recovered(&dir));
        let next = scratch.join(&format!("after-{act:?}"));
        files::copy(&dir, &next);
        let counting = Arc::new(CountingSteps::default());
        #[expect(
            clippy::disallowed_methods,
            reason = "random ends are spread over the time an act takes"
        )]
        let began = Instant::now();
        act.perform(&next, counting.clone());
        let time = began.elapsed();
        let after = run(|| recovered(&next));
        assert_ne!(before, after, "{act:?} does nothing");
        found.push(Prepared {
            act,
            dir: dir.clone(),
            steps: counting.names(),
            before,
            after,
            time,
        });
        dir = next;
    }
    found
}

/// When the process ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Step(u64),
    After(Duration),
}

fn child(act: Act, dir: &Path, step: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::child_acts", "--ignored", "--nocapture", "--test-threads=1"])
        .env("KIBAN_ACT", format!("{act:?}"))
        .env("KIBAN_DIR", dir)
        .env("KIBAN_STEP", step.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Counts by table of which each is the one before or the one after; or one count that is on its way.
fn either(now: &str, before: &str, after: &str) -> bool {
    let number = |text: &str| text.parse::<u64>();
    if let (Ok(now), Ok(before), Ok(after)) = (number(now), number(before), number(after)) {
        return (before.min(after)..=before.max(after)).contains(&now);
    }
    let read = |text: &str| serde_json::from_str::<BTreeMap<String, u64>>(text);
    let (Ok(now), Ok(before), Ok(after)) = (read(now), read(before), read(after)) else {
        return false;
    };
    now.iter().all(|(table, n)| before.get(table) == Some(n) || after.get(table) == Some(n))
}

/// One end, and everything that must hold after it. True if the process was really ended.
fn end(prepared: &Prepared, end: End) -> bool {
    let scratch = Scratch::copy_of(&prepared.dir);
    let (act, dir) = (prepared.act, scratch.path());
    let ended = match end {
        End::Step(n) => {
            let status = child(act, dir, n).status().unwrap();
            assert!(
                status.success() || status.code().is_none(),
                "{act:?} at {end:?}: the child failed by itself"
            );
            !status.success()
        }
        End::After(time) => {
            let mut running = child(act, dir, 0).spawn().unwrap();
            std::thread::sleep(time);
            let _ = running.kill();
            !running.wait().unwrap().success()
        }
    };
    let found = run(|| recovered(dir));
    for (part, now) in &found {
        let (before, after) = (&prepared.before[part], &prepared.after[part]);
        // Each store of a stop commits by itself: between two of them each table is before or after.
        let by_store = act == Act::Stop && either(now, before, after);
        assert!(
            now == before || now == after || by_store,
            "{act:?} at {end:?}: {part} is half visible: {now}, was {before}, becomes {after}"
        );
    }
    act.perform(dir, Arc::new(NoSteps));
    let done = run(|| recovered(dir));
    assert_eq!(done, prepared.after, "{act:?} at {end:?}: done again it is not complete");
    ended
}

#[test]
fn the_process_is_ended_at_every_step_and_at_random_times() {
    let scratch = Scratch::new("crash");
    let prepared = prepare(&scratch);
    let mut ends = Vec::new();
    for (i, one) in prepared.iter().enumerate() {
        ends.extend((1..=one.steps.len() as u64).map(|n| (i, End::Step(n))));
        ends.extend((0..KILLS).map(|_| (i, random_end(one.time))));
    }
    for i in 0..ENDS.saturating_sub(ends.len()) {
        let one = i % prepared.len();
        ends.push((one, random_end(prepared[one].time)));
    }
    let (steps, kills) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = ends.len();
    let queue = Mutex::new(ends);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((i, at)) =
                        queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
                    else {
                        break;
                    };
                    let ended = end(&prepared[i], at);
                    match at {
                        End::Step(n) => {
                            assert!(ended, "{:?}: step {n} was not reached", prepared[i].act);
                            steps.fetch_add(1, Ordering::Relaxed);
                        }
                        End::After(_) => {
                            kills.fetch_add(u64::from(ended), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let by_act: Vec<String> =
        prepared.iter().map(|p| format!("{:?} {}", p.act, p.steps.len())).collect();
    say(&format!(
        "ended {total} times: at {} steps ({}), {} times at random",
        steps.load(Ordering::Relaxed),
        by_act.join(", "),
        kills.load(Ordering::Relaxed)
    ));
    assert!(total >= ENDS);
    // Each act was ended between its commits too.
    for one in &prepared {
        if one.act != Act::Seal {
            assert!(
                one.steps.contains(&"audit.before_commit")
                    && one.steps.contains(&"audit.after_commit")
            );
        }
    }
}

/// Any time of an act's run, or shortly after; the child starts a little later than it is spawned.
fn random_end(time: Duration) -> End {
    let mut bytes = [0; 8];
    kiban_kernel::Entropy::fill(&OsEntropy, &mut bytes).unwrap();
    let most = time.as_micros() as u64 + 30_000;
    End::After(Duration::from_micros(u64::from_le_bytes(bytes) % most))
}

#[expect(clippy::print_stderr, reason = "counts that the issue asks for")]
fn say(text: &str) {
    eprintln!("{text}");
}
