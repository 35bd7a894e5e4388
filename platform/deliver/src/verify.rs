//! Verification, offline and without keys: packages and manifests against the events, records against the events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufReader},
    path::Path,
};

use kiban_audit::{Db, LogError, each_event};
use kiban_kernel::Digest;

use crate::{
    DeliverError, archive,
    hand_over::{NOTE, PACKAGE, event_body},
    store,
};

/// What does not agree; paths are under the folder `packages`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A package or manifest is not there.
    Missing {
        /// Its path.
        path: String,
    },
    /// Its bytes are not those recorded.
    Changed {
        /// Its path.
        path: String,
    },
    /// Its bytes are those of another recorded file.
    Swapped {
        /// Its path.
        path: String,
        /// Whose bytes it has.
        with: String,
    },
    /// Nothing records it.
    Foreign {
        /// Its path.
        path: String,
    },
    /// Erased on record, but still there.
    NotRemoved {
        /// Its path.
        path: String,
    },
    /// The delivery record is missing or is not what the event recorded.
    Record {
        /// The dataset.
        dataset: String,
        /// The event.
        event: u64,
    },
    /// A delivery record that no event recorded.
    NoEvent {
        /// The dataset.
        dataset: String,
    },
}

impl Finding {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Missing { path } => format!(
                "提供データのファイル packages/{path} がありません。控えから戻してください。"
            ),
            Self::Changed { path } => {
                format!("提供データのファイル packages/{path} が書き換えられています。")
            }
            Self::Swapped { path, with } => {
                format!(
                    "提供データのファイル packages/{path} の中身が packages/{with} のものと入れ替わっています。"
                )
            }
            Self::Foreign { path } => format!("packages に、記録にない {path} があります。"),
            Self::NotRemoved { path } => {
                format!("消去済みの packages/{path} が残っています。一度起動すると回収されます。")
            }
            Self::Record { dataset, event } => {
                format!("提供記録 {dataset} が、監査記録 {event} と一致しません。")
            }
            Self::NoEvent { dataset } => {
                format!("提供記録 {dataset} に対応する監査記録がありません。")
            }
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "package file {path} is missing"),
            Self::Changed { path } => write!(f, "package file {path} was changed"),
            Self::Swapped { path, with } => {
                write!(f, "package file {path} has the bytes of {with}")
            }
            Self::Foreign { path } => write!(f, "package file {path} is on no record"),
            Self::NotRemoved { path } => {
                write!(f, "package {path} is erased on record and still there")
            }
            Self::Record { dataset, event } => {
                write!(f, "the delivery record of {dataset} is not what event {event} recorded")
            }
            Self::NoEvent { dataset } => write!(f, "no event recorded the delivery of {dataset}"),
        }
    }
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackagesVerified {
    /// Packages whose bytes were read.
    pub packages: u64,
    /// Packages erased.
    pub erased: u64,
    /// What does not agree; empty when all is well.
    pub findings: Vec<Finding>,
}

/// Why verification could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The folder cannot be read.
    #[error("the packages cannot be read")]
    Read(#[from] io::Error),
    /// The records cannot be read.
    #[error("the delivery records cannot be read")]
    Records(#[source] DeliverError),
    /// The events cannot be read: verify the log first.
    #[error("the events cannot be read")]
    Events(#[source] LogError),
}

impl VerifyError {
    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Read(_) => {
                "提供データのフォルダを読めません。場所と権限を確認してください。".to_owned()
            }
            Self::Records(e) => e.ja(),
            Self::Events(e) => e.ja(),
        }
    }
}

impl From<VerifyError> for DeliverError {
    fn from(e: VerifyError) -> Self {
        match e {
            VerifyError::Read(e) => Self::Read(e),
            VerifyError::Records(e) => e,
            VerifyError::Events(e) => Self::Log(e),
        }
    }
}

struct Recorded {
    event: u64,
    body: serde_json::Value,
    erased: bool,
}

