//! Person lists: the same seed, the same list; truth; rates; house styles; nothing impossible.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use kiban_country::persons::{
    HardClass, LIST_COLUMNS, ListParams, ListProfile, ListSize, PersonList, PersonRecord, Tag,
};

use crate::{birth, tree};

fn list(seed: u64, records: u64, profile: ListProfile) -> PersonList {
    let size = ListSize::Records(records);
    PersonList::new(ListParams { seed, size, profile, ..ListParams::default() }).expect("a list")
}

fn records(seed: u64, count: u64, profile: ListProfile) -> Vec<PersonRecord> {
    list(seed, count, profile).records().collect()
}

fn cell<'a>(record: &'a PersonRecord, column: &str) -> &'a str {
    let place = LIST_COLUMNS.iter().position(|c| *c == column).expect("a column");
    &record.cells[place]
}

fn recorded(record: &PersonRecord) -> Date {
    cell(record, "recorded_on").parse().expect("a date")
}

#[test]
fn the_same_seed_gives_the_same_list_and_a_longer_one_continues_it() {
    let first = records(5, 3_000, ListProfile::Base);
    assert_eq!(first, records(5, 3_000, ListProfile::Base));
    assert_eq!(first[..1_000], records(5, 1_000, ListProfile::Base)[..]);
    assert_ne!(first, records(6, 3_000, ListProfile::Base));

    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for dir in &dirs {
        let written = list(5, 3_000, ListProfile::Base).write_hard(dir.path(), 2).expect("written");
        // namesakes have eight further records
        let hard = 4 * HardClass::ALL.len() as u64 + 3 * 2 * 8;
        assert_eq!(written.records, 3_000 + hard);
        assert!(list(5, 10, ListProfile::Base).write(dir.path()).is_err(), "written over");
    }
    let [one, other] = dirs.map(|dir| tree(dir.path()));
    assert_eq!(one, other);
    assert_eq!(one.len(), 4);
}

#[test]
fn truth_agrees_with_the_list() {
    let dir = tempfile::tempdir().expect("a folder");
    let size = ListSize::Persons(2_000);
    let params = ListParams { seed: 9, size, ..ListParams::default() };
    let list = PersonList::new(params).expect("a list");
    let written = list.write(dir.path()).expect("written");
    assert_eq!(written.persons, 2_000);
    let mut reader = csv::Reader::from_path(dir.path().join("persons.csv")).expect("the list");
    assert_eq!(reader.headers().expect("header").iter().collect::<Vec<_>>(), LIST_COLUMNS);
    let ids: Vec<String> = reader.records().map(|row| row.expect("row")[0].to_owned()).collect();
    let mut reader = csv::Reader::from_path(dir.path().join("truth.csv")).expect("the truth");
    let truth: Vec<Vec<String>> =
        reader.records().map(|row| row.expect("row").iter().map(str::to_owned).collect()).collect();
    assert_eq!(ids, truth.iter().map(|row| row[0].clone()).collect::<Vec<_>>());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id twice");
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut homes: HashMap<&str, &str> = HashMap::new();
    for row in &truth {
        *sizes.entry(&row[1]).or_default() += 1;
        assert_eq!(*homes.entry(&row[1]).or_insert(&row[2]), row[2], "one household a person");
        let known = |tag: &str| Tag::ALL.iter().any(|t| t.name() == tag);
        assert!(row[3].is_empty() || row[3].split('|').all(known));
    }
    assert_eq!(sizes.len(), 2_000);
    let people: Vec<_> = list.people().collect();
    assert_eq!(people.len(), 2_000);
    for person in &people {
        let id = format!("P{:08}", person.person);
        assert_eq!(homes[id.as_str()], format!("H{:08}", person.household));
        let before = |p: &&kiban_country::persons::PersonTruth| p.person + 1 == person.person;
        if person.kin == "twin" {
            let one = people.iter().find(before).expect("the other twin");
            assert_eq!((one.household, &one.born), (person.household, &person.born));
        }
    }
    assert_eq!(written.pairs, sizes.values().map(|n| n * (n - 1) / 2).sum::<u64>());
    // neither the order nor the ids say who is who
    let neighbours = truth.windows(2).filter(|w| w[0][1] == w[1][1]).count();
    assert!(neighbours < 20, "{neighbours} neighbours are one person");
    let sorted: BTreeMap<&str, &str> = truth.iter().map(|r| (&*r[0], &*r[1])).collect();
    let persons: Vec<&str> = sorted.into_values().collect();
    assert!(persons.windows(2).filter(|w| w[0] == w[1]).count() < 20, "ids give persons away");
}

