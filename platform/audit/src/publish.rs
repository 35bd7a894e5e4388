//! The published copy in `audit/`: entries, tiles, checkpoint, key. Written after each commit, so
//! that others can fetch, mirror and verify the log without the database.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use kiban_kernel::Steps;
use sqlx::AnyConnection;
use tlog_tiles::tlog::stored_hash_index;

use crate::{
    checkpoint,
    db::Db,
    layout::{self, CHECKPOINT, HEIGHT, KEY, LOCK, TILE, TileAt},
    note::VerifyKey,
    store,
};

/// Why the copy could not be completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A file of the copy cannot be read or written.
    #[error("the published copy cannot be read or written")]
    Io(#[from] io::Error),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] sqlx::Error),
    /// The copy is of another log, or its key or checkpoint was changed.
    #[error("the published copy is signed with another key")]
    OtherKey,
    /// The copy is ahead of the database: the database was rolled back.
    #[error("the database holds {stored} events, {published} are published: it was rolled back")]
    RolledBack {
        /// Events in the database.
        stored: u64,
        /// Events published.
        published: u64,
    },
    /// The copy's checkpoint is not the database's for the same size: one of them was replaced.
    #[error("database and published copy differ at {size} events")]
    Forked {
        /// Size of the published tree.
        size: u64,
    },
    /// The database lacks a row or hash the copy needs: run the verifier.
    #[error("the stored tree is damaged")]
    Damaged,
    /// Another process is publishing and does not end.
    #[error("another process holds the published copy")]
    Busy,
}

impl PublishError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Io(_) => "audit フォルダを読み書きできません。空き容量と権限を確認してください。".into(),
            Self::Db(_) => "データベースの処理に失敗しました。".into(),
            Self::OtherKey => {
                "audit フォルダの写しは別の鍵で署名されています。フォルダと鍵の組合せを確認してください。".into()
            }
            Self::RolledBack { stored, published } => format!(
                "データベースの記録は{stored}件ですが、公開済みの写しは{published}件です。データベースが過去の状態に戻されています。"
            ),
            Self::Forked { size } => format!(
                "記録{size}件の時点で、データベースと audit フォルダの写しが食い違っています。どちらかが差し替えられています。"
            ),
            Self::Damaged => "監査ログのハッシュが壊れています。kiban audit verify で確認してください。".into(),
            Self::Busy => "他の処理が audit フォルダへ書き込み中です。しばらくしてからやり直してください。".into(),
        }
    }
}

/// Writes the copy.
pub(crate) struct Publisher {
    dir: PathBuf,
    key: VerifyKey,
    turn: tokio::sync::Mutex<()>,
}

impl Publisher {
    pub(crate) fn new(dir: PathBuf, key: VerifyKey) -> Self {
        Self { dir, key, turn: tokio::sync::Mutex::new(()) }
    }

    /// Write what the copy lacks since its checkpoint.
    pub(crate) async fn publish_new(&self, db: &Db, steps: &dyn Steps) -> Result<(), PublishError> {
        self.publish(db, steps, false).await
    }

    /// As [`Publisher::publish_new`], and every older file that is missing; sweep what a process
    /// that ended in between left behind.
    pub(crate) async fn publish_all(&self, db: &Db, steps: &dyn Steps) -> Result<(), PublishError> {
        self.publish(db, steps, true).await
    }

    async fn publish(&self, db: &Db, steps: &dyn Steps, all: bool) -> Result<(), PublishError> {
        let _turn = self.turn.lock().await;
        fs::create_dir_all(&self.dir)?;
        let _lock = self.lock().await?;
        let mut conn = db.pool().acquire().await?;
        let Some((size, newest)) = store::last_checkpoint(&mut conn).await? else {
            return match self.published(KEY)? {
                Some(key) if key.trim_end() != self.key.to_string() => Err(PublishError::OtherKey),
                _ => match self.published(CHECKPOINT)? {
                    Some(text) => Err(PublishError::RolledBack {
                        stored: 0,
                        published: checkpoint::read(&text, &self.key).map_or(0, |c| c.size),
                    }),
                    None => self.publish_key(),
                },
            };
        };
        self.publish_key()?;
        let before = self.agreed(&mut conn, size).await?;
        let wanted = layout::tiles_between(if all { 0 } else { before }, size);
        for tile in wanted {
            let path = tile.path();
            let old = TILE * tile.index + tile.width <= before >> shift(tile);
            if all && old && self.dir.join(&path).is_file() {
                continue;
            }
            let bytes = tile_bytes(&mut conn, tile).await?;
            layout::write_whole(&self.dir, &path, &bytes)?;
            steps.step("audit.tile_written");
        }
        drop(conn);
        if before != size || self.published(CHECKPOINT)?.is_none() {
            layout::write_whole(&self.dir, CHECKPOINT, newest.as_bytes())?;
            steps.step("audit.checkpoint_written");
        }
        if all {
            sweep(&self.dir.join("tile"), &self.dir, size)?;
            for name in [CHECKPOINT, KEY] {
                remove_if_there(&self.dir.join(format!(".tmp-{name}")))?;
            }
        } else {
            self.remove_superseded(before, size)?;
        }
        Ok(())
    }

