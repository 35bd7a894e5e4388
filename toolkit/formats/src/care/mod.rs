//! Long-term care insurance (介護保険): claims exchange files and certification records.
//!
//! [`Reader`] reads one line of a claims exchange file (介護給付費請求, 給付管理票): control records give nothing, a data record
//! gives its canonical record; the person is `insurer:number of the insured`. [`certification`] reads rows of certification
//! software (要介護認定). Registers with a header are read by [`crate::municipal`].
//!
//! Refuses (`rejected`): a line that is not of the file's encoding, whose quotes are broken, whose record type is not known
//! (as 給付実績 of insurers), that names no insured, or holds a My Number.

pub mod certification;
mod layout;
mod survey;

use crate::{
    arena::Arena,
    municipal::{Encoding, cells},
    record::{CareCertificationRecord, CareServiceRecord, Parsed, PersonRecord, Text},
    text,
};
use layout::{IMPERSONAL, Layout, To};

/// Most fields of a line.
const MAX_FIELDS: usize = 400;

/// The code list of care levels in claims (要介護状態区分).
pub const LEVEL_SYSTEM: &str = "要介護状態区分";

/// Is this the control record in front of an exchange file?
pub fn is_control(first_line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(first_line);
    let row: Vec<&str> = text.trim_end().split(',').map(|c| c.trim_matches('"')).collect();
    let digits = |n: usize, len: usize| {
        row.get(n).is_some_and(|c| c.len() == len && c.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    row.first() == Some(&"1") && row.len() >= 10 && digits(4, 3) && row.iter().any(|c| c.len() == 6)
}

/// The encoding told by the first bytes of a file: UTF-8 if a mark or strict UTF-8 beyond ASCII says so, else CP932,
/// which the interface prescribes.
pub fn encoding(first_bytes: &[u8]) -> Encoding {
    let utf8 = match std::str::from_utf8(first_bytes) {
        Ok(text) => !text.is_ascii(),
        // The cut may go through a character.
        Err(e) => e.error_len().is_none() && !first_bytes[..e.valid_up_to()].is_ascii(),
    };
    if utf8 || first_bytes.starts_with(b"\xEF\xBB\xBF") { Encoding::Utf8 } else { Encoding::Cp932 }
}

/// Reads the lines of one claims exchange file. Each line stands alone.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    encoding: Encoding,
}

impl Reader {
    /// A reader for a file of this encoding; [`encoding`](fn@encoding) tells it.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding }
    }

    /// Name of a line's record, as the exchange file calls it; `None` for a control record or one that is not known.
    pub(crate) fn record_name(self, line: &[u8]) -> Option<&'static str> {
        let text = self.encoding.decode(line)?;
        let arena = Arena::new();
        let row = cells(&text, MAX_FIELDS, &arena)?;
        let field = |n: usize| row.get(n).map_or("", |f| f.trim());
        if IMPERSONAL.iter().any(|p| field(2).starts_with(p)) {
            return Some("請求書");
        }
        layout::of(field(2), field(3), field(6)).map(|layout| layout.name)
    }

    /// Reads one line. `row_no` counts from 1 and appears in positions. What is made stands in the arena.
    pub fn parse_row<'a>(&self, line: &'a [u8], row_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = || format!("row {row_no}");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_suffix(b"\x1a").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Parsed::default();
        }
        let Some(text) = self.encoding.decode(line) else {
            return Parsed::rejected(self.encoding.broken(), at());
        };
        let row = cells(arena.keep(text), MAX_FIELDS, arena);
        let Some(row) = row.filter(|r| r.len() <= MAX_FIELDS) else {
            return Parsed::rejected("csv.quotes", at());
        };
        match row[0].trim() {
            "1" => impersonal("介護.コントロール"),
            "3" => impersonal("介護.エンド"),
            "2" if row.len() > 2 => data(row, row_no, arena),
            _ => Parsed::rejected("care.unknown-record", at()),
        }
    }
}

