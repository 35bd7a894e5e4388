//! The billed rows: units of several rows, their points, and the events of their days.
//!
//! A unit (算定単位) is a run of rows; 診療識別 stands on its first row only, points on its last. What a
//! quantity means depends on 診療識別: per day (21), per dose (22), total (23), per time (31 to 33).

use super::{
    claim::Claim,
    runs::{days, push_pairs},
};
use crate::{
    Position,
    decimal::{times, whole},
    layout::Role,
    record::{ClaimItemRecord, MedicationRecord, ProcedureRecord},
    row_view::RowView,
    words::number,
};

/// The unit that is open.
#[derive(Default)]
pub(super) struct Run<'a> {
    pub(super) unit: u32,
    pub(super) row: u32,
    pub(super) section: Option<&'a str>,
}

impl<'a> Claim<'a, '_> {
    pub(super) fn item(&mut self, row: RowView<'a, '_>) {
        let section = row.get(Role::Section);
        if section.is_some() || row.layout.id == "KA" {
            self.run.unit += 1;
            self.run.row = 0;
            self.run.section = section;
        } else if self.run.unit == 0 {
            self.out.note_issue("uke.no-section", row.position());
            self.run.unit = 1;
        }
        self.run.row += 1;
        let code = row.get(Role::Code);
        let system = code.and_then(|c| self.system_of(&row, c));
        let count = row.get(Role::Count);
        let points = row.get(Role::Points);
        if points.is_some() {
            self.count_points(&row);
        }
        let day_cells = row.run(Role::Days);
        let days = days(&row, day_cells, &mut self.list);
        let quantity = row.get(Role::Quantity);
        self.list.clear();
        push_pairs(&row, row.run(Role::Comments), &mut self.list);
        push_pairs(&row, row.run(Role::Addons), &mut self.list);
        let comments = row.made(&self.list);
        let detail = row.detail(&mut self.list, &mut self.out);
        if let Some(system @ ("receipt-act" | "receipt-drug")) = system {
            let billed = Billed { position: row.position(), code, system, quantity };
            self.days |= days.mask;
            let mut mask = days.mask;
            // Without day columns (before 2012-04) one event in the month.
            if mask == 0 {
                self.event(&billed, 0, count);
            }
            while mask != 0 {
                let day = mask.trailing_zeros();
                mask &= mask - 1;
                self.event(&billed, day, row.text(day_cells[day as usize - 1]));
            }
        }
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some(row.layout.id),
            unit_no: Some(number(self.run.unit.into(), self.arena)),
            row_no: Some(number(self.run.row.into(), self.arena)),
            section: self.run.section,
            payers: row.get(Role::Payers),
            code,
            code_system: system,
            text: row.get(Role::Text),
            quantity,
            quantity_unit: row.get(Role::Unit),
            unit_price: row.get(Role::UnitPrice),
            points,
            count,
            days: days.text,
            teeth: row.get(Role::Tooth),
            comments,
            bundling: self.dpc.then_some("outside"),
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(item));
    }

    /// The system of a nine-digit code by its first digit; a code of another shape is a defect and gives
    /// no event.
    pub(super) fn system_of(&mut self, row: &RowView<'a, '_>, code: &str) -> Option<&'static str> {
        let system = receipt_system(code);
        if system.is_none() {
            self.out.note_issue("uke.code-shape", row.position());
        }
        system
    }

    /// Points once, times the count. Meals (97) are billed in yen beside the points.
    fn count_points(&mut self, row: &RowView<'a, '_>) {
        if self.run.section == Some("97") {
            return;
        }
        let count = row.raw(Role::Count).trim_ascii();
        let count = if count.is_empty() { Some(1) } else { whole(count) };
        match (whole(row.raw(Role::Points)), count) {
            (Some(points), Some(count)) => self.sums.add(row.raw(Role::Payers), points, count),
            _ => {
                self.out.note_issue("uke.not-a-number", row.position());
                self.sums.give_up();
            }
        }
    }

    /// What a row tells of a day, or of the month (day 0).
    fn event(&mut self, billed: &Billed<'a>, day: u32, count: Option<&'a str>) {
        let code = billed.code;
        let code_system = Some(billed.system);
        let started_at = self.date(day);
        // The visits of an outpatient claim are known by their day.
        let encounter_key = self.inpatient.then_some(self.key);
        if billed.system == "receipt-act" {
            let record = ProcedureRecord {
                position: billed.position,
                code,
                code_system,
                status: Some("claimed"),
                started_at,
                encounter_key,
                ..ProcedureRecord::default()
            };
            self.out.records.push(self.arena.record(record));
            return;
        }
        let section = self.run.section;
        let quantity = billed.quantity;
        let total = times(quantity, count, self.arena);
        let per_time = matches!(section, Some("22" | "31" | "32" | "33"));
        let record = MedicationRecord {
            position: billed.position,
            kind: Some("claim"),
            code,
            code_system,
            dose: quantity.filter(|_| per_time),
            days: count.filter(|_| section == Some("21")),
            quantity: total,
            status: Some("claimed"),
            started_at,
            encounter_key,
            ..MedicationRecord::default()
        };
        self.out.records.push(self.arena.record(record));
    }
}

/// What the events of a row have in common.
struct Billed<'a> {
    position: Position<'a>,
    code: Option<&'a str>,
    system: &'static str,
    quantity: Option<&'a str>,
}

/// The code system of a nine-digit code of the claim masters.
pub(crate) fn receipt_system(code: &str) -> Option<&'static str> {
    if code.len() != 9 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(match code.as_bytes()[0] {
        b'6' => "receipt-drug",
        b'7' => "receipt-material",
        b'8' => "receipt-comment",
        _ => "receipt-act",
    })
}
