//! A predecessor's register: every row has its place in the report, stops are never lost, a crash costs nothing.

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use kiban_country::predecessor::PredecessorParams;
use kiban_journeys::{
    ImportReport, ImportRequest, LookUpPurpose, Parties, import_register, import_rule_ja,
    kernel::{NoSteps, Regime, Steps},
};

use kiban_testkit::Child;

use crate::support::{
    Scratch, run,
    site::{self, Site},
};

pub(super) const PERSONS: &str =
    "holder,local_id,regimes,notice_version,notified_on,channel,guardian,birth_on,died_on\n";
pub(super) const STOPS: &str = "holder,local_id,regimes,requested_on,receipt_no,requester,evidence,withdrawn_on,withdrawal_receipt_no\n";

async fn import(site: &Site, path: &Path) -> ImportReport {
    let request = ImportRequest::of(path);
    import_register(&site.on, &site.actor("registrar"), &request, &mut |_| {}).await.unwrap()
}

pub(super) fn write(dir: &Scratch, name: &str, head: &str, rows: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::write(&path, format!("\u{feff}{head}{rows}")).unwrap();
    path
}

#[test]
fn every_row_is_accepted_known_or_refused_by_a_rule() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let dir = Scratch::new("takeover");
        let told = site.calendar.notice_date;
        let ok = format!("hospital_a,Z1,anon52;pseudo57,2025-1,{told},post,0,1980-01-02,\n");
        let rows = format!(
            "{ok}\
             hospital_a,Z2,anon52,2025-1,{told},counter,0,,\n\
             {ok}\
             nowhere,Z3,anon52,2025-1,{told},post,0,,\n\
             hospital_a,,anon52,2025-1,{told},post,0,,\n\
             hospital_a,Z4,anon53,2025-1,{told},post,0,,\n\
             hospital_a,Z5,anon52,v0,{told},post,0,,\n\
             hospital_a,Z6,anon52,2025-1,soon,post,0,,\n\
             hospital_a,Z7,anon52,2025-1,2099-01-01,post,0,,\n\
             hospital_a,Z8,anon52,2025-1,2019-01-01,post,0,,\n\
             hospital_a,Z9,pseudo57,2025-1,2023-01-01,post,0,,\n\
             hospital_a,Z10,anon52,2025-1,{told},post,0,2020-01-02,\n\
             hospital_a,Z11,anon52,2025-1,{told},post,1,2009-11-20,\n\
             hospital_a,Z12,anon52,2025-1,{told},post,0,1930-01-01,2019\n\
             hospital_a,Z13,anon52,2025-1,{told},,0,,\n\
             hospital_a,Z14,anon52\n"
        );
        let path = write(&dir, "persons.csv", PERSONS, &rows);
        let first = import(&site, &path).await;
        let c = &first.counts;
        assert!(c.adds_up(), "{c:?}");
        assert_eq!((c.read, c.accepted, c.known), (16, 3, 1));
        let of = |rule: &str| c.refused[rule].positions.clone();
        for (rule, row) in [
            ("import.holder", 4),
            ("import.person", 5),
            ("import.regime", 6),
            ("import.version", 7),
            ("import.date", 8),
            ("import.future", 9),
            ("import.before-version", 10),
            ("import.before-regime", 11),
            ("import.guardian", 12),
            ("import.died-before", 14),
            ("import.channel", 15),
            ("import.columns", 16),
        ] {
            assert_eq!(of(rule), [row], "{rule}");
            assert!(!import_rule_ja(rule).starts_with("規則の説明"), "{rule}");
        }
        assert_eq!(first.after.anon52, first.before.anon52 + 3);
        assert_eq!(first.after.pseudo57, first.before.pseudo57 + 1);

        // The same file again changes nothing and says the same.
        let again = import(&site, &path).await;
        assert_eq!((again.batches, again.batches_before), (0, first.batches));
        assert_eq!((&again.counts, again.before, again.after), (c, first.before, first.after));
        // Another file that says the same: known, and no person more.
        let other = write(
            &dir,
            "other.csv",
            PERSONS,
            &format!("{ok}hospital_a,Z2,anon52,2025-1,{told},counter,0,,\n"),
        );
        let other = import(&site, &other).await;
        assert_eq!((other.counts.accepted, other.counts.known), (0, 2));
        assert_eq!(other.after, first.after);

        // The person is on the register: the gate would let pass, and who was young is due at sixteen.
        let intake = site.actor("intake");
        let holder = Parties::organization_id("hospital_a");
        let about = (LookUpPurpose::Call, "C-1");
        let look = async |local: &str| {
            kiban_journeys::look_up_person(&site.on, &intake, holder, local, about).await.unwrap()
        };
        let z1 = look("Z1").await;
        assert_eq!((z1.notices.len(), z1.deliveries), (2, 0));
        assert!(z1.bases.iter().all(|b| b.passes));
        let z2 = look("Z2").await;
        let pseudo = z2.bases.iter().find(|b| b.regime == Regime::Pseudo57).unwrap();
        assert_eq!(pseudo.reason.unwrap().code(), "not_notified", "legacy persons stay under 52");
        let young = look("Z11").await;
        assert_eq!(young.notices[0].of_age_on, Some("2025-11-20".parse().unwrap()));
        site.clock.set_date(
            "2025-11-20".parse::<kiban_journeys::kernel::Date>().unwrap().max(site.on.today()),
        );
        let due = kiban_journeys::notices_due(&site.on, &intake).await.unwrap();
        assert!(due[&holder].at16 >= 1 && due[&holder].only52 >= 2);
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn stops_are_carried_over_whatever_their_rows_lack() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let dir = Scratch::new("takeover-stops");
        let (told, today) = (site.calendar.notice_date, site.on.today());
        let rows = format!(
            "hospital_a,S1,anon52;pseudo57,{told},旧-1,person,本人確認,,\n\
             hospital_a,S2,everything,{told},旧-2,guardian,委任状,,\n\
             hospital_a,S3,,someday,,,,,\n\
             hospital_a,S4,anon52,{told},旧-1,family,戸籍,,\n\
             hospital_a,S5,anon52;pseudo57,{told},旧-5,person,本人確認,{today},撤-5\n\
             hospital_a,S6,anon52,{told},旧-6,person,本人確認,{today},\n\
             nowhere,S7,anon52,{told},旧-7,person,本人確認,,\n\
             hospital_a,S1,anon52;pseudo57,{told},旧-1,person,本人確認,,\n"
        );
        let stops = write(&dir, "stops.csv", STOPS, &rows);
        let first = import(&site, &stops).await;
        let c = &first.counts;
        assert!(c.adds_up());
        assert_eq!((c.read, c.accepted, c.known, c.refused_rows()), (8, 6, 1, 1));
        assert_eq!(c.refused["import.holder"].positions, [7]);
        let remarked = |rule: &str| c.remarks.get(rule).map(|r| r.positions.clone());
        assert_eq!(remarked("import.stop-regimes"), Some(vec![2]));
        assert_eq!(remarked("import.stop-date"), Some(vec![3]));
        assert_eq!(remarked("import.stop-receipt"), Some(vec![3]));
        assert_eq!(remarked("import.stop-receipt-taken"), Some(vec![4]));
        assert_eq!(remarked("import.withdrawal"), Some(vec![6]));
        assert_eq!((c.stops["anon52"], c.stops["pseudo57"]), (6, 4));
        assert_eq!((first.stops_open, first.withdrawals_waiting), (6, 1));

        let intake = site.actor("intake");
        kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        let again = import(&site, &stops).await;
        assert_eq!((again.stops_open, again.withdrawals_waiting, again.batches), (0, 0, 0));
        assert_eq!(&again.counts, c);

        // Whom the persons' file names all the same is not taken over; who took it back is.
        let person =
            |id: &str, regimes: &str| format!("hospital_a,{id},{regimes},2025-1,{told},post,0,,\n");
        let mut rows = String::new();
        for id in ["S1", "S2", "S3", "S5"] {
            rows.push_str(&person(id, "anon52;pseudo57"));
        }
        rows.push_str(&person("S4", "anon52;pseudo57"));
        let persons = import(&site, &write(&dir, "persons.csv", PERSONS, &rows)).await;
        assert_eq!(persons.counts.refused["import.stopped"].positions, [1, 2, 3]);
        assert_eq!(persons.counts.accepted, 2);
        assert_eq!((persons.counts.notices["anon52"], persons.counts.notices["pseudo57"]), (1, 2));
        let holder = Parties::organization_id("hospital_a");
        let about = (LookUpPurpose::Call, "C-2");
        let s1 =
            kiban_journeys::look_up_person(&site.on, &intake, holder, "S1", about).await.unwrap();
        assert_eq!(s1.stops[0].receipt_number, "旧-1");
        assert!(s1.bases.iter().all(|b| b.reason.unwrap().code() == "stopped"));
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

