//! The holder's files: found in a fixed order, opened within limits, expanded if `.xz`.

use std::{
    collections::HashSet,
    fmt, fs,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use kiban_formats::Format;
use xz2::{read::XzDecoder, stream};

use super::SealError;
use crate::{
    limits::{EXPANSION_FLOOR, Limits},
    manifest::{DATA_PREFIX, looks_like_archive, path_allowed},
    place::FileRef,
};

/// One input file.
#[derive(Clone)]
pub struct InputFile {
    /// Where it lies.
    pub disk: PathBuf,
    /// Path it gets in the delivery.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Claims of an insurer: persons are known by their insurance.
    pub insured: bool,
    /// Is it to be expanded?
    pub xz: bool,
    /// Number and masked path, for messages.
    pub file: FileRef,
}

impl fmt::Debug for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.file, f)
    }
}

/// What was found: files to send, and files left out with the reason's code.
pub(crate) struct Found {
    pub files: Vec<InputFile>,
    pub left_out: Vec<(FileRef, &'static str)>,
}

/// The files that would be read from `inputs` (files, or folders walked in the order of names).
///
/// # Errors
/// A folder cannot be read, or a path may not stand in a delivery.
pub fn find_inputs(inputs: &[PathBuf], limits: &Limits) -> Result<Vec<InputFile>, SealError> {
    find(inputs, &[], None, false, limits).map(|f| f.files)
}

pub(crate) fn find(
    inputs: &[PathBuf],
    exclude: &[PathBuf],
    only: Option<Format>,
    insured: bool,
    limits: &Limits,
) -> Result<Found, SealError> {
    let exclude: HashSet<PathBuf> =
        exclude.iter().filter_map(|p| fs::canonicalize(p).ok()).collect();
    let mut walk = Walk {
        limits,
        only,
        insured,
        exclude,
        seen: HashSet::new(),
        count: 0,
        found: Found { files: vec![], left_out: vec![] },
    };
    for input in inputs {
        // What staff name themselves may be a link; what lies in a folder may not.
        let meta = fs::metadata(input).map_err(SealError::Walk)?;
        if meta.is_dir() {
            walk.folder(input, DATA_PREFIX)?;
        } else {
            let name =
                input.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            walk.entry(input, &format!("{DATA_PREFIX}{name}"), meta.file_type())?;
        }
    }
    Ok(walk.found)
}

struct Walk<'a> {
    limits: &'a Limits,
    only: Option<Format>,
    insured: bool,
    exclude: HashSet<PathBuf>,
    seen: HashSet<String>,
    count: u64,
    found: Found,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), SealError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(SealError::Walk)? {
            let entry = entry.map_err(SealError::Walk)?;
            entries.push((entry.file_name(), entry.file_type().map_err(SealError::Walk)?));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in entries {
            let path = folder.join(&name);
            let below = format!("{prefix}{}", name.to_string_lossy());
            if kind.is_dir() {
                self.folder(&path, &format!("{below}/"))?;
            } else {
                self.entry(&path, &below, kind)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, disk: &Path, path: &str, kind: fs::FileType) -> Result<(), SealError> {
        self.count += 1;
        let file = FileRef::new(self.count, path);
        if !kind.is_file() {
            self.found.left_out.push((file, "not_a_file"));
            return Ok(());
        }
        if fs::canonicalize(disk).is_ok_and(|p| self.exclude.contains(&p)) {
            return Ok(());
        }
        let (path, xz) = path.strip_suffix(".xz").map_or((path, false), |p| (p, true));
        if looks_like_archive(path, b"") {
            self.found.left_out.push((file, "archive"));
            return Ok(());
        }
        if !path_allowed(path, self.limits.max_path_bytes) {
            return Err(SealError::BadPath { file });
        }
        let probe = InputFile {
            disk: disk.to_owned(),
            path: path.to_owned(),
            format: Format::SsMix2,
            insured: false,
            xz,
            file: file.clone(),
        };
        let mut first = Vec::new();
        probe
            .open(self.limits)
            .and_then(|r| r.take(65536).read_to_end(&mut first))
            .map_err(|e| input_error(e, &file, self.limits))?;
        let code = if looks_like_archive(path, &first) {
            Some("archive")
        } else {
            match kiban_formats::detect(crate::segment::tree_path(path), &first) {
                None => Some("unknown_format"),
                Some(format) if !crate::segment::taken(format) => Some("person_unnamed"),
                Some(format) if self.only.is_some_and(|only| only != format) => {
                    Some("other_format")
                }
                Some(format) => {
                    if !self.seen.insert(path.to_owned()) {
                        return Err(SealError::BadPath { file });
                    }
                    if self.found.files.len() as u64 >= self.limits.max_files {
                        return Err(SealError::TooMuch);
                    }
                    let insured = self.insured && format == Format::Uke;
                    self.found.files.push(InputFile { format, insured, ..probe });
                    None
                }
            }
        };
        if let Some(code) = code {
            self.found.left_out.push((file, code));
        }
        Ok(())
    }
}

impl InputFile {
    /// Opens the file; an `.xz` file is expanded as it is read, within limits.
    ///
    /// # Errors
    /// It cannot be opened. Reading past a limit is an error too.
    pub(crate) fn open(&self, limits: &Limits) -> io::Result<Box<dyn BufRead>> {
        let file = File::open(&self.disk)?;
        if !self.xz {
            return Ok(Box::new(BufReader::with_capacity(256 << 10, file)));
        }
        let packed = file.metadata()?.len();
        let decoder =
            stream::Stream::new_stream_decoder(limits.max_xz_memory_bytes, stream::CONCATENATED)
                .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let expanded = XzDecoder::new_stream(BufReader::with_capacity(64 << 10, file), decoder);
        let ceiling = packed
            .saturating_mul(limits.max_expansion)
            .max(EXPANSION_FLOOR)
            .min(limits.max_file_bytes);
        Ok(Box::new(BufReader::with_capacity(
            256 << 10,
            Bounded { inner: expanded, left: ceiling },
        )))
    }
}

/// Marks the error of a file that expands too far.
#[derive(Debug, thiserror::Error)]
#[error("expands too far")]
struct TooFar;

struct Bounded<R> {
    inner: R,
    left: u64,
}
impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.left.checked_sub(n as u64) {
            Some(left) => {
                self.left = left;
                Ok(n)
            }
            None => Err(io::Error::other(TooFar)),
        }
    }
}

