//! A whole delivery: what it says of its persons, its segments, then the commit.

use std::sync::Arc;

use kiban_audit::Tx;
use kiban_intake::{
    Checked, Incoming, ReceiveError, SegmentIds, Walked,
    report::{DeliveryReport, ReportBuilder},
    revisions::Correction,
    store,
};
use kiban_lake::Snapshot;
use kiban_register::Gate;
use tokio::runtime::Handle;

use crate::{
    Vault, VaultError,
    people::{Otherwise, People},
    prepared::Prepared,
    revise::Revisions,
    versions,
    writer::VaultWriter,
};

/// A delivery that stands in the caller's transaction.
#[derive(Debug)]
pub struct Stored {
    /// The snapshot that holds it; the one before if there was nothing new.
    pub snapshot: Snapshot,
    /// The report.
    pub report: DeliveryReport,
}

/// When it is known what a delivery says of its persons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Persons {
    /// Before the first segment is judged: the delivery is read twice.
    First,
    /// With each segment: the delivery is read once, unless somebody turns out to have been judged by less than all.
    Meanwhile,
}

/// Why the reading of a delivery ended early.
enum Ended {
    /// A segment tells of a person what would have changed the judgement on those before.
    Otherwise,
    Failed(VaultError),
}

impl From<ReceiveError> for Ended {
    fn from(e: ReceiveError) -> Self {
        Self::Failed(e.into())
    }
}

impl From<VaultError> for Ended {
    fn from(e: VaultError) -> Self {
        Self::Failed(e)
    }
}

/// Read a delivery for what it says of its persons and for its segments, and write what the gate clears to files that no
/// snapshot names yet; what was not checked before is checked on the way. Everybody is judged by all that the whole delivery
/// says of them: for that it is read twice, unless each segment tells of its person itself. `corrections`: those of its
/// corrections that were not applied before. Runs on a blocking thread; must be called on a tokio runtime.
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
    let reading = Reading {
        vault: vault.clone(),
        gate: Arc::new(gate),
        ids,
        delivery,
        corrections,
        runtime: Handle::current(),
    };
    tokio::task::spawn_blocking(move || reading.prepare()).await.map_err(VaultError::Task)?
}

/// A delivery that is being read.
struct Reading {
    vault: Vault,
    gate: Arc<Gate>,
    ids: SegmentIds,
    delivery: Incoming,
    corrections: Vec<Correction>,
    runtime: Handle,
}

impl Reading {
    fn prepare(self) -> Result<(Checked, Prepared), VaultError> {
        let tell = self.delivery.opened().segments_tell_of_their_persons();
        // A person's identities are kept until the person is judged, no longer.
        let at_once = tell && !self.gate.needs_identities();
        let (walked, writer) = match at_once.then(|| self.read(Persons::Meanwhile)) {
            Some(Ok(read)) => read,
            Some(Err(Ended::Failed(e))) => return Err(e),
            // What was written meanwhile is gone with its writer.
            None | Some(Err(Ended::Otherwise)) => match self.read(Persons::First) {
                Ok(read) => read,
                Err(Ended::Failed(e)) => return Err(e),
                Err(Ended::Otherwise) => return Err(ReceiveError::ChangedMeanwhile.into()),
            },
        };
        let checked = self.delivery.checked(walked)?;
        let prepared = self.runtime.block_on(writer.finish())?;
        Ok((checked, prepared))
    }

    fn read(&self, persons: Persons) -> Result<(Walked, VaultWriter), Ended> {
        let (opened, runtime) = (self.delivery.opened(), &self.runtime);
        let mut table = versions::Persons::default();
        let mut people = People::new(opened.notices(), self.gate.clone(), &mut table);
        if persons == Persons::First {
            opened.person_segments(|segment| {
                people.see(&mut table, &segment);
                Ok::<(), ReceiveError>(())
            })?;
        }
        let (id, sealed_at) = (opened.manifest().delivery, opened.manifest().created_at);
        let (gate, ids) = (self.gate.clone(), self.ids.clone());
        let (people, report) = ((people, table), ReportBuilder::new(opened));
        let writer = VaultWriter::new(&self.vault, gate, ids, id, sealed_at, people, report);
        let mut writer = runtime.block_on(writer)?;
        let retractions = opened.retractions();
        let VaultWriter { judge, rows } = &mut writer;
        let revisions = Revisions { retractions, corrections: &self.corrections };
        runtime.block_on(judge.revise(revisions))?;
        let walked = self.delivery.segments_in_turns(
            |segment| {
                if persons == Persons::Meanwhile {
                    judge.see(segment).map_err(|Otherwise| Ended::Otherwise)?;
                }
                let kept = judge.accept(segment)?;
                if judge.is_full() {
                    runtime.block_on(judge.flush())?;
                }
                Ok(kept)
            },
            |kept| {
                rows.push(kept);
                if rows.is_full() {
                    runtime.block_on(rows.flush())?;
                }
                Ok::<_, Ended>(())
            },
        )?;
        Ok((walked, writer))
    }
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
