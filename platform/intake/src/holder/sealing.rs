//! Sealing: two passes over the holder's files, one sealed file, one provision record.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::BufWriter,
    path::PathBuf,
};

use kiban_audit::note;
use kiban_kernel::{Clock, Date, Digest, Entropy, Id, Regime, Rules, Steps, kinds};
use sha2::{Digest as _, Sha256};

use super::{
    Profile, SealError,
    choose::choose,
    facts,
    folder::{lock, sign_key},
    inputs, lists,
    records::{self, ProvisionRecord, SentRecord, owner_only, sync_folder, write_whole},
    write::{HashWriter, entry, file_list, write_files},
};
use crate::{
    bundle,
    limits::Limits,
    manifest::{
        BUNDLE_FORMAT, CORRECTIONS_NAME, FILES_NAME, ListDigest, MANIFEST_NAME, Manifest,
        NOTICES_NAME, RETRACTIONS_NAME,
    },
    notices::{NoticeRow, write_notices},
    place::FileRef,
    quality::Quality,
    revisions::{write_corrections, write_retractions},
};

/// Is the gate applied?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gate {
    /// Yes: the only way outside tests.
    #[default]
    On,
    /// No: every segment is sent, defective ones and those of nobody too. For tests of the producer's
    /// own gate and quarantine; no command and no page sets it.
    Off,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// First pass: who occurs.
    Reading,
    /// Second pass: encrypting what may be sent.
    Sealing,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Files done.
    pub files: u64,
    /// Files in all.
    pub files_total: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Counts progress and tells the caller of it now and then.
pub(crate) struct Tick<'a> {
    now: Progress,
    told: u64,
    tell: &'a mut dyn FnMut(Progress),
    steps: &'a dyn Steps,
}

impl Tick<'_> {
    pub(crate) fn bytes(&mut self, n: u64) {
        self.now.bytes += n;
        if self.now.bytes - self.told >= 1 << 20 {
            self.told = self.now.bytes;
            (self.tell)(self.now);
        }
    }
    pub(crate) fn file(&mut self) {
        self.steps.step("seal.file");
        self.now.files += 1;
        if self.now.files == self.now.files_total || self.now.files.is_multiple_of(64) {
            (self.tell)(self.now);
        }
    }
}

/// What to seal.
#[derive(Debug, Clone)]
pub struct SealRequest {
    /// The holder's folder.
    pub home: PathBuf,
    /// Its settings.
    pub profile: Profile,
    /// Files and folders to send.
    pub inputs: Vec<PathBuf>,
    /// List of notices; a path of the profile is relative to `home`.
    pub notices: PathBuf,
    /// List of stop requests.
    pub stops: PathBuf,
    /// List of what is taken back; it need not be there.
    pub retractions: PathBuf,
    /// List of corrections of persons; it need not be there.
    pub corrections: PathBuf,
    /// The day for which the gate judges (Japan).
    pub on: Date,
    /// Folder that receives the sealed file.
    pub out: PathBuf,
    /// Is the gate applied?
    pub gate: Gate,
    /// Limits.
    pub limits: Limits,
}

impl SealRequest {
    /// The request a holder's folder describes: lists as its profile says, the sealed file into `outbox`.
    ///
    /// # Errors
    /// The profile cannot be read.
    pub fn from_home(home: PathBuf, inputs: Vec<PathBuf>, on: Date) -> Result<Self, SealError> {
        let profile = Profile::load(&home)?;
        Ok(Self {
            notices: home.join(&profile.notices),
            stops: home.join(&profile.stops),
            retractions: home.join(&profile.retractions),
            corrections: home.join(&profile.corrections),
            out: home.join("outbox"),
            profile,
            home,
            inputs,
            on,
            gate: Gate::On,
            limits: Limits::default(),
        })
    }
}

