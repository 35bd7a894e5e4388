//! Who is sent: each reason, at the boundary, per regime, with counts; and what is said of the rest.

use kiban_intake::{ReceiveError, holder::SealError};
use kiban_kernel::Regime;

use crate::home::{Home, condition, day, holds, patient, run};

#[test]
fn day_thirty_is_held_and_day_thirty_one_passes() {
    let mut home = Home::new();
    home.notify("p1", &[Regime::Anon52], "2025-04-01");
    home.file("Patient.ndjson", patient("p1", "MARK"));
    match home.seal("2025-05-01") {
        Err(e @ SealError::NobodyToSend { withheld: 1, .. }) => {
            assert!(e.ja().ends_with("1人：通知後の待機期間中です。"), "{}", e.ja());
        }
        other => panic!("{other:?}"),
    }
    let report = home.seal("2025-05-02").unwrap();
    assert_eq!((report.kept_persons, report.withheld.len()), (1, 0));
}

#[test]
fn each_reason_is_counted_and_no_byte_of_the_withheld_leaves() {
    let mut home = Home::new();
    let both = Regime::ALL;
    home.notify("keep-both", &both, "2024-05-01");
    home.notify("keep-52", &[Regime::Anon52], "2024-05-01");
    home.notify("keep-57", &[Regime::Pseudo57], "2024-05-01");
    home.notify("half-stop", &both, "2024-05-01");
    home.stop("half-stop", "anon52");
    home.notify("all-stop", &both, "2024-05-01");
    home.stop("all-stop", "anon52;pseudo57");
    home.notify("waits", &both, "2025-05-20");
    home.notify("passed-away", &both, "2024-05-01");
    let ids = [
        "keep-both",
        "keep-52",
        "keep-57",
        "half-stop",
        "all-stop",
        "waits",
        "passed-away",
        "nobody-told",
    ];
    let mut patients = String::new();
    let mut conditions = String::new();
    for id in ids {
        let line = patient(id, &format!("MARK-{id}"));
        patients += &match id {
            "passed-away" => line.replace("}\n", ",\"deceasedDateTime\":\"2024-03-01\"}\n"),
            _ => line,
        };
        conditions += &condition(id, &format!("NOTE-{id}"));
    }
    conditions += "{\"resourceType\":\"Condition\",\"code\":{\"text\":\"OF-NOBODY\"}}\n";
    conditions += "{\"resourceType\":\"Condition\",\"OF-NOBODY-BROKEN\n";
    home.file("Patient.ndjson", &patients);
    home.file("Condition.ndjson", &conditions);
    home.file(
        "Organization.ndjson",
        "{\"resourceType\":\"Organization\",\"id\":\"OF-NOBODY-2\"}\n",
    );
    home.file("readme.txt", "LEFT-OUT");
    let report = home.seal("2025-06-01").unwrap();
    let counts: Vec<(&str, u64)> = report.withheld.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(
        counts,
        [("died_before_notice", 1), ("not_notified", 1), ("stopped", 1), ("wait_running", 1)]
    );
    assert_eq!((report.kept_persons, report.kept_segments), (4, 8));
    assert_eq!(report.withheld_by_regime[&Regime::Anon52]["stopped"], 2);
    assert_eq!(report.withheld_segments.values().sum::<u64>(), 3, "{:?}", report.withheld_segments);
    assert_eq!(report.left_out.len(), 1);
    let plain = home.plain(&report.path);
    for id in &ids[4..] {
        assert!(!holds(&plain, id), "{id}");
    }
    for marker in ["OF-NOBODY", "LEFT-OUT"] {
        assert!(!holds(&plain, marker), "{marker}");
    }
    let checked = home.open(&report.path).unwrap();
    let notices: Vec<(&str, Regime)> =
        checked.notices().iter().map(|(local_id, told)| (local_id, told.regime)).collect();
    let expected = [
        ("keep-both", Regime::Anon52),
        ("keep-both", Regime::Pseudo57),
        ("keep-52", Regime::Anon52),
        ("keep-57", Regime::Pseudo57),
        ("half-stop", Regime::Pseudo57),
    ];
    assert_eq!(notices, expected, "only the notices that clear travel");
    assert_eq!(checked.manifest().withheld_persons, report.withheld);
}

