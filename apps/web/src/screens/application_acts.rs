//! The steps of an application: written, saved, submitted, withdrawn, talked about, put forward, sent back.

use askama::Template;
use kiban_kernel::{Id, Product, kinds};
use serde::Serialize;
use serde_json::json;

use super::application_form::{Shown, as_sent, content, shown};
use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
};

type ApplicationId = Id<kinds::Application>;

#[derive(Template, Serialize)]
#[template(path = "application_form.html")]
struct Sheet {
    /// Where it goes.
    action: String,
    product: String,
    /// The product is chosen once, at the beginning.
    new: bool,
    fields: Vec<Shown>,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn new(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(Sheet {
        action: "/applications".to_owned(),
        product: "anonymized".to_owned(),
        new: true,
        fields: shown(&content(&ctx), None),
        form: ctx.form.clone(),
    })
}

fn again(ctx: &Ctx, action: String, new: bool, fault: Fault) -> Result<Answer, Fault> {
    let page = Sheet {
        action,
        product: ctx.input.text("product").to_owned(),
        new,
        fields: as_sent(ctx, &fault.fields),
        form: ctx.form.clone(),
    };
    Ok(Answer::page(page)?.titled("利用申請を書く").faulty(fault))
}

pub(crate) async fn draft(ctx: Ctx) -> Result<Answer, Fault> {
    if let Err(fault) = ctx.input.check(ctx.row.fields) {
        return again(&ctx, "/applications".to_owned(), true, fault);
    }
    let product = match ctx.input.text("product") {
        "pseudonymized" => Product::Pseudonymized,
        _ => Product::Anonymized,
    };
    let actor = ctx.actor()?;
    let content = content(&ctx);
    let id = kiban_journeys::draft_application(ctx.on(), actor, product, &content).await?;
    Ok(Answer::Done {
        say: "下書きを作りました。".to_owned(),
        to: format!("/applications/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

pub(crate) async fn edit(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let case = kiban_journeys::case(ctx.on(), ctx.actor()?, id).await?;
    let page = Sheet {
        action: format!("/applications/{id}/edit"),
        product: case.head.application.product.as_str().to_owned(),
        new: false,
        fields: shown(&case.head.content, None),
        form: ctx.form.clone(),
    };
    Answer::page(page)
}

pub(crate) async fn amend(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let action = format!("/applications/{id}/edit");
    if let Err(fault) = ctx.input.check(ctx.row.fields) {
        return again(&ctx, action, false, fault);
    }
    kiban_journeys::amend_application(ctx.on(), ctx.actor()?, id, &content(&ctx)).await?;
    Ok(Answer::done("保存しました。", format!("/applications/{id}")))
}

pub(crate) async fn submit(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    kiban_journeys::submit_application(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::done("提出しました。", format!("/applications/{id}")))
}

pub(crate) async fn withdraw(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    kiban_journeys::withdraw_application(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::done("取り下げました。", format!("/applications/{id}")))
}

pub(crate) async fn message(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    kiban_journeys::write_message(ctx.on(), ctx.actor()?, id, ctx.input.text("text")).await?;
    Ok(Answer::done("連絡を書きました。", format!("/applications/{id}")))
}

pub(crate) async fn screen(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    kiban_journeys::screen(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::done("審査委員会に付議しました。", format!("/applications/{id}")))
}

pub(crate) async fn send_back(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let reason = ctx.input.text("reason");
    kiban_journeys::return_application(ctx.on(), ctx.actor()?, id, reason).await?;
    Ok(Answer::done("申請者に差し戻しました。", format!("/applications/{id}")))
}