#[test]
fn every_tag_occurs_about_as_often_as_its_rate() {
    const COUNT: f64 = 60_000.0;
    for (profile, sparse) in [(ListProfile::Base, false), (ListProfile::Sparse, true)] {
        let all = records(3, COUNT as u64, profile);
        for tag in Tag::ALL {
            let share = all.iter().filter(|r| r.tags.has(tag)).count() as f64 / COUNT;
            let rate = if sparse { tag.rates().1 } else { tag.rates().0 };
            match tag {
                Tag::Marriage => assert!((0.005..0.05).contains(&share), "{tag}: {share}"),
                Tag::Moved | Tag::PhoneChanged | Tag::InsurerChanged => {
                    assert!((0.02..0.3).contains(&share), "{tag}: {share}");
                }
                Tag::Newborn => assert!((0.002..0.03).contains(&share), "{tag}: {share}"),
                Tag::Gaiji => assert!((0.0003..0.02).contains(&share), "{tag}: {share}"),
                // at one of several places: phone, postal code, address, birth, number, name
                Tag::Placeholder => assert!((rate * 0.8..rate * 4.0).contains(&share), "{share}"),
                Tag::BirthMissing | Tag::SexMissing | Tag::SexWrong | Tag::KanaTypo => {
                    assert!((rate * 0.75..rate * 1.25).contains(&share), "{tag}: {share}");
                }
                // foreign people only
                Tag::Alias | Tag::NameOrder | Tag::MiddleDropped => {
                    assert!((0.0001..0.01).contains(&share), "{tag}: {share}");
                }
                _ => assert!((rate * 0.04..rate * 1.2).contains(&share), "{tag}: {share}"),
            }
        }
    }
    let state = [Tag::Marriage, Tag::Moved, Tag::PhoneChanged, Tag::InsurerChanged, Tag::Gaiji];
    let clean = records(3, 10_000, ListProfile::Clean);
    assert!(clean.iter().all(|r| r.tags.iter().all(|tag| state.contains(&tag))));
}

