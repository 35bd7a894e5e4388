//! Which records must be kept until when, and which fall due: the clocks of receipts, verifications, stops and books.
//!
//! Enters: what is on record. Leaves: a line for each record with the rule it rests on, the day it began and the first day
//! on which it need not be kept. A clock runs from the record's making, or from the last act that it covers: the check of
//! how a holder acquired its data runs from the last delivery received on the strength of it, a stop's receipt from the
//! withdrawal if there is one, the books of a year from their last entry. Refuses: nothing is destroyed here.
//!
//! # Law
//! `provision_record`, `receipt_record`, `stop.receipt`, `books`

use std::collections::BTreeMap;

use kiban_govern::{Act, Actor, permit};
use kiban_intake::{holder::years_after, store as deliveries};
use kiban_kernel::{Date, Id, LawKey, Rules, jst_date, kinds};
use kiban_register::{organization, stop};
use serde::Serialize;

use crate::{
    Deployment, Error, fiscal_year,
    legal_hold::{self, HoldsOf, LegalHold},
};

/// What kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The record of a delivery received.
    Receipt,
    /// The check of a holder's name, address, representative and acquisition.
    Verification,
    /// The copy of a stop's receipt, with the withdrawal.
    StopReceipt,
    /// The books of a fiscal year.
    Books,
}

impl Kept {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Receipt, Self::Verification, Self::StopReceipt, Self::Books];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Verification => "verification",
            Self::StopReceipt => "stop_receipt",
            Self::Books => "books",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Receipt => "受領の記録",
            Self::Verification => "取得の経緯等の確認の記録",
            Self::StopReceipt => "停止の求めの書面の写し",
            Self::Books => "帳簿",
        }
    }
    /// Name of the dated rule.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Receipt | Self::Verification => "retention.receipt_record_years",
            Self::StopReceipt => "retention.stop_receipt_years",
            Self::Books => "retention.books_years",
        }
    }
    /// Law key.
    pub fn law(self) -> Option<LawKey> {
        LawKey::new(match self {
            Self::Receipt | Self::Verification => "receipt_record",
            Self::StopReceipt => "stop.receipt",
            Self::Books => "books",
        })
        .ok()
    }
}

/// A record with its clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// What it is.
    pub kind: Kept,
    /// Opaque id, or the fiscal year.
    pub id: String,
    /// The holder it is about, if it is about one.
    pub holder: Option<Id<kinds::Organization>>,
    /// Day from which the clock runs.
    pub from: Date,
    /// Years to keep it, by the rule in force on that day.
    pub years: i64,
    /// First day on which it need not be kept.
    pub until: Date,
    /// That day has come, and no hold stands.
    pub due: bool,
    /// The hold that stands.
    pub hold: Option<LegalHold>,
}

fn clock(
    rules: &Rules,
    today: Date,
    (kind, id, holder, from): (Kept, String, Option<Id<kinds::Organization>>, Date),
    holds: HoldsOf,
) -> Result<Retained, Error> {
    let years = rules.int(kind.rule(), from)?.max(0);
    let until = years_after(from, years);
    // The clock stood still on these days.
    let until = until.checked_add(jiff::Span::new().days(holds.days)).unwrap_or(Date::MAX);
    let due = until <= today && holds.standing.is_none();
    Ok(Retained { kind, id, holder, from, years, until, due, hold: holds.standing })
}

/// Every record with its clock, the one that falls due first first.
///
/// # Errors
/// The actor may not, a rule is missing, or log or database failed.
/// # Law
/// `receipt_record`, `stop.receipt`, `books`
pub async fn retained_records(on: &Deployment, actor: &Actor) -> Result<Vec<Retained>, Error> {
    permit(actor, Act::SeeRetention)?;
    let today = on.today();
    let mut found = Vec::new();
    let mut last: BTreeMap<Id<kinds::Organization>, Vec<Date>> = BTreeMap::new();
    for row in deliveries::list(on.log.db().pool(), None).await? {
        let day = jst_date(row.received_at);
        last.entry(row.holder).or_default().push(day);
        found.push((Kept::Receipt, row.id.to_string(), Some(row.holder), day));
    }
    let mut conn = on.reader().await?;
    for party in organization::all(&mut conn).await? {
        let checks = kiban_register::filing::acquisition_checks(&mut conn, party.id).await?;
        for (i, check) in checks.iter().enumerate() {
            // It covers what came from its day until the next check.
            let next = checks.get(i + 1).map_or(Date::MAX, |c| c.checked_on);
            let covered = last
                .get(&party.id)
                .into_iter()
                .flatten()
                .filter(|d| **d >= check.checked_on && **d < next)
                .max();
            let from = covered.copied().unwrap_or(check.checked_on);
            let id = format!("{}/{}", party.id, i + 1);
            found.push((Kept::Verification, id, Some(party.id), from));
        }
    }
    let withdrawals = stop::withdrawals(&mut conn).await?;
    for stop in stop::all(&mut conn).await? {
        let day = jst_date(stop.received_at);
        let from = withdrawals.get(&stop.id).map_or(day, |w| w.withdrawn_on.max(day));
        found.push((Kept::StopReceipt, stop.id.to_string(), Some(stop.holder), from));
    }
    let mut holds = legal_hold::all(&mut conn, today).await?;
    drop(conn);
    let mut years: BTreeMap<i16, Date> = BTreeMap::new();
    let (size, mut from) = (on.log.size().await?, 0);
    while from < size {
        let to = (from + 1_000).min(size);
        for event in on.log.events(from, to).await? {
            let day = jst_date(event.at);
            let last = years.entry(fiscal_year(day)).or_insert(day);
            *last = (*last).max(day);
        }
        from = to;
    }
    found.extend(years.into_iter().map(|(year, day)| (Kept::Books, year.to_string(), None, day)));
    let mut out = Vec::with_capacity(found.len());
    for one in found {
        let of = (one.0.as_str().to_owned(), one.1.clone());
        out.push(clock(&on.rules, today, one, holds.remove(&of).unwrap_or_default())?);
    }
    out.sort_by(|a, b| (a.until, a.kind, &a.id).cmp(&(b.until, b.kind, &b.id)));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_ends_on_the_same_day_three_years_on() {
        let rules = Rules::built_in().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (from, until) in [
            ("2025-11-28", "2028-11-28"),
            ("2028-02-29", "2031-03-01"),
            ("2025-03-31", "2028-03-31"),
        ] {
            let one = (Kept::Receipt, "x".to_owned(), None, day(from));
            let on = day(until);
            let free = HoldsOf::default;
            assert!(clock(&rules, on, one.clone(), free()).unwrap().due);
            let before = clock(&rules, on.yesterday().unwrap(), one.clone(), free()).unwrap();
            assert_eq!((before.until, before.due, before.years), (on, false, 3));
            let held = HoldsOf { standing: None, days: 10 };
            let later = clock(&rules, on, one, held).unwrap();
            let ten = jiff::Span::new().days(10);
            assert_eq!((later.until, later.due), (on.checked_add(ten).unwrap(), false));
        }
        assert_eq!(
            clock(
                &rules,
                day("2030-01-01"),
                (Kept::Books, "2025".into(), None, day("2026-03-31")),
                HoldsOf::default()
            )
            .unwrap()
            .years,
            5
        );
    }
}
