//! Who may collect garbage: every process that may stage files holds a shared lock on the lake's folder,
//! and collection needs the lock alone.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::LakeError;

pub(crate) const LOCK_FILE: &str = ".lock";

/// The lock file, held shared from opening to drop.
pub(crate) struct FolderLock {
    file: File,
    one: tokio::sync::Mutex<()>,
}

impl FolderLock {
    pub(crate) fn open(root: &Path) -> Result<Self, LakeError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file =
            options.open(root.join(LOCK_FILE)).map_err(LakeError::io("open the lake's lock"))?;
        file.lock_shared().map_err(LakeError::io("lock the lake"))?;
        Ok(Self { file, one: tokio::sync::Mutex::new(()) })
    }

    /// The lock alone, until the guard is dropped; `None` when another process has the lake open.
    pub(crate) async fn alone(&self) -> Result<Option<Alone<'_>>, LakeError> {
        let one = self.one.lock().await;
        self.file.unlock().map_err(LakeError::io("lock the lake"))?;
        // From here on the guard gives the shared lock back, whatever happens.
        let alone = Alone { file: &self.file, _one: one };
        match self.file.try_lock() {
            Ok(()) => Ok(Some(alone)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(LakeError::io("lock the lake")(e)),
        }
    }
}

/// See [`FolderLock::alone`].
pub(crate) struct Alone<'a> {
    file: &'a File,
    _one: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // Without the lock another process may collect what this one stages; that process's
        // collection then makes our transaction name a missing file, which verification reports.
        let _ = self.file.unlock();
        let _ = self.file.lock_shared();
    }
}
