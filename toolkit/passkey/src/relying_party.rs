//! The two ceremonies, from the relying party's side (sections 7.1 and 7.2).

use sha2::{Digest as _, Sha256};

use crate::{
    PublicKey, Refused,
    authenticator_data::AuthenticatorData,
    cbor,
    cbor::Value,
    client_data,
    origin::{Origin, OriginError},
};

/// Largest answer that is looked at, in bytes.
const LARGEST: usize = 64 * 1024;

/// What a browser sends after `navigator.credentials.create`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attestation {
    /// `response.clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `response.attestationObject`.
    pub object: Vec<u8>,
}

/// What a browser sends after `navigator.credentials.get`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assertion {
    /// `response.clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `response.authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `response.signature`.
    pub signature: Vec<u8>,
}

/// A passkey as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id, 1 to 1023 bytes.
    pub id: Vec<u8>,
    /// Its public key.
    pub key: PublicKey,
    /// The signature counter last seen; 0 if the authenticator has none.
    pub count: u32,
    /// May the key be copied to other devices of the person (a synced passkey)?
    pub backup_eligible: bool,
}

/// A site to which people sign in.
#[derive(Debug, Clone)]
pub struct RelyingParty {
    origin: Origin,
    hash: [u8; 32],
}

impl RelyingParty {
    /// The relying party of the pages at an origin (`https://kiban.example.jp`); its id is the domain.
    ///
    /// # Errors
    /// The text is no origin that can have passkeys.
    pub fn new(origin: &str) -> Result<Self, OriginError> {
        let origin = Origin::parse(origin)?;
        let hash = Sha256::digest(origin.host().as_bytes()).into();
        Ok(Self { origin, hash })
    }

    /// Its id: the domain.
    pub fn id(&self) -> &str {
        self.origin.host()
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// A new passkey, from the answer to `challenge`.
    ///
    /// # Errors
    /// The answer is refused.
    pub fn register(&self, challenge: &[u8], answer: &Attestation) -> Result<Credential, Refused> {
        bounded(&[&answer.client_data, &answer.object])?;
        client_data::check(&answer.client_data, "webauthn.create", challenge, &self.origin)?;
        let malformed = Refused::Malformed("attestation object");
        let (object, rest) = cbor::read(&answer.object).ok_or(malformed)?;
        let data = object.named("authData").and_then(Value::bytes).ok_or(malformed)?;
        let stated = matches!(object.named("fmt"), Some(Value::Text(_)))
            && matches!(object.named("attStmt"), Some(Value::Map(_)));
        if !rest.is_empty() || !stated {
            return Err(malformed);
        }
        let data = AuthenticatorData::read(data)?;
        data.check(&self.hash)?;
        let (id, key) = data.attested.ok_or(malformed)?;
        Ok(Credential { id, key, count: data.count, backup_eligible: data.backup_eligible })
    }

    /// Hold the answer to `challenge` against a passkey. Gives the counter to keep.
    ///
    /// # Errors
    /// The answer is refused.
    pub fn authenticate(
        &self,
        challenge: &[u8],
        credential: &Credential,
        answer: &Assertion,
    ) -> Result<u32, Refused> {
        bounded(&[&answer.client_data, &answer.authenticator_data, &answer.signature])?;
        client_data::check(&answer.client_data, "webauthn.get", challenge, &self.origin)?;
        let data = AuthenticatorData::read(&answer.authenticator_data)?;
        data.check(&self.hash)?;
        if data.backup_eligible != credential.backup_eligible {
            return Err(Refused::BackupFlags);
        }
        let digest = Sha256::digest(&answer.client_data);
        let message = [answer.authenticator_data.as_slice(), &digest].concat();
        if !credential.key.verifies(&message, &answer.signature) {
            return Err(Refused::Signature);
        }
        // An authenticator without a counter says 0 for ever.
        let none = data.count == 0 && credential.count == 0;
        if !none && data.count <= credential.count {
            return Err(Refused::CounterWentBack);
        }
        Ok(data.count)
    }
}

fn bounded(parts: &[&Vec<u8>]) -> Result<(), Refused> {
    let fits = parts.iter().all(|p| p.len() <= LARGEST);
    if fits { Ok(()) } else { Err(Refused::Malformed("answer")) }
}
