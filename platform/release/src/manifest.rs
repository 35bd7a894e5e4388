//! The manifest of a dataset: everything that made it, and the digest of what came out. Signed by the producer;
//! from it a dataset is rebuilt, approved, packed and verified.

use std::collections::BTreeMap;

use kiban_audit::note::{self, NoteError, SigningKey, VerifyKey};
use kiban_kernel::{Digest, Id, Product, Timestamp, kinds};

use crate::finding::Decision;

/// First line of a manifest's text.
pub const FORMAT: &str = "kiban-dataset/1";

/// A table of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFact {
    /// Name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: u32,
}

/// A file of the payload.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFact {
    /// Path inside the package.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Digest,
}

/// A finding of the dataset and the decision that was applied to it in making the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingFact {
    /// Which.
    pub id: Id<kinds::Finding>,
    /// `coarsen` or `drop`, if such a decision was applied; a kept finding needs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Decision>,
}

/// Everything that made a dataset.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The dataset.
    pub dataset: Id<kinds::Dataset>,
    /// Its project line: the domain of pseudonyms of a pseudonymized dataset.
    pub project: Id<kinds::Project>,
    /// The application it answers.
    pub application: Id<kinds::Application>,
    /// Which product.
    pub product: Product,
    /// Who made it.
    pub producer: Id<kinds::Organization>,
    /// For whom.
    pub recipient: Id<kinds::Organization>,
    /// When.
    pub created_at: Timestamp,
    /// The snapshot of the lake.
    pub snapshot: u64,
    /// Up to where stops had been applied.
    pub stop_watermark: u64,
    /// Digest of the specification's text.
    pub specification: Digest,
    /// Digest of the rule packs.
    pub rules: Digest,
    /// Loaded lists and code maps, by name.
    pub code_maps: BTreeMap<String, Digest>,
    /// Versions of the keys used, by name; never keys.
    pub key_versions: BTreeMap<String, String>,
    /// Version of the software.
    pub software: String,
    /// What the processing itself adds, as it names it: enough, with the rest, to make the dataset again.
    #[serde(default)]
    pub provenance: serde_json::Value,
    /// Persons in the dataset.
    pub persons: u64,
    /// Its tables.
    pub tables: Vec<TableFact>,
    /// Findings of the combination scan.
    #[serde(default)]
    pub findings: Vec<FindingFact>,
    /// The payload's files, by path.
    pub files: Vec<FileFact>,
    /// Digest of the payload: of the list of files.
    pub payload: Digest,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The signature does not hold.
    #[error("the manifest's signature does not hold")]
    Note(#[from] NoteError),
    /// It does not read as a manifest.
    #[error("the text is not a manifest of this format")]
    Format,
    /// Its payload digest is not that of its list of files.
    #[error("the manifest's payload digest is not that of its files")]
    Payload,
}

impl ManifestError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Note(e) => format!("目録（manifest）の署名を確認できません。{}", e.ja()),
            Self::Format => {
                "目録（manifest）の形式が正しくありません。正しい版のファイルか確かめてください。"
                    .to_owned()
            }
            Self::Payload => {
                "目録（manifest）のファイル一覧とダイジェストが一致しません。".to_owned()
            }
        }
    }
}

/// Digest of a list of files: of one line per file, sorted by path.
pub fn payload_digest(files: &[FileFact]) -> Digest {
    let mut lines: Vec<_> =
        files.iter().map(|f| format!("{}  {}  {}\n", f.sha256, f.size, f.path)).collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

impl Manifest {
    /// The text that is signed: the format, then one line of JSON.
    fn text(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{FORMAT}\n{json}\n")
    }

    /// Sign it.
    ///
    /// # Errors
    /// The payload digest is not that of the files, or the text cannot be a note.
    pub fn sign(&self, key: &SigningKey) -> Result<String, ManifestError> {
        if self.payload != payload_digest(&self.files) {
            return Err(ManifestError::Payload);
        }
        Ok(note::sign(&self.text(), key)?)
    }

    /// Read a signed manifest.
    ///
    /// # Errors
    /// Not signed by one of `keys`, or not a manifest.
    pub fn open(note: &str, keys: &[VerifyKey]) -> Result<Self, ManifestError> {
        let text = note::verify(note, keys)?;
        let json = text.strip_prefix(FORMAT).and_then(|t| t.strip_prefix('\n'));
        let this: Self =
            json.and_then(|j| serde_json::from_str(j).ok()).ok_or(ManifestError::Format)?;
        // One text per manifest, so that its digest is that of what was signed.
        if this.text() != text {
            return Err(ManifestError::Format);
        }
        if this.payload != payload_digest(&this.files) {
            return Err(ManifestError::Payload);
        }
        Ok(this)
    }

    /// The manifest's own digest: what an approver approves.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}
