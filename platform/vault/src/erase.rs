//! The vault's answers to a stop: five stores, each of which erases and acknowledges for itself.
//!
//! Rows of the persons leave every snapshot, and the keys of their source bytes are destroyed. Where a stop
//! names one regime only, what the other regime keeps is written anew without the stopped basis: under new
//! source keys, visible from the new snapshot on, gone from the older ones like the rest.
//!
//! What of a person stays under the other regime is read from the index of source segments alone, whose rows say
//! under which regimes each segment was cleared; so no store depends on whether another answered before it.
//!
//! Stops that are applied together are one pass over the files ([`together`]): each still gets the counts of its own persons.

mod remains;
mod together;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use kiban_audit::Tx;
use kiban_kernel::{Bases, Id, kinds};
use kiban_lake::{DataClass, Lake, LakeError, schema};
use kiban_register::{Ack, EraseError, Erases, ErasureOrder, stop};

use self::remains::Remains;
use crate::{Vault, VaultError, segments::TABLE, version_rows as versions};

type Person = Id<kinds::PersonSource>;

/// One of the vault's stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The canonical tables.
    Rows,
    /// Source bytes, their keys and their index.
    Source,
    /// Versions of source records.
    History,
    /// Who was told, when.
    Notices,
    /// Who is who.
    Links,
}

const PARTS: [Part; 5] = [Part::Rows, Part::Source, Part::History, Part::Notices, Part::Links];

/// Names of the vault's stores on a proof sheet, in the order in which they are asked.
pub const STORES: [&str; 5] = [stop::VAULT, "source", "history", "notices", "links"];

/// One store of the vault, as a stop reaches it.
pub struct VaultStore {
    lake: Lake,
    part: Part,
    /// Was anything made garbage since the last collection? At first it is not known, so yes.
    garbage: Arc<AtomicBool>,
}

impl Vault {
    /// The vault's stores ([`STORES`]), each to be asked for itself. One collection serves all that erased before it.
    pub fn stores(&self) -> [VaultStore; 5] {
        let garbage = Arc::new(AtomicBool::new(true));
        PARTS.map(|part| VaultStore { lake: self.lake.clone(), part, garbage: garbage.clone() })
    }
}

impl Part {
    fn tables(self) -> Vec<&'static str> {
        match self {
            Self::Rows => schema::tables()
                .iter()
                .filter(|t| t.data_class == DataClass::Identified)
                .map(|t| t.name.as_str())
                .collect(),
            Self::Source => vec![TABLE],
            Self::History => vec![versions::TABLE],
            Self::Notices => vec!["person_notice"],
            Self::Links => vec!["person_link"],
        }
    }
}

#[async_trait]
impl Erases for VaultStore {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Rows => STORES[0],
            Part::Source => STORES[1],
            Part::History => STORES[2],
            Part::Notices => STORES[3],
            Part::Links => STORES[4],
        }
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        let tables = self.part.tables();
        let keys = self.part == Part::Source;
        let staged = self.lake.stage_erasure_in(&tables, &order.persons, keys).await?;
        if staged.rows() == 0 {
            return Ok(Ack::default());
        }
        let shredded: u64 = if keys {
            self.shredded(&order.persons).await.map_err(erase_error)?.values().sum()
        } else {
            0
        };
        let remains = if order.regimes == Bases::BOTH {
            Remains::default()
        } else {
            let remains = self.remains(order, tx).await.map_err(erase_error)?;
            if !remains.touched {
                // asked a second time, or cleared under the other regime alone
                return Ok(Ack::default());
            }
            remains
        };
        self.garbage.store(true, Ordering::SeqCst);
        let erased = self.lake.erase(tx, staged).await?;
        let mut ack = Ack::default()
            .with("rows", erased.rows)
            .with("files", erased.files)
            .with("bytes", erased.bytes);
        if keys {
            ack = ack
                .with("keys", erased.keys())
                .with("containers", erased.containers)
                .with("source_bytes", shredded);
        }
        if !remains.staged.is_empty() {
            ack = ack.with("rows_kept_under_the_other_regime", remains.rows);
            self.lake.append_with_sources(tx, remains.staged, remains.containers).await?;
        }
        Ok(ack)
    }

    /// One pass over the files for all that name both regimes; who holds something under one regime is asked for alone.
    async fn erase_all(
        &self,
        orders: &[ErasureOrder],
        tx: &mut Tx,
    ) -> Result<Vec<Option<Ack>>, EraseError> {
        if let [order] = orders {
            return Ok(vec![Some(self.erase(order, tx).await?)]);
        }
        together::erase(self, orders, tx).await
    }

    async fn sweep(&self) -> Result<(), EraseError> {
        if !self.garbage.load(Ordering::SeqCst) {
            return Ok(());
        }
        if self.lake.collect().await?.skipped {
            return Err(EraseError::BytesRemain);
        }
        self.garbage.store(false, Ordering::SeqCst);
        Ok(())
    }
}

fn erase_error(error: VaultError) -> EraseError {
    match error {
        VaultError::Lake(e) => EraseError::Lake(e),
        VaultError::Column { table, column } => EraseError::Malformed { table, column },
        VaultError::Key(e) => EraseError::Lake(LakeError::Key(e)),
        _ => EraseError::Unavailable,
    }
}
