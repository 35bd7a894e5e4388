//! Drugs by regimen (RP): what, how much, how, for how long.
//!
//! The amount of an oral drug is that of a day; of a drug taken as needed that of one time; of others the
//! whole. Amount times 調剤数量 is the total of all of them.

use super::{Kind, Reading};
use crate::{
    decimal::product,
    layout::Role,
    record::{MedicationRecord, NoteRecord, Text},
    row_view::RowView,
    uke::receipt_system,
};

/// Drugs and regimens of one dispensing or prescription.
#[derive(Default)]
pub(super) struct Regimens<'a> {
    drugs: Vec<Drug<'a>>,
    usages: Vec<Usage<'a>>,
}

struct Drug<'a> {
    rp: Text<'a>,
    serial: Text<'a>,
    amount: Option<&'a str>,
    record: MedicationRecord<'a>,
}

#[derive(Default)]
struct Usage<'a> {
    rp: Text<'a>,
    form: Text<'a>,
    count: Option<&'a str>,
    unit: Text<'a>,
    code: Text<'a>,
    words: Text<'a>,
}

/// Is 調剤数量 a number of days?
fn in_days(kind: Kind, form: Option<&str>, unit: Option<&str>) -> bool {
    match kind {
        // 内服, 浸煎, 湯; or the unit says so.
        Kind::Notebook => {
            matches!(form, Some("1" | "6" | "7")) || unit.is_some_and(|u| u.contains('日'))
        }
        Kind::Prescription => form == Some("1"),
    }
}

/// Is the amount that of one time (屯服, 頓服)?
fn per_time(kind: Kind, form: Option<&str>) -> bool {
    match kind {
        Kind::Notebook => form == Some("3"),
        Kind::Prescription => form == Some("2"),
    }
}

impl<'a> Reading<'a> {
    pub(super) fn drug(&mut self, row: RowView<'a, '_>) {
        let code = row.get(Role::Code);
        let kind = row.get(Role::CodeKind);
        let system = match kind {
            Some("1") => None,
            Some("2") => Some("receipt-drug"),
            Some("3") => Some("mhlw-drug"),
            Some("4") => Some("YJ"),
            Some("6") => Some("HOT"),
            Some("7") => Some("generic-name"),
            Some(_) => Some("other"),
            None => code.and_then(receipt_system),
        };
        if code.is_none() && kind.is_some_and(|k| k != "1" && k != "7") {
            self.out.note_issue("jahis.no-code", row.position());
        }
        if row.get(Role::Text).is_none() && code.is_none() {
            self.out.note_issue("jahis.no-drug", row.position());
        }
        let mut record = self.drug_record(row.position());
        if self.kind == Kind::Notebook && row.raw(Role::WrittenBy).trim_ascii() == b"2" {
            record.kind = Some("self-reported");
        }
        record.code_system = code.is_some().then_some(system).flatten();
        record.code = code;
        record.text = row.get(Role::Text);
        record.quantity_unit = row.get(Role::Unit);
        // Materials, uninsured drugs; the amount as active ingredient.
        record.status = match (row.get(Role::Section), row.get(Role::Flags)) {
            (section, Some("2")) => {
                Some(self.arena.text(&format!("情報区分{};力価", section.unwrap_or(""))))
            }
            (Some(section), _) => Some(self.arena.text(&format!("情報区分{section}"))),
            _ => None,
        };
        let generic = [
            ("一般名", row.get(Role::GenericText)),
            ("一般名コード種別", row.get(Role::GenericKind)),
            ("一般名コード", row.get(Role::GenericCode)),
        ];
        if generic.iter().any(|(_, v)| v.is_some()) {
            let mut words = String::new();
            for (name, value) in generic {
                let Some(value) = value else { continue };
                if !words.is_empty() {
                    words.push(';');
                }
                words.push_str(name);
                words.push('=');
                crate::row_view::push_escaped(&mut words, value);
            }
            self.out.records.push(self.arena.record(NoteRecord {
                position: row.position(),
                kind: Some("一般名"),
                title: row.get(Role::Rp).map(|rp| self.arena.text(&format!("RP{rp}"))),
                text: Some(self.arena.text(&words)),
                written_at: self.day(),
                encounter_key: self.encounter_key(),
                practitioner: None,
            }));
        }
        self.regimens.drugs.push(Drug {
            rp: row.get(Role::Rp),
            serial: row.get(Role::Serial),
            amount: row.get(Role::Quantity),
            record,
        });
        self.side(row);
    }

