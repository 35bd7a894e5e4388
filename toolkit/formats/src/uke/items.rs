//! The billed rows: units of several rows, their points, and the events of their days.
//!
//! A unit (算定単位) is a run of rows; 診療識別 stands on its first row only, points on its last. What a
//! quantity means depends on 診療識別: per day (21), per dose (22), total (23), per time (31 to 33).

use std::borrow::Cow;

use super::{
    claim::Claim,
    runs::{Days, days, pairs},
};
use crate::{
    decimal::{product, whole},
    layout::Role,
    record::{ClaimItemRecord, MedicationRecord, ProcedureRecord, Text},
    row_view::{RowView, owned},
    words::number,
};

/// The unit that is open.
#[derive(Default)]
pub(super) struct Run<'a> {
    pub(super) unit: u32,
    pub(super) row: u32,
    pub(super) section: Text<'a>,
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
        let system = code.as_deref().and_then(|c| self.system_of(&row, c));
        let count = row.get(Role::Count);
        let points = row.get(Role::Points);
        if points.is_some() {
            self.count_points(&row);
        }
        let days = days(row.run(Role::Days));
        let quantity = row.get(Role::Quantity);
        let comments = pairs(self.charset, row.run(Role::Comments));
        let addons = pairs(self.charset, row.run(Role::Addons));
        let detail = row.detail(&mut self.out);
        if matches!(system, Some("receipt-act" | "receipt-drug")) {
            self.events(&row, &days, system, &quantity);
        }
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(Cow::Owned(self.key.clone())),
            source_record: Some(Cow::Borrowed(row.layout.id)),
            unit_no: Some(number(self.run.unit.into())),
            row_no: Some(number(self.run.row.into())),
            section: self.run.section.clone(),
            payers: row.get(Role::Payers),
            code,
            code_system: system.map(Cow::Borrowed),
            text: row.get(Role::Text),
            quantity,
            quantity_unit: row.get(Role::Unit),
            unit_price: row.get(Role::UnitPrice),
            points,
            count,
            days: days.text,
            teeth: row.get(Role::Tooth),
            comments: owned(match (comments.is_empty(), addons.is_empty()) {
                (_, true) => comments,
                (true, false) => addons,
                (false, false) => format!("{comments};{addons}"),
            }),
            bundling: self.dpc.then_some(Cow::Borrowed("outside")),
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(item.into());
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
        if self.run.section.as_deref() == Some("97") {
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

    /// One event per day with a count; without day columns (before 2012-04) one in the month.
    fn events(
        &mut self,
        row: &RowView<'a, '_>,
        days: &Days,
        system: Option<&'static str>,
        quantity: &Text<'a>,
    ) {
        self.days |= days.mask;
        let cells = row.run(Role::Days);
        let mut mask = days.mask;
        if mask == 0 {
            self.event(row, 0, row.get(Role::Count), system, quantity);
        }
        while mask != 0 {
            let day = mask.trailing_zeros();
            mask &= mask - 1;
            let count = row.text(cells[day as usize - 1]);
            self.event(row, day, count, system, quantity);
        }
    }

    fn event(
        &mut self,
        row: &RowView<'a, '_>,
        day: u32,
        count: Text<'a>,
        system: Option<&'static str>,
        quantity: &Text<'a>,
    ) {
        let code = row.get(Role::Code);
        let code_system = system.map(Cow::Borrowed);
        let started_at = self.date(day);
        // The visits of an outpatient claim are known by their day.
        let encounter_key = self.inpatient.then(|| Cow::Owned(self.key.clone()));
        if system == Some("receipt-act") {
            let record = ProcedureRecord {
                position: row.position(),
                code,
                code_system,
                status: Some(Cow::Borrowed("claimed")),
                started_at,
                encounter_key,
                ..ProcedureRecord::default()
            };
            self.out.records.push(record.into());
            return;
        }
        let section = self.run.section.as_deref();
        let total = match (quantity.as_deref(), count.as_deref()) {
            (Some(quantity), Some(count)) => product(quantity, count),
            (Some(quantity), None) => Some(quantity.to_owned()),
            _ => None,
        };
        let per_time = matches!(section, Some("22" | "31" | "32" | "33"));
        let record = MedicationRecord {
            position: row.position(),
            kind: Some(Cow::Borrowed("claim")),
            code,
            code_system,
            dose: quantity.clone().filter(|_| per_time),
            days: count.filter(|_| section == Some("21")),
            quantity: total.map(Cow::Owned),
            status: Some(Cow::Borrowed("claimed")),
            started_at,
            encounter_key,
            ..MedicationRecord::default()
        };
        self.out.records.push(record.into());
    }
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
