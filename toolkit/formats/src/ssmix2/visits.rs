//! `ADT`: a patient's basics, visits, admissions, discharges.

use std::borrow::Cow;

use super::{Field, Reading, Segment, position, practitioner};
use crate::{
    arena::Arena,
    record::{CoverageRecord, DeathRecord, EncounterRecord, MeasurementRecord, PersonRecord, Text},
    text,
};

/// `ADT-00`: the person, insurance, death; height, weight and blood group as measurements.
pub(super) fn basics(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let message = r.message;
    let mut coverages = Vec::new();
    let mut numbers = [0usize; 2];
    for (_, segment) in message.segments() {
        match segment.name() {
            "IN1" => {
                numbers[0] += 1;
                if segment.is_empty() {
                    r.out.note_issue("ssmix2.empty-segment", position("IN1", numbers[0]));
                } else {
                    coverages.push(coverage(&segment, numbers[0], arena));
                }
            }
            "OBX" => {
                numbers[1] += 1;
                if let Some(measured) =
                    super::lab::observation(&segment, numbers[1], arena, &mut r.out)
                {
                    let status = r.status(measured.status);
                    let category = Some("body");
                    let record = MeasurementRecord { category, status, ..measured };
                    r.out.records.push(arena.record(record));
                }
            }
            _ => {}
        }
    }
    super::allergies::of_basics(r);
    if r.status(None).is_some() {
        return;
    }
    let Some(pid) = message.first("PID") else { return };
    let mut person = person(&pid, arena);
    for (column, value) in [("PID-5", &person.name_kanji), ("PID-11", &person.address)] {
        if value.as_deref().is_some_and(text::gaiji) {
            r.out.note_issue("gaiji", column);
        }
    }
    if let [only] = &coverages[..] {
        person.insurer_no.clone_from(&only.insurer_no);
        person.insured_symbol.clone_from(&only.insured_symbol);
        person.insured_number.clone_from(&only.insured_number);
        person.insured_branch.clone_from(&only.insured_branch);
    }
    if person.death_on.is_some() || pid.get(30, 1).as_deref() == Some("Y") {
        let died_on = person.death_on;
        let death = DeathRecord { position: "PID".into(), died_on, ..DeathRecord::default() };
        r.out.records.push(arena.record(death));
    }
    r.out.records.insert(0, arena.record(person));
    r.out.records.extend(coverages.into_iter().map(|record| arena.record(record)));
}

fn person<'a>(pid: &Segment<'_>, arena: &'a Arena) -> PersonRecord<'a> {
    let mut person = PersonRecord {
        position: "PID".into(),
        sex: pid.own(8, 1, arena),
        birth_on: pid.own(7, 1, arena),
        death_on: pid.own(29, 1, arena),
        record_no: pid.own(3, 1, arena),
        ..PersonRecord::default()
    };
    for name in pid.field(5).repetitions() {
        let parts: Vec<_> = [1, 2].into_iter().filter_map(|c| name.component(c)).collect();
        if parts.is_empty() {
            continue;
        }
        let text = parts.join(" ");
        let kana = match name.component(8).as_deref() {
            Some("P") => true,
            Some("I") => false,
            _ => text::is_kana(&text),
        };
        let slot = if kana { &mut person.name_kana } else { &mut person.name_kanji };
        slot.get_or_insert(arena.text(&text));
    }
    let home = |f: &Field<'_>| f.component(7).as_deref() == Some("H");
    let address = pid.field(11);
    let chosen = address.repetitions().find(home).or_else(|| address.repetitions().next());
    if let Some(address) = chosen {
        person.postal_code = own(address.component(5), arena);
        person.address = own(address.component(8), arena).or_else(|| {
            let parts: Vec<_> =
                [4, 3, 1, 2].into_iter().filter_map(|c| address.component(c)).collect();
            (!parts.is_empty()).then(|| arena.text(&parts.concat()))
        });
    }
    let mut phones: Vec<String> = Vec::new();
    for phone in [13, 14].into_iter().flat_map(|n| pid.field(n).repetitions()) {
        let number = phone.component(12).or_else(|| phone.component(1));
        if let Some(number) = number.map(Cow::into_owned).filter(|n| !phones.contains(n)) {
            phones.push(number);
        }
    }
    person.phone = (!phones.is_empty()).then(|| arena.text(&phones.join(";")));
    person
}

fn own<'a>(value: Option<Cow<'_, str>>, arena: &'a Arena) -> Text<'a> {
    value.map(|value| arena.text(&value))
}