/// Rows of a generated predecessor's register.
fn generated(dir: &Scratch, rows: u64) -> std::path::PathBuf {
    let mut text = String::new();
    for n in 0..rows {
        let regimes = if n % 3 == 0 { "anon52" } else { "anon52;pseudo57" };
        let born = 1910 + n % 90;
        let _ = writeln!(
            text,
            "hospital_a,P{n:08},{regimes},2025-1,2025-04-{:02},post,0,{born}-01-02,",
            n % 27 + 1
        );
    }
    write(dir, "generated.csv", PERSONS, &text)
}

/// Ends the process, as far as the deployment can tell, when a step is reached.
struct EndAt(&'static str);

impl Steps for EndAt {
    fn step(&self, name: &'static str) {
        assert!(name != self.0, "ended here");
    }
}

#[test]
fn an_import_ended_at_any_step_goes_on_behind_the_last_batch() {
    let linked = site::linked();
    let dir = Scratch::new("takeover-crash");
    let request = ImportRequest { path: generated(&dir, 2_500), batch_rows: 1_000 };
    let import = async |site: &Site| {
        let registrar = site.actor("registrar");
        import_register(&site.on, &registrar, &request, &mut |_| {}).await.unwrap()
    };
    let expected = run(|| async {
        let site = linked.copy().await;
        let whole = import(&site).await;
        assert_eq!((whole.batches, whole.counts.read), (3, 2_500));
        assert!(whole.counts.adds_up() && whole.counts.refused.is_empty());
        assert_eq!(whole.after.anon52 - whole.before.anon52, 2_500);
        site.close().await;
        (whole.counts, whole.before, whole.after)
    });
    for ends_at in [
        "journeys.import_staged",
        "lake.catalog.after",
        "audit.before_commit",
        "journeys.import_committed",
    ] {
        let (scratch, folder, day) = run(|| async {
            let site = linked.copy().await;
            let (folder, day) = (site.dir.clone(), site.on.today());
            (site.close().await, folder, day)
        });
        let ended = std::panic::catch_unwind(|| {
            run(|| async {
                let site = Site::open(&folder, day, Arc::new(EndAt(ends_at))).await;
                let _ = import(&site).await;
            });
        });
        assert!(ended.is_err(), "ended at {ends_at}");
        run(|| async {
            let site = Site::open(&folder, day, Arc::new(NoSteps)).await;
            let report = import(&site).await;
            let found = (report.counts, report.before, report.after);
            assert_eq!(found, expected, "{ends_at}");
            let done = u64::from(ends_at == "journeys.import_committed");
            assert_eq!((report.batches, report.batches_before), (3 - done, done), "{ends_at}");
            assert_eq!(site.findings().await, Vec::<String>::new(), "{ends_at}");
            site.close().await;
        });
        drop(scratch);
    }
}

/// What a generated register says of itself against what the import reports.
async fn reconciled(site: &Site, dir: &Scratch, persons: u64, batch_rows: u64) {
    let told = site.calendar.notice_date;
    let truth = PredecessorParams {
        seed: 15,
        persons,
        stop_one_in: 1_000,
        holders: ["hospital_a", "hospital_b", "municipality"]
            .map(|h| (h.to_owned(), "2025-1".to_owned()))
            .to_vec(),
        from: told,
        until: site::day_after(told, 10),
        fault_one_in: 50,
    }
    .write(dir.path())
    .unwrap();
    let registrar = site.actor("registrar");
    let of = |name: &str| ImportRequest { path: dir.join(name), batch_rows };
    let stops = import_register(&site.on, &registrar, &of("stops.csv"), &mut |_| {}).await.unwrap();
    assert_eq!((stops.counts.accepted, stops.counts.refused_rows()), (truth.stops, 0));
    let report =
        import_register(&site.on, &registrar, &of("persons.csv"), &mut |_| {}).await.unwrap();
    let c = &report.counts;
    assert!(c.adds_up());
    assert_eq!((c.read, c.accepted, c.known), (truth.rows, truth.good, truth.twice));
    assert_eq!(c.refused.get("import.stopped").map_or(0, |r| r.rows), truth.stopped);
    for (fault, rows) in &truth.faults {
        let rule = match *fault {
            "death" => "import.died-before".to_owned(),
            fault => format!("import.{fault}"),
        };
        assert_eq!(c.refused[&rule].rows, *rows, "{rule}");
    }
    assert_eq!(report.after.anon52 - report.before.anon52, truth.told[0]);
    assert_eq!(report.after.pseudo57 - report.before.pseudo57, truth.told[1]);
}

#[test]
fn a_generated_register_reconciles_to_the_row() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let dir = Scratch::new("takeover-generated");
        reconciled(&site, &dir, 4_000, 1_500).await;
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

/// The size of the issue. Measured by hand: `KIBAN_ROWS=1500000 .. a_million_and_a_half --ignored`.
#[test]
#[ignore = "1.5 million rows: run by hand, in release"]
fn a_million_and_a_half_reconciles_to_the_row() {
    let rows = Child::argument("KIBAN_ROWS").and_then(|n| n.parse().ok()).unwrap_or(1_500_000);
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let dir = Scratch::new("takeover-whole");
        reconciled(&site, &dir, rows, 100_000).await;
        site.close().await;
    });
}
