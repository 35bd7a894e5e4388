use super::*;
use crate::arena::lasting;
use crate::record::Record;

fn file(person: &str, entries: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="x">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><code code="10"/><effectiveTime value="20240901"/>
<recordTarget><patientRole>{person}<addr>架空県架空市1<postalCode>999-0001</postalCode></addr>
<patient><name>ケンコウ　ハナコ</name><administrativeGenderCode code="2"/><birthTime value="19600401"/></patient></patientRole></recordTarget>
<participant typeCode="HLD"><functionCode code="1"/><associatedEntity><id root="1.2.392.200119.6.209.100990001" extension="24000000001"/></associatedEntity></participant>
<documentationOf><serviceEvent><code code="010"/><effectiveTime value="20240601"/><performer><assignedEntity><representedOrganization><id root="1.2.392.200119.6.102" extension="1310000000"/></representedOrganization></assignedEntity></performer></serviceEvent></documentationOf>
<component><structuredBody><component><section><code code="01010"/><text/>{entries}</section></component></structuredBody></component></ClinicalDocument>"#
    )
}

const CARD: &str = r#"<id root="1.2.392.200119.6.101" extension="00990001"/><id root="1.2.392.200119.6.204" extension="１２－３"/><id root="1.2.392.200119.6.205" extension="４５６"/><id nullFlavor="NI" root="1.2.392.200119.6.211"/>"#;

#[test]
fn items_of_every_type_are_read() {
    let text = file(
        CARD,
        r#"<entry><observation classCode="OBS"><code code="9A751000000000001" displayName="収縮期血圧"/><value xsi:type="PQ" value="128" unit="mm[Hg]"/><interpretationCode code="N"/><methodCode code="9A75110000"/><referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="90"/><high value="129"/></value></observationRange></referenceRange></observation></entry>
<entry><observation><code code="9N736000000000011"/><value xsi:type="CD" code="2" codeSystem="1.2.392.200119.6.2042"/><entryRelationship typeCode="RSON"><observation><code code="9N511000000000049"/><value xsi:type="ST">異常なし</value></observation></entryRelationship></observation></entry>
<entry><observation negationInd="true"><code code="3F077000002327101"/></observation></entry>
<entry><observation><code code="3D046000001906202"/><value xsi:type="PQ" nullFlavor="NI"/></observation></entry>
<entry><observation><code code="3F015000002327101"/><value xsi:type="PQ" value="&lt;10" unit="mg/dL"/><author/></observation></entry>"#,
    );
    let parsed = parse_file(text.as_bytes(), lasting());
    assert!(!parsed.rejected, "{parsed:?}");
    assert_eq!(parsed.person, Some("00990001:12-3:456:"));
    let Record::Person(person) = &parsed.records[0] else { panic!() };
    assert_eq!(
        (person.sex, person.postal_code, person.address),
        (Some("F"), Some("999-0001"), Some("架空県架空市1"))
    );
    assert_eq!(person.record_no, Some("24000000001"));
    let rows: Vec<_> = parsed.records[1..]
        .iter()
        .map(|r| match r {
            Record::Checkup(c) => (
                c.position.words(),
                c.item_code.unwrap_or(""),
                c.value_text.unwrap_or(""),
                c.value_num.unwrap_or(""),
                c.status.unwrap_or(""),
            ),
            _ => panic!(),
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("entry[1]", "9A751000000000001", "128", "128", ""),
            ("entry[2]", "9N736000000000011", "2", "", ""),
            ("entry[2]", "9N511000000000049", "異常なし", "", ""),
            ("entry[3]", "3F077000002327101", "", "", "not-done"),
            ("entry[4]", "3D046000001906202", "", "", "NI"),
            ("entry[5]", "3F015000002327101", "<10", "10", ""),
        ]
    );
    let Record::Checkup(c) = &parsed.records[1] else { panic!() };
    assert_eq!((c.flag, c.reference_range), (Some("N"), Some("90-129")));
    assert_eq!((c.examined_on, c.institution), (Some("20240601"), Some("1310000000")));
    let own = c.value_text.is_some_and(|v| text.as_bytes().as_ptr_range().contains(&v.as_ptr()));
    assert!(own, "values are borrowed from the file");
    let mut unread: Vec<&str> = parsed.unread.iter().map(AsRef::as_ref).collect();
    unread.sort_unstable();
    assert_eq!(
        unread,
        [
            "ClinicalDocument/code",
            "ClinicalDocument/effectiveTime",
            "observation/author",
            "participant/functionCode",
            "section/text"
        ]
    );
    assert!(parsed.issues.is_empty(), "{:?}", parsed.issues);
}

