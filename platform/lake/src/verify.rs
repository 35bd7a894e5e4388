//! Verification, offline and without keys: the files against the catalog, the catalog against the events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use kiban_audit::{Db, LogError, StoredEvent};
use kiban_kernel::Digest;

use crate::{
    LakeError,
    catalog::{self, ContainerRow, Summary},
    collect,
    lake::blocking,
};

/// What does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A file of the catalog is not on disk.
    Missing {
        /// Its path under the lake's folder.
        path: String,
    },
    /// A file's bytes are not those the catalog has.
    Changed {
        /// Its path under the lake's folder.
        path: String,
        /// Size the catalog has.
        bytes: u64,
        /// Size on disk.
        found: u64,
    },
    /// A file's bytes are those of another file of the catalog.
    Swapped {
        /// Its path under the lake's folder.
        path: String,
        /// Whose bytes it has.
        with: String,
    },
    /// A file that the catalog does not name.
    Foreign {
        /// Its path under the lake's folder.
        path: String,
    },
    /// The bytes of an erased file are still there: collect.
    NotRemoved {
        /// Its path under the lake's folder.
        path: String,
    },
    /// The catalog's rows of a snapshot are not those its event recorded.
    Rows {
        /// The snapshot.
        snapshot: u64,
        /// The table, or `source` for containers.
        table: String,
        /// The event.
        event: u64,
    },
    /// There are not as many keys of source bytes as the events say.
    Keys {
        /// Keys made less keys destroyed, by the events.
        recorded: u64,
        /// Keys there are.
        found: u64,
    },
    /// The catalog has a snapshot that no event recorded.
    NoEvent {
        /// The snapshot.
        snapshot: u64,
    },
    /// An event recorded a snapshot that the catalog does not have, or another event has too.
    NoSnapshot {
        /// The snapshot.
        snapshot: u64,
        /// The event.
        event: u64,
    },
}

impl Finding {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Missing { path } => {
                format!("保管庫のファイル {path} がありません。控えから戻してください。")
            }
            Self::Changed { path, bytes, found } if bytes != found => {
                format!(
                    "保管庫のファイル {path} の長さが変わっています（記録 {bytes} バイト、現在 {found} バイト）。"
                )
            }
            Self::Changed { path, .. } => {
                format!("保管庫のファイル {path} が書き換えられています。")
            }
            Self::Swapped { path, with } => {
                format!("保管庫のファイル {path} の中身が {with} のものと入れ替わっています。")
            }
            Self::Foreign { path } => format!("保管庫に、目録にないファイル {path} があります。"),
            Self::NotRemoved { path } => {
                format!("消去済みのファイル {path} が残っています。一度起動すると回収されます。")
            }
            Self::Rows { snapshot, table, event } => {
                format!(
                    "スナップショット {snapshot} の {table} の目録が、記録 {event} と一致しません。"
                )
            }
            Self::Keys { recorded, found } => {
                format!(
                    "原本の鍵の数（{found}）が、記録から計算した数（{recorded}）と一致しません。"
                )
            }
            Self::NoEvent { snapshot } => {
                format!("スナップショット {snapshot} を記録した監査記録がありません。")
            }
            Self::NoSnapshot { snapshot, event } => {
                format!("記録 {event} のスナップショット {snapshot} が目録にありません。")
            }
        }
    }
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilesVerified {
    /// Files whose bytes were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Snapshots compared with their events.
    pub snapshots: u64,
    /// What does not agree; empty when all is well.
    pub findings: Vec<Finding>,
}

/// Why verification could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The lake or its catalog cannot be read.
    #[error("the lake cannot be read")]
    Lake(#[source] LakeError),
    /// The events cannot be read: verify the log first.
    #[error("the events cannot be read")]
    Events(#[source] LogError),
}

impl VerifyError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Lake(e) => e.ja(),
            Self::Events(e) => e.ja(),
        }
    }
}

