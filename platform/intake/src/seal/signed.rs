//! What the holder signed, compared with what is there: the manifest and the lists beside it.

use kiban_audit::note;
use kiban_kernel::Digest;

use super::KnownHolder;
use crate::{
    error::ReceiveError,
    manifest::{FileEntry, ListDigest, Manifest},
    notices::ListError,
};

pub(super) fn verify_manifest(
    note: &str,
    holders: &[KnownHolder],
) -> Result<Manifest, ReceiveError> {
    // Who claims to have signed decides which one key may verify; the claim alone is worth nothing.
    let claimed = note.split("\n\n").next().unwrap_or_default();
    let claimed = Manifest::from_text(claimed)?;
    let holder =
        holders.iter().find(|h| h.id == claimed.holder).ok_or(ReceiveError::UnknownHolder)?;
    let text = note::verify(note, std::slice::from_ref(&holder.key))
        .map_err(|_| ReceiveError::WrongSignature)?;
    let manifest = Manifest::from_text(&text)?;
    if manifest.holder == holder.id { Ok(manifest) } else { Err(ReceiveError::WrongSignature) }
}

/// A list that may be there: as signed, or not at all.
pub(super) fn signed_list<T>(
    list: &'static str,
    bytes: Option<Vec<u8>>,
    signed: Option<ListDigest>,
    parse: fn(&[u8]) -> Result<Vec<T>, ListError>,
) -> Result<Vec<T>, ReceiveError> {
    let (bytes, signed) = match (bytes, signed) {
        (None, None) => return Ok(Vec::new()),
        (Some(bytes), Some(signed)) if Digest::of(&bytes) == signed.sha256 => (bytes, signed),
        _ => return Err(ReceiveError::ListMismatch { list }),
    };
    let rows = parse(&bytes).map_err(|e| ReceiveError::BadList { list, line: e.line })?;
    if rows.len() as u64 == signed.count {
        Ok(rows)
    } else {
        Err(ReceiveError::ListMismatch { list })
    }
}

pub(super) fn parse_files(
    list: &[u8],
    manifest: &Manifest,
) -> Result<Vec<FileEntry>, ReceiveError> {
    let mut files = Vec::new();
    for line in list.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        files.push(
            serde_json::from_slice::<FileEntry>(line).map_err(|_| ReceiveError::BadManifest)?,
        );
    }
    let ListDigest { count, .. } = manifest.files;
    let segments: u64 = files.iter().map(|f| f.segments).fold(0, u64::saturating_add);
    if files.len() as u64 != count || segments != manifest.segments {
        return Err(ReceiveError::BadManifest);
    }
    Ok(files)
}