    /// The size of the published tree, which must be a state the database has gone through.
    async fn agreed(&self, conn: &mut AnyConnection, size: u64) -> Result<u64, PublishError> {
        let Some(text) = self.published(CHECKPOINT)? else { return Ok(0) };
        let seen = checkpoint::read(&text, &self.key).map_err(|_| PublishError::OtherKey)?;
        if seen.size > size {
            return Err(PublishError::RolledBack { stored: size, published: seen.size });
        }
        let ours = store::checkpoint(conn, seen.size).await?.ok_or(PublishError::Damaged)?;
        let ours = checkpoint::read(&ours, &self.key).map_err(|_| PublishError::OtherKey)?;
        if ours.root != seen.root {
            return Err(PublishError::Forked { size: seen.size });
        }
        Ok(seen.size)
    }

    fn published(&self, name: &str) -> Result<Option<String>, PublishError> {
        match fs::read(self.dir.join(name)) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| PublishError::OtherKey),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn publish_key(&self) -> Result<(), PublishError> {
        match self.published(KEY)? {
            Some(text) if text.trim_end() == self.key.to_string() => Ok(()),
            Some(_) => Err(PublishError::OtherKey),
            None => Ok(layout::write_whole(&self.dir, KEY, format!("{}\n", self.key).as_bytes())?),
        }
    }

    /// Take the lock file without blocking the thread: another task of it may hold the lock.
    async fn lock(&self) -> Result<fs::File, PublishError> {
        let file = fs::File::create(self.dir.join(LOCK))?;
        for _ in 0..6_000 {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(fs::TryLockError::Error(e)) => return Err(e.into()),
            }
        }
        Err(PublishError::Busy)
    }

    /// Partial tiles of the tree of `before` leaves that wider ones replace.
    fn remove_superseded(&self, before: u64, size: u64) -> Result<(), PublishError> {
        if before == size {
            return Ok(());
        }
        let wanted = layout::partial_tiles(size);
        for tile in layout::partial_tiles(before) {
            if !wanted.contains(&tile) {
                let path = self.dir.join(tile.path());
                remove_if_there(&path)?;
                if let Some(folder) = path.parent() {
                    // Stays if it is not empty.
                    let _ = fs::remove_dir(folder);
                }
            }
        }
        Ok(())
    }
}

fn shift(tile: TileAt) -> u32 {
    u32::from(HEIGHT) * u32::from(tile.level.unwrap_or(0))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

async fn tile_bytes(conn: &mut AnyConnection, tile: TileAt) -> Result<Vec<u8>, PublishError> {
    let (from, to) = (tile.index * TILE, tile.index * TILE + tile.width);
    match tile.level {
        None => {
            let rows = store::events(conn, from, to).await?;
            if rows.len() as u64 != tile.width {
                return Err(PublishError::Damaged);
            }
            layout::bundle(rows.iter().map(|r| r.event.as_bytes())).ok_or(PublishError::Damaged)
        }
        Some(level) => {
            let level = HEIGHT * level;
            let indexes: Vec<u64> = (from..to).map(|n| stored_hash_index(level, n)).collect();
            let found = if level == 0 {
                store::nodes_of_leaves(conn, from, to).await?
            } else {
                store::nodes_at(conn, &indexes).await?
            };
            let mut bytes = Vec::with_capacity(indexes.len() * 32);
            for index in indexes {
                bytes.extend_from_slice(&found.0.get(&index).ok_or(PublishError::Damaged)?.0);
            }
            Ok(bytes)
        }
    }
}

/// Remove temporary files and partial tiles that do not belong to the tree of `size` leaves.
fn sweep(folder: &Path, root: &Path, size: u64) -> Result<(), PublishError> {
    let wanted: Vec<PathBuf> =
        layout::partial_tiles(size).into_iter().map(|t| root.join(t.path())).collect();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        let partial = folder.extension().is_some_and(|e| e == "p");
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if entry.file_name().to_string_lossy().starts_with(".tmp-")
                || (partial && !wanted.contains(&path))
            {
                remove_if_there(&path)?;
            }
        }
        if partial {
            let _ = fs::remove_dir(&folder);
        }
    }
    Ok(())
}
