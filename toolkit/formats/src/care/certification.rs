//! Certification of need for long-term care (要介護認定), as certification software writes it: one application per row.
//!
//! Enters: the first line, then row after row. A row of 328 fields is read by position (generation 2009 and 2012); a file whose
//! first line has column names is read by them. Leaves: a person, a certification, and one measurement of category
//! `care-assessment` per item of the survey. The block of the previous assessment is named in `unread`.
//!
//! An application appears several times over its life (application, survey, decision): which row replaces which is told by
//! insurer, insured, date and branch of the application, not by a reader of one row.

use std::borrow::Cow;

use super::{
    sex_of,
    survey::{ALIASES, ITEMS, NAMED, To},
};
use crate::{
    arena::Arena,
    municipal::{Encoding, cells},
    record::{CareCertificationRecord, MeasurementRecord, Parsed, PersonRecord, Text},
    text,
};

/// Fields of a row without header.
pub const FIELDS: usize = 328;
/// Code list of results (二次判定結果).
pub const RESULT_SYSTEM: &str = "要介護認定.二次判定結果";
/// Code system of survey items; the generation of the questionnaire (`09B`) is added.
pub const ITEM_SYSTEM: &str = "要介護認定調査";

/// What a column is: its name and target.
#[derive(Debug, Clone)]
struct Column {
    name: Cow<'static, str>,
    to: To,
}

/// Reads the rows of one file.
#[derive(Debug, Clone)]
pub struct Reader {
    encoding: Encoding,
    columns: Vec<Column>,
    header: bool,
}

/// The first line is neither a header with 保険者番号, 被保険者番号 and one of 認定申請日, 二次判定日 or a survey item, nor a row of 328
/// fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the first line is no certification record")]
pub struct FirstLineError;

impl FirstLineError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        "1行目が要介護認定の様式（328項目または見出し行）ではありません。出力元を確認してください。"
            .into()
    }
}

impl Reader {
    /// Recognises the shape of a file from its first line. `encoding` is that of the file; [`super::encoding`] tells it.
    ///
    /// # Errors
    /// See [`FirstLineError`].
    pub fn new(first_line: &[u8], encoding: Encoding) -> Result<Self, FirstLineError> {
        let text = encoding.decode(first_line).ok_or(FirstLineError)?;
        let arena = Arena::new();
        let row =
            cells(text.trim_end_matches(['\r', '\n']), FIELDS + 1, &arena).ok_or(FirstLineError)?;
        let columns: Vec<Column> = row.iter().map(|c| by_name(c)).collect();
        let has = |to: To| columns.iter().any(|c| c.to == to);
        if has(To::Insured)
            && has(To::Insurer)
            && [To::Applied, To::Decided, To::Item].into_iter().any(has)
        {
            return Ok(Self { encoding, columns, header: true });
        }
        if row.len() == FIELDS && row[4].bytes().any(|b| b.is_ascii_digit()) {
            return Ok(Self {
                encoding,
                columns: (1..=FIELDS).map(by_position).collect(),
                header: false,
            });
        }
        Err(FirstLineError)
    }

    /// Is the first line a header, and no record?
    pub fn has_header(&self) -> bool {
        self.header
    }

