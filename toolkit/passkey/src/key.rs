//! Public keys as COSE writes them (RFC 9053), of the three algorithms that authenticators in use have.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::{Refused, cbor, cbor::Value};

/// COSE numbers of the accepted algorithms, best first: ES256, EdDSA, RS256.
pub const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// Bytes of a 2048-bit and of an 8192-bit modulus.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The public key of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ES256: a point of P-256, uncompressed.
    P256(Vec<u8>),
    /// EdDSA with Ed25519.
    Ed25519(Vec<u8>),
    /// RS256: modulus and exponent.
    Rsa {
        /// Modulus, big-endian.
        n: Vec<u8>,
        /// Exponent, big-endian.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// From a COSE key.
    pub(crate) fn of(value: &Value<'_>) -> Result<Self, Refused> {
        let int = |label| value.at(label).and_then(Value::int);
        let bytes = |label| value.at(label).and_then(Value::bytes).ok_or(Refused::Key);
        let sized = |label, length| {
            bytes(label).and_then(|b| if b.len() == length { Ok(b) } else { Err(Refused::Key) })
        };
        match (int(1), int(3)) {
            (Some(2), Some(-7)) if int(-1) == Some(1) => {
                let point = [&[4][..], sized(-2, 32)?, sized(-3, 32)?].concat();
                // The point must be one of the curve.
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point).map_err(|_| Refused::Key)?;
                Ok(Self::P256(point))
            }
            (Some(1), Some(-8)) if int(-1) == Some(6) => {
                let point = sized(-2, 32)?.to_owned();
                ParsedPublicKey::new(&ED25519, &point).map_err(|_| Refused::Key)?;
                Ok(Self::Ed25519(point))
            }
            (Some(3), Some(-257)) => {
                let (n, e) = (bytes(-1)?.to_owned(), bytes(-2)?.to_owned());
                let fits = RSA_BYTES.contains(&n.len()) && (1..=4).contains(&e.len()) && n[0] != 0;
                if fits { Ok(Self::Rsa { n, e }) } else { Err(Refused::Key) }
            }
            _ => Err(Refused::Key),
        }
    }

    /// From the bytes of [`Self::to_cose`].
    ///
    /// # Errors
    /// They are no key of an accepted algorithm.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, Refused> {
        let (value, rest) = cbor::read(bytes).ok_or(Refused::Key)?;
        if rest.is_empty() { Self::of(&value) } else { Err(Refused::Key) }
    }

    /// As a COSE key, to be kept.
    pub fn to_cose(&self) -> Vec<u8> {
        match self {
            // The first byte of a point says that it is uncompressed.
            Self::P256(point) => {
                let (x, y) = point[1..].split_at(32);
                [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y]
                    .concat()
            }
            Self::Ed25519(x) => {
                [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32][..], x.as_slice()].concat()
            }
            Self::Rsa { n, e } => {
                let length = (n.len() as u16).to_be_bytes();
                let head = [0xa4, 1, 3, 3, 0x39, 0x01, 0x00, 0x20, 0x59, length[0], length[1]];
                [&head[..], n, &[0x21, 0x40 | e.len() as u8], e].concat()
            }
        }
    }

    /// Short name of its algorithm, as COSE has it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
            Self::Rsa { .. } => "RS256",
        }
    }

    /// Is it this key's signature of the message?
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            Self::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok()
            }
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}
