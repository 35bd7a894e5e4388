//! A specialist hospital: many people of one designated disease, as a FHIR JP Core export. In such a
//! hospital a rare disease is common, and must nevertheless not be printed.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    chance::{Purpose, Streams},
    country::Country,
    day::Day,
    details::address,
    error::CountryError,
    file::{Style, TextFile},
    hospital::{Identifiers, Patient, below_municipality, kind},
    params::{Params, Specialist},
    people::Keys,
    progress::Progress,
    table::Tables,
};

const ICD10: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full";
const JLAC10: &str = "urn:oid:1.2.392.200119.4.504";
const DOCTOR: (&str, &str, &str) = ("DR-SP-001", "架空山", "健太郎");
const TRIES: u32 = 400;

/// The patients: people of all ages from all places of the table, none of whom lives in the municipality.
pub(crate) fn patients(
    params: &Params,
    tables: &Tables,
    keys: &mut Keys,
    today: Day,
) -> Result<Vec<Patient>, CountryError> {
    let count = params.specialist.as_ref().map_or(0, |s| s.persons);
    let streams = Streams::new(params.seed, Purpose::Specialist);
    (0..count)
        .map(|n| {
            let chance = &mut streams.of(u64::from(n));
            let male = chance.chance(0.45);
            let born =
                today.plus(-(chance.between(18, 84) * 36_525 / 100 + chance.between(1, 364)));
            for _ in 0..TRIES {
                let family = &tables.surnames[tables.surname(chance) as usize];
                let given = tables.given_name(male, born.civil().0, chance) as usize;
                let given = &tables.given(male)[given];
                if keys.take([family.kanji, given.kanji], [&family.key, &given.key], born, male) {
                    return Ok(Patient {
                        local_id: format!("sp-{:010x}", chance.number() >> 24),
                        kanji: [family.kanji.into(), given.kanji.into()],
                        kana: [family.kana.into(), given.kana.into()],
                        male,
                        born,
                        died: None,
                        address: address(tables, chance.pick(&tables.places), chance).0,
                        insured: None,
                    });
                }
            }
            Err(CountryError::NamesExhausted { resident: n, tries: TRIES })
        })
        .collect()
}

/// What must not leak of these patients and their doctor.
pub(crate) fn identifiers(patients: &[Patient]) -> Identifiers {
    let mut out = Identifiers::new();
    for (n, patient) in patients.iter().enumerate() {
        out.insert((kind::LOCAL_ID, patient.local_id.clone()));
        out.insert((kind::IDENTIFIER, record_number(n)));
        out.insert((kind::NAME_KANJI, patient.kanji.join(" ")));
        out.insert((kind::NAME_KANA, patient.kana.join(" ")));
        out.insert((kind::ADDRESS, patient.address.clone()));
        out.insert((kind::PHONE, phone(n)));
        if let Some(below) = below_municipality(&patient.address) {
            out.insert((kind::ADDRESS_BELOW, below.to_owned()));
        }
    }
    if !patients.is_empty() {
        out.insert((kind::STAFF_ID, DOCTOR.0.into()));
        out.insert((kind::STAFF_NAME, format!("{} {}", DOCTOR.1, DOCTOR.2)));
    }
    out
}

fn record_number(n: usize) -> String {
    format!("SPC-{:07}", 4_100_000 + n * 7)
}

fn phone(n: usize) -> String {
    format!("099-9{:02}-{:04}", n / 10_000 % 100, n % 10_000)
}

pub(crate) fn write(
    country: &Country,
    disease: &Specialist,
    dir: &Path,
    progress: &mut dyn Progress,
) -> Result<(), CountryError> {
    let create = |name| TextFile::create(dir, name, Style::Plain, "");
    let mut people = create("Patient.ndjson")?;
    let mut encounters = create("Encounter.ndjson")?;
    let mut conditions = create("Condition.ndjson")?;
    let mut observations = create("Observation.ndjson")?;
    let mut staff = create("Practitioner.ndjson")?;
    staff.line(&doctor().to_string())?;
    let streams = Streams::new(country.params.seed, Purpose::Specialist);
    for (n, patient) in country.specialist.iter().enumerate() {
        let chance = &mut streams.of((1 << 40) + n as u64);
        people.line(&person(n, patient).to_string())?;
        let onset = country.days.notice.plus(-chance.between(400, 4_000));
        for visit in 0..chance.between(1, 4) {
            let on = country.days.notice.plus(-chance.between(1, 390));
            let id = format!("sp-enc-{n}-{visit}");
            encounters.line(&encounter(&id, patient, on).to_string())?;
            if visit == 0 {
                conditions.line(&condition(n, patient, disease, onset, on, &id).to_string())?;
            }
            let hba1c = 5.9 + chance.normal() * 0.6;
            observations.line(&observation(&id, patient, on, hba1c).to_string())?;
        }
        progress.advance(1);
    }
    for file in [people, encounters, conditions, observations, staff] {
        file.finish()?;
    }
    Ok(())
}

