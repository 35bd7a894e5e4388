//! One claim: its rows, in order, become records.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Form, Reader, items::Run, payers::Sums, pharmacy::Regimen};
use crate::{
    arena::Arena,
    decimal::whole,
    delimited::Charset,
    layout::Role,
    record::{
        ClaimItemRecord, ClaimPayerRecord, ClaimRecord, ConditionRecord, DpcStayRecord,
        EncounterRecord, NoteRecord, Parsed, PersonRecord, Record, Text,
    },
    row_view::{Cells, Decoded, RowView, at_line, cut},
    text::holds_my_number,
    words::{day_of, number},
};

/// The record that a DPC claim alone has.
static BUNDLED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\nBU,"));

/// A 症状詳記 that the rows behind it may continue.
struct Report {
    /// Its note's place among the records.
    place: usize,
    words: Option<String>,
}

/// A claim being read.
pub(super) struct Claim<'a, 'r> {
    pub(super) reader: &'r Reader,
    pub(super) arena: &'a Arena,
    pub(super) out: Parsed<'a>,
    /// The claim's natural key; empty until `RE`.
    pub(super) key: &'a str,
    /// Month of care as sent.
    pub(super) month: Text<'a>,
    pub(super) inpatient: bool,
    pub(super) person: PersonRecord<'a>,
    pub(super) billed: ClaimRecord<'a>,
    pub(super) payers: Vec<ClaimPayerRecord<'a>>,
    pub(super) run: Run<'a>,
    pub(super) sums: Sums,
    /// Days of the month with an event.
    pub(super) days: u32,
    pub(super) stay: Option<DpcStayRecord<'a>>,
    pub(super) coded: std::collections::HashSet<&'a str>,
    pub(super) regimen: Regimen<'a>,
    pub(super) practitioners: Vec<Text<'a>>,
    pub(super) detail: String,
    report: Option<Report>,
    /// A list that is used again and again.
    pub(super) list: String,
    /// Days of the month of care that rows told of, each made once.
    dates: [Option<&'a str>; 32],
    /// Is it a DPC claim (`BU`)?
    pub(super) dpc: bool,
    donor: bool,
    my_number: bool,
}

/// Reads a claim; `persons`: only the rows that tell of the person.
pub(super) fn parse<'a>(
    reader: &Reader,
    bytes: &'a [u8],
    first_line: u64,
    persons: bool,
    arena: &'a Arena,
) -> Parsed<'a> {
    let charset = Charset::of(bytes);
    let Some(decoded) = Decoded::of(bytes, charset, arena) else {
        return Parsed::rejected("uke.not-cp932", at_line(first_line));
    };
    let mut claim = Claim {
        reader,
        arena,
        out: Parsed::default(),
        key: "",
        month: None,
        inpatient: false,
        person: PersonRecord::default(),
        billed: ClaimRecord::default(),
        payers: Vec::new(),
        run: Run::default(),
        sums: Sums::default(),
        days: 0,
        stay: None,
        coded: std::collections::HashSet::new(),
        regimen: Regimen::default(),
        practitioners: Vec::new(),
        detail: String::new(),
        report: None,
        list: String::with_capacity(128),
        dates: [None; 32],
        dpc: BUNDLED.find(bytes).is_some(),
        donor: false,
        my_number: false,
    };
    claim.out.records.reserve(if persons { 8 } else { bytes.len() / 30 + 8 });
    if charset == Charset::Utf8 {
        claim.out.note_issue("uke.utf8", at_line(first_line));
    }
    let mut cells = Cells::default();
    let layouts = reader.header.form.layouts();
    for (line, text) in decoded.lines(first_line) {
        let bytes = text.as_bytes();
        if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A) {
            continue;
        }
        if persons
            && !matches!(
                bytes.get(..2),
                Some(b"RE" | b"HO" | b"KO" | b"SN" | b"TI" | b"TR" | b"TS")
            )
        {
            continue;
        }
        cut(bytes, b',', &mut cells);
        let id = &text[..cells[0].1 as usize];
        match layouts.of(id) {
            Some(layout) => claim.row(decoded.row(line, text, &cells, layout)),
            None => claim.unknown(id, line),
        }
    }
    claim.finish(first_line)
}

