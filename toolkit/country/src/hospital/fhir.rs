//! Hospital B's patients, from a FHIR export.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::Value;

use super::{Hospital, Identifiers, Insured, Patient, kind, note, note_address};
use crate::{day::Day, error::CountryError, fixtures};

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
