//! Which rows stand as facts, and when they happened: the same for every output.
//!
//! Enters: a canonical row. Leaves: its beginning and end, or the [`Reason`] for which it is no fact of its own.
//! Refuses: nothing silently; every reason is counted.

use super::moment::Moment;
use crate::record::{Record, Text};

/// Why a row is not in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It has no date, and the target wants one.
    NoDate,
    /// OMOP wants a year of birth of everybody; nothing told this person's.
    NoBirthYear,
    /// A newer version of the same entry exists, or it was cancelled, deleted or entered in error.
    Superseded,
    /// It was not done, or refuted.
    NotDone,
    /// It is planned or ordered, not done.
    Planned,
    /// It is a part of a stay (leave, transfer) that no table of the target holds by itself.
    PartOfStay,
    /// The same fact stands in another row: an item of a claim, a total.
    ToldElsewhere,
    /// Free text is withheld unless it is asked for.
    TextWithheld,
    /// It says neither code nor text.
    Empty,
    /// The target has no place for it.
    NoPlace,
    /// A cost without an event it could belong to.
    NoEvent,
    /// A key or code is longer than the target allows.
    TooLong,
    /// A character is not in the encoding of the target.
    NotEncodable,
}

impl Reason {
    /// Name of the reason, as in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoDate => "no-date",
            Self::NoBirthYear => "no-birth-year",
            Self::Superseded => "superseded",
            Self::NotDone => "not-done",
            Self::Planned => "planned",
            Self::PartOfStay => "part-of-stay",
            Self::ToldElsewhere => "told-elsewhere",
            Self::TextWithheld => "text-withheld",
            Self::Empty => "empty",
            Self::NoPlace => "no-place",
            Self::NoEvent => "no-event",
            Self::TooLong => "too-long",
            Self::NotEncodable => "not-encodable",
        }
    }
    /// The sentence shown to staff.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NoDate => "日付がないため、出力先の様式に載せられません。",
            Self::NoBirthYear => "生年が分からない人の記録のため、OMOPの様式に載せられません。",
            Self::Superseded => "新しい版があるか、取消・削除・誤登録とされた記録です。",
            Self::NotDone => "実施されなかった、または否定された記録です。",
            Self::Planned => "予定または指示であり、実施の記録ではありません。",
            Self::PartOfStay => "入院の途中の出来事（外泊・転棟など）で、単独の行にはなりません。",
            Self::ToldElsewhere => "同じ事実が別の行にあります（レセプトの明細・合計など）。",
            Self::TextWithheld => "自由文は、明示して求められない限り出力しません。",
            Self::Empty => "コードも名称もない記録です。",
            Self::NoPlace => "出力先の様式に置き場所がない種類の記録です。",
            Self::NoEvent => "費用を結び付ける受診の記録がありません。",
            Self::TooLong => "番号またはコードが、出力先の様式の長さを超えています。",
            Self::NotEncodable => "出力先の文字コードで表せない文字を含みます。",
        }
    }
}

/// Statuses of entries that are no longer true.
const GONE: [&str; 9] =
    ["superseded", "cancelled", "canceled", "entered-in-error", "withdrawn", "CA", "DE", "OC", "X"];
/// Statuses of what was not done.
const NOT_DONE: [&str; 4] = ["not-done", "refuted", "not-taken", "予診のみ"];

/// Does the row stand as a fact?
///
/// # Errors
/// The reason why it does not.
pub(super) fn stands(record: &Record<'_>) -> Result<(), Reason> {
    let is = |value: Text<'_>, list: &[&str]| value.is_some_and(|v| list.contains(&v));
    let status = match record {
        Record::Encounter(r) => r.status,
        Record::Condition(r) => {
            if is(r.action, &GONE) || is(r.certainty, &GONE) {
                return Err(Reason::Superseded);
            }
            return if is(r.certainty, &NOT_DONE) { Err(Reason::NotDone) } else { Ok(()) };
        }
        Record::Medication(r) => r.status,
        Record::Procedure(r) => r.status,
        Record::Measurement(r) => r.status,
        Record::Checkup(r) => r.status,
        Record::Vaccination(r) => r.status,
        Record::Allergy(r) => {
            if is(r.certainty, &GONE) {
                return Err(Reason::Superseded);
            }
            if is(r.certainty, &NOT_DONE) {
                return Err(Reason::NotDone);
            }
            r.status
        }
        Record::ImagingStudy(r) => r.status,
        Record::FamilyHistory(r) => r.status,
        Record::ServiceOrder(r) => r.status,
        Record::CareService(r) => r.status,
        Record::CareCertification(r) => r.status,
        Record::Document(r) => r.status,
        _ => return Ok(()),
    };
    if is(status, &GONE) {
        Err(Reason::Superseded)
    } else if is(status, &NOT_DONE) {
        Err(Reason::NotDone)
    } else {
        Ok(())
    }
}

/// Beginning and end of what a row tells, as far as the source says them.
pub(super) fn span(record: &Record<'_>) -> (Option<Moment>, Option<Moment>) {
    let read = |values: &[Text<'_>]| values.iter().find_map(|v| v.and_then(Moment::read));
    match record {
        Record::Encounter(r) => (read(&[r.start_at]), read(&[r.end_at])),
        Record::Condition(r) => (read(&[r.onset_on, r.recorded_at]), read(&[r.resolved_on])),
        Record::Medication(r) => (read(&[r.started_at, r.ordered_at]), read(&[r.ended_at])),
        Record::Procedure(r) => (read(&[r.started_at, r.ended_at]), read(&[r.ended_at])),
        Record::Measurement(r) => (read(&[r.measured_at]), None),
        Record::Note(r) => (read(&[r.written_at]), None),
        Record::Coverage(r) => (read(&[r.from_on]), read(&[r.to_on])),
        Record::Checkup(r) => (read(&[r.examined_on]), None),
        Record::ClaimItem(r) => (read(&[r.started_on]), None),
        Record::DpcStay(r) => (read(&[r.admitted_on]), read(&[r.discharged_on])),
        Record::Survey(r) => {
            (read(&[r.performed_on, r.admitted_on]), read(&[r.performed_on, r.discharged_on]))
        }
        Record::Death(r) => (read(&[r.died_on]), None),
        Record::CareService(r) => (read(&[r.started_on, r.service_month]), read(&[r.ended_on])),
        Record::CareCertification(r) => {
            (read(&[r.decided_on, r.valid_from, r.applied_on, r.surveyed_on]), None)
        }
        Record::Vaccination(r) => (read(&[r.given_on]), None),
        Record::Allergy(r) => (read(&[r.onset_on, r.recorded_at]), None),
        Record::ImagingStudy(r) => (read(&[r.started_at]), None),
        Record::ServiceOrder(r) => (read(&[r.planned_at, r.ordered_at]), None),
        Record::Residency(r) => (read(&[r.happened_on, r.notified_on]), None),
        Record::Document(r) => (read(&[r.written_at]), None),
        Record::Person(_) | Record::Claim(_) | Record::ClaimPayer(_) | Record::FamilyHistory(_) => {
            (None, None)
        }
    }
}
