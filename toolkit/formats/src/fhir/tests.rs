use super::*;
use crate::arena::lasting;
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
    let parsed = parse_line(line.as_bytes(), 7, lasting());
    assert_eq!(parsed.person, Some("p1"));
    let person = &parsed.records[0];
    assert_eq!(get(person, "name_kanji"), Some("見本 太郎"));
    assert_eq!(get(person, "name_kana"), Some("ミホン タロウ"));
    assert_eq!(get(person, "sex"), Some("M"));
    assert_eq!(get(person, "address"), Some("架空市1-1"));
    assert_eq!(get(person, "phone"), Some("1;2"));
    assert_eq!(get(person, "record_no"), Some("0012"));
    assert_eq!(*person.position(), "line 7");
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
    let parsed = parse_line(line.as_bytes(), 3, lasting());
    assert_eq!((parsed.person, parsed.records.len()), (Some("p1"), 5));
    let own = &parsed.records[0];
    assert_eq!(get(own, "category"), Some("vital"));
    assert_eq!((get(own, "value_text"), get(own, "value_num")), (Some("<7.20"), Some("7.20")));
    assert_eq!(get(own, "reference_range"), Some("1.0-2"));
    assert_eq!(get(own, "encounter_key"), Some("e1"));
    assert_eq!(*parsed.records[1].position(), "line 3 component[0]");
    assert_eq!(get(&parsed.records[2], "comparator"), Some("<="));
    assert_eq!(get(&parsed.records[3], "value_code"), Some("260385009"));
    assert_eq!(get(&parsed.records[4], "value_text"), Some("true"));
    assert!(parsed.records.iter().all(|r| get(r, "measured_at") == Some("2024-01-01")));
    assert_eq!(parsed.unread, ["Observation.method"]);
    let panel = line
        .replace(r#""valueQuantity":{"value":7.20,"comparator":"<","unit":"g","system":"u"},"#, "");
    assert_eq!(
        parse_line(panel.as_bytes(), 1, lasting()).records.len(),
        4,
        "a panel has no row of its own"
    );
}

