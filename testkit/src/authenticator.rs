//! A passkey authenticator in software: what a phone or a security key would answer, and what a cheat would.
//!
//! Written from sections 6.1, 6.5.1 and 5.8.1 of Web Authentication, Level 2, and shares no code with what it tests.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};

enum Key {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// An authenticator with one key. Its fields are what a cheat would change.
pub struct Authenticator {
    /// The page it believes to be on.
    pub origin: String,
    /// The relying party it answers for.
    pub party: String,
    /// Flags of the next answers: 0x01 present, 0x04 verified, 0x08 may be backed up, 0x10 is backed up.
    pub flags: u8,
    /// The counter of the next answer.
    pub count: u32,
    /// The page stands in a frame of another site.
    pub framed: bool,
    /// The id of its credential.
    pub id: Vec<u8>,
    /// Whom the credential stands for, as the site named the person.
    pub user: Vec<u8>,
    key: Key,
}

/// The answer of an authenticator to `create`.
pub struct Created {
    /// `clientDataJSON`
    pub client_data: Vec<u8>,
    /// `attestationObject`
    pub object: Vec<u8>,
}

/// The answer of an authenticator to `get`.
pub struct Got {
    /// `clientDataJSON`
    pub client_data: Vec<u8>,
    /// `authenticatorData`
    pub authenticator_data: Vec<u8>,
    /// `signature`
    pub signature: Vec<u8>,
}

impl Authenticator {
    /// With a key of P-256 (ES256).
    pub fn p256(origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self::with(origin, Key::P256(key))
    }

    /// With a key of Ed25519 (EdDSA).
    pub fn ed25519(origin: &str) -> Self {
        Self::with(origin, Key::Ed25519(Ed25519KeyPair::generate().expect("a key")))
    }

    fn with(origin: &str, key: Key) -> Self {
        let host = origin.split_once("://").expect("a scheme").1;
        let host = host.split(':').next().unwrap_or(host);
        let mut this = Self {
            origin: origin.to_owned(),
            party: host.to_owned(),
            flags: 0x05,
            count: 1,
            framed: false,
            id: Vec::new(),
            user: Vec::new(),
            key,
        };
        digest(&SHA256, &this.public_key()).as_ref()[..20].clone_into(&mut this.id);
        this
    }

    /// The public key as COSE writes it.
    fn public_key(&self) -> Vec<u8> {
        match &self.key {
            Key::P256(pair) => {
                let point = pair.public_key().as_ref();
                let mut out = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
                out.extend(&point[1..33]);
                out.extend([0x22, 0x58, 0x20]);
                out.extend(&point[33..]);
                out
            }
            Key::Ed25519(pair) => {
                let mut out = vec![0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
                out.extend(pair.public_key().as_ref());
                out
            }
        }
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let (origin, framed) = (&self.origin, self.framed);
        format!(
            r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":{framed}}}"#
        )
        .into_bytes()
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let mut out = digest(&SHA256, self.party.as_bytes()).as_ref().to_owned();
        out.push(self.flags | more);
        out.extend(self.count.to_be_bytes());
        out
    }

    /// Make the credential for `user`. The challenge is base64url, as sites send it.
    pub fn create(&mut self, challenge: &str, user: &[u8]) -> Created {
        user.clone_into(&mut self.user);
        let mut data = self.data(0x40);
        data.extend([0; 16]);
        data.extend((self.id.len() as u16).to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).expect("short data"));
        object.extend(data);
        Created { client_data: self.client_data("webauthn.create", challenge), object }
    }

    /// Answer a challenge, and count.
    pub fn get(&mut self, challenge: &str) -> Got {
        let client_data = self.client_data("webauthn.get", challenge);
        let authenticator_data = self.data(0);
        let mut message = authenticator_data.clone();
        message.extend(digest(&SHA256, &client_data).as_ref());
        let signature = match &self.key {
            Key::P256(pair) => {
                let signed = pair.sign(&SystemRandom::new(), &message).expect("a signature");
                signed.as_ref().to_owned()
            }
            Key::Ed25519(pair) => pair.sign(&message).as_ref().to_owned(),
        };
        self.count = self.count.wrapping_add(1);
        Got { client_data, authenticator_data, signature }
    }
}
