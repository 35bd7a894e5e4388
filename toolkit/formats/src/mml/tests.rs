use super::*;
use crate::arena::lasting;
use crate::record::Record;

fn file(id: &str, modules: &str) -> String {
    format!(
        "<Mml version=\"4.1.2\"><MmlHeader><CreatorInfo/><masterId><c:Id>{id}</c:Id></masterId></MmlHeader><MmlBody><MmlModuleItem>\
<docInfo contentModuleType=\"x\"><title>題</title><docId><uid>u</uid></docId><confirmDate>2024-01-02</confirmDate><CreatorInfo><PersonalizedInfo><personName><Name repCode=\"I\"><fullname>医師</fullname></Name></personName></PersonalizedInfo></CreatorInfo></docInfo>\
<content>{modules}</content></MmlModuleItem></MmlBody></Mml>"
    )
}

#[test]
fn patients_insurance_and_diagnoses() {
    let text = file(
        "0012",
        "<PatientModule><uniqueInfo><masterId><Id>0012</Id></masterId></uniqueInfo><personName><Name repCode='P'><family>ミホン</family><given>ハナコ</given></Name><Name repCode='I'><fullname>見本　花子</fullname></Name></personName><birthday>1960-04-01</birthday><sex>female</sex><addresses><Address repCode='I' addressClass='home'><full>架空市1</full><zip>999-0001</zip></Address></addresses><phones><Phone><area>099</area><city>000</city><number>0000</number></Phone></phones><death date='2024-01-01'>true</death></PatientModule>\
<HealthInsuranceModule><insuranceClass ClassCode='10'>国保</insuranceClass><insuranceNumber>138001</insuranceNumber><clientId><group>記</group><number>421</number></clientId></HealthInsuranceModule>\
<RegisteredDiagnosisModule><diagnosis code='E790-.003' system='ICD10'>高尿酸血症</diagnosis><categories><category>mainDiagnosis</category><category>suspectedDiagnosis</category></categories><startDate>2023-12-01</startDate><outcome>recovering</outcome></RegisteredDiagnosisModule><ClaimModule><x/></ClaimModule>",
    );
    let parsed = parse_file(text.as_bytes(), lasting());
    assert!(!parsed.rejected && parsed.issues.is_empty(), "{parsed:?}");
    let [Record::Person(p), Record::Death(d), Record::Coverage(c), Record::Condition(r)] =
        &parsed.records[..]
    else {
        panic!("{parsed:?}")
    };
    assert_eq!((p.name_kanji, p.name_kana), (Some("見本　花子"), Some("ミホン ハナコ")));
    assert_eq!((p.phone, d.died_on), (Some("099-000-0000"), Some("2024-01-01")));
    assert_eq!((c.insured_symbol, c.kind), (Some("記"), Some("10")));
    assert_eq!(
        (r.icd10, r.certainty, r.recorded_at, r.practitioner),
        (Some("E790"), Some("suspected"), Some("2024-01-02"), Some("医師"))
    );
    assert_eq!(parsed.unread, ["ClaimModule", "docInfo/docId", "MmlHeader/CreatorInfo"]);
}

#[test]
fn modules_inside_modules_are_read_once() {
    let text = file(
        "1",
        "<ProgressCourseModule><structuredExpression><problemItem><assessment><assessmentItem>安定<br/>継続</assessmentItem></assessment><objective><rxRecord><InjectionModule><medication><medicine><name>注</name></medicine><startDateTime>2024-01-02T10:00</startDateTime></medication></InjectionModule></rxRecord></objective><plan><rxOrder><PrescriptionModule><medication><medicine><name>錠</name><code system='YJ'>1</code></medicine><dose>2</dose><duration>P2W</duration></medication></PrescriptionModule></rxOrder></plan></problemItem></structuredExpression></ProgressCourseModule>",
    );
    let parsed = parse_file(text.as_bytes(), lasting());
    let [Record::Note(n), Record::Medication(given), Record::Medication(ordered)] =
        &parsed.records[..]
    else {
        panic!("{parsed:?}")
    };
    assert_eq!((n.text, n.title), (Some("安定\n継続"), Some("題")));
    assert_eq!((given.kind, given.started_at), (Some("administration"), Some("2024-01-02T10:00")));
    assert_eq!(
        (ordered.kind, ordered.days, ordered.position.words()),
        (Some("order"), Some("14"), "item[1] medication[2]")
    );
}

#[test]
fn what_cannot_be_trusted_is_quarantined() {
    let other = file(
        "1",
        "<PatientModule><uniqueInfo><masterId><Id>2</Id></masterId></uniqueInfo></PatientModule>",
    );
    let secret = file(
        "1",
        "<PatientModule><uniqueInfo><otherId><Id>123456789018</Id></otherId></uniqueInfo></PatientModule>",
    );
    for (text, rule) in [
        (file("", ""), "mml.no-person"),
        (file("123456789018", ""), "my-number"),
        (secret, "my-number"),
        (other, "mml.two-persons"),
        ("<TestModule/>".to_owned(), "mml.no-person"),
        ("<x/>".to_owned(), "mml.root"),
        ("<!DOCTYPE Mml><Mml/>".to_owned(), "xml.dtd"),
    ] {
        let parsed = parse_file(text.as_bytes(), lasting());
        assert!(parsed.rejected && parsed.person.is_none() && parsed.records.is_empty(), "{text}");
        assert_eq!(parsed.issues[0].rule, rule);
    }
    let parsed = parse_module(b"<VitalSignModule><item><itemName>SpO2</itemName><numValue>97</numValue><unit>%</unit></item><observedTime>2024</observedTime></VitalSignModule>", "7", lasting());
    let [Record::Measurement(m)] = &parsed.records[..] else { panic!("{parsed:?}") };
    assert_eq!((m.value_num, m.measured_at, parsed.person), (Some("97"), Some("2024"), Some("7")));
}
