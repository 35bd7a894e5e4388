//! A predecessor's register taken over: persons with their notices and regimes, past stops.
//!
//! Enters: CSV files ([`layout`](self) in the operating manual), persons or stops by their header. Leaves: rows of the
//! register of notices, stops with their suppression, one event for each batch, a reconciliation report. Refuses: rows that
//! would not stand on our own register, each by a rule with its position; a stop is never refused for want of a detail.
//!
//! A file is read as a stream; a batch is committed whole or not at all. The import's id comes from the file's digest: the
//! same file again, or after a crash, goes on behind the last batch committed and gives the same report. Memory: eight
//! bytes for each notice and for each person of a regime (to tell what is known), and one batch.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `stop`, `receipt_record`

mod decide;
mod layout;
mod report;
mod run;
mod seen;
mod stops;

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    path::PathBuf,
};

use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, kinds};
use kiban_register::stop;
use sha2::{Digest as _, Sha256};

use crate::{Deployment, Error};
use decide::Known;
use run::Run;
use seen::Seen;

pub use layout::ImportKind;
pub use report::{ImportCounts, ImportReport, PersonCounts, RuleCount, import_rule_ja};

/// Rows of persons in a batch, if nothing else is asked for.
const BATCH: u64 = 100_000;

/// Which file to take over, and in which batches.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The file.
    pub path: PathBuf,
    /// Rows of persons in a batch. An import that was begun goes on with the size it began with.
    pub batch_rows: u64,
}

impl ImportRequest {
    /// A file in batches of 100,000 rows.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), batch_rows: BATCH }
    }
}

/// How far an import is: rows read so far.
pub type ImportProgress<'a> = &'a mut (dyn FnMut(u64) + Send);

/// Takes over one file. Stops go first: import the file of stops before that of persons, so that nobody who said no comes
/// back.
///
/// # Errors
/// The actor may not, the file cannot be read or has an unknown header, or lake, database or log failed; batches committed
/// before stay, and the same call goes on behind them.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`, `stop`
pub async fn import_register(
    on: &Deployment,
    actor: &Actor,
    request: &ImportRequest,
    told: ImportProgress<'_>,
) -> Result<ImportReport, Error> {
    let permit = permit(actor, Act::ImportRegister)?;
    let mut file =
        File::open(&request.path).map_err(Error::io("read the predecessor's register"))?;
    let digest = digest(&mut file)?;
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_bytes()[..16]);
    let import: Id<kinds::Delivery> = Id::from_bytes(id);
    let rows = layout::open(&file).ok_or(Error::Field {
        field: "file",
        ja: "見出しが引継ぎの様式と違います。様式（docs/operating/register.md）を確かめてください。",
    })?;
    let kind = rows.kind;
    let mut conn = on.reader().await?;
    let keys = on.register_keys().await?;
    let known = Known::load(&mut conn, keys, on.rules.clone(), on.today()).await?;
    drop(conn);
    let mut run = Run {
        on,
        permit: &permit,
        import,
        digest,
        known,
        seen: Seen::default(),
        counts: ImportCounts::default(),
        batch: 0,
        batch_rows: request.batch_rows.max(1),
        done: Vec::new(),
        taken: Vec::new(),
    };
    let before = run.begin().await?;
    match kind {
        ImportKind::Persons => run.persons(rows, told).await?,
        ImportKind::Stops => run.stops(rows, told).await?,
    }
    let after = run.seen.counts();
    let (taken, batches, known_batches) =
        (std::mem::take(&mut run.taken), run.batch, run.done.len() as u64);
    let counts = std::mem::take(&mut run.counts);
    let withdrawals_waiting = stops::withdraw(on, actor, &taken).await?;
    let mut conn = on.reader().await?;
    let stops_open = stop::open(&mut conn).await?.len() as u64;
    drop(conn);
    run.end(&counts).await?;
    Ok(ImportReport {
        import,
        sha256: digest.to_string(),
        kind,
        batches: batches - known_batches.min(batches),
        batches_before: known_batches.min(batches),
        counts,
        before,
        after,
        stops_open,
        withdrawals_waiting,
    })
}

/// The digest of the whole file, which is then read from its beginning again.
fn digest(file: &mut File) -> Result<Digest, Error> {
    let failed = || Error::io("read the predecessor's register");
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(failed())? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    file.rewind().map_err(failed())?;
    let hex = hex::encode(hasher.finalize());
    hex.parse().map_err(|_| Error::Unknown { what: "digest" })
}
