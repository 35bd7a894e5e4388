//! Vaccinations, events of residency, the register of the insured under long-term care insurance.

use super::{Cells, Column, person};
use crate::{
    care::LEVEL_SYSTEM,
    record::{
        CareCertificationRecord, CoverageRecord, Parsed, PersonRecord, ResidencyRecord,
        VaccinationRecord,
    },
};

pub(super) fn vaccination<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let code = cells.take(Column::VaccineCode);
    let record = VaccinationRecord {
        position: cells.position(),
        code_system: code.is_some().then_some("予防接種種別コード"),
        code,
        text: cells.take(Column::VaccineText),
        given_on: cells.take(Column::Vaccinated),
        dose_number: cells.take(Column::DoseNumber),
        dose: cells.take(Column::Dose),
        manufacturer: cells.take(Column::Maker),
        lot: cells.take(Column::Lot),
        institution: cells.take(Column::Facility),
        // 1: given; examined only: not given.
        status: cells.take(Column::Performed).map(|p| match p {
            "1" | "１" | "実施" | "接種" => "completed",
            "予診のみ" => "not-done",
            _ => p,
        }),
        ..VaccinationRecord::default()
    };
    if record.given_on.is_none() {
        out.note_issue("csv.no-date", cells.position());
    }
    if record.code.is_none() && record.text.is_none() && record.manufacturer.is_none() {
        out.note_issue("csv.no-vaccine", cells.position());
    }
    out.records.push(cells.arena.record(record));
}

/// Words for the events of residency.
const EVENTS: [(&str, &str); 10] = [
    ("出生", "birth"),
    ("転入", "moved-in"),
    ("転居", "moved-within"),
    ("転出", "moved-out"),
    ("死亡", "death"),
    ("職権消除", "deleted"),
    ("職権記載", "moved-in"),
    ("国外転入", "moved-in"),
    ("国外転出", "moved-out"),
    ("転出確定", "moved-out"),
];

pub(super) fn residency<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let event = cells.take(Column::Event);
    let word = event.and_then(|e| EVENTS.iter().find(|(ja, _)| *ja == e));
    let record = ResidencyRecord {
        position: cells.position(),
        event: word.map(|(_, en)| *en).or(event),
        event_code: event,
        happened_on: cells.take(Column::Moved),
        notified_on: cells.take(Column::Notified),
        area_code: cells.take(Column::Area),
        relation: cells.take(Column::Kin),
    };
    if record.event.is_none() {
        out.note_issue("csv.no-event", cells.position());
    }
    if record.happened_on.is_none() {
        out.note_issue("csv.no-date", cells.position());
    }
    out.records.push(cells.arena.record(record));
}

pub(super) fn care_insured<'a>(cells: &mut Cells<'_, 'a>, out: &mut Parsed<'a>) {
    let (insurer_no, insured_no) = (cells.take(Column::InsurerNo), cells.take(Column::InsuredNo));
    let person = PersonRecord {
        // The number of long-term care insurance is no number of a health insurance card.
        record_no: insured_no,
        ..person(cells, out)
    };
    let coverage = CoverageRecord {
        position: cells.position(),
        insurer_no,
        insured_number: insured_no,
        kind: Some("care"),
        from_on: cells.take(Column::From),
        to_on: cells.take(Column::To),
        ..CoverageRecord::default()
    };
    let certification = CareCertificationRecord {
        position: cells.position(),
        insurer_no,
        insured_no,
        care_level: cells.take(Column::CareLevel),
        care_level_system: Some(LEVEL_SYSTEM),
        valid_from: cells.take(Column::ValidFrom),
        valid_to: cells.take(Column::ValidTo),
        ..CareCertificationRecord::default()
    };
    out.records.push(cells.arena.record(person));
    if coverage.from_on.is_some() || coverage.to_on.is_some() {
        out.records.push(cells.arena.record(coverage));
    }
    if certification.care_level.is_some() || certification.valid_from.is_some() {
        out.records.push(cells.arena.record(certification));
    }
}
