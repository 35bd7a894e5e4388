//! The acts: register a key, hand over, erase; and collection of what an ended process left.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use age::x25519;
use kiban_audit::{
    Committed, Event, Log,
    note::{self, SigningKey},
};
use kiban_govern::{Act, Actor, Permit, certification::PseudoUser, delivery::To};
use kiban_kernel::{Digest, Id, LawKey, Steps, Timestamp, kinds};
use kiban_release::{Approved, Context, Releasable};
use serde_json::json;

use crate::{
    DeliverError, DeliveryRow, PackageFact, PackageManifest, Payload,
    archive::{self, Hashing},
    durable, store,
};

/// Name of the sealed file.
pub(crate) const PACKAGE: &str = "package.age";
/// Name of the manifest beside it.
pub(crate) const NOTE: &str = "manifest.note";

type Result<T> = std::result::Result<T, DeliverError>;

/// The folders of packages and of recipients' notices.
#[derive(Clone)]
pub struct Packages {
    root: PathBuf,
    recipients: PathBuf,
    steps: Arc<dyn Steps>,
}

/// What is handed over.
pub struct Delivery<'a, D: Releasable> {
    /// The approved dataset.
    pub approved: &'a Approved<D>,
    /// What others know now; the dataset is judged again by it.
    pub context: &'a Context<'a>,
    /// The very payload that was approved.
    pub payload: &'a Payload,
    /// The producer's signing key.
    pub key: &'a SigningKey,
}

/// A completed hand-over.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The record.
    pub row: DeliveryRow,
    /// The event and the checkpoint that covers it: the receipt.
    pub committed: Committed,
    /// Were notice and checkpoint written to the recipient's folder? If not, collection writes the notice.
    pub noticed: bool,
}

/// What collection removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Folders of packages that no committed row names, and leftovers.
    pub orphans: u64,
    /// Folders of erased packages.
    pub erased: u64,
    /// Notices written again.
    pub notices: u64,
}

impl Packages {
    /// The store over a deployment's folder: `packages/` and `recipients/` in it are created if missing.
    ///
    /// # Errors
    /// They cannot be created.
    pub fn open(deployment: &Path, steps: Arc<dyn Steps>) -> io::Result<Self> {
        let (root, recipients) = (deployment.join("packages"), deployment.join("recipients"));
        for dir in [&root, &recipients] {
            fs::create_dir_all(dir)?;
        }
        durable::sync_dir(deployment)?;
        Ok(Self { root, recipients, steps })
    }

    /// The folder of a dataset's package.
    pub fn folder(&self, dataset: Id<kinds::Dataset>) -> PathBuf {
        self.root.join(dataset.to_string())
    }

    /// Where the notice for a recipient lies.
    pub fn notice(&self, row: &DeliveryRow) -> PathBuf {
        self.recipients.join(row.recipient.to_string()).join(format!("{}.notice", row.dataset))
    }

    /// Register the age recipient of an organization: a user's own, or, for the producer, its environment's.
    ///
    /// # Errors
    /// No permit, not an age recipient, or the log fails.
    pub async fn register_key(
        &self,
        log: &Log,
        permit: &Permit,
        organization: Id<kinds::Organization>,
        public: &str,
    ) -> Result<Committed> {
        let actor = permit.expect(Act::RegisterOrganization)?;
        public.parse::<x25519::Recipient>().map_err(|_| DeliverError::BadKey)?;
        let mut tx = log.begin().await?;
        let at = tx.now();
        store::add_key(tx.conn(), organization, at, public).await?;
        let event = Event {
            kind: "recipient.key",
            actor,
            subject: organization.to_string(),
            law: LawKey::new("security").ok(),
            body: json!({ "public_key": public }),
        };
        Ok(tx.commit(event).await?)
    }

    /// Pack, seal, record, give notice.
    ///
    /// # Errors
    /// No permit, the payload is not the approved one, no key, anything that stands against release when judged
    /// again, handed over before, or disk or log fail. Then nothing is recorded and no file stays.
    pub async fn deliver<D: Releasable>(
        &self,
        log: &Log,
        permit: &Permit,
        what: &Delivery<'_, D>,
    ) -> Result<Delivered> {
        let actor = permit.expect(Act::DeliverDataset)?;
        let manifest = what.approved.manifest();
        what.payload.is_of(manifest)?;
        // Unlike any other hand-over's, in this process or another.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let temporary = self.root.join(format!(".{}.{process}.{n}.tmp", manifest.dataset));
        let done = self.deliver_from(log, actor, what, &temporary).await;
        if done.is_err() {
            // What cannot be removed now is collected at the next start.
            let _ = durable::remove_all(&temporary);
        }
        done
    }