    pub(super) fn usage(&mut self, row: RowView<'a, '_>) {
        let rp = row.get(Role::Rp);
        let place = self.regimens.usages.iter().position(|u| u.rp == rp).unwrap_or_else(|| {
            self.regimens.usages.push(Usage { rp, ..Usage::default() });
            self.regimens.usages.len() - 1
        });
        if let (Some(count), Some(unit)) = (row.get(Role::Count), row.get(Role::Unit)) {
            self.out.records.push(self.arena.record(NoteRecord {
                position: row.position(),
                kind: Some("調剤数量"),
                title: row.get(Role::Rp).map(|rp| self.arena.text(&format!("RP{rp}"))),
                text: Some(self.arena.text(&format!("{count}{unit}"))),
                written_at: self.day(),
                encounter_key: self.encounter_key(),
                practitioner: None,
            }));
        }
        let usage = &mut self.regimens.usages[place];
        usage.form = row.get(Role::DosageForm).or(usage.form.take());
        usage.count = row.get(Role::Count).or(usage.count);
        usage.unit = row.get(Role::Unit).or(usage.unit.take());
        usage.code = row.get(Role::Usage).or(usage.code.take());
        usage.words = row.get(Role::UsageText).or(usage.words.take());
        self.side(row);
    }

    /// `241` of a prescription: the dose at one time.
    pub(super) fn dose(&mut self, row: RowView<'a, '_>) {
        let (rp, serial) = (row.get(Role::Rp), row.get(Role::Serial));
        for drug in &mut self.regimens.drugs {
            if drug.rp == rp && drug.serial == serial {
                drug.record.dose = row.get(Role::Dose);
                drug.record.dose_unit.clone_from(&drug.record.quantity_unit);
            }
        }
    }

    pub(super) fn close_regimens(&mut self) {
        let Regimens { drugs, usages } = std::mem::take(&mut self.regimens);
        let day = self.day();
        let practitioner = self.visit.as_ref().and_then(|v| v.practitioner);
        for drug in drugs {
            let mut record = drug.record;
            let usage = usages.iter().find(|u| u.rp == drug.rp);
            if usage.is_none() {
                self.out.note_issue("jahis.no-usage", record.position);
            }
            let form = usage.and_then(|u| u.form);
            let count = usage.and_then(|u| u.count);
            let unit = usage.and_then(|u| u.unit);
            if per_time(self.kind, form) && record.dose.is_none() {
                record.dose = drug.amount;
                record.dose_unit = record.quantity_unit;
            }
            record.quantity = match (drug.amount, count) {
                (Some(amount), Some(count)) => product(amount, count, self.arena),
                // Without a number of days or times the total is not known; the amount of a day is kept.
                _ => None,
            };
            if record.quantity.is_none() && record.dose.is_none() {
                record.usage_text = drug.amount.map(|a| self.arena.text(&format!("用量{a}")));
            }
            record.days = count.filter(|_| in_days(self.kind, form, unit));
            record.usage_code = usage.and_then(|u| u.code);
            let words = usage.and_then(|u| u.words);
            record.usage_text = match (words, record.usage_text.take()) {
                (Some(words), Some(amount)) => Some(self.arena.text(&format!("{words} {amount}"))),
                (words, amount) => words.or(amount),
            };
            record.practitioner.clone_from(&practitioner);
            record.encounter_key = self.encounter_key();
            match self.kind {
                Kind::Notebook => record.started_at.clone_from(&day),
                Kind::Prescription => record.ordered_at.clone_from(&day),
            }
            self.out.records.push(self.arena.record(record));
        }
    }

    /// `3` of a notebook: a drug bought without prescription.
    pub(super) fn over_the_counter(&mut self, row: RowView<'a, '_>) {
        let code = row.get(Role::Code);
        let mut record = self.drug_record(row.position());
        record.kind = Some("otc");
        record.code_system = code.is_some().then_some("JAN");
        record.code = code;
        record.text = row.get(Role::Text);
        record.started_at = row.get(Role::Started);
        record.ended_at = row.get(Role::EndedOn);
        record.encounter_key = None;
        self.out.records.push(self.arena.record(record));
        self.side(row);
    }
}
