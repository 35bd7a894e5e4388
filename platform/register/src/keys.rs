//! The keyed ids of the register: persons, segments, suppression.
//!
//! Without the deployment's secrets no id can be computed from a name or number, so that the register's
//! own tables tell nobody who is on them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::{KeyError, KeyRing};
use kiban_linkage::Identity;
use sha2::Sha256;
use sqlx::AnyConnection;

/// The register's secrets, ready for use.
#[derive(Clone)]
pub struct RegisterKeys {
    source: Hmac<Sha256>,
    person: Hmac<Sha256>,
    suppression: Hmac<Sha256>,
}

impl RegisterKeys {
    /// From the deployment's named secrets, made on first use inside the transaction.
    ///
    /// # Errors
    /// A secret cannot be read or made.
    pub async fn load(conn: &mut AnyConnection, ring: &KeyRing) -> Result<Self, KeyError> {
        let source = ring.secret(&mut *conn, "person_source").await?;
        let person = ring.secret(&mut *conn, "person").await?;
        let suppression = ring.secret(&mut *conn, "suppression").await?;
        Ok(Self::from_secrets([source.expose(), person.expose(), suppression.expose()]))
    }

    /// From three secrets: of person sources, of persons, of suppression.
    pub fn from_secrets(secrets: [&[u8; 32]; 3]) -> Self {
        let [source, person, suppression] = secrets.map(|s| {
            // Safety of unwrap: HMAC takes a key of any length.
            Hmac::<Sha256>::new_from_slice(s).unwrap_or_else(|_| unreachable!("HMAC takes any key"))
        });
        Self { source, person, suppression }
    }

    /// The id of a person as one holder knows him or her.
    pub fn person_source(
        &self,
        holder: Id<kinds::Organization>,
        local_id: &str,
    ) -> Id<kinds::PersonSource> {
        Id::from_bytes(short(mac(
            &self.source,
            &[holder.to_string().as_bytes(), local_id.as_bytes()],
        )))
    }

    /// The id of a segment: the same bytes of the same person have the same id, so that a delivery sent
    /// twice changes nothing.
    pub fn segment(&self, person: Id<kinds::PersonSource>, bytes: &[u8]) -> Id<kinds::Segment> {
        let digest = Digest::of(bytes);
        Id::from_bytes(short(mac(
            &self.source,
            &[b"segment", &person.to_bytes(), digest.as_bytes()],
        )))
    }

    /// The id of a new person whose oldest member is `oldest`; `n` counts ids already taken.
    pub(crate) fn person(&self, oldest: Id<kinds::PersonSource>, n: u32) -> Id<kinds::Person> {
        Id::from_bytes(short(mac(&self.person, &[&oldest.to_bytes(), &n.to_be_bytes()])))
    }

    /// The number under which the insured-number history is asked about a person; serves nothing else.
    pub(crate) fn history_query(&self, source: Id<kinds::PersonSource>) -> String {
        hex::encode(short(mac(&self.person, &[b"history", &source.to_bytes()])))
    }

    /// Suppression hash of a person at one holder.
    pub(crate) fn suppressed_at(&self, holder: Id<kinds::Organization>, local_id: &str) -> String {
        hex::encode(mac(
            &self.suppression,
            &[b"holder", holder.to_string().as_bytes(), local_id.as_bytes()],
        ))
    }

    /// Suppression hash of a person at one holder: what [`crate::stop::suppressed`] names.
    pub fn suppression_of(&self, holder: Id<kinds::Organization>, local_id: &str) -> String {
        self.suppressed_at(holder, local_id)
    }

    /// Under which mark a look-up of a person stands in the log: it can be found again by whoever has the keys and the
    /// number, and joins with no id of the lake.
    pub fn looked_up(&self, holder: Id<kinds::Organization>, local_id: &str) -> String {
        let holder = holder.to_string();
        let parts: [&[u8]; 3] = [b"look-up", holder.as_bytes(), local_id.as_bytes()];
        hex::encode(short(mac(&self.suppression, &parts)))
    }

    /// Suppression hashes of a person at any holder, from each key that the identity has.
    pub(crate) fn suppressed_anywhere(&self, identity: &Identity) -> Vec<String> {
        [("key1", identity.key1()), ("key2", identity.key2())]
            .into_iter()
            .filter_map(|(name, key)| {
                Some(hex::encode(mac(&self.suppression, &[name.as_bytes(), key?.as_bytes()])))
            })
            .collect()
    }
}

impl std::fmt::Debug for RegisterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegisterKeys(..)")
    }
}

/// The parts with a zero byte between them.
fn mac(key: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            mac.update(&[0]);
        }
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn short(long: [u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&long[..16]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_key_holder_and_number() {
        let keys = RegisterKeys::from_secrets([&[1; 32], &[2; 32], &[3; 32]]);
        let other = RegisterKeys::from_secrets([&[9; 32], &[2; 32], &[3; 32]]);
        let (a, b) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let id = keys.person_source(a, "0001");
        assert_eq!(id, keys.person_source(a, "0001"));
        for different in [
            keys.person_source(b, "0001"),
            keys.person_source(a, "0002"),
            other.person_source(a, "0001"),
        ] {
            assert_ne!(id, different);
        }
        assert_ne!(keys.segment(id, b"x"), keys.segment(id, b"y"));
        assert_ne!(keys.person(id, 0), keys.person(id, 1));
        assert_eq!(format!("{keys:?}"), "RegisterKeys(..)");
    }
}
