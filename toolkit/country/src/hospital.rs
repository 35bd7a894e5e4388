//! The patients of the two hospitals and every identifying value in their files, read by a small
//! reader of its own: truth must not come from the parsers it judges.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::Value;

use crate::{day::Day, error::CountryError, fixtures};

/// Kind of an identifying value, as `truth/identifiers.csv` names it.
pub(crate) mod kind {
    pub(crate) const NAME_KANJI: &str = "name_kanji";
    pub(crate) const NAME_KANA: &str = "name_kana";
    pub(crate) const PHONE: &str = "phone";
    pub(crate) const LOCAL_ID: &str = "local_id";
    pub(crate) const IDENTIFIER: &str = "identifier";
    pub(crate) const INSURED: &str = "insured_number";
    pub(crate) const ADDRESS: &str = "address";
    pub(crate) const ADDRESS_BELOW: &str = "address_below_municipality";
    pub(crate) const STAFF_NAME: &str = "staff_name";
    pub(crate) const STAFF_ID: &str = "staff_id";
    pub(crate) const CONTACT_NAME: &str = "contact_name";
    pub(crate) const EMPLOYER: &str = "employer";
    pub(crate) const RECORD_KEY: &str = "record_key";
}

/// Identifying values, each once, by kind.
pub(crate) type Identifiers = BTreeSet<(&'static str, String)>;

/// Insurance as a hospital knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Insured {
    pub(crate) insurer_no: String,
    pub(crate) insurer_name: String,
    pub(crate) symbol: String,
    pub(crate) number: String,
    pub(crate) branch: String,
}

/// A patient as the hospital's own files describe him or her.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    pub(crate) local_id: String,
    /// Surname and given name.
    pub(crate) kanji: [String; 2],
    /// Their kana; empty where the hospital has none (newborns).
    pub(crate) kana: [String; 2],
    pub(crate) male: bool,
    pub(crate) born: Day,
    pub(crate) died: Option<Day>,
    pub(crate) address: String,
    pub(crate) insured: Option<Insured>,
}

/// A hospital's patients in a fixed order, and what must not leak.
#[derive(Debug)]
pub(crate) struct Hospital {
    pub(crate) patients: Vec<Patient>,
    pub(crate) identifiers: Identifiers,
}

/// Split an address after its municipality: prefecture, (郡 town | city (ward) | ward | town | village).
pub(crate) fn below_municipality(address: &str) -> Option<&str> {
    let after = |text: &str, marks: &[char], least: usize| {
        text.char_indices()
            .enumerate()
            .find(|(n, (_, c))| *n >= least && marks.contains(c))
            .map(|(_, (i, c))| i + c.len_utf8())
    };
    let prefecture = after(address, &['都', '道', '府', '県'], 2)?;
    let rest = &address[prefecture..];
    let mut at = after(rest, &['市', '区', '町', '村', '郡'], 1)?;
    if rest[..at].ends_with('郡') {
        at += after(&rest[at..], &['町', '村'], 1)?;
    } else if rest[..at].ends_with('市') {
        // a ward within the next four characters belongs to the city
        let ward = after(&rest[at..], &['区'], 1);
        if let Some(ward) = ward.filter(|w| rest[at..at + w].chars().count() <= 4) {
            at += ward;
        }
    }
    Some(&rest[at..])
}

fn note_address(address: &str, out: &mut Identifiers) {
    note(out, kind::ADDRESS, address);
    if let Some(below) = below_municipality(address) {
        note(out, kind::ADDRESS_BELOW, below);
    }
}

fn note(out: &mut Identifiers, kind: &'static str, value: &str) {
    let value = value.trim();
    if !value.is_empty() {
        out.insert((kind, value.to_owned()));
    }
}

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

