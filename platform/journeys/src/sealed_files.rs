//! Files beside the database: sealed (age, to the platform's own key), written before the row that names them is committed,
//! never changed; one that no row names is removed when the deployment is opened.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use kiban_kernel::Digest;

use crate::{Deployment, Error};

/// A folder of the deployment that holds sealed files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealedFolder(pub(crate) &'static str);

impl SealedFolder {
    /// The file of an id.
    pub(crate) fn path(self, on: &Deployment, id: &str) -> PathBuf {
        on.dir().join(self.0).join(format!("{id}.age"))
    }

    /// Seal and write a file: whole or not at all, and on disk afterwards.
    pub(crate) fn write(self, on: &Deployment, id: &str, bytes: &[u8]) -> Result<(), Error> {
        let sealed = age::encrypt(&on.intake.to_public(), bytes)
            .map_err(|_| Error::Unknown { what: "key of sealed files" })?;
        store(&self.path(on, id), &sealed)
    }

    /// The bytes of a file; `None` if they are not those of the digest.
    pub(crate) fn read(
        self,
        on: &Deployment,
        id: &str,
        digest: Digest,
    ) -> Result<Option<Vec<u8>>, Error> {
        let sealed = fs::read(self.path(on, id)).map_err(Error::io("read a sealed file"))?;
        let bytes = age::decrypt(&on.intake, &sealed).ok();
        Ok(bytes.filter(|bytes| Digest::of(bytes) == digest))
    }

    /// Remove files that no row names: their transaction never came to its end, or they were taken off.
    pub(crate) fn collect(self, on: &Deployment, ids: &BTreeSet<String>) -> Result<(), Error> {
        let failed = || Error::io("clear a folder of sealed files");
        let folder = on.dir().join(self.0);
        if !folder.exists() {
            return Ok(());
        }
        let named: BTreeSet<PathBuf> = ids.iter().map(|id| self.path(on, id)).collect();
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if !named.contains(&path) {
                fs::remove_file(&path).map_err(failed())?;
            }
        }
        Ok(())
    }
}

fn store(path: &Path, sealed: &[u8]) -> Result<(), Error> {
    let failed = || Error::io("write a sealed file");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed())?;
    }
    let mut file = File::create_new(path).map_err(failed())?;
    file.write_all(sealed).map_err(failed())?;
    file.sync_all().map_err(failed())
}