impl<'a> Claim<'a, '_> {
    fn row(&mut self, row: RowView<'a, '_>) {
        if self.donor && !matches!(row.layout.id, "TI" | "TR" | "TS") {
            // The donor is another person.
            self.out.note_unread(format!("donor.{}", row.layout.id));
            return;
        }
        match row.layout.id {
            "RE" => self.receipt(row),
            "HO" | "KO" => self.payer(row),
            "SN" | "JD" => self.confirmation(row),
            "SI" | "IY" | "TO" | "CO" | "SS" | "KA"
                if self.reader.header.form != Form::Pharmacy =>
            {
                self.item(row);
            }
            "SY" | "SB" | "HS" => self.diagnosis(row),
            "SJ" => self.report(row),
            "BU" | "GA" | "HH" | "GT" | "SK" | "KK" | "CD" => self.dpc(row),
            "SH" | "CZ" | "IY" | "TO" | "CO" | "TK" | "KI" | "ST" => self.dispensed(row),
            "TI" | "TR" | "TS" => {
                self.donor = true;
                self.out.note_issue("uke.donor", row.position());
                self.out.note_unread(row.layout.id);
            }
            "GR" => {
                self.stay_mut(row.line).dpc_code = row.get(Role::DpcCode);
                self.side(row);
            }
            _ => self.side(row),
        }
    }

    /// A record that has no table of its own: its filled fields are kept with the claim.
    pub(super) fn side(&mut self, row: RowView<'a, '_>) {
        row.keep(row.layout.id, &mut self.detail, &mut self.out);
    }

    fn unknown(&mut self, id: &'a str, line: u64) {
        if id.len() == 2 && id.bytes().all(|b| b.is_ascii_uppercase()) {
            self.out.note_unread(id);
        } else {
            self.out.note_issue("uke.record-id", at_line(line));
            self.out.note_unread(format!("line {line}"));
        }
    }

    /// Looks for a My Number in an identifier.
    pub(super) fn guard(&mut self, value: &Text<'a>) {
        self.my_number |= value.as_deref().is_some_and(holds_my_number);
    }

    fn finish(mut self, first_line: u64) -> Parsed<'a> {
        self.close_regimen();
        self.close_report();
        super::pharmacy::unreferenced(&mut self);
        if self.key.is_empty() {
            self.out.person = None;
            self.out.reject("uke.no-claim", at_line(first_line));
            return self.out;
        }
        if self.my_number {
            let mut out = Parsed::rejected("my-number", self.person.position);
            out.unread = self.out.unread;
            return out;
        }
        let person_key = self.person_key();
        if person_key.is_none() {
            self.out.reject("uke.no-person", at_line(first_line));
            return self.out;
        }
        self.out.person = person_key;
        self.check_sums();
        self.visits();
        let first = self.payers.first();
        self.billed.points = first.and_then(|p| p.points);
        self.billed.days = first.and_then(|p| p.days);
        self.billed.form = Some(match self.reader.header.form {
            Form::Medical if self.dpc => "dpc",
            form => form.as_str(),
        });
        self.billed.detail = self.arena.filled(&self.detail);
        let coverages = super::person::coverages(&self.payers, &self.billed);
        self.out.records.push(self.arena.record(self.person));
        self.out.records.push(self.arena.record(self.billed));
        self.out.records.extend(self.stay.map(|stay| self.arena.record(stay)));
        self.out.records.extend(self.payers.into_iter().map(|payer| self.arena.record(payer)));
        self.out.records.extend(coverages.into_iter().map(|coverage| self.arena.record(coverage)));
        self.out
    }

    /// Points of the rows against the total each payer is billed.
    fn check_sums(&mut self) {
        if matches!(self.reader.header.form, Form::Pharmacy | Form::HomeNursing) || self.donor {
            return;
        }
        for payer in &self.payers {
            let place = match payer.payer {
                Some("medical") => 0,
                Some("public1") => 1,
                Some("public2") => 2,
                Some("public3") => 3,
                Some("public4") => 4,
                _ => continue,
            };
            let Some(declared) = payer.points else { continue };
            match (whole(declared.as_bytes()), self.sums.of(place)) {
                (None, _) => self.out.note_issue("uke.not-a-number", payer.position),
                (Some(declared), Some(sum)) if declared != sum => {
                    self.out.note_issue("uke.total-differs", payer.position);
                }
                _ => {}
            }
        }
    }

    /// Visits: a day with an event each, or the stay.
    fn visits(&mut self) {
        let base = EncounterRecord {
            position: self.billed.position,
            department_code: self.billed.department,
            ..EncounterRecord::default()
        };
        if self.inpatient {
            let stay = self.stay.as_ref();
            let record = EncounterRecord {
                encounter_key: Some(self.key),
                class: Some("I"),
                start_at: stay.and_then(|s| s.admitted_on).or(self.billed.admitted_on),
                end_at: stay.and_then(|s| s.discharged_on),
                disposition_code: stay.and_then(|s| s.outcome),
                ..base
            };
            self.out.records.push(self.arena.record(record));
            return;
        }
        if !matches!(self.reader.header.form, Form::Medical | Form::Dental) {
            return;
        }
        let days = self.days;
        for day in (1..=31).filter(|d| days >> d & 1 == 1) {
            self.list.clear();
            self.list.push_str(self.key);
            self.list.push_str(if day < 10 { "-0" } else { "-" });
            self.list.push_str(number(day.into(), self.arena));
            let record = EncounterRecord {
                encounter_key: Some(self.arena.text(&self.list)),
                class: Some("O"),
                start_at: self.date(day),
                ..base
            };
            self.out.records.push(self.arena.record(record));
        }
    }

    /// A day of the month of care, written as that month is written; the month alone for day 0.
    #[inline]
    pub(super) fn date(&mut self, day: u32) -> Text<'a> {
        let made = &mut self.dates[day as usize & 31];
        if made.is_none() {
            *made = self.month.map(|month| day_of(month, day, self.arena));
        }
        *made
    }

    fn diagnosis(&mut self, row: RowView<'a, '_>) {
        let code = row.get(Role::Code);
        let modifiers = row.get(Role::Modifiers);
        let name = row.get(Role::Text);
        let icd10 = row.get(Role::Icd10);
        if code.is_none() && name.is_none() {
            self.out.note_issue("uke.no-code", row.position());
        }
        if code.is_some_and(|c| c.len() != 7 || !c.bytes().all(|b| b.is_ascii_digit())) {
            self.out.note_issue("uke.code-shape", row.position());
        }
        let suspected = modifiers.is_some_and(suspected);
        let system = code.is_some().then_some("receipt-disease");
        let condition = ConditionRecord {
            position: row.position(),
            code,
            code_system: system,
            text: name,
            icd10,
            role: row.get(Role::Kind),
            certainty: suspected.then_some("suspected"),
            recorded_at: row.get(Role::Started),
            outcome: row.get(Role::Outcome),
            encounter_key: Some(self.key),
            ..ConditionRecord::default()
        };
        let detail = row.detail(&mut self.list, &mut self.out);
        let item = ClaimItemRecord {
            position: row.position(),
            claim_key: Some(self.key),
            source_record: Some(row.layout.id),
            code,
            code_system: system,
            text: name,
            started_on: row.get(Role::Started),
            modifiers,
            role: row.get(Role::Kind),
            outcome: row.get(Role::Outcome),
            icd10,
            teeth: row.get(Role::Tooth),
            comments: row.get(Role::Comment),
            detail,
            ..ClaimItemRecord::default()
        };
        self.out.records.push(self.arena.record(condition));
        self.out.records.push(self.arena.record(item));
    }

    /// 症状詳記: free text over several rows; a row without a kind continues the one before.
    fn report(&mut self, row: RowView<'a, '_>) {
        let kind = row.get(Role::Section);
        let words = row.get(Role::Text);
        if kind.is_none()
            && let Some(report) = &mut self.report
            && self.out.records.len() == report.place + 1
        {
            if let (Some(before), Some(more)) = (&mut report.words, words) {
                before.push_str(more);
            }
        } else {
            self.close_report();
            self.report =
                Some(Report { place: self.out.records.len(), words: words.map(str::to_owned) });
            self.out.records.push(self.arena.record(NoteRecord {
                position: row.position(),
                kind: Some("症状詳記"),
                title: kind,
                text: words,
                written_at: self.month,
                encounter_key: Some(self.key),
                practitioner: None,
            }));
        }
        self.side(row);
    }

    /// Puts the words of all rows into the note that the first one gave.
    fn close_report(&mut self) {
        let Some(report) = self.report.take() else { return };
        let place = report.place;
        if let Some(Record::Note(note)) = self.out.records.get(place)
            && report.words.as_deref() != note.text
        {
            let text = report.words.map(|words| self.arena.text(&words));
            self.out.records[place] = self.arena.record(NoteRecord { text, ..**note });
        }
    }

    pub(super) fn stay_mut(&mut self, line: u64) -> &mut DpcStayRecord<'a> {
        self.stay.get_or_insert_with(|| DpcStayRecord {
            position: at_line(line),
            source: Some("claim"),
            ..DpcStayRecord::default()
        })
    }
}

/// Does the row of four-digit modifiers hold 8002, の疑い?
fn suspected(modifiers: &str) -> bool {
    modifiers.as_bytes().chunks(4).any(|m| m == b"8002")
}
