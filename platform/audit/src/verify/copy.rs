//! Reading the published copy.

use std::{fs, io, path::Path};

use tlog_tiles::tlog::{HASH_SIZE, Hash};

use super::finding::{CheckpointFault, Finding, Place};
use crate::{
    checkpoint::{self, Verified},
    layout::{self, CHECKPOINT, KEY, TILE, TileAt},
    note::VerifyKey,
};

/// The published copy, as far as its checkpoint reaches.
pub(super) struct Copy<'a> {
    dir: &'a Path,
    pub(super) checkpoint: Option<Verified>,
    pub(super) text: String,
}

/// A page of 256 leaves: their hashes and their entries.
#[derive(Default)]
pub(super) struct CopyPage {
    pub(super) hashes: Vec<Hash>,
    pub(super) entries: Vec<Vec<u8>>,
}

pub(super) fn key_of(dir: &Path) -> Result<Option<VerifyKey>, Finding> {
    match fs::read(dir.join(KEY)) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| Finding::Key)?;
            let key: VerifyKey = text.parse().map_err(|_| Finding::Key)?;
            if text == format!("{key}\n") { Ok(Some(key)) } else { Err(Finding::Key) }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(Finding::Unreadable(Place::Copy)),
    }
}

impl<'a> Copy<'a> {
    pub(super) fn open(dir: &'a Path, key: &VerifyKey) -> Result<Self, Finding> {
        let bytes = match fs::read(dir.join(CHECKPOINT)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // An empty log has a folder, a key and no checkpoint.
                if dir.join("tile").exists() || !dir.join(KEY).exists() {
                    let (path, index) = (CHECKPOINT.to_owned(), 0);
                    return Err(Finding::File { path, index, missing: true });
                }
                return Ok(Self { dir, checkpoint: None, text: String::new() });
            }
            Err(_) => return Err(Finding::Unreadable(Place::Copy)),
        };
        let text = String::from_utf8(bytes).map_err(|_| Finding::File {
            path: CHECKPOINT.to_owned(),
            index: 0,
            missing: false,
        })?;
        let checkpoint = checkpoint::read(&text, key).map_err(|why| Finding::Checkpoint {
            size: claimed_size(&text),
            what: CheckpointFault::Note(why),
            place: Place::Copy,
        })?;
        Ok(Self { dir, checkpoint: Some(checkpoint), text })
    }

    /// Events published.
    pub(super) fn size(&self) -> u64 {
        self.checkpoint.map_or(0, |c| c.size)
    }

    /// The page that begins at event `from`.
    pub(super) fn page(&self, from: u64) -> Result<CopyPage, Finding> {
        let width = self.size().saturating_sub(from).min(TILE);
        if width == 0 {
            return Ok(CopyPage::default());
        }
        let index = from / TILE;
        let entries = TileAt { level: None, index, width };
        let read = layout::unbundle(&self.file(entries, from)?).filter(|e| e.len() as u64 == width);
        let entries = read.ok_or_else(|| malformed(entries, from))?;
        Ok(CopyPage {
            hashes: self.hashes(TileAt { level: Some(0), index, width }, from)?,
            entries,
        })
    }

    /// The hashes of a tile; `from` is the first event it stands for.
    pub(super) fn hashes(&self, tile: TileAt, from: u64) -> Result<Vec<Hash>, Finding> {
        let bytes = self.file(tile, from)?;
        let (hashes, rest) = bytes.as_chunks::<HASH_SIZE>();
        if !rest.is_empty() || hashes.len() as u64 != tile.width {
            return Err(malformed(tile, from));
        }
        Ok(hashes.iter().copied().map(Hash).collect())
    }

    fn file(&self, tile: TileAt, index: u64) -> Result<Vec<u8>, Finding> {
        fs::read(self.dir.join(tile.path())).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Finding::File { path: tile.path(), index, missing: true },
            _ => Finding::Unreadable(Place::Copy),
        })
    }
}

fn malformed(tile: TileAt, index: u64) -> Finding {
    Finding::File { path: tile.path(), index, missing: false }
}

/// The size a checkpoint claims without being believed; to name it.
fn claimed_size(text: &str) -> u64 {
    text.lines().nth(1).and_then(|l| l.parse().ok()).unwrap_or(0)
}
