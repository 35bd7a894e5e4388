//! Signing in through an organization's own provider. The visitor goes there by a link and comes back by an address; that
//! page only leads on, because our cookie is not sent with a request that another site began.

use askama::Template;
use kiban_journeys::sign_in::{Answered, Providers};
use serde::Serialize;
use serde_json::json;

use super::passkeys::{passkeys, presented};
use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
};

fn providers(ctx: &Ctx) -> Result<&Providers, Fault> {
    ctx.app.0.providers.as_ref().ok_or_else(Fault::not_found)
}

/// To the provider.
pub(crate) async fn leave(ctx: Ctx) -> Result<Answer, Fault> {
    let key = ctx.params.get("provider").cloned().unwrap_or_default();
    let to = providers(&ctx)?.begin(ctx.on(), ctx.token.as_str(), &key).await?;
    Ok(Answer::Elsewhere(to))
}

#[derive(Template, Serialize)]
#[template(path = "provider_answer.html")]
struct Back {
    /// Where it goes on.
    to: String,
}

/// For an address: letters, digits and `-._~` as they are.
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Back from the provider.
pub(crate) async fn back(ctx: Ctx) -> Result<Answer, Fault> {
    providers(&ctx)?;
    let mut to = String::from("/sign-in/provider/finish");
    for (at, name) in ["state", "code", "iss", "error"].into_iter().enumerate() {
        to.push(if at == 0 { '?' } else { '&' });
        to.push_str(name);
        to.push('=');
        to.push_str(&quoted(ctx.input.text(name)));
    }
    Ok(Answer::Onward { to: to.clone(), content: Box::new(Back { to }) })
}

pub(crate) async fn finish(ctx: Ctx) -> Result<Answer, Fault> {
    let providers = providers(&ctx)?;
    let text = |name| ctx.input.text(name);
    let issuer = Some(text("iss")).filter(|i| !i.is_empty());
    // An error of the provider has no code: the question is used up all the same.
    let code = if text("error").is_empty() { text("code") } else { "" };
    let visitor = ctx.token.as_str();
    match providers.finish(ctx.on(), visitor, text("state"), code, issuer).await? {
        Answered::SignedIn(actor) => Ok(Answer::SignedIn(actor.account)),
        Answered::SecondWanted => Ok(Answer::done("", "/sign-in/second")),
    }
}

#[derive(Template, Serialize)]
#[template(path = "second.html")]
struct Second {
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn second(ctx: Ctx) -> Result<Answer, Fault> {
    providers(&ctx)?.half(ctx.on(), ctx.token.as_str())?;
    Answer::page(Second { form: ctx.form.clone() })
}

pub(crate) async fn second_begin(ctx: Ctx) -> Result<Answer, Fault> {
    let visitor = ctx.token.as_str();
    let account = providers(&ctx)?.half(ctx.on(), visitor)?;
    let passkeys = passkeys(&ctx)?;
    let asked = passkeys.second_begin(ctx.on(), visitor, account).await?;
    Ok(Answer::Data(json!({
        "challenge": asked.challenge, "party": passkeys.party(), "allowed": asked.allowed,
    })))
}

pub(crate) async fn second_finish(ctx: Ctx) -> Result<Answer, Fault> {
    let (visitor, providers) = (ctx.token.as_str(), providers(&ctx)?);
    let account = providers.half(ctx.on(), visitor)?;
    let presented = presented(&ctx)?;
    let actor = passkeys(&ctx)?.second_finish(ctx.on(), visitor, account, &presented).await?;
    providers.end_half(visitor);
    Ok(Answer::SignedIn(actor.account))
}

pub(crate) async fn bind(ctx: Ctx) -> Result<Answer, Fault> {
    let account = ctx.id("id")?;
    let (key, subject) = (ctx.input.text("provider"), ctx.input.text("subject"));
    providers(&ctx)?.bind(ctx.on(), ctx.actor()?, account, key, subject).await?;
    Ok(Answer::done("認証基盤の利用者をアカウントに結び付けました。", "/accounts"))
}

pub(crate) async fn unbind(ctx: Ctx) -> Result<Answer, Fault> {
    let account = ctx.id("id")?;
    let count = kiban_journeys::sign_in::unbind(ctx.on(), ctx.actor()?, account).await?;
    ctx.app.0.sessions.end_of(account);
    Ok(Answer::done(format!("認証基盤との結び付き{count}件を外しました。"), "/accounts"))
}
