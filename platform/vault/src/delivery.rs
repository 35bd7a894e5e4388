//! A whole checked delivery: what it says of its persons first, then its segments, then the commit.

use kiban_audit::Tx;
use kiban_intake::{
    Checked, Incoming, ReceiveError, SegmentIds,
    report::{DeliveryReport, ReportBuilder},
    revisions::Correction,
    store,
};
use kiban_lake::Snapshot;
use kiban_register::Gate;
use tokio::runtime::Handle;

use crate::{
    Vault, VaultError, people::People, prepared::Prepared, revise::Revisions, writer::VaultWriter,
};

/// A delivery that stands in the caller's transaction.
#[derive(Debug)]
pub struct Stored {
    /// The snapshot that holds it; the one before if there was nothing new.
    pub snapshot: Snapshot,
    /// The report.
    pub report: DeliveryReport,
}

/// Read a delivery twice, first for what it says of its persons, then for its segments, and write
/// what the gate clears to files that no snapshot names yet; what was not checked before is checked on the way. `corrections`: those of its corrections that were not
/// applied before. Runs on a blocking thread; must be called on a
/// tokio runtime.
///
/// # Errors
/// The content is not what was signed, the delivery changed meanwhile, or the disk failed; then no file stays.
pub async fn prepare(
    vault: &Vault,
    gate: Gate,
    ids: SegmentIds,
    delivery: Incoming,
    corrections: Vec<Correction>,
) -> Result<(Checked, Prepared), VaultError> {
    let vault = vault.clone();
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let opened = delivery.opened();
        let mut people = People::new(opened.notices(), gate.needs_identities());
        opened.person_segments(|segment| {
            people.see(&segment);
            Ok::<(), ReceiveError>(())
        })?;
        let (id, sealed_at) = (opened.manifest().delivery, opened.manifest().created_at);
        let report = ReportBuilder::new(opened);
        let mut writer =
            runtime.block_on(VaultWriter::new(&vault, gate, ids, id, sealed_at, people, report))?;
        let retractions = opened.retractions();
        let VaultWriter { judge, rows } = &mut writer;
        runtime.block_on(judge.revise(Revisions { retractions, corrections: &corrections }))?;
        let checked = delivery.segments_in_turns(
            |segment| {
                let kept = judge.accept(segment)?;
                if judge.is_full() {
                    runtime.block_on(judge.flush())?;
                }
                Ok::<_, VaultError>(kept)
            },
            |kept| {
                rows.push(kept);
                if rows.is_full() { runtime.block_on(rows.flush()) } else { Ok(()) }
            },
        )?;
        let prepared = runtime.block_on(writer.finish())?;
        Ok((checked, prepared))
    })
    .await
    .map_err(VaultError::Task)?
}

impl Prepared {
    /// Commit with the record of the delivery and its receipt (`intake_delivery`), in the caller's
    /// transaction.
    ///
    /// # Errors
    /// As [`Prepared::commit`]; or the same sealed bytes were received before.
    pub async fn store(self, tx: &mut Tx, checked: &Checked) -> Result<Stored, StoreDeliveryError> {
        let (snapshot, report, builders, totals) = self.commit(tx).await?;
        let report = report.finish(checked, tx.now(), &builders, &totals);
        store::insert(tx, checked, &report).await?;
        Ok(Stored { snapshot, report })
    }
}

/// Why a delivery could not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreDeliveryError {
    /// Its rows and bytes could not.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its record could not, or it was received before.
    #[error(transparent)]
    Record(#[from] store::StoreError),
}

impl StoreDeliveryError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Vault(e) => e.ja(),
            Self::Record(e) => e.ja(),
        }
    }
}