/// Compare the lake's folder `dir` with the catalog, and the catalog with the events. Reads only.
/// Verify the log itself first: what stands here is as good as the events.
///
/// # Errors
/// Something cannot be read at all; what is merely wrong is a [`Finding`].
pub async fn verify_files(db: &Db, dir: &Path) -> Result<FilesVerified, VerifyError> {
    let mut conn = db.pool().acquire().await.map_err(|e| VerifyError::Lake(e.into()))?;
    let files = catalog::files(&mut conn).await.map_err(VerifyError::Lake)?;
    let containers = catalog::containers(&mut conn).await.map_err(VerifyError::Lake)?;
    let snapshots = catalog::snapshots(&mut conn).await.map_err(VerifyError::Lake)?;
    let keys = catalog::keys(&mut conn).await.map_err(VerifyError::Lake)?;
    drop(conn);
    // Of a long log the few events that changed the lake are kept.
    let mut events = Vec::new();
    kiban_audit::each_event(db, |event| {
        if !event.notes("lake").is_empty() {
            events.push(event);
        }
    })
    .await
    .map_err(VerifyError::Events)?;

    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for f in &files {
        let erased = f.erased.is_some();
        known.insert(
            f.file.path.clone(),
            Known { digest: f.file.digest, bytes: f.file.bytes, erased },
        );
    }
    for c in &containers {
        known.insert(
            c.path.clone(),
            Known { digest: c.digest, bytes: c.bytes, erased: c.erased.is_some() },
        );
    }
    let root = dir.to_owned();
    let mut report = blocking(move || {
        compare_files(&root, &known).map_err(LakeError::io("read the lake's files"))
    })
    .await
    .map_err(VerifyError::Lake)?;
    report.snapshots = snapshots.len() as u64;
    report.findings.extend(compare_keys(keys, &containers, &events));
    report.findings.extend(compare_events(
        &Summary::of_rows(&files, &containers),
        &snapshots,
        &events,
    ));
    Ok(report)
}

struct Known {
    digest: Digest,
    bytes: u64,
    erased: bool,
}

fn compare_files(root: &Path, known: &BTreeMap<String, Known>) -> io::Result<FilesVerified> {
    let mut report = FilesVerified::default();
    let on_disk: BTreeMap<_, _> = match collect::walk(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        found => found?.into_iter().collect(),
    };
    let owners: BTreeMap<Digest, &String> =
        known.iter().map(|(path, k)| (k.digest, path)).collect();
    for (path, k) in known.iter().filter(|(_, k)| !k.erased) {
        let Some(place) = on_disk.get(path) else {
            report.findings.push(Finding::Missing { path: path.clone() });
            continue;
        };
        let (digest, found) = hash(place)?;
        report.files += 1;
        report.bytes += found;
        if digest != k.digest {
            report.findings.push(match owners.get(&digest) {
                Some(with) => Finding::Swapped { path: path.clone(), with: (*with).clone() },
                None => Finding::Changed { path: path.clone(), bytes: k.bytes, found },
            });
        }
    }
    for path in on_disk.into_keys() {
        match known.get(&path) {
            None => report.findings.push(Finding::Foreign { path }),
            Some(k) if k.erased => report.findings.push(Finding::NotRemoved { path }),
            Some(_) => {}
        }
    }
    Ok(report)
}

fn hash(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        context.update(&buffer[..n]);
        bytes += n as u64;
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok((Digest::from_bytes(digest), bytes))
}

/// The counts are as good as the containers' rows, which [`compare_events`] holds against the events.
fn compare_keys(
    found: u64,
    containers: &[ContainerRow],
    events: &[StoredEvent],
) -> Option<Finding> {
    let made: u64 = containers.iter().map(|c| c.persons).sum();
    let notes = events.iter().flat_map(|e| e.notes("lake"));
    let destroyed: u64 = notes.filter_map(|n| n["keys_destroyed"].as_u64()).sum();
    let recorded = made.saturating_sub(destroyed);
    (recorded != found).then_some(Finding::Keys { recorded, found })
}

fn compare_events(
    rows: &BTreeMap<u64, Summary>,
    snapshots: &[u64],
    events: &[StoredEvent],
) -> Vec<Finding> {
    let (mut findings, mut recorded) = (Vec::new(), BTreeSet::new());
    let snapshots: BTreeSet<u64> = snapshots.iter().copied().collect();
    let none = BTreeMap::new();
    for (event, note) in
        events.iter().flat_map(|e| e.notes("lake").iter().map(move |n| (e.index, n)))
    {
        let snapshot = note["snapshot"].as_u64().unwrap_or(0);
        if !snapshots.contains(&snapshot) || !recorded.insert(snapshot) {
            findings.push(Finding::NoSnapshot { snapshot, event });
            continue;
        }
        let said: BTreeMap<String, String> = (note["tables"].as_array().into_iter().flatten())
            .filter_map(|t| {
                Some((t["table"].as_str()?.to_owned(), t["digest"].as_str()?.to_owned()))
            })
            .collect();
        let found = rows.get(&snapshot).map_or_else(|| none.clone(), Summary::digests);
        let tables: BTreeSet<&String> = said.keys().chain(found.keys()).collect();
        for table in tables.into_iter().filter(|t| said.get(*t) != found.get(*t)) {
            findings.push(Finding::Rows { snapshot, table: table.clone(), event });
        }
    }
    let claimed = snapshots.iter().chain(rows.keys()).copied().collect::<BTreeSet<_>>();
    findings.extend(claimed.difference(&recorded).map(|s| Finding::NoEvent { snapshot: *s }));
    findings
}