#[test]
fn conditions_find_icd10_and_keep_the_other_code() {
    let line = r#"{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"verificationStatus":{"coding":[{"code":"provisional"}]},"clinicalStatus":{"coding":[{"code":"resolved"}]},"code":{"coding":[{"system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full","code":"e11.9"},{"system":"http://medis.or.jp/CodeSystem/master-disease-keyNumber","code":"20054174"}],"text":"糖尿病"},"onsetDateTime":"2020","abatementDateTime":"2021-02"}"#;
    let parsed = parse_line(line.as_bytes(), 1, lasting());
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
    let parsed = parse_line(line.as_bytes(), 1, lasting());
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
    let parsed = parse_line(line.as_bytes(), 1, lasting());
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
    let parsed = parse_line(line.as_bytes(), 1, lasting());
    let record = &parsed.records[0];
    assert_eq!((get(record, "class"), get(record, "practitioner")), (Some("I"), Some("y")));
    assert_eq!(
        (get(record, "department_text"), get(record, "disposition_code")),
        (Some("内科"), Some("home"))
    );

    let line = r#"{"resourceType":"DiagnosticReport","subject":{"reference":"Patient/p1"},"code":{"text":"肝機能"},"issued":"2024-01-02","conclusion":"異常なし","presentedForm":[{"data":"eA=="}]}"#;
    let parsed = parse_line(line.as_bytes(), 1, lasting());
    assert_eq!(
        (get(&parsed.records[0], "title"), get(&parsed.records[0], "text")),
        (Some("肝機能"), Some("異常なし"))
    );
    assert_eq!(parsed.unread, ["DiagnosticReport.presentedForm"]);
    let silent = line.replace(r#""conclusion":"異常なし","#, "");
    assert_eq!(
        parse_line(silent.as_bytes(), 1, lasting()).unread,
        ["DiagnosticReport.presentedForm", "DiagnosticReport"]
    );
}

#[test]
fn text_is_borrowed_from_the_line() {
    let line = br#"{"resourceType":"Procedure","code":{"text":"plain"},"subject":{"reference":"Patient/p1"}}"#;
    let parsed = parse_line(line, 1, lasting());
    let Record::Procedure(p) = &parsed.records[0] else { panic!() };
    assert_eq!((p.text, parsed.person), (Some("plain"), Some("p1")));
    for text in [p.text, parsed.person].into_iter().flatten() {
        assert!(line.as_ptr_range().contains(&text.as_ptr()), "{text} is not the line's own");
    }
}

#[test]
fn other_types_are_named_with_or_without_a_person() {
    let parsed = parse_line(
        br#"{"resourceType":"Goal","subject":{"reference":"Patient/p1"}}"#,
        1,
        lasting(),
    );
    assert_eq!((parsed.person, parsed.rejected), (Some("p1"), false));
    assert_eq!(parsed.unread, ["Goal"]);
    for kind in ["Organization", "Practitioner", "PractitionerRole", "Location"] {
        let line = format!(r#"{{"id":"1","resourceType":"{kind}"}}"#);
        let parsed = parse_line(line.as_bytes(), 1, lasting());
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
        (br#"{"resourceType":"Bundle","type":"history","entry":[]}"#.to_vec(), "fhir.bundle"),
        (br#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE"}}]}"#.to_vec(), "fhir.bundle"),
        (br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"1"}},{"resource":{"resourceType":"Patient","id":"2"}}]}"#.to_vec(), "fhir.bundle-persons"),
        (br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"1"}},{"resource":{"resourceType":"Condition","subject":{"reference":"Patient/2"}}}]}"#.to_vec(), "fhir.bundle-persons"),
        (br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"1","modifierExtension":[]}}]}"#.to_vec(), "fhir.modifier"),
        (br#"{"resourceType":"Patient","id":"1","identifier":[{"value":"1234 5678 9018"}]}"#.to_vec(), "my-number"),
        (br#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/p"},"subscriberId":"123456789018"}"#.to_vec(), "my-number"),
    ];
    for (line, rule) in cases {
        let parsed = parse_line(&line, 4, lasting());
        assert!(parsed.rejected && parsed.records.is_empty() && parsed.person.is_none(), "{rule}");
        assert_eq!(parsed.issues[0].rule, rule);
        assert!(parsed.issues[0].position.starts_with("line 4"));
    }
    let components = "{},".repeat(MAX_OBJECTS + 1);
    let line = format!(r#"{{"resourceType":"Observation","component":[{components}{{}}]}}"#);
    assert_eq!(parse_line(line.as_bytes(), 4, lasting()).issues[0].rule, "fhir.too-large");
    assert_eq!(parse_line(b" \r", 1, lasting()), Parsed::default());
}

#[test]
fn a_document_is_read_as_one_person() {
    let text = r#"{"resourceType":"Bundle","type":"document","entry":[
{"fullUrl":"urn:uuid:c","resource":{"resourceType":"Composition","title":"退院時サマリー","date":"2024-07-07","subject":{"reference":"urn:uuid:p"},"encounter":{"reference":"urn:uuid:e"},"type":{"coding":[{"code":"18842-5"}]},"section":[]}},
{"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","id":"x","identifier":[{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"00012345:あ:１８７:05"},{"system":"urn:oid:1.2.392.100495.20.3.51.11318814790","value":"000999"}],"name":[{"text":"見本 花子"}]}},
{"fullUrl":"urn:uuid:e","resource":{"resourceType":"Encounter","id":"e9","subject":{"reference":"urn:uuid:p"}}},
{"fullUrl":"urn:uuid:o","resource":{"resourceType":"Organization","id":"o"}},
{"resource":{"resourceType":"Condition","encounter":{"reference":"urn:uuid:e"},"subject":{"identifier":{"value":"00012345:あ:１８７:05"}},"code":{"text":"胃炎"}}},
{"resource":{"resourceType":"Specimen","id":"s"}}]}"#;
    let parsed = parse_line(text.as_bytes(), 1, lasting());
    assert!(!parsed.rejected, "{parsed:?}");
    assert_eq!(parsed.person, Some("000999"));
    let tables: Vec<_> = parsed.records.iter().map(|r| (r.table(), r.position().words())).collect();
    assert_eq!(
        tables,
        [
            ("document", "line 1 entry[1]"),
            ("person", "line 1 entry[2]"),
            ("encounter", "line 1 entry[3]"),
            ("condition", "line 1 entry[5]"),
        ]
    );
    let Record::Condition(c) = &parsed.records[3] else { panic!() };
    assert_eq!(c.encounter_key, Some("e9"));
    let Record::Document(d) = &parsed.records[0] else { panic!() };
    assert_eq!(d.encounter_key, Some("e9"));
    for name in ["Composition.section", "Organization", "Specimen"] {
        assert!(parsed.unread.iter().any(|u| u == name), "{name}: {:?}", parsed.unread);
    }
    let member = r#"{"resourceType":"Condition","subject":{"identifier":{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"00012345:あ:１８７:05"}},"code":{"text":"x"}}"#;
    assert_eq!(parse_line(member.as_bytes(), 1, lasting()).person, Some("00012345:あ:187:05"));
}