    async fn deliver_from<D: Releasable>(
        &self,
        log: &Log,
        actor: &Actor,
        what: &Delivery<'_, D>,
        temporary: &Path,
    ) -> Result<Delivered> {
        let (approved, dataset) = (what.approved, what.approved.manifest().dataset);
        let sealed_to = self.key_for(log, approved).await?;
        durable::remove_all(temporary)?;
        durable::create_dir_private(temporary)?;
        let package = seal(&temporary.join(PACKAGE), &sealed_to, approved.note(), what.payload)?;
        self.steps.step("deliver.sealed");

        let mut tx = log.begin().await?;
        let at = tx.now();
        if store::delivery(tx.conn(), dataset).await?.is_some() {
            return Err(DeliverError::Already);
        }
        // Judged again: what was true at approval may no longer be.
        let again = kiban_release::approved::<D>(tx.conn(), dataset, what.context, at).await?;
        if again.note() != approved.note()
            || again.passage().organization() != approved.passage().organization()
            || again.passage().route() != approved.passage().route()
        {
            return Err(DeliverError::OtherApproval);
        }
        let (row, note) = record(&again, at, sealed_to, package, what.key)?;
        durable::write_new(&temporary.join(NOTE), note.as_bytes())?;
        durable::sync_dir(temporary)?;
        self.steps.step("deliver.written");
        let folder = self.folder(dataset);
        // No row names this dataset, so a folder in the way is what an ended process left.
        durable::remove_all(&folder)?;
        fs::rename(temporary, &folder)?;
        let recorded = async {
            durable::sync_dir(&self.root)?;
            self.steps.step("deliver.renamed");
            store::add_delivery(tx.conn(), &row, actor).await?;
            let event = Event {
                kind: "dataset.delivered",
                actor,
                subject: dataset.to_string(),
                law: LawKey::new("books").ok(),
                body: event_body(&row),
            };
            Ok::<_, DeliverError>(tx.commit(event).await?)
        };
        let committed = match recorded.await {
            Ok(committed) => committed,
            Err(e) => {
                // A commit that failed may still have happened: only what is surely on no record goes.
                if self.is_unrecorded(log, dataset).await {
                    let _ = durable::remove_all(&folder);
                }
                return Err(e);
            }
        };
        // The delivery stands; what cannot be written now is written at the next start.
        let noticed = self.give_notice(&row).and_then(|()| {
            // For the recipient to hold the log against later; any later checkpoint serves as well.
            let path = self.notice(&row).with_extension("checkpoint");
            durable::replace(&path, committed.checkpoint.as_bytes())
        });
        self.steps.step("deliver.notified");
        let noticed = noticed.is_ok();
        Ok(Delivered { row, committed, noticed })
    }

    async fn is_unrecorded(&self, log: &Log, dataset: Id<kinds::Dataset>) -> bool {
        let Ok(mut conn) = log.db().pool().acquire().await else { return false };
        matches!(store::delivery(&mut conn, dataset).await, Ok(None))
    }

    /// Sealed to the recipient, or, where data stay, to the producer's environment.
    async fn key_for<D: Releasable>(&self, log: &Log, approved: &Approved<D>) -> Result<String> {
        let passage = approved.passage();
        let (organization, whose) = if passage.route().leaves() {
            (passage.organization(), "recipient")
        } else {
            (approved.manifest().producer, "producer's environment")
        };
        let mut conn = log.db().pool().acquire().await?;
        store::public_key(&mut conn, organization).await?.ok_or(DeliverError::NoKey { whose })
    }

    fn give_notice(&self, row: &DeliveryRow) -> io::Result<()> {
        let path = self.notice(row);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        durable::replace(&path, row.notice.as_bytes())
    }

    /// Erase a package: recorded first, then the bytes go. `reason` is a code.
    ///
    /// # Errors
    /// No permit, no such delivery, or disk or log fail; [`DeliverError::NotRemoved`] alone means that the erasure is
    /// recorded and the bytes are left to collection.
    pub async fn erase(
        &self,
        log: &Log,
        permit: &Permit,
        dataset: Id<kinds::Dataset>,
        reason: &str,
    ) -> Result<Committed> {
        let actor = permit.expect(Act::EraseDataset)?;
        let mut tx = log.begin().await?;
        let at = tx.now();
        let row = store::delivery(tx.conn(), dataset).await?;
        if row.is_none_or(|row| row.erased_at.is_some()) {
            return Err(DeliverError::NotFound);
        }
        store::add_erasure(tx.conn(), dataset, at, actor, reason).await?;
        let event = Event {
            kind: "dataset.erased",
            actor,
            subject: dataset.to_string(),
            law: LawKey::new("erasure").ok(),
            body: json!({ "reason": reason }),
        };
        let committed = tx.commit(event).await?;
        self.steps.step("deliver.erasing");
        durable::remove_all(&self.folder(dataset)).map_err(DeliverError::NotRemoved)?;
        self.steps.step("deliver.erased");
        Ok(committed)
    }

