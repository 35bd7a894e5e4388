use std::borrow::Cow;

use super::*;
use crate::record::Record;

fn get<'r>(record: &'r Record<'_>, column: &str) -> Option<&'r str> {
    let mut found = None;
    record.for_each(|name, value| {
        if name == column {
            found = value;
        }
    });
    found
}

#[test]
fn a_patient_gives_person_and_death() {
    let line = r#"{"resourceType":"Patient","id":"p1","identifier":[{"type":{"coding":[{"code":"MR"}]},"value":"0012"}],"name":[{"text":"見本 太郎","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation","valueCode":"IDE"}]},{"family":"ミホン","given":["タロウ"]}],"gender":"male","birthDate":"1950-01-01","address":[{"use":"work","text":"勤務先"},{"use":"home","city":"架空市","line":["1-1"],"postalCode":"100-0001"}],"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@b"},{"system":"phone","value":"2"}],"deceasedDateTime":"2024-02","contact":[],"_gender":{}}"#;
    let parsed = parse_line(line.as_bytes(), 7);
    assert_eq!(parsed.person.as_deref(), Some("p1"));
    let person = &parsed.records[0];
    assert_eq!(get(person, "name_kanji"), Some("見本 太郎"));
    assert_eq!(get(person, "name_kana"), Some("ミホン タロウ"));
    assert_eq!(get(person, "sex"), Some("M"));
    assert_eq!(get(person, "address"), Some("架空市1-1"));
    assert_eq!(get(person, "phone"), Some("1;2"));
    assert_eq!(get(person, "record_no"), Some("0012"));
    assert_eq!(person.position(), "line 7");
    assert_eq!(
        (parsed.records[1].table(), get(&parsed.records[1], "died_on")),
        ("death", Some("2024-02"))
    );
    let unread = ["Patient.contact", "Patient._gender", "Patient.telecom (not a telephone)"];
    assert_eq!(parsed.unread, unread);
}

