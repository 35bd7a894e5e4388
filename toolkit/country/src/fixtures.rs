//! The two hospitals' records, inside the crate: an SS-MIX2 standardized storage of 20 patients and a
//! FHIR JP Core export of 210, both made by other people's generators (`fixtures/README.md`).
//!
//! Enters: the embedded archives, or folders of the same kinds. Leaves: files. Refuses: an archive
//! entry whose path leaves the folder, links, and entries larger than any fixture.

use std::{
    fs,
    io::Read,
    path::{Component, Path, PathBuf},
};

use xz2::read::XzDecoder;

use crate::error::{ArchiveRefusal, CountryError};

const LARGEST_ENTRY: u64 = 256 << 20;

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/", $path))
    };
}

const SSMIX2: &[u8] = fixture!("ssmix2/generated/storage_20patients.tar.xz");
const SSMIX2_TRUTH: &[u8] = fixture!("ssmix2/generated/source_truth_20patients.tar.xz");

macro_rules! resources {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fhir/clinosim_jp/", $name, ".ndjson.xz")))),*]
    };
}

/// File stems and packed bytes of the FHIR export.
const FHIR: [(&str, &[u8]); 16] = resources![
    "AllergyIntolerance",
    "Condition",
    "Coverage",
    "DiagnosticReport",
    "Encounter",
    "FamilyMemberHistory",
    "ImagingStudy",
    "Immunization",
    "Location",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
];

/// Unpack the SS-MIX2 storage of 20 patients into `dir`; the number of files.
///
/// # Errors
/// [`CountryError::Io`], [`CountryError::Archive`].
pub fn unpack_ssmix2(dir: &Path) -> Result<usize, CountryError> {
    unpack_tar(XzDecoder::new(SSMIX2), dir)
}

/// Unpack the events from which the SS-MIX2 storage was made (one CSV per patient) into `dir`.
///
/// # Errors
/// [`CountryError::Io`], [`CountryError::Archive`].
pub fn unpack_ssmix2_truth(dir: &Path) -> Result<usize, CountryError> {
    unpack_tar(XzDecoder::new(SSMIX2_TRUTH), dir)
}

/// Unpack the FHIR export of 210 patients into `dir` as `*.ndjson`; the number of files.
///
/// # Errors
/// [`CountryError::Io`].
pub fn unpack_fhir(dir: &Path) -> Result<usize, CountryError> {
    each_fhir(None, &mut |name, reader| write_stream(dir, Path::new(name), reader))
}

/// Copy a storage from a folder.
pub(crate) fn copy_ssmix2(from: &Path, dir: &Path) -> Result<usize, CountryError> {
    each_ssmix2(Some(from), &mut |path, reader| write_stream(dir, path, reader))
}

/// Copy an export from a folder, unpacked.
pub(crate) fn copy_fhir(from: &Path, dir: &Path) -> Result<usize, CountryError> {
    each_fhir(Some(from), &mut |name, reader| write_stream(dir, Path::new(name), reader))
}

/// Unpack a tar stream into `dir`, refusing what does not belong there.
fn unpack_tar(reader: impl Read, dir: &Path) -> Result<usize, CountryError> {
    each_entry(reader, &mut |path, reader| write_stream(dir, path, reader))
}

type OnFile<'a> = dyn FnMut(&Path, &mut dyn Read) -> Result<(), CountryError> + 'a;
type OnNamed<'a> = dyn FnMut(&str, &mut dyn Read) -> Result<(), CountryError> + 'a;

fn each_entry(reader: impl Read, on_file: &mut OnFile<'_>) -> Result<usize, CountryError> {
    let mut archive = tar::Archive::new(reader);
    let mut files = 0;
    let failed = || CountryError::io("read", "fixture archive");
    for (i, entry) in archive.entries().map_err(failed())?.enumerate() {
        let mut entry = entry.map_err(failed())?;
        let refuse = |why| CountryError::Archive { entry: i + 1, why };
        let kind = entry.header().entry_type();
        let path = entry.path().map_err(|_| refuse(ArchiveRefusal::Path))?;
        let path = plain_path(&path).ok_or(refuse(ArchiveRefusal::Path))?;
        if kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return Err(refuse(ArchiveRefusal::Special));
        }
        if entry.size() > LARGEST_ENTRY {
            return Err(refuse(ArchiveRefusal::TooLarge));
        }
        on_file(&path, &mut entry)?;
        files += 1;
    }
    Ok(files)
}

