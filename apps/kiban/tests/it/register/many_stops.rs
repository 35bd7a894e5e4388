//! A predecessor's stops, applied together: one pass over each store, each stop with its own case and proof sheet.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use kiban_journeys::{
    Fate, ImportRequest, STORES, import_register,
    kernel::{Id, NoSteps, Steps, kinds},
    stop::proof::{self, Sheet},
};
use kiban_testkit::Child;

use super::takeover::{STOPS, write};
use crate::{
    stops::{family::traces, in_both},
    support::{
        Scratch, run,
        site::{self, Site},
    },
};

const HOLDERS: [&str; 2] = ["hospital_a", "hospital_b"];

/// A list of stops: of persons that no delivery knew, and of every third whose rows are held.
fn list(site: &Site, dir: &Scratch, strangers: usize) -> (std::path::PathBuf, usize) {
    let on = site.calendar.notice_date;
    let mut rows = String::new();
    let mut held = 0;
    for holder in HOLDERS {
        for id in in_both(site, holder).iter().step_by(3) {
            held += 1;
            let _ = writeln!(rows, "{holder},{id},,{on},旧-{id},person,本人確認,,");
        }
    }
    for n in 0..strangers {
        let _ = writeln!(rows, "hospital_a,X{n:05},,{on},旧-X{n:05},person,本人確認,,");
    }
    (write(dir, "stops.csv", STOPS, &rows), held)
}

async fn import(site: &Site, path: &std::path::Path) {
    let request = ImportRequest::of(path);
    let report =
        import_register(&site.on, &site.actor("registrar"), &request, &mut |_| {}).await.unwrap();
    assert_eq!(report.counts.refused_rows(), 0);
    assert_eq!(report.stops_open, report.counts.accepted);
}

/// The persons of the last stops on the register.
async fn persons(site: &Site, count: usize) -> Vec<Id<kinds::PersonSource>> {
    let rows = kiban_journeys::stops(&site.on, &site.actor("intake")).await.unwrap();
    let mut rows: Vec<_> = rows.into_iter().map(|r| r.stop).collect();
    rows.sort_by_key(|s| std::cmp::Reverse(s.no));
    rows.into_iter().take(count).flat_map(|s| s.persons).collect()
}

#[test]
fn imported_stops_are_one_pass_over_each_store_and_keep_their_own_cases() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let dir = Scratch::new("many-stops");
        let (path, held) = list(&site, &dir, 300);
        let all = held + 300;
        import(&site, &path).await;
        let (intake, security) = (site.actor("intake"), site.actor("security"));
        let of = persons(&site, all).await;
        assert!(!traces(&site, &of).await.is_empty(), "some of them are held");

        // A silent store keeps every case open, and only itself.
        kiban_journeys::switch_store(&site.on, &security, "source", "保守").await.unwrap();
        let size = site.on.log().size().await.unwrap();
        let first = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        assert_eq!(first.len(), all);
        for one in &first {
            assert_eq!(one.open, [("source".to_owned(), "unavailable")]);
            assert_eq!(one.acknowledged.len(), STORES.len() - 1);
            assert!(one.proof().is_none());
        }
        let events = site.on.log().size().await.unwrap() - size;
        assert!(events < 40, "{events} events for {all} stops");
        // The log still tells of each stop.
        let search =
            kiban_journeys::Search { subject: first[0].stop.id.to_string(), ..Default::default() };
        let auditor = site.actor("auditor");
        let found = kiban_journeys::search_events(&site.on, &auditor, &search).await.unwrap();
        assert!(found.events.iter().any(|e| e.kind == "stop.unanswered"));

        kiban_journeys::switch_store(&site.on, &security, "source", "").await.unwrap();
        let done = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        let key = [site.on.log().verify_key().clone()];
        let (mut numbers, mut with_rows) = (BTreeSet::new(), 0);
        for one in &done {
            assert!(one.open.is_empty());
            let sheet = one.proof().unwrap();
            let Sheet::Case { stop, receipt_number, stores, .. } =
                proof::verify(sheet, &key).unwrap()
            else {
                panic!("of a case")
            };
            assert_eq!((stop, &receipt_number), (one.stop.id, &one.stop.receipt_number));
            assert_eq!(stores.len(), STORES.len());
            numbers.insert(receipt_number);
            let count = |store: &str, of: &str| {
                let line = stores.iter().find(|s| s.store == store).unwrap();
                line.counts.get(of).copied().unwrap_or(0)
            };
            let rows = count("vault", "rows");
            with_rows += usize::from(rows > 0);
            assert_eq!(rows > 0, count("source", "keys") > 0, "{sheet}");
            assert_eq!(rows > 0, count("source", "source_bytes") > 0, "{sheet}");
            let fates = kiban_journeys::datasets_of_stop(&site.on, one.stop.id).await.unwrap();
            assert_eq!(rows > 0, !fates.is_empty(), "{sheet}");
            assert!(fates.iter().all(|(_, fate)| *fate != Fate::Open));
        }
        assert_eq!((numbers.len(), with_rows), (all, held));
        assert_eq!(traces(&site, &of).await, Vec::<String>::new());
        assert!(kiban_journeys::retry_stops(&site.on, &intake).await.unwrap().is_empty());
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

