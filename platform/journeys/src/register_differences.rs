//! Notices as a delivery says them, held against the register that was taken over from a predecessor.
//!
//! The holder answers for whom it told what when; the predecessor's register says it too. Where the two differ for a
//! person, one of them is wrong, and with it perhaps a wait. Nothing is decided here: the difference stands in the
//! holder's report by rule with its places, in the event of the delivery, and in the list of the producer, until the
//! holder has mended its record or the register.
//!
//! A notice after the day of the takeover is a new one and differs from nothing.
//!
//! # Law
//! `provision_record`, `receipt_record`

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kiban_govern::{Act, Actor, Employer, permit};
use kiban_intake::{
    FileRef, Opened,
    report::ReportBuilder,
    store::{self as deliveries, DeliveryRow},
};
use kiban_kernel::{Date, Id, Regime, Timestamp, jst_date, kinds};
use kiban_register::RegisterKeys;
use sqlx::{AnyConnection, Row as _};

use crate::{Deployment, Error, person_notices};

type Person = Id<kinds::PersonSource>;

/// The same day, another version.
const VERSION: &str = "notice.register-version";
/// The same version, another day.
const DATE: &str = "notice.register-date";
/// A regime that only one of the two knows.
const REGIME: &str = "notice.register-regime";
/// Another version on another day, before the takeover.
const UNKNOWN: &str = "notice.register-unknown";

/// A difference and the row of the delivery's list of notices it was found at, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    row: usize,
    rule: &'static str,
}

/// Days on which registers were taken over, by import.
pub(crate) async fn imports(
    conn: &mut AnyConnection,
) -> Result<HashMap<Id<kinds::Delivery>, Date>, Error> {
    let damaged = || Error::Unknown { what: "register import" };
    let rows =
        sqlx::query("SELECT id, begun_at FROM journeys_register_import").fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            let (id, begun): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let begun: Timestamp = begun.parse().map_err(|_| damaged())?;
            Ok((id.parse().map_err(|_| damaged())?, jst_date(begun)))
        })
        .collect()
}

/// What the register that was taken over says of one person under one regime.
#[derive(Default)]
struct TakenOver {
    notices: Vec<(String, Date)>,
}

/// The differences of a delivery, at most one for each row of its list.
pub(crate) async fn find(
    on: &Deployment,
    conn: &mut AnyConnection,
    keys: &RegisterKeys,
    delivery: &Opened,
) -> Result<Vec<Difference>, Error> {
    let imports = imports(conn).await?;
    if imports.is_empty() {
        return Ok(Vec::new());
    }
    let holder = delivery.manifest().holder;
    let told: Vec<Person> = delivery
        .notices()
        .iter()
        .map(|(local_id, _)| keys.person_source(holder, local_id))
        .collect();
    let persons: BTreeSet<Person> = told.iter().copied().collect();
    let persons: Vec<Person> = persons.into_iter().collect();
    let mut taken: HashMap<Person, [TakenOver; 2]> = HashMap::new();
    let mut day: HashMap<Person, Date> = HashMap::new();
    for one in person_notices::of_all(on, &persons).await? {
        let Some(begun) = imports.get(&one.source).filter(|_| one.holder == holder) else {
            continue;
        };
        taken.entry(one.person).or_default()[at(one.notice.regime)]
            .notices
            .push((one.notice.version, one.notice.notified_on));
        let last = day.entry(one.person).or_insert(*begun);
        *last = (*last).max(*begun);
    }
    let mut said: HashSet<(Person, usize)> = HashSet::new();
    let mut first: HashMap<Person, usize> = HashMap::new();
    let mut out = Vec::new();
    for (row, (person, (_, notice))) in told.iter().zip(delivery.notices().iter()).enumerate() {
        let (Some(taken), Some(begun)) = (taken.get(person), day.get(person)) else { continue };
        said.insert((*person, at(notice.regime)));
        first.entry(*person).or_insert(row);
        let of = &taken[at(notice.regime)].notices;
        let (version, on) = (notice.notice_version.as_str(), notice.notified_on);
        if on > *begun || of.iter().any(|(v, d)| v == version && *d == on) {
            continue;
        }
        let rule = if of.is_empty() {
            REGIME
        } else if of.iter().any(|(_, d)| *d == on) {
            VERSION
        } else if of.iter().any(|(v, _)| v == version) {
            DATE
        } else {
            UNKNOWN
        };
        out.push(Difference { row, rule });
    }
    for (person, taken) in &taken {
        let missing = |regime: &usize| {
            !taken[*regime].notices.is_empty() && !said.contains(&(*person, *regime))
        };
        if let (Some(row), true) = (first.get(person), (0..2).any(|r| missing(&r))) {
            out.push(Difference { row: *row, rule: REGIME });
        }
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

fn at(regime: Regime) -> usize {
    usize::from(regime == Regime::Pseudo57)
}

/// Puts the differences into the report of their delivery: each row by its rule, and how many persons there are of each.
pub(crate) fn report(found: &[Difference], delivery: &Opened, report: &mut ReportBuilder) {
    let list = FileRef { number: 0, hint: "notices.csv".to_owned() };
    let mut persons: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    // Differences stand in the order of their rows.
    let mut rows = delivery.notices().iter().enumerate().peekable();
    for one in found {
        // The header is line 1.
        report.quality.add(one.rule, 1, || (list.clone(), format!("line {}", one.row + 2)));
        while rows.next_if(|(row, _)| *row < one.row).is_some() {}
        if let Some((_, (local_id, _))) = rows.peek().filter(|(row, _)| *row == one.row) {
            persons.entry(one.rule).or_default().insert(local_id);
        }
    }
    report.counts.register_differences =
        persons.into_iter().map(|(rule, of)| (rule.to_owned(), of.len() as u64)).collect();
}

/// Deliveries in which somebody's notices differ from the register that was taken over, the newest first; a holder's
/// staff see their own.
///
/// # Errors
/// The actor may not, or the database failed.
/// # Law
/// `provision_record`
pub async fn register_differences(
    on: &Deployment,
    actor: &Actor,
) -> Result<Vec<DeliveryRow>, Error> {
    permit(actor, Act::SeeNotices)?;
    let own = (actor.employer == Employer::Holder).then_some(actor.organization);
    let mut rows = deliveries::list(on.log.db().pool(), own).await?;
    rows.retain(|d| !d.counts.register_differences.is_empty());
    rows.reverse();
    Ok(rows)
}
