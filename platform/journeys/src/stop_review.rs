//! Stops taken back, the sheet of a day, and the rates by holder and month.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::AsArray as _, datatypes::Date32Type};
use kiban_audit::Event;
use kiban_govern::{Act, Actor, Employer, permit};
use kiban_kernel::{Date, Digest, Id, LawKey, kinds};
use kiban_register::{
    person_notice::date_of,
    stop::{
        self, DayStop, Withdrawal,
        rates::{self, Count, Judged},
    },
};
use serde_json::json;

use crate::{Deployment, Error};

/// Put on record that a stop was taken back, with the holder's document. Nothing comes back: what is sent under a new
/// notice is let in once its wait is over, as far as it arose since.
///
/// # Errors
/// The actor may not, or not for this holder; there is no such stop, it is open or withdrawn already, the document lacks
/// something, or the log failed.
/// # Law
/// `stop`
pub async fn withdraw_stop(
    on: &Deployment,
    actor: &Actor,
    withdrawal: &Withdrawal,
) -> Result<(), Error> {
    let permit = permit(actor, Act::WithdrawStop)?;
    let mut tx = on.log.begin().await?;
    if actor.employer == Employer::Holder
        && stop::find(tx.conn(), withdrawal.stop).await?.holder != actor.organization
    {
        return Err(Error::Unknown { what: "提供停止の求め" });
    }
    stop::withdraw(&mut tx, withdrawal).await?;
    let event = Event {
        kind: "stop.withdrawn",
        actor: permit.actor(),
        subject: withdrawal.stop.to_string(),
        law: LawKey::new("stop").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The day by which every store must have acknowledged a stop.
pub(crate) fn due(on: &Deployment, begun: Date) -> Result<Date, Error> {
    let days = on.rules.int("stop.due_days", begun)?;
    let span = jiff::Span::new().days(days.clamp(0, 3650));
    Ok(begun.checked_add(span).unwrap_or(Date::MAX))
}

/// The signed sheet of a day: every case open at its end or closed on it, with its day clock. Its digest is on record.
///
/// # Errors
/// The actor may not, the day is not over in Japan's future, or the log failed.
/// # Law
/// `stop`
pub async fn stop_day_sheet(on: &Deployment, actor: &Actor, day: Date) -> Result<String, Error> {
    let permit = permit(actor, Act::ReviewStops)?;
    if day > on.today() {
        return Err(Error::Field {
            field: "day", ja: "先の日の日次証は作れません。"
        });
    }
    let mut conn = on.reader().await?;
    let mut cases = Vec::new();
    for stop in stop::all(&mut conn).await? {
        let due = due(on, kiban_kernel::jst_date(stop.received_at))?;
        let stores = stop::stores(&mut conn, stop.id).await?;
        cases.push(DayStop { stop, stores, due });
    }
    drop(conn);
    let tx = on.log.begin().await?;
    let sheet = stop::sign_day(day, &cases, tx.now(), on.signer.key())?;
    let event = Event {
        kind: "stop.day_sheet",
        actor: permit.actor(),
        subject: permit.actor().organization.to_string(),
        law: LawKey::new("stop").ok(),
        body: json!({ "day": day.to_string(), "sheet": Digest::of(sheet.as_bytes()).to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(sheet)
}

/// The rate of one holder.
#[derive(Debug, Clone)]
pub struct StopRate {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// The month (its first day); `None`: all months.
    pub month: Option<Date>,
    /// Requests and persons.
    pub count: Count,
    /// Against the other holders.
    pub judged: Judged,
}

/// Rates by holder (all months first), then by holder and month, each judged. A person counts from the notice on, or, if
/// his or her records are erased, at least in the month of the request. A holder's staff gets its own alone, judged
/// against the others all the same.
///
/// # Errors
/// The actor may not, a rule is missing, or lake or database failed.
/// # Law
/// `stop`
pub async fn stop_rates(on: &Deployment, actor: &Actor) -> Result<Vec<StopRate>, Error> {
    permit(actor, Act::SeeStopRates)?;
    type Holder = Id<kinds::Organization>;
    let today = on.today();
    let per_million = |rule| on.rules.int(rule, today).map(|n| n.max(0) as f64 / 1e6);
    let usual = per_million("stop.usual_per_million")?;
    let level = per_million("stop.outlier_chance_per_million")?;
    // Month of the first notice of each person still there, by holder.
    let mut told: BTreeMap<Holder, BTreeMap<Date, u64>> = BTreeMap::new();
    let mut asked: BTreeMap<Holder, BTreeMap<Date, u64>> = BTreeMap::new();
    let mut stopped: BTreeSet<String> = BTreeSet::new();
    let all = stop::all(&mut *on.reader().await?).await?;
    for stop in all.iter().filter(|s| s.requester.is_request()) {
        *asked
            .entry(stop.holder)
            .or_default()
            .entry(stop.requested_on.first_of_month())
            .or_default() += 1;
        stopped.extend(stop.persons.iter().map(ToString::to_string));
    }
    let head = on.lake.head().await?;
    let mut first: BTreeMap<(Holder, String), Date> = BTreeMap::new();
    let batches =
        if head.0 == 0 { Vec::new() } else { on.lake.scan("person_notice", head).await? };
    for batch in batches {
        let bad = || Error::Unknown { what: "person_notice" };
        let text = |name: &str| {
            batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(bad)
        };
        let (persons, holders) = (text("person_source")?, text("holder")?);
        let days = batch
            .column_by_name("notified_on")
            .and_then(|c| c.as_primitive_opt::<Date32Type>())
            .ok_or_else(bad)?;
        for (row, day) in days.iter().enumerate() {
            let Some(month) = day.and_then(date_of).map(Date::first_of_month) else { continue };
            let person = persons.value(row);
            if stopped.contains(person) {
                continue;
            }
            let key = (holders.value(row).parse().map_err(|_| bad())?, person.to_owned());
            let entry = first.entry(key).or_insert(month);
            *entry = (*entry).min(month);
        }
    }
    for ((holder, _), month) in first {
        *told.entry(holder).or_default().entry(month).or_default() += 1;
    }
    let holders: BTreeSet<Holder> = told.keys().chain(asked.keys()).copied().collect();
    let none = BTreeMap::new();
    let (mut totals, mut months) = (Vec::new(), Vec::new());
    for (number, holder) in (0..).zip(&holders) {
        let (told, asked) = (told.get(holder).unwrap_or(&none), asked.get(holder).unwrap_or(&none));
        let stops = asked.values().sum();
        let persons = told.values().sum::<u64>() + stops;
        totals.push((number, *holder, None, Count { stops, persons }));
        for (month, stops) in asked {
            let until = told.range(..=*month).map(|(_, n)| n).sum::<u64>();
            // Who asks later is still there now.
            let later: u64 = asked.range(*month..).map(|(_, n)| n).sum();
            let persons = (until + later).max(*stops);
            let count = Count { stops: *stops, persons };
            months.push((number, *holder, Some(*month), count));
        }
    }
    let span = months.iter().filter_map(|m| m.2).collect::<BTreeSet<_>>().len().max(1) as f64;
    let mut out = Vec::with_capacity(totals.len() + months.len());
    for (cells, usual) in [(totals, usual), (months, usual / span)] {
        let counts: Vec<(u32, Count)> = cells.iter().map(|c| (c.0, c.3)).collect();
        let judged = rates::judge(&counts, usual, level);
        out.extend(
            cells.into_iter().zip(judged).map(|((_, holder, month, count), judged)| StopRate {
                holder,
                month,
                count,
                judged,
            }),
        );
    }
    if actor.employer == Employer::Holder {
        out.retain(|rate| rate.holder == actor.organization);
    }
    Ok(out)
}
