//! The records a DPC claim adds: the stay, its diagnoses and operations, the bundle's points, and the
//! coding data (`CD`), the only place where bundled drugs and tests appear.
//!
//! A stay has a claim a month and may code earlier months again at discharge: inside a claim a second row
//! of the same date, section, order, detail and code is `duplicate` and gives no event; across claims the
//! column `item_key` says the same.

use super::{claim::Claim, runs::days};
use crate::{
    decimal::{times, whole},
    layout::Role,
    record::{ClaimItemRecord, MedicationRecord, ProcedureRecord},
    row_view::RowView,
};

impl<'a> Claim<'a, '_> {
    pub(super) fn dpc(&mut self, row: RowView<'a, '_>) {
        match row.layout.id {
            "BU" => self.grouping(row),
            "KK" => {
                let mut detail =
                    self.stay_mut(row.line).detail.take().unwrap_or_default().to_owned();
                row.keep("KK", &mut detail, &mut self.out);
                self.stay_mut(row.line).detail = row.made(&detail);
            }
            "CD" => self.bundled(row),
            "SK" => self.operation(row),
            _ => self.bundle_points(row),
        }
    }

    fn grouping(&mut self, row: RowView<'a, '_>) {
        let (key, facility) = (self.key, self.billed.institution);
        let month = self.month;
        let department = self.billed.department;
        let stay = self.stay_mut(row.line);
        stay.position = row.position();
        stay.stay_key = Some(key);
        stay.facility = facility;
        stay.care_month = month;
        stay.department = department;
        stay.dpc_code = row.get(Role::DpcCode);
        stay.admitted_on = row.get(Role::Admitted);
        stay.discharged_on = row.get(Role::Discharged);
        stay.outcome = row.get(Role::Outcome);
        stay.death_cause = row.get(Role::DeathCause);
        if stay.dpc_code.is_none_or(|c| c.len() != 14) {
            self.out.note_issue("uke.dpc-code", row.position());
        }
        if self.stay_mut(row.line).admitted_on.is_none() {
            self.out.note_issue("uke.no-admission", row.position());
        }
        self.side(row);
    }

    /// `GA`, `HH`, `GT`: what the bundle is and what it costs.
    fn bundle_points(&mut self, row: RowView<'a, '_>) {
        let points = row.get(Role::Points);
        if row.layout.id == "GA" {
            let stay = self.stay_mut(row.line);
            stay.coefficient = row.get(Role::Coefficient).or(stay.coefficient.take());
        }
        if row.layout.id == "GT" && points.is_some() {
            match whole(row.raw(Role::Points)) {
                Some(total) => {
                    self.sums.add(row.raw(Role::Payers), total, 1);
                    let arena = self.arena;
                    let stay = self.stay_mut(row.line);
                    stay.bundled_points = match stay.bundled_points {
                        None => points,
                        Some(before) => whole(before.as_bytes())
                            .map(|b| arena.text(&b.saturating_add(total).to_string())),
                    };
                }
                None => {
                    self.out.note_issue("uke.not-a-number", row.position());
                    self.sums.give_up();
                }
            }
        }
        let dpc_code = row.get(Role::DpcCode);
        let mut detail = std::mem::take(&mut self.list);
        detail.clear();
        for (name, value) in
            [("month", row.get(Role::CareMonth)), ("adjustment", row.get(Role::Adjustment))]
        {
            if let Some(value) = value {
                if !detail.is_empty() {
                    detail.push(';');
                }
                detail.push_str(name);
                detail.push('=');
                detail.push_str(value);
            }
        }
        if let Some(value) = row.get(Role::Coefficient) {
            detail.push_str(";coefficient=");
            detail.push_str(value);
        }
        row.keep("", &mut detail, &mut self.out);
        let kept = row.made(&detail);
        let days = days(&row, row.run(Role::Days), &mut detail);
        self.list = detail;
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some(row.layout.id),
            section: row.get(Role::Section),
            payers: row.get(Role::Payers),
            code_system: dpc_code.is_some().then_some("dpc"),
            code: dpc_code,
            text: row.get(Role::Text),
            points,
            count: row.get(Role::Count),
            days: days.text,
            detail: kept,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(item));
    }

    fn operation(&mut self, row: RowView<'a, '_>) {
        let section_code = row.get(Role::SectionCode);
        let code = row.get(Role::Code);
        let system = code.and_then(|c| self.system_of(&row, c));
        let procedure = ProcedureRecord {
            position: row.position(),
            code_system: system.or(section_code.is_some().then_some("k-code")),
            code: code.or(section_code),
            text: row.get(Role::Text),
            status: Some("claimed"),
            started_at: row.get(Role::Started),
            encounter_key: Some(self.key),
            ..ProcedureRecord::default()
        };
        let detail = row.detail(&mut self.list, &mut self.out);
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some("SK"),
            section: section_code,
            code,
            code_system: system,
            text: row.get(Role::Text),
            started_on: row.get(Role::Started),
            role: row.get(Role::Kind),
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(procedure));
        self.out.records.push(self.arena.record(item));
    }

    fn bundled(&mut self, row: RowView<'a, '_>) {
        let started = row.get(Role::Started);
        let (order, detail_no) = (row.get(Role::OrderNo), row.get(Role::DetailNo));
        let section = row.get(Role::Section);
        let code = row.get(Role::Code);
        self.list.clear();
        for (place, part) in [started, section, order, detail_no, code].into_iter().enumerate() {
            if place > 0 {
                self.list.push('|');
            }
            self.list.push_str(part.unwrap_or(""));
        }
        let item_key = self.arena.text(&self.list);
        let duplicate = !self.coded.insert(item_key);
        if duplicate {
            self.out.note_issue("uke.coding-duplicate", row.position());
        }
        let system = code.and_then(|c| self.system_of(&row, c));
        let (quantity, count) = (row.get(Role::Quantity), row.get(Role::Count));
        let unit = row.get(Role::Unit);
        let name = row.get(Role::Text);
        let (code, started) = (code, started);
        let encounter_key = Some(self.key);
        match system {
            Some("receipt-act") if !duplicate => {
                self.out.records.push(self.arena.record(ProcedureRecord {
                    position: row.position(),
                    code,
                    code_system: system,
                    text: name,
                    status: Some("bundled"),
                    started_at: started,
                    encounter_key,
                    ..ProcedureRecord::default()
                }));
            }
            Some("receipt-drug") if !duplicate => {
                self.out.records.push(self.arena.record(MedicationRecord {
                    position: row.position(),
                    kind: Some("claim"),
                    code,
                    code_system: system,
                    text: name,
                    quantity: times(quantity, count, self.arena),
                    quantity_unit: unit,
                    status: Some("bundled"),
                    started_at: started,
                    encounter_key,
                    ..MedicationRecord::default()
                }));
            }
            _ => {}
        }
        let detail = row.detail(&mut self.list, &mut self.out);
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some("CD"),
            unit_no: order,
            row_no: detail_no,
            section,
            code,
            code_system: system,
            text: name,
            quantity,
            quantity_unit: unit,
            count,
            started_on: started,
            bundling: Some(if duplicate { "duplicate" } else { "bundled" }),
            item_key: Some(item_key),
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(item));
    }
}
