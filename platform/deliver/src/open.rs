//! Opening a package: seal, signature, every file's digest; all of it in the folder at the end, or nothing.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

use kiban_audit::note::VerifyKey;
use kiban_kernel::Digest;
use kiban_release::Manifest;

use crate::{
    OpenError, PackageManifest,
    archive::{self, Hashing},
    durable,
    payload::{MANIFEST, is_plain},
    recipient::Key,
};

/// Longest manifest, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;

/// An opened package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its manifest.
    pub manifest: Manifest,
    /// The folder.
    pub out: PathBuf,
    /// Files written, the manifest among them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Open `file` with the key file `key` into the folder `out`, which must be empty or missing. The producer's
/// signature is checked with `producer`, or else with the key named in the key file. A `manifest.note` beside
/// the package is checked too.
///
/// # Errors
/// What does not hold, by file or position; the folder is left as it was.
pub fn open(
    file: &Path,
    key: &Path,
    out: &Path,
    producer: Option<&VerifyKey>,
) -> Result<Opened, OpenError> {
    let key = Key::load(key)?;
    let producer = producer.or(key.producer()).ok_or(OpenError::ProducerUnknown)?;
    let keys = std::slice::from_ref(producer);
    let occupied = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => false,
        Err(e) => return Err(OpenError::Write(e)),
    };
    if occupied {
        return Err(OpenError::NotEmpty);
    }
    beside(file, keys)?;

    let sealed = BufReader::new(File::open(file).map_err(OpenError::Read)?);
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(not_opened)?;
    let plain = decryptor
        .decrypt(std::iter::once(&key.identity as &dyn age::Identity))
        .map_err(not_opened)?;

    let temporary = temporary_beside(out)?;
    durable::remove_all(&temporary).map_err(OpenError::Write)?;
    durable::create_dir_private(&temporary).map_err(OpenError::Write)?;
    let opened = extract(plain, keys, &temporary).and_then(|(manifest, files, bytes)| {
        place(&temporary, out).map_err(OpenError::Write)?;
        Ok(Opened { manifest, out: out.to_owned(), files, bytes })
    });
    if opened.is_err() {
        let _ = durable::remove_all(&temporary);
    }
    opened
}

fn not_opened(e: age::DecryptError) -> OpenError {
    use age::DecryptError as D;
    match e {
        D::NoMatchingKeys | D::KeyDecryptionFailed => OpenError::WrongKey,
        D::Io(e)
            if !matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
        {
            OpenError::Read(e)
        }
        D::DecryptionFailed | D::InvalidMac => OpenError::Damaged { position: 1 },
        _ => OpenError::NotSealed,
    }
}

/// If a manifest lies beside the package, it must be this package's.
fn beside(file: &Path, keys: &[VerifyKey]) -> Result<(), OpenError> {
    let path = file.with_file_name(crate::hand_over::NOTE);
    let note = match fs::read_to_string(&path) {
        Ok(note) => note,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(OpenError::Beside),
        Err(e) => return Err(OpenError::Read(e)),
    };
    let manifest = PackageManifest::open(&note, keys)?;
    let sealed = File::open(file).map_err(OpenError::Read)?;
    let (sha256, size) = archive::digest_of(BufReader::new(sealed)).map_err(OpenError::Read)?;
    if (manifest.package.sha256, manifest.package.size) == (sha256, size) {
        return Ok(());
    }
    // Name the cause if the seal shows it; the caller's pass finds a cut or changed package.
    Err(if size < manifest.package.size {
        OpenError::Damaged { position: 1 }
    } else {
        OpenError::Beside
    })
}

fn temporary_beside(out: &Path) -> Result<PathBuf, OpenError> {
    let absolute = std::path::absolute(out).map_err(OpenError::Write)?;
    let name = absolute.file_name().ok_or(OpenError::NotEmpty)?.to_string_lossy().into_owned();
    let parent = absolute.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(OpenError::Write)?;
    Ok(parent.join(format!(".{name}.opening")))
}

fn place(temporary: &Path, out: &Path) -> io::Result<()> {
    match fs::remove_dir(out) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    fs::rename(temporary, out)?;
    let absolute = std::path::absolute(out)?;
    absolute.parent().map_or(Ok(()), durable::sync_dir)
}

fn extract(
    plain: impl Read,
    keys: &[VerifyKey],
    into: &Path,
) -> Result<(Manifest, u64, u64), OpenError> {
    let mut tar = tar::Archive::new(plain);
    let entries = tar.entries().map_err(|_| OpenError::Damaged { position: 1 })?;
    let mut manifest: Option<Manifest> = None;
    let (mut seen, mut bytes) = (0_usize, 0_u64);
    for (i, entry) in entries.enumerate() {
        let position = i + 1;
        let damaged = |_: io::Error| OpenError::Damaged { position };
        let mut entry = entry.map_err(damaged)?;
        let path = std::str::from_utf8(&entry.path_bytes())
            .map(str::to_owned)
            .map_err(|_| OpenError::Path { position })?;
        if entry.header().entry_type() != tar::EntryType::Regular || !is_plain(&path) {
            return Err(OpenError::Path { position });
        }
        let Some(known) = &manifest else {
            if path != MANIFEST || entry.size() > MAX_MANIFEST {
                return Err(OpenError::NoManifest);
            }
            let mut note = String::new();
            entry.read_to_string(&mut note).map_err(damaged)?;
            manifest = Some(Manifest::open(&note, keys)?);
            durable::write_new(&into.join(MANIFEST), note.as_bytes()).map_err(OpenError::Write)?;
            bytes += note.len() as u64;
            continue;
        };
        // Files stand in the manifest's order, so one that stands twice or elsewhere is foreign.
        let Some(fact) = known.files.get(seen).filter(|f| f.path == path && path != MANIFEST)
        else {
            return Err(OpenError::Foreign { position });
        };
        if entry.size() != fact.size {
            return Err(OpenError::Changed { path });
        }
        let digest = write_entry(&mut entry, &into.join(&path), position)?;
        if digest != fact.sha256 {
            return Err(OpenError::Changed { path });
        }
        seen += 1;
        bytes += fact.size;
    }
    // Whatever stands behind the archive must be the rest of a whole seal.
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|_| OpenError::Damaged { position: seen + 2 })?;
    let manifest = manifest.ok_or(OpenError::NoManifest)?;
    if let Some(missing) = manifest.files.get(seen) {
        return Err(OpenError::Missing { path: missing.path.clone() });
    }
    durable::sync_dir(into).map_err(OpenError::Write)?;
    Ok((manifest, seen as u64 + 1, bytes))
}

fn write_entry(entry: &mut impl Read, path: &Path, position: usize) -> Result<Digest, OpenError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(OpenError::Write)?;
    }
    let file = durable::create_private(path).map_err(OpenError::Write)?;
    let mut hashing = Hashing::new(io::BufWriter::new(file));
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = entry.read(&mut buffer).map_err(|_| OpenError::Damaged { position })?;
        if n == 0 {
            break;
        }
        hashing.write_all(&buffer[..n]).map_err(OpenError::Write)?;
    }
    let (file, digest, _) = hashing.finish();
    let file = file.into_inner().map_err(|e| OpenError::Write(e.into_error()))?;
    file.sync_all().map_err(OpenError::Write)?;
    Ok(digest)
}