#[test]
fn a_source_keeps_its_house_style() {
    let mut styles: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut sexes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let all = records(4, 30_000, ListProfile::Base);
    for record in &all {
        let source = cell(record, "source_id");
        let born = cell(record, "birth_date");
        // 1900-01-01 stands for unknown everywhere
        if !born.is_empty() && born != "1900-01-01" {
            let style = match born.chars().next() {
                Some('0'..='9') if born.contains('-') => "iso",
                Some('0'..='9') if born.contains('/') => "slashed",
                Some('0'..='9') => "compact",
                Some('M' | 'T' | 'S' | 'H' | 'R') => "letter",
                _ => "era",
            };
            styles.entry(source).or_default().insert(style);
        }
        match cell(record, "sex") {
            "" => {}
            "1" | "2" => {
                sexes.entry(source).or_default().insert("digit");
            }
            "M" | "F" => {
                sexes.entry(source).or_default().insert("letter");
            }
            "男" | "女" => {
                sexes.entry(source).or_default().insert("kanji");
            }
            other => panic!("a sex of {} characters", other.len()),
        }
    }
    let sources = |c: char| -> BTreeSet<&str> {
        let names = all.iter().filter(|r| cell(r, "name_kanji").contains(c));
        names.map(|r| cell(r, "source_id")).collect()
    };
    // a source either has the character or writes 〓 for it
    let cannot: BTreeSet<&str> = sources('髙').intersection(&sources('〓')).copied().collect();
    assert!(cannot.is_disjoint(&sources('𠮷')), "CP932 does not have it");
    for found in [styles, sexes] {
        assert!(found.len() > 60 && found.values().all(|s| s.len() == 1));
        let kinds: BTreeSet<_> = found.values().flatten().collect();
        assert!(kinds.len() >= 3);
    }
    let kana = |in_style: fn(char) -> bool| {
        all.iter().filter(|r| cell(r, "name_kana").chars().any(in_style)).count()
    };
    assert!(kana(|c| ('ぁ'..='ん').contains(&c)) > 200, "hiragana");
    assert!(kana(|c| ('ｱ'..='ﾝ').contains(&c)) > 1_000, "half width");
    assert!(all.iter().any(|r| cell(r, "number").contains('１')), "full-width digits");
    assert!(all.iter().any(|r| cell(r, "address").contains("丁目")));
    assert!(all.iter().any(|r| cell(r, "phone").contains('(')));
    for record in &all {
        assert_eq!(record.tags.has(Tag::Gaiji), cell(record, "name_kanji").contains('〓'));
    }
}

#[test]
fn nobody_is_real_and_nothing_is_impossible() {
    let all = records(8, 40_000, ListProfile::Base);
    let mut held: HashMap<(String, String, String), BTreeMap<u64, BTreeSet<String>>> =
        HashMap::new();
    for record in &all {
        let on = recorded(record);
        let born = cell(record, "birth_date");
        let age = (!born.is_empty() && born != "1900-01-01").then(|| {
            let born = birth(born);
            assert!(born <= on, "recorded before birth");
            (on - born).get_days() / 365
        });
        assert!(age.is_none_or(|a| a <= 113));
        let wrong = |tags: &[Tag]| tags.iter().any(|t| record.tags.has(*t));
        let date_wrong = wrong(&[Tag::BirthDigit, Tag::MonthDay, Tag::EraYear, Tag::Birth0101]);
        let insurer = cell(record, "insurer_no");
        if let Some(age) = age.filter(|_| !date_wrong && !wrong(&[Tag::NumberTypo])) {
            let elder = insurer.starts_with("39");
            assert!(!elder || age >= 74, "insured as one of 75 and more at {age}");
            assert!(
                insurer.is_empty() || elder || age <= 75 || wrong(&[Tag::InsurerChanged]),
                "still insured elsewhere at {age}"
            );
            let baby = cell(record, "name_kana").contains("ベビー");
            assert!(!baby || age == 0);
        }
        // codes, numbers and blocks that do not exist
        let postal = cell(record, "postal_code").replace('-', "");
        if !postal.is_empty() && !wrong(&[Tag::PostalTypo, Tag::Placeholder]) {
            assert!(postal.len() == 7 && postal.as_bytes()[3] == b'9');
        }
        let phone = cell(record, "phone");
        if phone.contains('-') && !wrong(&[Tag::Placeholder]) {
            let groups: Vec<&str> = phone.split('-').collect();
            assert!(groups.len() == 3 && groups[1].starts_with('0'), "an assigned exchange");
            let digits = groups.concat().len();
            assert!(digits == 10 || digits == 11);
        }
        let address = cell(record, "address");
        if let Some((_, rest)) = address.split_once("丁目") {
            let block: u32 = rest.split('番').next().expect("a block").parse().expect("digits");
            assert!(block > 200, "a block that could exist");
        }
        let number = cell(record, "number").to_owned();
        let branch = cell(record, "branch");
        if !branch.is_empty() && !wrong(&[Tag::NumberTypo, Tag::Placeholder]) {
            let policy =
                (insurer.trim_start_matches('0').into(), cell(record, "symbol").into(), number);
            let branches = held.entry(policy).or_default().entry(record.person).or_default();
            branches.insert(format!("{:0>2}", branch));
        }
    }
    // no two people share a policy's branch
    for people in held.values() {
        let one: Vec<&String> = people.values().flatten().collect();
        assert_eq!(one.iter().collect::<BTreeSet<_>>().len(), one.len());
    }
}

