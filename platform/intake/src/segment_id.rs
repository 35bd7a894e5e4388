//! Ids of segments: the same bytes of the same person have the same id, so that a segment that is sent
//! again is recognised.
//!
//! A holder's monthly full dump is a new sealed file with mostly old bytes. Its segments get the ids they
//! had; those that stand in the lake's table `source_segment` are known and are counted as duplicates
//! instead of being stored again. The id is a keyed hash, so it tells nothing about the bytes to whoever
//! lacks the key, and it goes with its row when the person is erased.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kiban_kernel::{Id, kinds};
use sha2::Sha256;

/// Makes segment ids from the deployment's secret `segment`.
#[derive(Clone)]
pub struct SegmentIds(Hmac<Sha256>);

impl std::fmt::Debug for SegmentIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SegmentIds")
    }
}

impl SegmentIds {
    /// With the deployment's secret (`ring.secret(tx, "segment")`).
    pub fn new(secret: &[u8; 32]) -> Self {
        // HMAC itself fills a short key up with zeros to the length of a block.
        let mut block = [0; 64];
        block[..32].copy_from_slice(secret);
        Self(Hmac::new(&block.into()))
    }

    /// The id of a person's segment.
    pub fn id(
        &self,
        person: Id<kinds::PersonSource>,
        header: &[u8],
        bytes: &[u8],
    ) -> Id<kinds::Segment> {
        let mut mac = self.0.clone();
        mac.update(&person.to_bytes());
        mac.update(&(header.len() as u64).to_be_bytes());
        mac.update(header);
        mac.update(bytes);
        let digest = mac.finalize().into_bytes();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Id::from_bytes(id)
    }

    /// The id of a record of a holder's source, from its name ([`kiban_formats::source`]); the same in all its versions.
    pub fn record(&self, holder: Id<kinds::Organization>, name: &str) -> Id<kinds::Record> {
        self.keyed(b"record", &[&holder.to_bytes(), name.as_bytes()])
    }

    /// The id of a record that the source gives no name: its one version's.
    pub fn unnamed(&self, segment: Id<kinds::Segment>) -> Id<kinds::Record> {
        self.keyed(b"unnamed", &[&segment.to_bytes()])
    }

    fn keyed<K: kiban_kernel::Kind>(&self, what: &[u8], parts: &[&[u8]]) -> Id<K> {
        let mut mac = self.0.clone();
        // No person's id is so short: these never meet the ids of segments.
        mac.update(what);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let digest = mac.finalize().into_bytes();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Id::from_bytes(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_of_the_same_person_alone_share_an_id() {
        let ids = SegmentIds::new(&[1; 32]);
        let (a, b) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        assert_eq!(ids.id(a, b"h", b"x"), ids.id(a, b"h", b"x"));
        assert_ne!(ids.id(a, b"h", b"x"), ids.id(b, b"h", b"x"));
        assert_ne!(ids.id(a, b"h", b"x"), ids.id(a, b"hx", b""));
        assert_ne!(ids.id(a, b"h", b"x"), SegmentIds::new(&[2; 32]).id(a, b"h", b"x"));
    }
}