    /// Remove what no committed row names and what erased rows name; write notices that are missing. To be called
    /// at start, by the one process that writes.
    ///
    /// # Errors
    /// Disk or database fail.
    pub async fn collect(&self, log: &Log) -> Result<Collected> {
        let mut conn = log.db().pool().acquire().await?;
        let rows = store::by_dataset(&mut conn).await?;
        let mut done = Collected::default();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name();
            let row = name.to_str().and_then(|n| n.parse().ok()).and_then(|id| rows.get(&id));
            let counter = match row {
                Some(row) if row.erased_at.is_none() => continue,
                Some(_) => &mut done.erased,
                None => &mut done.orphans,
            };
            durable::remove_all(&entry.path())?;
            *counter += 1;
        }
        for row in rows.values().filter(|r| r.erased_at.is_none()) {
            if !self.notice(row).is_file() {
                self.give_notice(row)?;
                done.notices += 1;
            }
        }
        Ok(done)
    }
}

/// What the event says of a delivery: the verifier compares row and files with it.
pub(crate) fn event_body(row: &DeliveryRow) -> serde_json::Value {
    json!({
        "application": row.application.to_string(),
        "contract": row.contract.to_string(),
        "recipient": row.recipient.to_string(),
        "product": row.product.as_str(),
        "route": row.route.as_str(),
        "public_key": row.public_key,
        "package": row.package.to_string(),
        "package_bytes": row.package_bytes,
        "manifest": row.manifest.to_string(),
        "payload": row.payload.to_string(),
    })
}

/// Seal the tar to a key, make it durable; its digest and length.
fn seal(path: &Path, to: &str, note: &str, payload: &Payload) -> Result<PackageFact> {
    let recipient: x25519::Recipient = to.parse().map_err(|_| DeliverError::BadKey)?;
    let encryptor =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(DeliverError::Seal)?;
    let file = io::BufWriter::new(durable::create_private(path)?);
    let sealed = encryptor.wrap_output(Hashing::new(file))?;
    let (mut file, sha256, size) = archive::write(note, payload, sealed)?.finish()?.finish();
    file.flush()?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(PackageFact { sha256, size })
}

/// Seal what was delivered once more, to somebody else's key: for whoever the Act lets a user hand it on to. The tar inside
/// is the delivered one, byte for byte.
///
/// # Errors
/// No age recipient, the payload is not the manifest's, or the disk fails; then no file stays.
pub fn seal_copy(
    path: &Path,
    to: &str,
    manifest: &kiban_release::Manifest,
    note: &str,
    payload: &Payload,
) -> Result<PackageFact> {
    payload.is_of(manifest)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let done = seal(path, to, note, payload);
    if done.is_err() {
        // What cannot be removed now is collected at the next start.
        let _ = fs::remove_file(path);
    }
    done
}

fn record<D: Releasable>(
    approved: &Approved<D>,
    at: Timestamp,
    sealed_to: String,
    package: PackageFact,
    key: &SigningKey,
) -> Result<(DeliveryRow, String)> {
    let (manifest, passage) = (approved.manifest(), approved.passage());
    let certified: Option<&PseudoUser> = match passage.to() {
        To::Pseudonymized(user) => Some(user),
        To::Anonymized(_) => None,
    };
    let beside = PackageManifest {
        dataset: manifest.clone(),
        recipient: passage.organization(),
        certificate: certified.map(|user| user.number().to_owned()),
        route: passage.route(),
        contract: approved.contract(),
        approved_by: approved.approvers().actors().iter().map(|a| a.account).collect(),
        sealed_at: at,
        sealed_to: sealed_to.clone(),
        package,
    };
    let note = beside.sign(key)?;
    let row = DeliveryRow {
        dataset: manifest.dataset,
        application: manifest.application,
        contract: approved.contract(),
        recipient: passage.organization(),
        product: manifest.product,
        route: passage.route(),
        at,
        public_key: sealed_to,
        package: package.sha256,
        package_bytes: package.size,
        manifest: Digest::of(note.as_bytes()),
        payload: manifest.payload,
        notice: note::sign(&beside.notice(), key)?,
        erased_at: None,
    };
    Ok((row, note))
}
