//! What the platform's own parsers make of the files: every row is read, nothing is rejected, and the
//! hospitals' patients are those of the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use kiban_country::{CHECKUP_ITEMS, Holder, Params, Specialist};
use kiban_formats::{Arena, Record, fhir, municipal, ssmix2};

use crate::{OnDisk, birth, tree};

fn country() -> OnDisk {
    let specialist = Some(Specialist { persons: 50, ..Specialist::default() });
    OnDisk::new(&Params { persons: 3_000, specialist, ..Params::default() })
}

fn ids(country: &OnDisk, holder: Holder) -> BTreeSet<String> {
    country.country.situations(holder).map(|s| s.local_id).collect()
}

#[test]
fn municipal_files_are_read_row_by_row() {
    let country = country();
    let residents = ids(&country, Holder::Municipality);
    for (name, layout) in [
        ("persons", municipal::Layout::Persons),
        ("coverage", municipal::Layout::Coverage),
        ("checkup", municipal::Layout::Checkup),
        ("death", municipal::Layout::Death),
    ] {
        let path = country.path(&format!("holders/municipality/source/{name}.csv"));
        let bytes = fs::read(path).expect("file");
        let mut lines = bytes.split_inclusive(|b| *b == b'\n');
        let reader = municipal::Reader::new(lines.next().expect("header")).expect("layout");
        assert_eq!(reader.layout(), layout);
        let arena = Arena::new();
        let mut rows = 0;
        for line in lines {
            rows += 1;
            let parsed = reader.parse_row(line, rows + 1, &arena);
            assert!(!parsed.rejected && parsed.issues.is_empty(), "{name}: row {rows}");
            let person = parsed.person.expect("a person");
            assert!(residents.contains(person));
            let records = if name == "checkup" { CHECKUP_ITEMS.len() } else { 1 };
            assert_eq!(parsed.records.len(), records, "{name}: row {rows}");
        }
        assert!(rows > 20, "{name}");
    }
}

#[test]
fn the_hospitals_patients_are_those_of_the_truth() {
    let country = country();
    let mut found = BTreeMap::new();
    for (path, bytes) in tree(&country.path("holders/hospital_a/source")) {
        let arena = Arena::new();
        let parsed = ssmix2::parse_file(path.to_str().expect("text"), &bytes, &arena);
        assert!(!parsed.rejected, "a fixture file is rejected");
        for record in parsed.records {
            if let (Record::Person(person), Some(id)) = (record, parsed.person) {
                found.insert(id.to_string(), person.name_kana.map(|n| n.to_string()));
            }
        }
    }
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), ids(&country, Holder::HospitalA));

    for holder in [Holder::HospitalB, Holder::Specialist] {
        let source = country.path(&format!("holders/{}/source", holder.name()));
        let mut persons = BTreeSet::new();
        for bytes in tree(&source).values() {
            for (line, n) in bytes.split(|b| *b == b'\n').zip(1..) {
                if line.is_empty() {
                    continue;
                }
                let arena = Arena::new();
                let parsed = fhir::parse_line(line, n, &arena);
                assert!(!parsed.rejected);
                for record in &parsed.records {
                    if let (Record::Person(person), Some(id)) = (record, parsed.person) {
                        assert!(person.name_kanji.is_some() && person.birth_on.is_some());
                        persons.insert(id.to_string());
                    }
                }
            }
        }
        assert_eq!(persons, ids(&country, holder));
    }
}

#[test]
fn exact_keys_are_exact_and_the_others_are_not() {
    let country = country();
    let mut hospital: BTreeMap<String, (String, String, jiff::civil::Date)> = BTreeMap::new();
    let mut keep = |record: &Record<'_>, id: &str| {
        if let Record::Person(person) = record {
            let text = |t: Option<&str>| t.unwrap_or("").to_owned();
            let born = birth(person.birth_on.unwrap_or(""));
            hospital.insert(id.to_owned(), (text(person.name_kanji), text(person.name_kana), born));
        }
    };
    for (path, bytes) in tree(&country.path("holders/hospital_a/source")) {
        let arena = Arena::new();
        let parsed = ssmix2::parse_file(path.to_str().expect("text"), &bytes, &arena);
        let id = parsed.person.unwrap_or_default();
        parsed.records.iter().for_each(|r| keep(r, id));
    }
    let patients =
        fs::read(country.path("holders/hospital_b/source/Patient.ndjson")).expect("file");
    for (line, n) in patients.split(|b| *b == b'\n').zip(1..).filter(|(l, _)| !l.is_empty()) {
        let arena = Arena::new();
        let parsed = fhir::parse_line(line, n, &arena);
        let id = parsed.person.unwrap_or_default();
        parsed.records.iter().for_each(|r| keep(r, id));
    }
    let town: BTreeMap<String, BTreeMap<String, String>> = country
        .table("holders/municipality/source/persons.csv")
        .into_iter()
        .map(|r| (r["宛名番号"].clone(), r))
        .collect();
    let plain = |name: &str| name.replace([' ', '　'], "");
    let (mut exact, mut other) = (0, 0);
    for pair in country.country.pairs() {
        let (kanji, kana, born) = &hospital[&pair.first.1];
        let resident = &town[&pair.second.1];
        let same_name = plain(kanji) == plain(&resident["氏名漢字"]);
        let same_day = *born == birth(&resident["生年月日"]);
        let wide = plain(kana) == plain(&resident["氏名カナ"]);
        assert_eq!(same_name && same_day, pair.exact_key, "{}", pair.difference);
        if pair.exact_key {
            exact += 1;
        } else {
            other += 1;
            assert!(!(wide && same_day));
        }
    }
    assert!(exact > 100 && other > 15);
}