#[test]
fn an_observation_gives_its_value_and_its_components() {
    let line = r#"{"resourceType":"Observation","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"urn:x","code":"85354-9","display":"BP"}]},"subject":{"reference":"https://h/fhir/Patient/p1/_history/3"},"encounter":{"reference":"Encounter/e1"},"effectivePeriod":{"start":"2024-01-01"},"valueQuantity":{"value":7.20,"comparator":"<","unit":"g","system":"u"},"component":[{"code":{"text":"sys"},"valueQuantity":{"value":120}},{"code":{"text":"q"},"valueString":"5以下"},{"code":{"text":"c"},"valueCodeableConcept":{"coding":[{"code":"260385009","display":"Negative"}],"text":"陰性"}},{"code":{"text":"b"},"valueBoolean":true}],"referenceRange":[{"low":{"value":1.0},"high":{"value":2}}],"method":{"text":"x"}}"#;
    let parsed = parse_line(line.as_bytes(), 3);
    assert_eq!((parsed.person.as_deref(), parsed.records.len()), (Some("p1"), 5));
    let own = &parsed.records[0];
    assert_eq!(get(own, "category"), Some("vital"));
    assert_eq!((get(own, "value_text"), get(own, "value_num")), (Some("<7.20"), Some("7.20")));
    assert_eq!(get(own, "reference_range"), Some("1.0-2"));
    assert_eq!(get(own, "encounter_key"), Some("e1"));
    assert_eq!(parsed.records[1].position(), "line 3 component[0]");
    assert_eq!(get(&parsed.records[2], "comparator"), Some("<="));
    assert_eq!(get(&parsed.records[3], "value_code"), Some("260385009"));
    assert_eq!(get(&parsed.records[4], "value_text"), Some("true"));
    assert!(parsed.records.iter().all(|r| get(r, "measured_at") == Some("2024-01-01")));
    assert_eq!(parsed.unread, ["Observation.method"]);
    let panel = line
        .replace(r#""valueQuantity":{"value":7.20,"comparator":"<","unit":"g","system":"u"},"#, "");
    assert_eq!(parse_line(panel.as_bytes(), 1).records.len(), 4, "a panel has no row of its own");
}

#[test]
fn conditions_find_icd10_and_keep_the_other_code() {
    let line = r#"{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"verificationStatus":{"coding":[{"code":"provisional"}]},"clinicalStatus":{"coding":[{"code":"resolved"}]},"code":{"coding":[{"system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full","code":"e11.9"},{"system":"http://medis.or.jp/CodeSystem/master-disease-keyNumber","code":"20054174"}],"text":"糖尿病"},"onsetDateTime":"2020","abatementDateTime":"2021-02"}"#;
    let parsed = parse_line(line.as_bytes(), 1);
    let record = &parsed.records[0];
    assert_eq!((get(record, "icd10"), get(record, "code")), (Some("E119"), Some("20054174")));
    assert_eq!(
        (get(record, "certainty"), get(record, "outcome")),
        (Some("suspected"), Some("resolved"))
    );
    assert_eq!(
        (get(record, "onset_on"), get(record, "resolved_on")),
        (Some("2020"), Some("2021-02"))
    );
}

#[test]
fn drugs_keep_dose_days_and_usage() {
    let line = r#"{"resourceType":"MedicationRequest","status":"active","subject":{"reference":"Patient/p1"},"authoredOn":"2024-01-01","requester":{"reference":"Practitioner/d","display":"医師 一郎"},"medicationCodeableConcept":{"coding":[{"system":"http://medis.or.jp/CodeSystem/master-HOT7","code":"2254001","display":"薬"}]},"dosageInstruction":[{"text":"朝食後","doseAndRate":[{"doseQuantity":{"value":2.5,"unit":"mg"}}],"timing":{"repeat":{"boundsDuration":{"value":7,"code":"d"}},"code":{"coding":[{"code":"U1"}]}},"route":{"text":"内服"},"extension":[{"url":"x/JP_MedicationDosage_PeriodOfUse","valuePeriod":{"start":"2024-01-02"}}]},{}],"dispenseRequest":{"quantity":{"value":14,"unit":"錠"},"expectedSupplyDuration":{"value":2,"unit":"週"}}}"#;
    let parsed = parse_line(line.as_bytes(), 1);
    let record = &parsed.records[0];
    for (column, value) in [
        ("code", "2254001"),
        ("text", "薬"),
        ("dose", "2.5"),
        ("dose_unit", "mg"),
        ("days", "7"),
        ("quantity", "14"),
        ("quantity_unit", "錠"),
        ("route", "内服"),
        ("usage_code", "U1"),
        ("usage_text", "朝食後"),
        ("started_at", "2024-01-02"),
        ("practitioner", "医師 一郎"),
    ] {
        assert_eq!(get(record, column), Some(value), "{column}");
    }
    assert_eq!(parsed.unread, ["MedicationRequest.dosageInstruction[1..]"]);
}

#[test]
fn coverage_encounter_procedure_and_report() {
    let line = r#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/p1"},"identifier":[{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"01130012:3705:39761652:02"}],"extension":[{"url":"x/JP_Coverage_InsuredPersonSymbol","valueString":"記号"}],"class":[{"type":{"coding":[{"code":"group"}]},"name":"協会"}],"period":{"start":"2024-04-01"}}"#;
    let parsed = parse_line(line.as_bytes(), 1);
    let record = &parsed.records[0];
    assert_eq!(
        (get(record, "insurer_no"), get(record, "insured_symbol")),
        (Some("01130012"), Some("記号"))
    );
    assert_eq!(
        (get(record, "insured_number"), get(record, "insured_branch")),
        (Some("39761652"), Some("02"))
    );

    let line = r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p1"},"period":{"start":"a","end":"b"},"serviceType":{"text":"内科"},"hospitalization":{"dischargeDisposition":{"coding":[{"code":"home"}]}},"participant":[{"individual":{"display":"x"}},{"type":[{"coding":[{"code":"ATND"}]}],"individual":{"display":"y"}}]}"#;
    let parsed = parse_line(line.as_bytes(), 1);
    let record = &parsed.records[0];
    assert_eq!((get(record, "class"), get(record, "practitioner")), (Some("I"), Some("y")));
    assert_eq!(
        (get(record, "department_text"), get(record, "disposition_code")),
        (Some("内科"), Some("home"))
    );

    let line = r#"{"resourceType":"DiagnosticReport","subject":{"reference":"Patient/p1"},"code":{"text":"肝機能"},"issued":"2024-01-02","conclusion":"異常なし","presentedForm":[{"data":"eA=="}]}"#;
    let parsed = parse_line(line.as_bytes(), 1);
    assert_eq!(
        (get(&parsed.records[0], "title"), get(&parsed.records[0], "text")),
        (Some("肝機能"), Some("異常なし"))
    );
    assert_eq!(parsed.unread, ["DiagnosticReport.presentedForm"]);
    let silent = line.replace(r#""conclusion":"異常なし","#, "");
    assert_eq!(
        parse_line(silent.as_bytes(), 1).unread,
        ["DiagnosticReport.presentedForm", "DiagnosticReport"]
    );
}

#[test]
fn text_is_borrowed_from_the_line() {
    let line = br#"{"resourceType":"Procedure","code":{"text":"plain"},"subject":{"reference":"Patient/p1"}}"#;
    let parsed = parse_line(line, 1);
    let Record::Procedure(p) = &parsed.records[0] else { panic!() };
    assert!(matches!(p.text, Some(Cow::Borrowed("plain"))));
    assert!(matches!(parsed.person, Some(Cow::Borrowed("p1"))));
}

#[test]
fn other_types_are_named_with_or_without_a_person() {
    let parsed =
        parse_line(br#"{"resourceType":"Immunization","patient":{"reference":"Patient/p1"}}"#, 1);
    assert_eq!((parsed.person.as_deref(), parsed.rejected), (Some("p1"), false));
    assert_eq!(parsed.unread, ["Immunization"]);
    for kind in ["Organization", "Practitioner", "PractitionerRole", "Location"] {
        let line = format!(r#"{{"id":"1","resourceType":"{kind}"}}"#);
        let parsed = parse_line(line.as_bytes(), 1);
        assert_eq!(
            (parsed.person.is_none(), parsed.rejected, parsed.records.len()),
            (true, false, 0)
        );
        assert_eq!(parsed.unread, [kind]);
    }
}

#[test]
fn every_defect_of_a_line_has_its_reason() {
    let subject = r#""subject":{"reference":"Patient/p1"}"#;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"\xff".to_vec(), "fhir.not-utf8"),
        (b"{".to_vec(), "fhir.not-json"),
        (b"{\"resourceType\":\"Patient\",}".to_vec(), "fhir.not-json"),
        (b"{\"id\":\"1\"}".to_vec(), "fhir.no-type"),
        (b"[]".to_vec(), "fhir.shape"),
        (format!(r#"{{"resourceType":"Condition",{subject},"code":[]}}"#).into_bytes(), "fhir.shape"),
        (format!(r#"{{"resourceType":"Condition",{subject},"resourceType":"Procedure"}}"#).into_bytes(), "fhir.shape"),
        (br#"{"resourceType":"Condition"}"#.to_vec(), "fhir.no-person"),
        (br#"{"resourceType":"Condition","subject":{"reference":"urn:uuid:1"}}"#.to_vec(), "fhir.no-person"),
        (br#"{"resourceType":"Consent"}"#.to_vec(), "fhir.no-person"),
        (br#"{"resourceType":"Patient"}"#.to_vec(), "fhir.no-person"),
        (format!(r#"{{"resourceType":"Condition",{subject},"modifierExtension":[]}}"#).into_bytes(), "fhir.modifier"),
        (format!(r#"{{"resourceType":"Condition","implicitRules":"x",{subject}}}"#).into_bytes(), "fhir.modifier"),
        (br#"{"resourceType":"Bundle","entry":[]}"#.to_vec(), "fhir.bundle"),
        (br#"{"resourceType":"Patient","id":"1","identifier":[{"value":"1234 5678 9018"}]}"#.to_vec(), "my-number"),
        (br#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/p"},"subscriberId":"123456789018"}"#.to_vec(), "my-number"),
    ];
    for (line, rule) in cases {
        let parsed = parse_line(&line, 4);
        assert!(parsed.rejected && parsed.records.is_empty() && parsed.person.is_none(), "{rule}");
        assert_eq!(parsed.issues[0].rule, rule);
        assert!(parsed.issues[0].position.starts_with("line 4"));
    }
    let components = "{},".repeat(MAX_OBJECTS + 1);
    let line = format!(r#"{{"resourceType":"Observation","component":[{components}{{}}]}}"#);
    assert_eq!(parse_line(line.as_bytes(), 4).issues[0].rule, "fhir.too-large");
    assert_eq!(parse_line(b" \r", 1), Parsed::default());
}
