//! A holder's folder: made once, asked for its state, given the producer's receipts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kiban_audit::note::{SigningKey, VerifyKey};
use kiban_formats::Format;
use kiban_kernel::{Entropy, Id, NoSteps, kinds};

use super::{
    NoticeVersion, Profile, ProfileFiling, SealError, profile,
    records::{self, ProvisionRecord, SentRecord, write_whole},
};
use crate::{
    manifest::{FileEntry, Provider},
    receipt::{self, ReceiptText},
};

/// What a new holder's folder is made of.
#[derive(Debug, Clone)]
pub struct Init {
    /// The id on the producer's register.
    pub holder: Id<kinds::Organization>,
    /// Name, address, representative, how the data were acquired.
    pub provider: Provider,
    /// Name of the producer.
    pub producer_name: String,
    /// Address of the producer.
    pub producer_address: String,
    /// age recipient of the producer.
    pub producer_recipient: String,
    /// Format that is sent; `None`: any.
    pub input_format: Option<Format>,
    /// List of notices.
    pub notices: PathBuf,
    /// List of stop requests.
    pub stops: PathBuf,
    /// Filings.
    pub filing: Vec<ProfileFiling>,
    /// Versions of the notice.
    pub notice: Vec<NoticeVersion>,
}

/// A holder's folder that was just made.
#[derive(Debug, Clone)]
pub struct HolderSetup {
    /// The settings written.
    pub profile: Profile,
    /// The key the producer registers.
    pub verify_key: VerifyKey,
}

/// Makes a holder's folder: settings, signing key (0600), outbox. The profile is written last, so a
/// folder without one is not yet a holder's folder.
///
/// # Errors
/// The folder is one already, or cannot be written.
pub fn init(home: &Path, init: Init, entropy: &dyn Entropy) -> Result<HolderSetup, SealError> {
    if home.join("profile.toml").exists() {
        return Err(SealError::AlreadyInitialised);
    }
    init.producer_recipient.parse::<age::x25519::Recipient>().map_err(|_| SealError::Recipient)?;
    for folder in ["keys", "outbox", "receipts"] {
        fs::create_dir_all(home.join(folder)).map_err(SealError::Write)?;
    }
    let key_path = home.join("keys/sign.key");
    let key = if key_path.exists() {
        sign_key(home)?
    } else {
        let key = SigningKey::generate(entropy, &init.holder.to_string())?;
        // Through a name of its own, so that a crash leaves no half key behind.
        let fresh = home.join("keys/.sign.key.part");
        let _ = fs::remove_file(&fresh);
        key.save(&fresh)?;
        fs::rename(&fresh, &key_path).map_err(SealError::Write)?;
        key
    };
    if key.name() != init.holder.to_string() {
        return Err(SealError::OtherKey);
    }
    write_whole(&home.join("keys/sign.pub"), format!("{}\n", key.verify_key()).as_bytes())
        .map_err(SealError::Write)?;
    let profile = Profile {
        holder: init.holder,
        provider: init.provider,
        producer_name: init.producer_name,
        producer_address: init.producer_address,
        producer_recipient: init.producer_recipient,
        input_format: init.input_format,
        claims_of_insurer: false,
        notices: init.notices,
        stops: init.stops,
        retractions: profile::retractions(),
        corrections: profile::corrections(),
        filing: init.filing,
        notice: init.notice,
    };
    write_whole(&home.join("profile.toml"), profile.to_text()?.as_bytes())
        .map_err(SealError::Write)?;
    Ok(HolderSetup { verify_key: key.verify_key().clone(), profile })
}

/// The holder's signing key.
///
/// # Errors
/// Missing, readable by others, or malformed.
pub fn sign_key(home: &Path) -> Result<SigningKey, SealError> {
    Ok(SigningKey::load(&home.join("keys/sign.key"))?)
}

/// The key the producer registers.
///
/// # Errors
/// Missing or malformed.
pub fn verify_key(home: &Path) -> Result<VerifyKey, SealError> {
    let text = fs::read_to_string(home.join("keys/sign.pub")).map_err(SealError::Write)?;
    Ok(text.trim().parse()?)
}

/// How far a delivery got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentState {
    /// Sealed, no receipt yet.
    Sealed,
    /// The producer's receipt is here and matches.
    Receipted,
}

/// What a holder's folder holds.
#[derive(Debug, Clone)]
pub struct Status {
    /// Deliveries, oldest first.
    pub deliveries: Vec<(SentRecord, SentState)>,
    /// Provision records.
    pub provisions: Vec<ProvisionRecord>,
}

/// The state of a holder's folder; finishes or removes what an interrupted run left.
///
/// # Errors
/// A record does not parse, or the folder cannot be read.
pub fn status(home: &Path) -> Result<Status, SealError> {
    let _lock = lock(home)?;
    records::recover(home, &NoSteps)?;
    let deliveries = records::sent_records(home)?
        .into_iter()
        .map(|r| {
            let state = if receipt_path(home, r.delivery).exists() {
                SentState::Receipted
            } else {
                SentState::Sealed
            };
            (r, state)
        })
        .collect();
    Ok(Status { deliveries, provisions: records::provisions(home)? })
}

fn receipt_path(home: &Path, delivery: Id<kinds::Delivery>) -> PathBuf {
    home.join("receipts").join(format!("{delivery}.note"))
}

/// One process at a time works in a holder's folder. The lock ends with the returned file.
pub(crate) fn lock(home: &Path) -> Result<fs::File, SealError> {
    let file = records::owner_only(&home.join(".lock")).map_err(SealError::Write)?;
    file.lock().map_err(SealError::Write)?;
    Ok(file)
}

/// Checks the producer's receipt against what was sent and keeps it.
///
/// # Errors
/// Not signed by the producer, of no delivery of this holder, or with other digests than those sent.
/// # Law
/// `receipt_record`
pub fn accept_receipt(
    home: &Path,
    note: &str,
    producer: &VerifyKey,
) -> Result<ReceiptText, SealError> {
    let text = receipt::verify(note, producer).map_err(|_| SealError::ReceiptMismatch)?;
    let _lock = lock(home)?;
    let sent = records::sent_records(home)?
        .into_iter()
        .find(|r| r.delivery == text.delivery)
        .ok_or(SealError::ReceiptMismatch)?;
    let list = fs::read(home.join("outbox").join(format!("{}.files.ndjson", text.delivery)))
        .map_err(SealError::Write)?;
    let mut files = Vec::new();
    for line in list.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        files.push(serde_json::from_slice::<FileEntry>(line).map_err(|_| SealError::Record)?);
    }
    let same_files = text.files.is_empty()
        || (text.files.len() == files.len()
            && text.files.iter().zip(&files).all(|(r, f)| *r == f.sha256));
    if text.sealed_sha256 != sent.sealed_sha256
        || text.files_sha256 != sent.files_sha256
        || !same_files
    {
        return Err(SealError::ReceiptMismatch);
    }
    write_whole(&receipt_path(home, text.delivery), note.as_bytes())
        .map_err(|e: io::Error| SealError::Write(e))?;
    Ok(text)
}
