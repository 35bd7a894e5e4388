//! Files that are either wholly there, and will be after a power cut, or not there at all.
//!
//! A file is written under a temporary name, fsynced, renamed, and its folder fsynced.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
};

use kiban_kernel::Steps;

/// Temporary files: `.NAME.tmp`.
pub(crate) fn temp_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.tmp"))
}

/// Bytes after which the disk is told to begin: what waits until the fsync makes that wait long.
const PUSHED: u64 = 4 << 20;

/// A file being written; dropped before [`NewFile::commit`], it leaves nothing.
pub(crate) struct NewFile {
    file: Option<File>,
    temp: PathBuf,
    target: PathBuf,
    bytes: u64,
    /// Of these the disk was told.
    pushed: u64,
}

impl NewFile {
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        if let Some(folder) = target.parent() {
            create_dir_private(folder)?;
        }
        let temp = temp_name(target);
        let file = Some(open_private(&temp)?);
        Ok(Self { file, temp, target: target.to_owned(), bytes: 0, pushed: 0 })
    }

    /// Tells the disk to begin with what was written, and does not wait. A hint: nothing is lost if nobody heeds it.
    pub(crate) fn push(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(file) = &self.file
            && let Some(length) = std::num::NonZeroU64::new(self.bytes - self.pushed)
        {
            // Linux begins to write out a range that it is told nobody will read soon.
            let _ =
                rustix::fs::fadvise(file, self.pushed, Some(length), rustix::fs::Advice::DontNeed);
        }
        self.pushed = self.bytes;
    }

    pub(crate) fn commit(mut self, steps: &dyn Steps) -> io::Result<()> {
        self.sync()?;
        self.rename(steps)?;
        self.target.parent().map_or(Ok(()), sync_dir)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_all)
    }

    fn rename(&mut self, steps: &dyn Steps) -> io::Result<()> {
        self.file = None;
        steps.step("lake.file.written");
        fs::rename(&self.temp, &self.target)?;
        steps.step("lake.file.renamed");
        self.temp = PathBuf::new();
        Ok(())
    }
}

/// Files that are made to last at the same time.
const AT_ONCE: usize = 8;

/// [`NewFile::commit`] for many files: the disk is asked for several at a time, and each folder is fsynced once.
pub(crate) fn commit_all(mut files: Vec<NewFile>, steps: &dyn Steps) -> io::Result<()> {
    let each = files.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        let sync = |part: &[NewFile]| part.iter().try_for_each(NewFile::sync);
        let parts: Vec<_> =
            files.chunks(each).map(|part| scope.spawn(move || sync(part))).collect();
        parts.into_iter().try_for_each(|part| {
            part.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early")))
        })
    })?;
    for file in &mut files {
        file.rename(steps)?;
    }
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.target.parent()).collect();
    folders.into_iter().try_for_each(sync_dir)
}

impl Write for NewFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.file.as_mut().ok_or(io::ErrorKind::NotConnected)?.write(buf)?;
        self.bytes += n as u64;
        if self.bytes - self.pushed >= PUSHED {
            self.push();
        }
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().ok_or(io::ErrorKind::NotConnected)?.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.temp.as_os_str().is_empty() {
            // What cannot be removed now is garbage that collection finds.
            let _ = fs::remove_file(&self.temp);
        }
    }
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Write `bytes` as a file of the owner only, in place of what was there.
pub(crate) fn replace_private(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(target)?;
    file.write_all(bytes)?;
    file.commit(&kiban_kernel::NoSteps)
}

/// Make a folder and its parents, each of the owner only, and make them last.
pub(crate) fn create_dir_private(dir: &Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        create_dir_private(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(dir) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    dir.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Overwrite the first `header` bytes (the salt a sealed file cannot be read without), then remove. Gives
/// the file's size, or `None` when somebody else removed it.
pub(crate) fn shred(path: &Path, header: usize) -> io::Result<Option<u64>> {
    let found = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    // A link is removed, and what it points at is left alone.
    if found.is_file() {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&vec![0; header.min(usize::try_from(found.len()).unwrap_or(header))])?;
        file.sync_all()?;
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        removed => removed.map(|()| Some(found.len())),
    }
}

/// Make a folder's entries last.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
