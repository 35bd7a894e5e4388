//! Opening a sealed delivery at the producer.
//!
//! Enters: a file, the producer's age identity, the registered holders' keys. Leaves: [`Opened`], of which the signature holds
//! and the list of files is what was signed; from it [`Checked`], of which the files are, too. Refuses: everything
//! [`ReceiveError`] names. A first pass checks paths, sizes, formats, limits and the signature, and opens no more than it
//! needs. The content is compared with what was signed while it is read, cut and parsed ([`Incoming`]), or before
//! ([`Opened::check`]): what was taken in counts once the end is reached. All under the key of the first pass: what was changed
//! meanwhile does not open. Nothing decrypted touches the disk.

mod ahead;
mod block;
mod checking;
mod first_pass;
mod jump;
mod payload;
mod signed;
mod stream;
mod walk;

use std::{
    fmt,
    fs::File,
    ops::{Deref, Range},
    path::Path,
};

use age::x25519;
use kiban_audit::note::VerifyKey;
use kiban_formats::{Format, Parsed};
use kiban_kernel::{Digest, Id, kinds};

use crate::{
    bundle::TarReader,
    error::ReceiveError,
    limits::Limits,
    manifest::{
        CORRECTIONS_NAME, DATA_PREFIX, FILES_NAME, FileEntry, MANIFEST_NAME, Manifest,
        NOTICES_NAME, RETRACTIONS_NAME, path_allowed,
    },
    notices::{Notices, pack_notices},
    place::FileRef,
    revisions::{Correction, Retraction, parse_corrections, parse_retractions},
    segment,
};

pub use self::walk::{Incoming, Walked};
use self::{
    first_pass::FirstPass,
    jump::Jump,
    payload::Payload,
    signed::{parse_files, signed_list, verify_manifest},
    stream::Hashing,
};

/// A registered data holder and the key its deliveries are signed with.
#[derive(Debug, Clone)]
pub struct KnownHolder {
    /// The holder.
    pub id: Id<kinds::Organization>,
    /// Its key.
    pub key: VerifyKey,
}

/// A delivery whose seal, signature, lists and limits were found in order. Not constructible elsewhere.
pub struct Opened {
    payload: Payload,
    /// What takes the digest of the same file, as long as its content is not checked.
    hashing: Option<Hashing>,
    limits: Limits,
    manifest: Manifest,
    manifest_note: String,
    files: Vec<FileEntry>,
    /// The files that are to be read to know all that is said of persons, and where their entries stand.
    of_persons: Vec<(usize, Range<u64>)>,
    notices: Notices,
    retractions: Vec<Retraction>,
    corrections: Vec<Correction>,
}

/// An opened delivery whose files are what was signed, byte by byte. Not constructible elsewhere.
pub struct Checked {
    opened: Opened,
    sealed_digest: Digest,
}

impl Deref for Checked {
    type Target = Opened;
    fn deref(&self) -> &Opened {
        &self.opened
    }
}

/// One segment of a delivery: its bytes as sent and what they say.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    /// The file it stands in.
    pub file: &'a FileEntry,
    /// The file's place in the list, from 1.
    pub file_number: u64,
    /// Its format.
    pub format: Format,
    /// Line or row, from 1.
    pub line: u64,
    /// The holder's key of the person, if the segment is about one.
    pub person: Option<&'a str>,
    /// Bytes as sent, with the line's end.
    pub bytes: &'a [u8],
    /// The lines it is read with (header of a table, of a claims or survey file), with their ends.
    pub header: &'a [u8],
    /// What it says.
    pub parsed: &'a Parsed<'a>,
}

/// Where a segment begins, in words that are made when somebody asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentPosition(Option<(&'static str, u64)>);

impl fmt::Display for SegmentPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |(word, line)| write!(f, "{word} {line}"))
    }
}

impl Segment<'_> {
    /// Position inside the file: `line 17`, `row 5`, empty for a file of one segment.
    pub fn position(&self) -> SegmentPosition {
        let word = match self.format {
            format if segment::is_whole(format) => return SegmentPosition(None),
            Format::MunicipalCsv | Format::CareClaims | Format::CareCertification => "row",
            _ => "line",
        };
        SegmentPosition(Some((word, self.line)))
    }
    /// Reader and version, as rows store it.
    pub fn parser(&self) -> &'static str {
        self.format.parser()
    }
    /// The file, as errors and reports name it.
    pub fn file_ref(&self) -> FileRef {
        FileRef::new(self.file_number, &self.file.path)
    }
}

impl std::fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment({} line {}, {} bytes)", self.file_ref(), self.line, self.bytes.len())
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({}, {} files)", self.manifest.delivery, self.files.len())
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checked({}, {} files)", self.manifest.delivery, self.files.len())
    }
}

/// Opens a sealed delivery with the default limits: who sealed it, and what for, is known; its content is not checked yet.
///
/// # Errors
/// See [`ReceiveError`]; nothing was kept.
/// # Law
/// `receipt_record`
pub fn open_seal(
    path: &Path,
    identity: &x25519::Identity,
    holders: &[KnownHolder],
) -> Result<Opened, ReceiveError> {
    open_seal_within(path, identity, holders, &Limits::default())
}

