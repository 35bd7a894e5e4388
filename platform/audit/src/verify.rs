//! Offline verification: recompute everything from the events and name the first that is bad.
//!
//! Enters: the database or the published copy or both, and checkpoints found elsewhere (receipts,
//! packages, a mirror). Needs no secret, writes nothing. The signed checkpoints decide what is
//! right: event `n` is good if the root over the first `n + 1` events is the signed one.

mod copy;
mod finding;
mod stored;

use std::{path::Path, time::Duration};

use tlog_tiles::tlog::{Hash, record_hash, stored_hash_index};

use self::copy::{Copy, CopyPage};
pub use self::finding::{CheckpointFault, Finding, Place, Tamper};
use self::stored::{Stored, StoredPage, claim};
use crate::{
    checkpoint::{self, Verified},
    db::{Db, Engine},
    event::StoredEvent,
    layout::{self, HEIGHT, TILE},
    note::VerifyKey,
    store,
    tree::Frontier,
};

/// What to verify, and against what.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    db: Option<&'a Db>,
    dir: Option<&'a Path>,
    key: Option<&'a VerifyKey>,
    held: Vec<(String, String)>,
}

impl<'a> Request<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Verify the database ([`Db::open_read_only`] suffices).
    pub fn database(mut self, db: &'a Db) -> Self {
        self.db = Some(db);
        self
    }

    /// Verify the published copy in this folder.
    pub fn copy(mut self, audit_dir: &'a Path) -> Self {
        self.dir = Some(audit_dir);
        self
    }

    /// Trust this key alone. Without it the key published in the copy is believed, which shows
    /// damage but not a log replaced together with its key; checkpoints held elsewhere show that.
    pub fn key(mut self, key: &'a VerifyKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Also hold the log against a checkpoint found elsewhere. `from` names it in findings: a file
    /// name, an option.
    pub fn against(mut self, from: impl Into<String>, checkpoint: impl Into<String>) -> Self {
        self.held.push((from.into(), checkpoint.into()));
        self
    }
}

/// The log is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsVerified {
    /// How many events.
    pub events: u64,
    /// The newest checkpoint; keep it to verify against later.
    pub checkpoint: Option<String>,
    /// How many checkpoints found elsewhere agree.
    pub held: usize,
}

/// Verify the events, the tree, each stored checkpoint, the published copy, and every checkpoint
/// found elsewhere.
///
/// # Errors
/// The first finding.
pub async fn events(request: &Request<'_>) -> Result<EventsVerified, Finding> {
    // A log in use grows while it is read: look again as long as the copy moves.
    for _ in 0..20 {
        let before = request.dir.and_then(|d| std::fs::read(d.join(layout::CHECKPOINT)).ok());
        let result = once(request).await;
        if !matches!(result, Err(Finding::CopyBehind { .. } | Finding::File { .. })) {
            return result;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        if before == request.dir.and_then(|d| std::fs::read(d.join(layout::CHECKPOINT)).ok()) {
            return result;
        }
    }
    once(request).await
}

async fn once(request: &Request<'_>) -> Result<EventsVerified, Finding> {
    let published_key = request.dir.map(copy::key_of).transpose()?.flatten();
    let key = match (request.key, published_key) {
        (Some(given), Some(published)) if *given != published => return Err(Finding::OtherKey),
        (Some(given), _) => given.clone(),
        (None, Some(published)) => published,
        (None, None) => return Err(Finding::Key),
    };
    let held = read_held(request, &key)?;
    // The copy first: the database, read later, is never behind an honest copy.
    let copy = request.dir.map(|dir| Copy::open(dir, &key)).transpose()?;
    let mut tx = match request.db {
        Some(db) => {
            let begin = match db.engine() {
                Engine::Sqlite => "BEGIN",
                Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            };
            Some(db.pool().begin_with(begin).await.map_err(stored::unreadable)?)
        }
        None => None,
    };
    let db = match tx.as_mut() {
        Some(tx) => Some(Stored::open(tx).await?),
        None => None,
    };
    Run { key, copy, db, held, tree: Frontier::default(), agreed: 0, subtrees: Vec::new() }
        .run()
        .await
}

struct Held {
    from: String,
    checkpoint: Verified,
}

fn read_held(request: &Request<'_>, key: &VerifyKey) -> Result<Vec<Held>, Finding> {
    let mut held = Vec::with_capacity(request.held.len());
    for (from, text) in &request.held {
        let checkpoint = checkpoint::read(text, key)
            .map_err(|why| Finding::Foreign { from: from.clone(), why })?;
        held.push(Held { from: from.clone(), checkpoint });
    }
    held.sort_by_key(|h| h.checkpoint.size);
    Ok(held)
}

/// What happened at `index`, by the places that the text there, the next text, and the text at the
/// place claimed say they belong to.
fn classify(index: u64, here: Option<u64>, next: Option<u64>, there: Option<u64>) -> Tamper {
    match here {
        Some(with) if with > index && there == Some(index) => Tamper::Swapped { with },
        Some(claimed) if claimed == index + 1 => Tamper::Deleted,
        _ if next == Some(index) => Tamper::Inserted,
        _ => Tamper::Changed,
    }
}

struct Run<'a> {
    key: VerifyKey,
    copy: Option<Copy<'a>>,
    db: Option<Stored<'a>>,
    held: Vec<Held>,
    tree: Frontier,
    /// Size of the largest checkpoint found elsewhere that agrees.
    agreed: u64,
    /// Hashes of complete subtrees at the levels that upper tiles hold: `[0]` is level 8.
    subtrees: Vec<Vec<Hash>>,
}

