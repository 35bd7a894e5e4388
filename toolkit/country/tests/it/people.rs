//! Who is who: distinct people, true pairs, plausible lives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use kiban_country::{CHECKUP_ITEMS, Holder, Params, Specialist};

use crate::{OnDisk, birth};

fn town(country: &OnDisk, name: &str) -> Vec<BTreeMap<String, String>> {
    country.table(&format!("holders/municipality/source/{name}.csv"))
}

#[test]
fn every_record_belongs_to_one_person_and_pairs_agree_with_persons() {
    let specialist = Some(Specialist::default());
    let country = OnDisk::new(&Params { persons: 2_000, specialist, ..Params::default() });
    let persons = country.table("truth/persons.csv");
    assert_eq!(persons.len(), 2_000 + 20 + 210 + 300);
    let mut by_record = HashMap::new();
    let mut by_person: BTreeMap<&str, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for row in &persons {
        let record = (row["holder"].as_str(), row["local_id"].as_str());
        assert!(by_record.insert(record, row["person_id"].as_str()).is_none(), "a record twice");
        by_person.entry(&row["person_id"]).or_default().push(row);
    }
    let pairs = country.table("truth/pairs.csv");
    assert_eq!(pairs.len(), country.country.pairs().len());
    for (pair, row) in country.country.pairs().iter().zip(&pairs) {
        assert_eq!(row["person_id"], pair.person);
        for (holder, id) in [&pair.first, &pair.second] {
            assert_eq!(by_record[&(holder.name(), id.as_str())], pair.person);
        }
        let records = &by_person[pair.person.as_str()];
        assert_eq!(records.len(), 2);
        let key = if pair.exact_key { "yes" } else { "no" };
        assert!(records.iter().all(|r| r["exact_key"] == key));
    }
    let several = by_person.values().filter(|records| records.len() > 1).count();
    assert_eq!(several, pairs.len());
    // 50 % of A, 60 % of B exactly; 10 % of both without an exact key
    let count = |holder, exact| {
        let of = |p: &&kiban_country::Pair| p.first.0 == holder && p.exact_key == exact;
        country.country.pairs().iter().filter(of).count()
    };
    assert_eq!((count(Holder::HospitalA, true), count(Holder::HospitalA, false)), (10, 2));
    assert!(count(Holder::HospitalB, true) > 110 && count(Holder::HospitalB, false) > 15);
}

/// Kanji name, birth and sex, however they are written.
fn key(row: &BTreeMap<String, String>) -> (String, Date, String) {
    (row["氏名漢字"].replace([' ', '　'], ""), birth(&row["生年月日"]), row["性別"].clone())
}

/// Kana name in full width, birth and sex, of the rows that write it so.
fn wide_kana_key(row: &BTreeMap<String, String>) -> Option<(String, Date, String)> {
    let kana = row["氏名カナ"].replace([' ', '　'], "");
    let wide = kana.chars().all(|c| ('ァ'..='ヶ').contains(&c));
    wide.then(|| (kana, birth(&row["生年月日"]), row["性別"].clone()))
}

#[test]
fn no_two_residents_look_alike_unless_planted() {
    let country =
        OnDisk::new(&Params { persons: 20_000, planted_homonyms: 3, ..Params::default() });
    let people = town(&country, "persons");
    let planted = country.table("truth/planted.csv");
    let homonyms: Vec<_> = planted.iter().filter(|r| r["kind"] == "homonym").collect();
    assert_eq!(homonyms.len(), 3);
    let by_id: HashMap<&str, &BTreeMap<String, String>> =
        people.iter().map(|r| (r["宛名番号"].as_str(), r)).collect();
    assert_eq!(by_id.len(), people.len(), "an id twice");
    for row in &homonyms {
        let (one, other) = (by_id[row["local_id"].as_str()], by_id[row["of"].as_str()]);
        assert_eq!(key(one), key(other));
        assert_ne!(one["住所"], other["住所"]);
    }
    let names: BTreeSet<_> = people.iter().map(key).collect();
    assert_eq!(names.len() + homonyms.len(), people.len());
    let spoken: Vec<_> = people.iter().filter_map(wide_kana_key).collect();
    let distinct: BTreeSet<_> = spoken.iter().collect();
    assert!(spoken.len() > 3_000);
    assert!(spoken.len() - distinct.len() <= homonyms.len(), "unplanned homonyms");
}

