//! What the holder must keep of each provision, and how it is written so that a crash loses nothing.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use kiban_kernel::{Date, Digest, Id, Steps, Timestamp, kinds};

use super::SealError;
use crate::place::FileRef;

/// A holder's record of one provision.
///
/// # Law
/// `provision_record`
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProvisionRecord {
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// Day of the provision (Japan).
    pub provided_on: Date,
    /// Name of the producer.
    pub producer_name: String,
    /// Address of the producer.
    pub producer_address: String,
    /// Representative of the holder.
    pub representative: String,
    /// How the data were acquired.
    pub acquisition: String,
    /// Kinds of items provided.
    pub items: Vec<String>,
    /// Persons provided.
    pub persons: u64,
    /// Persons provided under each regime: the fact of notice.
    pub notified: BTreeMap<String, u64>,
    /// Name of the list of the persons and their notices in the outbox.
    pub persons_list: String,
    /// Digest of that list.
    pub persons_list_sha256: Digest,
    /// Digest of the sealed file.
    pub sealed_sha256: Digest,
}

/// What the outbox keeps of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SentRecord {
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// When it was sealed.
    pub created_at: Timestamp,
    /// Where the sealed file was put.
    pub path: PathBuf,
    /// Digest of the sealed file.
    pub sealed_sha256: Digest,
    /// Digest of the list of files that was signed.
    pub files_sha256: Digest,
    /// Segments sent.
    pub segments: u64,
    /// Persons withheld, by reason.
    pub withheld_persons: BTreeMap<String, u64>,
    /// Segments not sent, by rule.
    pub withheld_segments: BTreeMap<String, u64>,
    /// Input files left out, and why.
    pub left_out: Vec<(FileRef, String)>,
    /// The provision record.
    pub provision: ProvisionRecord,
}

/// Name of the journal of provisions in a holder's folder.
pub(crate) const PROVISIONS: &str = "provision_records.jsonl";

/// Writes a file so that it is there wholly or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.part"));
    let mut file = owner_only(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_folder(folder)
}

/// A new or emptied file that only its owner may read.
pub(crate) fn owner_only(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// The provisions recorded so far. A last line that a crash cut is passed over.
pub(crate) fn provisions(home: &Path) -> Result<Vec<ProvisionRecord>, SealError> {
    let bytes = match fs::read(home.join(PROVISIONS)) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(SealError::Write(e)),
    };
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    bytes[..whole]
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).map_err(|_| SealError::Record))
        .collect()
}

/// Appends a provision record; a line that a crash cut is removed first.
pub(crate) fn append_provision(home: &Path, record: &ProvisionRecord) -> Result<(), SealError> {
    let write = || -> io::Result<()> {
        let path = home.join(PROVISIONS);
        let mut options = fs::OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let bytes = fs::read(&path)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
        }
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_all()?;
        sync_folder(home)
    };
    write().map_err(SealError::Write)
}

/// Reads every record in the outbox, in the order of their sealing.
pub(crate) fn sent_records(home: &Path) -> Result<Vec<SentRecord>, SealError> {
    let mut out: Vec<SentRecord> = Vec::new();
    for entry in fs::read_dir(home.join("outbox")).map_err(SealError::Write)? {
        let path = entry.map_err(SealError::Write)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("dlv_") && path.extension().is_some_and(|e| e == "json") {
            let bytes = fs::read(&path).map_err(SealError::Write)?;
            out.push(serde_json::from_slice(&bytes).map_err(|_| SealError::Record)?);
        }
    }
    out.sort_by_key(|r| (r.created_at, r.delivery));
    Ok(out)
}

/// Brings a folder that a crash left in between to one of two states: sealed and recorded, or not sealed.
pub(crate) fn recover(home: &Path, steps: &dyn Steps) -> Result<(), SealError> {
    let recorded = provisions(home)?;
    let records = sent_records(home)?;
    let mut folders: Vec<PathBuf> = vec![home.join("outbox"), home.to_owned()];
    for record in &records {
        folders.extend(record.path.parent().map(Path::to_owned));
        if recorded.iter().any(|p| p.delivery == record.delivery) {
            continue;
        }
        steps.step("seal.recover");
        if record.path.exists() {
            append_provision(home, &record.provision)?;
        } else {
            // The record goes last: while it is there, the next run knows what to remove.
            for ending in ["notices.csv", "files.ndjson", "json"] {
                remove(&home.join("outbox").join(format!("{}.{ending}", record.delivery)))?;
            }
        }
    }
    folders.sort();
    folders.dedup();
    for folder in folders.iter().filter(|f| f.is_dir()) {
        collect(folder)?;
    }
    let known: Vec<String> = sent_records(home)?.iter().map(|r| r.delivery.to_string()).collect();
    for entry in fs::read_dir(home.join("outbox")).map_err(SealError::Write)? {
        let path = entry.map_err(SealError::Write)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let list = name.ends_with(".notices.csv") || name.ends_with(".files.ndjson");
        if list && !known.iter().any(|k| name.starts_with(k.as_str())) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes what an interrupted run was writing.
pub(crate) fn collect(folder: &Path) -> Result<(), SealError> {
    for entry in fs::read_dir(folder).map_err(SealError::Write)? {
        let path = entry.map_err(SealError::Write)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(".dlv_") && path.extension().is_some_and(|e| e == "part") {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), SealError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SealError::Write(e)),
        _ => Ok(()),
    }
}
