//! The log: one transaction of the governance database, one event, one signed checkpoint.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use kiban_govern::Actor;
use kiban_kernel::{Clock, Steps, Timestamp};
use serde_json::Value;
use sqlx::{Any, AnyConnection, Transaction, error::ErrorKind};
use tlog_tiles::{checkpoint::Checkpoint, tlog};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    checkpoint,
    db::{Db, Engine},
    event::{self, Event, StoredEvent},
    identified::Receipt,
    note::{self, NoteError},
    publish::{PublishError, Publisher},
    signer::LogSigner,
    store::{self, EventRow},
    tree,
};

/// Why the log could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The database failed; nothing was committed.
    #[error("the database failed")]
    Db(#[source] sqlx::Error),
    /// Another writer was faster or holds the database; trying again may succeed.
    #[error("another writer holds the log")]
    Busy(#[source] sqlx::Error),
    /// The event's body is neither an object nor null.
    #[error("an event's body must be an object")]
    Body,
    /// A note has the name of a field of the body.
    #[error("the note {0} is also a field of the event's body")]
    NoteTwice(&'static str),
    /// A string of the event is not short printable ASCII: it may be somebody's data.
    #[error("string {string} of the event is not an opaque id or code")]
    NotOpaque {
        /// Which string, in reading order, from 1.
        string: u32,
    },
    /// The event is longer than an entry of the log may be.
    #[error("the event has {bytes} bytes, {max} are allowed", max = event::MAX_EVENT)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The stored tree is not the one that was signed last: run the verifier.
    #[error("the stored tree is not the one that was signed last")]
    Damaged,
    /// The last checkpoint is not signed with this key.
    #[error("the log was signed with another key")]
    OtherKey,
    /// The checkpoint could not be signed.
    #[error("the checkpoint cannot be signed")]
    Sign(#[source] NoteError),
    /// The published copy could not be completed or contradicts the database.
    #[error("the published copy cannot be completed")]
    Publish(#[from] PublishError),
}

impl LogError {
    /// Whether doing the whole transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Db(_) => "データベースの処理に失敗しました。何も記録されていません。空き容量と権限を確認してください。".into(),
            Self::Busy(_) => "他の処理が記録中です。しばらくしてからやり直してください。".into(),
            Self::Body | Self::NoteTwice(_) => "記録の形式が正しくありません（プログラムの誤り）。".into(),
            Self::NotOpaque { string } => format!(
                "記録の{string}番目の文字列が識別子・符号ではありません。記録には値を書けません。"
            ),
            Self::TooLong { bytes } => {
                format!("記録が長すぎます（{bytes}バイト、上限{}バイト）。", event::MAX_EVENT)
            }
            Self::Damaged => "監査ログのハッシュが壊れています。kiban audit verify で確認してください。".into(),
            Self::OtherKey => {
                "監査ログは別の鍵で署名されています。keys フォルダが正しいか確認してください。".into()
            }
            Self::Sign(e) => e.ja(),
            Self::Publish(e) => e.ja(),
        }
    }
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        if is_busy(&error) { Self::Busy(error) } else { Self::Db(error) }
    }
}

/// SQLITE_BUSY and its kin; PostgreSQL's serialization failure, deadlock, lock timeout; and the
/// unique index that decides a race of two writers.
fn is_busy(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return matches!(error, sqlx::Error::PoolTimedOut);
    };
    let code = error.code();
    matches!(code.as_deref(), Some("5" | "6" | "261" | "262" | "517" | "40001" | "40P01" | "55P03"))
        || (error.kind() == ErrorKind::UniqueViolation && error.message().contains("audit_event"))
}

struct Inner {
    db: Db,
    signer: LogSigner,
    clock: Arc<dyn Clock>,
    steps: Arc<dyn Steps>,
    publisher: Publisher,
    turn: Arc<Mutex<()>>,
}

/// How long a writer waits for the one before it.
const TURN: Duration = Duration::from_secs(30);

/// The audit log. Cloning shares it.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

/// What a commit gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The event's place in the log, from 0.
    pub index: u64,
    /// The signed checkpoint of the log up to and with this event.
    pub checkpoint: String,
    /// Whether the copy in `audit/` has it already. If not (the disk was full, say), the next
    /// commit or the next opening completes the copy; the transaction stands in either case.
    pub published: bool,
}

