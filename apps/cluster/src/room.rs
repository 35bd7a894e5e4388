//! Where a worker keeps what it hands to other workers: rows of named persons, in the clear. So the folder lies in
//! memory, is its owner's alone, and goes with the worker; what a killed worker left goes when the next one starts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::say::Failure;

const MARK: &str = "kiban-worker-";

/// A worker's folder, removed when dropped.
pub(crate) struct Room(PathBuf);

impl Room {
    /// A new folder under `parent`.
    pub(crate) fn new(parent: &Path, encrypted: bool) -> Result<Self, Failure> {
        let io = |e: io::Error| {
            Failure::new("作業フォルダを作れません。場所と権限を確認してください。", &e)
        };
        if !encrypted && !in_memory(parent) {
            return Err(Failure {
                ja: "作業フォルダがメモリ上（tmpfs）にありません。個人の情報が平文で残るおそれがあるため、止めました。\
                     /dev/shm を使うか、暗号化された場所であれば --work-dir-is-encrypted を付けてください。"
                    .to_owned(),
                cause: "the work folder is on a disk".to_owned(),
            });
        }
        sweep(parent);
        let path = parent.join(format!("{MARK}{}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(&path).map_err(io)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next worker.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Remove what ended workers of this user left.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|n| n.strip_prefix(MARK)).map(str::parse::<u32>);
        // A folder of this process's number is of an earlier process that had it.
        if let Some(Ok(process)) = number
            && (process == std::process::id()
                || !Path::new("/proc").join(process.to_string()).exists())
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Does the folder lie on a file system that is memory?
fn in_memory(folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    kind_of(&folder, &mounts).is_some_and(|kind| ["tmpfs", "ramfs"].contains(&kind))
}

/// The kind of the file system that holds a folder: of the longest mount point above it, the last one mounted.
fn kind_of<'a>(folder: &Path, mounts: &'a str) -> Option<&'a str> {
    let mut found = None;
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(at), Some(kind)) = (words.next(), words.next()) else { continue };
        let depth = Path::new(at).components().count();
        if folder.starts_with(at) && found.is_none_or(|(deepest, _)| depth >= deepest) {
            found = Some((depth, kind));
        }
    }
    found.map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_last_mount_decides() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n/dev/vdb /dev/shm/disk xfs rw 0 0\n\
                      tmpfs /mnt tmpfs rw 0 0\n/dev/vdc /mnt ext4 rw 0 0\n";
        for (folder, kind) in [
            ("/tmp", "ext4"),
            ("/dev/shm", "tmpfs"),
            ("/dev/shm/x", "tmpfs"),
            ("/dev/shm/disk/x", "xfs"),
            ("/dev/shmx", "ext4"),
            ("/mnt/x", "ext4"),
        ] {
            assert_eq!(kind_of(Path::new(folder), mounts), Some(kind), "{folder}");
        }
    }

    #[test]
    fn a_room_is_private_and_goes_with_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("kiban-worker-4294967295")).unwrap();
        let room = Room::new(dir.path(), true).unwrap();
        let path = room.path().to_owned();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        drop(room);
        assert!(!path.exists());
    }
}
