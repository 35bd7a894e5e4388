//! Every stop against every store: how far each is, and what is overdue.

use kiban_govern::{Act, Actor, Employer, Role, permit};
use kiban_kernel::{Date, jst_date};
use kiban_register::stop::{self, StoreState};

use crate::{Deployment, Error, stop_review};

/// A stop with its stores and how long it has run.
#[derive(Debug, Clone)]
pub struct StopRow {
    /// The stop.
    pub stop: kiban_register::Stop,
    /// The stores.
    pub stores: Vec<StoreState>,
    /// The day by which every store must have acknowledged.
    pub due: Date,
    /// Not closed, and the day has passed.
    pub overdue: bool,
    /// Whole days from the receipt until it was closed, or until today.
    pub days: i64,
    /// Day on which it was taken back.
    pub withdrawn_on: Option<Date>,
}

/// Every stop on the register against every store, the newest first; a holder's staff see their own.
///
/// # Errors
/// The actor may not see stops, or the database or a rule failed.
/// # Law
/// `stop`
pub async fn stops(on: &Deployment, actor: &Actor) -> Result<Vec<StopRow>, Error> {
    let own = actor.employer == Employer::Holder && actor.has(Role::HolderStaff);
    let roles = [
        Role::IntakeOfficer,
        Role::SecurityOfficer,
        Role::GeneralManager,
        Role::ReleaseApprover,
        Role::Auditor,
    ];
    let staff = actor.employer == Employer::Producer && roles.iter().any(|role| actor.has(*role));
    if !own && !staff {
        permit(actor, Act::ApplyStop)?;
    }
    let mut conn = on.reader().await?;
    let today = on.today();
    let withdrawals = stop::withdrawals(&mut conn).await?;
    let mut out = Vec::new();
    for stop in stop::all(&mut conn).await? {
        if own && stop.holder != actor.organization {
            continue;
        }
        let begun = jst_date(stop.received_at);
        let due = stop_review::due(on, begun)?;
        let until = stop.closed_at.map_or(today, jst_date);
        let days = until.since(begun).map_or(0, |span| i64::from(span.get_days()));
        let withdrawn_on = withdrawals.get(&stop.id).map(|w| w.withdrawn_on);
        let stores = stop::stores(&mut conn, stop.id).await?;
        let overdue = stop.closed_at.is_none() && today > due;
        out.push(StopRow { stop, stores, due, overdue, days, withdrawn_on });
    }
    out.reverse();
    Ok(out)
}
