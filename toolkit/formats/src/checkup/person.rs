//! Whose check-up it is.

use std::borrow::Cow;

use crate::{
    arena::Arena,
    record::{Parsed, PersonRecord},
    text,
    xml::Element,
};

/// Object identifiers of the parts of an insurance card.
const INSURER: &str = "1.2.392.200119.6.101";
const SYMBOL: &str = "1.2.392.200119.6.204";
const NUMBER: &str = "1.2.392.200119.6.205";
const BRANCH: &str = "1.2.392.200119.6.211";

/// `recordTarget` of a clinical document.
pub(super) fn of_document<'a>(root: Element<'_, 'a>, out: &mut Parsed<'a>) {
    let arena = root.arena();
    let mut first: Option<PersonRecord<'a>> = None;
    for (index, target) in root.all("recordTarget").enumerate() {
        let Some(role) = target.child("patientRole") else { continue };
        let mut person =
            PersonRecord { position: "recordTarget".into(), ..PersonRecord::default() };
        for id in role.all("id") {
            let Some(value) = id.value("extension") else { continue };
            if text::holds_my_number(value) {
                reject(out, "my-number", "recordTarget");
                return;
            }
            let slot = match id.value("root") {
                Some(INSURER) => &mut person.insurer_no,
                Some(SYMBOL) => &mut person.insured_symbol,
                Some(NUMBER) => &mut person.insured_number,
                Some(BRANCH) => &mut person.insured_branch,
                _ => {
                    out.note_unread("patientRole/id (other root)");
                    continue;
                }
            };
            slot.get_or_insert(value);
        }
        if let Some(addr) = role.child("addr") {
            person.postal_code = addr.child_text("postalCode");
            person.address = addr.text();
        }
        let patient = role.child("patient");
        // One string by the standard; family and given name apart in other CDA documents.
        person.name_kana = patient.and_then(|p| p.child("name")).and_then(|name| {
            name.text().or_else(|| Some(arena.text(&name.whole_text()?.replace('\n', " "))))
        });
        person.sex = patient
            .and_then(|p| p.child("administrativeGenderCode"))
            .and_then(|c| c.value("code"))
            .map(sex);
        person.birth_on = patient.and_then(|p| p.child("birthTime")).and_then(|b| b.value("value"));
        let numbers: Vec<&str> = role
            .all("telecom")
            .filter_map(|t| t.value("value"))
            .map(|v| v.strip_prefix("tel:").unwrap_or(v))
            .collect();
        person.phone = (!numbers.is_empty()).then(|| arena.text(&numbers.join(";")));
        match &first {
            Some(known) if key(known) != key(&person) => {
                reject(out, "checkup.two-persons", format!("recordTarget[{}]", index + 1));
                return;
            }
            Some(_) => {}
            None => first = Some(person),
        }
    }
    let mut person = first.unwrap_or_default();
    // The ticket (受診券) is the number that staff see.
    person.record_no = root
        .all("participant")
        .filter(|p| p.attribute("typeCode").is_some_and(|t| t == "HLD"))
        .find_map(|p| p.path(&["associatedEntity", "id"])?.value("extension"));
    finish(person, root.arena(), out);
}

/// `subjectPerson` of a claim for payment.
pub(super) fn of_claim<'a>(root: Element<'_, 'a>, out: &mut Parsed<'a>) {
    let subject = root.child("subjectPerson");
    let card = subject.and_then(|s| s.child("insuranceCard"));
    let number = |name: &str| card.and_then(|c| c.child(name)).and_then(|e| e.value("extension"));
    let addr = subject.and_then(|s| s.child("addr"));
    let attribute = |name: &str, attribute: &str| {
        subject.and_then(|s| s.child(name)).and_then(|e| e.value(attribute))
    };
    let person = PersonRecord {
        position: "subjectPerson".into(),
        insurer_no: number("insurerNumber"),
        insured_symbol: number("symbol"),
        insured_number: number("number"),
        insured_branch: number("branchCode"),
        name_kana: subject.and_then(|s| s.child_text("name")),
        postal_code: addr.and_then(|a| a.child_text("postalCode")),
        address: addr.and_then(|a| a.text()),
        birth_on: attribute("birthTime", "value"),
        sex: attribute("administrativeGender", "code").map(sex),
        record_no: root.path(&["checkupCard", "id"]).and_then(|e| e.value("extension")),
        ..PersonRecord::default()
    };
    finish(person, root.arena(), out);
}

fn finish<'a>(person: PersonRecord<'a>, arena: &'a Arena, out: &mut Parsed<'a>) {
    let numbers = [
        &person.insurer_no,
        &person.insured_symbol,
        &person.insured_number,
        &person.insured_branch,
        &person.record_no,
        &person.name_kana,
        &person.address,
    ];
    if numbers.into_iter().flatten().any(|n| text::holds_my_number(n)) {
        reject(out, "my-number", person.position);
        return;
    }
    if person.insurer_no.is_none() || person.insured_number.is_none() {
        reject(out, "checkup.no-person", "recordTarget");
        return;
    }
    if person.address.is_some_and(text::gaiji) {
        out.note_issue("gaiji", "recordTarget address");
    }
    if person.birth_on.is_none() {
        out.note_issue("checkup.no-birth", "recordTarget");
    }
    out.person = Some(arena.text(&key(&person)));
    out.records.push(arena.record(person));
}

fn reject<'a>(out: &mut Parsed<'a>, rule: &'static str, position: impl Into<Cow<'a, str>>) {
    out.person = None;
    out.reject(rule, position);
}

/// `insurer:symbol:number:branch`, narrow, without blanks.
fn key(person: &PersonRecord<'_>) -> String {
    crate::text::member_key([
        person.insurer_no,
        person.insured_symbol,
        person.insured_number,
        person.insured_branch,
    ])
}

fn sex(code: &str) -> &str {
    match code {
        "1" => "M",
        "2" => "F",
        "9" => "O",
        "0" => "U",
        _ => code,
    }
}
