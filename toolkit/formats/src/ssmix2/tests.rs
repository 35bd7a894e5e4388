use super::*;
use crate::arena::lasting;
use crate::record::Record;

const PATH: &str =
    "000/000/0000007/-/ADT-00/0000007_-_ADT-00_999999999999999_20240101090000000_-_1";

fn lab(lines: &str) -> Parsed<'static> {
    let name = "7_20240101_OML-11_1_20240101090000000_01_1";
    let text = format!("MSH|^~\\&|||||||OUL^R22\rPID|||7\r{lines}");
    parse_file(name, &encode(&text).unwrap(), lasting())
}

fn column(record: &Record<'_>, column: &str) -> Option<String> {
    let mut found = None;
    record.for_each(|c, v| {
        if c == column {
            found = v.map(str::to_owned);
        }
    });
    found
}

#[test]
fn basics_give_person_coverage_death_and_body() {
    let text = "MSH|^~\\&|||||||ADT^A08|1|P|2.5\rEVN||2024\rPID|1||0000007^^^^PI||見本^太郎^^^^^L^I~ミホン^タロウ^^^^^L^P||19500101|M|||^^^^100-0001^JPN^B^勤務先~^^^^100-0002^JPN^H^自宅||^PRN^PH^^^^^^^^^03-0000-0000~^^^^^^^^^^^03-0000-0001|03-0000-0000|||||||||||||||20240101|Y\rIN1|1|06^組合^JHSD0001|06123456|健保||||||123・456||20240101|20250101||||SEL\rOBX|1|NM|9N001000000000001^身長^JC10||171.4|cm^cm^ISO+|||||F\rZZZ|1";
    let parsed = parse_file(PATH, &encode(text).unwrap(), lasting());
    assert!(!parsed.rejected, "{parsed:?}");
    assert_eq!(parsed.person, Some("0000007"));
    let tables: Vec<_> = parsed.records.iter().map(Record::table).collect();
    assert_eq!(tables, ["person", "measurement", "death", "coverage"]);
    let get = |i: usize, c: &str| column(&parsed.records[i], c);
    assert_eq!(get(0, "name_kanji").as_deref(), Some("見本 太郎"));
    assert_eq!(get(0, "name_kana").as_deref(), Some("ミホン タロウ"));
    assert_eq!(get(0, "address").as_deref(), Some("自宅"));
    assert_eq!(get(0, "phone").as_deref(), Some("03-0000-0000;03-0000-0001"));
    assert_eq!(get(0, "insured_symbol").as_deref(), Some("123"));
    assert_eq!(get(1, "value_num").as_deref(), Some("171.4"));
    assert_eq!(get(1, "category").as_deref(), Some("body"));
    assert_eq!(get(3, "insured_number").as_deref(), Some("456"));
    assert_eq!(parsed.unread, ["EVN", "ZZZ"]);
}

#[test]
fn history_says_so_and_gives_no_person() {
    let path = PATH.replace("_-_1", "_-_0");
    let text = "MSH|^~\\&|||||||ADT^A08\rPID|||0000007\rOBX|1|NM|9N001||171|cm\rIN1|1|06";
    let parsed = parse_file(&path, text.as_bytes(), lasting());
    assert_eq!(parsed.issues[0].rule, "ssmix2.superseded");
    let [Record::Measurement(height)] = &parsed.records[..] else { panic!("{parsed:?}") };
    assert_eq!(height.status, Some("superseded"));
}

