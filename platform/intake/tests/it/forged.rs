//! `intake.bounded`: what a registered but hostile (or broken) sender could put into a well-signed file.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf};

use kiban_audit::note;
use kiban_intake::{
    Limits, ReceiveError,
    holder::{self, SealError},
    manifest::{FileEntry, ListDigest, Manifest},
};
use kiban_kernel::{Digest, Id, Regime};
use proptest::prelude::*;

use crate::home::{Home, condition, patient};

/// A sealed file of these entries, with a manifest that signs `signed` (by default what is there).
struct Forge<'a> {
    home: &'a Home,
    tar: tar::Builder<Vec<u8>>,
    files: Vec<FileEntry>,
}

impl<'a> Forge<'a> {
    fn new(home: &'a Home) -> Self {
        Self { home, tar: tar::Builder::new(Vec::new()), files: Vec::new() }
    }

    fn raw(mut self, path: &str, kind: tar::EntryType, body: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(body.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        if kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        self.tar.append(&header, body).unwrap();
        self
    }

    fn file(mut self, path: &str, body: &[u8]) -> Self {
        self.files.push(FileEntry {
            path: path.into(),
            sha256: Digest::of(body),
            size: body.len() as u64,
            segments: body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() as u64,
            format: "fhir_ndjson".into(),
            insured: false,
        });
        self.raw(path, tar::EntryType::Regular, body)
    }

    fn seal(self) -> PathBuf {
        self.seal_with(|_, _| {}, b"")
    }

    fn seal_with(
        self,
        change: impl FnOnce(&mut Vec<FileEntry>, &mut Manifest),
        after: &[u8],
    ) -> PathBuf {
        let Self { home, tar, mut files } = self;
        let notices = "local_id,regime,notice_version,notified_on,channel,guardian,died_on\n";
        let profile = holder::Profile::load(home.path()).unwrap();
        let mut manifest = Manifest {
            format: kiban_intake::manifest::BUNDLE_FORMAT.into(),
            delivery: Id::from_bytes([5; 16]),
            holder: profile.holder,
            created_at: "2025-06-01T00:00:00Z".parse().unwrap(),
            judged_on: "2025-06-01".parse().unwrap(),
            rules: Digest::of(b""),
            recipient: home.identity.to_public().to_string(),
            provider: profile.provider,
            files: ListDigest { sha256: Digest::of(b""), count: files.len() as u64 },
            notices: ListDigest { sha256: Digest::of(notices.as_bytes()), count: 0 },
            retractions: None,
            corrections: None,
            persons: 0,
            segments: files.iter().map(|f| f.segments).sum(),
            bytes: 0,
            withheld_persons: BTreeMap::default(),
            withheld_segments: BTreeMap::default(),
        };
        change(&mut files, &mut manifest);
        let list: String = files.iter().map(|f| serde_json::to_string(f).unwrap() + "\n").collect();
        manifest.files.sha256 = Digest::of(list.as_bytes());
        let key = holder::sign_key(home.path()).unwrap();
        let note = note::sign(&manifest.to_text().unwrap(), &key).unwrap();
        let mut forge = Self { home, tar, files }
            .raw("notices.csv", tar::EntryType::Regular, notices.as_bytes())
            .raw("files.ndjson", tar::EntryType::Regular, list.as_bytes())
            .raw("manifest.note", tar::EntryType::Regular, note.as_bytes());
        if !after.is_empty() {
            forge = forge.raw("data/after", tar::EntryType::Regular, after);
        }
        let bytes = forge.tar.into_inner().unwrap();
        seal_bytes(home, &bytes)
    }
}

fn seal_bytes(home: &Home, tar: &[u8]) -> PathBuf {
    let path = home.path().join("forged.kiban");
    let recipient = home.identity.to_public();
    let encryptor =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .unwrap();
    let mut out = encryptor.wrap_output(fs::File::create(&path).unwrap()).unwrap();
    out.write_all(tar).unwrap();
    out.finish().unwrap();
    path
}

macro_rules! refused {
    ($home:expr, $path:expr, $pattern:pat) => {{
        let got = $home.open(&$path);
        assert!(matches!(got, Err($pattern)), "{}: {got:?}", stringify!($pattern));
        let ja = got.err().map(|e| e.ja()).unwrap_or_default();
        assert!(ja.contains("何も保存していません"), "{ja}");
    }};
}

#[test]
fn a_well_made_one_passes() {
    let home = Home::new();
    let path = Forge::new(&home).file("data/P.ndjson", patient("p1", "x").as_bytes()).seal();
    assert_eq!(home.open(&path).unwrap().files().len(), 1);
}

#[test]
fn hostile_paths_and_entries_are_refused_by_name() {
    let home = Home::new();
    let body = patient("p1", "x");
    let forge = || Forge::new(&home);
    for path in [
        "data/../../etc/x",
        "/data/x.ndjson",
        "../x",
        "data/a//b",
        "data/./a",
        "other/x",
        "data/a\\b",
    ] {
        refused!(home, forge().file(path, body.as_bytes()).seal(), ReceiveError::BadPath { .. });
    }
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Directory,
        tar::EntryType::Fifo,
    ] {
        refused!(home, forge().raw("data/x", kind, b"").seal(), ReceiveError::NotAFile { .. });
    }
    let twice =
        forge().file("data/a.ndjson", body.as_bytes()).file("data/a.ndjson", body.as_bytes());
    refused!(home, twice.seal(), ReceiveError::DuplicateFile { .. });
    refused!(
        home,
        forge().file("data/a.zip", b"PK\x03\x04").seal(),
        ReceiveError::ArchiveInside { .. }
    );
    refused!(
        home,
        forge().file("data/a.ndjson", b"\xfd7zXZ\x00rest").seal(),
        ReceiveError::ArchiveInside { .. }
    );
    refused!(home, forge().file("data/a.exe", b"MZ").seal(), ReceiveError::UnknownFormat { .. });
}