#[test]
fn the_other_clinical_resources_are_read() {
    let first = |text: &'static str| {
        let parsed = parse_line(text.as_bytes(), 1, lasting());
        assert!(!parsed.rejected && parsed.issues.is_empty(), "{parsed:?}");
        parsed.records.into_iter().next().unwrap()
    };
    let r = first(
        r#"{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/p"},"category":["medication"],"code":{"coding":[{"code":"YCM1"}],"text":"ペニシリン"},"verificationStatus":{"coding":[{"code":"unconfirmed"}]},"reaction":[{"manifestation":[{"text":"発疹"}],"severity":"severe"}]}"#,
    );
    let Record::Allergy(a) = &r else { panic!() };
    assert_eq!(
        (a.category, a.severity, a.reaction, a.certainty),
        (Some("medication"), Some("severe"), Some("発疹"), Some("suspected"))
    );
    let r = first(
        r#"{"resourceType":"Immunization","status":"completed","patient":{"reference":"Patient/p"},"vaccineCode":{"coding":[{"code":"150"}]},"occurrenceDateTime":"2023-11-01","lotNumber":"L1","doseQuantity":{"value":0.50,"unit":"mL"},"protocolApplied":[{"doseNumberPositiveInt":2}]}"#,
    );
    let Record::Vaccination(v) = &r else { panic!() };
    assert_eq!(
        (v.given_on, v.dose, v.dose_number, v.lot),
        (Some("2023-11-01"), Some("0.50"), Some("2"), Some("L1"))
    );
    let r = first(
        r#"{"resourceType":"ImagingStudy","status":"available","subject":{"reference":"Patient/p"},"identifier":[{"system":"urn:dicom:uid","value":"urn:oid:1.2.3"},{"type":{"coding":[{"code":"ACSN"}]},"value":"A1"}],"started":"2024-01-01","numberOfSeries":1,"numberOfInstances":20,"series":[{"modality":{"code":"CT"},"bodySite":{"display":"胸部"}}]}"#,
    );
    let Record::ImagingStudy(i) = &r else { panic!() };
    assert_eq!(
        (i.study_uid, i.accession_no, i.modality, i.body_part, i.images),
        (Some("1.2.3"), Some("A1"), Some("CT"), Some("胸部"), Some("20"))
    );
    let r = first(
        r#"{"resourceType":"FamilyMemberHistory","status":"completed","patient":{"reference":"Patient/p"},"relationship":{"coding":[{"code":"MTH"}],"text":"母"},"condition":[{"code":{"text":"糖尿病"},"onsetAge":{"value":50,"unit":"歳"}}]}"#,
    );
    let Record::FamilyHistory(f) = &r else { panic!() };
    assert_eq!((f.relation, f.text, f.onset), (Some("母"), Some("糖尿病"), Some("50 歳")));
    for (text, kind) in [
        (
            r#"{"resourceType":"MedicationAdministration","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"text":"薬"},"effectivePeriod":{"start":"2024-01-01","end":"2024-01-02"},"dosage":{"dose":{"value":1,"unit":"g"}}}"#,
            "administration",
        ),
        (
            r#"{"resourceType":"MedicationDispense","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"text":"薬"},"whenHandedOver":"2024-01-01","daysSupply":{"value":7,"unit":"日"}}"#,
            "dispense",
        ),
        (
            r#"{"resourceType":"MedicationStatement","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"text":"薬"},"effectiveDateTime":"2024-01-01"}"#,
            "statement",
        ),
    ] {
        let Record::Medication(m) = first(text) else { panic!() };
        assert_eq!((m.kind, m.started_at), (Some(kind), Some("2024-01-01")));
    }
    let r = first(
        r#"{"resourceType":"ServiceRequest","subject":{"reference":"Patient/p"},"category":[{"coding":[{"code":"108252007"}]}],"code":{"text":"血算"},"authoredOn":"2024-01-01"}"#,
    );
    let Record::ServiceOrder(s) = &r else { panic!() };
    assert_eq!((s.kind, s.ordered_at), (Some("laboratory"), Some("2024-01-01")));
    let r = first(
        r#"{"resourceType":"DocumentReference","subject":{"reference":"Patient/p"},"description":"経過","content":[{"attachment":{"contentType":"application/pdf"}}]}"#,
    );
    let Record::Document(d) = &r else { panic!() };
    assert_eq!((d.title, d.media_type), (Some("経過"), Some("application/pdf")));
}