#[test]
fn laboratory_times_follow_the_observation() {
    let parsed = lab(
        "SPM|1|||023^血清^JC10|||||||||||||202401010830\rOBR|1|||P|||20240101\rOBX|1|ST|A||<0.5\rOBX|2|SN|B||>=^10||||||F|||202401010900\rOBR|2|||P|||202401010845\rOBX|3|CWE|C||1^陽性\rSPM|2|||001\rOBX|4|NM|D||検体不良",
    );
    let times: Vec<_> = parsed.records.iter().map(|r| column(r, "measured_at")).collect();
    let expected = [Some("202401010830"), Some("202401010900"), Some("202401010845"), None];
    assert_eq!(times.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    assert_eq!(column(&parsed.records[0], "comparator").as_deref(), Some("<"));
    assert_eq!(column(&parsed.records[1], "value_num").as_deref(), Some("10"));
    assert_eq!(column(&parsed.records[2], "value_code").as_deref(), Some("1"));
    assert_eq!(column(&parsed.records[3], "specimen").as_deref(), Some("001"));
    assert_eq!(parsed.issues, [crate::Issue::new("ssmix2.not-a-number", "OBX[4]")]);
}

#[test]
fn diagnoses_tell_certainty_action_and_icd10() {
    let name = "7_-_PPR-01_1_20240101090000000_-_1";
    let text = "MSH|^~\\&|||||||PPR^ZD1\rPID|||7\rPRB|AD|20240101|20054174^胃炎^MDCDX2||||||20240301|K29.7^^I10^O^外来時||||N^回復せず|20240301|20231231||1^主診断\rZPR|||8002^の疑い\rORC|NW|||||||||||110^医師^一郎\rPRB|DE|20240102|1^x^99XYZ||||||||||疑い\rPRB";
    let parsed = parse_file(name, &encode(text).unwrap(), lasting());
    let get = |i: usize, c: &str| column(&parsed.records[i], c);
    assert_eq!(get(0, "icd10").as_deref(), Some("K297"));
    assert_eq!(get(0, "certainty").as_deref(), Some("suspected"));
    assert_eq!(get(0, "role").as_deref(), Some("1"));
    assert_eq!(get(0, "practitioner").as_deref(), Some("医師 一郎"));
    assert_eq!(get(1, "action").as_deref(), Some("DE"));
    assert_eq!(get(1, "certainty").as_deref(), Some("suspected"));
    assert_eq!(parsed.issues, [crate::Issue::new("ssmix2.empty-segment", "PRB[3]")]);
}

#[test]
fn drugs_given_keep_dose_time_and_route() {
    let name = "7_20240101_OMP-11_1_20240101090000000_01_1";
    let text = "MSH|^~\\&|||||||RAS^O17\rPID|||7\rORC|NW||||||||20240101\rRXA|0|1|202401010830|202401010831|108665201^薬^HOT9|1|TAB^錠^MR9P|||200^看護^花子||||||||||CP\rRXA|0|1|||2^y\rRXR|PO^口";
    let parsed = parse_file(name, &encode(text).unwrap(), lasting());
    let get = |i: usize, c: &str| column(&parsed.records[i], c);
    assert_eq!(get(0, "kind").as_deref(), Some("administration"));
    assert_eq!(get(0, "status").as_deref(), Some("CP"));
    assert_eq!(get(1, "status").as_deref(), Some("NW"));
    assert_eq!((get(0, "route"), get(1, "route")), (Some("PO".into()), Some("PO".into())));
}

#[test]
fn visits_know_start_end_and_cancellation() {
    let visit = |data_type: &str, event: &str| {
        let name = format!("7_20240102_{data_type}_1_20240102090000000_05_1");
        let text = format!("MSH|^~\\&|||||||ADT^{event}\rPID|||7\rPV1||I|||||1||||||||||||V9");
        parse_file(&name, text.as_bytes(), lasting())
    };
    let admitted = visit("ADT-22", "A01");
    assert_eq!(column(&admitted.records[0], "start_at").as_deref(), Some("20240102"));
    assert_eq!(column(&admitted.records[0], "encounter_key").as_deref(), Some("V9"));
    assert_eq!(column(&admitted.records[0], "department_code").as_deref(), Some("05"));
    let left = visit("ADT-52", "A13");
    assert_eq!(column(&left.records[0], "end_at").as_deref(), Some("20240102"));
    assert_eq!(column(&left.records[0], "status").as_deref(), Some("cancelled"));
    assert_eq!(visit("ADT-12", "A01").issues[0].rule, "ssmix2.other-event");
}

#[test]
fn every_defect_of_a_file_has_its_reason() {
    let header = "MSH|^~\\&|||||||ADT^A08\r";
    let pid = format!("{header}PID|||0000007\r");
    let cases: [(&str, &str, &str); 12] = [
        ("x.txt", &pid, "ssmix2.name-malformed"),
        (PATH, "\r\n", "ssmix2.too-short"),
        (PATH, "PID|||0000007", "ssmix2.no-header"),
        (PATH, "MSH#^~\\&#", "ssmix2.delimiters"),
        (PATH, header, "ssmix2.no-patient"),
        (PATH, &pid.replace("7\r", "8\r"), "ssmix2.pid-mismatch"),
        (&PATH.replace("/0000007/", "/0000008/"), &pid, "ssmix2.pid-mismatch"),
        (PATH, &format!("{pid}PID|||8"), "ssmix2.pid-mismatch"),
        (PATH, &pid.replace("ADT^A08", "OUL^R22"), "ssmix2.other-message"),
        (PATH, &format!("{pid}NTE|患者さま患者さま"), "ssmix2.not-iso-2022-jp"),
        (PATH, &format!("{pid}NK1|1|123456789018"), "my-number"),
        (PATH, &pid.replace("PID|||0000007", "PID||123456789018|0000007"), "my-number"),
    ];
    for (path, text, rule) in cases {
        let parsed = parse_file(path, text.as_bytes(), lasting());
        assert!(parsed.rejected && parsed.records.is_empty() && parsed.person.is_none(), "{rule}");
        assert!(parsed.issues.iter().any(|i| i.rule == rule), "{rule}: {:?}", parsed.issues);
    }
    let elsewhere = format!("a/b/c/{}", PATH.rsplit('/').next().unwrap());
    let soft = [
        (elsewhere, pid.clone(), "ssmix2.folder-mismatch"),
        (PATH.replace("/-/", "/20240101/"), pid.clone(), "ssmix2.folder-mismatch"),
        (PATH.replace("000/000", "000/001"), pid.clone(), "ssmix2.folder-mismatch"),
        (PATH.to_owned(), pid.replace("0000007", "7"), "ssmix2.pid-zeros"),
        (PATH.to_owned(), format!("{pid}MSH|^~\\&|"), "ssmix2.second-header"),
        (PATH.to_owned(), format!("{pid}pid\r"), "ssmix2.segment-malformed"),
        (PATH.to_owned(), format!("{pid}NTE|{}\x1b(I\x31\x1b(B", "a"), "ssmix2.half-width-kana"),
        (
            PATH.to_owned(),
            format!("{pid}NTE|{}\x1b$(D!!\x1b(B", "a".repeat(99)),
            "ssmix2.replaced-characters",
        ),
    ];
    for (path, text, rule) in soft {
        let parsed = parse_file(&path, text.as_bytes(), lasting());
        assert!(!parsed.rejected, "{rule}");
        assert!(parsed.issues.iter().any(|i| i.rule == rule), "{rule}: {:?}", parsed.issues);
    }
}

#[test]
fn types_that_are_not_read_are_named() {
    let name = "7_20240101_OMG-99_1_20240101090000000_01_1";
    let parsed =
        parse_file(name, b"MSH|^~\\&|||||||OMG^O19\rPID|||7\rSPM|1\rOBX|1\rOBX|2", lasting());
    assert_eq!(parsed.unread, ["OMG-99", "SPM", "OBX"]);
    assert_eq!((parsed.person, parsed.records.len()), (Some("7"), 0));
}

#[test]
fn basics_alone_may_tell_of_the_person() {
    assert!(may_tell_of_person(PATH));
    assert!(!may_tell_of_person("7_20240101_OML-11_1_20240101090000000_01_1"));
    assert!(!may_tell_of_person("000/000/0000007/-/ADT-00/readme.txt"));
}
