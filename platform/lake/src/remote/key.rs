//! The cluster's key: one file that all nodes and their clients hold.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use zeroize::Zeroizing;

use crate::{KeyError, Secret, durable, keys::read_private};

/// What this binary was built from: a digest over this crate's sources and `Cargo.lock`, in hex.
pub const BUILD: &str = env!("KIBAN_ENGINE_BUILD");

const MARK: &str = "kiban-cluster-key/1 ";

/// The key that all nodes of a cluster hold, together with the build of this one.
pub struct ClusterKey {
    secret: Secret,
    build: String,
}

impl ClusterKey {
    /// A new key in a new file that only its owner can read.
    ///
    /// # Errors
    /// There is such a file, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        if path.exists() {
            return Err(KeyError::Exists);
        }
        let secret = Secret::random()?;
        let line = Zeroizing::new(format!("{MARK}{}\n", BASE64.encode(secret.expose())));
        durable::replace_private(path, line.as_bytes())
            .map_err(|source| KeyError::Io { act: "write a key file", source })?;
        Ok(Self { secret, build: BUILD.to_owned() })
    }

    /// The key in a file.
    ///
    /// # Errors
    /// There is none, it is malformed, or others than its owner can read it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let line = Zeroizing::new(read_private(path)?);
        let encoded = line.strip_prefix(MARK).ok_or(KeyError::Malformed)?;
        Ok(Self { secret: Secret::decoded(encoded)?, build: BUILD.to_owned() })
    }

    /// As if this were another build; for showing that it is refused.
    #[must_use]
    pub fn of_build(mut self, build: &str) -> Self {
        build.clone_into(&mut self.build);
        self
    }

    /// This node's build.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// A key for a purpose, which nodes of one key and one build share.
    pub fn derive(&self, purpose: &str) -> Secret {
        // Length first: no two pairs of build and purpose write the same bytes.
        let length = (self.build.len() as u32).to_be_bytes();
        let name = [b"kiban cluster v1\0", &length[..], self.build.as_bytes(), purpose.as_bytes()];
        Secret::of(self.secret.mac(&name))
    }

    /// The key that shows, before builds are compared, who holds the cluster's key.
    pub(super) fn greeting(&self) -> Secret {
        Secret::of(self.secret.mac(&[b"kiban cluster greeting v1\0"]))
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterKey").field("build", &self.build).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_apart_by_file_build_and_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.key"), dir.path().join("b.key"));
        let made = ClusterKey::create(&a).unwrap();
        ClusterKey::create(&b).unwrap();
        assert!(matches!(ClusterKey::create(&a), Err(KeyError::Exists)));
        let bytes = |key: &ClusterKey, purpose| *key.derive(purpose).expose();
        let read = ClusterKey::read(&a).unwrap();
        assert_eq!(bytes(&made, "x"), bytes(&read, "x"));
        assert_ne!(bytes(&read, "x"), bytes(&read, "y"));
        assert_ne!(bytes(&read, "x"), bytes(&ClusterKey::read(&b).unwrap(), "x"));
        let other = ClusterKey::read(&a).unwrap().of_build("another");
        assert_ne!(bytes(&read, "x"), bytes(&other, "x"));
        assert_eq!(read.greeting().expose(), other.greeting().expose());
        assert!(!format!("{read:?}").contains(&hex::encode(bytes(&read, "x"))));
    }

    #[test]
    #[cfg(unix)]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cluster.key");
        ClusterKey::create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(ClusterKey::read(&path), Err(KeyError::Permissions)));
        assert!(matches!(ClusterKey::read(&dir.path().join("none")), Err(KeyError::Missing)));
    }
}
