//! Who may collect garbage: every process that may stage files holds a shared lock on the lake's folder,
//! and collection needs the lock alone.
//!
//! A lock cannot be raised from shared to alone in one step. So that nobody collects in between, the
//! step is made under a second lock, which collectors alone take.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::LakeError;

const OPEN_FILE: &str = ".open";
const COLLECT_FILE: &str = ".collect";

/// The lock files, the first held shared from opening to drop.
pub(crate) struct FolderLock {
    open: File,
    collect: File,
    one: tokio::sync::Mutex<()>,
}

impl FolderLock {
    /// The names of the lock files, which are no files of the lake.
    pub(crate) const FILES: [&'static str; 2] = [OPEN_FILE, COLLECT_FILE];

    pub(crate) fn open(root: &Path) -> Result<Self, LakeError> {
        let file = |name| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.open(root.join(name)).map_err(LakeError::io("open the lake's lock"))
        };
        let this = Self {
            open: file(OPEN_FILE)?,
            collect: file(COLLECT_FILE)?,
            one: tokio::sync::Mutex::new(()),
        };
        this.open.lock_shared().map_err(LakeError::io("lock the lake"))?;
        Ok(this)
    }

    /// The lock alone, until the guard is dropped; `None` when another process has the lake open.
    pub(crate) async fn alone(&self) -> Result<Option<Alone<'_>>, LakeError> {
        let one = self.one.lock().await;
        if !taken(self.collect.try_lock())? {
            return Ok(None);
        }
        // From here on the guard gives everything back, whatever happens.
        let alone = Alone { lock: self, _one: one };
        self.open.unlock().map_err(LakeError::io("lock the lake"))?;
        Ok(if taken(self.open.try_lock())? { Some(alone) } else { None })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // A child process that is just being started holds a copy of the file, and with it the lock, a little longer.
        let _ = self.open.unlock();
    }
}

fn taken(tried: Result<(), TryLockError>) -> Result<bool, LakeError> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(LakeError::io("lock the lake")(e)),
    }
}

/// See [`FolderLock::alone`].
pub(crate) struct Alone<'a> {
    lock: &'a FolderLock,
    _one: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // Should the shared lock be lost, another process might collect what this one stages; a later
        // commit then names a missing file, which verification reports.
        let _ = self.lock.open.unlock();
        let _ = self.lock.open.lock_shared();
        let _ = self.lock.collect.unlock();
    }
}
