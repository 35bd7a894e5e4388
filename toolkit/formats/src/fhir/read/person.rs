//! Patients and their insurance.

use super::{Place, at, begin, code_or_text, concept, ends, extension, t};
use crate::{
    arena::Arena,
    fhir::{
        json::Str,
        view::{CodeableConcept, Coverage, HumanName, Identifier, Patient},
    },
    record::{CoverageRecord, DeathRecord, Parsed, PersonRecord, Text},
    text,
};

pub(in crate::fhir) fn patient<'a>(p: Patient<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = Parsed { unread: p.unread, ..Parsed::default() };
    let identifiers = p.identifier.unwrap_or_default();
    let id = match place.person {
        Some(person) => Some(arena.text(person)),
        None => t(arena, p.id),
    };
    let Some(id) = id else {
        out.reject("fhir.no-person", at(place));
        return out;
    };
    let secret = identifiers
        .iter()
        .filter_map(|i| i.value.as_ref())
        .any(|v| text::holds_my_number(v.as_str()));
    if secret || text::holds_my_number(id) {
        out.reject("my-number", at(place));
    }
    if p.modified {
        out.reject("fhir.modifier", at(place));
    }
    if out.rejected {
        return out;
    }
    let mut person = PersonRecord { position: at(place), ..PersonRecord::default() };
    for name in p.name.into_iter().flatten() {
        let Some((text, kana)) = human_name(arena, name) else { continue };
        let slot = if kana { &mut person.name_kana } else { &mut person.name_kanji };
        slot.get_or_insert(text);
    }
    person.sex = t(arena, p.gender).map(|g| match g {
        "male" => "M",
        "female" => "F",
        "other" => "O",
        "unknown" => "U",
        _ => g,
    });
    person.birth_on = t(arena, p.birth_date);
    let mut addresses = p.address.unwrap_or_default();
    let home =
        addresses.iter().position(|a| a.usage.as_ref().is_some_and(|u| u.as_str() == "home"));
    if !addresses.is_empty() {
        let address = addresses.swap_remove(home.unwrap_or(0));
        person.postal_code = t(arena, address.postal_code);
        person.address = t(arena, address.text).or_else(|| {
            let parts = [address.state, address.city].into_iter().flatten();
            let whole: String =
                parts.chain(address.line.into_iter().flatten()).map(|s| s.0.into_owned()).collect();
            (!whole.is_empty()).then_some(arena.text(&whole))
        });
    }
    let mut phones: Vec<&str> = Vec::new();
    for point in p.telecom.into_iter().flatten() {
        if point.system.as_ref().is_none_or(|s| matches!(s.as_str(), "phone" | "sms" | "fax")) {
            phones.extend(t(arena, point.value));
        } else {
            out.note_unread("Patient.telecom (not a telephone)");
        }
    }
    person.phone = match phones.len() {
        0 | 1 => phones.pop(),
        _ => Some(arena.text(&phones.join(";"))),
    };
    let is_record = |code: &str| code == "MR";
    person.record_no = identifiers
        .into_iter()
        .find(|i| {
            let codings = i.kind.as_ref().and_then(|k| k.coding.as_deref()).unwrap_or_default();
            codings.iter().any(|c| c.code.as_ref().is_some_and(|c| is_record(c.as_str())))
                || i.system.as_ref().is_some_and(|s| s.as_str().contains("1.2.392.100495.20.3.51"))
        })
        .and_then(|i| t(arena, i.value));
    person.death_on = t(arena, p.deceased_date_time);
    for (column, value) in [("name", &person.name_kanji), ("address", &person.address)] {
        if value.as_deref().is_some_and(text::gaiji) {
            out.note_issue("gaiji", format!("{place} {column}"));
        }
    }
    let died_on = person.death_on;
    out.person = Some(id);
    out.records.push(arena.record(person));
    if died_on.is_some() || p.deceased == Some(true) {
        let death = DeathRecord { position: at(place), died_on, ..DeathRecord::default() };
        out.records.push(arena.record(death));
    }
    out
}