/// As [`open_seal`], with limits of one's own.
///
/// # Errors
/// As [`open_seal`].
pub fn open_seal_within(
    path: &Path,
    identity: &x25519::Identity,
    holders: &[KnownHolder],
    limits: &Limits,
) -> Result<Opened, ReceiveError> {
    let open = || File::open(path).map_err(ReceiveError::Read);
    let (file, beside) = (open()?, open()?);
    let payload = Payload::open(file, identity)?;
    let hashing = Some(Hashing::of(beside).map_err(ReceiveError::Read)?);
    let (pass, parts) = first_look(Jump::over(&payload).map_err(ReceiveError::Read)?, limits)?;
    let Parts { notices, list, note, retractions, corrections } = parts;
    let note = note.ok_or(ReceiveError::NoManifest)?;
    let note = String::from_utf8(note).map_err(|_| ReceiveError::BadManifest)?;
    let manifest = verify_manifest(&note, holders)?;
    if manifest.recipient != identity.to_public().to_string() {
        return Err(ReceiveError::OtherRecipient);
    }
    let list = list.ok_or(ReceiveError::NoManifest)?;
    if manifest.files.sha256 != Digest::of(&list) {
        return Err(ReceiveError::BadManifest);
    }
    let files = parse_files(&list, &manifest)?;
    pass.compare(&files)?;
    let notices_bytes = notices.ok_or(ReceiveError::BadNotices { line: 0 })?;
    if manifest.notices.sha256 != Digest::of(&notices_bytes) {
        return Err(ReceiveError::NoticesMismatch);
    }
    let notices =
        pack_notices(&notices_bytes).map_err(|e| ReceiveError::BadNotices { line: e.line })?;
    if notices.len() as u64 != manifest.notices.count {
        return Err(ReceiveError::NoticesMismatch);
    }
    let retractions =
        signed_list(RETRACTIONS_NAME, retractions, manifest.retractions, parse_retractions)?;
    let corrections =
        signed_list(CORRECTIONS_NAME, corrections, manifest.corrections, parse_corrections)?;
    let found = pass.found.into_iter().enumerate().filter(|(_, f)| f.of_persons);
    let of_persons = found.map(|(at, f)| (at, f.entry)).collect();
    Ok(Opened {
        payload,
        hashing,
        of_persons,
        limits: *limits,
        manifest,
        manifest_note: note,
        files,
        notices,
        retractions,
        corrections,
    })
}

/// What a delivery holds beside its data.
#[derive(Default)]
struct Parts {
    notices: Option<Vec<u8>>,
    list: Option<Vec<u8>>,
    note: Option<Vec<u8>>,
    retractions: Option<Vec<u8>>,
    corrections: Option<Vec<u8>>,
}

/// The first pass.
fn first_look<'l>(
    opened: Jump<'_>,
    limits: &'l Limits,
) -> Result<(FirstPass<'l>, Parts), ReceiveError> {
    let mut pass = FirstPass::new(limits);
    let mut reader = TarReader::new(opened, limits.max_path_bytes);
    let mut parts = Parts::default();
    while let Some(head) = pass.next(&mut reader)? {
        if parts.note.is_some() {
            return Err(ReceiveError::AfterManifest);
        }
        if head.path.starts_with(DATA_PREFIX) && parts.notices.is_none() && parts.list.is_none() {
            pass.data(&mut reader, &head)?;
            continue;
        }
        let slot = match head.path.as_str() {
            NOTICES_NAME => &mut parts.notices,
            RETRACTIONS_NAME => &mut parts.retractions,
            CORRECTIONS_NAME => &mut parts.corrections,
            FILES_NAME => &mut parts.list,
            MANIFEST_NAME => &mut parts.note,
            path if path_allowed(path, limits.max_path_bytes) => {
                return Err(ReceiveError::ForeignFile { file: pass.here(path) });
            }
            path => return Err(ReceiveError::BadPath { file: pass.here(path) }),
        };
        if slot.is_some() {
            return Err(ReceiveError::DuplicateFile { file: pass.here(&head.path) });
        }
        let max = if Path::new(&head.path).extension().is_some_and(|e| e == "csv") {
            limits.max_notices_bytes
        } else {
            limits.max_manifest_bytes
        };
        *slot = Some(pass.whole(&mut reader, &head, max)?);
    }
    Ok((pass, parts))
}

impl Opened {
    /// What the holder signed.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// The signed note itself: evidence to keep.
    pub fn manifest_note(&self) -> &str {
        &self.manifest_note
    }
    /// The files, in the order of the delivery.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }
    /// The notices of the persons sent.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }
    /// What the holder takes back.
    pub fn retractions(&self) -> &[Retraction] {
        &self.retractions
    }
    /// Persons the holder had wrong.
    pub fn corrections(&self) -> &[Correction] {
        &self.corrections
    }
    /// Is the content still to be compared with what was signed?
    fn is_unchecked(&self) -> bool {
        self.hashing.is_some()
    }
    /// Size of the sealed file.
    pub fn sealed_bytes(&self) -> u64 {
        self.payload.sealed_bytes()
    }
}

impl Checked {
    /// SHA-256 of the sealed file: the same bytes sent twice have the same one.
    pub fn sealed_digest(&self) -> Digest {
        self.sealed_digest
    }
}
