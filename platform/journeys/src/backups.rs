//! Backups: where they are, how long they are kept, and the list of erasures that a restored one is brought up to.
//!
//! A backup cannot be rewritten, so what a stop erased is in those that are older. The store acknowledges a stop when
//! every such backup is known with the day on which it ends, and the stop is on the *list of erasures*: a signed file
//! (`erasures.note`) to be kept apart from all backups. After a restore, [`erase_again`] reads it, puts the stops back on
//! the register that the backup lacks, and erases again. The list names nobody: keyed ids and hashes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use kiban_audit::{
    Event, Log, LogSigner, Tx,
    note::{self, VerifyKey},
};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Date, Id, LawKey, Timestamp, jst_date, kinds};
use kiban_register::{
    Ack, EraseError, Erases, ErasureOrder,
    stop::{self, Applied, OnList},
};
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{Deployment, Error, stop_datasets, stop_request::apply_stop, stop_stores::STORES};

/// Name of the list of erasures in the deployment's folder.
pub const ERASURES: &str = "erasures.note";
const TITLE: &str = "kiban.erasures/1";
/// Stops on one signed list; more make another list.
const PER_NOTE: usize = 400;

type BackupId = Id<kinds::Event>;

/// A backup on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Number of stops that were received by then.
    pub stop_watermark: u64,
    /// Where it is.
    pub place: String,
    /// Day by which it is destroyed.
    pub keep_until: Date,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
}

async fn all(conn: &mut AnyConnection) -> Result<Vec<Backup>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, made_at, stop_watermark, place, keep_until, destroyed_at FROM journeys_backup ORDER BY made_at, id",
    )
    .fetch_all(conn)
    .await?;
    let damaged = || sqlx::Error::Decode("journeys_backup".into());
    rows.iter()
        .map(|row| {
            let text = |i: usize| row.try_get::<String, _>(i);
            Ok(Backup {
                id: text(0)?.parse().map_err(|_| damaged())?,
                made_at: text(1)?.parse().map_err(|_| damaged())?,
                stop_watermark: row.try_get::<i64, _>(2)?.unsigned_abs(),
                place: text(3)?,
                keep_until: text(4)?.parse().map_err(|_| damaged())?,
                destroyed_at: row
                    .try_get::<Option<String>, _>(5)?
                    .map(|t| t.parse().map_err(|_| damaged()))
                    .transpose()?,
            })
        })
        .collect()
}

/// The backups on record, oldest first.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn backups(on: &Deployment, actor: &Actor) -> Result<Vec<Backup>, Error> {
    permit(actor, Act::ReviewStops)?;
    Ok(all(&mut *on.reader().await?).await?)
}

