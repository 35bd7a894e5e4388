//! Who the text is about, how insured, and the visits it tells of.

use super::{Kind, Reading};
use crate::{
    layout::Role,
    record::{CoverageRecord, EncounterRecord, MeasurementRecord, Text},
    row_view::RowView,
    text::{gaiji, holds_my_number, narrow},
};

impl<'a> Reading<'a> {
    fn guard(&mut self, values: &[&Text<'a>]) {
        self.my_number |= values.iter().any(|v| v.as_deref().is_some_and(holds_my_number));
    }

    pub(super) fn notebook_person(&mut self, row: RowView<'a, '_>) {
        if self.person.name_kanji.is_some() {
            self.out.note_issue("jahis.second-person", row.position());
            self.out.note_unread(format!("line {}", row.line));
            return;
        }
        self.person.position = row.position();
        self.named(&row);
        self.person.sex = sex(row.get(Role::Sex));
        self.person.birth_on = row.get(Role::Birth);
        self.person.postal_code = row.get(Role::Postal);
        self.person.address = row.get(Role::Address);
        self.person.phone = row.get(Role::Phone);
        for (role, name, unit) in
            [(Role::Weight, "体重", Some("kg")), (Role::BloodType, "血液型", None)]
        {
            let Some(value) = row.get(role) else { continue };
            let number = crate::text::quantity(value).map(|q| self.arena.keep(q.number));
            self.out.records.push(self.arena.record(MeasurementRecord {
                position: row.position(),
                category: Some("body"),
                text: Some(name),
                value_num: number,
                value_text: Some(value),
                unit,
                ..MeasurementRecord::default()
            }));
        }
        self.side(row);
    }

    fn named(&mut self, row: &RowView<'a, '_>) {
        let (name, kana) = (row.get(Role::Name), row.get(Role::Kana));
        self.guard(&[&name, &kana]);
        if name.is_some_and(gaiji) {
            self.out.note_issue("gaiji", row.position());
        }
        self.person.name_kanji = name;
        self.person.name_kana = kana;
    }

    pub(super) fn prescription_person(&mut self, row: RowView<'a, '_>) {
        match row.layout.id {
            "11" => {
                self.person.position = row.position();
                self.named(&row);
                self.patient_no = row.get(Role::PatientNo);
                let number = self.patient_no;
                self.guard(&[&number]);
            }
            "12" => self.person.sex = sex(row.get(Role::Sex)),
            _ => self.person.birth_on = row.get(Role::Birth),
        }
        self.side(row);
    }

    pub(super) fn insurance(&mut self, row: RowView<'a, '_>) {
        let insurance = self.insurance.get_or_insert_with(|| CoverageRecord {
            position: row.position(),
            ..CoverageRecord::default()
        });
        match row.layout.id {
            "21" => insurance.kind = row.get(Role::Section),
            "22" => {
                insurance.insurer_no = row.get(Role::InsurerNo);
                self.person.insurer_no = row.get(Role::InsurerNo);
            }
            _ => {
                insurance.insured_symbol = row.get(Role::Symbol);
                insurance.insured_number = row.get(Role::Number);
                insurance.insured_branch = row.get(Role::Branch);
                insurance.relation = row.get(Role::Relation);
                let (symbol, number) = (row.get(Role::Symbol), row.get(Role::Number));
                self.guard(&[&symbol, &number]);
                self.person.insured_symbol = symbol;
                self.person.insured_number = number;
                self.person.insured_branch = row.get(Role::Branch);
            }
        }
        self.side(row);
    }

    pub(super) fn public(&mut self, row: RowView<'a, '_>) {
        let recipient = row.get(Role::Recipient);
        self.guard(&[&recipient]);
        self.coverages.push(CoverageRecord {
            position: row.position(),
            insurer_no: row.get(Role::InsurerNo),
            insured_number: recipient,
            kind: Some(match row.layout.id {
                "27" => "public1",
                "28" => "public2",
                "29" => "public3",
                _ => "public4",
            }),
            ..CoverageRecord::default()
        });
        self.side(row);
    }

    /// `5` of a notebook: a dispensing begins.
    pub(super) fn dispensing(&mut self, row: RowView<'a, '_>) {
        self.close_visit();
        self.open_visit(&row);
        if let Some(visit) = &mut self.visit {
            visit.start_at = row.get(Role::Started);
        }
        if self.day().is_none() {
            self.out.note_issue("jahis.no-date", row.position());
        }
        self.side(row);
    }

    /// Physician, department and date of a prescription; of a notebook: physician and department.
    pub(super) fn visit(&mut self, row: RowView<'a, '_>) {
        if self.visit.is_none() {
            self.open_visit(&row);
        }
        if let Some(visit) = &mut self.visit {
            visit.start_at = row.get(Role::Started).or(visit.start_at.take());
            visit.practitioner = row.get(Role::Practitioner).or(visit.practitioner.take());
            visit.department_code = row.get(Role::Department).or(visit.department_code.take());
            visit.department_text = row.get(Role::DepartmentText).or(visit.department_text.take());
        }
        self.side(row);
    }

    fn open_visit(&mut self, row: &RowView<'a, '_>) {
        self.visits += 1;
        self.visit = Some(EncounterRecord {
            position: row.position(),
            encounter_key: Some(self.arena.text(&format!(
                "{}-{}",
                self.kind.as_str(),
                self.visits
            ))),
            class: Some("O"),
            status: Some(match self.kind {
                Kind::Notebook => "dispensed",
                Kind::Prescription => "prescribed",
            }),
            ..EncounterRecord::default()
        });
    }

    pub(super) fn close_visit(&mut self) {
        self.close_regimens();
        if self.kind == Kind::Prescription && self.day().is_none() {
            self.out.note_issue("jahis.no-date", self.person.position);
        }
        self.out.records.extend(self.visit.take().map(|visit| self.arena.record(visit)));
    }

    /// The institution's number of the patient, else name, birth and sex.
    pub(super) fn key(&self) -> Text<'a> {
        if self.patient_no.is_some() {
            return self.patient_no;
        }
        let name = self.person.name_kana.or(self.person.name_kanji)?;
        let mut key: String =
            name.chars().map(narrow).filter(|c| !c.is_whitespace() && *c != ':').collect();
        for part in [&self.person.birth_on, &self.person.sex] {
            key.push(':');
            key.push_str(part.as_deref().unwrap_or(""));
        }
        Some(self.arena.text(&key))
    }
}

fn sex(code: Text<'_>) -> Text<'_> {
    code.map(|s| match s {
        "1" => "M",
        "2" => "F",
        _ => s,
    })
}