#[test]
fn an_item_the_notice_does_not_list_stays_at_the_holder() {
    let mut home = Home::listing(&["encounter"]);
    home.notify("p1", &[Regime::Anon52], "2024-05-01");
    home.file("Patient.ndjson", patient("p1", "MARK"));
    home.file("Condition.ndjson", condition("p1", "UNLISTED"));
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!(report.withheld_segments["item_not_listed"], 1);
    assert!(!holds(&home.plain(&report.path), "UNLISTED"));
}

#[test]
fn a_death_known_from_another_file_counts() {
    let mut home = Home::new();
    home.notify("p1", &[Regime::Anon52], "2024-05-01");
    home.notify("p2", &[Regime::Anon52], "2024-05-01");
    home.file("a_condition.ndjson", condition("p1", "MARK-1") + &condition("p2", "MARK-2"));
    home.file("z_death.csv", "宛名番号,死亡年月日,死因コード\np1,R6.4.1,C34\n");
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!(report.withheld["died_before_notice"], 1);
    assert!(!holds(&home.plain(&report.path), "MARK-1"));
    home.open(&report.path)
        .unwrap()
        .segments::<ReceiveError>(|s| {
            assert_eq!(s.person, Some("p2"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn lists_that_cannot_be_read_stop_everything() {
    let mut home = Home::new();
    home.notify("p1", &[Regime::Anon52], "someday");
    home.file("Patient.ndjson", patient("p1", "MARK"));
    assert!(matches!(home.seal("2025-06-01"), Err(SealError::Notices(e)) if e.line == 2));
    let mut request = home.request("2025-06-01");
    request.stops = home.path().join("missing.csv");
    std::fs::write(
        &request.notices,
        "local_id,regime,notice_version,notified_on,channel,guardian\n",
    )
    .unwrap();
    let got = run(&request, &kiban_testkit::SeededEntropy::new(1), &kiban_kernel::NoSteps);
    assert!(matches!(got, Err(SealError::Stops(_))));
}

#[test]
fn the_slot_stays_locked_while_filing_or_notice_is_missing_and_says_what() {
    let mut home = Home::new();
    home.notify("p1", &Regime::ALL, "2024-05-01");
    home.file("Patient.ndjson", patient("p1", "MARK"));
    type Change = fn(&mut kiban_intake::holder::Profile);
    let lacking: [(Change, &str); 5] = [
        (|p| p.filing.clear(), "届出がありません"),
        (|p| p.filing.iter_mut().for_each(|f| f.ended = Some(day("2025-01-01"))), "終了"),
        (|p| p.notice.clear(), "通知文書の版がありません"),
        (|p| p.notice.iter_mut().for_each(|n| n.effective_from = None), "通知開始日"),
        (|p| p.notice.iter_mut().for_each(|n| n.items.clear()), "項目"),
    ];
    let on = day("2025-06-01");
    let rules = kiban_kernel::Rules::built_in().unwrap();
    for (lack, word) in lacking {
        let mut request = home.request("2025-06-01");
        lack(&mut request.profile);
        let got = run(&request, &kiban_testkit::SeededEntropy::new(1), &kiban_kernel::NoSteps);
        match got {
            Err(e @ SealError::Locked(_)) => assert!(e.ja().contains(word), "{}", e.ja()),
            other => panic!("{word}: {other:?}"),
        }
        assert!(!request.profile.slot(on, &rules).is_open());
        assert_eq!(std::fs::read_dir(home.path().join("outbox")).unwrap().count(), 0);
    }
    // One regime in order is enough; the other says why it is not used.
    let mut request = home.request("2025-06-01");
    request.profile.filing.retain(|f| f.regime == Regime::Anon52);
    let report = run(&request, &kiban_testkit::SeededEntropy::new(1), &kiban_kernel::NoSteps);
    assert_eq!(report.unwrap().withheld_by_regime[&Regime::Pseudo57]["no_filing"], 1);
}