    /// Reads one row. `row_no` is the line's number in the file. What is made stands in the arena.
    pub fn parse_row<'a>(&self, line: &'a [u8], row_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = arena.text(&format!("row {row_no}"));
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Parsed::default();
        }
        let Some(text) = self.encoding.decode(line) else {
            return Parsed::rejected(self.encoding.broken(), at);
        };
        let Some(row) = cells(arena.keep(text), self.columns.len(), arena) else {
            return Parsed::rejected("csv.quotes", at);
        };
        if row.len() != self.columns.len() {
            return Parsed::rejected("csv.columns", at);
        }
        let mut row: Vec<&str> = row.into_iter().map(str::trim).collect();
        if let Some(index) = row.iter().position(|c| text::holds_my_number(c)) {
            return Parsed::rejected("my-number", format!("{at} column {}", index + 1));
        }
        let mut take = |to: To| -> Text<'a> {
            let index = self.columns.iter().position(|c| c.to == to)?;
            Some(std::mem::take(&mut row[index])).filter(|c| !c.is_empty())
        };
        let (Some(insurer), Some(insured)) = (take(To::Insurer), take(To::Insured)) else {
            return Parsed::rejected("care.no-person", at);
        };
        let generation = take(To::Generation);
        let surveyed_on = take(To::Surveyed);
        let person = PersonRecord {
            position: at.into(),
            name_kanji: take(To::Kanji),
            name_kana: take(To::Kana),
            sex: take(To::Sex).map(sex_of),
            birth_on: take(To::Birth),
            postal_code: take(To::Postal),
            address: take(To::Address),
            phone: take(To::Phone),
            record_no: Some(insured),
            ..PersonRecord::default()
        };
        let certification = CareCertificationRecord {
            position: at.into(),
            insurer_no: Some(insurer),
            insured_no: Some(insured),
            care_level: take(To::Level),
            care_level_system: Some(RESULT_SYSTEM),
            applied_on: take(To::Applied),
            application_kind: take(To::Application),
            surveyed_on,
            first_level: take(To::First),
            care_minutes: take(To::Minutes),
            decided_on: take(To::Decided),
            valid_from: take(To::From),
            valid_to: take(To::Until),
            disability_grade: take(To::Disability),
            dementia_grade: take(To::Dementia),
            status: take(To::Withdrawn),
        };
        let key = format!("{}:{}", text::narrowed(insurer), text::narrowed(insured));
        let mut out = Parsed { person: Some(arena.text(&key)), ..Parsed::default() };
        for value in [&person.name_kanji, &person.address] {
            if value.as_deref().is_some_and(text::gaiji) {
                out.note_issue("gaiji", at);
            }
        }
        if certification.applied_on.is_none() && certification.valid_from.is_none() {
            out.note_issue("care.no-date", at);
        }
        out.records.push(arena.record(person));
        out.records.push(arena.record(certification));
        let system: Text<'a> =
            Some(generation.map_or(ITEM_SYSTEM, |g| {
                arena.text(&format!("{ITEM_SYSTEM}/{}", text::narrowed(g)))
            }));
        for (index, cell) in row.into_iter().enumerate().filter(|(_, c)| !c.is_empty()) {
            let column = &self.columns[index];
            if column.to == To::Item {
                let number = text::quantity(cell).map(|q| arena.keep(q.number));
                let item = MeasurementRecord {
                    position: arena.text(&format!("row {row_no} column {}", index + 1)).into(),
                    category: Some("care-assessment"),
                    code: Some(arena.keep(column.name.clone())),
                    code_system: system,
                    text: Some(arena.keep(column.name.clone())),
                    value_num: number,
                    value_text: Some(cell),
                    measured_at: surveyed_on,
                    ..MeasurementRecord::default()
                };
                out.records.push(arena.record(item));
            } else {
                out.note_unread(column.name.clone());
            }
        }
        out
    }
}

fn by_position(n: usize) -> Column {
    if let Some((_, name, to)) = NAMED.iter().find(|(at, ..)| *at == n) {
        return Column { name: Cow::Borrowed(name), to: *to };
    }
    let item = ITEMS.iter().find_map(|(first, names)| names.get(n.checked_sub(*first)?));
    if let Some(name) = item {
        return Column { name: Cow::Borrowed(name), to: To::Item };
    }
    let name = match n {
        188..=325 => Cow::Borrowed("要介護認定.前回の調査（188〜325項目）"),
        327 | 328 => Cow::Borrowed("要介護認定.審査会意見・コメント"),
        75..=111 => Cow::Borrowed("要介護認定.サービス回数（75〜111項目）"),
        _ => Cow::Owned(format!("要介護認定.{n}項目")),
    };
    Column { name, to: To::Unread }
}

fn by_name(header: &str) -> Column {
    let plain = crate::municipal::plain_header(header);
    let name = ALIASES.iter().find(|(alias, _)| *alias == plain).map_or(plain.as_str(), |a| a.1);
    let same = |n: &str| crate::municipal::plain_header(n) == crate::municipal::plain_header(name);
    if let Some((_, name, to)) = NAMED.iter().find(|(_, n, _)| same(n)) {
        return Column { name: Cow::Borrowed(name), to: *to };
    }
    if let Some(name) = ITEMS.iter().flat_map(|(_, names)| *names).find(|n| same(n)) {
        return Column { name: Cow::Borrowed(name), to: To::Item };
    }
    let harmless = (1..=40).contains(&plain.chars().count())
        && plain.chars().filter(char::is_ascii_digit).count() < 5;
    let name =
        if harmless { format!("要介護認定.{plain}") } else { "要介護認定.?".to_owned() };
    Column { name: Cow::Owned(name), to: To::Unread }
}
