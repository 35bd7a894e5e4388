//! Ids of segments: the same bytes of the same person have the same id, so that a segment that is sent
//! again is recognised.
//!
//! A holder's monthly full dump is a new sealed file with mostly old bytes. Its segments get the ids they
//! had; those that stand in the lake's table `source_segment` are known and are counted as duplicates
//! instead of being stored again. The id is a keyed hash, so it tells nothing about the bytes to whoever
//! lacks the key, and it goes with its row when the person is erased.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use kiban_kernel::{Id, Kind, kinds};

/// Makes segment ids from the deployment's secret `segment`.
#[derive(Clone)]
pub struct SegmentIds(Key);

impl std::fmt::Debug for SegmentIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SegmentIds")
    }
}

impl SegmentIds {
    /// With the deployment's secret (`ring.secret(tx, "segment")`).
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Key::new(HMAC_SHA256, secret))
    }

    /// The id of a person's segment.
    pub fn id(
        &self,
        person: Id<kinds::PersonSource>,
        header: &[u8],
        bytes: &[u8],
    ) -> Id<kinds::Segment> {
        let mut mac = Context::with_key(&self.0);
        mac.update(&person.to_bytes());
        mac.update(&(header.len() as u64).to_be_bytes());
        mac.update(header);
        mac.update(bytes);
        first_half(mac)
    }

    /// The id of a record of a holder's source, from its name ([`kiban_formats::source`]); the same in all its versions.
    pub fn record(&self, holder: Id<kinds::Organization>, name: &str) -> Id<kinds::Record> {
        self.keyed(b"record", &[&holder.to_bytes(), name.as_bytes()])
    }

    /// The id of a record that the source gives no name: its one version's.
    pub fn unnamed(&self, segment: Id<kinds::Segment>) -> Id<kinds::Record> {
        self.keyed(b"unnamed", &[&segment.to_bytes()])
    }

    fn keyed<K: Kind>(&self, what: &[u8], parts: &[&[u8]]) -> Id<K> {
        let mut mac = Context::with_key(&self.0);
        // No person's id is so short: these never meet the ids of segments.
        mac.update(what);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        first_half(mac)
    }
}

fn first_half<K: Kind>(mac: Context) -> Id<K> {
    let mut id = [0; 16];
    id.copy_from_slice(&mac.sign().as_ref()[..16]);
    Id::from_bytes(id)
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
