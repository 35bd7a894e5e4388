//! Legal situations: what the papers say, judged here once more from the written files.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use kiban_country::{Calendar, Country, Group, Holder, Params, Shares, Specialist};

use crate::OnDisk;

fn day(text: &str) -> Option<Date> {
    (!text.is_empty()).then(|| text.parse().expect("a date"))
}

#[test]
fn regimes_follow_from_notices_stops_and_deaths() {
    let specialist = Some(Specialist { persons: 60, ..Specialist::default() });
    let params = Params { persons: 3_000, specialist, ..Params::default() };
    let delivery = params.calendar.delivery_date;
    let country = OnDisk::new(&params);
    let truth = country.table("truth/regimes.csv");
    for holder in country.country.holders() {
        let paper = |name: &str| country.table(&format!("holders/{}/{name}.csv", holder.name()));
        let mut notices: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
        for row in paper("notices") {
            let key = (row["local_id"].clone(), row["regime"].clone());
            assert!(notices.insert(key, row).is_none(), "a notice twice");
        }
        let stops = |names: &[&str]| -> BTreeSet<(String, String)> {
            let rows = names.iter().flat_map(|name| paper(name));
            rows.flat_map(|r| {
                let id = r["local_id"].clone();
                let regimes = r["regimes"].split(';').map(str::to_owned);
                regimes.map(|regime| (id.clone(), regime)).collect::<Vec<_>>()
            })
            .collect()
        };
        let before = stops(&["stops"]);
        let by_product = stops(&["stops", "stops_after_sending"]);
        let all = stops(&["stops", "stops_after_sending", "stops_after_product"]);
        let rows: Vec<_> = truth.iter().filter(|r| r["holder"] == holder.name()).collect();
        assert!(!rows.is_empty());
        for row in rows {
            for (regime, short) in [("anon52", "anon"), ("pseudo57", "pseudo")] {
                let key = (row["local_id"].clone(), regime.to_owned());
                let passes = notices.get(&key).is_some_and(|notice| {
                    let on = day(&notice["notified_on"]).expect("a day");
                    let waited = on.until(delivery).expect("a span").get_days() > 30;
                    let alive = day(&notice["died_on"]).is_none_or(|died| died >= on);
                    assert_eq!(notice["died_on"], row["died_on"]);
                    waited && alive
                });
                let expect = |column: &str, stops: &BTreeSet<(String, String)>| {
                    let yes = passes && !stops.contains(&key);
                    assert_eq!(row[column], if yes { "yes" } else { "no" }, "{column}");
                };
                expect(&format!("sent_{short}"), &before);
                expect(&format!("reaches_{short}"), &by_product);
                expect(&format!("reaches_{short}_after_stops"), &all);
            }
        }
    }
}

#[test]
fn every_situation_occurs_at_every_holder() {
    let country = Country::generate(&Params::default()).expect("a country");
    for holder in [Holder::HospitalA, Holder::HospitalB, Holder::Municipality] {
        let found: BTreeSet<Group> = country.situations(holder).map(|s| s.group).collect();
        for group in Group::ALL {
            // nobody has died at hospital A
            let absent = group == Group::DeadBeforeNotice && holder == Holder::HospitalA;
            assert_eq!(found.contains(&group), !absent, "{holder:?} {group:?}");
        }
    }
    let town: Vec<_> = country.situations(Holder::Municipality).collect();
    for half in [[true, false], [false, true]] {
        assert!(town.iter().any(|s| s.group == Group::Refused && s.reaches == half));
    }
    // day 30: notified one day after the first day
    let on_disk = OnDisk::new(&Params::default());
    let held = on_disk.table("truth/regimes.csv").into_iter().filter(|r| {
        r["notified_anon"] == "2025-04-02" && r["reaches_anon"] == "no" && r["group"] == "waiting"
    });
    assert!(held.count() >= 3);
}

#[test]
fn a_young_person_has_a_guardians_notice() {
    let country = OnDisk::new(&Params { persons: 1_500, ..Params::default() });
    let guarded: BTreeSet<String> = country
        .table("holders/hospital_b/notices.csv")
        .into_iter()
        .filter(|r| r["guardian"] == "1")
        .map(|r| r["local_id"].clone())
        .collect();
    let patients =
        std::fs::read_to_string(country.path("holders/hospital_b/source/Patient.ndjson"))
            .expect("file");
    let notified: BTreeSet<String> = country
        .table("holders/hospital_b/notices.csv")
        .into_iter()
        .map(|r| r["local_id"].clone())
        .collect();
    let mut young = 0;
    for line in patients.lines() {
        let patient: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let id = patient["id"].as_str().expect("id");
        let born = day(patient["birthDate"].as_str().expect("birth")).expect("a day");
        if born < date(2009, 4, 1) && notified.contains(id) {
            assert!(!guarded.contains(id));
        } else if born > date(2009, 5, 3) && notified.contains(id) {
            assert!(guarded.contains(id));
            young += 1;
        }
    }
    assert!(young > 5);
}

#[test]
fn another_calendar_moves_everything() {
    let mut calendar = Calendar::from_notice(date(2024, 12, 1));
    calendar.delivery_date = date(2025, 2, 14);
    calendar.product_date = date(2025, 3, 1);
    let shares = Shares { waiting: 0.2, ..Shares::default() };
    let country = OnDisk::new(&Params { persons: 800, calendar, shares, ..Params::default() });
    let notices = country.table("holders/municipality/notices.csv");
    let days: BTreeSet<Date> = notices.iter().filter_map(|r| day(&r["notified_on"])).collect();
    assert_eq!(days.first(), Some(&date(2024, 12, 1)));
    assert!(days.last().is_some_and(|d| *d <= calendar.delivery_date));
    assert!(days.iter().filter(|d| **d < date(2025, 1, 15)).count() > 5);
    let held = country.table("truth/regimes.csv").into_iter().filter(|r| {
        r["holder"] == "municipality" && r["group"] == "waiting" && r["reaches_pseudo"] == "no"
    });
    assert!(held.count() > 100);
}
