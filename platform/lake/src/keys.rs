//! The key ring: one deployment key, one key per data class wrapped by it, and what hangs from those.
//!
//! Enters: a folder. Leaves: keys that never print themselves and are wiped when dropped. Refuses: a
//! key file that others may read, a wrapped key moved to another name, a second creation.
//! Keys come from [`OsEntropy`] alone, so that no seeded source of a test can make one.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kiban_kernel::{Entropy as _, OsEntropy};
use zeroize::Zeroizing;

use crate::{KeyError, durable};

const DEPLOYMENT_FILE: &str = "deployment.key";
const CLASSES_FILE: &str = "classes.toml";
const DEPLOYMENT_MARK: &str = "kiban-deployment-key/1 ";
/// Nonce, key, tag.
const WRAPPED_LEN: usize = 12 + 32 + 16;

/// What lies under one prefix of the store and one key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// Rows about named persons.
    Identified,
    /// Source bytes, under keys of persons.
    Source,
    /// Who is who: links, notices, places of source bytes, secrets of pseudonyms.
    Custody,
    /// Products before they are packed.
    Output,
}

impl DataClass {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Identified, Self::Source, Self::Custody, Self::Output];

    /// Prefix in the store and name in the key ring.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::Source => "source",
            Self::Custody => "custody",
            Self::Output => "output",
        }
    }

    /// The class whose prefix `path` lies under.
    pub fn of_path(path: &str) -> Option<Self> {
        let first = path.split('/').next()?;
        Self::ALL.into_iter().find(|c| c.as_str() == first)
    }
}

/// Names the class key a sealed file was written with.
pub(crate) type KeyId = [u8; 8];

/// 32 secret bytes: no `Debug` of the content, no `Clone`, wiped when dropped.
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// New random bytes.
    pub(crate) fn random() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        OsEntropy.fill(bytes.as_mut()).map_err(KeyError::Entropy)?;
        Ok(Self(bytes))
    }

    /// These bytes.
    pub(crate) fn of(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes written in base 64.
    pub(crate) fn decoded(text: &str) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| KeyError::Malformed)?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(KeyError::Malformed);
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// The bytes; keep them no longer than the call that needs them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 under this secret over the parts, one after the other.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context =
            hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.expose()));
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// A key for another purpose, from which this one cannot be found.
    pub(crate) fn derive(&self, label: &str) -> Self {
        Self(Zeroizing::new(self.mac(&[b"kiban derive v1\0", label.as_bytes()])))
    }

    pub(crate) fn aead(&self) -> Result<LessSafeKey, KeyError> {
        Ok(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, self.expose()).map_err(|_| KeyError::Cipher)?,
        ))
    }

    /// Wrap `key` under this one, bound to `name`; base 64.
    pub(crate) fn wrap(&self, name: &str, key: &Self) -> Result<String, KeyError> {
        let mut nonce = [0; 12];
        OsEntropy.fill(&mut nonce).map_err(KeyError::Entropy)?;
        let mut body = Zeroizing::new(key.0.to_vec());
        let tag = self
            .aead()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                wrap_aad(name),
                &mut body,
            )
            .map_err(|_| KeyError::Cipher)?;
        let mut out = nonce.to_vec();
        out.extend_from_slice(&body);
        out.extend_from_slice(tag.as_ref());
        Ok(BASE64.encode(out))
    }

    /// Undo [`Secret::wrap`].
    pub(crate) fn unwrap(&self, name: &str, wrapped: &str) -> Result<Self, KeyError> {
        let bytes = BASE64.decode(wrapped).map_err(|_| KeyError::Unwrap)?;
        if bytes.len() != WRAPPED_LEN {
            return Err(KeyError::Unwrap);
        }
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&bytes[..12]);
        let mut body = Zeroizing::new(bytes[12..].to_vec());
        let plain = self
            .aead()?
            .open_in_place(Nonce::assume_unique_for_key(nonce), wrap_aad(name), &mut body)
            .map_err(|_| KeyError::Unwrap)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(plain);
        Ok(Self(key))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn wrap_aad(name: &str) -> Aad<Vec<u8>> {
    Aad::from([b"kiban wrap v1\0", name.as_bytes()].concat())
}

