//! The register itself: a predecessor's taken over, one person looked up, letters that came back, changes that were not
//! told, records that fall due, who gave for what; linkage seen from outside.

mod commands;
mod many_stops;
mod notices;
mod takeover;
mod upkeep;

use kiban_journeys::{
    AfterAnswer, Kept, KeyRequest, LinkAnswer, LookUpPurpose, Parties,
    kernel::{Date, Regime},
};

use crate::{
    stops::in_both,
    support::{run, site},
};

#[test]
fn a_look_up_shows_the_state_and_leaves_its_purpose() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let on = &site.on;
        let holder = Parties::organization_id("hospital_b");
        let persons = in_both(&site, "hospital_b");
        let id = persons[0].as_str();
        let intake = site.actor("intake");
        let about = (LookUpPurpose::Complaint, "K-2026-15");
        let look = async |who, local: &str| {
            kiban_journeys::look_up_person(on, who, holder, local, about).await
        };
        let processor = site.actor("processor");
        assert!(look(&processor, id).await.is_err(), "not their work");
        let nameless =
            kiban_journeys::look_up_person(on, &intake, holder, id, (LookUpPurpose::Call, "電話"))
                .await;
        assert!(nameless.is_err(), "the reference stands in the log");
        let size = on.log().size().await.unwrap();
        let state = look(&intake, id).await.unwrap();
        assert!(state.known && state.deliveries > 0 && state.stops.is_empty());
        assert_eq!(state.notices.len(), 2, "one of each regime");
        for n in &state.notices {
            assert!(n.notified_on < site.calendar.delivery_date && n.returned_on.is_none());
            assert!(n.wait_until >= site::day_after(n.notified_on, 30));
        }
        for basis in &state.bases {
            assert!(basis.passes && basis.records > 0 && basis.datasets > 0, "{basis:?}");
        }
        // The event: purpose, reference, no id that the lake or the register has.
        let events = on.log().events(size, size + 1).await.unwrap();
        assert_eq!(events[0].kind, "person.looked_up");
        assert_eq!(events[0].body["purpose"], "complaint");
        assert_eq!(events[0].body["reference"], "K-2026-15");
        let sources = kiban_journeys::person_sources(on, holder, [id]).await.unwrap();
        let said = events[0].body.to_string();
        assert!(!said.contains(&sources[0].to_string()) && !said.contains(id));

        // After a stop: the receipt, the fate of the datasets, nothing held.
        let request = crate::stops::request("hospital_b", id, "紙-照会", on.today());
        let received = kiban_journeys::record_stop(on, &intake, &request).await.unwrap();
        let waiting = look(&intake, id).await.unwrap();
        assert!(waiting.stops[0].closed_at.is_none() && waiting.stops[0].open_stores > 0);
        kiban_journeys::apply_stop(on, &intake, received.stop.id).await.unwrap();
        let after = look(&intake, id).await.unwrap();
        assert_eq!(after.stops[0].receipt_number, "紙-照会");
        assert!(after.stops[0].closed_at.is_some() && after.stops[0].open_stores == 0);
        assert!(after.stops[0].datasets.values().sum::<u64>() > 0);
        for basis in &after.bases {
            assert_eq!(basis.reason.unwrap().code(), "stopped");
            assert_eq!((basis.records, basis.datasets), (0, 0));
        }
        let nobody = look(&intake, "no-such-number").await.unwrap();
        assert!(!nobody.known);
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn records_fall_due_by_their_clocks() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let manager = site.actor("manager");
        assert!(
            kiban_journeys::retained_records(&site.on, &site.actor("processor")).await.is_err()
        );
        let all = kiban_journeys::retained_records(&site.on, &manager).await.unwrap();
        for kind in Kept::ALL {
            assert!(all.iter().any(|r| r.kind == kind), "{kind:?}");
        }
        assert!(all.iter().all(|r| !r.due && r.from <= site.on.today()));
        // A check of a holder is kept from the last delivery that rests on it.
        let received = all.iter().find(|r| r.kind == Kept::Receipt).unwrap();
        let check = all
            .iter()
            .find(|r| r.kind == Kept::Verification && r.holder == received.holder)
            .unwrap();
        assert_eq!(check.from, received.from);
        let day: Date = all[0].until;
        site.clock.set_date(day.yesterday().unwrap());
        let before = kiban_journeys::retained_records(&site.on, &manager).await.unwrap();
        assert!(before.iter().all(|r| !r.due));
        site.clock.set_date(day);
        let on_it = kiban_journeys::retained_records(&site.on, &manager).await.unwrap();
        assert!(on_it[0].due && on_it[0].until == day);
        site.close().await;
    });
}