fn reference(patient: &Patient) -> Value {
    json!({ "reference": format!("Patient/{}", patient.local_id) })
}

fn by_doctor() -> Value {
    json!({
        "reference": format!("Practitioner/{}", DOCTOR.0),
        "display": format!("{} {}", DOCTOR.1, DOCTOR.2),
    })
}

fn name(parts: &[String; 2], code: &str) -> Value {
    json!({
        "use": "official", "text": parts.join(" "), "family": parts[0], "given": [parts[1]],
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
            "valueCode": code,
        }],
    })
}

fn profile(name: &str) -> Value {
    json!({ "profile": [format!("http://jpfhir.jp/fhir/core/StructureDefinition/{name}")] })
}

fn doctor() -> Value {
    let names = [DOCTOR.1.to_owned(), DOCTOR.2.to_owned()];
    json!({
        "resourceType": "Practitioner", "id": DOCTOR.0, "meta": profile("JP_Practitioner"),
        "name": [name(&names, "IDE")],
    })
}

fn person(n: usize, patient: &Patient) -> Value {
    json!({
        "resourceType": "Patient", "id": patient.local_id, "meta": profile("JP_Patient"),
        "identifier": [{ "system": "urn:oid:1.2.392.100495.20.3.51.1", "value": record_number(n) }],
        "active": true,
        "name": [name(&patient.kanji, "IDE"), name(&patient.kana, "SYL")],
        "gender": if patient.male { "male" } else { "female" },
        "birthDate": patient.born.to_string(),
        "address": [{ "use": "home", "text": patient.address, "country": "JP" }],
        "telecom": [{ "system": "phone", "value": phone(n), "use": "home" }],
    })
}

fn encounter(id: &str, patient: &Patient, on: Day) -> Value {
    json!({
        "resourceType": "Encounter", "id": id, "meta": profile("JP_Encounter"),
        "status": "finished",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "subject": reference(patient),
        "serviceType": { "text": "代謝内科" },
        "period": {
            "start": format!("{on}T10:00:00+09:00"), "end": format!("{on}T10:20:00+09:00"),
        },
        "participant": [{ "individual": by_doctor() }],
    })
}

fn condition(
    n: usize,
    patient: &Patient,
    disease: &Specialist,
    onset: Day,
    on: Day,
    encounter: &str,
) -> Value {
    json!({
        "resourceType": "Condition", "id": format!("sp-cond-{n}"), "meta": profile("JP_Condition"),
        "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active",
        }] },
        "verificationStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
            "code": "confirmed",
        }] },
        "code": {
            "coding": [{ "system": ICD10, "code": disease.icd10, "display": disease.disease }],
            "text": disease.disease,
        },
        "subject": reference(patient),
        "encounter": { "reference": format!("Encounter/{encounter}") },
        "onsetDateTime": onset.to_string(),
        "recordedDate": format!("{on}T10:15:00+09:00"),
        "recorder": by_doctor(),
    })
}

fn observation(encounter: &str, patient: &Patient, on: Day, hba1c: f64) -> Value {
    let tenths = (hba1c * 10.0).round() / 10.0;
    json!({
        "resourceType": "Observation", "id": format!("{encounter}-hba1c"),
        "meta": profile("JP_Observation_LabResult"),
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS",
            "code": "laboratory",
        }] }],
        "code": {
            "coding": [{ "system": JLAC10, "code": "3D046000001906202", "display": "HbA1c(NGSP)" }],
            "text": "HbA1c(NGSP)",
        },
        "subject": reference(patient),
        "encounter": { "reference": format!("Encounter/{encounter}") },
        "effectiveDateTime": format!("{on}T10:05:00+09:00"),
        "valueQuantity": {
            "value": tenths, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%",
        },
        "performer": [by_doctor()],
    })
}