impl Log {
    /// Open the log over a migrated database, and complete the copy in `audit_dir` if the process
    /// ended between a commit and its publication.
    ///
    /// # Errors
    /// The database fails; the log was signed with another key; the copy contradicts the database
    /// (one of them was rolled back or replaced).
    pub async fn open(
        db: Db,
        audit_dir: PathBuf,
        signer: LogSigner,
        clock: Arc<dyn Clock>,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, LogError> {
        let mut conn = db.pool().acquire().await?;
        if let Some((_, text)) = store::last_checkpoint(&mut conn).await? {
            let last = checkpoint::read(&text, signer.verify_key());
            let last = last.map_err(|_| LogError::OtherKey)?;
            if store::count(&mut conn).await? != last.size {
                return Err(LogError::Damaged);
            }
        }
        drop(conn);
        let publisher = Publisher::new(audit_dir, signer.verify_key().clone());
        publisher.publish_all(&db, &*steps).await?;
        let turn = Arc::default();
        Ok(Self(Arc::new(Inner { db, signer, clock, steps, publisher, turn })))
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The key that verifies this log's checkpoints.
    pub fn verify_key(&self) -> &note::VerifyKey {
        self.0.signer.verify_key()
    }

    /// Begin a transaction. There is one writer at a time: the call waits for the one before, so do
    /// not call it (nor [`Log::read`]) while holding a transaction.
    ///
    /// # Errors
    /// The database fails, or the wait was too long ([`LogError::Busy`]).
    pub async fn begin(&self) -> Result<Tx, LogError> {
        // Wait here rather than in the database, so that who waits holds no connection.
        let turn = tokio::time::timeout(TURN, self.0.turn.clone().lock_owned())
            .await
            .map_err(|_| LogError::Busy(sqlx::Error::PoolTimedOut))?;
        let pool = self.0.db.pool();
        let inner = match self.0.db.engine() {
            Engine::Sqlite => pool.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => {
                let mut tx = pool.begin().await?;
                store::lock(&mut tx).await?;
                tx
            }
        };
        // Read after the lock is held, so that instants and places in the log have one order.
        let now = self.0.clock.now();
        Ok(Tx { log: self.clone(), inner, now, notes: BTreeMap::new(), turn })
    }

    /// How many events the log has.
    ///
    /// # Errors
    /// The database fails.
    pub async fn size(&self) -> Result<u64, LogError> {
        let mut conn = self.0.db.pool().acquire().await?;
        Ok(store::count(&mut conn).await?)
    }

    /// The newest signed checkpoint, for what is handed to somebody; none of an empty log.
    ///
    /// # Errors
    /// The database fails.
    pub async fn checkpoint(&self) -> Result<Option<String>, LogError> {
        let mut conn = self.0.db.pool().acquire().await?;
        Ok(store::last_checkpoint(&mut conn).await?.map(|(_, text)| text))
    }

    /// All events about `subject`, oldest first.
    ///
    /// # Errors
    /// The database fails, or a row is damaged.
    pub async fn about(&self, subject: &str) -> Result<Vec<StoredEvent>, LogError> {
        let mut conn = self.0.db.pool().acquire().await?;
        let texts = store::about(&mut conn, subject).await?;
        texts.iter().map(|t| StoredEvent::parse(t).ok_or(LogError::Damaged)).collect()
    }

    /// Record that `actor` opens identified data for `purpose` (a code), about `subject` (an opaque
    /// id), and give the receipt that opens it.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn read(
        &self,
        actor: &Actor,
        purpose: &str,
        subject: &str,
    ) -> Result<Receipt, LogError> {
        let event = Event {
            kind: "identified.opened",
            actor,
            subject: subject.to_owned(),
            law: None,
            body: serde_json::json!({ "purpose": purpose }),
        };
        let (_, receipt) = self.begin().await?.commit_reading(event).await?;
        Ok(receipt)
    }

    /// Events `from..to`, oldest first. A row whose text is no event is [`LogError::Damaged`].
    ///
    /// # Errors
    /// The database fails, or a row is damaged.
    pub async fn events(&self, from: u64, to: u64) -> Result<Vec<StoredEvent>, LogError> {
        let mut conn = self.0.db.pool().acquire().await?;
        let rows = store::events(&mut conn, from, to).await?;
        rows.iter().map(|r| StoredEvent::parse(&r.event).ok_or(LogError::Damaged)).collect()
    }

    /// Bring the copy in `audit/` up to the database.
    ///
    /// # Errors
    /// The copy cannot be written, or contradicts the database.
    pub async fn publish(&self) -> Result<(), LogError> {
        Ok(self.0.publisher.publish_new(&self.0.db, &*self.0.steps).await?)
    }
}

/// Calls `f` with every event of a database, oldest first, a page at a time, without opening its log. Pages go
/// by the place of the row, never by the index that a text claims, so that a tampered log ends too.
///
/// # Errors
/// The database fails, or a row is damaged.
pub async fn each_event(db: &Db, mut f: impl FnMut(StoredEvent)) -> Result<(), LogError> {
    const PAGE: u64 = 1_000;
    let mut conn = db.pool().acquire().await?;
    let mut from = 0;
    loop {
        let rows = store::events(&mut conn, from, from + PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.index + 1;
        for row in &rows {
            f(StoredEvent::parse(&row.event).ok_or(LogError::Damaged)?);
        }
    }
}

/// A transaction of the governance database. It ends in [`Tx::commit`], which appends exactly one
/// event; dropped, it is rolled back.
pub struct Tx {
    log: Log,
    inner: Transaction<'static, Any>,
    now: Timestamp,
    notes: BTreeMap<&'static str, Vec<Value>>,
    /// After `inner`, so that the rollback is under way before the next writer begins.
    turn: OwnedMutexGuard<()>,
}

impl Tx {
    /// The connection, for statements with `$1` placeholders.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The transaction's one instant.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The place in the log, from 0, that this transaction's event will have. There is one writer at a time, so nobody
    /// takes it meanwhile.
    ///
    /// # Errors
    /// The database fails.
    pub async fn place(&mut self) -> Result<u64, LogError> {
        Ok(store::count(&mut self.inner).await?)
    }

    /// Add a fact to the event that will be committed, as field `key` of its body. A second note
    /// with the same key makes a list; [`StoredEvent::notes`] reads both forms.
    pub fn note(&mut self, key: &'static str, value: Value) {
        self.notes.entry(key).or_default().push(value);
    }

    /// Append the event, sign the checkpoint, commit everything together, and publish.
    ///
    /// # Errors
    /// The event is refused, the log is damaged, or the database fails: then nothing is committed.
    pub async fn commit(mut self, event: Event<'_>) -> Result<Committed, LogError> {
        let conn = &mut *self.inner;
        let index = store::count(&mut *conn).await?;
        let text = event::encode(&event, index, self.now, std::mem::take(&mut self.notes))?;
        let stored = StoredEvent::parse(&text).ok_or(LogError::Damaged)?;
        let leaf = tlog::record_hash(text.as_bytes());
        let known = store::nodes_at(&mut *conn, &tree::needed_for(index)).await?;
        let signer = &self.log.0.signer;
        // Never sign on top of a tree that is not the one signed last.
        let last = match store::last_checkpoint(&mut *conn).await? {
            Some((_, text)) => {
                checkpoint::read(&text, signer.verify_key()).map_err(|_| LogError::Damaged)?
            }
            None => checkpoint::Verified { size: 0, root: tlog::EMPTY_HASH },
        };
        let before = tlog::tree_hash(index, &known).map_err(|_| LogError::Damaged)?;
        if last != (checkpoint::Verified { size: index, root: before }) {
            return Err(LogError::Damaged);
        }
        let (nodes, root) = tree::append(index, leaf, known).map_err(|_| LogError::Damaged)?;
        let unsigned = Checkpoint::new(signer.origin(), index + 1, root, "")
            .map_err(|_| LogError::Sign(NoteError::Text))?;
        let text_of =
            String::from_utf8(unsigned.to_bytes()).map_err(|_| LogError::Sign(NoteError::Text))?;
        let checkpoint = note::sign(&text_of, signer.key()).map_err(LogError::Sign)?;
        store::add(&mut *conn, &EventRow::of(&stored, text, leaf), &nodes, &checkpoint).await?;

        let Inner { db, steps, publisher, .. } = &*self.log.0;
        steps.step("audit.before_commit");
        self.inner.commit().await?;
        drop(self.turn);
        steps.step("audit.after_commit");
        // The transaction stands; a copy that could not be written is completed later.
        let published = publisher.publish_new(db, &**steps).await.is_ok();
        steps.step("audit.exported");
        Ok(Committed { index, checkpoint, published })
    }

    /// As [`Tx::commit`], for an act that also opens identified data: the event is the record of
    /// the opening.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit_reading(self, event: Event<'_>) -> Result<(Committed, Receipt), LogError> {
        let committed = self.commit(event).await?;
        let receipt = Receipt::mint(committed.index, committed.checkpoint.clone());
        Ok((committed, receipt))
    }

    /// Roll back now, and wait for it. (Dropping rolls back too, without waiting.)
    ///
    /// # Errors
    /// The database fails; the transaction is rolled back by it all the same.
    pub async fn rollback(self) -> Result<(), LogError> {
        Ok(self.inner.rollback().await?)
    }
}