#[test]
fn what_was_signed_must_be_what_is_there() {
    let home = Home::new();
    let (a, b) = (patient("p1", "x"), condition("p1", "y"));
    let forge = || {
        Forge::new(&home).file("data/a.ndjson", a.as_bytes()).file("data/b.ndjson", b.as_bytes())
    };
    let path = forge().seal_with(|files, _| files[1].sha256 = Digest::of(b"other"), b"");
    assert!(home.look(&path).is_ok(), "the content is not looked at yet");
    for refused in [home.open(&path), home.take_in(&path)] {
        match refused {
            Err(e @ ReceiveError::HashMismatch { .. }) => assert!(e.ja().contains("data/b.ndjson")),
            other => panic!("{other:?}"),
        }
    }
    let drop_last = |files: &mut Vec<FileEntry>, m: &mut Manifest| {
        m.segments -= files.pop().unwrap().segments;
        m.files.count -= 1;
    };
    refused!(home, forge().seal_with(drop_last, b""), ReceiveError::ForeignFile { .. });
    let add = |files: &mut Vec<FileEntry>, m: &mut Manifest| {
        files.push(FileEntry { path: "data/c.ndjson".into(), segments: 0, ..files[0].clone() });
        m.files.count += 1;
    };
    refused!(home, forge().seal_with(add, b""), ReceiveError::MissingFile { .. });
    refused!(home, forge().seal_with(|f, _| f.swap(0, 1), b""), ReceiveError::BadManifest);
    refused!(
        home,
        forge().seal_with(|_, m| m.recipient = "age1other".into(), b""),
        ReceiveError::OtherRecipient
    );
    refused!(
        home,
        forge().seal_with(|_, m| m.format = "x/9".into(), b""),
        ReceiveError::BadManifest
    );
    refused!(
        home,
        forge().seal_with(|_, m| m.notices.sha256 = Digest::of(b"x"), b""),
        ReceiveError::NoticesMismatch
    );
    refused!(
        home,
        forge().seal_with(|f, _| f[0].format = "ssmix2".into(), b""),
        ReceiveError::OtherFormat { .. }
    );
    let miscount = |f: &mut Vec<FileEntry>, m: &mut Manifest| {
        f[0].segments += 1;
        m.segments += 1;
    };
    refused!(home, forge().seal_with(miscount, b""), ReceiveError::SegmentCount { .. });
    refused!(home, forge().seal_with(|_, _| {}, b"more"), ReceiveError::AfterManifest);
    let no_manifest = forge().tar.into_inner().unwrap();
    refused!(home, seal_bytes(&home, &no_manifest), ReceiveError::NoManifest);
}

