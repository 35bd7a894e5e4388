//! The holder's desk: requests that patients made on the page, opened on the record, answered once.

use age::x25519;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, LawKey, jst_date, kinds};
use kiban_register::{
    StopRequest,
    stop::{self, Scope},
};
use serde_json::json;
use sqlx::AnyConnection;

use crate::{
    Deployment, Error, StopRequestRefused, Waiting, Written,
    stop_inbox::{RequestId, read},
    stop_request,
};

async fn at_desk(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    id: RequestId,
) -> Result<Waiting, Error> {
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE id = $1 AND holder = $2";
    let row = sqlx::query(SQL)
        .bind(id.to_string())
        .bind(holder.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(Error::StopRequest(StopRequestRefused::NoSuchRequest))?;
    read(&row)
}

/// The requests at the desk of the actor's holder, oldest first.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn stop_requests(on: &Deployment, actor: &Actor) -> Result<Vec<Waiting>, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE holder = $1 ORDER BY asked_at, id";
    let rows = sqlx::query(SQL)
        .bind(actor.organization.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
    rows.iter().map(read).collect()
}

/// One request at the actor's desk, without what the person wrote.
///
/// # Errors
/// The actor may not, there is none at this desk, or the database failed.
pub async fn stop_request_at_desk(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
) -> Result<Waiting, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    at_desk(&mut *on.reader().await?, actor.organization, id).await
}

/// Open what the person wrote, at the desk it was sent to; the opening stands in the log.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, or the log failed.
pub async fn open_stop_request(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
) -> Result<Written, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    let mut conn = on.reader().await?;
    let request = at_desk(&mut conn, actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let sealed: String =
        sqlx::query_scalar("SELECT sealed FROM journeys_stop_request WHERE id = $1")
            .bind(id.to_string())
            .fetch_one(&mut *conn)
            .await?;
    drop(conn);
    let written = kiban_audit::Identified::seal(open(&on.intake, &sealed)?);
    let receipt = on.log.read(actor, "stop.request", &id.to_string()).await?;
    Ok(written.open(&receipt))
}

fn open(identity: &x25519::Identity, sealed: &str) -> Result<Written, Error> {
    let refused = || Error::StopRequest(StopRequestRefused::Sealed);
    let bytes = hex::decode(sealed).map_err(|_| refused())?;
    let text = age::decrypt(identity, &bytes).map_err(|_| refused())?;
    serde_json::from_slice(&text).map_err(|_| refused())
}

/// What the desk writes on the receipt.
#[derive(Clone)]
pub struct Receipting {
    /// The holder's number of the person.
    pub local_id: String,
    /// Number of the receipt.
    pub receipt_number: String,
    /// Reference of what proves the requester's standing.
    pub evidence: String,
}

/// The desk issues the receipt: the stop is on the register from this commit, and what the person wrote is gone.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, the receipt lacks something, or the log failed.
/// # Law
/// `stop`, `stop.receipt`
pub async fn issue_receipt(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
    receipting: &Receipting,
) -> Result<stop::Received, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    let permit = permit(actor, Act::RecordStop)?;
    let keys = on.register_keys().await?;
    let mut tx = on.log.begin().await?;
    let request = at_desk(tx.conn(), actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let asked = StopRequest {
        holder: request.holder,
        local_id: receipting.local_id.trim().to_owned(),
        regimes: request.regimes,
        requested_on: jst_date(request.asked_at),
        receipt_number: receipting.receipt_number.trim().to_owned(),
        requester: request.requester,
        evidence: receipting.evidence.trim().to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    };
    let received = stop_request::receive(on, &mut tx, &keys, &asked).await?;
    if !received.new {
        return Err(Error::Stop(kiban_register::StopError::OtherRequest));
    }
    let at = tx.now().to_string();
    sqlx::query(
        "UPDATE journeys_stop_request SET answered_at = $2, stop = $3, sealed = '' WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(received.stop.id.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "stop.received",
        actor: permit.actor(),
        subject: received.stop.id.to_string(),
        law: LawKey::new("stop.receipt").ok(),
        body: json!({ "request": id.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(received)
}

/// The desk declines a request (the person could not be found, say); what was written is gone.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, there is no reason, or the log failed.
pub async fn decline_stop_request(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::AnswerStopRequest)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 400 {
        return Err(Error::Field {
            field: "reason", ja: "受付できない理由を書いてください。"
        });
    }
    let mut tx = on.log.begin().await?;
    let request = at_desk(tx.conn(), actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let at = tx.now().to_string();
    sqlx::query(
        "UPDATE journeys_stop_request SET answered_at = $2, declined = $3, sealed = '' WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(reason.to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "stop.declined",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("stop").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
