//! What the authenticator says (section 6.1).

use crate::{PublicKey, Refused, cbor};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// Longest id of a credential, in bytes (section 7.1, Level 3).
const LONGEST_ID: usize = 1023;

/// Authenticator data, read.
pub(crate) struct AuthenticatorData {
    pub(crate) party: [u8; 32],
    pub(crate) count: u32,
    pub(crate) backup_eligible: bool,
    /// A new credential: its id and key.
    pub(crate) attested: Option<(Vec<u8>, PublicKey)>,
    flags: u8,
}

impl AuthenticatorData {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let malformed = || Refused::Malformed("authenticator data");
        let (party, rest) = bytes.split_first_chunk::<32>().ok_or_else(malformed)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or_else(malformed)?;
        let (count, mut rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            // The model of the authenticator is of no use here.
            let (_model, after) = rest.split_first_chunk::<16>().ok_or_else(malformed)?;
            let (length, after) = after.split_first_chunk::<2>().ok_or_else(malformed)?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 || length > LONGEST_ID {
                return Err(malformed());
            }
            let (id, after) = after.split_at_checked(length).ok_or_else(malformed)?;
            let (key, after) = cbor::read(after).ok_or_else(malformed)?;
            attested = Some((id.to_owned(), PublicKey::of(&key)?));
            rest = after;
        }
        if flags & EXTENSIONS != 0 {
            let (extensions, after) = cbor::read(rest).ok_or_else(malformed)?;
            if !matches!(extensions, cbor::Value::Map(_)) {
                return Err(malformed());
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(malformed());
        }
        let backup_eligible = flags & BACKUP_ELIGIBLE != 0;
        if flags & BACKED_UP != 0 && !backup_eligible {
            return Err(Refused::BackupFlags);
        }
        let count = u32::from_be_bytes(*count);
        Ok(Self { party: *party, count, backup_eligible, attested, flags })
    }

    /// Present and verified: both factors.
    pub(crate) fn check(&self, party: &[u8; 32]) -> Result<(), Refused> {
        if self.party != *party {
            return Err(Refused::RelyingParty);
        }
        if self.flags & PRESENT == 0 {
            return Err(Refused::NotPresent);
        }
        if self.flags & VERIFIED == 0 {
            return Err(Refused::NotVerified);
        }
        Ok(())
    }
}