/// The typed error of a failed read.
pub(crate) fn input_error(e: io::Error, file: &FileRef, limits: &Limits) -> SealError {
    let file = file.clone();
    if e.get_ref().is_some_and(|inner| inner.is::<TooFar>()) {
        return SealError::Expansion {
            file,
            max_bytes: limits.max_file_bytes,
            max_ratio: limits.max_expansion,
        };
    }
    if e.get_ref().is_some_and(|inner| inner.is::<stream::Error>()) {
        return SealError::DamagedXz { file };
    }
    SealError::Input { file, source: e }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn xz(path: &Path, bytes: &[u8]) {
        let mut out = xz2::write::XzEncoder::new(File::create(path).unwrap(), 6);
        out.write_all(bytes).unwrap();
        out.finish().unwrap();
    }

    #[test]
    fn a_bomb_is_stopped_and_a_damaged_file_named() {
        let dir = tempfile::tempdir().unwrap();
        let line = b"{\"resourceType\":\"Patient\",\"id\":\"1\"}\n";
        let mut bomb = line.to_vec();
        bomb.resize(64 << 20, b' ');
        xz(&dir.path().join("Patient.ndjson.xz"), &bomb);
        let limits = Limits::default();
        let files = find_inputs(&[dir.path().to_owned()], &limits).unwrap();
        assert_eq!((files.len(), files[0].path.as_str()), (1, "data/Patient.ndjson"));
        let mut sink = io::sink();
        let e = io::copy(&mut files[0].open(&limits).unwrap(), &mut sink).unwrap_err();
        assert!(matches!(input_error(e, &files[0].file, &limits), SealError::Expansion { .. }));
        fs::write(dir.path().join("Patient.ndjson.xz"), b"\xfd7zXZ\x00garbage garbage garbage")
            .unwrap();
        assert!(matches!(
            find_inputs(&[dir.path().to_owned()], &limits),
            Err(SealError::DamagedXz { .. })
        ));
    }
}
