//! The shipped samples, and copies of them under other patients' ids.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use xz2::read::XzDecoder;

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path)
}

/// One message: its path in the tree of the storage, the patient's id, its bytes.
pub(crate) struct Message {
    pub(crate) path: String,
    pub(crate) patient: String,
    pub(crate) bytes: Vec<u8>,
}

/// All messages of the generated storage.
pub(crate) fn storage() -> anyhow::Result<Vec<Message>> {
    let file = fs::File::open(fixture("ssmix2/generated/storage_20patients.tar.xz"))?;
    let mut archive = tar::Archive::new(XzDecoder::new(file));
    let mut messages = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let full = entry.path()?.to_string_lossy().into_owned();
        let path = full.split_once('/').context("a file outside the storage")?.1.to_owned();
        let patient = path.split('/').nth(2).context("a file outside a patient")?.to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        messages.push(Message { path, patient, bytes });
    }
    Ok(messages)
}

impl Message {
    /// The same message of another patient: everywhere the id stands.
    pub(crate) fn of(&self, patient: &str) -> Self {
        let rest = self.path.splitn(4, '/').nth(3).unwrap_or_default();
        let rest = rest.replace(&self.patient, patient);
        Self {
            path: format!("{}/{}/{patient}/{rest}", &patient[..3], &patient[3..6]),
            bytes: replaced(&self.bytes, self.patient.as_bytes(), patient.as_bytes()),
            patient: patient.to_owned(),
        }
    }
}

/// Another patient's id of as many digits.
pub(crate) fn other_id(id: &str, copy: u64) -> String {
    let width = id.len();
    let number: u64 = id.parse().unwrap_or_default();
    let modulus = 10_u64.pow(width as u32);
    // A step without common factor with a power of ten: no two copies meet.
    format!("{:0width$}", (number + copy * 1_000_003) % modulus)
}

/// Names and texts of the NDJSON files.
pub(crate) fn fhir() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(fixture("fhir/clinosim_jp"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".xz") else { continue };
        let mut bytes = Vec::new();
        XzDecoder::new(fs::File::open(&path)?).read_to_end(&mut bytes)?;
        files.push((name.to_owned(), bytes));
    }
    files.sort();
    Ok(files)
}

/// The FHIR text with every resource under an id of its own, the patients' `pt-…` also where they are referred to.
pub(crate) fn fhir_copy(text: &[u8], copy: u64) -> Vec<u8> {
    let text = replaced(text, b"Patient/pt-", format!("Patient/c{copy:03}.pt-").as_bytes());
    replaced(&text, b"\"id\":\"", format!("\"id\":\"c{copy:03}.").as_bytes())
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}
