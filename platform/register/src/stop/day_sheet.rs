//! The sheet of a day: every case that was open at its end or closed on it, with its day clock, signed.

use std::fmt::Write as _;

use kiban_audit::note::{self, NoteError, SigningKey};
use kiban_kernel::{Date, Timestamp, jst_date};

use super::{
    Stop, StoreState,
    proof::{DAY, DAY_TITLE, plain},
};

/// A case on a day's sheet.
#[derive(Debug, Clone)]
pub struct DayStop {
    /// The stop.
    pub stop: Stop,
    /// Its stores.
    pub stores: Vec<StoreState>,
    /// The day by which every store must have acknowledged.
    pub due: Date,
}

impl DayStop {
    /// Whole days from the receipt to the end of `day`; the day of the receipt is day 0.
    pub fn age(&self, day: Date) -> i64 {
        let begun = jst_date(self.stop.received_at);
        day.since(begun).map_or(0, |span| i64::from(span.get_days()))
    }

    /// Closed by the end of `day`?
    pub fn closed_by(&self, day: Date) -> bool {
        self.stop.closed_at.is_some_and(|at| jst_date(at) <= day)
    }

    /// Does it belong on the sheet of `day`: received by then, and not closed before?
    pub fn is_of(&self, day: Date) -> bool {
        jst_date(self.stop.received_at) <= day
            && self.stop.closed_at.is_none_or(|at| jst_date(at) >= day)
    }

    /// Stores that had not acknowledged by the end of `day`.
    pub fn silent(&self, day: Date) -> impl Iterator<Item = &str> {
        self.stores
            .iter()
            .filter(move |s| s.acknowledged_at.is_none_or(|at| jst_date(at) > day))
            .map(|s| s.store.as_str())
    }
}

/// The sheet of a day as a signed note; cases that are not of the day are passed over. It names no person.
///
/// # Errors
/// It cannot be signed.
pub fn sign_day(
    day: Date,
    cases: &[DayStop],
    made_at: Timestamp,
    signer: &SigningKey,
) -> Result<String, NoteError> {
    let cases: Vec<&DayStop> = cases.iter().filter(|c| c.is_of(day)).collect();
    let closed = cases.iter().filter(|c| c.closed_by(day)).count();
    let overdue = cases.iter().filter(|c| !c.closed_by(day) && day > c.due).count();
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(text, "{DAY_TITLE}");
    let _ = writeln!(text, "format: {DAY}");
    let _ = writeln!(text, "日: {day}");
    let _ = writeln!(text, "作成: {} ({made_at})", jst_date(made_at));
    let _ = writeln!(text, "完了: {closed}");
    let _ = writeln!(text, "未完了: {}", cases.len() - closed);
    let _ = writeln!(text, "期限超過: {overdue}");
    for case in cases {
        let number = plain(&case.stop.receipt_number).replace('：', ":");
        let (stop, age, due) = (case.stop.id, case.age(day), case.due);
        let state = if case.closed_by(day) {
            "：完了".to_owned()
        } else {
            let silent: Vec<&str> = case.silent(day).collect();
            let late = if day > due { "（期限超過）" } else { "" };
            format!("：未完了{late} {}", silent.join(", "))
        };
        let _ = writeln!(text, "- {stop} 受付 {number} 期限 {due} {age}日目{state}");
    }
    note::sign(&text, signer)
}