#[test]
fn names_addresses_and_families_are_spread_as_in_life() {
    let all = records(2, 60_000, ListProfile::Clean);
    let mut families: HashMap<&str, BTreeSet<u64>> = HashMap::new();
    let mut people = BTreeSet::new();
    for record in &all {
        people.insert(record.person);
        if let Some((family, _)) = cell(record, "name_kanji").split_once([' ', '　']) {
            families.entry(family).or_default().insert(record.person);
        }
    }
    let share = |name: &str| families[name].len() as f64 / people.len() as f64;
    assert!((0.008..0.025).contains(&share("佐藤")), "{}", share("佐藤"));
    assert!(families.len() > 2_000, "a long tail: {}", families.len());
    let rare = families.values().filter(|p| p.len() <= 3).count();
    assert!(rare > families.len() / 4);
    let homes: BTreeSet<&str> = all.iter().map(|r| cell(r, "address")).collect();
    assert!(homes.len() > 5_000);
}

#[test]
fn hard_pairs_are_what_their_class_says() {
    let list = list(11, 1_000, ListProfile::Base);
    let pairs = list.hard_pairs(21);
    assert_eq!(pairs.len(), 21 * HardClass::ALL.len());
    assert!(pairs.len() >= 500 && HardClass::ALL.len() >= 12);
    assert_eq!(pairs, list.hard_pairs(21));
    let mut seen = BTreeSet::new();
    for pair in &pairs {
        let [one, other] = &pair.records;
        assert_eq!(pair.class.same(), one.person == other.person, "{:?}", pair.class);
        assert!(seen.insert(one.cells[0].clone()) && seen.insert(other.cells[0].clone()));
        let both = |column: &str| (cell(one, column), cell(other, column));
        let born = [one, other].map(|r| cell(r, "birth_date"));
        let day = |text: &str| (!text.is_empty()).then(|| birth(text));
        for more in &pair.others {
            assert!(seen.insert(more.cells[0].clone()));
            assert!([one.person, other.person].contains(&more.person));
        }
        match pair.class {
            HardClass::Swapped => assert!(one.tags.has(Tag::Swapped)),
            HardClass::Marriage => assert!(one.tags.has(Tag::Marriage)),
            HardClass::VariantKanji | HardClass::Gaiji => {
                assert!(cell(one, "name_kana").is_empty());
                let (a, b) = both("name_kanji");
                assert_ne!(a.replace([' ', '　'], ""), b.replace([' ', '　'], ""));
            }
            HardClass::BirthMissing => assert!(born[0].is_empty() && !born[1].is_empty()),
            HardClass::EraYear | HardClass::MonthDay | HardClass::Birth0101 => {
                assert_ne!(day(born[0]), day(born[1]));
            }
            HardClass::Moved | HardClass::Elder => {
                let policy = |r| [cell(r, "insurer_no"), cell(r, "symbol"), cell(r, "number")];
                assert_ne!(policy(one), policy(other));
            }
            HardClass::Newborn => assert!(one.tags.has(Tag::Newborn)),
            HardClass::Twins
            | HardClass::TwinsAlike
            | HardClass::Namesakes
            | HardClass::NamesakesByEar => {
                assert_eq!(day(born[0]), day(born[1]));
            }
            HardClass::ParentChild | HardClass::Siblings | HardClass::NearNamesakes => {
                assert_ne!(day(born[0]), day(born[1]));
            }
            _ => {}
        }
    }
}
