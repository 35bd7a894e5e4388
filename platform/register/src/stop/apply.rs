//! Applying a stop: every store erases and acknowledges, one after the other.

use kiban_audit::{Event, Log, note::SigningKey};
use kiban_govern::Actor;
use kiban_kernel::{Digest, Id, LawKey, kinds};

use super::{Ack, Erases, ErasureOrder, Stop, StopError, proof, rows};

/// How far a stop got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The stop, as it stands now.
    pub stop: Stop,
    /// Stores that acknowledged, with what they erased in all.
    pub acknowledged: Vec<(String, Ack)>,
    /// Stores that did not, with the code of why; the stop stays open.
    pub open: Vec<(String, &'static str)>,
}

impl Applied {
    /// The signed proof sheet, once no store is open.
    pub fn proof(&self) -> Option<&str> {
        self.stop.proof.as_deref()
    }
}

/// Apply a stop in every store that has not acknowledged it. Each store erases in a transaction of its own
/// (event `stop.erased`), sweeps, and then acknowledges (`stop.acknowledged`); a failure leaves that store
/// open (`stop.unanswered`) and goes on with the others. When none is open, the proof sheet is signed
/// (`stop.closed`). Doing it again goes on where it ended.
///
/// # Errors
/// There is no such stop, or register or log failed.
pub async fn apply(
    log: &Log,
    actor: &Actor,
    stop: Id<kinds::Stop>,
    ports: &[&dyn Erases],
    signer: &SigningKey,
) -> Result<Applied, StopError> {
    let mut conn = log.db().pool().acquire().await?;
    let stop = rows::find(&mut conn, stop).await?;
    let waiting = rows::stores(&mut conn, stop.id).await?;
    drop(conn);
    let order =
        ErasureOrder { stop: stop.id, persons: stop.persons.clone(), regimes: stop.regimes };
    let mut open = Vec::new();
    for store in waiting.into_iter().filter(|s| s.acknowledged_at.is_none()) {
        let Some(port) = ports.iter().find(|p| p.name() == store.store) else {
            unanswered(log, actor, &stop, &store.store, "unavailable").await?;
            open.push((store.store, "unavailable"));
            continue;
        };
        if let Err(code) = ask(log, actor, &order, *port, &store.ack).await? {
            unanswered(log, actor, &stop, &store.store, code).await?;
            open.push((store.store, code));
        }
    }
    finish(log, actor, stop.id, open, signer).await
}

/// Ask one store; the inner error is the code of why it did not do it.
async fn ask(
    log: &Log,
    actor: &Actor,
    order: &ErasureOrder,
    port: &dyn Erases,
    before: &Ack,
) -> Result<Result<(), &'static str>, StopError> {
    let mut tx = log.begin().await?;
    let ack = match port.erase(order, &mut tx).await {
        Ok(ack) => ack.plus(before),
        Err(e) => {
            tx.rollback().await?;
            return Ok(Err(e.code()));
        }
    };
    rows::answered(tx.conn(), order.stop, port.name(), &ack, None).await?;
    let body = serde_json::json!({ "store": port.name(), "counts": ack.counts });
    let _ = tx.commit(event("stop.erased", actor, order.stop, body)).await?;
    if let Err(e) = port.sweep().await {
        return Ok(Err(e.code()));
    }
    let mut tx = log.begin().await?;
    let at = tx.now();
    rows::answered(tx.conn(), order.stop, port.name(), &ack, Some(at)).await?;
    let body = serde_json::json!({ "store": port.name() });
    let _ = tx.commit(event("stop.acknowledged", actor, order.stop, body)).await?;
    Ok(Ok(()))
}

async fn unanswered(
    log: &Log,
    actor: &Actor,
    stop: &Stop,
    store: &str,
    code: &str,
) -> Result<(), StopError> {
    let mut tx = log.begin().await?;
    rows::not_answered(tx.conn(), stop.id, store).await?;
    let body = serde_json::json!({ "store": store, "why": code });
    let _ = tx.commit(event("stop.unanswered", actor, stop.id, body)).await?;
    Ok(())
}

async fn finish(
    log: &Log,
    actor: &Actor,
    id: Id<kinds::Stop>,
    open: Vec<(String, &'static str)>,
    signer: &SigningKey,
) -> Result<Applied, StopError> {
    let mut tx = log.begin().await?;
    let mut stop = rows::find(tx.conn(), id).await?;
    let stores = rows::stores(tx.conn(), id).await?;
    let all = stores.iter().all(|s| s.acknowledged_at.is_some());
    let acknowledged = stores
        .iter()
        .filter(|s| s.acknowledged_at.is_some())
        .map(|s| (s.store.clone(), s.ack.clone()))
        .collect();
    if all && stop.closed_at.is_none() {
        let at = tx.now();
        let sheet = proof::sign(&stop, &stores, at, signer)?;
        rows::close(tx.conn(), id, at, &sheet).await?;
        let body = serde_json::json!({
            "stores": stores.len(),
            "proof": Digest::of(sheet.as_bytes()).to_string(),
        });
        let _ = tx.commit(event("stop.closed", actor, id, body)).await?;
        stop.closed_at = Some(at);
        stop.proof = Some(sheet);
    } else {
        tx.rollback().await?;
    }
    Ok(Applied { stop, acknowledged, open })
}

fn event<'a>(
    kind: &'static str,
    actor: &'a Actor,
    stop: Id<kinds::Stop>,
    body: serde_json::Value,
) -> Event<'a> {
    Event { kind, actor, subject: stop.to_string(), law: LawKey::new("stop").ok(), body }
}
