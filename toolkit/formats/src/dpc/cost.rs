//! EF, E, F and D: what was done and used, with points.

use super::{
    File,
    patient::{Stay, named},
};
use crate::{
    decimal::times,
    delimited::Charset,
    layout::Role,
    record::{
        ClaimItemRecord, ConditionRecord, DpcStayRecord, EncounterRecord, MedicationRecord,
        ProcedureRecord, Text,
    },
    row_view::RowView,
    uke::receipt_system,
};

impl<'a> Stay<'a> {
    pub(super) fn cost(&mut self, row: RowView<'a, '_>) {
        let detail_no = row.raw(Role::DetailNo).trim_ascii();
        let source = match self.file {
            File::D => "D",
            File::E => "E",
            File::F => "F",
            _ if !detail_no.is_empty() && detail_no.iter().all(|b| *b == b'0') => "E",
            _ => "F",
        };
        self.insured(&row);
        if row.raw(Role::DataKind).trim_ascii() == b"SY" {
            self.listed_diagnosis(row);
            return;
        }
        if matches!(self.file, File::Ef | File::EfOutpatient) && !matches!(row.cells.len(), 31 | 32)
        {
            self.out.note_issue("dpc.columns", row.position());
        }
        let code = row.get(Role::Code);
        let system = code.and_then(receipt_system);
        let name = row.get(Role::Text);
        if code.is_some() && system.is_none() {
            self.out.note_issue("dpc.code-shape", row.position());
        }
        let section = row.get(Role::DataKind);
        let (quantity, count) = (row.get(Role::Quantity), row.get(Role::Count));
        let unit = row.get(Role::Unit);
        let started = row.get(Role::Started);
        let practitioner = row.get(Role::Practitioner);
        let bundling = match (self.file, flag(&row, 1)) {
            (File::Ef | File::F, Some(b'1')) => Some("bundled"),
            (File::Ef | File::F, Some(b'0')) => Some("outside"),
            (File::D, _) => Some("bundled"),
            _ => None,
        };
        if source == "F" {
            match system {
                Some("receipt-act") => self.out.records.push(self.arena.record(ProcedureRecord {
                    position: row.position(),
                    code,
                    code_system: system,
                    text: name,
                    status: bundling,
                    started_at: started,
                    encounter_key: self.key,
                    practitioner,
                    ..ProcedureRecord::default()
                })),
                Some("receipt-drug") => {
                    let total = times(quantity, count, self.arena);
                    let days = count.filter(|_| section == Some("21"));
                    self.out.records.push(self.arena.record(MedicationRecord {
                        position: row.position(),
                        kind: Some("claim"),
                        code,
                        code_system: system,
                        text: name,
                        days,
                        quantity: total,
                        quantity_unit: unit,
                        status: bundling,
                        started_at: started,
                        encounter_key: self.key,
                        practitioner,
                        ..MedicationRecord::default()
                    }));
                }
                _ => {}
            }
        }
        // In a joined file the points of the act stand apart from those of the item.
        let joined = matches!(self.file, File::Ef | File::EfOutpatient);
        let points = match (joined, source) {
            (true, "E") => row.get(Role::Addons),
            _ => row.get(Role::Points),
        };
        // Of the two columns of points the other one is kept by its number.
        let other = match (joined, source) {
            (true, "E") => (Role::Points, "14"),
            (true, _) => (Role::Addons, "18"),
            _ => (Role::Birth, "birth"),
        };
        let roles =
            [(Role::Flags, "17"), (Role::Department, "department"), other, (Role::Birth, "birth")];
        let roles = if joined { &roles[..] } else { &roles[..3] };
        if practitioner.is_some() && !(source == "F" && system.is_some()) {
            self.out.note_unread("医師コード");
        }
        let detail = named(&row, roles, (&mut self.list, &mut self.again), &mut self.out);
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: self.key,
            source_record: Some(source),
            unit_no: row.get(Role::OrderNo),
            row_no: row.get(Role::DetailNo),
            section,
            code,
            local_code: row.get(Role::LocalCode),
            code_system: system,
            text: name,
            quantity,
            quantity_unit: unit,
            points,
            fee_points: row.get(Role::FeePoints),
            count,
            started_on: started,
            bundling,
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(item));
        match self.file {
            File::D => self.bundle(&row),
            File::EfOutpatient => {}
            _ if !self.told => {
                self.told = true;
                self.out.records.push(self.arena.record(DpcStayRecord {
                    position: row.position(),
                    stay_key: self.key,
                    source: Some(self.file.as_str()),
                    facility: row.get(Role::Facility),
                    admitted_on: row.get(Role::Admitted),
                    discharged_on: row.get(Role::Discharged),
                    ..DpcStayRecord::default()
                }));
            }
            _ => {}
        }
        if self.file == File::EfOutpatient {
            self.visit(&row);
        }
    }

    /// The stay under a DPC code, told once per code.
    fn bundle(&mut self, row: &RowView<'a, '_>) {
        let Some(code) = row.get(Role::DpcCode) else { return };
        if self.dpc_codes.contains(&code) {
            return;
        }
        self.dpc_codes.push(code);
        self.out.records.push(self.arena.record(DpcStayRecord {
            position: row.position(),
            stay_key: self.key,
            source: Some("d"),
            facility: row.get(Role::Facility),
            dpc_code: Some(code),
            admitted_on: row.get(Role::Admitted),
            discharged_on: row.get(Role::Discharged),
            coefficient: row.get(Role::Coefficient),
            ..DpcStayRecord::default()
        }));
    }

    /// The visit of an outpatient file, told once.
    fn visit(&mut self, row: &RowView<'a, '_>) {
        let day: Text<'a> = row.get(Role::Admitted);
        if self.person.birth_on.is_some() || day.is_none() {
            return;
        }
        self.person.birth_on = row.get(Role::Birth);
        if self.person.birth_on.is_none() {
            return;
        }
        self.out.records.push(self.arena.record(self.person));
        self.out.records.push(self.arena.record(EncounterRecord {
            position: row.position(),
            encounter_key: self.key,
            class: Some("O"),
            start_at: day,
            department_code: row.get(Role::Department),
            ..EncounterRecord::default()
        }));
    }

    /// A row of an outpatient file whose データ区分 is SY.
    fn listed_diagnosis(&mut self, row: RowView<'a, '_>) {
        let code = row.get(Role::Code);
        let flag = |at: usize| {
            flag(&row, at).filter(u8::is_ascii_digit).map(|b| {
                const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
                DIGITS[usize::from(b - b'0')]
            })
        };
        let system = code.is_some().then_some("receipt-disease");
        let condition = ConditionRecord {
            position: row.position(),
            code,
            code_system: system,
            text: row.get(Role::Text),
            role: flag(4),
            outcome: flag(3),
            recorded_at: row.get(Role::Started),
            encounter_key: self.key,
            ..ConditionRecord::default()
        };
        let roles = [
            (Role::Flags, "17"),
            (Role::Department, "department"),
            (Role::Points, "14"),
            (Role::Addons, "18"),
            (Role::Birth, "birth"),
        ];
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: self.key,
            source_record: Some("SY"),
            unit_no: row.get(Role::OrderNo),
            row_no: row.get(Role::DetailNo),
            section: row.get(Role::DataKind),
            code,
            local_code: row.get(Role::LocalCode),
            code_system: system,
            text: row.get(Role::Text),
            quantity: row.get(Role::Quantity),
            quantity_unit: row.get(Role::Unit),
            fee_points: row.get(Role::FeePoints),
            count: row.get(Role::Count),
            started_on: row.get(Role::Started),
            role: flag(4),
            outcome: flag(3),
            detail: named(&row, &roles, (&mut self.list, &mut self.again), &mut self.out),
            ..ClaimItemRecord::default()
        };
        if row.get(Role::Practitioner).is_some() {
            self.out.note_unread("医師コード");
        }
        self.out.records.push(self.arena.record(condition));
        self.out.records.push(self.arena.record(item));
    }
}

/// A byte of the flags as the file has them: they are counted in bytes, whatever stands between them.
fn flag(row: &RowView<'_, '_>, at: usize) -> Option<u8> {
    let flags = row.raw(Role::Flags).trim_ascii();
    if flags.is_ascii() || row.charset() == Charset::Utf8 || row.is_source() {
        return flags.get(at).copied();
    }
    let text = std::str::from_utf8(flags).ok()?;
    let mut left = at;
    for c in text.chars() {
        // One byte: ASCII, half-width kana; others have two, of which none is a digit.
        let width = if matches!(c, '\0'..='\u{80}' | '\u{FF61}'..='\u{FF9F}') { 1 } else { 2 };
        if left < width {
            return u8::try_from(c).ok().filter(u8::is_ascii);
        }
        left -= width;
    }
    None
}
