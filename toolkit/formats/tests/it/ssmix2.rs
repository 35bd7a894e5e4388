//! SS-MIX2: the generated storage against its truth, the NHO sample tree and its deliberate defects.

use std::collections::{BTreeMap, BTreeSet};

use kiban_formats::{Record, record::Parsed, ssmix2};

use crate::{get, lasting, samples, tree, unpack};

type Bag = BTreeMap<Vec<String>, usize>;

fn add(bag: &mut Bag, key: &[&str]) {
    *bag.entry(key.iter().map(|k| (*k).to_owned()).collect()).or_default() += 1;
}

/// What went into one person's storage, or came out of it.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Person {
    diagnoses: Bag,
    results: Bag,
    drugs: Bag,
    admissions: Bag,
    discharges: Bag,
}

fn truth(csv: &[u8]) -> Person {
    let mut person = Person::default();
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().unwrap().clone();
    for row in reader.records() {
        let row = row.unwrap();
        let cell = |name: &str| &row[header.iter().position(|h| h == name).unwrap()];
        let at = cell("timestamp");
        match cell("type") {
            "0" => add(&mut person.admissions, &[&at[..8]]),
            "1" => add(&mut person.discharges, &[&at[..8], cell("discharge_disposition")]),
            "2" => add(&mut person.diagnoses, &[&at[..8], cell("icd10")]),
            "3" if cell("hot").is_empty() => {
                add(&mut person.drugs, &[&at[..8], "local", cell("text")]);
            }
            "3" => add(&mut person.drugs, &[&at[..8], cell("hot")]),
            "5" => add(
                &mut person.results,
                &[&at[..12], cell("jlac10"), cell("lab_value"), cell("unit")],
            ),
            _ => {}
        }
    }
    person
}

fn collect(person: &mut Person, parsed: &Parsed<'_>) {
    for record in &parsed.records {
        let value = |column: &str| get(record, column).unwrap_or_default();
        match record {
            Record::Condition(_) => {
                add(&mut person.diagnoses, &[&value("recorded_at")[..8], value("icd10")]);
            }
            Record::Measurement(m) if m.category == Some("laboratory") => add(
                &mut person.results,
                &[&value("measured_at")[..12], value("code"), value("value_text"), value("unit")],
            ),
            // The generator writes a drug without a HOT code under one local placeholder code.
            Record::Medication(_) if value("code_system").starts_with("99") => {
                add(&mut person.drugs, &[&value("ordered_at")[..8], "local", value("text")]);
            }
            Record::Medication(_) => {
                add(&mut person.drugs, &[&value("ordered_at")[..8], value("code")]);
            }
            Record::Encounter(e) if e.status == Some("admission") => {
                add(&mut person.admissions, &[&value("start_at")[..8]]);
            }
            Record::Encounter(e) if e.status == Some("discharge") => {
                add(&mut person.discharges, &[&value("end_at")[..8], value("disposition_code")]);
            }
            _ => {}
        }
    }
}

/// `formats.truth`
#[test]
fn the_generated_storage_equals_its_truth() {
    let Some(samples) = samples("the_generated_storage_equals_its_truth") else { return };
    let folder = samples.join("ssmix2_generated");
    let mut expected: Vec<Person> = unpack(&folder.join("source_truth_20patients.tar.xz"))
        .values()
        .map(|csv| truth(csv))
        .collect();
    let files = unpack(&folder.join("storage_20patients.tar.xz"));
    assert_eq!((expected.len(), files.len()), (20, 702));
    let mut found: BTreeMap<String, Person> = BTreeMap::new();
    let mut persons = 0;
    let mut issues: BTreeSet<&str> = BTreeSet::new();
    let mut unread: BTreeSet<String> = BTreeSet::new();
    for (path, bytes) in &files {
        let parsed = ssmix2::parse_file(path, bytes, lasting());
        assert!(!parsed.rejected, "{path}: {:?}", parsed.issues);
        assert!(!parsed.records.is_empty(), "{path}");
        issues.extend(parsed.issues.iter().map(|i| i.rule));
        unread.extend(parsed.unread.iter().map(|u| u.to_string()));
        persons += parsed.records.iter().filter(|r| r.table() == "person").count();
        let person = found.entry(parsed.person.unwrap().to_owned()).or_default();
        collect(person, &parsed);
    }
    let mut found: Vec<Person> = found.into_values().collect();
    expected.sort();
    found.sort();
    let total = |f: fn(&Person) -> &Bag| found.iter().flat_map(|p| f(p).values()).sum::<usize>();
    assert_eq!(total(|p| &p.diagnoses), 81);
    assert_eq!(total(|p| &p.results), 1057);
    assert_eq!(total(|p| &p.drugs), 310);
    assert_eq!((total(|p| &p.admissions), total(|p| &p.discharges)), (8, 8));
    assert!(found == expected, "the import differs from what went in");
    assert_eq!(persons, 20);
    // The generator sends outpatients as ADT^A01; nothing else is wrong with it.
    assert_eq!(issues.into_iter().collect::<Vec<_>>(), ["ssmix2.other-event"]);
    assert_eq!(unread.into_iter().collect::<Vec<_>>(), ["AL1", "DB1", "EVN", "NK1", "ORC", "PV1"]);
}

