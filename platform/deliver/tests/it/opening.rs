//! Opening what is cut, changed, forged or pointing elsewhere.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use kiban_audit::note::SigningKey;
use kiban_deliver::{KeyError, OpenError, open, recipient};
use kiban_govern::delivery::Route;
use kiban_kernel::{Digest, NoSteps, Product};
use kiban_release::{
    Anonymized,
    manifest::{FileFact, payload_digest},
};
use kiban_testkit::{SeededEntropy, id};
use proptest::prelude::*;

use crate::{house::user, scene::Scene};

async fn delivered() -> Scene {
    let s = Scene::sqlite(Product::Anonymized).await;
    s.deliver_as::<Anonymized>(Arc::new(NoSteps), Route::SealedTransfer).await.unwrap();
    s
}

fn leaves_nothing(s: &Scene, file: &Path) -> OpenError {
    let out = s.root.join("out");
    let e = open(file, &s.user_key(), &out, None).unwrap_err();
    assert!(!out.exists() && !s.root.join(".out.opening").exists(), "{e}");
    assert!(!e.ja().is_empty());
    e
}

/// A copy without the manifest beside it, so that the seal alone speaks.
fn alone(s: &Scene, bytes: &[u8]) -> std::path::PathBuf {
    let dir = s.root.join("received");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("package.age");
    fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn cut_changed_swapped_or_for_somebody_else() {
    let s = delivered().await;
    let whole = fs::read(s.package()).unwrap();
    for cut in [0, 10, 200, whole.len() / 2, whole.len() - 1] {
        let e = leaves_nothing(&s, &alone(&s, &whole[..cut]));
        let named =
            matches!(e, OpenError::Damaged { .. } | OpenError::NotSealed | OpenError::NoManifest);
        assert!(named, "{cut}: {e}");
    }
    for at in [5, 120, 300, whole.len() - 20] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        leaves_nothing(&s, &alone(&s, &bytes));
    }
    let mut longer = whole.clone();
    longer.extend_from_slice(b"more");
    leaves_nothing(&s, &alone(&s, &longer));
    // another manifest beside it
    fs::write(s.root.join("received/manifest.note"), "no note\n").unwrap();
    assert!(matches!(leaves_nothing(&s, &alone(&s, &whole)), OpenError::Manifest(_)));
    // somebody else's key
    let other = s.root.join("other");
    recipient::init(&other, id(77), s.house.key.verify_key()).unwrap();
    let e = open(&s.package(), &other.join(recipient::KEY_FILE), &s.root.join("out"), None)
        .unwrap_err();
    assert!(matches!(e, OpenError::WrongKey));
    // a producer that did not sign it
    let stranger =
        SigningKey::generate(&SeededEntropy::new(99), "stranger.invalid/release").unwrap();
    let e = open(&s.package(), &s.user_key(), &s.root.join("out"), Some(stranger.verify_key()))
        .unwrap_err();
    assert!(matches!(e, OpenError::Manifest(_)));
}

#[tokio::test]
async fn a_folder_with_something_in_it_and_a_key_open_to_others() {
    let s = delivered().await;
    let out = s.root.join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "mine").unwrap();
    let e = open(&s.package(), &s.user_key(), &out, None).unwrap_err();
    assert!(matches!(e, OpenError::NotEmpty));
    assert_eq!(fs::read_to_string(out.join("mine")).unwrap(), "mine");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |m| fs::set_permissions(s.user_key(), fs::Permissions::from_mode(m)).unwrap();
        assert_eq!(fs::metadata(s.user_key()).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o644);
        let e = open(&s.package(), &s.user_key(), &s.root.join("new"), None).unwrap_err();
        assert!(matches!(e, OpenError::Key(KeyError::TooOpen)));
        mode(0o600);
    }
    assert!(open(&s.package(), &s.user_key(), &s.root.join("new"), None).is_ok());
    // a key that exists is never overwritten
    let again = recipient::init(&s.user_dir(), user(), s.house.key.verify_key());
    assert!(matches!(again, Err(KeyError::Write(_))));
    // a bare age key works with the producer's key given, and only then
    let bare = s.root.join("bare.key");
    let text = fs::read_to_string(s.user_key()).unwrap();
    let secret = text.lines().find(|l| l.starts_with("AGE-SECRET-KEY-")).unwrap();
    fs::write(&bare, secret).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&bare, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let e = open(&s.package(), &bare, &s.root.join("new2"), None).unwrap_err();
    assert!(matches!(e, OpenError::ProducerUnknown));
    assert!(
        open(&s.package(), &bare, &s.root.join("new2"), Some(s.house.key.verify_key())).is_ok()
    );
}

