//! Collection: files no committed row names, and files of erased rows, are removed.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use kiban_audit::Engine;

use kiban_kernel::{Id, kinds};

use crate::{
    DataClass, Lake, LakeError, catalog, durable,
    lake::{EXTENSION, blocking},
    lock::FolderLock,
    seal::HEADER,
};

/// Holds the newest snapshot that collection has seen.
const HEAD_FILE: &str = ".head";

/// No files of the lake: locks, mark, and the mark being written.
const NOT_OURS: [&str; 4] = [FolderLock::FILES[0], FolderLock::FILES[1], HEAD_FILE, "..head.tmp"];

/// What collection did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files removed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Another process has the lake open: only the bytes of erased files were removed.
    pub skipped: bool,
}

/// Every file under the lake's folder: path inside it (parts joined by `/`) and place on disk.
pub(crate) fn walk(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let (mut found, mut folders) = (Vec::new(), vec![(String::new(), root.to_owned())]);
    while let Some((prefix, folder)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else if !NOT_OURS.contains(&name.as_str()) {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The file of ours that this is, or that this temporary file would have become.
fn target_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    DataClass::of_path(folder)?;
    let name = name.strip_prefix('.').and_then(|n| n.strip_suffix(".tmp")).unwrap_or(name);
    let (id, extension) = name.split_once('.')?;
    id.parse::<Id<kinds::File>>().ok().filter(|_| extension == EXTENSION)?;
    Some(format!("{folder}/{name}"))
}

impl Lake {
    /// Remove the bytes of erased files and, unless another process has the lake open, files that no
    /// committed row names. Also done at opening. Before a file goes, its header is overwritten: without
    /// the salt its key cannot be made again.
    ///
    /// # Errors
    /// The catalog cannot be read, or a file cannot be removed; [`LakeError::RolledBack`] when the
    /// catalog is older than the folder, for then committed files would look like garbage.
    pub async fn collect(&self) -> Result<Collected, LakeError> {
        let alone = self.0.lock.alone().await?;
        let root = self.0.root.clone();
        // The disk before the catalog: a file committed in between is then in the catalog.
        let found =
            blocking(move || walk(&root).map_err(LakeError::io("list the lake's folder"))).await?;
        let mut conn = self.conn().await?;
        let head = catalog::head(&mut conn).await?;
        let known = self.known_head()?;
        if known > head.0 {
            return Err(LakeError::RolledBack { known, head: head.0 });
        }
        let files = catalog::files(&mut conn).await?;
        let containers = catalog::containers(&mut conn).await?;
        let named: HashMap<&str, bool> =
            (files.iter().map(|f| (f.file.path.as_str(), f.erased.is_none())))
                .chain(containers.iter().map(|c| (c.path.as_str(), c.erased.is_none())))
                .collect();
        let mut garbage = Vec::new();
        for (path, place) in found {
            let kept = named.get(path.as_str());
            if kept.is_some() {
                self.0.pending.committed(&path);
            }
            let remove = match kept {
                Some(kept) => !kept,
                // What is not ours is left for a person to look at: verification names it.
                None if alone.is_none() => false,
                None => target_of(&path).is_some_and(|p| self.0.pending.is_garbage(&p, head.0)),
            };
            if remove {
                garbage.push(place);
            }
        }
        let steps = self.0.steps.clone();
        let mut done =
            blocking(move || remove(&garbage, &*steps).map_err(LakeError::io("remove a file")))
                .await?;
        if self.0.db.engine() == Engine::Sqlite {
            // Destroyed keys must not live on in the write-ahead log.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *conn).await?;
        }
        done.skipped = alone.is_none();
        if alone.is_some() && known < head.0 {
            self.remember_head(head.0)?;
        }
        Ok(done)
    }
}

impl Lake {
    /// The newest snapshot seen with this folder.
    fn known_head(&self) -> Result<u64, LakeError> {
        match fs::read_to_string(self.0.root.join(HEAD_FILE)) {
            Ok(text) => Ok(text.trim().parse().unwrap_or(0)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(LakeError::io("read the lake's mark")(e)),
        }
    }

    fn remember_head(&self, head: u64) -> Result<(), LakeError> {
        let place = self.0.root.join(HEAD_FILE);
        let written = durable::replace_private(&place, format!("{head}\n").as_bytes());
        match written.map_err(LakeError::io("write the lake's mark")) {
            // The mark guards against a mix-up of copies; a full disk is no reason not to open.
            Err(LakeError::DiskFull(_)) => Ok(()),
            done => done,
        }
    }
}

fn remove(garbage: &[PathBuf], steps: &dyn kiban_kernel::Steps) -> io::Result<Collected> {
    let mut done = Collected::default();
    let mut folders = std::collections::BTreeSet::new();
    for place in garbage {
        steps.step("lake.collect.remove");
        let Some(bytes) = durable::shred(place, HEADER)? else { continue };
        done.files += 1;
        done.bytes += bytes;
        folders.extend(place.parent().map(Path::to_owned));
    }
    folders.iter().try_for_each(|f| durable::sync_dir(f))?;
    Ok(done)
}