fn coverage<'a>(in1: &Segment<'_>, number: usize, arena: &'a Arena) -> CoverageRecord<'a> {
    let (symbol, insured, branch) = card(&in1.field(10), arena);
    CoverageRecord {
        position: arena.text(&position("IN1", number)).into(),
        insurer_no: in1.own(3, 1, arena),
        insurer_name: in1.own(4, 1, arena),
        insured_symbol: symbol,
        insured_number: insured,
        insured_branch: branch,
        kind: in1.own(2, 1, arena),
        relation: in1.own(17, 1, arena),
        from_on: in1.own(12, 1, arena),
        to_on: in1.own(13, 1, arena),
    }
}

/// `IN1-10`: symbol, number, branch as repetitions or components, or joined by `・`; one part is the number.
fn card<'a>(field: &Field<'_>, arena: &'a Arena) -> (Text<'a>, Text<'a>, Text<'a>) {
    let separator = ['~', '^', '・', '･'].into_iter().find(|c| field.raw().contains(*c));
    let parts: Vec<Text<'a>> = match separator {
        Some(c @ ('~' | '^')) => field
            .raw()
            .split(c)
            .map(|p| {
                let p = p.trim();
                (!p.is_empty() && p != "\"\"").then(|| arena.text(&super::unescape(p)))
            })
            .collect(),
        _ => field.whole().map_or_else(Vec::new, |whole| {
            whole.split(['・', '･']).map(|part| arena.filled(part.trim())).collect()
        }),
    };
    let mut parts = parts.into_iter();
    match parts.len() {
        0 => (None, None, None),
        1 => (None, parts.next().flatten(), None),
        _ => (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()),
    }
}

/// `ADT-01` to `ADT-52`: visits, admissions, leaves, transfers, discharges, planned or done. An admission and its discharge are two records, each with the end it knows,
/// joined by the visit number (`PV1-19`) where the hospital sends one.
pub(super) fn visit(r: &mut Reading<'_, '_>) {
    let arena = r.arena;
    let Some(pv1) = r.message.first("PV1") else {
        r.out.note_issue("ssmix2.no-visit", "PV1");
        return;
    };
    let occurred = || {
        let event = r.message.first("EVN").and_then(|evn| evn.own(6, 1, arena));
        event.or_else(|| (r.name.day != "-").then(|| arena.text(r.name.day)))
    };
    let discharge = r.name.data_type == "ADT-52";
    let admitted = pv1.own(44, 1, arena);
    let planned = |field: usize| r.message.first("PV2").and_then(|pv2| pv2.own(field, 1, arena));
    let (start_at, end_at, status) = match r.name.data_type {
        "ADT-52" => (admitted, pv1.own(45, 1, arena).or_else(occurred), "discharge"),
        "ADT-22" => (admitted.or_else(occurred), pv1.own(45, 1, arena), "admission"),
        "ADT-21" => (planned(8).or_else(occurred), planned(9), "planned-admission"),
        "ADT-51" => (admitted, planned(9).or_else(occurred), "planned-discharge"),
        // What changes, from when on; the stay's own beginning is told by the admission.
        "ADT-01" => (occurred(), None, "attending-change"),
        "ADT-31" => (occurred(), planned(47), "leave"),
        "ADT-32" => (None, occurred(), "leave-return"),
        "ADT-41" => (occurred(), None, "planned-transfer"),
        "ADT-42" => (occurred(), None, "transfer"),
        _ => (admitted.or_else(occurred), None, "visit"),
    };
    let clinic = (pv1.get(3, 6).as_deref() == Some("C")).then(|| pv1.own(3, 1, arena)).flatten();
    let from_name = || r.name.department.filter(|d| *d != "-").map(|d| arena.text(d));
    let record = EncounterRecord {
        position: "PV1".into(),
        encounter_key: pv1.own(19, 1, arena),
        class: pv1.own(2, 1, arena),
        start_at,
        end_at,
        department_code: pv1.own(10, 1, arena).or(clinic).or_else(from_name),
        department_text: pv1.own(10, 2, arena),
        disposition_code: pv1.own(36, 1, arena).filter(|_| discharge),
        disposition_text: pv1.own(36, 2, arena).filter(|_| discharge),
        status: r.status(Some(status)),
        practitioner: practitioner(&pv1, 7, arena),
    };
    r.out.records.push(arena.record(record));
}
