//! Signing in. In a demo: a picker of fictitious people, one per account of the register. Elsewhere: passkeys.

use askama::Template;
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
};

#[derive(Serialize)]
struct Person {
    account: String,
    role: String,
    organization: String,
}

#[derive(Template, Serialize)]
#[template(path = "sign_in.html")]
struct Picker {
    demo: bool,
    passkeys: bool,
    /// A passkey was just enrolled.
    enrolled: bool,
    people: Vec<Person>,
    /// Key and name of each provider.
    providers: Vec<(String, String)>,
    /// What programs send back in `x-csrf-token`.
    csrf: String,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn picker(ctx: Ctx) -> Result<Answer, Fault> {
    let demo = ctx.app.0.settings.demo;
    let mut people = Vec::new();
    if demo {
        let names = ctx.names().await?;
        let accounts = kiban_journeys::accounts(ctx.on()).await?;
        people = accounts
            .into_iter()
            .map(|a| Person {
                account: a.id.to_string(),
                role: names.account(a.id),
                organization: names.organization(a.organization),
            })
            .collect();
        people.sort_by(|a, b| (&a.role, &a.account).cmp(&(&b.role, &b.account)));
    }
    let (passkeys, enrolled) = (ctx.app.0.passkeys.is_some(), ctx.input.tick("enrolled"));
    Answer::page(Picker {
        demo,
        passkeys,
        enrolled,
        people,
        providers: ctx.app.0.providers.as_ref().map(|p| p.choices()).unwrap_or_default(),
        csrf: ctx.form.0.clone(),
        form: ctx.form.clone(),
    })
}

pub(crate) async fn begin(ctx: Ctx) -> Result<Answer, Fault> {
    if !ctx.app.0.settings.demo {
        return Err(Fault::not_found());
    }
    let account = ctx.chosen("account", "役割")?;
    // Active today, or nobody.
    let actor = match kiban_journeys::entitled(ctx.on(), account).await {
        Ok(actor) => actor,
        Err(barred @ kiban_journeys::Error::SignIn(_)) => return Err(barred.into()),
        Err(_) => return Err(Fault::not_found()),
    };
    Ok(Answer::SignedIn(actor.account))
}

pub(crate) async fn end(_: Ctx) -> Result<Answer, Fault> {
    Ok(Answer::SignedOut)
}