#[test]
fn the_population_looks_like_japan() {
    let country = OnDisk::new(&Params { persons: 30_000, ..Params::default() });
    let coverage = town(&country, "coverage");
    let elders: BTreeSet<&str> = coverage
        .iter()
        .filter(|r| r["保険者番号"].starts_with("39"))
        .map(|r| r["宛名番号"].as_str())
        .collect();
    let elder_share = elders.len() as f64 / 30_000.0;
    assert!((0.12..0.21).contains(&elder_share), "75 and more: {elder_share}");
    let people = town(&country, "persons");
    let female = people.iter().filter(|r| r["性別"] == "2").count() as f64 / 30_000.0;
    assert!((0.48..0.54).contains(&female), "female: {female}");
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &people {
        *jobs.entry(&row["職業"]).or_default() += 1;
    }
    assert_eq!(jobs["市長"], 1);
    assert!(jobs.iter().all(|(job, n)| *job == "市長" || *n > 300), "a rare occupation");
    let deaths = town(&country, "death").len() as f64 / 30_000.0 / 2.0;
    assert!((0.006..0.022).contains(&deaths), "deaths a year: {deaths}");
    assert!(people.iter().all(|r| r["住所"].contains("99丁目")));
    let houses: BTreeSet<&str> = people.iter().map(|r| r["住所"].as_str()).collect();
    assert!(houses.len() < 22_000, "people live together");
}

#[test]
fn the_planted_are_there_with_their_values() {
    let country = OnDisk::new(&Params::default());
    let people = town(&country, "persons");
    let checkups = town(&country, "checkup");
    let planted = country.table("truth/planted.csv");
    let regimes = country.table("truth/regimes.csv");
    let values = |kind: &str, item: &str| -> Vec<f64> {
        let ids: BTreeSet<&str> =
            planted.iter().filter(|r| r["kind"] == kind).map(|r| r["local_id"].as_str()).collect();
        assert!(!ids.is_empty(), "{kind}");
        let common = |r: &&BTreeMap<String, String>| ids.contains(r["local_id"].as_str());
        assert!(regimes.iter().filter(common).all(|r| r["reaches_pseudo"] == "yes"));
        checkups
            .iter()
            .filter(|r| ids.contains(r["宛名番号"].as_str()))
            .map(|r| r[item].parse().expect("a number"))
            .collect()
    };
    let pressures = values("systolic_211_and_more", CHECKUP_ITEMS[4]);
    assert!(!pressures.is_empty() && pressures.iter().all(|v| *v >= 211.0));
    let weights = values("weight_150_and_more", CHECKUP_ITEMS[1]);
    assert!(!weights.is_empty() && weights.iter().all(|v| *v >= 150.0));
    assert_eq!(values("mayor", CHECKUP_ITEMS[0]).len(), 1);
    assert_eq!(values("oldest", CHECKUP_ITEMS[0]).len(), 1);
    let mayor = planted.iter().find(|r| r["kind"] == "mayor").expect("mayor");
    let mayor = people.iter().find(|r| r["宛名番号"] == mayor["local_id"]).expect("mayor");
    assert_eq!(mayor["職業"], "市長");
}

#[test]
fn what_identifies_is_listed() {
    let country = OnDisk::new(&Params { persons: 300, ..Params::default() });
    let listed: BTreeSet<(String, String)> = country
        .table("truth/identifiers.csv")
        .into_iter()
        .filter(|r| r["holder"] == "municipality")
        .map(|r| (r["kind"].clone(), r["value"].clone()))
        .collect();
    let has = |kind: &str, value: &str| listed.contains(&(kind.to_owned(), value.to_owned()));
    for row in town(&country, "persons") {
        assert!(has("local_id", &row["宛名番号"]));
        assert!(has("phone", &row["電話番号"]));
        assert!(has("address", &row["住所"]));
        let name = row["氏名漢字"].replace('　', " ");
        assert!(!name.contains(' ') || has("name_kanji", &name));
    }
    for row in town(&country, "coverage") {
        assert!(has("insured_number", &row["番号"]));
    }
}
