//! Signing in with a passkey, enrolling one, and showing again who sits there. The browser's script calls the pairs of
//! begin and finish through the interface; the pages are the forms it hangs on.

use askama::Template;
use kiban_journeys::sign_in::{Assertion, Attestation, Passkeys, Presented, decode};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
};

/// The name under which authenticators list the site.
const SITE: &str = "医療情報基盤";

/// A demo has a picker and no passkeys; a deployment without an origin has none either.
pub(super) fn passkeys(ctx: &Ctx) -> Result<&Passkeys, Fault> {
    ctx.app.0.passkeys.as_ref().ok_or_else(Fault::not_found)
}

/// A field of base64url.
fn bytes(ctx: &Ctx, name: &str) -> Result<Vec<u8>, Fault> {
    decode(ctx.input.text(name))
        .ok_or_else(|| Fault::malformed("パスキーの応答を読めません。画面を開き直してください。"))
}

pub(super) fn presented(ctx: &Ctx) -> Result<Presented, Fault> {
    Ok(Presented {
        credential: bytes(ctx, "credential")?,
        user: bytes(ctx, "user")?,
        assertion: Assertion {
            client_data: bytes(ctx, "client_data")?,
            authenticator_data: bytes(ctx, "authenticator_data")?,
            signature: bytes(ctx, "signature")?,
        },
    })
}

pub(crate) async fn sign_in_begin(ctx: Ctx) -> Result<Answer, Fault> {
    let passkeys = passkeys(&ctx)?;
    let challenge = passkeys.sign_in_begin(ctx.on(), ctx.token.as_str())?;
    Ok(Answer::Data(json!({ "challenge": challenge, "party": passkeys.party() })))
}

pub(crate) async fn sign_in_finish(ctx: Ctx) -> Result<Answer, Fault> {
    let presented = presented(&ctx)?;
    let actor = passkeys(&ctx)?.sign_in_finish(ctx.on(), ctx.token.as_str(), &presented).await?;
    Ok(Answer::SignedIn(actor.account))
}

#[derive(Template, Serialize)]
#[template(path = "enrol.html")]
struct Enrol {
    passkeys: bool,
    /// What programs send back in `x-csrf-token`.
    csrf: String,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn enrol(ctx: Ctx) -> Result<Answer, Fault> {
    let passkeys = ctx.app.0.passkeys.is_some();
    Answer::page(Enrol { passkeys, csrf: ctx.form.0.clone(), form: ctx.form.clone() })
}

pub(crate) async fn enrol_begin(ctx: Ctx) -> Result<Answer, Fault> {
    let passkeys = passkeys(&ctx)?;
    let asked = passkeys.enrol_begin(ctx.on(), ctx.token.as_str(), ctx.input.text("code")).await?;
    Ok(Answer::Data(json!({
        "challenge": asked.challenge,
        "party": passkeys.party(),
        "site": SITE,
        "user": asked.user,
        "name": ctx.names().await?.account(asked.account),
        "known": asked.known,
        "algorithms": asked.algorithms,
    })))
}

pub(crate) async fn enrol_finish(ctx: Ctx) -> Result<Answer, Fault> {
    let answer =
        Attestation { client_data: bytes(&ctx, "client_data")?, object: bytes(&ctx, "object")? };
    passkeys(&ctx)?.enrol_finish(ctx.on(), ctx.token.as_str(), &answer).await?;
    Ok(Answer::done("パスキーを登録しました。サインインしてください。", "/sign-in"))
}

pub(crate) async fn confirm_begin(ctx: Ctx) -> Result<Answer, Fault> {
    if ctx.app.is_confirmed(&ctx.token) {
        return Ok(Answer::Data(json!({ "needed": false })));
    }
    let (passkeys, account) = (passkeys(&ctx)?, ctx.actor()?.account);
    let asked = passkeys.confirm_begin(ctx.on(), ctx.token.as_str(), account).await?;
    Ok(Answer::Data(json!({
        "needed": true,
        "challenge": asked.challenge,
        "party": passkeys.party(),
        "allowed": asked.allowed,
    })))
}

pub(crate) async fn confirm_finish(ctx: Ctx) -> Result<Answer, Fault> {
    let presented = presented(&ctx)?;
    let account = ctx.actor()?.account;
    let token = ctx.token.as_str();
    passkeys(&ctx)?.confirm_finish(ctx.on(), token, account, &presented).await?;
    ctx.app.0.sessions.confirm(&ctx.token, ctx.app.now());
    Ok(Answer::Data(json!({ "confirmed": true })))
}
