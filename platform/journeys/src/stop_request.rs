//! A stop: taken in with the holder's receipt, applied in every store, proved.

use kiban_audit::{Event, Tx};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, LawKey, kinds};
use kiban_register::{
    RegisterKeys, StopRequest,
    stop::{self, Applied, Received},
};
use serde_json::json;

use crate::{
    Deployment, Error, stop_datasets,
    stop_stores::{STORES, StopStores},
};

/// Take a stop request in. From now on the person is refused at the gate, and nothing is cleared until the
/// vault has erased.
///
/// # Errors
/// The actor may not, the request lacks receipt, evidence or person, or the log failed.
/// # Law
/// `stop`, `stop.receipt`
pub async fn record_stop(
    on: &Deployment,
    actor: &Actor,
    request: &StopRequest,
) -> Result<Received, Error> {
    let permit = permit(actor, Act::RecordStop)?;
    let keys = on.register_keys().await?;
    let mut tx = on.log.begin().await?;
    let received = receive(on, &mut tx, &keys, request).await?;
    if received.new {
        let event = Event {
            kind: "stop.received",
            actor: permit.actor(),
            subject: received.stop.id.to_string(),
            law: LawKey::new("stop").ok(),
            body: json!({}),
        };
        let _ = tx.commit(event).await?;
    } else {
        tx.rollback().await?;
    }
    Ok(received)
}

/// Take a request in, in the caller's transaction; the datasets that hold the persons are put down with it, as long as
/// the vault can still tell.
pub(crate) async fn receive(
    on: &Deployment,
    tx: &mut Tx,
    keys: &RegisterKeys,
    request: &StopRequest,
) -> Result<Received, Error> {
    let received = take_in(on, tx, keys, request).await?;
    if received.new {
        stop_datasets::note(on, tx, &[&received.stop]).await?;
    }
    Ok(received)
}

/// As [`receive`]; the datasets are left to the caller, who puts them down for many stops at once.
pub(crate) async fn take_in(
    on: &Deployment,
    tx: &mut Tx,
    keys: &RegisterKeys,
    request: &StopRequest,
) -> Result<Received, Error> {
    let entropy = &*on.world.entropy;
    Ok(stop::receive(tx, &on.lake, keys, request, &STORES, &on.rules, entropy).await?)
}

/// Apply a stop in every store that has not acknowledged it; done again, it goes on where it ended.
///
/// # Errors
/// The actor may not, there is no such stop, or the log failed. A store that does not answer is no error:
/// the stop stays open and says so.
pub async fn apply_stop(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Stop>,
) -> Result<Applied, Error> {
    let permit = permit(actor, Act::ApplyStop)?;
    let stores = StopStores::open(on).await?;
    Ok(stop::apply(&on.log, permit.actor(), id, &stores.ports(), on.signer.key()).await?)
}

/// Apply stops in every store that has not acknowledged them, all in one pass over each store; each keeps its own case
/// and proof sheet.
///
/// # Errors
/// As [`apply_stop`].
pub async fn apply_stops(
    on: &Deployment,
    actor: &Actor,
    ids: &[Id<kinds::Stop>],
) -> Result<Vec<Applied>, Error> {
    let permit = permit(actor, Act::ApplyStop)?;
    let stores = StopStores::open(on).await?;
    let ports = stores.ports();
    Ok(stop::apply_all(&on.log, permit.actor(), ids, &ports, on.signer.key()).await?)
}

/// Ask every store again that has not acknowledged a stop, for all open stops together, the oldest first.
///
/// # Errors
/// As [`apply_stop`].
pub async fn retry_stops(on: &Deployment, actor: &Actor) -> Result<Vec<Applied>, Error> {
    let open = open_stops(on).await?;
    apply_stops(on, actor, &open).await
}

/// Stops that some store has not acknowledged: what a restart goes on with.
///
/// # Errors
/// The database failed.
pub async fn open_stops(on: &Deployment) -> Result<Vec<Id<kinds::Stop>>, Error> {
    let mut conn = on.reader().await?;
    Ok(stop::open(&mut conn).await?.into_iter().map(|(s, _)| s.id).collect())
}
