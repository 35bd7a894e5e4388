//! A recipient's key: an age identity in a file only its owner may read, with the producer's verifier key beside
//! it, so that one file is enough to open a package and to know who sealed it.

use std::{fs, path::Path};

use age::{secrecy::ExposeSecret as _, x25519};
use kiban_audit::note::VerifyKey;
use kiban_kernel::{Id, kinds};

use crate::{KeyError, durable};

/// Name of the key file in a recipient's folder.
pub const KEY_FILE: &str = "recipient.key";
const PRODUCER: &str = "# producer: ";

/// A key file as read.
pub struct Key {
    pub(crate) identity: x25519::Identity,
    pub(crate) producer: Option<VerifyKey>,
}

impl Key {
    /// The age recipient that others seal to.
    pub fn public(&self) -> String {
        self.identity.to_public().to_string()
    }
    /// The producer's verifier key, if the file names one.
    pub fn producer(&self) -> Option<&VerifyKey> {
        self.producer.as_ref()
    }

    /// Read a key file, refusing one that others than its owner may read or write.
    ///
    /// # Errors
    /// Missing, too open, or without an identity.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path).map_err(KeyError::Read)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyError::TooOpen);
            }
        }
        let text =
            age::secrecy::SecretString::from(fs::read_to_string(path).map_err(KeyError::Read)?);
        let (mut identity, mut producer) = (None, None);
        for (i, line) in text.expose_secret().lines().enumerate() {
            if let Some(key) = line.strip_prefix(PRODUCER) {
                producer = Some(key.parse().map_err(|_| KeyError::Producer { line: i + 1 })?);
            } else if !line.starts_with('#') && !line.trim().is_empty() {
                identity = Some(line.trim().parse().map_err(|_| KeyError::NoIdentity)?);
            }
        }
        Ok(Self { identity: identity.ok_or(KeyError::NoIdentity)?, producer })
    }
}

/// Make a recipient's key in `dir` (created if missing): `recipient.key`, owner only. The producer's own
/// environment key for type II users is made the same way. Gives the age recipient to register.
///
/// # Errors
/// A key is there already, or the folder cannot be written.
pub fn init(
    dir: &Path,
    organization: Id<kinds::Organization>,
    producer: &VerifyKey,
) -> Result<String, KeyError> {
    fs::create_dir_all(dir).map_err(KeyError::Write)?;
    let identity = x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = age::secrecy::SecretString::from(format!(
        "# organization: {organization}\n{PRODUCER}{producer}\n# public key: {public}\n{}\n",
        secret.expose_secret()
    ));
    durable::write_new(&dir.join(KEY_FILE), text.expose_secret().as_bytes())
        .map_err(KeyError::Write)?;
    durable::sync_dir(dir).map_err(KeyError::Write)?;
    Ok(public)
}
