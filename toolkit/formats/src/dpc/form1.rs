//! Form 1 (様式1): the stay in coded rows of nine payloads, or in one row of many columns.
//!
//! The codes change each fiscal year: what a payload means stands in the layout table by code and version;
//! a code that is not there is kept as a row of `survey` like all others.

use super::{File, form1_layout, header::Columns, patient::Stay};
use crate::{
    layout::{RecordLayout, Role},
    record::{
        ConditionRecord, DeathRecord, DpcStayRecord, EncounterRecord, MeasurementRecord,
        ProcedureRecord, SurveyRecord, Text,
    },
    row_view::RowView,
};

/// What the rows of a stay said so far.
#[derive(Default)]
pub(super) struct Form1<'a> {
    /// One per 回数管理番号.
    stays: Vec<DpcStayRecord<'a>>,
    /// Was there an A000010?
    basics: bool,
}

/// One coded row, from either shape.
struct Coded<'a, 's> {
    row: &'s RowView<'a, 's>,
    code: &'a str,
    version: Text<'a>,
    episode: Text<'a>,
    spell: Text<'a>,
    serial: Text<'a>,
    /// The layout of the code, if the table has it.
    layout: Option<&'static RecordLayout>,
    payloads: [Text<'a>; 9],
}

impl<'a> Coded<'a, '_> {
    fn get(&self, role: Role) -> Text<'a> {
        let at = self.layout?.at(role)?;
        *self.payloads.get(at)?
    }
}

