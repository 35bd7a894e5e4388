//! Deliveries received, for the holder's desk and the producer's people.

use kiban_govern::{Actor, Employer, Role};
use kiban_intake::{
    report::DeliveryReport,
    store::{self, DeliveryRow},
};
use kiban_kernel::{Id, kinds};

use crate::{Deployment, Error, receive_delivery::report_of};

const STAFF: [Role; 5] = [
    Role::IntakeOfficer,
    Role::Processor,
    Role::SecurityOfficer,
    Role::GeneralManager,
    Role::Auditor,
];

/// Whose deliveries an actor sees.
enum Whose {
    Everybody,
    Of(Id<kinds::Organization>),
}

fn whose(actor: &Actor) -> Option<Whose> {
    if actor.employer == Employer::Holder && actor.has(Role::HolderStaff) {
        return Some(Whose::Of(actor.organization));
    }
    let staff = actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r));
    staff.then_some(Whose::Everybody)
}

/// The deliveries that the actor may see, the newest first: a holder's staff its own, the producer's all.
///
/// # Errors
/// The database failed.
pub async fn deliveries(on: &Deployment, actor: &Actor) -> Result<Vec<DeliveryRow>, Error> {
    let holder = match whose(actor) {
        None => return Ok(Vec::new()),
        Some(Whose::Everybody) => None,
        Some(Whose::Of(holder)) => Some(holder),
    };
    let mut rows = store::list(on.log.db().pool(), holder).await?;
    rows.reverse();
    Ok(rows)
}

/// One delivery with its report.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn delivery(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Delivery>,
) -> Result<(DeliveryRow, DeliveryReport), Error> {
    let missing = || Error::Unknown { what: "提供" };
    let row = store::find(on.log.db().pool(), id).await?.ok_or_else(missing)?;
    match whose(actor) {
        None => Err(missing()),
        Some(Whose::Of(holder)) if holder != row.holder => Err(missing()),
        Some(_) => Ok((row, report_of(on, id).await?)),
    }
}