/// `formats.lossless`
#[test]
fn messages_are_written_back_byte_for_byte() {
    let Some(samples) = samples("messages_are_written_back_byte_for_byte") else { return };
    let mut files = tree(&samples.join("ssmix2"));
    files.extend(unpack(&samples.join("ssmix2_generated/storage_20patients.tar.xz")));
    let mut written = 0;
    for bytes in files.values() {
        let Ok(mut message) = ssmix2::Message::parse(bytes) else { continue };
        assert_eq!(message.to_bytes().unwrap(), *bytes);
        // An edit of nothing re-encodes every segment: the text stays.
        let names: Vec<(usize, String)> = message
            .segments()
            .filter(|(_, s)| s.has_plain_name() && !s.is_empty() && s.name() != "MSH")
            .map(|(i, s)| (i, s.field(1).raw().to_owned()))
            .collect();
        for (index, first) in names {
            message.set_field(index, 1, &first).unwrap();
        }
        let again = message.to_bytes().unwrap().into_owned();
        let back = ssmix2::Message::parse(&again).unwrap();
        for ((_, a), (_, b)) in message.segments().zip(back.segments()) {
            for field in 1..60 {
                assert_eq!(a.field(field).raw(), b.field(field).raw());
            }
        }
        written += 1;
    }
    assert_eq!(written, 702 + 8);
}

#[test]
fn the_deliberate_defects_of_the_nho_tree_have_their_reasons() {
    let Some(samples) = samples("the_deliberate_defects_of_the_nho_tree_have_their_reasons") else {
        return;
    };
    let mut seen = BTreeMap::new();
    let mut unread = BTreeSet::new();
    for (path, bytes) in tree(&samples.join("ssmix2")) {
        if path == "LICENSE.txt" {
            assert!(ssmix2::parse_file(&path, &bytes, lasting()).rejected);
            continue;
        }
        let parsed = ssmix2::parse_file(&path, &bytes, lasting());
        assert!(
            !parsed.records.is_empty() || !parsed.issues.is_empty() || !parsed.unread.is_empty()
        );
        let rules: Vec<&str> = parsed.issues.iter().map(|i| i.rule).collect();
        unread.extend(parsed.unread.iter().map(|u| u.to_string()));
        let folder: Vec<&str> = path.split('/').collect();
        let kind = folder[folder.len() - 2].to_owned();
        let flag = path.chars().last().unwrap();
        seen.insert(
            format!("{kind}/{flag}"),
            (parsed.rejected, parsed.records.len(), rules.join(" ")),
        );
    }
    let of = |key: &str| seen.get(key).map(|(r, n, i)| (*r, *n, i.as_str()));
    assert_eq!(of("ADT-00/1"), Some((false, 6, "")));
    assert_eq!(of("ADT-22/1"), Some((false, 1, "")));
    assert_eq!(of("OMP-01/1"), Some((false, 3, "")));
    assert_eq!(of("OML-01/1"), Some((false, 9, "")));
    assert_eq!(of("OML-11/1"), Some((true, 0, "ssmix2.pid-mismatch")));
    assert_eq!(of("PPR-01/1"), Some((true, 0, "ssmix2.pid-mismatch")));
    assert_eq!(
        of("ADT-31/1"),
        Some((true, 0, "ssmix2.pid-mismatch ssmix2.folder-mismatch ssmix2.too-short"))
    );
    for key in ["OMP-11/0", "OMP-11/1"] {
        let (rejected, _, rules) = of(key).unwrap();
        assert!(rejected && rules.contains("ssmix2.pid-mismatch"), "{key}: {rules}");
    }
    for name in ["NK1", "DB1", "ZI1", "CTI", "ODS", "IPC", "ZE1", "ZE2"] {
        assert!(unread.contains(name), "{name} is not named");
    }
}
