//! Signing in through an organization's own provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).
//!
//! Enters: the provider's answer in the browser's address, its signed token fetched by us. Leaves: the [`Actor`] whose
//! account the identity is bound to, one event. Refuses: an answer to a question that was not asked of this visitor within
//! five minutes, or that was used; one of another issuer (RFC 9207); a token that is not signed by a key of the provider,
//! is for another client, of another nonce, expired, or made at another time than now; an identity that is bound to no
//! account (none is ever made); an account that the register bars. A token that does not show two factors signs nobody in:
//! the person then presents a passkey of the account.

use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use kiban_audit::Event;
use kiban_govern::Actor;
use kiban_kernel::{Digest, Entropy as _, Id, LawKey, OsEntropy, Timestamp, kinds};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, SignatureVerificationError,
    TokenResponse as _,
    core::{
        CoreClient, CoreClientAuthMethod, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreResponseType,
    },
};
use serde_json::json;
use sqlx::Row as _;

use super::{
    SignInRefused, entitled, factors,
    provider_settings::{Provider, ProviderSettings},
};
use crate::{Deployment, Error};

/// Seconds for which an answer is awaited, and a second factor after it.
const SECONDS: i64 = 5 * 60;
/// Most visitors asked at once.
const MOST: usize = 10_000;
/// Seconds for which what a provider says of itself is kept.
const KEPT: i64 = 10 * 60;
/// Seconds by which a provider's clock may differ from ours.
const SKEW: i64 = 60;
/// The path of the page to which the provider sends the visitor back.
pub const ANSWER: &str = "/sign-in/provider/answer";
/// Signatures that are accepted: asymmetric ones only.
const SIGNATURES: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
];

/// The line to a provider failed.
#[derive(Debug, thiserror::Error)]
#[error("the line to the provider failed")]
pub struct LineFailed(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Carries requests to a provider. It follows no redirect.
#[async_trait]
pub trait ProviderLine: Send + Sync {
    /// Send a request and read the whole answer.
    ///
    /// # Errors
    /// The line failed, or the answer is too large.
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, LineFailed>;
}

/// The line as the protocol's crate wants it.
struct Carrier(Arc<dyn ProviderLine>);

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = LineFailed;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, LineFailed>> + Send + 'c>>;
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.0.carry(request)
    }
}

struct Asked {
    provider: usize,
    state: String,
    nonce: String,
    verifier: String,
    at: Timestamp,
}

/// What came of a provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Two factors were shown: the person is signed in.
    SignedIn(Box<Actor>),
    /// One was: a passkey of the account has to follow.
    SecondWanted,
}

/// The providers of one site, and whom it sent there.
pub struct Providers {
    all: Vec<Provider>,
    answer: RedirectUrl,
    line: Arc<dyn ProviderLine>,
    asked: Mutex<HashMap<Digest, Asked>>,
    /// Visitors known by one factor.
    half: Mutex<HashMap<Digest, (Id<kinds::Account>, Timestamp)>>,
    known: Mutex<HashMap<usize, (CoreProviderMetadata, Timestamp)>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Providers({})", self.all.len())
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(visitor: &str) -> Digest {
    Digest::of(visitor.as_bytes())
}

fn within(from: Timestamp, now: Timestamp, seconds: i64) -> bool {
    (0..=seconds).contains(&now.duration_since(from).as_secs())
}

/// A fresh secret, 64 hexadecimal digits. Never of a seeded source.
fn secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

impl Providers {
    /// The providers of the pages served at an origin.
    ///
    /// # Errors
    /// The origin or an issuer is no address.
    pub fn new(
        settings: ProviderSettings,
        origin: &str,
        line: Arc<dyn ProviderLine>,
    ) -> Result<Self, Error> {
        let wrong = || Error::Field {
            field: "origin",
            ja: "公開するアドレス（--origin）または認証基盤の issuer がアドレスの形ではありません。",
        };
        let origin = origin.trim_end_matches('/');
        let answer = RedirectUrl::new(format!("{origin}{ANSWER}")).map_err(|_| wrong())?;
        if settings.providers.iter().any(|p| IssuerUrl::new(p.issuer.clone()).is_err()) {
            return Err(wrong());
        }
        let (asked, half, known) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { all: settings.providers, answer, line, asked, half, known })
    }

