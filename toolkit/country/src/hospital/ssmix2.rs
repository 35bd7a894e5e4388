//! Hospital A's patients, from an SS-MIX2 standardized storage.

use std::{collections::BTreeMap, path::Path};

use super::{Hospital, Identifiers, Patient, kind, note, note_address};
use crate::{day::Day, error::CountryError, fixtures};

/// Read hospital A: an SS-MIX2 standardized storage.
pub(crate) fn read_ssmix2(folder: Option<&Path>) -> Result<Hospital, CountryError> {
    let mut patients: BTreeMap<String, (String, Patient)> = BTreeMap::new();
    let mut identifiers = Identifiers::new();
    fixtures::each_ssmix2(folder, &mut |path, reader| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(CountryError::io("read", "SS-MIX2 file"))?;
        let (text, _, _) = encoding_rs::ISO_2022_JP.decode(&bytes);
        let current = name.contains("_ADT-00_");
        for segment in text.split(['\r', '\n']) {
            read_segment(segment, current, &name, &mut patients, &mut identifiers);
        }
        Ok(())
    })?;
    if patients.is_empty() {
        return Err(CountryError::NoPatient { holder: "hospital_a" });
    }
    let patients = patients.into_values().map(|(_, p)| p).collect();
    Ok(Hospital { patients, identifiers })
}

fn read_segment(
    segment: &str,
    current: bool,
    file: &str,
    patients: &mut BTreeMap<String, (String, Patient)>,
    out: &mut Identifiers,
) {
    let fields: Vec<&str> = segment.split('|').collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    match field(0) {
        "PID" => {
            note(out, kind::LOCAL_ID, component(field(3), 0));
            let patient = pid(&fields);
            for (kind, name) in names(field(5)) {
                note(out, kind, &name.join(" "));
            }
            note_phones(field(13), out);
            note_phones(field(14), out);
            for address in field(11).split('~') {
                note_address(component(address, 7), out);
            }
            if let Some(patient) = patient {
                // the newest basic-data file wins; file names end with their time
                let rank = format!("{}{file}", u8::from(current));
                let known = patients.get(&patient.local_id).is_some_and(|(r, _)| *r >= rank);
                if !known {
                    patients.insert(patient.local_id.clone(), (rank, patient));
                }
            }
        }
        "NK1" => {
            for (_, name) in names(field(2)) {
                note(out, kind::CONTACT_NAME, &name.join(" "));
            }
            note_address(component(field(4), 7), out);
            note(out, kind::PHONE, field(5));
            note(out, kind::PHONE, field(6));
            note(out, kind::EMPLOYER, field(13));
        }
        "IN1" => {
            for part in fields.iter().skip(9).flat_map(|f| f.split(['~', '^'])) {
                if part.len() >= 6
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && Day::parse(part).is_none()
                {
                    note(out, kind::INSURED, part);
                }
            }
        }
        "MSH" => note(out, kind::RECORD_KEY, field(9)),
        "EVN" | "PV1" | "ORC" | "OBR" | "OBX" | "RXE" | "DG1" | "PRB" | "AL1" => {
            if matches!(field(0), "ORC" | "OBR") {
                for key in [field(2), field(3), field(4)] {
                    // a battery's code stands in OBR-4
                    if !key.contains('^') {
                        note(out, kind::RECORD_KEY, key);
                    }
                }
            }
            if field(0) == "PRB" {
                note(out, kind::RECORD_KEY, component(field(4), 0));
            }
            // an extended composite name: a number, surname, given name
            for value in fields.iter().skip(1).flat_map(|f| f.split('~')) {
                let parts: Vec<&str> = value.split('^').collect();
                if let [id, surname, given, ..] = parts[..] {
                    let number = id.len() >= 4 && id.bytes().all(|b| b.is_ascii_alphanumeric());
                    let japanese = |s: &str| !s.is_empty() && s.chars().all(|c| c as u32 > 0x7f);
                    if number && japanese(surname) && japanese(given) {
                        note(out, kind::STAFF_ID, id);
                        note(out, kind::STAFF_NAME, &format!("{surname} {given}"));
                    }
                }
            }
        }
        _ => {}
    }
}

fn component(field: &str, n: usize) -> &str {
    field.split('^').nth(n).unwrap_or_default()
}

/// The repetitions of an extended person name: `I` is kanji, `P` is kana.
fn names(field: &str) -> Vec<(&'static str, [String; 2])> {
    field
        .split('~')
        .filter(|name| !component(name, 0).is_empty())
        .map(|name| {
            let kind = if component(name, 7) == "P" { kind::NAME_KANA } else { kind::NAME_KANJI };
            (kind, [component(name, 0).to_owned(), component(name, 1).to_owned()])
        })
        .collect()
}

fn note_phones(field: &str, out: &mut Identifiers) {
    for phone in field.split('~') {
        for n in [0, 11] {
            note(out, kind::PHONE, component(phone, n));
        }
    }
}

fn pid(fields: &[&str]) -> Option<Patient> {
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    let local_id = component(field(3), 0);
    if local_id.is_empty() {
        return None;
    }
    let mut kanji = [String::new(), String::new()];
    let mut kana = kanji.clone();
    for (kind, name) in names(field(5)) {
        if kind == kind::NAME_KANA { kana = name } else { kanji = name }
    }
    Some(Patient {
        local_id: local_id.to_owned(),
        kanji,
        kana,
        male: field(8) == "M",
        born: Day::parse(field(7))?,
        died: Day::parse(field(29)),
        address: component(field(11), 7).to_owned(),
        insured: None,
    })
}