/// Put a backup on record when it is made.
///
/// # Errors
/// The actor may not, the place is empty, the day has passed, or the log failed.
/// # Law
/// `erasure`
pub async fn record_backup(
    on: &Deployment,
    actor: &Actor,
    place: &str,
    keep_until: Date,
) -> Result<Backup, Error> {
    let permit = permit(actor, Act::KeepBackups)?;
    let place = place.trim();
    if place.is_empty() || place.chars().count() > 200 {
        return Err(Error::Field {
            field: "place", ja: "複製の保管場所を書いてください。"
        });
    }
    if keep_until < on.today() {
        return Err(Error::Field {
            field: "keep_until", ja: "保管期限が過ぎています。"
        });
    }
    let id: BackupId = on.new_id()?;
    let mut tx = on.log.begin().await?;
    let backup = Backup {
        id,
        made_at: tx.now(),
        stop_watermark: stop::watermark(tx.conn()).await?,
        place: place.to_owned(),
        keep_until,
        destroyed_at: None,
    };
    sqlx::query(
        "INSERT INTO journeys_backup (id, made_at, stop_watermark, place, keep_until) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(backup.id.to_string())
    .bind(backup.made_at.to_string())
    .bind(i64::try_from(backup.stop_watermark).unwrap_or(i64::MAX))
    .bind(backup.place.clone())
    .bind(backup.keep_until.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "backup.made",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({ "keep_until": keep_until.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(backup)
}

/// Put on record that a backup was destroyed.
///
/// # Errors
/// The actor may not, there is none, it was destroyed before, or the log failed.
/// # Law
/// `erasure`
pub async fn destroy_backup(on: &Deployment, actor: &Actor, id: BackupId) -> Result<(), Error> {
    let permit = permit(actor, Act::KeepBackups)?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_backup SET destroyed_at = $2 WHERE id = $1 AND destroyed_at IS NULL",
    )
    .bind(id.to_string())
    .bind(at)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() != 1 {
        return Err(Error::Unknown { what: "複製" });
    }
    let event = Event {
        kind: "backup.destroyed",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("erasure").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The store of backups.
pub(crate) struct Backups {
    log: Log,
    signer: LogSigner,
    path: PathBuf,
}

impl Backups {
    pub(crate) fn new(on: &Deployment) -> Self {
        Self { log: on.log.clone(), signer: on.signer.clone(), path: on.dir().join(ERASURES) }
    }
}

#[async_trait]
impl Erases for Backups {
    fn name(&self) -> &'static str {
        "backups"
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        let no = stop::find(tx.conn(), order.stop)
            .await
            .map_err(|_| EraseError::Malformed { table: "register_stop", column: "stop_no" })?
            .no;
        let today = jst_date(tx.now());
        let holding: Vec<Backup> = all(tx.conn())
            .await?
            .into_iter()
            .filter(|b| b.stop_watermark < no && b.destroyed_at.is_none())
            .collect();
        // Past its day and not on record as destroyed: nobody can say that it is gone.
        if holding.iter().any(|b| b.keep_until < today) {
            return Err(EraseError::BytesRemain);
        }
        let mut ack = Ack::default().with("on_the_list_of_erasures", 1);
        if let Some(last) = holding.iter().map(|b| b.keep_until).max() {
            let day = i64::from(last.year()) * 10_000
                + i64::from(last.month()) * 100
                + i64::from(last.day());
            ack = ack
                .with("backups_that_end", holding.len() as u64)
                .with("last_ends_on", day.unsigned_abs());
        }
        Ok(ack)
    }

    async fn sweep(&self) -> Result<(), EraseError> {
        let mut conn = self.log.db().pool().acquire().await?;
        let listed = stop::list(&mut conn)
            .await
            .map_err(|_| EraseError::Malformed { table: "register_stop", column: "id" })?;
        drop(conn);
        let text = write_list(&listed, &self.signer).map_err(|()| EraseError::Unavailable)?;
        replace(&self.path, text.as_bytes()).map_err(|_| EraseError::BytesRemain)
    }
}

/// Signed notes one after the other, each with a blank line behind it.
fn write_list(listed: &[OnList], signer: &LogSigner) -> Result<String, ()> {
    let mut out = String::new();
    for (n, part) in listed.chunks(PER_NOTE).enumerate() {
        let mut text = format!("{TITLE}\n{n}\n");
        for one in part {
            text.push_str(&serde_json::to_string(one).map_err(|_| ())?);
            text.push('\n');
        }
        out.push_str(&note::sign(&text, signer.key()).map_err(|_| ())?);
        out.push('\n');
    }
    Ok(out)
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let temporary = path.with_extension("tmp");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn read_list(text: &str, key: &VerifyKey) -> Result<Vec<OnList>, Error> {
    let refused = || Error::Field {
        field: "list",
        ja: "消去の一覧の署名を確認できません。この基盤の一覧か、書き換えられていないか確かめてください。",
    };
    let mut out = Vec::new();
    // A note is its text, a blank line, its signatures; the next begins after a blank line.
    let mut rest = text;
    while !rest.trim().is_empty() {
        let (body, after) = rest.split_once("\n\n").ok_or_else(refused)?;
        let (signatures, next) = after.split_once("\n\n").unwrap_or((after, ""));
        let whole = format!("{body}\n\n{}\n", signatures.trim_end());
        let verified = note::verify(&whole, std::slice::from_ref(key)).map_err(|_| refused())?;
        let mut lines = verified.lines();
        if lines.next() != Some(TITLE) {
            return Err(refused());
        }
        for line in lines.skip(1) {
            out.push(serde_json::from_str(line).map_err(|_| refused())?);
        }
        rest = next;
    }
    Ok(out)
}

/// After a restore: put the stops of a list of erasures back that the restored register lacks, and apply every stop that
/// is open. Stops that it has are left as they are.
///
/// # Errors
/// The actor may not, the list is not signed by this deployment's key, or the log failed.
/// # Law
/// `stop`, `erasure`
pub async fn erase_again(
    on: &Deployment,
    actor: &Actor,
    list: &Path,
) -> Result<Vec<Applied>, Error> {
    let permit = permit(actor, Act::KeepBackups)?;
    let text = fs::read_to_string(list).map_err(Error::io("read the list of erasures"))?;
    let listed = read_list(&text, on.signer.verify_key())?;
    let mut tx = on.log.begin().await?;
    let mut missing = 0_u64;
    for one in &listed {
        if stop::put_back(tx.conn(), one, &STORES).await? {
            missing += 1;
            let stop = stop::find(tx.conn(), one.id()).await?;
            stop_datasets::note(on, &mut tx, &[&stop]).await?;
        }
    }
    if missing == 0 {
        tx.rollback().await?;
    } else {
        let event = Event {
            kind: "stop.put_back",
            actor: permit.actor(),
            subject: permit.actor().organization.to_string(),
            law: LawKey::new("erasure").ok(),
            body: json!({ "stops": missing }),
        };
        let _ = tx.commit(event).await?;
    }
    let system = crate::system_actor(on).await?;
    let mut applied = Vec::new();
    for id in crate::open_stops(on).await? {
        applied.push(apply_stop(on, &system, id).await?);
    }
    Ok(applied)
}