impl Run<'_> {
    async fn run(mut self) -> Result<EventsVerified, Finding> {
        let published = self.copy.as_ref().map(Copy::size);
        let (count, signed) = self.db.as_ref().map_or((0, 0), |d| (d.count, d.signed));
        let end = count.max(signed).max(published.unwrap_or(0));
        self.check_held()?;
        for from in (0..end).step_by(TILE as usize) {
            let stored = match &mut self.db {
                Some(db) => Some(db.page(from).await?),
                None => None,
            };
            let page = match &self.copy {
                Some(copy) => copy.page(from)?,
                None => CopyPage::default(),
            };
            for index in from..end.min(from + TILE) {
                let leaf = match &stored {
                    Some(stored) => {
                        let leaf = self.stored_leaf(index, end, stored, &page, from).await?;
                        self.check_copied(index, leaf, &page, from)?;
                        leaf
                    }
                    None => self.copied_leaf(index, &page, from)?,
                };
                let complete = self.tree.push(leaf);
                if let Some(stored) = &stored {
                    check_nodes(index, &complete, stored)?;
                }
                for (above, hash) in complete.iter().skip(HEIGHT.into()).step_by(8).enumerate() {
                    if self.subtrees.len() <= above {
                        self.subtrees.push(Vec::new());
                    }
                    self.subtrees[above].push(*hash);
                }
                if published == Some(index + 1) {
                    self.check_published()?;
                }
                self.check_held()?;
            }
        }
        if let Some(held) = self.held.iter().find(|h| h.checkpoint.size > end) {
            let (from, held) = (held.from.clone(), held.checkpoint.size);
            return Err(Finding::RolledBack { from, index: end, held });
        }
        if let Some(published) = published.filter(|p| *p < count) {
            return Err(Finding::CopyBehind { published, stored: count });
        }
        if let Some(db) = &mut self.db {
            db.check_nothing_else().await?;
        }
        let newest = match (self.db, self.copy) {
            (Some(db), _) => db.newest,
            (None, Some(copy)) => copy.checkpoint.map(|_| copy.text),
            (None, None) => None,
        };
        Ok(EventsVerified { events: end, checkpoint: newest, held: self.held.len() })
    }

    /// The leaf at `index` by the database, after checking it against the signed checkpoint.
    async fn stored_leaf(
        &mut self,
        index: u64,
        end: u64,
        stored: &StoredPage,
        page: &CopyPage,
        from: u64,
    ) -> Result<Hash, Finding> {
        let place = Place::Database;
        let bad = |what| Err(Finding::Event { index, what, place });
        let (count, signed) = self.db.as_ref().map_or((0, 0), |d| (d.count, d.signed));
        let Some(row) = stored.rows.get(&index) else {
            return bad(if index < count { Tamper::Deleted } else { Tamper::Cut { of: end } });
        };
        let at = (index - from) as usize;
        let size = index + 1;
        let fault = |what| Finding::Checkpoint { size, what, place };
        let Some(note) = stored.checkpoints.get(&size) else {
            if index < signed || page.entries.len() > at {
                return Err(fault(CheckpointFault::Missing));
            }
            return bad(Tamper::Inserted);
        };
        let checkpoint =
            checkpoint::read(note, &self.key).map_err(|why| fault(CheckpointFault::Note(why)))?;
        if checkpoint.size != size {
            return Err(fault(CheckpointFault::Size));
        }
        let leaf = record_hash(row.event.as_bytes());
        if self.tree.root_with(leaf) != checkpoint.root {
            let here = claim(row.event.as_bytes());
            let (mut next, mut there) = (None, None);
            if let Some(db) = &mut self.db {
                next = db.claim(size).await?;
                there = match here {
                    Some(claimed) => db.claim(claimed).await?,
                    None => None,
                };
            }
            return bad(classify(index, here, next, there));
        }
        if row.leaf_hash != leaf.to_string() {
            return bad(Tamper::LeafHash);
        }
        if StoredEvent::parse(&row.event).is_none_or(|e| store::columns(&e) != row.columns) {
            return bad(Tamper::Columns);
        }
        Ok(leaf)
    }

    /// The copy must hold what the database was found to hold rightly.
    fn check_copied(
        &self,
        index: u64,
        leaf: Hash,
        page: &CopyPage,
        from: u64,
    ) -> Result<(), Finding> {
        let at = (index - from) as usize;
        let (Some(entry), Some(hash)) = (page.entries.get(at), page.hashes.get(at)) else {
            return Ok(());
        };
        if record_hash(entry) != leaf {
            return Err(self.bad_entry(index, entry));
        }
        if *hash != leaf {
            return Err(Finding::Event { index, what: Tamper::LeafHash, place: Place::Copy });
        }
        Ok(())
    }

    /// The leaf at `index` by the copy alone: entry and tile must agree.
    fn copied_leaf(&self, index: u64, page: &CopyPage, from: u64) -> Result<Hash, Finding> {
        let at = (index - from) as usize;
        let (Some(entry), Some(hash)) = (page.entries.get(at), page.hashes.get(at)) else {
            return Err(Finding::Unreadable(Place::Copy));
        };
        if record_hash(entry) == *hash { Ok(*hash) } else { Err(self.bad_entry(index, entry)) }
    }

    fn bad_entry(&self, index: u64, entry: &[u8]) -> Finding {
        let claim_at = |place: u64| {
            let copy = self.copy.as_ref().filter(|c| place < c.size())?;
            let page = copy.page(place - place % TILE).ok()?;
            claim(page.entries.get((place % TILE) as usize)?)
        };
        let here = claim(entry);
        let what = classify(index, here, claim_at(index + 1), here.and_then(claim_at));
        Finding::Event { index, what, place: Place::Copy }
    }

    /// The copy's checkpoint and upper tiles, when the tree has the size they speak of.
    fn check_published(&self) -> Result<(), Finding> {
        let Some((copy, checkpoint)) = self.copy.as_ref().and_then(|c| Some((c, c.checkpoint?)))
        else {
            return Ok(());
        };
        for tile in layout::tiles_between(0, checkpoint.size) {
            let Some(level @ 1..) = tile.level else { continue };
            let first = tile.index * TILE;
            let events_per_hash = 1_u64 << (HEIGHT * level);
            let ours = &self.subtrees[usize::from(level) - 1];
            for (i, hash) in copy.hashes(tile, first * events_per_hash)?.into_iter().enumerate() {
                let at = first + i as u64;
                if ours.get(at as usize) != Some(&hash) {
                    let index = at * events_per_hash;
                    return Err(Finding::File { path: tile.path(), index, missing: false });
                }
            }
        }
        if self.tree.root() == checkpoint.root {
            return Ok(());
        }
        let size = checkpoint.size;
        if self.db.is_some() {
            // The database's own signed checkpoint of this size agreed: two were signed.
            let what = CheckpointFault::Root;
            return Err(Finding::Checkpoint { size, what, place: Place::Copy });
        }
        Err(Finding::Somewhere { index: self.agreed, size })
    }

    /// Checkpoints found elsewhere that speak of the size reached.
    fn check_held(&mut self) -> Result<(), Finding> {
        let size = self.tree.size();
        let mut due = self.held.iter().filter(|h| h.checkpoint.size == size).peekable();
        if due.peek().is_none() {
            return Ok(());
        }
        let root = self.tree.root();
        if let Some(other) = due.find(|h| h.checkpoint.root != root) {
            let from = other.from.clone();
            return Err(Finding::Forked { from, index: self.agreed, held: size });
        }
        self.agreed = size;
        Ok(())
    }
}

fn check_nodes(index: u64, complete: &[Hash], stored: &StoredPage) -> Result<(), Finding> {
    let first = stored_hash_index(0, index);
    let right = complete
        .iter()
        .enumerate()
        .all(|(i, hash)| stored.nodes.0.get(&(first + i as u64)) == Some(hash));
    if right {
        return Ok(());
    }
    Err(Finding::Event { index, what: Tamper::Node, place: Place::Database })
}
