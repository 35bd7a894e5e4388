//! Where things stand in `audit/` (C2SP tlog-tiles), and how files are written.

use std::{fs, io, io::Write as _, path::Path};

/// Leaves per tile: height 8.
pub(crate) const TILE: u64 = 256;
/// Height of a tile.
pub(crate) const HEIGHT: u8 = 8;
/// The newest signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The key that verifies it.
pub(crate) const KEY: &str = "key";
/// Held by who writes the copy.
pub(crate) const LOCK: &str = ".lock";

/// `tile/<level>/<index>[.p/<width>]`.
pub(crate) fn hash_tile(level: u8, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", numbered(index, width))
}

/// `tile/entries/<index>[.p/<width>]`.
pub(crate) fn entry_tile(index: u64, width: u64) -> String {
    format!("tile/entries/{}", numbered(index, width))
}

fn numbered(mut index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    while index >= 1000 {
        index /= 1000;
        path = format!("x{:03}/{path}", index % 1000);
    }
    if width < TILE {
        path = format!("{path}.p/{width}");
    }
    path
}

/// A tile of hashes or of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TileAt {
    /// `None` for entries.
    pub(crate) level: Option<u8>,
    pub(crate) index: u64,
    pub(crate) width: u64,
}

impl TileAt {
    pub(crate) fn path(self) -> String {
        match self.level {
            Some(level) => hash_tile(level, self.index, self.width),
            None => entry_tile(self.index, self.width),
        }
    }
}

/// The tiles of a tree of `new` leaves that a tree of `old` leaves does not have.
pub(crate) fn tiles_between(old: u64, new: u64) -> Vec<TileAt> {
    let mut tiles = Vec::new();
    let mut level = 0_u8;
    loop {
        let shift = u32::from(HEIGHT) * u32::from(level);
        let (Some(have), Some(want)) = (old.checked_shr(shift), new.checked_shr(shift)) else {
            break;
        };
        if want == 0 {
            break;
        }
        if have != want {
            for index in have / TILE..want.div_ceil(TILE) {
                let width = (want - index * TILE).min(TILE);
                if level == 0 {
                    tiles.push(TileAt { level: None, index, width });
                }
                tiles.push(TileAt { level: Some(level), index, width });
            }
        }
        level += 1;
    }
    tiles
}

/// The tiles of a tree of `size` leaves that are not full.
pub(crate) fn partial_tiles(size: u64) -> Vec<TileAt> {
    let mut tiles = Vec::new();
    for level in 0..8_u8 {
        let count = size >> (u32::from(HEIGHT) * u32::from(level));
        let (index, width) = (count / TILE, count % TILE);
        if width > 0 {
            if level == 0 {
                tiles.push(TileAt { level: None, index, width });
            }
            tiles.push(TileAt { level: Some(level), index, width });
        }
    }
    tiles
}

/// Entries as a bundle: each with its length before it, two bytes, big-endian.
pub(crate) fn bundle<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        out.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Some(out)
}

/// The entries of a bundle; `None` if it is malformed.
pub(crate) fn unbundle(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    Some(entries)
}

/// Write a file so that it is there whole or not at all, also after a power cut.
pub(crate) fn write_whole(root: &Path, relative: &str, bytes: &[u8]) -> io::Result<()> {
    let path = root.join(relative);
    let parent = path.parent().unwrap_or(root);
    create_folder(root, parent)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = parent.join(format!(".tmp-{name}"));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, &path)?;
    sync_folder(parent)
}

fn create_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    // Make every new folder's entry in its parent durable.
    let mut at = folder;
    while let Some(parent) = at.parent() {
        sync_folder(parent)?;
        if at == root {
            break;
        }
        at = parent;
    }
    Ok(())
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog_tiles::tile::Tile;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(hash_tile(0, 0, 256), "tile/0/000");
        assert_eq!(hash_tile(1, 1_234_067, 1), "tile/1/x001/x234/067.p/1");
        assert_eq!(entry_tile(273, 112), "tile/entries/273.p/112");
    }

    #[test]
    fn tiles_are_those_of_the_library() {
        for (old, new) in [(0, 1), (0, 256), (255, 256), (256, 257), (0, 70_000), (65_535, 65_536)]
        {
            let theirs: Vec<String> = Tile::new_tiles(HEIGHT, old, new)
                .iter()
                .map(|t| t.path().replacen("tile/8/", "tile/", 1))
                .collect();
            let ours: Vec<String> = tiles_between(old, new)
                .into_iter()
                .filter(|t| t.level.is_some())
                .map(TileAt::path)
                .collect();
            assert_eq!(ours, theirs, "{old}..{new}");
        }
    }

    #[test]
    fn bundles_read_back() {
        let entries = [b"".to_vec(), b"a".to_vec(), vec![7; 65_535]];
        let bytes = bundle(entries.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(unbundle(&bytes).unwrap(), entries);
        assert_eq!(unbundle(&bytes[..bytes.len() - 1]), None);
        assert!(bundle(std::iter::once(vec![0_u8; 65_536].as_slice())).is_none());
    }
}