/// What was sealed and what was not.
#[derive(Debug, Clone)]
pub struct SealReport {
    /// The sealed file.
    pub path: PathBuf,
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// Digest of the sealed file.
    pub sealed_sha256: Digest,
    /// Persons sent.
    pub kept_persons: u64,
    /// Segments sent.
    pub kept_segments: u64,
    /// Files sent.
    pub files: u64,
    /// Bytes sent, before encryption.
    pub bytes: u64,
    /// Persons not sent, by the gate's reason code.
    pub withheld: BTreeMap<String, u64>,
    /// Persons not sent under one regime, by regime and reason; also of persons sent under the other.
    pub withheld_by_regime: BTreeMap<Regime, BTreeMap<String, u64>>,
    /// Segments not sent: defective, of nobody, or with an item the notice does not list; by rule.
    pub withheld_segments: BTreeMap<String, u64>,
    /// Names of what no reader reads, with counts.
    pub unread: BTreeMap<String, u64>,
    /// Input files left out, and why.
    pub left_out: Vec<(FileRef, &'static str)>,
    /// Rows of the list of what is taken back that were sent.
    pub retractions: u64,
    /// Rows of the list of corrections that were sent.
    pub corrections: u64,
    /// Rows of either list that were not sent, by reason.
    pub kept_back: BTreeMap<String, u64>,
    /// Defects found while reading, by rule, with first positions.
    pub quality: Quality,
}

/// Seals what may be sent.
///
/// The sealed file appears under its name only when it is whole and on disk; a crash leaves either nothing
/// or the delivery with its provision record (the next run writes the record if the crash came between).
///
/// # Errors
/// See [`SealError`]; nothing is sent then.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`, `notice.wait`, `stop`, `provision_record`
pub fn seal(
    request: &SealRequest,
    rules: &Rules,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    steps: &dyn Steps,
    progress: &mut dyn FnMut(Progress),
) -> Result<SealReport, SealError> {
    let _lock = lock(&request.home)?;
    records::recover(&request.home, steps)?;
    fs::create_dir_all(&request.out).map_err(SealError::Write)?;
    records::collect(&request.out)?;
    let slot = request.profile.slot(request.on, rules);
    if request.gate == Gate::On && !slot.is_open() {
        return Err(SealError::Locked(slot));
    }
    let key = sign_key(&request.home)?;
    if key.name() != request.profile.holder.to_string() {
        return Err(SealError::OtherKey);
    }
    let recipient: age::x25519::Recipient =
        request.profile.producer_recipient.parse().map_err(|_| SealError::Recipient)?;
    let lists = lists::read(request)?;
    let exclude = [&request.notices, &request.stops, &request.retractions, &request.corrections]
        .map(Clone::clone);
    let (only, insured) = (request.profile.input_format, request.profile.claims_of_insurer);
    let found = inputs::find(&request.inputs, &exclude, only, insured, &request.limits)?;
    let revises = !lists.retractions.is_empty() || !lists.corrections.is_empty();
    if found.files.is_empty() && !revises {
        return Err(SealError::NoInput);
    }
    let total = found.files.len() as u64;
    let start = |phase| Progress { phase, files: 0, files_total: total, bytes: 0 };
    let mut tick = Tick { now: start(Phase::Reading), told: 0, tell: progress, steps };
    let mut facts = facts::gather(&found.files, &request.limits, &mut tick)?;
    let decided = facts::decide_all(
        &facts,
        &request.profile,
        &lists.notices,
        &lists.stops,
        request.on,
        rules,
    );
    let chosen = choose(request, &facts, &decided);
    let sent: Vec<NoticeRow> = chosen.notices.iter().map(|i| lists.notices[*i].clone()).collect();
    let sent_now: HashSet<&str> = sent.iter().map(|n| n.local_id.as_str()).collect();
    let deleted = std::mem::take(&mut facts.deleted);
    let revisions = lists::choose(request, lists, &sent_now, deleted, request.on)?;
    let nothing_revised = revisions.retractions.is_empty() && revisions.corrections.is_empty();
    if chosen.segments == 0 && nothing_revised {
        let withheld = chosen.withheld.values().sum();
        return Err(SealError::NobodyToSend { withheld, reasons: chosen.withheld });
    }
    if chosen.segments > request.limits.max_segments
        || chosen.bytes > request.limits.max_total_bytes
    {
        return Err(SealError::TooMuch);
    }

    let delivery = Id::<kinds::Delivery>::new(entropy)?;
    let created_at = clock.now();
    let name = format!("{delivery}.kiban");
    let part = request.out.join(format!(".{name}.part"));
    let path = request.out.join(&name);
    tick.now = start(Phase::Sealing);
    tick.told = 0;

    let sink =
        HashWriter { inner: owner_only(&part).map_err(SealError::Write)?, hash: Sha256::new() };
    let encryptor =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(|_| SealError::Encrypt)?;
    let mut out = BufWriter::with_capacity(
        128 << 10,
        encryptor
            .wrap_output(BufWriter::with_capacity(256 << 10, sink))
            .map_err(SealError::Write)?,
    );
    steps.step("seal.begun");
    let files = write_files(request, &found.files, &facts, &decided, &chosen, &mut out, &mut tick)?;
    steps.step("seal.files_written");

    let sent_notices = write_notices(&sent);
    let retractions = write_retractions(&revisions.retractions);
    let corrections = write_corrections(&revisions.corrections);
    let revision = |text: &str, rows: usize| {
        (rows > 0).then(|| ListDigest { sha256: Digest::of(text.as_bytes()), count: rows as u64 })
    };
    let list = file_list(&files)?;
    let manifest = Manifest {
        format: BUNDLE_FORMAT.to_owned(),
        delivery,
        holder: request.profile.holder,
        created_at,
        judged_on: request.on,
        rules: rules.digest(),
        recipient: recipient.to_string(),
        provider: request.profile.provider.clone(),
        files: ListDigest { sha256: Digest::of(list.as_bytes()), count: files.len() as u64 },
        notices: ListDigest {
            sha256: Digest::of(sent_notices.as_bytes()),
            count: chosen.notices.len() as u64,
        },
        retractions: revision(&retractions, revisions.retractions.len()),
        corrections: revision(&corrections, revisions.corrections.len()),
        persons: chosen.persons,
        segments: files.iter().map(|f| f.segments).sum(),
        bytes: files.iter().map(|f| f.size).sum(),
        withheld_persons: chosen.withheld.clone(),
        withheld_segments: chosen.withheld_segments.clone(),
    };
    let text = manifest.to_text().map_err(|_| SealError::Record)?;
    let signed = note::sign(&text, &key)?;
    let listed = [
        (NOTICES_NAME, Some(&sent_notices)),
        (RETRACTIONS_NAME, manifest.retractions.map(|_| &retractions)),
        (CORRECTIONS_NAME, manifest.corrections.map(|_| &corrections)),
        (FILES_NAME, Some(&list)),
        (MANIFEST_NAME, Some(&signed)),
    ];
    for (name, body) in listed.into_iter().filter_map(|(name, body)| Some((name, body?))) {
        entry(&mut out, name, body.as_bytes()).map_err(SealError::Write)?;
    }
    bundle::write_end(&mut out).map_err(SealError::Write)?;
    let age = out.into_inner().map_err(|e| SealError::Write(e.into_error()))?;
    let sink = age.finish().map_err(SealError::Write)?;
    let HashWriter { inner, hash } =
        sink.into_inner().map_err(|e| SealError::Write(e.into_error()))?;
    inner.sync_all().map_err(SealError::Write)?;
    drop(inner);
    let sealed_sha256 = Digest::from_bytes(hash.finalize().into());
    steps.step("seal.synced");

    let record = SentRecord {
        delivery,
        created_at,
        path: path.clone(),
        sealed_sha256,
        files_sha256: manifest.files.sha256,
        segments: manifest.segments,
        withheld_persons: chosen.withheld.clone(),
        withheld_segments: chosen.withheld_segments.clone(),
        left_out: found.left_out.iter().map(|(f, c)| (f.clone(), (*c).to_owned())).collect(),
        provision: ProvisionRecord {
            delivery,
            provided_on: request.on,
            producer_name: request.profile.producer_name.clone(),
            producer_address: request.profile.producer_address.clone(),
            representative: request.profile.provider.representative.clone(),
            acquisition: request.profile.provider.acquisition.clone(),
            items: chosen.items.clone(),
            persons: chosen.persons,
            notified: chosen.notified.clone(),
            persons_list: format!("{delivery}.notices.csv"),
            persons_list_sha256: manifest.notices.sha256,
            sealed_sha256,
        },
    };
    let outbox = request.home.join("outbox");
    let keep = |ending: &str, bytes: &[u8]| {
        write_whole(&outbox.join(format!("{delivery}.{ending}")), bytes).map_err(SealError::Write)
    };
    keep("notices.csv", sent_notices.as_bytes())?;
    keep("files.ndjson", list.as_bytes())?;
    steps.step("seal.lists_written");
    keep("json", &serde_json::to_vec_pretty(&record).map_err(|_| SealError::Record)?)?;
    steps.step("seal.record_written");
    fs::rename(&part, &path).and_then(|()| sync_folder(&request.out)).map_err(SealError::Write)?;
    steps.step("seal.renamed");
    records::append_provision(&request.home, &record.provision)?;
    steps.step("seal.recorded");

    Ok(SealReport {
        path,
        delivery,
        sealed_sha256,
        kept_persons: chosen.persons,
        kept_segments: manifest.segments,
        files: files.len() as u64,
        bytes: manifest.bytes,
        withheld: chosen.withheld,
        withheld_by_regime: chosen.withheld_by_regime,
        withheld_segments: chosen.withheld_segments,
        unread: std::mem::take(&mut facts.unread),
        left_out: found.left_out,
        retractions: revisions.retractions.len() as u64,
        corrections: revisions.corrections.len() as u64,
        kept_back: revisions.kept_back,
        quality: std::mem::take(&mut facts.quality),
    })
}
