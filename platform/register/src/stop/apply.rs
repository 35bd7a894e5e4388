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

/// Apply a stop in every store that has not acknowledged it. First each store erases in a transaction of its own
/// (event `stop.erased`), then each sweeps and acknowledges (`stop.acknowledged`); a failure leaves that store
/// open (`stop.unanswered`) and goes on with the others. A store that holds nothing acknowledges at once. When none is
/// open, the proof sheet is signed (`stop.closed`). Doing it again goes on where it ended.
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
    let mut waiting = rows::stores(&mut conn, stop.id).await?;
    drop(conn);
    // In the order in which the ports are given: the vault first, for datasets wait for it.
    waiting.sort_by_key(|s| ports.iter().position(|p| p.name() == s.store));
    let order =
        ErasureOrder { stop: stop.id, persons: stop.persons.clone(), regimes: stop.regimes };
    let (mut open, mut erased) = (Vec::new(), Vec::new());
    for store in waiting.into_iter().filter(|s| s.acknowledged_at.is_none()) {
        let port = ports.iter().find(|p| p.name() == store.store);
        let answer = match port {
            Some(port) => ask(log, actor, &order, *port, &store.ack).await?,
            None => Err("unavailable"),
        };
        match (answer, port) {
            (Ok(Some(ack)), Some(port)) => erased.push((*port, ack)),
            (Ok(_), _) => {}
            (Err(code), _) => {
                unanswered(log, actor, &stop, &store.store, code).await?;
                open.push((store.store, code));
            }
        }
    }
    for (port, ack) in erased {
        if let Err(e) = port.sweep().await {
            unanswered(log, actor, &stop, port.name(), e.code()).await?;
            open.push((port.name().to_owned(), e.code()));
            continue;
        }
        let mut tx = log.begin().await?;
        let at = tx.now();
        rows::answered(tx.conn(), order.stop, port.name(), &ack, Some(at)).await?;
        let body = serde_json::json!({ "store": port.name() });
        let _ = tx.commit(event("stop.acknowledged", actor, order.stop, body)).await?;
    }
    open.sort();
    finish(log, actor, stop.id, open, signer).await
}

/// Ask one store. What it erased so far, if it has to sweep before it acknowledges; the inner error is the code of why
/// it did not erase.
async fn ask(
    log: &Log,
    actor: &Actor,
    order: &ErasureOrder,
    port: &dyn Erases,
    before: &Ack,
) -> Result<Result<Option<Ack>, &'static str>, StopError> {
    let mut tx = log.begin().await?;
    let ack = match port.erase(order, &mut tx).await {
        Ok(ack) => ack.plus(before),
        Err(e) => {
            tx.rollback().await?;
            return Ok(Err(e.code()));
        }
    };
    // Nothing was ever erased here for this stop, so nothing waits to be swept.
    let nothing = ack.counts.is_empty() && !port.always_sweeps();
    let at = nothing.then(|| tx.now());
    rows::answered(tx.conn(), order.stop, port.name(), &ack, at).await?;
    let body = serde_json::json!({ "store": port.name(), "counts": ack.counts });
    let kind = if nothing { "stop.acknowledged" } else { "stop.erased" };
    let _ = tx.commit(event(kind, actor, order.stop, body)).await?;
    Ok(Ok((!nothing).then_some(ack)))
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
    let (answers, checkpoint) = (proof::answers(log, id).await?, log.checkpoint().await?);
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
        let checkpoint = checkpoint.unwrap_or_default();
        let closing = proof::Closing { at, answers: &answers, checkpoint: &checkpoint };
        let sheet = proof::sign(&stop, &stores, &closing, signer)?;
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