/// The path, if it stays inside the folder it is joined to.
fn plain_path(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!out.as_os_str().is_empty()).then_some(out)
}

fn write_stream(dir: &Path, path: &Path, reader: &mut dyn Read) -> Result<(), CountryError> {
    let target = dir.join(path);
    let failed = || CountryError::io("write", "fixture file");
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(failed())?;
    }
    let mut file = fs::File::create(&target).map_err(failed())?;
    std::io::copy(reader, &mut file).map_err(failed())?;
    Ok(())
}

/// Every file of the SS-MIX2 storage, embedded or from a folder, in a fixed order.
pub(crate) fn each_ssmix2(
    folder: Option<&Path>,
    on_file: &mut OnFile<'_>,
) -> Result<usize, CountryError> {
    let Some(folder) = folder else {
        return each_entry(XzDecoder::new(SSMIX2), on_file);
    };
    let paths = files_under(folder)?;
    for path in &paths {
        let mut file =
            fs::File::open(folder.join(path)).map_err(CountryError::io("read", "SS-MIX2 file"))?;
        on_file(path, &mut file)?;
    }
    Ok(paths.len())
}

/// Every file of the FHIR export, unpacked, as `<stem>.ndjson`, in a fixed order.
pub(crate) fn each_fhir(
    folder: Option<&Path>,
    on_file: &mut OnNamed<'_>,
) -> Result<usize, CountryError> {
    let Some(folder) = folder else {
        for (stem, packed) in FHIR {
            on_file(&format!("{stem}.ndjson"), &mut XzDecoder::new(packed))?;
        }
        return Ok(FHIR.len());
    };
    let mut files = 0;
    for path in files_under(folder)? {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let file =
            || fs::File::open(folder.join(&path)).map_err(CountryError::io("read", "FHIR file"));
        if let Some(stem) = name.strip_suffix(".xz").filter(|s| s.ends_with(".ndjson")) {
            on_file(stem, &mut XzDecoder::new(file()?))?;
        } else if name.ends_with(".ndjson") {
            on_file(name, &mut file()?)?;
        } else {
            continue;
        }
        files += 1;
    }
    Ok(files)
}

fn files_under(folder: &Path) -> Result<Vec<PathBuf>, CountryError> {
    let failed = || CountryError::io("list", "fixture folder");
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inner) = open.pop() {
        for entry in fs::read_dir(folder.join(&inner)).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let path = inner.join(entry.file_name());
            let kind = entry.file_type().map_err(failed())?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(path: &[u8], kind: tar::EntryType) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_size(1);
        header.set_entry_type(kind);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, &b"x"[..]).expect("archive");
        builder.into_inner().expect("archive")
    }

    #[test]
    fn an_entry_that_leaves_the_folder_is_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let inner = dir.path().join("inner");
        for path in [&b"../out"[..], b"/etc/out", b"a/../../out"] {
            let refused = unpack_tar(&archive(path, tar::EntryType::Regular)[..], &inner);
            assert!(matches!(
                refused,
                Err(CountryError::Archive { entry: 1, why: ArchiveRefusal::Path })
            ));
        }
        let link = unpack_tar(&archive(b"link", tar::EntryType::Symlink)[..], &inner);
        assert!(matches!(link, Err(CountryError::Archive { why: ArchiveRefusal::Special, .. })));
        assert_eq!(unpack_tar(&archive(b"a/b", tar::EntryType::Regular)[..], &inner).ok(), Some(1));
        assert!(inner.join("a/b").is_file() && !dir.path().join("out").exists());
    }

    #[test]
    fn the_embedded_fixtures_unpack() {
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(unpack_ssmix2(&dir.path().join("a")).ok(), Some(702));
        assert_eq!(unpack_ssmix2_truth(&dir.path().join("t")).ok(), Some(20));
        assert_eq!(unpack_fhir(&dir.path().join("b")).ok(), Some(16));
        let patients = fs::read_to_string(dir.path().join("b/Patient.ndjson")).expect("file");
        assert_eq!(patients.lines().count(), 210);
    }
}