    /// Key and Japanese name of each.
    pub fn choices(&self) -> Vec<(String, String)> {
        self.all.iter().map(|p| (p.key.clone(), p.name.clone())).collect()
    }

    pub(super) fn issuer_of(&self, key: &str) -> Option<&str> {
        self.all.iter().find(|p| p.key == key).map(|p| p.issuer.as_str())
    }

    /// What the provider says of itself, with its keys; asked anew after some minutes, or when a key is not among them.
    async fn metadata(
        &self,
        on: &Deployment,
        at: usize,
        anew: bool,
    ) -> Result<CoreProviderMetadata, Error> {
        let now = on.world.clock.now();
        let kept = locked(&self.known).get(&at).cloned();
        if let Some((metadata, _)) = kept.filter(|(_, s)| !anew && within(*s, now, KEPT)) {
            return Ok(metadata);
        }
        let silent = |_| SignInRefused::ProviderSilent;
        let issuer = IssuerUrl::new(self.all[at].issuer.clone())
            .map_err(|_| SignInRefused::ProviderSilent)?;
        let carry = Carrier(self.line.clone());
        let metadata =
            CoreProviderMetadata::discover_async(issuer, &carry).await.map_err(silent)?;
        locked(&self.known).insert(at, (metadata.clone(), now));
        Ok(metadata)
    }