#[test]
fn the_public_list_says_who_gave_for_what() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let projects = kiban_journeys::projects(&site.on).await.unwrap();
        let provided = kiban_journeys::provided_by(&site.on).await.unwrap();
        assert_eq!(projects.len(), provided.len());
        for (project, one) in projects.iter().zip(&provided) {
            assert_eq!((project.number, &project.title), (one.number, &one.title));
            assert!(!one.purpose.is_empty() && one.period.0 < one.period.1);
        }
        let with: Vec<_> = provided.iter().filter(|p| p.datasets > 0).collect();
        assert!(!with.is_empty());
        for one in with {
            assert!(one.holders.iter().any(|h| h == "架空総合病院"), "{:?}", one.holders);
            assert!(one.holders.iter().all(|h| h != "架空大学"), "users give nothing");
        }
        site.close().await;
    });
}

// From what the linker itself found in the deliveries, to keys for another database.
#[test]
fn what_the_linker_proposes_is_read_decided_and_reaches_the_keys() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let on = &site.on;
        let (one, processor) = (site.actor("examiner"), site.actor("processor"));
        let two = kiban_journeys::Actor {
            account: kiban_journeys::kernel::Id::from_bytes([2; 16]),
            ..one.clone()
        };
        let queue = kiban_journeys::link_queue(on, &one).await.unwrap();
        let links = kiban_journeys::links(on).await.unwrap();
        let case = queue
            .iter()
            .find(|c| links[&c.sources[0]] != links[&c.sources[1]])
            .expect("the linker is unsure of some pair of two persons");
        let reading = kiban_journeys::read_link_case(on, &one, case.id).await.unwrap();
        let why = reading.why.expect("the linker holds both");
        let sum: f64 = why.bars.iter().map(|(_, bits)| bits).sum();
        assert!((sum - why.score).abs() < 1e-9);
        let before = kiban_journeys::link_pair_graph(on, &one, case.sources).await.unwrap();
        assert!(before.graph.nodes.len() >= 2 && before.holders.iter().all(|h| !h.is_empty()));
        for (who, expected) in
            [(&one, AfterAnswer::Waits), (&two, AfterAnswer::Decided(LinkAnswer::Same))]
        {
            kiban_journeys::read_link_case(on, who, case.id).await.unwrap();
            let after = kiban_journeys::answer_link_case(
                on,
                who,
                case.id,
                LinkAnswer::Same,
                "記載を照合した。",
            )
            .await
            .unwrap();
            assert_eq!(after, expected);
        }
        let keys = async |provision: &str| {
            let request = KeyRequest {
                profile: "id4-like".into(),
                regime: Regime::Anon52,
                recipient: Parties::organization_id("university"),
                provision: provision.into(),
            };
            let profiles = kiban_journeys::key_profiles(None).unwrap();
            kiban_journeys::make_link_keys(on, &processor, &profiles, &[], &request).await.unwrap()
        };
        let released = keys("p1").await;
        kiban_journeys::link_persons(on, &processor).await.unwrap();
        let links = kiban_journeys::links(on).await.unwrap();
        assert_eq!(links[&case.sources[0]], links[&case.sources[1]]);
        let drawn = kiban_journeys::link_graph(on, &processor, case.sources[0]).await.unwrap();
        assert!(drawn.graph.nodes.contains(&case.sources[1]));
        // One person less: its keys go under one row.
        let (rows, again) = (row_ids(&released), row_ids(&keys("p1").await));
        assert!(again.len() < rows.len(), "{} {}", again.len(), rows.len());
        assert!(row_ids(&keys("p2").await).is_disjoint(&again), "another provision, other rows");
        // Whom it serves worse is counted on what readers found.
        let bias = kiban_journeys::link_bias(on, &processor).await.unwrap();
        assert!(bias.records > 0 && !bias.groups.is_empty());
        assert!(bias.groups.iter().any(|g| g.value == "架空総合病院"), "holders have names");
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

fn row_ids(released: &kiban_journeys::Released) -> std::collections::BTreeSet<String> {
    released.rows.iter().map(|(row, _)| row.clone()).collect()
}
