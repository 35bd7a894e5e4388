//! The rows of one stay: whose they are, and what they have in common.

use super::{File, form1::Form1, stay_key};
use crate::{
    arena::Arena,
    layout::Role,
    record::{CoverageRecord, Parsed, PersonRecord, SurveyRecord, Text},
    row_view::{Again, RowView, at_line},
    text::holds_my_number,
};

/// A stay being read.
pub(super) struct Stay<'a> {
    pub(super) file: File,
    pub(super) out: Parsed<'a>,
    pub(super) arena: &'a Arena,
    pub(super) key: Option<&'a str>,
    pub(super) person: PersonRecord<'a>,
    pub(super) form1: Form1<'a>,
    pub(super) insurer: Option<&'a str>,
    /// A list that is used again and again.
    pub(super) list: String,
    /// What the row before says in the fields that no column takes.
    pub(super) again: Again<'a>,
    /// Was the stay of a cost file told?
    pub(super) told: bool,
    /// DPC codes met in a D file.
    pub(super) dpc_codes: Vec<&'a str>,
    id: Option<Vec<u8>>,
    my_number: bool,
}

impl<'a> Stay<'a> {
    pub(super) fn new(file: File, arena: &'a Arena) -> Self {
        Self {
            file,
            out: Parsed::default(),
            arena,
            key: None,
            person: PersonRecord::default(),
            form1: Form1::default(),
            insurer: None,
            list: String::with_capacity(256),
            again: Again::default(),
            told: false,
            dpc_codes: Vec::new(),
            id: None,
            my_number: false,
        }
    }

    /// Takes the person from the first row; a row of another one is not read.
    pub(super) fn same_person(&mut self, row: &RowView<'a, '_>) -> bool {
        let id = row.raw(Role::Key).trim_ascii();
        match &self.id {
            None => {
                self.id = Some(id.to_vec());
                self.out.person = row.get(Role::Key);
                self.key = stay_key(row);
                self.my_number = self.out.person.is_some_and(holds_my_number);
                self.person.position = row.position();
                self.person.record_no.clone_from(&self.out.person);
                true
            }
            Some(first) if first == id => true,
            Some(_) => {
                self.out.note_issue("dpc.second-person", row.position());
                self.out.note_unread(format!("line {}", row.line));
                false
            }
        }
    }

    /// The insurer of a row, told once.
    pub(super) fn insured(&mut self, row: &RowView<'a, '_>) {
        let insurer = row.get(Role::InsurerNo);
        if insurer.is_none() || insurer == self.insurer {
            return;
        }
        self.insurer = insurer;
        self.out.records.push(self.arena.record(CoverageRecord {
            position: row.position(),
            insurer_no: insurer,
            kind: row.get(Role::ClaimType),
            from_on: row.get(Role::Admitted),
            to_on: row.get(Role::Discharged),
            ..CoverageRecord::default()
        }));
    }

    /// Rows of H and form 4: kept as they are.
    pub(super) fn survey(&mut self, row: RowView<'a, '_>) {
        let payloads: Vec<Text<'a>> = row.run(Role::Payload).iter().map(|c| row.text(*c)).collect();
        let value = |n: usize| payloads.get(n).copied().flatten();
        let detail = row.detail(&mut self.list, &mut self.out);
        let code = row.get(Role::ItemCode);
        if self.file == File::H && code.is_none() {
            self.out.note_issue("dpc.no-code", row.position());
        }
        let record = SurveyRecord {
            position: row.position(),
            stay_key: self.key,
            file: Some(self.file.as_str()),
            facility: row.get(Role::Facility),
            ward: row.get(Role::Ward),
            admitted_on: row.get(Role::Admitted),
            discharged_on: row.get(Role::Discharged),
            performed_on: row.get(Role::Started),
            episode_no: row.get(Role::Episode),
            spell_no: row.get(Role::Spell),
            code,
            version: row.get(Role::Version),
            serial: row.get(Role::Serial),
            text: None,
            value1: value(0),
            value2: value(1),
            value3: value(2),
            value4: value(3),
            value5: value(4),
            value6: value(5),
            value7: value(6),
            value8: value(7),
            value9: value(8),
            detail,
        };
        self.out.records.push(self.arena.record(record));
    }

    pub(super) fn finish(mut self, first_line: u64) -> Parsed<'a> {
        if self.file == File::Form3 {
            return self.out;
        }
        if self.out.person.is_none() {
            if self.id.is_some() || self.out.issues.is_empty() {
                self.out.reject("dpc.no-person", at_line(first_line));
            }
            return self.out;
        }
        if self.my_number {
            return Parsed::rejected("my-number", at_line(first_line));
        }
        self.close_form1();
        self.out
    }
}

/// `name=value;` pairs of roles that no column of the table takes.
pub(super) fn named<'a>(
    row: &RowView<'a, '_>,
    roles: &[(Role, &str)],
    (list, again): (&mut String, &mut Again<'a>),
    out: &mut Parsed<'a>,
) -> Text<'a> {
    list.clear();
    for (role, name) in roles {
        if let Some(value) = row.get(*role) {
            row.push_named(list, name, value);
        }
    }
    row.keep_again(again, list, out);
    row.made_again(again, list)
}
