//! Who sends a request: the cookie and what it stands for.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use kiban_govern::{Actor, Employer};
use kiban_kernel::{Id, kinds};

use crate::{app::App, fault::Fault, session::Token};

/// The cookie; over TLS with the prefix that ties it to this host.
const COOKIE: &str = "kiban_session";
const COOKIE_SECURE: &str = "__Host-kiban_session";

/// Who sends: what the cookie says.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) token: Token,
    /// The token is new: the answer sets it.
    pub(crate) fresh: bool,
    pub(crate) account: Option<Id<kinds::Account>>,
}

fn cookie_name(app: &App) -> &'static str {
    if app.0.settings.secure { COOKIE_SECURE } else { COOKIE }
}

/// The visitor of a request.
///
/// # Errors
/// Chance failed.
pub(crate) fn visitor(app: &App, headers: &HeaderMap) -> Result<Visitor, Fault> {
    let name = cookie_name(app);
    let given = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| Token::parse(value));
    match given {
        Some(token) => {
            let account = app.0.sessions.account(&token, app.now());
            Ok(Visitor { token, fresh: false, account })
        }
        None => {
            let token = Token::new(&*app.0.world.entropy).map_err(|e| Fault::incident(&e))?;
            Ok(Visitor { token, fresh: true, account: None })
        }
    }
}

/// Hand the token to the browser.
pub(crate) fn set_cookie(app: &App, response: &mut Response, token: &Token) {
    let secure = if app.0.settings.secure { "; Secure" } else { "" };
    let text = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
        cookie_name(app),
        token.as_str()
    );
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Who is signed in; an account that was closed or barred since is nobody.
pub(crate) async fn actor_of(app: &App, visitor: &Visitor) -> Option<Actor> {
    let actor = kiban_journeys::entitled(app.on(), visitor.account?).await.ok()?;
    if actor.employer == Employer::User {
        // A session that began while its user was certified ends with the certification; whoever signs in after that
        // finds what remains to be done.
        let certified = kiban_journeys::joint_use::is_certified_user(app.on(), actor.organization);
        if !app.0.sessions.is_still(&visitor.token, certified.await.ok()?) {
            return None;
        }
    }
    Some(actor)
}
