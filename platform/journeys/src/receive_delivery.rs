//! A sealed delivery comes in: seal, gate, vault, receipt.

use std::{io, path::Path};

use kiban_audit::{Committed, Event};
use kiban_govern::{
    Act, Actor, Permit,
    certification::{self, CertificationKind},
    permit,
};
use kiban_intake::{
    Checked, Incoming, ReceiveError, open_seal,
    receipt::ReceiptText,
    report::DeliveryReport,
    store::{self as deliveries},
    validation,
};
use kiban_kernel::{Id, LawKey, Product, kinds};
use kiban_register::{Gate, filing};
use kiban_vault::{StoreDeliveryError, Vault, prepare};
use serde_json::json;

use crate::{
    Deployment, Error, corrections, delivery_slot::require_open, party_keys, register_differences,
};

/// What became of a delivery.
#[derive(Debug)]
pub struct Received {
    /// True if the same sealed bytes had been received before: nothing was changed.
    pub known: bool,
    /// The report the holder can read.
    pub report: DeliveryReport,
    /// The signed receipt.
    pub receipt: String,
}

/// How often a delivery is prepared anew because a stop or another delivery came in between.
const TRIES: u32 = 5;

/// Receive a sealed delivery. The same bytes again change nothing and give the same receipt.
///
/// # Errors
/// The actor may not, the seal or its content is refused, or disk, database or log failed. Then nothing of
/// the delivery stays.
/// # Law
/// `receipt_record`, `unlawful_receipt`
pub async fn receive_delivery(
    on: &Deployment,
    actor: &Actor,
    file: &Path,
) -> Result<Received, Error> {
    let permit = permit(actor, Act::ReceiveDelivery)?;
    let mut conn = on.reader().await?;
    let holders = party_keys::holders(&mut conn).await?;
    let (path, identity) = (file.to_owned(), on.intake.clone());
    let opened = blocking(move || open_seal(&path, &identity, &holders)).await?;
    on.world.steps.step("journeys.seal_opened");
    let pool = on.log.db().pool();
    let mut incoming = if deliveries::find(pool, opened.manifest().delivery).await?.is_some() {
        // The same bytes again change nothing: all of them are read before it is said that they are.
        let checked = blocking(move || opened.check()).await?;
        if let Some(row) = deliveries::find_by_digest(pool, checked.sealed_digest()).await? {
            let report = report_of(on, row.id).await?;
            let receipt = match row.receipt {
                Some(receipt) => receipt,
                None => resume_receipt(on, &permit, &checked, &report).await?,
            };
            return Ok(Received { known: true, report, receipt });
        }
        Incoming::Checked(checked)
    } else {
        Incoming::Opened(opened)
    };
    let holder = incoming.opened().manifest().holder;
    require_open(on, holder).await?;
    require_certified(on, &mut conn, actor.organization, holder).await?;
    let vault = Vault::new(on.lake.clone());
    let keys = on.register_keys().await?;
    for attempt in 1.. {
        let fresh = corrections::fresh(on, &mut conn, &keys, incoming.opened()).await?;
        let revised = fresh.iter().map(|f| f.correction.clone()).collect();
        let gate = Gate::load(&mut conn, &keys, holder, on.today(), &on.rules).await?;
        let differing = register_differences::find(on, &mut conn, &keys, incoming.opened()).await?;
        let ids = vault.segment_ids(&mut conn).await?;
        let (checked, mut prepared) = prepare(&vault, gate, ids, incoming, revised).await?;
        register_differences::report(&differing, &checked, &mut prepared.report);
        on.world.steps.step("journeys.delivery_prepared");
        let mut tx = on.log.begin().await?;
        let stored = match prepared.store(&mut tx, &checked).await {
            Ok(stored) => stored,
            Err(StoreDeliveryError::Vault(e)) if e.is_retryable() && attempt < TRIES => {
                incoming = Incoming::Checked(checked);
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        let told = corrections::record(&mut tx, &keys, &checked, &fresh).await?;
        let mut body = kiban_intake::store::event_body(&checked, &stored.report.counts);
        if !told.is_empty() {
            body["corrections"] = told.into();
        }
        let event = Event {
            kind: "delivery.received",
            actor: permit.actor(),
            subject: checked.manifest().delivery.to_string(),
            law: LawKey::new("receipt_record").ok(),
            body,
        };
        let committed = tx.commit(event).await?;
        on.world.steps.step("journeys.delivery_committed");
        let receipt = issue(on, &permit, &checked, &stored.report, &committed).await?;
        return Ok(Received { known: false, report: stored.report, receipt });
    }
    Err(Error::InUse)
}

/// What may take a while, off the threads that serve others.
async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, ReceiveError> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(f).await;
    Ok(done.map_err(|e| Error::Io { act: "read the delivery", source: io::Error::other(e) })??)
}

/// The producer must be certified, today, under every regime under which the holder provides.
async fn require_certified(
    on: &Deployment,
    conn: &mut sqlx::AnyConnection,
    producer: Id<kinds::Organization>,
    holder: Id<kinds::Organization>,
) -> Result<(), Error> {
    let today = on.today();
    let filings = filing::of(&mut *conn, holder).await?;
    let certifications = on.certifications().await?;
    for product in [Product::Anonymized, Product::Pseudonymized] {
        if filing::deciding(&filings, product.regime(), today).is_some() {
            let kind = CertificationKind::for_product(product);
            certification::require(producer, kind, &certifications, today)?;
        }
    }
    Ok(())
}

/// The receipt of a delivery whose process ended before it was issued.
async fn resume_receipt(
    on: &Deployment,
    permit: &Permit,
    checked: &Checked,
    report: &DeliveryReport,
) -> Result<String, Error> {
    let event = Event {
        kind: "delivery.receipt_resumed",
        actor: permit.actor(),
        subject: report.delivery.to_string(),
        law: None,
        body: json!({}),
    };
    let committed = on.log.begin().await?.commit(event).await?;
    issue(on, permit, checked, report, &committed).await
}

async fn issue(
    on: &Deployment,
    permit: &Permit,
    checked: &Checked,
    report: &DeliveryReport,
    committed: &Committed,
) -> Result<String, Error> {
    let text = ReceiptText::new(
        checked,
        report.received_at,
        report.counts.clone(),
        committed.index,
        committed.checkpoint.clone(),
    );
    let receipt = text.sign(on.signer.key())?;
    let mut tx = on.log.begin().await?;
    deliveries::record_receipt(&mut tx, report.delivery, &receipt).await?;
    let event = Event {
        kind: "delivery.receipted",
        actor: permit.actor(),
        subject: report.delivery.to_string(),
        law: LawKey::new("receipt_record").ok(),
        body: json!({ "receipt": kiban_kernel::Digest::of(receipt.as_bytes()).to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(receipt)
}

/// The report of a delivery on record, its grid with the validation against the reference that counts now: the
/// operator's table for the holder or for all, else what the holder delivered before.
///
/// # Errors
/// There is none, or the database failed.
pub async fn report_of(on: &Deployment, id: Id<kinds::Delivery>) -> Result<DeliveryReport, Error> {
    let pool = on.log.db().pool();
    let mut report =
        deliveries::report(pool, id).await?.ok_or(Error::Unknown { what: "delivery" })?;
    let reference = match deliveries::reference(pool, report.holder).await? {
        Some(reference) => reference.persons,
        None => deliveries::population_before(pool, report.holder, report.received_at).await?,
    };
    report.grid.extend(validation::cells(&report.population, &reference));
    Ok(report)
}