/// The keys of one deployment.
pub struct KeyRing {
    keys: BTreeMap<KeyId, (DataClass, Secret)>,
    current: BTreeMap<DataClass, KeyId>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassesFile {
    version: u32,
    class: Vec<ClassEntry>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassEntry {
    class: DataClass,
    id: String,
    wrapped: String,
}

impl KeyRing {
    /// Make the keys of a new deployment in `dir`. Files can be read by their owner only.
    ///
    /// # Errors
    /// The folder already holds a deployment key, or cannot be written.
    pub fn create(dir: &Path, entropy: &OsEntropy) -> Result<Self, KeyError> {
        let deployment_path = dir.join(DEPLOYMENT_FILE);
        if deployment_path.exists() {
            return Err(KeyError::Exists);
        }
        durable::create_dir_private(dir)
            .map_err(|source| KeyError::Io { act: "make the key folder", source })?;
        let deployment = Secret::random()?;
        let mut file = ClassesFile { version: 1, class: Vec::new() };
        for class in DataClass::ALL {
            let mut id = [0; 8];
            entropy.fill(&mut id).map_err(KeyError::Entropy)?;
            let id = hex::encode(id);
            let wrapped = deployment.wrap(&class_name(class, &id), &Secret::random()?)?;
            file.class.push(ClassEntry { class, id, wrapped });
        }
        let text = toml::to_string(&file).map_err(|_| KeyError::Malformed)?;
        let write = |name: &str, bytes: &[u8]| {
            durable::replace_private(&dir.join(name), bytes)
                .map_err(|source| KeyError::Io { act: "write a key file", source })
        };
        write(CLASSES_FILE, text.as_bytes())?;
        // The deployment key comes last: its presence says that the ring is whole.
        let line =
            Zeroizing::new(format!("{DEPLOYMENT_MARK}{}\n", BASE64.encode(deployment.expose())));
        write(DEPLOYMENT_FILE, line.as_bytes())?;
        Self::open(dir)
    }

    /// The keys of an existing deployment.
    ///
    /// # Errors
    /// A file is missing, malformed, readable by others, or does not belong to the other.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let line = Zeroizing::new(read_private(&dir.join(DEPLOYMENT_FILE))?);
        let encoded = line.strip_prefix(DEPLOYMENT_MARK).ok_or(KeyError::Malformed)?;
        let deployment = Secret::decoded(encoded)?;
        let file: ClassesFile = toml::from_str(&read_private(&dir.join(CLASSES_FILE))?)
            .map_err(|_| KeyError::Malformed)?;
        if file.version != 1 {
            return Err(KeyError::Malformed);
        }
        let (mut keys, mut current) = (BTreeMap::new(), BTreeMap::new());
        for entry in file.class {
            let mut id = [0; 8];
            hex::decode_to_slice(&entry.id, &mut id).map_err(|_| KeyError::Malformed)?;
            let secret = deployment.unwrap(&class_name(entry.class, &entry.id), &entry.wrapped)?;
            keys.insert(id, (entry.class, secret));
            current.insert(entry.class, id); // the last entry of a class is the one to write with
        }
        if current.len() != DataClass::ALL.len() {
            return Err(KeyError::Malformed);
        }
        Ok(Self { keys, current })
    }

    /// The key to write files of a class with.
    pub(crate) fn current(&self, class: DataClass) -> Result<(KeyId, &Secret), KeyError> {
        let id = self.current.get(&class).ok_or(KeyError::UnknownKey)?;
        Ok((*id, &self.keys.get(id).ok_or(KeyError::UnknownKey)?.1))
    }

    /// The key a file of a class says it was written with.
    pub(crate) fn find(&self, class: DataClass, id: &KeyId) -> Result<&Secret, KeyError> {
        self.keys.get(id).filter(|(c, _)| *c == class).map(|(_, k)| k).ok_or(KeyError::UnknownKey)
    }

    /// The key that wraps keys and secrets of a class, and its id's text.
    pub(crate) fn wrapping(&self, class: DataClass) -> Result<(String, Secret), KeyError> {
        let (id, key) = self.current(class)?;
        Ok((hex::encode(id), key.derive("wrap")))
    }

    /// The wrapping key with this id.
    pub(crate) fn unwrapping(&self, class: DataClass, id: &str) -> Result<Secret, KeyError> {
        let mut raw = [0; 8];
        hex::decode_to_slice(id, &mut raw).map_err(|_| KeyError::UnknownKey)?;
        Ok(self.find(class, &raw)?.derive("wrap"))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

fn class_name(class: DataClass, id: &str) -> String {
    format!("class/{}/{id}", class.as_str())
}

pub(crate) fn read_private(path: &Path) -> Result<String, KeyError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Missing,
        _ => KeyError::Io { act: "read a key file", source },
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Permissions);
        }
    }
    fs::read_to_string(path).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_reopening_and_stand_apart() {
        let dir = tempfile::tempdir().unwrap();
        let made = KeyRing::create(dir.path(), &OsEntropy).unwrap();
        let opened = KeyRing::open(dir.path()).unwrap();
        let mut seen = Vec::new();
        for class in DataClass::ALL {
            let (id, key) = made.current(class).unwrap();
            assert_eq!(opened.current(class).unwrap().1.expose(), key.expose());
            assert!(opened.find(class, &id).is_ok());
            for other in DataClass::ALL.into_iter().filter(|o| *o != class) {
                assert!(matches!(opened.find(other, &id), Err(KeyError::UnknownKey)));
            }
            seen.push(*key.expose());
        }
        seen.dedup();
        assert_eq!(seen.len(), 4);
        assert!(matches!(KeyRing::create(dir.path(), &OsEntropy), Err(KeyError::Exists)));
    }

    #[test]
    #[cfg(unix)]
    fn key_files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        KeyRing::create(dir.path(), &OsEntropy).unwrap();
        let path = dir.path().join(DEPLOYMENT_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(KeyRing::open(dir.path()), Err(KeyError::Permissions)));
    }

    #[test]
    fn a_foreign_deployment_key_opens_nothing() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        KeyRing::create(a.path(), &OsEntropy).unwrap();
        KeyRing::create(b.path(), &OsEntropy).unwrap();
        fs::copy(a.path().join(DEPLOYMENT_FILE), b.path().join(DEPLOYMENT_FILE)).unwrap();
        assert!(matches!(KeyRing::open(b.path()), Err(KeyError::Unwrap)));
        assert!(matches!(KeyRing::open(Path::new("/nonexistent")), Err(KeyError::Missing)));
    }

    #[test]
    fn a_wrapped_key_is_bound_to_its_name() {
        let (kek, key) = (Secret::random().unwrap(), Secret::random().unwrap());
        let wrapped = kek.wrap("a", &key).unwrap();
        assert_eq!(kek.unwrap("a", &wrapped).unwrap().expose(), key.expose());
        assert!(matches!(kek.unwrap("b", &wrapped), Err(KeyError::Unwrap)));
        assert!(matches!(key.unwrap("a", &wrapped), Err(KeyError::Unwrap)));
        assert!(!format!("{key:?}").contains(&hex::encode(key.expose())));
    }
}
