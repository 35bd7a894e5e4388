//! What was taken in without a notice goes; notices that differ from a register taken over are told; stops passed on are
//! seen at every holder; a record on hold does not fall due.

use kiban_journeys::{
    Described, Fate, ImportRequest, Kept, LookUpPurpose, Parties, ReturnedLetter,
    holder::Gate,
    import_register,
    kernel::{Bases, Date, Id, Regime, kinds},
    stop::{
        Scope,
        proof::{self, Sheet},
    },
};

use super::takeover::{PERSONS, write};
use crate::{
    stops::{in_both, request},
    support::{
        Scratch,
        files::csv_rows,
        lake, run,
        site::{self, Site, day_after},
    },
};

const ABOUT: (LookUpPurpose, &str) = (LookUpPurpose::Inspection, "T-1");

async fn state(site: &Site, holder: &str, id: &str) -> kiban_journeys::PersonState {
    let holder = Parties::organization_id(holder);
    let intake = site.actor("intake");
    kiban_journeys::look_up_person(&site.on, &intake, holder, id, ABOUT).await.unwrap()
}

async fn rows_of(site: &Site, person: Id<kinds::PersonSource>) -> usize {
    let mut rows = 0;
    for table in ["person", "condition", "encounter", "measurement", "source_segment"] {
        let all = lake::rows(&site.on, table).await;
        rows += all.iter().filter(|r| r["person_source"] == person.to_string()).count();
    }
    rows
}

fn letters(
    id: &str,
    state: &kiban_journeys::PersonState,
    regimes: Bases,
    on: Date,
) -> Vec<ReturnedLetter> {
    let mine = state.notices.iter().filter(|n| regimes.contains(n.regime));
    mine.map(|n| ReturnedLetter {
        local_id: id.to_owned(),
        version: n.version.clone(),
        regimes: Bases::NONE.with(n.regime),
        notified_on: n.notified_on,
        returned_on: on,
    })
    .collect()
}