async fn recorded(db: &Db) -> Result<BTreeMap<String, Recorded>, VerifyError> {
    let mut found: BTreeMap<String, Recorded> = BTreeMap::new();
    each_event(db, |e| match e.kind.as_str() {
        "dataset.delivered" => {
            found.insert(e.subject, Recorded { event: e.index, body: e.body, erased: false });
        }
        "dataset.erased" => {
            if let Some(r) = found.get_mut(&e.subject) {
                r.erased = true;
            }
        }
        _ => {}
    })
    .await
    .map_err(VerifyError::Events)?;
    Ok(found)
}

/// Compare the folder `packages` of a deployment with the events, and the delivery records with the events. Reads
/// only. Verify the log itself first: what stands here is as good as the events.
///
/// # Errors
/// Something cannot be read; what does not agree is a finding, not an error.
pub async fn verify_packages(db: &Db, deployment: &Path) -> Result<PackagesVerified, VerifyError> {
    let packages = &deployment.join("packages");
    let events = recorded(db).await?;
    let pool = db.pool();
    let mut conn = pool.acquire().await.map_err(|e| VerifyError::Records(DeliverError::from(e)))?;
    let rows = store::by_dataset(&mut conn).await.map_err(VerifyError::Records)?;
    drop(conn);
    let mut out = PackagesVerified::default();
    let mut known = BTreeSet::new();
    for row in rows.values() {
        let dataset = row.dataset.to_string();
        match events.get(&dataset) {
            None => out.findings.push(Finding::NoEvent { dataset }),
            Some(r) if r.body != event_body(row) || r.erased != row.erased_at.is_some() => {
                out.findings.push(Finding::Record { dataset, event: r.event });
            }
            Some(_) => {}
        }
    }
    let has_row = |dataset: &str| dataset.parse().is_ok_and(|id| rows.contains_key(&id));
    let mut expected: BTreeMap<String, Digest> = BTreeMap::new();
    for (dataset, r) in &events {
        if !has_row(dataset) {
            out.findings.push(Finding::Record { dataset: dataset.clone(), event: r.event });
        }
        known.insert(dataset.clone());
        if r.erased {
            out.erased += 1;
            if packages.join(dataset).exists() {
                out.findings.push(Finding::NotRemoved { path: dataset.clone() });
            }
            continue;
        }
        out.packages += 1;
        for (name, key) in [(PACKAGE, "package"), (NOTE, "manifest")] {
            let digest = r.body.get(key).and_then(|v| v.as_str()).and_then(|s| s.parse().ok());
            match digest {
                Some(digest) => {
                    expected.insert(format!("{dataset}/{name}"), digest);
                }
                None => {
                    out.findings.push(Finding::Record { dataset: dataset.clone(), event: r.event });
                }
            }
        }
    }
    files(packages, &expected, &mut out)?;
    foreign(packages, &known, &expected, &mut out)?;
    Ok(out)
}

fn files(
    packages: &Path,
    expected: &BTreeMap<String, Digest>,
    out: &mut PackagesVerified,
) -> Result<(), VerifyError> {
    for (path, digest) in expected {
        let file = match File::open(packages.join(path)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                out.findings.push(Finding::Missing { path: path.clone() });
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        let (found, _) = archive::digest_of(BufReader::new(file))?;
        if found != *digest {
            let other = expected.iter().find(|(_, d)| **d == found).map(|(p, _)| p.clone());
            out.findings.push(match other {
                Some(with) => Finding::Swapped { path: path.clone(), with },
                None => Finding::Changed { path: path.clone() },
            });
        }
    }
    Ok(())
}

fn foreign(
    packages: &Path,
    known: &BTreeSet<String>,
    expected: &BTreeMap<String, Digest>,
    out: &mut PackagesVerified,
) -> Result<(), VerifyError> {
    let entries = match fs::read_dir(packages) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(&name) || !entry.file_type()?.is_dir() {
            found.push(name);
            continue;
        }
        for inner in fs::read_dir(entry.path())? {
            let path = format!("{name}/{}", inner?.file_name().to_string_lossy());
            // Of an erased dataset the whole folder is named already.
            let erased = !expected.contains_key(&format!("{name}/{PACKAGE}"));
            if !erased && !expected.contains_key(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    out.findings.extend(found.into_iter().map(|path| Finding::Foreign { path }));
    Ok(())
}