#[test]
fn what_cannot_be_trusted_is_quarantined() {
    let number = r#"<id root="1.2.392.200119.6.101" extension="00990001"/><id root="1.2.392.200119.6.205" extension="123456789018"/>"#;
    for (text, rule) in [
        (file("", ""), "checkup.no-person"),
        (file(number, ""), "my-number"),
        ("<other/>".to_owned(), "checkup.root"),
        ("<ClinicalDocument>".to_owned(), "xml.malformed"),
        ("<!DOCTYPE a><ClinicalDocument/>".to_owned(), "xml.dtd"),
    ] {
        let parsed = parse_file(text.as_bytes(), lasting());
        assert!(parsed.rejected && parsed.person.is_none() && parsed.records.is_empty(), "{rule}");
        assert_eq!(parsed.issues[0].rule, rule);
    }
    let parts = file(CARD, "")
        .replace("ケンコウ　ハナコ", "<family>ケンコウ</family><given>ハナコ</given>");
    let parsed = parse_file(parts.as_bytes(), lasting());
    let Record::Person(person) = &parsed.records[0] else { panic!() };
    assert_eq!(person.name_kana, Some("ケンコウ ハナコ"));
    let target = file(CARD, "");
    let other = target.replace(
        "<participant",
        &format!(
            "<recordTarget><patientRole>{}</patientRole></recordTarget><participant",
            CARD.replace("４５６", "９")
        ),
    );
    assert_eq!(parse_file(other.as_bytes(), lasting()).issues[0].rule, "checkup.two-persons");
    assert_eq!(
        parse_file(b"<index><sender/></index>", lasting()).unread,
        ["index", "index/sender"]
    );
}

#[test]
fn the_item_table_finds_what_does_not_fit() {
    let table = ItemTable::key_items();
    assert_eq!(table.len(), KEY_ITEMS.len(), "every code once");
    let text = file(
        CARD,
        r#"<entry><observation><code code="9N001000000000001"/><value xsi:type="PQ" value="170.1" unit="m"/></observation></entry>
<entry><observation><code code="9N006000000000001"/><value xsi:type="ST">重い</value></observation></entry>
<entry><observation><code code="9N999999999999999"/><value xsi:type="ST">x</value></observation></entry>"#,
    );
    let mut parsed = parse_file(text.as_bytes(), lasting());
    table.check(&mut parsed);
    let found: Vec<_> = parsed.issues.iter().map(|i| (i.rule, i.position.as_ref())).collect();
    assert_eq!(
        found,
        [
            ("checkup.unit", "entry[1]"),
            ("checkup.value-type", "entry[2]"),
            ("checkup.item-unknown", "entry[3]")
        ]
    );
    let csv = "0,1\nXMLITEM_17CODE,XMLITEM_NAME,XMLITEM_TYPE,XMLITEM_UNIT,XMLITEM_UNITNAME\nXML用,名,型,単位,表示\n9N001000000000001,身長,PQ,cm,cm\n";
    assert_eq!(
        ItemTable::parse(csv.as_bytes()).unwrap().get("9N001000000000001").unwrap().name,
        "身長"
    );
    assert_eq!(ItemTable::parse(b"a,b").err(), Some(ItemTableError::Header));
}

#[test]
fn the_head_tells_who_it_is_about_whatever_follows() {
    let whole =
        file(CARD, "<entry><observation><code code=\"9N001000000000001\"/></observation></entry>");
    let head = parse_person(whole.as_bytes(), lasting());
    let read = parse_file(whole.as_bytes(), lasting());
    assert_eq!((&head.person, head.rejected), (&read.person, false));
    assert_eq!((head.records.len(), &head.records[0]), (1, &read.records[0]));
    // Broken behind the head: still whose it is, and the whole is refused.
    let broken = whole.replace("</entry>", "");
    assert_eq!(parse_person(broken.as_bytes(), lasting()).person, read.person);
    assert!(parse_file(broken.as_bytes(), lasting()).rejected);
    // A head behind the items, a payment file and no XML at all are read as a whole.
    let (from, to) = (whole.find("<recordTarget>").unwrap(), whole.find("<participant").unwrap());
    let end = "</ClinicalDocument>";
    let late = format!(
        "{}{}",
        &whole[..from],
        whole[to..].replace(end, &(whole[from..to].to_owned() + end))
    );
    for text in [late.as_str(), "<index/>", "no document"] {
        let (a, b) =
            (parse_person(text.as_bytes(), lasting()), parse_file(text.as_bytes(), lasting()));
        assert_eq!(
            (a.person, a.rejected, a.records.len()),
            (b.person, b.rejected, b.records.len())
        );
    }
}
