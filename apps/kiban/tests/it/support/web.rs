//! Browsers and programs against the router of a real deployment, in process.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use kiban_journeys::{
    Parties, World,
    kernel::{NoSteps, OsEntropy, ScriptedClock},
};
use kiban_web::{App, Settings};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Scratch, site::Site};

/// The pages of a deployment.
pub(crate) struct Web {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) parties: Parties,
    pub(crate) clock: Arc<ScriptedClock>,
    _scratch: Option<Scratch>,
}

impl Web {
    pub(crate) fn of(site: Site) -> Self {
        Self::with(site, Settings { demo: true, ..Settings::default() })
    }

    pub(crate) fn with(site: Site, settings: Settings) -> Self {
        let (on, clock, parties, scratch) = site.into_parts();
        let world =
            World { clock: clock.clone(), entropy: Arc::new(OsEntropy), steps: Arc::new(NoSteps) };
        let app = App::new(on, world, settings).unwrap();
        Self { router: kiban_web::router(app.clone()), app, parties, clock, _scratch: scratch }
    }

    /// A visitor from an address of its own.
    pub(crate) fn visitor(&self) -> Visitor {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Visitor {
            router: self.router.clone(),
            peer: SocketAddr::from((IpAddr::from([198, 51, 100, n]), 40_000)),
            cookie: None,
            csrf: String::new(),
        }
    }

    /// A visitor signed in as an account of the parties.
    pub(crate) async fn signed_in(&self, key: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.sign_in(&self.account(key)).await;
        visitor
    }

    /// What the deployment's clock says, in seconds.
    pub(crate) fn clock_seconds(&self) -> i64 {
        use kiban_journeys::kernel::Clock as _;
        self.clock.now().as_second()
    }

    pub(crate) fn account(&self, key: &str) -> String {
        self.parties.actor(key).unwrap().account.to_string()
    }
}

/// Somebody with a cookie.
#[derive(Clone)]
pub(crate) struct Visitor {
    router: Router,
    peer: SocketAddr,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: String,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The body as it came: documents are no text.
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().unwrap())
    }
    /// The page shows this.
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "{} lacks {text}:\n{}", self.status, self.body);
        self
    }
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "{} shows {text}", self.status);
        self
    }
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }
}

impl Visitor {
    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Reply {
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(set) = parts.headers.get(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(at) = body.find("name=\"csrf\" value=\"") {
            body[at + 19..].split('"').next().unwrap().clone_into(&mut self.csrf);
        }
        Reply { status: parts.status, headers: parts.headers, body, bytes: bytes.to_vec() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a browser does, with the token of the last page.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut pairs = vec![format!("csrf={}", self.csrf)];
        pairs.extend(fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))));
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(pairs.join("&")))
            .unwrap();
        self.send(request).await
    }

    /// Sends a form with a file as a browser does.
    pub(crate) async fn post_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (name, bytes): (&str, &[u8]),
    ) -> Reply {
        let mut body = Vec::new();
        let csrf = self.csrf.clone();
        for (field, value) in fields.iter().copied().chain([("csrf", csrf.as_str())]) {
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
            body.extend(head.as_bytes());
            body.extend(value.as_bytes());
            body.extend(b"\r\n");
        }
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(bytes);
        body.extend(b"\r\n--XX--\r\n");
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Calls the interface.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if method == "POST" {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header("x-csrf-token", self.csrf.clone());
        }
        let body = if method == "POST" { Body::from(body.to_string()) } else { Body::empty() };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn sign_in(&mut self, account: &str) {
        self.get("/sign-in").await.is(200);
        self.post("/sign-in", &[("account", account)]).await.is(303);
        self.get("/home").await.is(200);
    }
}

/// Percent-encoded for a form.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(b).to_string()
            }
            b => format!("%{b:02X}"),
        })
        .collect()
}
