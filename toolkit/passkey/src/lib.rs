#![doc = include_str!("../README.md")]
//!
//! # Guarantee
//! - `passkey.own-challenge`: nothing but an answer to the given challenge from the given origin passes.
//! - `passkey.verified`: nothing passes without the person present and verified.
//! - `passkey.key`: an assertion passes under the credential's own key only, and any changed byte is refused.
//! - `passkey.counter`: a counter that does not grow is refused, unless the authenticator has none.
//! - `passkey.any-bytes`: any bytes are read or refused, without a panic.

mod authenticator_data;
mod cbor;
mod client_data;
mod key;
mod origin;
mod refused;
mod relying_party;

pub use key::{ALGORITHMS, PublicKey};
pub use origin::OriginError;
pub use refused::Refused;
pub use relying_party::{Assertion, Attestation, Credential, RelyingParty};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes as WebAuthn's JSON writes them: base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text without padding; `None` if it is none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
