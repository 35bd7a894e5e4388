//! What a holder signs: the manifest of a sealed delivery.
//!
//! A bundle is a tar sealed with age. Its entries are `data/…` (the files), `notices.csv` (the notices of
//! the persons sent), `retractions.csv` and `corrections.csv` where there is something in them, `files.ndjson` (one line per file: path, digest, size, segments, format) and, last,
//! `manifest.note`: a signed note whose text is the JSON of [`Manifest`]. The note carries the digests of
//! the two lists, so that its size does not grow with the delivery.

use std::collections::BTreeMap;

use kiban_kernel::{Date, Digest, Id, Timestamp, kinds};

use crate::error::ReceiveError;

/// Format of a bundle written by this version.
pub const BUNDLE_FORMAT: &str = "kiban.delivery/1";
/// Prefix of every data file inside a bundle.
pub const DATA_PREFIX: &str = "data/";
/// Name of the list of notices inside a bundle.
pub const NOTICES_NAME: &str = "notices.csv";
/// Name of the list of what is taken back, if there is one.
pub const RETRACTIONS_NAME: &str = "retractions.csv";
/// Name of the list of corrections of persons, if there is one.
pub const CORRECTIONS_NAME: &str = "corrections.csv";
/// Name of the list of files inside a bundle.
pub const FILES_NAME: &str = "files.ndjson";
/// Name of the signed manifest: the last entry.
pub const MANIFEST_NAME: &str = "manifest.note";

/// One file of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path inside the delivery, beginning with `data/`.
    pub path: String,
    /// SHA-256 of the file's bytes as sent.
    pub sha256: Digest,
    /// Size in bytes as sent.
    pub size: u64,
    /// Segments in it (lines, rows, or 1 for an SS-MIX2 file).
    pub segments: u64,
    /// Format: `ssmix2`, `fhir_ndjson`, `municipal_csv`.
    pub format: String,
    /// Claims of an insurer: persons are known by their insurance, not by an institution's number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insured: bool,
}

/// Digest, number of lines and persons of a list that stands beside the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDigest {
    /// SHA-256 of the list's bytes.
    pub sha256: Digest,
    /// Entries in it (without a header line).
    pub count: u64,
}

/// Who provides, and how the data were acquired: what the producer must verify and record at each receipt.
///
/// # Law
/// `provision_record`, `receipt_record`
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Name of the holder.
    pub name: String,
    /// Address.
    pub address: String,
    /// Representative.
    pub representative: String,
    /// How the holder acquired the data.
    pub acquisition: String,
}

/// The text a holder signs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`BUNDLE_FORMAT`].
    pub format: String,
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// The sender.
    pub holder: Id<kinds::Organization>,
    /// When it was sealed.
    pub created_at: Timestamp,
    /// The day for which the holder judged who may be sent (Japan).
    pub judged_on: Date,
    /// Digest of the dated rules used for that.
    pub rules: Digest,
    /// age recipient it was sealed to.
    pub recipient: String,
    /// Who provides.
    pub provider: Provider,
    /// The list of files.
    pub files: ListDigest,
    /// The list of notices.
    pub notices: ListDigest,
    /// The list of what is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retractions: Option<ListDigest>,
    /// The list of corrections of persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<ListDigest>,
    /// Persons sent.
    pub persons: u64,
    /// Segments sent.
    pub segments: u64,
    /// Bytes of all files sent.
    pub bytes: u64,
    /// Persons not sent, by reason.
    pub withheld_persons: BTreeMap<String, u64>,
    /// Segments not sent because whose they are could not be told or they are defective, by rule.
    pub withheld_segments: BTreeMap<String, u64>,
}

impl Manifest {
    /// The text to sign.
    ///
    /// # Errors
    /// Never for a value of this type; typed so that a broken build says so.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
    /// The manifest in a text that was signed.
    ///
    /// # Errors
    /// Not a manifest of this version.
    pub fn from_text(text: &str) -> Result<Self, ReceiveError> {
        let manifest: Self = serde_json::from_str(text).map_err(|_| ReceiveError::BadManifest)?;
        if manifest.format == BUNDLE_FORMAT { Ok(manifest) } else { Err(ReceiveError::BadManifest) }
    }
}

/// Is `path` allowed inside a bundle? Relative, below `data/`, no `.`, `..`, empty or over-long component,
/// no backslash, colon, control or direction-changing character.
pub fn path_allowed(path: &str, max_bytes: usize) -> bool {
    let Some(below) = path.strip_prefix(DATA_PREFIX) else { return false };
    path.len() <= max_bytes
        && below.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && part.len() <= 255)
        && !below.chars().any(|c| {
            c.is_control()
                || matches!(c, '\\' | ':' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
}

/// Is it an archive or compressed, by name or by its first bytes?
pub fn looks_like_archive(path: &str, first: &[u8]) -> bool {
    const ENDINGS: [&str; 19] = [
        ".zip", ".xz", ".gz", ".tgz", ".txz", ".bz2", ".tbz", ".zst", ".lz4", ".lzh", ".lha",
        ".7z", ".rar", ".tar", ".cab", ".jar", ".iso", ".age", ".z",
    ];
    const MAGIC: [&[u8]; 11] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\xfd7zXZ\x00",
        b"\x1f\x8b",
        b"BZh",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!",
        b"\x04\x22\x4d\x18",
        b"MSCF",
        b"age-encryption.org/",
    ];
    let lower = path.to_ascii_lowercase();
    ENDINGS.iter().any(|e| lower.ends_with(e))
        || MAGIC.iter().any(|m| first.starts_with(m))
        || first.get(257..262) == Some(b"ustar")
        || (first.get(2..5) == Some(b"-lh") && first.get(6) == Some(&b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_allowed() {
        for good in ["data/a", "data/371/587/x_1", "data/住民.csv", "data/-/ADT-00/x"] {
            assert!(path_allowed(good, 1024), "{good}");
        }
        for bad in [
            "a",
            "/data/a",
            "data/",
            "data//a",
            "data/../a",
            "data/./a",
            "data/a/..",
            "data/a\\b",
            "data/c:x",
            "data/a\nb",
            "../data/a",
            "data/\u{202e}x",
            "notices.csv",
        ] {
            assert!(!path_allowed(bad, 1024), "{bad}");
        }
        assert!(!path_allowed("data/abc", 7));
    }

    #[test]
    fn archives_are_known_by_name_and_by_first_bytes() {
        assert!(looks_like_archive("data/a.ZIP", b""));
        assert!(looks_like_archive("data/a.ndjson", b"PK\x03\x04rest"));
        assert!(looks_like_archive("data/a.ndjson", b"\xfd7zXZ\x00\x00"));
        assert!(!looks_like_archive("data/a.ndjson", b"{\"resourceType\":\"Patient\"}"));
    }
}