/// A key that stays the same from one document to the next: the hospital's record number, else the member number of
/// the insurance (`insurer:symbol:number:branch`, full-width made narrow).
pub(in crate::fhir) fn stable_key(identifiers: &[Identifier<'_>]) -> Option<String> {
    let of = |fits: fn(&str) -> bool| {
        let found = identifiers.iter().find(|i| {
            i.system.as_ref().is_some_and(|s| fits(s.as_str()))
                && i.value.as_ref().is_some_and(|v| !v.as_str().trim().is_empty())
        });
        found.and_then(|i| i.value.as_ref()).map(|v| text::narrowed(v.as_str()))
    };
    of(|system| system.contains("1.2.392.100495.20.3.51"))
        .or_else(|| of(|system| system.ends_with("JP_Insurance_memberID")))
}

/// The name's text and whether it is the kana one.
fn human_name<'a>(arena: &'a Arena, name: HumanName<'a>) -> Option<(&'a str, bool)> {
    let extensions = name.extension.unwrap_or_default();
    let form =
        extension(&extensions, "iso21090-EN-representation").and_then(|e| e.value_code.clone());
    let text = t(arena, name.text).or_else(|| {
        let parts = name.family.into_iter().chain(name.given.into_iter().flatten());
        let parts: Vec<_> = parts.map(|s| s.0).filter(|s| !s.is_empty()).collect();
        (!parts.is_empty()).then(|| arena.text(&parts.join(" ")))
    })?;
    let kana = match form.as_ref().map(Str::as_str) {
        Some("SYL") => true,
        Some("IDE") => false,
        _ => text::is_kana(text),
    };
    Some((text, kana))
}

pub(in crate::fhir) fn coverage<'a>(c: Coverage<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(c.beneficiary.as_ref(), c.modified, c.unread, place);
    if out.rejected {
        return out;
    }
    let extensions = c.extension.unwrap_or_default();
    let said =
        |end: &str| extension(&extensions, end).and_then(|e| t(arena, e.value_string.clone()));
    // 保険者番号:記号:番号:枝番
    let member =
        c.identifier.into_iter().flatten().find(|i| {
            i.system.as_ref().is_some_and(|s| s.as_str().ends_with("JP_Insurance_memberID"))
        });
    let member = member.and_then(|m| t(arena, m.value)).unwrap_or_default();
    let parts: Vec<&str> = member.split(':').map(str::trim).collect();
    let part = |n: usize| -> Text<'a> {
        let whole = parts.len() == 4 && !parts[n].is_empty();
        whole.then(|| arena.text(parts[n]))
    };
    if text::holds_my_number(member)
        || c.subscriber_id.as_ref().is_some_and(|s| text::holds_my_number(s.as_str()))
    {
        out.person = None;
        out.reject("my-number", at(place));
        return out;
    }
    let is_group = |k: &Option<CodeableConcept<'_>>| {
        let mut codings = k.iter().flat_map(|k| k.coding.iter().flatten());
        codings.any(|c| c.code.as_ref().is_some_and(|c| c.as_str() == "group"))
    };
    let group = c.class.into_iter().flatten().find(|g| is_group(&g.kind)).unwrap_or_default();
    let payor = c.payor.into_iter().flatten().next();
    let (from_on, to_on) = ends(arena, c.period);
    let (kind, _, kind_text) = concept(arena, c.kind);
    let record = CoverageRecord {
        position: at(place),
        insurer_no: part(0).or_else(|| t(arena, group.value)),
        insurer_name: t(arena, group.name).or_else(|| payor.and_then(|p| t(arena, p.display))),
        insured_symbol: said("InsuredPersonSymbol").or_else(|| part(1)),
        insured_number: said("InsuredPersonNumber").or_else(|| part(2)),
        insured_branch: said("InsuredPersonSubNumber")
            .or_else(|| part(3))
            .or_else(|| t(arena, c.dependent)),
        kind: kind.or(kind_text),
        relation: code_or_text(arena, c.relationship),
        from_on,
        to_on,
    };
    out.records.push(arena.record(record));
    out
}