/// A package whose tar is forged by one who has the producer's key and the recipient's: the worst case.
fn forged(s: &Scene, listed: &[(&str, &[u8])], packed: &[(&str, &[u8])]) -> std::path::PathBuf {
    let mut manifest = s.house.manifest(id(1), id(9), Product::Anonymized, vec![]);
    manifest.files = listed
        .iter()
        .map(|(path, bytes)| FileFact {
            path: (*path).into(),
            size: bytes.len() as u64,
            sha256: Digest::of(bytes),
        })
        .collect();
    manifest.payload = payload_digest(&manifest.files);
    let note = manifest.sign(&s.house.key).unwrap();
    let mut plain = Vec::new();
    for (path, bytes) in std::iter::once(&("manifest.note", note.as_bytes())).chain(packed) {
        // by hand: the tar crate refuses to write such paths
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        plain.extend_from_slice(header.as_bytes());
        plain.extend_from_slice(bytes);
        plain.resize(plain.len().div_ceil(512) * 512, 0);
    }
    plain.resize(plain.len() + 1024, 0);
    let public = recipient::Key::load(&s.user_key()).unwrap().public();
    let to: age::x25519::Recipient = public.parse().unwrap();
    let mut sealed = Vec::new();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&to as _)).unwrap();
    let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
    writer.write_all(&plain).unwrap();
    writer.finish().unwrap();
    alone(s, &sealed)
}

#[tokio::test]
async fn forged_archives_are_refused_by_position() {
    let s = delivered().await;
    let a: (&str, &[u8]) = ("a.csv", b"a");
    let b: (&str, &[u8]) = ("b.csv", b"b");
    let open_forged = |listed: &[(&str, &[u8])], packed: &[(&str, &[u8])]| {
        leaves_nothing(&s, &forged(&s, listed, packed))
    };
    for path in ["../evil", "/tmp/evil", "a/../../evil", ".ssh/evil", "manifest.note"] {
        let e = open_forged(&[(path, b"x")], &[(path, b"x")]);
        let refused = matches!(e, OpenError::Path { position: 2 })
            || (path == "manifest.note" && matches!(e, OpenError::Foreign { position: 2 }));
        assert!(refused, "{path}: {e}");
    }
    assert!(!s.root.join("evil").exists() && !Path::new("/tmp/evil").exists());
    assert!(matches!(open_forged(&[a], &[a, b]), OpenError::Foreign { position: 3 }));
    assert!(matches!(open_forged(&[a, b], &[b, a]), OpenError::Foreign { position: 2 }));
    assert!(matches!(open_forged(&[a], &[a, a]), OpenError::Foreign { position: 3 }));
    assert!(matches!(open_forged(&[a, b], &[a]), OpenError::Missing { path } if path == "b.csv"));
    assert!(
        matches!(open_forged(&[a], &[("a.csv", b"x")]), OpenError::Changed { path } if path == "a.csv")
    );
    assert!(matches!(open_forged(&[a], &[("a.csv", b"much longer")]), OpenError::Changed { .. }));
    // and a right one opens
    assert!(open(&forged(&s, &[a, b], &[a, b]), &s.user_key(), &s.root.join("out"), None).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// deliver.open: any one byte changed anywhere is refused.
    #[test]
    fn one_changed_byte_is_refused(at in any::<prop::sample::Index>(), with in 1_u8..=255) {
        static WHOLE: std::sync::OnceLock<(Scene, Vec<u8>)> = std::sync::OnceLock::new();
        let (s, whole) = WHOLE.get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let s = runtime.block_on(delivered());
            let whole = fs::read(s.package()).unwrap();
            std::mem::forget(runtime);
            (s, whole)
        });
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        leaves_nothing(s, &alone(s, &bytes));
    }
}
