//! What the linker learnt, sealed beside the deployment; and what a stop erases of the review of links.
//!
//! The memory identifies people. It is encrypted to the deployment's own key, replaced as a whole, and a lost or damaged
//! one costs nothing but a run over everything.

use std::{fs, path::PathBuf};

use age::x25519;
use async_trait::async_trait;
use kiban_audit::Tx;
use kiban_kernel::{Id, kinds};
use kiban_register::{
    Ack, EraseError, Erases, ErasureOrder,
    link::{Memory, events},
};
use zeroize::Zeroizing;

use crate::{Deployment, Error};

const FOLDER: &str = "links";
const FILE: &str = "memory.age";

/// Where the memory lies.
pub(crate) struct Store {
    path: PathBuf,
    identity: x25519::Identity,
}

impl Store {
    pub(crate) fn of(on: &Deployment) -> Self {
        Self { path: on.dir().join(FOLDER).join(FILE), identity: on.intake.clone() }
    }

    /// The memory; an empty one if there is none, or it cannot be read.
    pub(crate) fn read(&self) -> Memory {
        let Ok(sealed) = fs::read(&self.path) else { return Memory::default() };
        let Ok(bytes) = age::decrypt(&self.identity, &sealed).map(Zeroizing::new) else {
            return Memory::default();
        };
        Memory::from_bytes(&bytes).unwrap_or_default()
    }

    /// Replaces it as a whole; an empty one removes the file.
    pub(crate) fn write(&self, memory: &Memory) -> Result<(), Error> {
        let failed = || Error::io("write the linker's memory");
        let bytes = memory.to_bytes().map_err(|_| Error::Unknown { what: "linker's memory" })?;
        let Some(bytes) = bytes.map(Zeroizing::new) else { return self.remove() };
        let sealed = age::encrypt(&self.identity.to_public(), &bytes)
            .map_err(|_| Error::Unknown { what: "linker's memory" })?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed())?;
        }
        let temporary = self.path.with_extension("tmp");
        fs::write(&temporary, sealed).map_err(failed())?;
        fs::File::open(&temporary).and_then(|f| f.sync_all()).map_err(failed())?;
        fs::rename(&temporary, &self.path).map_err(failed())
    }

    pub(crate) fn remove(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove the linker's memory")(e))
            }
            _ => Ok(()),
        }
    }
}

/// The store of the review: pairs to be looked at, answers, the log of persons, answers of the history, the memory.
pub(crate) struct Review {
    store: Store,
    persons: std::sync::Mutex<Vec<Id<kinds::PersonSource>>>,
}

impl Review {
    pub(crate) fn new(on: &Deployment) -> Self {
        Self { store: Store::of(on), persons: std::sync::Mutex::default() }
    }
}

#[async_trait]
impl Erases for Review {
    fn name(&self) -> &'static str {
        "review"
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        // Under one regime the person stays linked for the other; what is kept of the pair stays with the link.
        if order.regimes != kiban_kernel::Bases::BOTH {
            return Ok(Ack::default());
        }
        let mut ack = Ack::default();
        let forgotten = events::forget(tx.conn(), &order.persons).await.map_err(|_| {
            EraseError::Malformed { table: "register_link_member", column: "person_source" }
        })?;
        let mut counts = [("log_entries", forgotten), ("pairs", 0), ("history_answers", 0)];
        for person in &order.persons {
            for (at, sql) in [
                (
                    1,
                    "DELETE FROM journeys_link_answer WHERE link_case IN (SELECT id FROM journeys_link_case WHERE a_source = $1 OR b_source = $1)",
                ),
                (1, "DELETE FROM journeys_link_case WHERE a_source = $1 OR b_source = $1"),
                (2, "DELETE FROM register_link_history WHERE a_source = $1 OR b_source = $1"),
            ] {
                let done = sqlx::query(sql).bind(person.to_string()).execute(tx.conn()).await?;
                counts[at].1 += done.rows_affected();
            }
        }
        for (what, n) in counts {
            if n > 0 {
                ack = ack.with(what, n);
            }
        }
        if let Ok(mut persons) = self.persons.lock() {
            persons.extend(&order.persons);
        }
        Ok(ack)
    }

    fn always_sweeps(&self) -> bool {
        true
    }

    async fn sweep(&self) -> Result<(), EraseError> {
        let persons = self.persons.lock().map_or_else(|_| Vec::new(), |p| p.clone());
        let memory = self.store.read();
        if !memory.knows(&persons) {
            return Ok(());
        }
        // Where it cannot be pruned, it goes whole.
        let pruned = memory.without(&persons).map(|(memory, _)| memory).unwrap_or_default();
        self.store.write(&pruned).map_err(|_| EraseError::BytesRemain)
    }
}
