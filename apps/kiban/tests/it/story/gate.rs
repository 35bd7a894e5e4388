//! The wait, the producer's own gate, the same delivery twice.

use super::*;

#[test]
fn day_30_is_held_and_day_31_passes_and_the_words_say_so() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let notice = site.calendar.notice_date;
        let held = match site.seal("hospital_b", day_after(notice, 30), Gate::On) {
            Ok(report) => report.withheld["wait_running"],
            Err(SealError::NobodyToSend { withheld, .. }) => withheld,
            Err(e) => panic!("{}", e.ja()),
        };
        let passed = site.seal("hospital_b", day_after(notice, 31), Gate::On).unwrap();
        assert!(passed.kept_persons > 20 && held > passed.kept_persons);
        let waiting =
            passed.withheld_by_regime.values().map(|r| r.get("wait_running").copied().unwrap_or(0));
        assert!(waiting.sum::<u64>() > 0, "those notified one day later still wait");
        for (reason, words) in [
            ("wait_running", "待機"),
            ("not_notified", "通知"),
            ("stopped", "停止"),
            ("died_before_notice", "死亡"),
        ] {
            assert!(kiban_journeys::govern_reason_ja(reason).contains(words), "{reason}");
        }
        site.close().await;
    });
}

#[test]
fn the_producer_judges_again_what_a_holder_should_not_have_sent() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let day = site.calendar.delivery_date;
        let mut refused = BTreeMap::new();
        for holder in HOLDERS {
            let sealed = site.seal(holder, day, Gate::Off).unwrap();
            let received = site.receive(holder, &sealed.path).await;
            let counts = received.report.counts;
            assert!(counts.balances());
            for (reason, persons) in counts.refused_persons {
                *refused.entry(reason).or_insert(0) += persons;
            }
        }
        assert!(refused["not_notified"] > 5, "{refused:?}");
        // The holder's own list of stops was not heeded either; those the producer cannot know of. All others:
        for (id, row) in regimes(&site).await {
            if row["group"] == "refused" || row["stop_phase"] == "before_sending" {
                continue;
            }
            for (regime, column) in Regime::ALL.into_iter().zip(["sent_anon", "sent_pseudo"]) {
                let cleared = kiban_journeys::cleared_sources(&site.on, regime).await.unwrap();
                let must = row[column] == "yes";
                assert_eq!(
                    cleared.contains(&id),
                    must,
                    "{} of {} ({})",
                    row["local_id"],
                    row["holder"],
                    row["group"]
                );
            }
        }
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;

        // A holder whose clock is a day ahead: at the producer it is day 30, and the wait still runs.
        let site = registered.copy().await;
        let notice = site.calendar.notice_date;
        let ahead = kiban_kernel::ScriptedClock::starting(day_after(notice, 31));
        let mut request = SealRequest::from_home(
            site.home("hospital_b"),
            vec![site.source("hospital_b")],
            day_after(notice, 31),
        )
        .unwrap();
        request.gate = Gate::On;
        let sealed =
            holder::seal(&request, site.on.rules(), &ahead, &OsEntropy, &NoSteps, &mut |_| {})
                .unwrap();
        site.clock.set_date(day_after(notice, 30));
        let received = site.receive("hospital_b", &sealed.path).await;
        let counts = &received.report.counts;
        assert_eq!(
            counts.refused_persons.get("wait_running"),
            Some(&sealed.kept_persons),
            "{counts:?}"
        );
        assert_eq!((counts.accepted_persons, counts.accepted_segments), (0, 0));
        for (table, rows) in lake::counts(&site.on).await {
            assert_eq!(rows, 0, "{table} has rows of persons whose wait runs");
        }
        assert!(
            files::walk(&site.dir.join("lake/source")).is_empty(),
            "source bytes of persons whose wait runs"
        );
        site.close().await;
    });
}

#[test]
fn a_delivery_twice_is_once_and_gives_the_same_receipt() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let (events, counts) = (verified(&site).await, lake::counts(&site.on).await);
        let sealed = files::sealed(&site.home("hospital_a").join("outbox"));
        let again = site.receive("hospital_a", &sealed).await;
        assert!(again.known);
        assert_eq!((verified(&site).await, lake::counts(&site.on).await), (events, counts.clone()));
        // Sealed anew as of the same day, the same segments are recognised one by one.
        let anew = site.seal("hospital_a", site.calendar.delivery_date, Gate::On).unwrap();
        let received = site.receive("hospital_a", &anew.path).await;
        assert!(!received.known && received.report.counts.duplicate_segments > 0);
        assert_eq!(received.report.counts.accepted_segments, 0);
        let notices = "person_notice";
        let without = |mut counts: BTreeMap<String, usize>| {
            counts.remove(notices);
            counts
        };
        assert_eq!(without(lake::counts(&site.on).await), without(counts));
        site.close().await;
    });
}
