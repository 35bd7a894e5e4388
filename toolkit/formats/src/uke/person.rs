//! Who the claim is about and who pays: `RE`, `HO`, `KO`, `SN`, `JD`.

use super::{Keyed, claim::Claim, runs::days};
use crate::{
    layout::Role,
    record::{ClaimPayerRecord, ClaimRecord, CoverageRecord, Text},
    row_view::RowView,
    text::{gaiji, is_kana, narrow},
};

impl<'a> Claim<'a, '_> {
    pub(super) fn receipt(&mut self, row: RowView<'a, '_>) {
        if !self.key.is_empty() {
            // The cutter never joins two claims; a caller may.
            self.out.note_issue("uke.second-claim", row.position());
            return;
        }
        let header = &self.reader.header;
        let arena = self.arena;
        let own = |t: &Option<String>| t.as_deref().map(|t| arena.text(t));
        let month = row.get(Role::CareMonth);
        let kind = row.get(Role::ClaimType);
        let (receipt_no, search_no) = (row.get(Role::ReceiptNo), row.get(Role::SearchNo));
        if month.is_none_or(|m| !matches!(m.len(), 5 | 6) || !m.bytes().all(|b| b.is_ascii_digit()))
        {
            self.out.note_issue("uke.month", row.position());
        } else {
            self.month.clone_from(&month);
        }
        let digit = |place: usize| kind.and_then(|k| k.as_bytes().get(place).copied());
        if kind.is_none_or(|k| k.len() != 4 || !k.bytes().all(|b| b.is_ascii_digit())) {
            self.out.note_issue("uke.claim-type", row.position());
        }
        let (class, relation) = match digit(3) {
            Some(d @ b'0'..=b'9') => (
                Some(if (d - b'0') % 2 == 1 { "I" } else { "O" }),
                Some(match d {
                    b'1' | b'2' => "self",
                    b'3' | b'4' => "preschool",
                    b'5' | b'6' => "family",
                    _ => "elderly",
                }),
            ),
            _ => (None, None),
        };
        let admitted_on = row.get(Role::Admitted);
        self.inpatient = class == Some("I") || admitted_on.is_some();
        let key = claim_key([
            header.payer_body.as_deref(),
            header.prefecture.as_deref(),
            header.point_table.as_deref(),
            header.institution.as_deref(),
            month,
            search_no.or(receipt_no),
            header.billed_month.as_deref(),
        ]);
        self.key = arena.text(&key);
        let (name, kana) = (row.get(Role::Name), row.get(Role::Kana));
        let record_no = row.get(Role::RecordNo);
        for value in [&name, &kana, &record_no] {
            self.guard(value);
        }
        if name.is_some_and(gaiji) {
            self.out.note_issue("gaiji", row.position());
        }
        let (name_kanji, name_kana) = match (name, kana) {
            (Some(name), None) if is_kana(name) => (None, Some(name)),
            both => both,
        };
        self.person.position = row.position();
        self.person.name_kanji = name_kanji;
        self.person.name_kana = name_kana;
        self.person.sex = row.get(Role::Sex).map(|s| match s {
            "1" => "M",
            "2" => "F",
            _ => s,
        });
        self.person.birth_on = row.get(Role::Birth);
        self.person.record_no.clone_from(&record_no);
        if self.person.birth_on.is_none() {
            self.out.note_issue("uke.no-birth", row.position());
        }
        for pair in row.run(Role::Practitioners).chunks(2) {
            let name = pair.first().and_then(|c| row.text(*c));
            self.practitioners.push(name);
        }
        self.billed = ClaimRecord {
            position: row.position(),
            claim_key: Some(self.key),
            form: None,
            claim_type: kind,
            care_month: month,
            billed_month: own(&header.billed_month),
            payer_body: own(&header.payer_body),
            prefecture: own(&header.prefecture),
            institution: own(&header.institution),
            institution_name: own(&header.institution_name),
            receipt_no,
            search_no,
            record_no,
            class,
            relation,
            admitted_on,
            ward_kind: row.get(Role::Ward),
            special_notes: row.get(Role::SpecialNotes),
            department: row.get(Role::Department),
            copay_class: row.get(Role::CopayClass),
            benefit_rate: row.get(Role::BenefitRate),
            days: None,
            points: None,
            history: header.returned.then_some("returned"),
            detail: None,
        };
        self.side(row);
    }

    pub(super) fn payer(&mut self, row: RowView<'a, '_>) {
        let medical = row.layout.id == "HO";
        let public = self.payers.iter().filter(|p| p.payer != Some("medical")).count();
        let payer = match (medical, public) {
            (true, _) => "medical",
            (false, 0) => "public1",
            (false, 1) => "public2",
            (false, 2) => "public3",
            (false, 3) => "public4",
            _ => {
                self.out.note_issue("uke.payers", row.position());
                "public"
            }
        };
        let (symbol, number) = (row.get(Role::Symbol), row.get(Role::Number));
        let recipient_no = row.get(Role::Recipient);
        for value in [&symbol, &number, &recipient_no] {
            self.guard(value);
        }
        self.list.clear();
        row.keep(row.layout.id, &mut self.list, &mut self.out);
        self.payers.push(ClaimPayerRecord {
            position: row.position(),
            claim_key: Some(self.key),
            payer: Some(payer),
            payer_no: row.get(Role::InsurerNo),
            insured_symbol: symbol,
            insured_number: number,
            insured_branch: None,
            recipient_no,
            days: row.get(Role::ActualDays),
            points: row.get(Role::Points),
            copay: row.get(Role::Copay),
            meal_count: row.get(Role::MealCount),
            meal_amount: row.get(Role::MealAmount),
            checked: None,
            visit_days: None,
            detail: row.made(&self.list),
        });
    }

    /// `SN` and `JD` say more of a payer: 1 the insurer, 2 to 5 the public programmes.
    pub(super) fn confirmation(&mut self, row: RowView<'a, '_>) {
        let kind = row.raw(Role::PayerKind).trim_ascii();
        let name = match kind {
            b"1" => "medical",
            b"2" => "public1",
            b"3" => "public2",
            b"4" => "public3",
            b"5" => "public4",
            _ => {
                self.out.note_issue("uke.payer-kind", row.position());
                self.out.note_unread(row.layout.id);
                return;
            }
        };
        let branch = row.get(Role::Branch);
        let number = row.get(Role::Number);
        let (symbol, insurer) = (row.get(Role::Symbol), row.get(Role::InsurerNo));
        let recipient = row.get(Role::Recipient);
        for value in [&branch, &number, &symbol, &recipient] {
            self.guard(value);
        }
        let Some(payer) = self.payers.iter_mut().find(|p| p.payer == Some(name)) else {
            self.out.note_issue("uke.payer-kind", row.position());
            self.out.note_unread(row.layout.id);
            return;
        };
        if row.layout.id == "JD" {
            payer.visit_days = days(&row, row.run(Role::Days), &mut self.list).text;
            return;
        }
        payer.insured_branch = branch;
        payer.checked = row.get(Role::Checked);
        // Confirmed numbers that differ from the billed ones are kept beside them.
        let mut detail = payer.detail.take().unwrap_or_default().to_owned();
        let billed = [
            ("SN.4", insurer, &payer.payer_no),
            ("SN.5", symbol, &payer.insured_symbol),
            ("SN.6", number, &payer.insured_number),
            ("SN.8", recipient, &payer.recipient_no),
        ];
        for (field, confirmed, billed) in billed {
            if let Some(confirmed) = confirmed
                && billed.as_deref() != Some(confirmed)
            {
                row.push_named(&mut detail, field, confirmed);
            }
        }
        row.keep("SN", &mut detail, &mut self.out);
        payer.detail = row.made(&detail);
    }

    /// The key of the person: the institution's number, or what the insurance card, birth and sex say.
    /// Without a branch number the name takes its place: a family shares symbol and number.
    pub(super) fn person_key(&mut self) -> Text<'a> {
        let first = self.payers.first();
        if let Some(payer) = first {
            self.person.insurer_no.clone_from(&payer.payer_no);
            self.person.insured_symbol.clone_from(&payer.insured_symbol);
            self.person.insured_number.clone_from(&payer.insured_number);
            self.person.insured_branch.clone_from(&payer.insured_branch);
        }
        if self.reader.keyed == Keyed::Institution && self.person.record_no.is_some() {
            return self.person.record_no;
        }
        let payer = first?;
        let name = self.person.name_kana.or(self.person.name_kanji);
        let number = payer.insured_number.or(payer.recipient_no);
        let parts = [
            payer.payer_no,
            payer.insured_symbol,
            number,
            payer.insured_branch.or(name),
            self.person.birth_on,
            self.person.sex,
        ];
        number?;
        let mut key = String::with_capacity(64);
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                key.push(':');
            }
            let marks = |c: &char| !matches!(c, '・' | '-' | '－' | ' ' | '\u{3000}' | ':');
            key.extend(part.unwrap_or("").chars().map(narrow).filter(marks));
        }
        Some(self.arena.text(&key))
    }
}

/// Insurance as the claim shows it: over the month of care only.
pub(super) fn coverages<'a>(
    payers: &[ClaimPayerRecord<'a>],
    claim: &ClaimRecord<'a>,
) -> Vec<CoverageRecord<'a>> {
    payers
        .iter()
        .map(|p| CoverageRecord {
            position: p.position,
            insurer_no: p.payer_no,
            insurer_name: None,
            insured_symbol: p.insured_symbol,
            insured_number: p.insured_number.or(p.recipient_no),
            insured_branch: p.insured_branch,
            kind: p.payer,
            relation: claim.relation.filter(|_| p.payer == Some("medical")),
            from_on: claim.care_month,
            to_on: claim.care_month,
        })
        .collect()
}

fn claim_key(parts: [Option<&str>; 7]) -> String {
    let mut key = String::with_capacity(48);
    for (place, part) in parts.into_iter().enumerate() {
        if place > 0 {
            key.push('-');
        }
        key.push_str(part.unwrap_or(""));
    }
    key
}
