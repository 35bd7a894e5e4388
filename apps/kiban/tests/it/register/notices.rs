//! Letters that came back and versions that change what must be told beforehand: the producer's gate closes.

use kiban_journeys::{
    ChangeClass, LookUpPurpose, NoticeVersion, Parties, ReturnedLetter, StatutoryItems,
    holder::{Gate, LetterKind, make_letters, record_sent},
    kernel::{Bases, Regime},
};

use crate::support::{
    run,
    site::{self, Site, day_after},
};

const HOLDER: &str = "hospital_a";

async fn code(site: &Site, local_id: &str, regime: Regime) -> Option<&'static str> {
    let state = kiban_journeys::look_up_person(
        &site.on,
        &site.actor("intake"),
        Parties::organization_id(HOLDER),
        local_id,
        (LookUpPurpose::Inspection, "T-1"),
    )
    .await
    .unwrap();
    let basis = state.bases.iter().find(|b| b.regime == regime).unwrap();
    assert_eq!(basis.passes, basis.reason.is_none());
    basis.reason.map(|r| r.code())
}

#[test]
fn a_returned_letter_closes_the_gate_and_a_stop_forgets_it() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let on = &site.on;
        let holder = Parties::organization_id(HOLDER);
        let id = crate::stops::in_both(&site, HOLDER)[0].clone();
        let intake = site.actor("intake");
        assert_eq!(code(&site, &id, Regime::Anon52).await, None);
        let state = kiban_journeys::look_up_person(
            on,
            &intake,
            holder,
            &id,
            (LookUpPurpose::Inspection, "T-2"),
        )
        .await
        .unwrap();
        let letters = |returned_on| -> Vec<ReturnedLetter> {
            let of = |n: &kiban_journeys::NoticeState| ReturnedLetter {
                local_id: id.clone(),
                version: n.version.clone(),
                regimes: [n.regime].into_iter().collect::<Bases>(),
                notified_on: n.notified_on,
                returned_on,
            };
            state.notices.iter().map(of).collect()
        };
        let record = async |letters: &[ReturnedLetter]| {
            kiban_journeys::record_returned_letters(on, &intake, holder, letters).await
        };
        let ahead = day_after(on.today(), 1);
        let mixed = [letters(on.today()), letters(ahead)].concat();
        assert!(record(&mixed).await.is_err(), "all or none");
        assert_eq!(code(&site, &id, Regime::Anon52).await, None);
        let done = record(&letters(on.today())).await.unwrap();
        assert_eq!((done.new, done.known, done.taken_in), (2, 0, 1));
        let again = record(&letters(on.today())).await.unwrap();
        assert_eq!((again.new, again.known, again.taken_in), (0, 2, 0));
        for regime in Regime::ALL {
            assert_eq!(code(&site, &id, regime).await, Some("notice_returned"));
        }
        let due = kiban_journeys::notices_due(on, &intake).await.unwrap();
        assert_eq!(due[&holder].returned, 2);
        assert!(due[&holder].told > 0);

        // The gate at a new delivery: the person is refused with the reason; the others are not.
        let sealed = site.seal(HOLDER, day_after(on.today(), 1), Gate::On).unwrap();
        let received = kiban_journeys::receive_delivery(on, &intake, &sealed.path).await.unwrap();
        let said = serde_json::to_string(&received.report).unwrap();
        assert!(said.contains("notice_returned"), "{said}");

        let request = crate::stops::request(HOLDER, &id, "紙-返送", on.today());
        let stop = kiban_journeys::record_stop(on, &intake, &request).await.unwrap();
        let applied = kiban_journeys::apply_stop(on, &intake, stop.stop.id).await.unwrap();
        let (_, ack) = applied.acknowledged.iter().find(|(s, _)| s == "notices").unwrap();
        assert_eq!(ack.counts["returned_letters"], 2);
        assert_eq!(
            crate::stops::family::traces(&site, &stop.stop.persons).await,
            Vec::<String>::new()
        );
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn a_version_is_judged_by_what_it_changes() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let on = &site.on;
        let holder = Parties::organization_id(HOLDER);
        let registrar = site.actor("registrar");
        let holders = kiban_journeys::holders(on).await.unwrap();
        let of = holders.iter().find(|h| h.organization.id == holder).unwrap();
        let old = of.notices.iter().find(|n| n.regime == Regime::Anon52).unwrap().clone();
        let version = |n: u8, change: &dyn Fn(&mut StatutoryItems)| {
            let mut items = old.items.clone();
            change(&mut items);
            NoticeVersion {
                id: kiban_journeys::kernel::Id::from_bytes([n; 16]),
                version: format!("2026-{n}"),
                effective_from: on.today(),
                items,
                ..old.clone()
            }
        };
        let add =
            async |v: &NoticeVersion| kiban_journeys::add_notice_version(on, &registrar, v).await;
        assert!(add(&version(1, &|_| ())).await.is_err(), "it changes nothing");
        let method = version(2, &|i| i.method = "専用回線".into());
        let added = add(&method).await.unwrap();
        assert_eq!((added.class, added.changes.len()), (ChangeClass::Beforehand, 1));
        assert_eq!(added.follows.as_deref(), Some(old.version.as_str()));
        assert!(add(&method).await.is_err(), "once");
        let open = kiban_journeys::notice_changes(on, &registrar).await.unwrap();
        assert!(open[0].open_ja(on.today()).unwrap().contains("まだ使えません"));
        let purpose = version(3, &|i| i.purpose = "別の目的".into());
        assert_eq!(add(&purpose).await.unwrap().class, ChangeClass::NewNotice);

        let tell = async |v: &str, persons, ministers| {
            let of = (holder, Regime::Anon52, v);
            kiban_journeys::tell_notice_change(on, &registrar, of, (persons, ministers), "変-1")
                .await
        };
        let today = on.today();
        assert!(tell("2026-2", day_after(today, 1), today).await.is_err(), "not yet done");
        assert!(tell("2026-3", today, today).await.is_err(), "a new notice, no change");
        tell("2026-2", today, today).await.unwrap();
        let open = kiban_journeys::notice_changes(on, &registrar).await.unwrap();
        let of = |v: &str| open.iter().find(|c| c.to_version == v).unwrap().open_ja(today);
        assert_eq!(of("2026-2"), None);
        assert!(of("2026-3").is_some());
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn a_letter_under_57_opens_the_second_regime_after_its_own_wait() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let on = &site.on;
        let rows = crate::support::files::csv_rows(&site.truth().join("regimes.csv"));
        let only52 = rows
            .iter()
            .find(|r| {
                r["holder"] == HOLDER
                    && r["reaches_anon"] == "yes"
                    && r["reaches_pseudo"] == "no"
                    && r["notified_pseudo"].is_empty()
                    && r["stop_on"].is_empty()
            })
            .expect("the country has people told under Art. 52 alone");
        let id = only52["local_id"].as_str();
        assert_eq!(code(&site, id, Regime::Anon52).await, None);
        assert_eq!(code(&site, id, Regime::Pseudo57).await, Some("not_notified"));

        let home = site.home(HOLDER);
        let list = format!(
            "local_id,name,postal_code,address,birth_on\n{id},見本 太郎,999-0001,架空市1,1960-01-02\n"
        );
        std::fs::write(home.join("recipients.csv"), list).unwrap();
        let today = on.today();
        let made = make_letters(&home, LetterKind::Upgrade57, "2025-1", today, on.rules()).unwrap();
        assert_eq!(made.batch.persons(), 1);
        let page = std::fs::read_to_string(&made.pages).unwrap();
        assert!(page.contains("法第57条") && !page.contains("法第52条"), "the new notice alone");
        assert!(page.contains("認定利用事業者"), "its purpose names certified users");
        record_sent(&home, &made.batch.id, today, today).unwrap();

        // Sent again in the wait nothing changes; on day 31 the same records are cleared under 57 too.
        for (days, passes) in [(30, false), (31, true)] {
            let sealed = site.seal(HOLDER, day_after(today, days), Gate::On).unwrap();
            site.receive(HOLDER, &sealed.path).await;
            let pseudo = code(&site, id, Regime::Pseudo57).await;
            assert_eq!(pseudo.is_none(), passes, "day {days}: {pseudo:?}");
            let holder = Parties::organization_id(HOLDER);
            let sources = kiban_journeys::person_sources(on, holder, [id]).await.unwrap();
            let cleared = kiban_journeys::cleared_sources(on, Regime::Pseudo57).await.unwrap();
            assert_eq!(cleared.contains(&sources[0].to_string()), passes, "day {days}");
        }
        site.close().await;
    });
}