fn impersonal(name: &'static str) -> Parsed<'static> {
    let mut out = Parsed::default();
    out.note_unread(name);
    out
}

fn data<'a>(row: Vec<&'a str>, row_no: u64, arena: &'a Arena) -> Parsed<'a> {
    // Record kind and running number stand before the exchange record.
    let mut fields: Vec<&str> = row.into_iter().skip(2).map(str::trim).collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    let at = arena.text(&format!("row {row_no}"));
    if IMPERSONAL.iter().any(|p| field(0).starts_with(p)) {
        return impersonal("介護.請求書");
    }
    let Some(layout) = layout::of(field(0), field(1), field(4)) else {
        return Parsed::rejected("care.unknown-record", at);
    };
    for (index, field) in fields.iter().enumerate() {
        if text::holds_my_number(field) {
            return Parsed::rejected("my-number", format!("{at} field {}", index + 1));
        }
    }
    let mut taken = Taken { layout, fields: &mut fields };
    let (insurer, insured) = (taken.take(To::Insurer), taken.take(To::Insured));
    let (Some(insurer_no), Some(insured_no)) = (insurer, insured) else {
        return Parsed::rejected("care.no-person", at);
    };
    let person = format!("{}:{}", text::narrowed(insurer_no), text::narrowed(insured_no));
    let mut out = Parsed { person: Some(arena.text(&person)), ..Parsed::default() };
    let level = taken.take(To::Level);
    let (valid_from, valid_to) = (taken.take(To::ValidFrom), taken.take(To::ValidUntil));
    let (birth_on, sex) = (taken.take(To::Birth), taken.take(To::Sex));
    let service = CareServiceRecord {
        position: at.into(),
        kind: Some(layout.kind),
        service_month: taken.take(To::Month),
        insurer_no: Some(insurer_no),
        insured_no: Some(insured_no),
        provider: taken.take(To::Provider),
        service_kind: taken.take(To::Kind),
        service_item: taken.take(To::Item),
        text: taken.take(To::Text),
        units: taken.take(To::Units),
        times: taken.take(To::Times),
        total_units: taken.take(To::TotalUnits),
        care_level: level,
        started_on: taken.take(To::Started),
        ended_on: taken.take(To::Ended),
        end_reason: taken.take(To::EndReason),
        amount: taken.take(To::Amount),
        status: taken.take(To::Status),
    };
    if service.service_month.is_none() {
        out.note_issue("care.no-month", at);
    }
    if birth_on.is_some() || sex.is_some() {
        let person = PersonRecord {
            position: at.into(),
            birth_on,
            sex: sex.map(sex_of),
            record_no: Some(insured_no),
            ..PersonRecord::default()
        };
        out.records.push(arena.record(person));
    }
    if level.is_some() && valid_from.is_some() {
        let certification = CareCertificationRecord {
            position: at.into(),
            insurer_no: Some(insurer_no),
            insured_no: Some(insured_no),
            care_level: level,
            care_level_system: Some(LEVEL_SYSTEM),
            valid_from,
            valid_to,
            ..CareCertificationRecord::default()
        };
        out.records.push(arena.record(certification));
    }
    out.records.push(arena.record(service));
    for (index, field) in fields.iter().enumerate() {
        // Zeros fill fields that say nothing.
        if field.is_empty() || field.bytes().all(|b| b == b'0') {
            continue;
        }
        match layout.fields.get(index) {
            Some((_, To::Skip)) => {}
            Some((name, _)) => out.note_unread(format!("介護.{}.{name}", layout.name)),
            None => out.note_unread(format!("介護.{}.field {}", layout.name, index + 1)),
        }
    }
    out
}

pub(crate) fn sex_of(code: &str) -> &str {
    match code {
        "1" | "１" | "男" => "M",
        "2" | "２" | "女" => "F",
        _ => code,
    }
}

struct Taken<'r, 'a> {
    layout: &'static Layout,
    fields: &'r mut Vec<&'a str>,
}

impl<'a> Taken<'_, 'a> {
    /// Takes the first field of a target that holds something; a date or number of zeros holds nothing.
    fn take(&mut self, to: To) -> Text<'a> {
        let fields = self.layout.fields.iter().zip(self.fields.iter_mut());
        let blank = |f: &str| {
            f.is_empty() || (matches!(to, To::Started | To::Ended) && f.bytes().all(|b| b == b'0'))
        };
        fields
            .filter(|((_, target), _)| *target == to)
            .find(|(_, field)| !blank(field))
            .map(|(_, field)| std::mem::take(field))
    }
}

#[cfg(test)]
mod tests;
