//! Sealed files as a registered but hostile (or broken) sender could make them.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use kiban_audit::note::{self, SigningKey};
use kiban_intake::{
    holder,
    manifest::{BUNDLE_FORMAT, FileEntry, ListDigest, Manifest},
};
use kiban_kernel::{Digest, Id, OsEntropy};

/// A sealed file in the making, signed by the holder whose client stands in `home`.
pub(crate) struct Forge<'a> {
    home: &'a Path,
    tar: tar::Builder<Vec<u8>>,
    files: Vec<FileEntry>,
    signer: Option<SigningKey>,
    recipient: Option<age::x25519::Recipient>,
}

impl<'a> Forge<'a> {
    pub(crate) fn new(home: &'a Path) -> Self {
        Self {
            home,
            tar: tar::Builder::new(Vec::new()),
            files: Vec::new(),
            signer: None,
            recipient: None,
        }
    }

    /// Signed with another key of the same name.
    pub(crate) fn with_other_signature(mut self) -> Self {
        let holder = holder::Profile::load(self.home).unwrap().holder;
        self.signer = Some(SigningKey::generate(&OsEntropy, &holder.to_string()).unwrap());
        self
    }

    /// Sealed to somebody else.
    pub(crate) fn with_other_recipient(mut self) -> Self {
        self.recipient = Some(age::x25519::Identity::generate().to_public());
        self
    }

    fn raw(&mut self, path: &str, body: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(body.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.tar.append(&header, body).unwrap();
    }

    pub(crate) fn file(mut self, path: &str, body: &[u8]) -> Self {
        self.files.push(FileEntry {
            path: path.into(),
            sha256: Digest::of(body),
            size: body.len() as u64,
            segments: body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() as u64,
            format: "fhir_ndjson".into(),
            insured: false,
        });
        self.raw(path, body);
        self
    }

    pub(crate) fn seal(mut self, out: PathBuf) -> PathBuf {
        let notices = "local_id,regime,notice_version,notified_on,channel,guardian,died_on\n";
        let profile = holder::Profile::load(self.home).unwrap();
        let files = std::mem::take(&mut self.files);
        let list: String = files.iter().map(|f| serde_json::to_string(f).unwrap() + "\n").collect();
        let manifest = Manifest {
            format: BUNDLE_FORMAT.into(),
            delivery: Id::from_bytes([7; 16]),
            holder: profile.holder,
            created_at: "2025-05-02T00:00:00Z".parse().unwrap(),
            judged_on: "2025-05-02".parse().unwrap(),
            rules: Digest::of(b""),
            recipient: profile.producer_recipient.clone(),
            provider: profile.provider,
            files: ListDigest { sha256: Digest::of(list.as_bytes()), count: files.len() as u64 },
            notices: ListDigest { sha256: Digest::of(notices.as_bytes()), count: 0 },
            retractions: None,
            corrections: None,
            persons: 0,
            segments: files.iter().map(|f| f.segments).sum(),
            bytes: 0,
            withheld_persons: BTreeMap::default(),
            withheld_segments: BTreeMap::default(),
        };
        let own = holder::sign_key(self.home).unwrap();
        let key = self.signer.as_ref().unwrap_or(&own);
        let note = note::sign(&manifest.to_text().unwrap(), key).unwrap();
        self.raw("notices.csv", notices.as_bytes());
        self.raw("files.ndjson", list.as_bytes());
        self.raw("manifest.note", note.as_bytes());
        let recipient =
            self.recipient.unwrap_or_else(|| profile.producer_recipient.parse().unwrap());
        let to = std::iter::once(&recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(to).unwrap();
        let mut sealed = encryptor.wrap_output(fs::File::create(&out).unwrap()).unwrap();
        sealed.write_all(&self.tar.into_inner().unwrap()).unwrap();
        sealed.finish().unwrap();
        out
    }
}
