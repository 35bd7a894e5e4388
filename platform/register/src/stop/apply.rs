//! Applying stops: every store erases and acknowledges, one after the other, each for all stops that wait for it.

use std::collections::{BTreeMap, BTreeSet};

use kiban_audit::{Event, Log, note::SigningKey};
use kiban_govern::Actor;
use kiban_kernel::{Digest, Id, LawKey, kinds};
use serde_json::json;

use super::{Ack, Erases, ErasureOrder, Stop, StopError, StoreState, answers, proof, rows};
use crate::store::StoreError;

/// Stops that are applied together: an event names them all and has a longest length.
const BATCH: usize = 500;

/// Code of a store that does not answer at all: asking it stop by stop is of no use.
const UNAVAILABLE: &str = "unavailable";

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

/// A stop with what each store said before, and what is still open.
struct Case {
    stop: Stop,
    before: BTreeMap<String, StoreState>,
    open: Vec<(String, &'static str)>,
}

impl Case {
    fn order(&self) -> ErasureOrder {
        ErasureOrder {
            stop: self.stop.id,
            persons: self.stop.persons.clone(),
            regimes: self.stop.regimes,
        }
    }
    fn waits_for(&self, store: &str) -> bool {
        self.before.get(store).is_some_and(|s| s.acknowledged_at.is_none())
    }
}

/// Apply one stop in every store that has not acknowledged it; as [`apply_all`].
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
    let mut applied = apply_all(log, actor, &[stop], ports, signer).await?;
    Ok(applied.pop().ok_or(StoreError::Missing { what: "提供停止の求め" })?)
}

/// Apply stops in every store that has not acknowledged them, up to 500 at a time. First each store erases for all of
/// them in one transaction (event `stop.erased`; who had nothing there is acknowledged with it), then each sweeps once and
/// acknowledges (`stop.acknowledged`); a failure leaves the store open for the stops concerned (`stop.unanswered`) and goes
/// on with the others. A store that fails for all together is asked stop by stop, unless it does not answer at all. Where
/// none is open, a stop's own proof sheet is signed (`stop.closed`, which names the place of each answer in the log).
/// Doing it again goes on where it ended.
///
/// # Errors
/// There is no such stop, or register or log failed.
pub async fn apply_all(
    log: &Log,
    actor: &Actor,
    stops: &[Id<kinds::Stop>],
    ports: &[&dyn Erases],
    signer: &SigningKey,
) -> Result<Vec<Applied>, StopError> {
    let mut out = Vec::with_capacity(stops.len());
    for some in stops.chunks(BATCH) {
        let run = Run { log, actor, signer };
        out.extend(run.batch(some, ports).await?);
    }
    Ok(out)
}

struct Run<'a> {
    log: &'a Log,
    actor: &'a Actor,
    signer: &'a SigningKey,
}

