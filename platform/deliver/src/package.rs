//! The manifest beside a package: everything that made the dataset, to whom it went, and the sealed bytes.

use kiban_audit::note::{self, SigningKey, VerifyKey};
use kiban_govern::delivery::Route;
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use kiban_release::{Manifest, manifest::ManifestError};

const FORMAT: &str = "kiban-package/1";

/// The sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageFact {
    /// Digest.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
}

/// The text of `manifest.note`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageManifest {
    /// Everything that made the dataset, its files included.
    pub dataset: Manifest,
    /// To whom.
    pub recipient: Id<kinds::Organization>,
    /// Certificate number of a certified user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// How.
    pub route: Route,
    /// Under which contract.
    pub contract: Id<kinds::Contract>,
    /// Accounts that approved.
    pub approved_by: Vec<Id<kinds::Account>>,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// The age recipient it is sealed to.
    pub sealed_to: String,
    /// The sealed file.
    pub package: PackageFact,
}

impl PackageManifest {
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, note::NoteError> {
        let json = serde_json::to_string(self).unwrap_or_default();
        note::sign(&format!("{FORMAT}\n{json}\n"), key)
    }

    /// Read a `manifest.note`.
    ///
    /// # Errors
    /// Not signed by one of `keys`, or not a package's manifest.
    pub fn open(note: &str, keys: &[VerifyKey]) -> Result<Self, ManifestError> {
        let text = note::verify(note, keys)?;
        let json = text.strip_prefix(FORMAT).and_then(|t| t.strip_prefix('\n'));
        json.and_then(|j| serde_json::from_str(j).ok()).ok_or(ManifestError::Format)
    }

    /// The text of the notice for the recipient.
    pub(crate) fn notice(&self) -> String {
        let how = if self.route.leaves() {
            "封緘した提供データ（package.age）をお渡しします。kiban package open で開封してください。"
        } else {
            "データは作成事業者の利用環境内でのみ利用できます。データの送付はありません。"
        };
        format!(
            "kiban-notice/1\n提供のお知らせ\nデータ: {}（{}）\n提供先: {}\n経路: {}\n{how}\nsha256: {}\nbytes: {}\npayload: {}\ncontract: {}\nat: {}\n",
            self.dataset.dataset,
            self.dataset.product.label_ja(),
            self.recipient,
            self.route.label_ja(),
            self.package.sha256,
            self.package.size,
            self.dataset.payload,
            self.contract,
            self.sealed_at,
        )
    }
}