impl<'a> Stay<'a> {
    pub(super) fn form1(&mut self, row: RowView<'a, '_>) {
        let mut payloads: [Text<'a>; 9] = Default::default();
        for (slot, cell) in payloads.iter_mut().zip(row.run(Role::Payload)) {
            *slot = row.text(*cell);
        }
        let Some(code) = row.get(Role::ItemCode) else {
            self.out.note_issue("dpc.no-code", row.position());
            self.out.note_unread(format!("line {}", row.line));
            return;
        };
        let version = row.get(Role::Version);
        let layout = form1_layout(code, version.unwrap_or(""));
        let detail = row.detail(&mut self.list, &mut self.out);
        self.coded(
            Coded {
                row: &row,
                code,
                version,
                episode: row.get(Role::Episode),
                spell: row.get(Role::Spell),
                serial: row.get(Role::Serial),
                layout,
                payloads,
            },
            detail,
        );
    }

    /// A row of the wide shape: its columns become coded rows; a column that the table does not know
    /// becomes a row named by its header.
    pub(super) fn form1_wide(&mut self, row: RowView<'a, '_>, columns: &Columns) {
        let mut coded: Vec<(&'static RecordLayout, String, [Text<'a>; 9])> = Vec::new();
        let cells = Columns::source(&row);
        for (at, cell) in cells.iter().enumerate() {
            let Some(value) = row.text(*cell) else { continue };
            match columns.wide.get(at).and_then(Option::as_ref) {
                Some((layout, payload, serial)) => {
                    let place = coded
                        .iter()
                        .position(|(l, s, _)| l.id == layout.id && s == serial)
                        .unwrap_or_else(|| {
                            coded.push((layout, serial.clone(), Default::default()));
                            coded.len() - 1
                        });
                    coded[place].2[payload - 1] = Some(value);
                }
                None if columns.is_key(at) => {}
                None => {
                    let name = columns.name(at).unwrap_or_default();
                    let record = SurveyRecord {
                        position: row.position(),
                        stay_key: self.key,
                        file: Some("form1"),
                        facility: row.get(Role::Facility),
                        admitted_on: row.get(Role::Admitted),
                        code: row.made(name),
                        value1: Some(value),
                        ..SurveyRecord::default()
                    };
                    self.out.records.push(self.arena.record(record));
                }
            }
        }
        // The key of the stay is the admission too.
        if let Some(admitted) = row.get(Role::Admitted) {
            let slot = coded.iter_mut().find(|(l, ..)| l.id == "A000020");
            match slot {
                Some((.., payloads)) => payloads[0] = payloads[0].take().or(Some(admitted)),
                None => {
                    if let Some(layout) = form1_layout("A000020", "") {
                        let mut payloads: [Text<'a>; 9] = Default::default();
                        payloads[0] = Some(admitted);
                        coded.push((layout, String::new(), payloads));
                    }
                }
            }
        }
        for (layout, serial, payloads) in coded {
            self.coded(
                Coded {
                    row: &row,
                    code: layout.id,
                    version: None,
                    episode: row.get(Role::Episode),
                    spell: row.get(Role::Spell),
                    serial: row.made(&serial),
                    layout: Some(layout),
                    payloads,
                },
                None,
            );
        }
    }

    fn coded(&mut self, coded: Coded<'a, '_>, detail: Text<'a>) {
        match coded.code {
            "A000010" => {
                self.form1.basics = true;
                self.person.birth_on = coded.get(Role::Birth);
                self.person.postal_code = coded.get(Role::Postal);
                self.person.sex = coded.get(Role::Sex).map(|s| match s {
                    "1" => "M",
                    "2" => "F",
                    _ => s,
                });
            }
            "A000020" | "A000030" | "A000040" => self.about_stay(&coded),
            code if code.starts_with("A0060") && code != "A006060" => self.disease(&coded),
            "A007010" => self.operation(&coded),
            "A001010" => self.body(&coded),
            _ => {}
        }
        let name = coded.layout.and_then(|l| l.fields.first()).map(|f| f.name);
        let [value1, value2, value3, value4, value5, value6, value7, value8, value9] =
            coded.payloads;
        let record = SurveyRecord {
            position: coded.row.position(),
            stay_key: self.key,
            file: Some("form1"),
            facility: coded.row.get(Role::Facility),
            ward: None,
            admitted_on: coded.row.get(Role::Admitted),
            discharged_on: None,
            performed_on: None,
            episode_no: coded.episode,
            spell_no: coded.spell,
            code: Some(coded.code),
            version: coded.version,
            serial: coded.serial,
            text: name,
            value1,
            value2,
            value3,
            value4,
            value5,
            value6,
            value7,
            value8,
            value9,
            detail,
        };
        self.out.records.push(self.arena.record(record));
    }

    fn about_stay(&mut self, coded: &Coded<'a, '_>) {
        let episode = coded.episode;
        let place = self.form1.stays.iter().position(|s| s.episode_no == episode);
        let place = place.unwrap_or_else(|| {
            self.form1.stays.push(DpcStayRecord {
                position: coded.row.position(),
                stay_key: self.key,
                source: Some("form1"),
                facility: coded.row.get(Role::Facility),
                admitted_on: coded.row.get(Role::Admitted),
                episode_no: episode,
                ..DpcStayRecord::default()
            });
            self.form1.stays.len() - 1
        });
        let stay = &mut self.form1.stays[place];
        match coded.code {
            "A000020" => {
                stay.admitted_on = coded.get(Role::Admitted).or(stay.admitted_on.take());
                stay.route = coded.get(Role::Section);
                stay.urgency = coded.get(Role::Serial);
                stay.ambulance = coded.get(Role::Flags);
            }
            "A000030" => {
                stay.discharged_on = coded.get(Role::Discharged);
                stay.destination = coded.get(Role::Destination);
                stay.outcome = coded.get(Role::Outcome);
            }
            _ => stay.department = coded.get(Role::Department),
        }
        let Some(layout) = coded.layout else { return };
        let mut detail = stay.detail.take().unwrap_or_default().to_owned();
        for (index, value) in coded.payloads.iter().enumerate() {
            if layout.kept(index) == Some(false) {
                continue;
            }
            let Some(value) = value else { continue };
            let name = format!("{}.{}", coded.code, index + 1);
            coded.row.push_named(&mut detail, &name, value);
        }
        stay.detail = coded.row.made(&detail);
    }

    fn disease(&mut self, coded: &Coded<'a, '_>) {
        let code = coded.get(Role::Code);
        let words = coded.get(Role::Text);
        let icd10 = coded.get(Role::Icd10);
        if code.is_none() && words.is_none() && icd10.is_none() {
            self.out.note_issue("dpc.no-code", coded.row.position());
            return;
        }
        let modifiers = coded.layout.map_or(0..0, |l| l.run(Role::Modifiers));
        let suspected = coded.payloads[modifiers.start.min(9)..modifiers.end.min(9)]
            .iter()
            .any(|m| m.as_deref().is_some_and(|m| m.as_bytes().chunks(4).any(|m| m == b"8002")));
        self.out.records.push(self.arena.record(ConditionRecord {
            position: coded.row.position(),
            code_system: code.is_some().then_some("receipt-disease"),
            code,
            text: words,
            icd10,
            role: Some(coded.code),
            certainty: suspected.then_some("suspected"),
            recorded_at: coded.row.get(Role::Admitted),
            encounter_key: self.key,
            ..ConditionRecord::default()
        }));
    }

    fn operation(&mut self, coded: &Coded<'a, '_>) {
        let code = coded.get(Role::SectionCode);
        self.out.records.push(self.arena.record(ProcedureRecord {
            position: coded.row.position(),
            code_system: code.is_some().then_some("k-code"),
            code,
            text: coded.get(Role::Text),
            started_at: coded.get(Role::Started),
            encounter_key: self.key,
            ..ProcedureRecord::default()
        }));
    }

    fn body(&mut self, coded: &Coded<'a, '_>) {
        for (role, name, unit) in [(Role::Quantity, "身長", "cm"), (Role::Weight, "体重", "kg")]
        {
            let Some(value) = coded.get(role) else { continue };
            let number = crate::text::quantity(value).map(|q| self.arena.keep(q.number));
            self.out.records.push(self.arena.record(MeasurementRecord {
                position: coded.row.position(),
                category: Some("body"),
                code: Some(coded.code),
                code_system: Some("dpc-form1"),
                text: Some(name),
                value_num: number,
                value_text: Some(value),
                unit: Some(unit),
                measured_at: coded.row.get(Role::Admitted),
                encounter_key: self.key,
                ..MeasurementRecord::default()
            }));
        }
    }

    /// What only all rows together tell: person, stays, the encounter, a death.
    pub(super) fn close_form1(&mut self) {
        if !matches!(self.file, File::Form1 | File::Form1Wide) {
            return;
        }
        if self.form1.basics {
            if self.person.birth_on.is_none() {
                self.out.note_issue("dpc.no-birth", self.person.position);
            }
            self.out.records.push(self.arena.record(self.person));
        }
        for stay in std::mem::take(&mut self.form1.stays) {
            let whole = stay.episode_no.is_none_or(|e| e.bytes().all(|b| b == b'0'));
            if whole {
                self.out.records.push(self.arena.record(EncounterRecord {
                    position: stay.position,
                    encounter_key: self.key,
                    class: Some("I"),
                    start_at: stay.admitted_on,
                    end_at: stay.discharged_on,
                    department_code: stay.department,
                    disposition_code: stay.destination,
                    ..EncounterRecord::default()
                }));
                if matches!(stay.outcome, Some("6" | "7")) {
                    self.out.records.push(self.arena.record(DeathRecord {
                        position: stay.position,
                        died_on: stay.discharged_on,
                        ..DeathRecord::default()
                    }));
                }
            }
            self.out.records.push(self.arena.record(stay));
        }
    }
}
