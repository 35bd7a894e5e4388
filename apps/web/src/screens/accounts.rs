//! The accounts as the security officer keeps them: who may sign in today, invitations, training, lost devices.

use askama::Template;
use kiban_journeys::sign_in::AccountRow;
use kiban_kernel::{Date, jst_date};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment},
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    id: String,
    role: String,
    organization: String,
    handler: String,
    trained_until: String,
    /// Why nobody may sign in with it; empty if somebody may.
    barred: String,
    passkeys: u64,
    /// Identities of providers that stand for it.
    bound: u64,
    last_used: String,
    invited_until: String,
}

fn view(row: &AccountRow, names: &Names, bound: u64) -> RowView {
    let account = &row.account;
    RowView {
        id: account.id.to_string(),
        role: names.account(account.id),
        organization: names.organization(account.organization),
        handler: account.handler.as_ref().map(|h| h.as_str().to_owned()).unwrap_or_default(),
        trained_until: row.trained_until.map(day).unwrap_or_default(),
        barred: row.barred.as_ref().map(kiban_govern::entitlement::Barred::ja).unwrap_or_default(),
        passkeys: row.passkeys,
        bound,
        last_used: row.last_used_at.map(moment).unwrap_or_default(),
        invited_until: row.invited_until.map(moment).unwrap_or_default(),
    }
}

#[derive(Template, Serialize)]
#[template(path = "accounts.html")]
struct Page {
    rows: Vec<RowView>,
    paging: Paging,
    demo: bool,
    /// Key and name of each provider.
    providers: Vec<(String, String)>,
    today: Date,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let rows = kiban_journeys::sign_in::account_rows(ctx.on(), ctx.actor()?).await?;
    let bound = kiban_journeys::sign_in::bound_identities(ctx.on(), ctx.actor()?).await?;
    let of = |r: &AccountRow| bound.get(&r.account.id).copied().unwrap_or_default();
    let mut rows: Vec<RowView> = rows.iter().map(|r| view(r, &names, of(r))).collect();
    rows.sort_by(|a, b| (&a.organization, &a.role).cmp(&(&b.organization, &b.role)));
    let (rows, paging) = paged(&ctx, rows)?;
    let demo = ctx.app.0.settings.demo;
    Answer::page(Page {
        rows,
        paging,
        demo,
        providers: ctx.app.0.providers.as_ref().map(|p| p.choices()).unwrap_or_default(),
        today: jst_date(ctx.app.now()),
        form: ctx.form.clone(),
    })
}

#[derive(Template, Serialize)]
#[template(path = "invitation.html")]
struct InvitationPage {
    account: String,
    role: String,
    code: String,
    expires: String,
}

pub(crate) async fn invite(ctx: Ctx) -> Result<Answer, Fault> {
    let account = ctx.id("id")?;
    let invitation = kiban_journeys::sign_in::invite(ctx.on(), ctx.actor()?, account).await?;
    Answer::page(InvitationPage {
        account: account.to_string(),
        role: ctx.names().await?.account(account),
        code: invitation.code,
        expires: moment(invitation.expires_at),
    })
}

pub(crate) async fn train(ctx: Ctx) -> Result<Answer, Fault> {
    let account = ctx.id("id")?;
    let on = ctx.day("completed_on").ok_or_else(Fault::not_found)?;
    let course = ctx.input.text("course");
    kiban_journeys::sign_in::record_training(ctx.on(), ctx.actor()?, account, on, course).await?;
    Ok(Answer::done("教育を記録しました。", "/accounts"))
}

pub(crate) async fn revoke(ctx: Ctx) -> Result<Answer, Fault> {
    let account = ctx.id("id")?;
    let count = kiban_journeys::sign_in::revoke_passkeys(ctx.on(), ctx.actor()?, account).await?;
    ctx.app.0.sessions.end_of(account);
    Ok(Answer::done(format!("パスキー{count}個を無効にしました。"), "/accounts"))
}
