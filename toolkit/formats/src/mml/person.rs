//! Patients, names, insurance.

use super::Walk;
use crate::{
    record::{CoverageRecord, DeathRecord, PersonRecord, Text},
    text,
    xml::Element,
};

/// Names below `personName`: the ideographic one (or the only one), and the kana one.
pub(super) fn name<'a>(names: Element<'_, 'a>) -> (Text<'a>, Text<'a>) {
    let mut kanji = None;
    let mut kana = None;
    for name in names.all("Name") {
        let text = name.child_text("fullname").or_else(|| {
            let parts: Vec<_> =
                ["family", "middle", "given"].iter().filter_map(|p| name.child_text(p)).collect();
            (!parts.is_empty()).then(|| names.arena().text(&parts.join(" ")))
        });
        match name.value("repCode") {
            Some("P") => kana = kana.or(text),
            Some("I") => kanji = text.or(kanji),
            _ => kanji = kanji.or(text),
        }
    }
    (kanji, kana)
}

pub(super) fn patient<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let own = module.path(&["uniqueInfo", "masterId", "Id"]).and_then(|id| id.text());
    if own.is_some() && walk.about.item > 0 && own != walk.out.person {
        walk.out.reject("mml.two-persons", "PatientModule");
        return;
    }
    let (name_kanji, name_kana) = module.child("personName").map_or((None, None), name);
    let addresses = module.child("addresses");
    let address = addresses.iter().flat_map(|a| a.all("Address")).min_by_key(|a| {
        // The home address, written in kanji.
        let home = a.value("addressClass").is_none_or(|c| c == "home");
        let kanji = a.value("repCode").is_none_or(|c| c == "I");
        (!home, !kanji)
    });
    let phones = module.child("phones");
    let phones: Vec<String> = phones
        .iter()
        .flat_map(|p| p.all("Phone"))
        .filter_map(|phone| {
            phone.child_text("full").map(str::to_owned).or_else(|| {
                let parts: Vec<_> =
                    ["area", "city", "number"].iter().filter_map(|p| phone.child_text(p)).collect();
                (!parts.is_empty()).then(|| parts.join("-"))
            })
        })
        .collect();
    let death = module.child("death");
    let dead = death.and_then(|d| d.text()).is_some_and(|d| d == "true");
    let died_on = death.and_then(|d| d.value("date"));
    let person = PersonRecord {
        position: walk.at("PatientModule").into(),
        name_kanji,
        name_kana,
        sex: module.child_text("sex").map(|s| match s {
            "male" => "M",
            "female" => "F",
            "other" => "O",
            "unknown" => "U",
            _ => s,
        }),
        birth_on: module.child_text("birthday"),
        postal_code: address.and_then(|a| a.child_text("zip")),
        address: address.and_then(|a| {
            a.child_text("full").or_else(|| {
                let parts: Vec<_> = ["prefecture", "city", "town", "homeNumber"]
                    .iter()
                    .filter_map(|p| a.child_text(p))
                    .collect();
                (!parts.is_empty()).then(|| walk.arena.text(&parts.concat()))
            })
        }),
        phone: (!phones.is_empty()).then(|| walk.arena.text(&phones.join(";"))),
        death_on: died_on,
        record_no: own.or(walk.out.person),
        ..PersonRecord::default()
    };
    let numbers = module.descendants("otherId").into_iter().filter_map(|id| id.whole_text());
    let social = module.child_text("socialIdentification");
    if numbers.chain(social).any(text::holds_my_number) {
        walk.out.reject("my-number", "PatientModule");
        return;
    }
    for value in [&person.name_kanji, &person.address] {
        if value.as_deref().is_some_and(text::gaiji) {
            walk.out.note_issue("gaiji", person.position);
        }
    }
    walk.out.records.push(walk.arena.record(person));
    if dead || died_on.is_some() {
        let position = walk.at("death");
        walk.out.records.push(walk.arena.record(DeathRecord {
            position: position.into(),
            died_on,
            ..DeathRecord::default()
        }));
    }
}

/// The insurance, and one record per public programme beside it.
pub(super) fn insurance<'a>(walk: &mut Walk<'a>, module: Element<'_, 'a>) {
    let client = module.child("clientId");
    let class = module.child("insuranceClass");
    let record = CoverageRecord {
        position: walk.at("HealthInsuranceModule").into(),
        insurer_no: module.child_text("insuranceNumber"),
        insurer_name: class.and_then(|c| c.text()),
        insured_symbol: client.and_then(|c| c.child_text("group")),
        insured_number: client.and_then(|c| c.child_text("number")),
        insured_branch: client.and_then(|c| c.child_text("branch")),
        kind: class.and_then(|c| c.value("ClassCode")),
        relation: module.child_text("familyClass"),
        from_on: module.child_text("startDate"),
        to_on: module.child_text("expiredDate"),
    };
    let numbers = [&record.insurer_no, &record.insured_symbol, &record.insured_number];
    if numbers.into_iter().flatten().any(|n| text::holds_my_number(n)) {
        walk.out.reject("my-number", "HealthInsuranceModule");
        return;
    }
    walk.out.records.push(walk.arena.record(record));
    let programmes = module.child("publicInsurance");
    for programme in programmes.iter().flat_map(|p| p.all("publicInsuranceItem")) {
        let record = CoverageRecord {
            position: walk.at("publicInsuranceItem").into(),
            insurer_no: programme.child_text("provider"),
            insurer_name: programme.child_text("providerName"),
            insured_number: programme.child_text("recipient"),
            kind: Some("public"),
            from_on: programme.child_text("startDate"),
            to_on: programme.child_text("expiredDate"),
            ..CoverageRecord::default()
        };
        walk.out.records.push(walk.arena.record(record));
    }
}