#[test]
fn text_and_limits_name_file_and_line() {
    let home = Home::new();
    let mut bad = (patient("p1", "x") + &patient("p1", "y")).into_bytes();
    bad.extend_from_slice(b"{\"resourceType\":\"\xff\"}\n");
    let path = Forge::new(&home).file("data/a.ndjson", &bad).seal();
    refused!(home, path, ReceiveError::NotUtf8 { line: 3, .. });
    let good = patient("p1", "x");
    let long = patient("p1", &"x".repeat(5000));
    let path = Forge::new(&home)
        .file("data/a.ndjson", (good.clone() + &long).as_bytes())
        .file("data/b.ndjson", good.as_bytes())
        .seal();
    let limits = Limits::default();
    let within = |limits: Limits| home.open_within(&path, &limits).err();
    let got = within(Limits { max_segment_bytes: 4000, ..limits });
    assert!(
        matches!(got, Some(ReceiveError::SegmentTooLong { line: 2, max_bytes: 4000, .. })),
        "{got:?}"
    );
    assert!(matches!(
        within(Limits { max_file_bytes: 4000, ..limits }),
        Some(ReceiveError::FileTooLarge { .. })
    ));
    assert!(matches!(
        within(Limits { max_total_bytes: 5200, ..limits }),
        Some(ReceiveError::TotalTooLarge { .. })
    ));
    assert!(matches!(
        within(Limits { max_files: 1, ..limits }),
        Some(ReceiveError::TooManyFiles { .. })
    ));
    assert!(matches!(
        within(Limits { max_segments: 1, ..limits }),
        Some(ReceiveError::TooManySegments { .. })
    ));
    assert!(matches!(
        within(Limits { max_manifest_bytes: 10, ..limits }),
        Some(ReceiveError::FileTooLarge { .. })
    ));
    assert!(within(limits).is_none());
}

#[test]
fn the_holder_too_refuses_long_lines_and_bombs_and_leaves_nothing() {
    let mut home = Home::new();
    home.notify("p1", &Regime::ALL, "2024-05-01");
    home.file("a.ndjson", patient("p1", "x") + &patient("p1", &"x".repeat(5000)));
    let mut request = home.request("2025-06-01");
    request.limits.max_segment_bytes = 4000;
    let run = |r: &holder::SealRequest| {
        crate::home::run(r, &kiban_testkit::SeededEntropy::new(2), &kiban_kernel::NoSteps)
    };
    assert!(matches!(run(&request), Err(SealError::SegmentTooLong { line: 2, .. })));
    let mut bomb = patient("p1", "x").into_bytes();
    bomb.resize(40 << 20, b'\n');
    let mut xz = xz2::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&bomb).unwrap();
    home.file("a.ndjson.xz", xz.finish().unwrap());
    fs::remove_file(home.path().join("in/a.ndjson")).unwrap();
    let got = run(&home.request("2025-06-01"));
    assert!(matches!(got, Err(SealError::Expansion { .. })), "{got:?}");
    assert_eq!(fs::read_dir(home.path().join("outbox")).unwrap().count(), 0);
}

proptest! {
    /// Whoever can encrypt to the producer can put anything inside. Whatever it is, nothing panics, and what
    /// is accepted is what the holder signed.
    #[test]
    fn inside_too_only_what_was_signed_is_accepted(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let (home, path) = crate::home::small();
        let signed = home.open(&path).unwrap();
        let mut plain = home.plain(&path);
        for (at, byte) in changes {
            let at = at.index(plain.len());
            plain[at] = byte;
        }
        if let Some(cut) = cut {
            plain.truncate(cut.index(plain.len()));
        }
        if let Ok(checked) = home.open(&seal_bytes(&home, &plain)) {
            prop_assert_eq!(checked.files(), signed.files());
            prop_assert_eq!(checked.manifest(), signed.manifest());
            prop_assert_eq!(checked.notices(), signed.notices());
            let mut bytes = Vec::new();
            checked.segments::<ReceiveError>(|s| { bytes.extend_from_slice(s.bytes); Ok(()) }).unwrap();
            prop_assert_eq!(Digest::of(&bytes), signed.files()[0].sha256);
        }
    }
}

#[test]
fn no_error_shows_a_patient_number() {
    let home = Home::new();
    let path =
        "data/371/587/3715874629/20231123/OML-11/3715874629_20231123_OML-11_000092647851733_1";
    let sealed = Forge::new(&home).file(path, b"MSH|^~\\&|").seal_with(
        |files, _| {
            let format = "ssmix2".into();
            files[0] = FileEntry { sha256: Digest::of(b"x"), format, ..files[0].clone() };
        },
        b"",
    );
    let error = home.open(&sealed).unwrap_err();
    assert!(matches!(error, ReceiveError::HashMismatch { .. }), "{error:?}");
    for text in [error.to_string(), error.ja(), format!("{error:?}")] {
        assert!(text.contains("OML-11") && !text.contains("3715874629"), "{text}");
    }
}