    /// Send a visitor to a provider: the address to go to.
    ///
    /// # Errors
    /// There is no such provider, it does not answer, or too many are being asked.
    pub async fn begin(&self, on: &Deployment, visitor: &str, key: &str) -> Result<String, Error> {
        let at = self.all.iter().position(|p| p.key == key);
        let at = at.ok_or(SignInRefused::NoSuchProvider)?;
        let provider = &self.all[at];
        let metadata = self.metadata(on, at, false).await?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(provider.client.clone()),
            None,
        )
        .set_redirect_uri(self.answer.clone());
        let (state, nonce, verifier) = (secret()?, secret()?, secret()?);
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (state_given, nonce_given) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || state_given,
                move || nonce_given,
            )
            .set_pkce_challenge(challenge);
        for context in &provider.trusted {
            let context = AuthenticationContextClass::new(context.clone());
            request = request.add_auth_context_value(context);
        }
        let (address, _, _) = request.url();
        let now = on.world.clock.now();
        let mut asked = locked(&self.asked);
        if asked.len() >= MOST {
            asked.retain(|_, a| within(a.at, now, SECONDS));
            if asked.len() >= MOST {
                return Err(SignInRefused::Crowded.into());
            }
        }
        asked.insert(name(visitor), Asked { provider: at, state, nonce, verifier, at: now });
        Ok(address.to_string())
    }

    /// The provider's answer: `state`, `code` and (RFC 9207) `iss` of the address. Used once, whatever comes of it.
    ///
    /// # Errors
    /// See the module.
    /// # Law
    /// `security`
    pub async fn finish(
        &self,
        on: &Deployment,
        visitor: &str,
        state: &str,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Answered, Error> {
        let now = on.world.clock.now();
        let asked = locked(&self.asked).remove(&name(visitor));
        let asked = asked.filter(|a| within(a.at, now, SECONDS) && a.state == state);
        let asked = asked.ok_or(SignInRefused::NotAsked)?;
        let provider = &self.all[asked.provider];
        if issuer.is_some_and(|i| i != provider.issuer) || code.is_empty() {
            return Err(SignInRefused::ProviderAnswer.into());
        }
        let said = self.claims(on, &asked, code).await?;
        let account = bound(on, &provider.issuer, &said.subject).await?;
        let actor = entitled(on, account).await?;
        let methods: Vec<&str> = said.methods.iter().map(String::as_str).collect();
        if !factors::are_two(&methods, said.context.as_deref(), &provider.trusted) {
            let mut half = locked(&self.half);
            half.retain(|_, (_, at)| within(*at, now, SECONDS));
            half.insert(name(visitor), (account, now));
            return Ok(Answered::SecondWanted);
        }
        signed_in(on, &actor, &provider.key).await?;
        Ok(Answered::SignedIn(Box::new(actor)))
    }

    /// Whom a provider knew by one factor, while a second is awaited.
    ///
    /// # Errors
    /// Nobody, or too long ago.
    pub fn half(&self, on: &Deployment, visitor: &str) -> Result<Id<kinds::Account>, Error> {
        let now = on.world.clock.now();
        let found = locked(&self.half).get(&name(visitor)).copied();
        let found = found.filter(|(_, at)| within(*at, now, SECONDS));
        Ok(found.map(|(account, _)| account).ok_or(SignInRefused::NotAsked)?)
    }

    /// The second factor was shown, or given up.
    pub fn end_half(&self, visitor: &str) {
        locked(&self.half).remove(&name(visitor));
    }

    async fn claims(&self, on: &Deployment, asked: &Asked, code: &str) -> Result<Said, Error> {
        let provider = &self.all[asked.provider];
        let metadata = self.metadata(on, asked.provider, false).await?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|m| {
            m.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !m.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let id = ClientId::new(provider.client.clone());
        let secret = provider.secret.as_ref().map(|s| ClientSecret::new(s.to_string()));
        let client = CoreClient::from_provider_metadata(metadata, id.clone(), secret)
            .set_redirect_uri(self.answer.clone())
            .set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
        let carry = Carrier(self.line.clone());
        let token = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| SignInRefused::ProviderAnswer)?
            .set_pkce_verifier(PkceCodeVerifier::new(asked.verifier.clone()))
            .request_async(&carry)
            .await
            .map_err(|_| SignInRefused::ProviderAnswer)?;
        let token = token.id_token().ok_or(SignInRefused::ProviderAnswer)?;
        let now = on.world.clock.now();
        let nonce = Nonce::new(asked.nonce.clone());
        let mut metadata = self.metadata(on, asked.provider, false).await?;
        let mut anew = false;
        loop {
            let client = CoreClient::from_provider_metadata(metadata, id.clone(), None);
            let verifier = client
                .id_token_verifier()
                .set_allowed_algs(SIGNATURES)
                .set_other_audience_verifier_fn(|_| false)
                .set_time_fn(move || instant(now).into())
                .set_issue_time_verifier_fn(move |made| {
                    let age = now.as_second() - made.timestamp();
                    let fits = (-SKEW..=SECONDS + SKEW).contains(&age);
                    fits.then_some(()).ok_or_else(|| "made at another time".to_owned())
                });
            match token.claims(&verifier, &nonce) {
                Ok(claims) => {
                    let methods = claims.auth_method_refs();
                    return Ok(Said {
                        subject: claims.subject().to_string(),
                        methods: methods
                            .map(|m| m.iter().map(|r| r.to_string()).collect())
                            .unwrap_or_default(),
                        context: claims.auth_context_ref().map(|c| c.to_string()),
                    });
                }
                // A provider changes its keys: its list is asked for once more.
                Err(ClaimsVerificationError::SignatureVerification(
                    SignatureVerificationError::NoMatchingKey,
                )) if !anew => {
                    anew = true;
                    metadata = self.metadata(on, asked.provider, true).await?;
                }
                Err(_) => return Err(SignInRefused::ProviderAnswer.into()),
            }
        }
    }
}

struct Said {
    subject: String,
    methods: Vec<String>,
    context: Option<String>,
}

fn instant(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(at.as_second().max(0).unsigned_abs())
}

/// The account that an identity stands for.
async fn bound(on: &Deployment, issuer: &str, subject: &str) -> Result<Id<kinds::Account>, Error> {
    let row = sqlx::query(
        "SELECT account FROM journeys_provider_account WHERE issuer = $1 AND subject = $2",
    )
    .bind(issuer.to_owned())
    .bind(subject.to_owned())
    .fetch_optional(&mut *on.reader().await?)
    .await?
    .ok_or(SignInRefused::Unbound)?;
    let account: String = row.try_get(0)?;
    account.parse().map_err(|_| Error::Unknown { what: "account" })
}

async fn signed_in(on: &Deployment, actor: &Actor, provider: &str) -> Result<(), Error> {
    let tx = on.log.begin().await?;
    let event = Event {
        kind: "account.signed_in",
        actor,
        subject: actor.account.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "by": "provider", "provider": provider }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