#[test]
fn rows_taken_in_before_a_letter_came_back_are_erased_and_nobody_is_suppressed() {
    const HOLDER: &str = "hospital_b";
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let on = &site.on;
        let holder = Parties::organization_id(HOLDER);
        let (intake, manager) = (site.actor("intake"), site.actor("manager"));
        let ids = in_both(&site, HOLDER);
        let (whole, half, other) = (ids[0].as_str(), ids[1].as_str(), ids[2].as_str());
        let sources =
            kiban_journeys::person_sources(on, holder, [whole, half, other]).await.unwrap();
        let today = on.today();
        let none = kiban_journeys::unnotified(on, &manager, holder).await.unwrap();
        assert_eq!((none.returned, none.persons), (0, 0));
        let only52 = Bases::NONE.with(Regime::Anon52);
        let mut all = letters(whole, &state(&site, HOLDER, whole).await, Bases::BOTH, today);
        all.extend(letters(half, &state(&site, HOLDER, half).await, only52, today));
        kiban_journeys::record_returned_letters(on, &intake, holder, &all).await.unwrap();

        // Counted by the responsible person, and only then taken out of use.
        assert!(kiban_journeys::unnotified(on, &intake, holder).await.is_err());
        let found = kiban_journeys::unnotified(on, &manager, holder).await.unwrap();
        assert_eq!((found.returned, found.persons), (2, 2));
        assert_eq!((found.by_regime[&Regime::Anon52], found.by_regime[&Regime::Pseudo57]), (2, 1));
        assert!(found.datasets > 0);
        let before = [rows_of(&site, sources[1]).await, rows_of(&site, sources[2]).await];
        assert!(rows_of(&site, sources[0]).await > 0);
        assert!(kiban_journeys::erase_unnotified(on, &manager, holder, "決定").await.is_err());
        let done = kiban_journeys::erase_unnotified(on, &manager, holder, "D-7").await.unwrap();
        assert_eq!(done.len(), 2);
        assert_eq!(rows_of(&site, sources[0]).await, 0, "nothing stays");
        assert_eq!(rows_of(&site, sources[2]).await, before[1], "others stay");
        // Of who was told under Art. 57 alone that half stays, under that basis alone.
        assert!(
            rows_of(&site, sources[1]).await > 0 && rows_of(&site, sources[1]).await <= before[0]
        );
        for row in lake::rows(on, "person").await {
            if row["person_source"] == sources[1].to_string() {
                assert_eq!(row["bases"], Bases::NONE.with(Regime::Pseudo57).bits().to_string());
            }
        }
        let key = [on.log().verify_key().clone()];
        for one in &done {
            assert!(one.open.is_empty());
            let sheet = one.proof().unwrap();
            assert!(sheet.starts_with("医療情報の消去"), "{sheet}");
            assert!(matches!(proof::verify(sheet, &key).unwrap(), Sheet::Case { .. }));
            let fates = kiban_journeys::datasets_of_stop(on, one.stop.id).await.unwrap();
            assert!(!fates.is_empty() && fates.iter().all(|(_, f)| *f != Fate::Open));
        }
        // The gate goes on refusing for want of a notice, not for a stop; what failed is still known.
        let after = state(&site, HOLDER, whole).await;
        for basis in &after.bases {
            assert_eq!(basis.reason.unwrap().code(), "notice_returned");
            assert_eq!(basis.records, 0);
        }
        assert!(!after.stops[0].requester.is_request());
        let rates = kiban_journeys::stop_rates(on, &manager).await.unwrap();
        let asked = site.stops(HOLDER, "stops_after_sending.csv").len() as u64;
        let own = rates.iter().find(|r| r.holder == holder && r.month.is_none()).unwrap();
        assert_eq!(own.count.stops, asked, "nobody asked");
        // Again: nothing is left to be done.
        let again = kiban_journeys::unnotified(on, &manager, holder).await.unwrap();
        assert_eq!((again.returned, again.persons), (2, 0));
        assert!(
            kiban_journeys::erase_unnotified(on, &manager, holder, "D-7").await.unwrap().is_empty()
        );
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn a_delivery_that_says_otherwise_than_the_register_taken_over_is_told() {
    const HOLDER: &str = "hospital_a";
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let on = &site.on;
        let dir = Scratch::new("differences");
        let told = site.calendar.notice_date;
        let notices = csv_rows(&site.home(HOLDER).join("notices.csv"));
        let same_day = |id: &str| {
            let mine: Vec<_> = notices.iter().filter(|n| n["local_id"] == id).collect();
            mine.len() == 2 && mine.iter().all(|n| n["notified_on"] == told.to_string())
        };
        let ids: Vec<String> =
            in_both(&site, HOLDER).into_iter().filter(|id| same_day(id)).take(3).collect();
        let [agrees, late, half] = ids.as_slice() else { panic!("three persons are needed") };
        site.clock.set_date(day_after(told, 2));
        let next = day_after(told, 1);
        let rows = format!(
            "{HOLDER},{agrees},anon52;pseudo57,2025-1,{told},post,0,,\n\
             {HOLDER},{late},anon52;pseudo57,2025-1,{next},post,0,,\n\
             {HOLDER},{half},anon52,2025-1,{told},post,0,,\n"
        );
        let path = write(&dir, "persons.csv", PERSONS, &rows);
        let request = ImportRequest::of(&path);
        let report =
            import_register(on, &site.actor("registrar"), &request, &mut |_| {}).await.unwrap();
        assert_eq!(report.counts.accepted, 3, "{:?}", report.counts);
        let intake = site.actor("intake");
        assert!(kiban_journeys::register_differences(on, &intake).await.unwrap().is_empty());

        let sealed = site.seal(HOLDER, site.calendar.delivery_date, Gate::On).unwrap();
        let received = site.receive(HOLDER, &sealed.path).await;
        let differs = &received.report.counts.register_differences;
        assert_eq!(differs.get("notice.register-date"), Some(&1), "{differs:?}");
        assert_eq!(differs.get("notice.register-regime"), Some(&1), "{differs:?}");
        assert_eq!(differs.len(), 2);
        let rule = &received.report.rules["notice.register-date"];
        assert_eq!((rule.count, rule.places.len()), (2, 2), "a row of each regime");
        assert!(rule.places[0].position.starts_with("line "));
        assert!(kiban_journeys::rule_ja("notice.register-date").contains("待機期間"));
        let listed = kiban_journeys::register_differences(on, &intake).await.unwrap();
        assert_eq!(listed.len(), 1);
        let seen = state(&site, HOLDER, late).await;
        assert!(seen.notices.iter().any(|n| n.taken_over && n.notified_on == next));
        assert!(seen.notices.iter().any(|n| !n.taken_over && n.notified_on == told));
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn a_stop_passed_on_is_seen_at_the_other_holder_and_meets_who_comes_later() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let on = &site.on;
        let intake = site.actor("intake");
        let (a, b) =
            (Parties::organization_id("hospital_b"), Parties::organization_id("municipality"));
        let pair = csv_rows(&site.truth().join("pairs.csv"))
            .into_iter()
            .find(|p| {
                p["difference"] == "same"
                    && p["holder_a"] == "hospital_b"
                    && p["holder_b"] == "municipality"
                    && in_both(&site, "hospital_b").contains(&p["local_id_a"])
                    && in_both(&site, "municipality").contains(&p["local_id_b"])
            })
            .expect("a person of both");
        let (at_a, at_b) = (pair["local_id_a"].as_str(), pair["local_id_b"].as_str());
        let source = kiban_journeys::person_sources(on, a, [at_a]).await.unwrap()[0];
        let row = lake::rows(on, "person")
            .await
            .into_iter()
            .find(|r| r["person_source"] == source.to_string())
            .unwrap();
        let mut asked = request("hospital_b", at_a, "紙-取次ぎ", on.today());
        asked.scope = Scope::AllHolders;
        let received = kiban_journeys::record_stop(on, &intake, &asked).await.unwrap();
        assert!(received.stop.persons.len() >= 2);
        kiban_journeys::apply_stop(on, &intake, received.stop.id).await.unwrap();

        let here = state(&site, "hospital_b", at_a).await;
        assert!(!here.stops[0].passed_on);
        let there = state(&site, "municipality", at_b).await;
        assert!(there.stops[0].passed_on && there.stops[0].holder == a);
        for basis in here.bases.iter().chain(&there.bases) {
            assert!(!basis.passes && basis.records == 0, "{basis:?}");
        }
        // Under a number of which nothing was ever taken in, name, birth and sex find it; without them nothing is known.
        let unknown = state(&site, "municipality", "never-seen").await;
        assert!(!unknown.known);
        let described = Described {
            name_kana: row["name_kana"].clone(),
            birth_on: row["birth_on"].parse().unwrap(),
            sex: row["sex"].clone(),
        };
        let found = kiban_journeys::look_up_described(
            on,
            &intake,
            b,
            "never-seen",
            Some(&described),
            ABOUT,
        )
        .await
        .unwrap();
        assert!(found.known && found.stops[0].passed_on, "{found:?}");
        assert!(found.bases.iter().all(|b| b.reason.unwrap().code() == "stopped"));
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn a_hold_stops_a_records_clock() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let on = &site.on;
        let (manager, intake) = (site.actor("manager"), site.actor("intake"));
        let all = kiban_journeys::retained_records(on, &manager).await.unwrap();
        let one = all.iter().find(|r| r.kind == Kept::Receipt).unwrap();
        let of = (one.kind, one.id.as_str());
        let hold = async |who, of, why, reference| {
            kiban_journeys::hold_record(on, who, of, why, reference).await
        };
        assert!(hold(&intake, of, "検査", "K-1").await.is_err(), "not their work");
        assert!(hold(&manager, (Kept::Receipt, "dlv_none"), "検査", "K-1").await.is_err());
        assert!(hold(&manager, of, " ", "K-1").await.is_err());
        assert!(kiban_journeys::release_record(on, &manager, of).await.is_err());
        hold(&manager, of, "立入検査のため", "K-1").await.unwrap();
        assert!(hold(&manager, of, "二つ目", "K-2").await.is_err());
        let find = async || {
            let all = kiban_journeys::retained_records(on, &manager).await.unwrap();
            all.into_iter().find(|r| r.id == one.id && r.kind == one.kind).unwrap()
        };
        site.clock.set_date(one.until);
        let held = find().await;
        assert!(!held.due && held.hold.as_ref().unwrap().reason == "立入検査のため");
        kiban_journeys::release_record(on, &manager, of).await.unwrap();
        let after = find().await;
        assert!(!after.due && after.hold.is_none() && after.until > one.until);
        site.clock.set_date(after.until);
        assert!(find().await.due);
        let size = on.log().size().await.unwrap();
        let events = on.log().events(0, size).await.unwrap();
        for kind in ["retention.held", "retention.released"] {
            assert!(events.iter().any(|e| e.kind == kind && e.subject == one.id), "{kind}");
        }
        site.close().await;
    });
}
