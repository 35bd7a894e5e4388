//! Taking a stop request in.

use kiban_audit::Tx;
use kiban_kernel::{Bases, Date, Entropy, Id, Regime, Rules, kinds};
use kiban_lake::Lake;

use super::{Requester, Scope, Stop, StopError, StopRequest, VAULT, answers, rows};
use crate::{correction, keys::RegisterKeys, link, store::StoreError};

/// A request that is on the register now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The stop.
    pub stop: Stop,
    /// False if it had been received before: nothing was changed.
    pub new: bool,
}

/// Take a request in, in the caller's transaction: from its commit on the person is refused at the gate,
/// and nothing is cleared under the regimes until the vault has answered. `stores` must all acknowledge;
/// the vault is one of them. Leaves the note `stop`.
///
/// # Errors
/// The request lacks a receipt, evidence or person; its receipt number stands for another request; the
/// database failed.
pub async fn receive(
    tx: &mut Tx,
    lake: &Lake,
    keys: &RegisterKeys,
    request: &StopRequest,
    stores: &[&str],
    rules: &Rules,
    entropy: &dyn Entropy,
) -> Result<Received, StopError> {
    if request.receipt_number.trim().is_empty() {
        return Err(StopError::NoReceipt);
    }
    if request.evidence.trim().is_empty() {
        return Err(StopError::NoEvidence);
    }
    if request.local_id.trim().is_empty() {
        return Err(StopError::NoPerson);
    }
    if !stores.contains(&VAULT) {
        return Err(StopError::NoStores);
    }
    let person = keys.person_source(request.holder, &request.local_id);
    if let Some(stop) =
        rows::by_receipt(tx.conn(), request.holder, request.receipt_number.trim()).await?
    {
        if !stop.persons.contains(&person) {
            return Err(StopError::OtherRequest);
        }
        tx.note("stop", serde_json::json!({ "no": stop.no, "new": false }));
        return Ok(Received { stop, new: false });
    }

    let regimes = regimes(request, rules)?;
    let mut persons = vec![person];
    // The person's other local ids at the holder, as far as it said so.
    persons.extend(correction::merged_with(tx.conn(), person).await?);
    persons.sort_unstable();
    if request.scope == Scope::AllHolders {
        persons.extend(link::same_person(lake, person).await?);
        persons.sort_unstable();
        persons.dedup();
    }
    let stop = Stop {
        id: Id::<kinds::Stop>::new(entropy)?,
        no: rows::watermark(tx.conn()).await? + 1,
        holder: request.holder,
        receipt_number: request.receipt_number.trim().to_owned(),
        requested_on: request.requested_on,
        requester: request.requester,
        scope: request.scope,
        regimes,
        received_at: tx.now(),
        closed_at: None,
        proof: None,
        persons,
    };
    rows::add(tx.conn(), &stop, request.evidence.trim()).await?;
    rows::suppress(
        tx.conn(),
        &stop,
        &keys.suppressed_at(request.holder, &request.local_id),
        Scope::Holder,
    )
    .await?;
    if request.scope == Scope::AllHolders {
        // Who the person is, what the records say that the stop is about to erase included: otherwise nobody would know the
        // person when another holder sends him or her for the first time.
        let mut identities = request.identities.clone();
        let known = link::identities_of(lake, &stop.persons).await;
        identities.extend(
            known.map_err(|_| StoreError::Malformed { table: "person", column: "identity" })?,
        );
        let mut hashes: Vec<String> =
            identities.iter().flat_map(|i| keys.suppressed_anywhere(i)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for hash in hashes {
            rows::suppress(tx.conn(), &stop, &hash, Scope::AllHolders).await?;
        }
    }
    await_all(tx, &stop, stores).await?;
    tx.note(
        "stop",
        serde_json::json!({
            "no": stop.no,
            "new": true,
            "regimes": regimes.bits(),
            "requester": stop.requester.as_str(),
            "scope": stop.scope.as_str(),
            "persons": stop.persons.len(),
        }),
    );
    Ok(Received { stop, new: true })
}

/// Rows of one person that were taken in though no notice was in effect: a letter that came back, a wait that had not run.
#[derive(Debug, Clone)]
pub struct UnnotifiedErasure {
    /// Of which holder.
    pub holder: Id<kinds::Organization>,
    /// The person at that holder.
    pub person: Id<kinds::PersonSource>,
    /// Under which regimes no notice covers all that was taken in.
    pub regimes: Bases,
    /// Day on which this was decided.
    pub decided_on: Date,
    /// Reference of the decision.
    pub reference: String,
}

/// Put an erasure that nobody asked for on the register, in the caller's transaction. It is applied and proved as a stop
/// is, and until the vault has answered nothing is cleared; but nobody is suppressed: the gate refuses for want of a
/// notice, and lets pass what comes under a new one after its wait.
///
/// # Errors
/// There is no reference, the vault is not among the stores, or the database failed.
///
/// # Law
/// `unlawful_receipt`, `erasure`
pub async fn receive_unnotified(
    tx: &mut Tx,
    erasure: &UnnotifiedErasure,
    stores: &[&str],
    entropy: &dyn Entropy,
) -> Result<Stop, StopError> {
    let reference = erasure.reference.trim();
    if reference.is_empty() {
        return Err(StopError::NoReceipt);
    }
    if !stores.contains(&VAULT) {
        return Err(StopError::NoStores);
    }
    let no = rows::watermark(tx.conn()).await? + 1;
    let stop = Stop {
        id: Id::<kinds::Stop>::new(entropy)?,
        no,
        holder: erasure.holder,
        // There is no receipt; a decision may concern many, so the number makes it unique.
        receipt_number: format!("{reference}/{no}"),
        requested_on: erasure.decided_on,
        requester: Requester::Producer,
        scope: Scope::Holder,
        regimes: erasure.regimes,
        received_at: tx.now(),
        closed_at: None,
        proof: None,
        persons: vec![erasure.person],
    };
    rows::add(tx.conn(), &stop, reference).await?;
    await_all(tx, &stop, stores).await?;
    Ok(stop)
}

async fn await_all(tx: &mut Tx, stop: &Stop, stores: &[&str]) -> Result<(), StopError> {
    let mut stores = stores.to_vec();
    stores.sort_unstable();
    stores.dedup();
    for store in stores {
        answers::await_store(tx.conn(), stop.id, store).await?;
    }
    Ok(())
}

fn regimes(request: &StopRequest, rules: &Rules) -> Result<Bases, StopError> {
    if !request.regimes.is_empty() {
        return Ok(request.regimes);
    }
    let named: Result<Bases, _> = rules
        .list("stop.default_regimes", request.requested_on)?
        .iter()
        .map(|r| r.parse::<Regime>())
        .collect();
    let default = named
        .map_err(|_| StoreError::Malformed { table: "rules", column: "stop.default_regimes" })?;
    if default.is_empty() { Ok(Bases::BOTH) } else { Ok(default) }
}