/// Ends the process, as far as the deployment can tell, when a step is reached for the `n`th time.
struct EndAt(&'static str, std::sync::atomic::AtomicU32);

impl Steps for EndAt {
    fn step(&self, name: &'static str) {
        use std::sync::atomic::Ordering::SeqCst;
        assert!(name != self.0 || self.1.fetch_sub(1, SeqCst) != 1, "ended here");
    }
}

#[test]
fn stops_applied_together_go_on_where_a_process_ended() {
    let linked = site::linked();
    for (step, nth) in
        [("lake.erase.after", 1), ("audit.before_commit", 2), ("audit.after_commit", 12)]
    {
        let dir = Scratch::new("many-stops-crash");
        let (scratch, folder, day, all) = run(|| async {
            let site = linked.copy().await;
            let (path, held) = list(&site, &dir, 40);
            import(&site, &path).await;
            let (folder, day) = (site.dir.clone(), site.on.today());
            (site.close().await, folder, day, held + 40)
        });
        let ended = std::panic::catch_unwind(|| {
            run(|| async {
                let steps = Arc::new(EndAt(step, nth.into()));
                let site = Site::open(&folder, day, steps).await;
                let intake = site.actor("intake");
                let _ = kiban_journeys::retry_stops(&site.on, &intake).await;
            });
        });
        assert!(ended.is_err(), "ended at {step}");
        run(|| async {
            let site = Site::open(&folder, day, Arc::new(NoSteps)).await;
            let of = persons(&site, all).await;
            let intake = site.actor("intake");
            let done = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
            assert!(!done.is_empty(), "{step}");
            assert!(done.iter().all(|d| d.open.is_empty() && d.proof().is_some()), "{step}");
            let rows = kiban_journeys::stops(&site.on, &intake).await.unwrap();
            assert!(rows.iter().all(|r| r.stop.closed_at.is_some()), "{step}");
            assert_eq!(traces(&site, &of).await, Vec::<String>::new(), "{step}");
            assert_eq!(site.findings().await, Vec::<String>::new(), "{step}");
            site.close().await;
        });
        drop(scratch);
    }
}

/// Measured by hand, from outside: `KIBAN_STOPS=1500 [KIBAN_ONE_BY_ONE=1] .. many_stops_take --ignored`.
#[test]
#[ignore = "measured by hand"]
fn many_stops_take_so_long() {
    let strangers = Child::argument("KIBAN_STOPS").and_then(|n| n.parse().ok()).unwrap_or(1_500);
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let dir = Scratch::new("many-stops-time");
        let (path, _) = list(&site, &dir, strangers);
        import(&site, &path).await;
        let intake = site.actor("intake");
        if Child::argument("KIBAN_ONE_BY_ONE").is_some() {
            for id in kiban_journeys::open_stops(&site.on).await.unwrap() {
                kiban_journeys::apply_stop(&site.on, &intake, id).await.unwrap();
            }
        } else {
            kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        }
        assert!(kiban_journeys::open_stops(&site.on).await.unwrap().is_empty());
        site.close().await;
    });
}
