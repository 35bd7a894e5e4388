//! Signing in through an organization's own provider: a small provider with real keys, and its cheats.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kiban_journeys::sign_in;
use kiban_testkit::Authenticator;
use kiban_web::Settings;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::passkeys::{answered, enrolled};
use crate::support::{
    run, site,
    web::{Reply, Visitor, Web},
};

const ORIGIN: &str = "http://localhost:8080";
const SUBJECT: &str = "00u-takahashi";

/// What the provider would do wrong.
#[derive(Clone, Default)]
struct Cheat {
    /// Claims that replace those of an honest token; `null` takes one out.
    claims: Value,
    /// Signs with a key that is not on its list.
    unknown_key: bool,
    /// Changes a letter of the payload after signing.
    altered: bool,
    /// `alg` of the head.
    algorithm: Option<&'static str>,
    /// Gives no token.
    no_token: bool,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id: id.to_owned(), pair }
    }
    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": b64(&point[1..33]), "y": b64(&point[33..65]),
        })
    }
    fn sign(&self, claims: &Value, cheat: &Cheat) -> String {
        let algorithm = cheat.algorithm.unwrap_or("ES256");
        let head = json!({ "alg": algorithm, "typ": "JWT", "kid": self.id });
        let mut payload = b64(claims.to_string().as_bytes());
        let signed = format!("{}.{payload}", b64(head.to_string().as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        if cheat.altered {
            let other = claims.to_string().replace(SUBJECT, "00u-another--");
            payload = b64(other.as_bytes());
        }
        let signature = if algorithm == "none" { String::new() } else { b64(signature.as_ref()) };
        format!("{}.{payload}.{signature}", b64(head.to_string().as_bytes()))
    }
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Inner {
    issuer: String,
    /// The keys of its list; the first signs.
    keys: Vec<Key>,
    stray: Key,
    cheat: Cheat,
    /// Its clock, in seconds.
    now: i64,
    /// What was asked by the code that was given for it: nonce and challenge.
    asked: Option<(String, String)>,
    listed: usize,
}

/// A provider on a port of its own.
#[derive(Clone)]
struct Provider(Arc<Mutex<Inner>>);

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let inner = Inner {
            issuer,
            keys: vec![Key::new("one")],
            stray: Key::new("one"),
            cheat: Cheat::default(),
            now: 0,
            asked: None,
            listed: 0,
        };
        let this = Self(Arc::new(Mutex::new(inner)));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }
    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn configuration(State(of): State<Provider>) -> Json<Value> {
    let issuer = of.with(|i| i.issuer.clone());
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn keys(State(of): State<Provider>) -> Json<Value> {
    of.with(|i| {
        i.listed += 1;
        Json(json!({ "keys": i.keys.iter().map(Key::public).collect::<Vec<_>>() }))
    })
}

async fn token(
    State(of): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<std::collections::BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    let wanted =
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("kiban:s3cret"));
    if headers.get("authorization").is_none_or(|h| h != wanted.as_str()) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    of.with(|i| {
        let Some((nonce, challenge)) = i.asked.take() else { return refused() };
        // PKCE: the verifier fits the challenge that came with the question.
        let verifier = form.get("code_verifier").cloned().unwrap_or_default();
        let fits = b64(digest(&SHA256, verifier.as_bytes()).as_ref()) == challenge
            && form.get("code").is_some_and(|c| c == "the-code")
            && form
                .get("redirect_uri")
                .is_some_and(|u| *u == format!("{ORIGIN}{}", sign_in::ANSWER));
        if !fits {
            return refused();
        }
        let mut claims = json!({
            "iss": i.issuer, "sub": SUBJECT, "aud": "kiban", "nonce": nonce, "iat": i.now,
            "exp": i.now + 300, "amr": ["pwd", "otp"],
        });
        if let Value::Object(changes) = &i.cheat.claims {
            for (name, value) in changes {
                claims[name] = value.clone();
            }
        }
        let key = if i.cheat.unknown_key { &i.stray } else { &i.keys[0] };
        let mut answer = json!({ "access_token": "x", "token_type": "Bearer" });
        if !i.cheat.no_token {
            answer["id_token"] = json!(key.sign(&claims, &i.cheat));
        }
        (StatusCode::OK, Json(answer))
    })
}

async fn deployed(provider: &Provider) -> Web {
    let site = site::registered().copy().await;
    fs::write(site.dir.join("corp.secret"), "s3cret\n").unwrap();
    let issuer = provider.with(|i| i.issuer.clone());
    let settings = format!(
        "[[provider]]\nkey = \"corp\"\nname = \"社内認証\"\nissuer = \"{issuer}\"\nclient_id = \"kiban\"\n\
         client_secret_file = \"corp.secret\"\ntwo_factor_acr = [\"urn:example:gold\"]\n"
    );
    fs::write(site.dir.join("sign_in.toml"), settings).unwrap();
    let settings = Settings { origin: Some(ORIGIN.to_owned()), ..Settings::default() };
    let web = Web::with(site, settings);
    provider.with(|i| i.now = web.clock_seconds());
    web
}

/// A field of an address.
fn of(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|p| p.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {address}")).to_owned()
}

/// A visitor at the provider: the state of the question.
async fn asked(web: &Web, provider: &Provider) -> (Visitor, String) {
    let mut visitor = web.visitor();
    visitor.get("/sign-in").await.is(200).shows("社内認証でサインイン").shows("/sign-in/with/corp");
    let reply = visitor.get("/sign-in/with/corp").await;
    let address = reply.is(303).location().to_owned();
    assert!(address.starts_with(&format!("{}/authorize?", provider.with(|i| i.issuer.clone()))));
    assert_eq!(of(&address, "response_type"), "code");
    assert_eq!(of(&address, "code_challenge_method"), "S256");
    assert!(of(&address, "scope").contains("openid"));
    provider.with(|i| i.asked = Some((of(&address, "nonce"), of(&address, "code_challenge"))));
    (visitor, of(&address, "state"))
}

/// Back from the provider, as its page sends the browser.
async fn back(visitor: &mut Visitor, state: &str) -> Reply {
    // Another site began this request: it comes without our cookie, and must not take it away.
    let cookie = visitor.cookie.take();
    let path = format!("/sign-in/provider/answer?code=the-code&state={state}&session_state=x");
    let page = visitor.get(&path).await;
    assert!(visitor.cookie.is_none(), "the cookie was replaced");
    visitor.cookie = cookie;
    let refresh = page.is(200).headers["refresh"].to_str().unwrap().to_owned();
    visitor.get(refresh.strip_prefix("0; url=").unwrap()).await
}

async fn bound(web: &Web, key: &str, subject: &str) {
    let mut of = enrolled(web, "security").await;
    let mut officer = super::passkeys::signed_in(web, &mut of).await;
    let page = officer.get("/accounts").await;
    page.is(200).shows("認証基盤での識別子");
    let path = format!("/accounts/{}/provider", web.account(key));
    officer.post(&path, &[("provider", "corp"), ("subject", subject)]).await.is(303);
    officer.get("/accounts").await.shows("認証基盤 1件");
    officer.post(&path, &[("provider", "corp"), ("subject", subject)]).await.is(409);
    officer.post(&path, &[("provider", "nobody"), ("subject", "x")]).await.is(404);
    officer.post(&path, &[("provider", "corp"), ("subject", "あ")]).await.is(422);
}

async fn events(web: &Web, kind: &str) -> usize {
    let log = web.app.on().log();
    let events = log.events(0, log.size().await.unwrap()).await.unwrap();
    events.iter().filter(|e| e.kind == kind).count()
}

#[test]
fn two_factors_at_the_provider_sign_in_the_bound_account_and_nobody_else() {
    run(|| async {
        let provider = Provider::start().await;
        let web = deployed(&provider).await;
        // Nobody is bound yet: none is made.
        let (mut visitor, state) = asked(&web, &provider).await;
        back(&mut visitor, &state).await.is(403).shows("結び付いたアカウントがありません");
        bound(&web, "processor", SUBJECT).await;
        assert_eq!(events(&web, "account.bound").await, 1);
        let before = events(&web, "account.signed_in").await;
        let (mut visitor, state) = asked(&web, &provider).await;
        let planted = visitor.cookie.clone();
        assert_eq!(back(&mut visitor, &state).await.is(303).location(), "/home");
        assert_ne!(visitor.cookie, planted, "another cookie after signing in");
        visitor.get("/home").await.is(200).shows("加工担当者");
        assert_eq!(events(&web, "account.signed_in").await, before + 1);
        // The same answer once more, and one that was asked of another visitor.
        back(&mut visitor, &state).await.is(403);
        let (_, state) = asked(&web, &provider).await;
        let mut thief = web.visitor();
        thief.get("/sign-in").await;
        back(&mut thief, &state).await.is(403);
        // Too late by a second.
        let (mut visitor, state) = asked(&web, &provider).await;
        web.clock.pass(301);
        back(&mut visitor, &state).await.is(403);
        provider.with(|i| i.now = web.clock_seconds());
        // The provider's own error, and an answer in the name of another issuer.
        let (mut visitor, state) = asked(&web, &provider).await;
        let path = format!("/sign-in/provider/finish?error=access_denied&state={state}");
        visitor.get(&path).await.is(403);
        let (mut visitor, state) = asked(&web, &provider).await;
        let path = format!(
            "/sign-in/provider/finish?code=the-code&iss=https://evil.example&state={state}"
        );
        visitor.get(&path).await.is(403);
        visitor.get("/sign-in/with/nobody").await.is(404);
        // Unbound: the session ends, and signing in does, too.
        let (mut visitor, state) = asked(&web, &provider).await;
        back(&mut visitor, &state).await.is(303);
        let officer = web.parties.actor("security").unwrap();
        let account = web.parties.actor("processor").unwrap().account;
        assert_eq!(sign_in::unbind(web.app.on(), &officer, account).await.unwrap(), 1);
        let (mut visitor, state) = asked(&web, &provider).await;
        back(&mut visitor, &state).await.is(403);
    });
}

#[test]
fn tokens_that_are_not_what_they_should_be_sign_nobody_in() {
    run(|| async {
        let provider = Provider::start().await;
        let web = deployed(&provider).await;
        bound(&web, "processor", SUBJECT).await;
        let now = web.clock_seconds();
        let claims = |claims: Value| Cheat { claims, ..Cheat::default() };
        for (what, cheat) in [
            ("nonce", claims(json!({ "nonce": "another" }))),
            ("no nonce", claims(json!({ "nonce": null }))),
            ("audience", claims(json!({ "aud": "another" }))),
            ("two audiences", claims(json!({ "aud": ["kiban", "another"] }))),
            ("issuer", claims(json!({ "iss": "https://evil.example" }))),
            ("expired", claims(json!({ "exp": now - 1 }))),
            ("long ago", claims(json!({ "iat": now - 3_600, "exp": now + 300 }))),
            ("of tomorrow", claims(json!({ "iat": now + 86_400, "exp": now + 90_000 }))),
            ("another person", claims(json!({ "sub": "00u-nobody" }))),
            ("unknown key", Cheat { unknown_key: true, ..Cheat::default() }),
            ("altered", Cheat { altered: true, ..Cheat::default() }),
            ("unsigned", Cheat { algorithm: Some("none"), ..Cheat::default() }),
            ("by the secret", Cheat { algorithm: Some("HS256"), ..Cheat::default() }),
            ("no token", Cheat { no_token: true, ..Cheat::default() }),
        ] {
            provider.with(|i| i.cheat = cheat);
            let (mut visitor, state) = asked(&web, &provider).await;
            let reply = back(&mut visitor, &state).await;
            assert_eq!(reply.status, 403, "{what}: {}", reply.body);
            assert_eq!(visitor.get("/home").await.location(), "/sign-in", "{what}");
        }
        // A new key on its list is found: the list is asked for once more.
        provider.with(|i| {
            i.cheat = Cheat::default();
            i.keys.insert(0, Key::new("two"));
        });
        let listed = provider.with(|i| i.listed);
        let (mut visitor, state) = asked(&web, &provider).await;
        back(&mut visitor, &state).await.is(303);
        assert_eq!(provider.with(|i| i.listed), listed + 1);
    });
}

#[test]
fn one_factor_at_the_provider_needs_a_passkey_of_the_account() {
    run(|| async {
        let provider = Provider::start().await;
        let web = deployed(&provider).await;
        bound(&web, "processor", SUBJECT).await;
        let one = |claims: Value| Cheat { claims, ..Cheat::default() };
        provider.with(|i| i.cheat = one(json!({ "amr": ["pwd"] })));
        // Without a passkey there is no way in.
        let (mut visitor, state) = asked(&web, &provider).await;
        assert_eq!(back(&mut visitor, &state).await.is(303).location(), "/sign-in/second");
        assert_eq!(visitor.get("/home").await.location(), "/sign-in", "not yet signed in");
        visitor.get("/sign-in/second").await.is(200).shows("data-passkey=\"second\"");
        visitor.call("POST", "/sign-in/second/begin", &json!({})).await.is(403);
        // With one of the account: signed in. With another's: not.
        let mut own = enrolled(&web, "processor").await;
        let mut others = enrolled(&web, "examiner").await;
        for (of, status) in [(&mut others, 403), (&mut own, 200)] {
            let (mut visitor, state) = asked(&web, &provider).await;
            back(&mut visitor, &state).await.is(303);
            visitor.get("/sign-in/second").await.is(200);
            let asked = visitor.call("POST", "/sign-in/second/begin", &json!({})).await;
            let challenge = asked.is(200).json()["challenge"].as_str().unwrap().to_owned();
            let answer = answered(of, &challenge);
            visitor.call("POST", "/sign-in/second/finish", &answer).await.is(status);
            let home = visitor.get("/home").await;
            assert_eq!(home.status.as_u16() == 200, status == 200);
            visitor.call("POST", "/sign-in/second/finish", &answer).await.is(403);
        }
        // A stranger has nothing to show a second factor for.
        let mut stranger = web.visitor();
        stranger.get("/sign-in").await;
        stranger.get("/sign-in/second").await.is(403);
        // A context that the settings trust, or methods of two kinds, are enough; an unknown context is not.
        for (claims, to) in [
            (json!({ "amr": null, "acr": "urn:example:gold" }), "/home"),
            (json!({ "amr": ["hwk", "pin"] }), "/home"),
            (json!({ "amr": null, "acr": "urn:example:silver" }), "/sign-in/second"),
            (json!({ "amr": ["pwd", "pin"] }), "/sign-in/second"),
        ] {
            provider.with(|i| i.cheat = one(claims));
            let (mut visitor, state) = asked(&web, &provider).await;
            assert_eq!(back(&mut visitor, &state).await.is(303).location(), to);
        }
        let _: Authenticator = own;
    });
}