/// Read hospital B: a FHIR export.
pub(crate) fn read_fhir(folder: Option<&Path>) -> Result<Hospital, CountryError> {
    let mut patients: BTreeMap<String, Patient> = BTreeMap::new();
    let mut coverage: BTreeMap<String, (String, Insured)> = BTreeMap::new();
    let mut identifiers = Identifiers::new();
    fixtures::each_fhir(folder, &mut |name, reader| {
        let stem = name.split(['.', '-']).next().unwrap_or_default();
        let needed = matches!(stem, "Patient" | "Coverage" | "Practitioner" | "PractitionerRole");
        for (i, line) in BufReader::new(reader).lines().enumerate() {
            let wrong = || CountryError::Fixture { file: name.to_owned(), line: i + 1 };
            let line = line.map_err(|_| wrong())?;
            if !needed {
                break;
            }
            if line.trim().is_empty() {
                continue;
            }
            let resource: Value = serde_json::from_str(&line).map_err(|_| wrong())?;
            match resource["resourceType"].as_str() {
                Some("Patient") => {
                    note_patient(&resource, &mut identifiers);
                    if let Some(patient) = patient(&resource) {
                        patients.insert(patient.local_id.clone(), patient);
                    }
                }
                Some("Coverage") => {
                    if let Some((id, start, insured)) = insured(&resource) {
                        note(&mut identifiers, kind::INSURED, &insured.number);
                        for member in values(&resource["identifier"], "value") {
                            note(&mut identifiers, kind::IDENTIFIER, member);
                        }
                        note(&mut identifiers, kind::IDENTIFIER, text(&resource["subscriberId"]));
                        let known = coverage.get(&id).is_some_and(|(s, _)| *s >= start);
                        if !known {
                            coverage.insert(id, (start, insured));
                        }
                    }
                }
                Some("Practitioner" | "PractitionerRole") => {
                    note_staff(&resource, &mut identifiers);
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    for (id, (_, insured)) in coverage {
        if let Some(patient) = patients.get_mut(&id) {
            patient.insured = Some(insured);
        }
    }
    if patients.is_empty() {
        return Err(CountryError::NoPatient { holder: "hospital_b" });
    }
    Ok(Hospital { patients: patients.into_values().collect(), identifiers })
}

/// Ids and business identifiers of every record of hospital B but its places and organizations.
pub(crate) fn fhir_record_keys(folder: Option<&Path>) -> Result<Identifiers, CountryError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Keys {
        resource_type: String,
        id: Option<String>,
        #[serde(default)]
        identifier: Vec<Identifier>,
    }
    #[derive(serde::Deserialize)]
    struct Identifier {
        value: Option<String>,
    }
    let mut out = Identifiers::new();
    fixtures::each_fhir(folder, &mut |name, reader| {
        for (i, line) in BufReader::new(reader).lines().enumerate() {
            let wrong = || CountryError::Fixture { file: name.to_owned(), line: i + 1 };
            let line = line.map_err(|_| wrong())?;
            if line.trim().is_empty() {
                continue;
            }
            let keys: Keys = serde_json::from_str(&line).map_err(|_| wrong())?;
            if matches!(keys.resource_type.as_str(), "Organization" | "Location") {
                continue;
            }
            for key in keys.identifier.into_iter().filter_map(|i| i.value).chain(keys.id) {
                // a running number inside a prescription identifies nothing
                if key.len() > 3 {
                    note(&mut out, kind::RECORD_KEY, &key);
                }
            }
        }
        Ok(())
    })?;
    Ok(out)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn values<'a>(value: &'a Value, name: &'a str) -> impl Iterator<Item = &'a str> {
    list(value).iter().map(move |v| text(&v[name]))
}

fn name_of(name: &Value) -> (bool, [String; 2]) {
    let kana = values(&name["extension"], "valueCode").any(|code| code == "SYL");
    let given: Vec<&str> = list(&name["given"]).iter().map(text).collect();
    (kana, [text(&name["family"]).to_owned(), given.join(" ")])
}

fn patient(resource: &Value) -> Option<Patient> {
    let mut kanji = [String::new(), String::new()];
    let mut kana = kanji.clone();
    for name in list(&resource["name"]) {
        match name_of(name) {
            (true, name) => kana = name,
            (false, name) => kanji = name,
        }
    }
    Some(Patient {
        local_id: resource["id"].as_str()?.to_owned(),
        kanji,
        kana,
        male: resource["gender"] == "male",
        born: Day::parse(text(&resource["birthDate"]))?,
        died: Day::parse(text(&resource["deceasedDateTime"])),
        address: text(&resource["address"][0]["text"]).to_owned(),
        insured: None,
    })
}

fn note_patient(resource: &Value, out: &mut Identifiers) {
    note(out, kind::LOCAL_ID, text(&resource["id"]));
    for value in values(&resource["identifier"], "value") {
        note(out, kind::IDENTIFIER, value);
    }
    for name in list(&resource["name"]) {
        let (kana, name) = name_of(name);
        note(out, if kana { kind::NAME_KANA } else { kind::NAME_KANJI }, &name.join(" "));
    }
    for phone in values(&resource["telecom"], "value") {
        note(out, kind::PHONE, phone);
    }
    for address in list(&resource["address"]) {
        note_address(text(&address["text"]), out);
    }
    for contact in list(&resource["contact"]) {
        note(out, kind::CONTACT_NAME, text(&contact["name"]["text"]));
        for phone in values(&contact["telecom"], "value") {
            note(out, kind::PHONE, phone);
        }
    }
}

fn note_staff(resource: &Value, out: &mut Identifiers) {
    note(out, kind::STAFF_ID, text(&resource["id"]));
    for value in values(&resource["identifier"], "value") {
        note(out, kind::STAFF_ID, value);
    }
    for name in list(&resource["name"]) {
        note(out, kind::STAFF_NAME, &name_of(name).1.join(" "));
    }
    for phone in values(&resource["telecom"], "value") {
        note(out, kind::PHONE, phone);
    }
}

fn insured(resource: &Value) -> Option<(String, String, Insured)> {
    let id = text(&resource["beneficiary"]["reference"]).strip_prefix("Patient/")?.to_owned();
    let mut insured = Insured {
        insurer_no: text(&resource["payor"][0]["reference"])
            .rsplit(['/', '-'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        insurer_name: text(&resource["class"][0]["name"]).to_owned(),
        ..Insured::default()
    };
    for extension in list(&resource["extension"]) {
        let value = text(&extension["valueString"]).to_owned();
        match text(&extension["url"]).rsplit('_').next() {
            Some("InsuredPersonSymbol") => insured.symbol = value,
            Some("InsuredPersonNumber") => insured.number = value,
            Some("InsuredPersonSubNumber") => insured.branch = value,
            _ => {}
        }
    }
    Some((id, text(&resource["period"]["start"]).to_owned(), insured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fixtures_are_read_completely() {
        let a = read_ssmix2(None).expect("storage");
        assert_eq!(a.patients.len(), 20);
        assert!(a.patients.iter().all(|p| !p.kana[0].is_empty() && p.address.contains("丁目")));
        let b = read_fhir(None).expect("export");
        assert_eq!(b.patients.len(), 210);
        assert_eq!(b.patients.iter().filter(|p| p.died.is_some()).count(), 7);
        assert_eq!(b.patients.iter().filter(|p| p.kana[0].is_empty()).count(), 5);
        assert!(b.patients.iter().filter(|p| p.insured.is_some()).count() > 150);
        for hospital in [&a, &b] {
            for wanted in [kind::NAME_KANJI, kind::NAME_KANA, kind::PHONE, kind::STAFF_NAME] {
                assert!(hospital.identifiers.iter().filter(|(k, _)| *k == wanted).count() >= 10);
            }
            let split =
                hospital.patients.iter().filter(|p| below_municipality(&p.address).is_some());
            assert_eq!(split.count(), hospital.patients.len());
        }
    }

    #[test]
    fn addresses_are_cut_after_the_municipality() {
        for (address, below) in [
            ("香川県綾歌郡綾川町東分99丁目21番4号", "東分99丁目21番4号"),
            ("京都府京都市西京区桂巽町99丁目16番6号", "桂巽町99丁目16番6号"),
            ("千葉県市川市若葉3丁目23-2", "若葉3丁目23-2"),
            ("東京都新島村若郷99丁目3番15号", "若郷99丁目3番15号"),
            ("石川県加賀市七日市町99丁目12番5号", "七日市町99丁目12番5号"),
            ("東京都大田区大宮3丁目23-5", "大宮3丁目23-5"),
        ] {
            assert_eq!(below_municipality(address), Some(below));
        }
    }
}
