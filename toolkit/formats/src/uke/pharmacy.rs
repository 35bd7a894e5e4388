//! Pharmacy claims: a regimen (`SH`) owns the dispensings (`CZ`) and drugs (`IY`) behind it; each drug was
//! given at each dispensing, for as many days or times as that row says.

use super::claim::Claim;
use crate::{
    decimal::product,
    delimited::Charset,
    layout::Role,
    record::{ClaimItemRecord, MedicationRecord, Record, Text},
    row_view::RowView,
    words::number,
};

/// The regimen that is open.
#[derive(Default)]
pub(super) struct Regimen<'a> {
    number: u32,
    row: u32,
    form: Text<'a>,
    usage_code: Text<'a>,
    usage_text: Text<'a>,
    dispensings: Vec<Dispensing<'a>>,
    drugs: Vec<Drug<'a>>,
}

struct Dispensing<'a> {
    ordered: Text<'a>,
    dispensed: Text<'a>,
    amount: Option<&'a str>,
    practitioner: Text<'a>,
}

struct Drug<'a> {
    position: crate::Position<'a>,
    code: Text<'a>,
    quantity: Option<&'a str>,
    dose: Text<'a>,
}

/// 剤形 whose amount is a number of days: 内服, 浸煎, 湯. Others are counted in times.
fn in_days(form: Option<&str>) -> bool {
    matches!(form, Some("1" | "6" | "7"))
}

impl<'a> Claim<'a, '_> {
    pub(super) fn dispensed(&mut self, row: RowView<'a, '_>) {
        let code = row.get(Role::Code);
        let quantity = row.get(Role::Quantity);
        let mut started_on = None;
        match row.layout.id {
            "SH" => {
                self.close_regimen();
                self.regimen.number += 1;
                self.regimen.row = 0;
                self.regimen.form = row.get(Role::DosageForm);
                self.regimen.usage_code = row.get(Role::Usage);
                self.regimen.usage_text = row.get(Role::UsageText);
            }
            "CZ" => {
                let dispensing = Dispensing {
                    ordered: self.with_year(row.get(Role::Ordered)),
                    dispensed: self.with_year(row.get(Role::Started)),
                    amount: row.get(Role::Count),
                    practitioner: self.practitioner(&row),
                };
                if dispensing.dispensed.is_none() {
                    self.out.note_issue("uke.no-date", row.position());
                }
                started_on.clone_from(&dispensing.dispensed);
                self.regimen.dispensings.push(dispensing);
            }
            "IY" => self.regimen.drugs.push(Drug {
                position: row.position(),
                code,
                quantity,
                dose: row.get(Role::Dose),
            }),
            _ => {}
        }
        self.regimen.row += 1;
        let system = match row.layout.id {
            // Fee codes of pharmacies begin with 4; TK texts have comment codes or none.
            "IY" | "TO" | "CO" | "CZ" => code.and_then(|c| self.system_of(&row, c)),
            _ => None,
        };
        self.list.clear();
        for (role, name) in [
            (Role::DosageForm, "form"),
            (Role::Usage, "usage"),
            (Role::UsageText, "usage_text"),
            (Role::Ordered, "ordered"),
            (Role::PractitionerNo, "practitioner"),
            (Role::DrugPoints, "drug_points"),
            (Role::Dose, "dose"),
        ] {
            if let Some(value) = row.get(role) {
                row.push_named(&mut self.list, name, value);
            }
        }
        row.keep("", &mut self.list, &mut self.out);
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some(row.layout.id),
            unit_no: Some(number(self.regimen.number.into(), self.arena)),
            row_no: Some(number(self.regimen.row.into(), self.arena)),
            section: row.get(Role::OrderNo),
            payers: row.get(Role::Payers),
            code,
            code_system: system,
            text: row.get(Role::Text),
            quantity,
            points: row.get(Role::Points),
            count: row.get(Role::Count),
            started_on,
            detail: row.made(&self.list),
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(item));
    }

    /// Every drug of the regimen at every dispensing of it.
    pub(super) fn close_regimen(&mut self) {
        let regimen = &mut self.regimen;
        let dispensings = std::mem::take(&mut regimen.dispensings);
        let drugs = std::mem::take(&mut regimen.drugs);
        let days = in_days(regimen.form);
        for (drug, dispensing) in
            drugs.iter().flat_map(|drug| dispensings.iter().map(move |given| (drug, given)))
        {
            if self.out.records.len() >= MAX_RECORDS {
                self.out.note_issue("uke.too-many-events", drug.position);
                break;
            }
            let quantity = match (drug.quantity, dispensing.amount) {
                (Some(quantity), Some(amount)) => product(quantity, amount, self.arena),
                _ => None,
            };
            let record = MedicationRecord {
                position: drug.position,
                kind: Some("dispense"),
                code: drug.code,
                code_system: drug.code.and_then(super::items::receipt_system),
                dose: drug.dose,
                days: dispensing.amount.filter(|_| days),
                quantity,
                usage_code: regimen.usage_code,
                usage_text: regimen.usage_text,
                status: Some("claimed"),
                started_at: dispensing.dispensed,
                ordered_at: dispensing.ordered,
                practitioner: dispensing.practitioner,
                ..MedicationRecord::default()
            };
            self.out.records.push(self.arena.record(record));
        }
        if !drugs.is_empty() && dispensings.is_empty() {
            self.out.note_issue("uke.no-dispensing", drugs[0].position);
        }
    }

    /// The physician a row names by number, 1 to 10.
    fn practitioner(&self, row: &RowView<'a, '_>) -> Text<'a> {
        let number = row.raw(Role::PractitionerNo);
        if row.charset() == Charset::Cp932 && !number.is_ascii() {
            return None;
        }
        let number: usize = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
        *self.practitioners.get(number.checked_sub(1)?)?
    }

    /// A day written as month and day gets the year of the month of care; a month behind that one was in
    /// the year before (written in December, dispensed in January). A full date stays.
    fn with_year(&self, day: Text<'a>) -> Text<'a> {
        let day = day?;
        if day.len() != 4 || !day.bytes().all(|b| b.is_ascii_digit()) {
            return Some(day);
        }
        let care = self.month?;
        let (year, month) = care.split_at_checked(care.len().checked_sub(2)?)?;
        let digits = year.len();
        let year: u32 = year.parse().ok()?;
        let year = if day[..2] > *month { year.checked_sub(1)? } else { year };
        Some(self.arena.text(&format!("{year:0digits$}{day}")))
    }
}

/// Most records of one claim: rows times dispensings must not fill the memory.
const MAX_RECORDS: usize = 200_000;

/// Names the fields of physicians that no dispensing refers to.
pub(super) fn unreferenced(claim: &mut Claim<'_, '_>) {
    let first = super::Form::Pharmacy.layout("RE").map_or(0, |l| l.run(Role::Practitioners).start);
    for (place, name) in std::mem::take(&mut claim.practitioners).into_iter().enumerate() {
        let used = name.is_none()
            || claim.out.records.iter().any(|r| match r {
                Record::Medication(drug) => drug.practitioner == name,
                _ => false,
            });
        if !used {
            claim.out.note_unread(format!("RE.{}", first + 1 + 2 * place));
        }
    }
}