impl Run<'_> {
    async fn batch(
        &self,
        stops: &[Id<kinds::Stop>],
        ports: &[&dyn Erases],
    ) -> Result<Vec<Applied>, StopError> {
        let mut conn = self.log.db().pool().acquire().await?;
        let mut cases = Vec::with_capacity(stops.len());
        for id in stops {
            let stop = rows::find(&mut conn, *id).await?;
            let stores = answers::stores(&mut conn, *id).await?;
            let before = stores.into_iter().map(|s| (s.store.clone(), s)).collect();
            cases.push(Case { stop, before, open: Vec::new() });
        }
        drop(conn);
        let names: BTreeSet<String> = cases
            .iter()
            .flat_map(|c| c.before.values())
            .filter(|s| s.acknowledged_at.is_none())
            .map(|s| s.store.clone())
            .collect();
        // In the order in which the ports are given: the vault first, for datasets wait for it.
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by_key(|name| ports.iter().position(|p| p.name() == *name));
        let mut erased = Vec::new();
        for name in names {
            let waiting: Vec<usize> =
                (0..cases.len()).filter(|n| cases[*n].waits_for(&name)).collect();
            let Some(port) = ports.iter().find(|p| p.name() == name) else {
                self.unanswered(&mut cases, &waiting, &name, UNAVAILABLE).await?;
                continue;
            };
            let acks = self.erase(&mut cases, &waiting, *port).await?;
            if !acks.is_empty() {
                erased.push((*port, acks));
            }
        }
        for (port, acks) in erased {
            let concerned: Vec<usize> = acks.iter().map(|(n, _)| *n).collect();
            if let Err(e) = port.sweep().await {
                self.unanswered(&mut cases, &concerned, port.name(), e.code()).await?;
                continue;
            }
            let mut tx = self.log.begin().await?;
            let at = (tx.now(), tx.place().await?);
            for (n, ack) in &acks {
                let id = cases[*n].stop.id;
                answers::answered(tx.conn(), id, port.name(), ack, Some(at)).await?;
            }
            let ids = ids(&cases, &concerned);
            let _ =
                tx.commit(self.event("stop.acknowledged", port.name(), &ids, json!({}))).await?;
        }
        let mut out = Vec::with_capacity(cases.len());
        for case in cases {
            out.push(self.finish(case).await?);
        }
        Ok(out)
    }

    /// Ask one store for all that wait for it. What it erased so far of those for which it has to sweep before it
    /// acknowledges.
    async fn erase(
        &self,
        cases: &mut [Case],
        waiting: &[usize],
        port: &dyn Erases,
    ) -> Result<Vec<(usize, Ack)>, StopError> {
        let (mut out, alone) = match self.ask(cases, waiting, port).await? {
            Ok(asked) => asked,
            Err(code) if waiting.len() == 1 || code == UNAVAILABLE => {
                self.unanswered(cases, waiting, port.name(), code).await?;
                return Ok(Vec::new());
            }
            Err(_) => (Vec::new(), waiting.to_vec()),
        };
        let mut failed: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for one in alone {
            match self.ask(cases, &[one], port).await? {
                Ok((acks, _)) => out.extend(acks),
                Err(code) => failed.entry(code).or_default().push(one),
            }
        }
        for (code, which) in failed {
            self.unanswered(cases, &which, port.name(), code).await?;
        }
        out.sort_by_key(|(n, _)| *n);
        Ok(out)
    }

    /// One transaction of one store. Whom it has to sweep for, and whom it must be asked for alone; the inner error is the
    /// code of why it did not erase.
    async fn ask(
        &self,
        cases: &[Case],
        waiting: &[usize],
        port: &dyn Erases,
    ) -> Result<Result<Asked, &'static str>, StopError> {
        let orders: Vec<ErasureOrder> = waiting.iter().map(|n| cases[*n].order()).collect();
        let mut tx = self.log.begin().await?;
        let acks = match port.erase_all(&orders, &mut tx).await {
            Ok(acks) => acks,
            Err(e) => {
                tx.rollback().await?;
                return Ok(Err(e.code()));
            }
        };
        let at = (tx.now(), tx.place().await?);
        let (mut to_sweep, mut done, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        let mut counts = Ack::default();
        for (n, ack) in waiting.iter().copied().zip(acks) {
            let case = &cases[n];
            let Some(ack) = ack else {
                alone.push(n);
                continue;
            };
            let ack = match case.before.get(port.name()) {
                Some(before) => ack.plus(&before.ack),
                None => ack,
            };
            // Nothing was ever erased here for this stop, so nothing waits to be swept.
            let nothing = ack.counts.is_empty() && !port.always_sweeps();
            let acknowledged = nothing.then_some(at);
            answers::answered(tx.conn(), case.stop.id, port.name(), &ack, acknowledged).await?;
            counts = counts.plus(&ack);
            if nothing {
                done.push(n);
            } else {
                to_sweep.push((n, ack));
            }
        }
        if done.is_empty() && to_sweep.is_empty() {
            tx.rollback().await?;
            return Ok(Ok((to_sweep, alone)));
        }
        let (kind, of) = if to_sweep.is_empty() {
            ("stop.acknowledged", done.clone())
        } else {
            ("stop.erased", to_sweep.iter().map(|(n, _)| *n).collect())
        };
        let mut more = json!({ "counts": counts.counts });
        if !to_sweep.is_empty() && !done.is_empty() {
            more["acknowledged"] = json!(ids(cases, &done));
        }
        let _ = tx.commit(self.event(kind, port.name(), &ids(cases, &of), more)).await?;
        Ok(Ok((to_sweep, alone)))
    }

    async fn unanswered(
        &self,
        cases: &mut [Case],
        which: &[usize],
        store: &str,
        code: &'static str,
    ) -> Result<(), StopError> {
        let mut tx = self.log.begin().await?;
        for n in which {
            answers::not_answered(tx.conn(), cases[*n].stop.id, store).await?;
        }
        let event =
            self.event("stop.unanswered", store, &ids(cases, which), json!({ "why": code }));
        let _ = tx.commit(event).await?;
        for n in which {
            cases[*n].open.push((store.to_owned(), code));
        }
        Ok(())
    }

    async fn finish(&self, mut case: Case) -> Result<Applied, StopError> {
        case.open.sort();
        let id = case.stop.id;
        let mut conn = self.log.db().pool().acquire().await?;
        let mut stop = rows::find(&mut conn, id).await?;
        let stores = answers::stores(&mut conn, id).await?;
        drop(conn);
        let acknowledged = stores
            .iter()
            .filter(|s| s.acknowledged_at.is_some())
            .map(|s| (s.store.clone(), s.ack.clone()))
            .collect();
        let all = stores.iter().all(|s| s.acknowledged_at.is_some());
        if all && stop.closed_at.is_none() {
            let places = proof::answers(self.log, id, &stores).await?;
            let checkpoint = self.log.checkpoint().await?.unwrap_or_default();
            let mut tx = self.log.begin().await?;
            stop = rows::find(tx.conn(), id).await?;
            if stop.closed_at.is_some() {
                tx.rollback().await?;
            } else {
                let at = tx.now();
                let closing = proof::Closing { at, answers: &places, checkpoint: &checkpoint };
                let sheet = proof::sign(&stop, &stores, &closing, self.signer)?;
                rows::close(tx.conn(), id, at, &sheet).await?;
                let event = Event {
                    kind: if stop.requester.is_request() {
                        "stop.closed"
                    } else {
                        "erasure.closed"
                    },
                    actor: self.actor,
                    subject: id.to_string(),
                    law: LawKey::new("stop").ok(),
                    body: json!({
                        "stores": stores.len(),
                        "answers": places,
                        "proof": Digest::of(sheet.as_bytes()).to_string(),
                    }),
                };
                let _ = tx.commit(event).await?;
                stop.closed_at = Some(at);
                stop.proof = Some(sheet);
            }
        }
        Ok(Applied { stop, acknowledged, open: case.open })
    }

    /// Of one stop, the event is about it; of several it names them.
    fn event(
        &self,
        kind: &'static str,
        store: &str,
        stops: &[String],
        mut body: serde_json::Value,
    ) -> Event<'_> {
        body["store"] = json!(store);
        let subject = if let [one] = stops {
            one.clone()
        } else {
            body["stops"] = json!(stops);
            "stops".to_owned()
        };
        Event { kind, actor: self.actor, subject, law: LawKey::new("stop").ok(), body }
    }
}

/// What to sweep for, and whom the store must be asked for alone.
type Asked = (Vec<(usize, Ack)>, Vec<usize>);

fn ids(cases: &[Case], which: &[usize]) -> Vec<String> {
    which.iter().map(|n| cases[*n].stop.id.to_string()).collect()
}
