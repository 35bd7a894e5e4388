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
    japanese::moment,
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
    /// Where what is being written is kept; empty before there is a draft.
    keep: String,
    /// When the working copy that is shown was kept; empty if the saved version is shown.
    kept: String,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn new(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(Sheet {
        action: "/applications".to_owned(),
        product: "anonymized".to_owned(),
        new: true,
        fields: shown(&content(&ctx), None),
        keep: String::new(),
        kept: String::new(),
        form: ctx.form.clone(),
    })
}

fn again(ctx: &Ctx, action: String, new: bool, fault: Fault) -> Result<Answer, Fault> {
    let page = Sheet {
        keep: if new { String::new() } else { action.replace("/edit", "/keep") },
        kept: String::new(),
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
    let copy = if ctx.input.tick("saved") {
        None
    } else {
        kiban_journeys::working_copy(ctx.on(), ctx.actor()?, id).await?
    };
    let written = copy.as_ref().map_or(&case.head.content, |c| &c.content);
    let page = Sheet {
        keep: format!("/applications/{id}/keep"),
        kept: copy.as_ref().map(|c| moment(c.kept_at)).unwrap_or_default(),
        action: format!("/applications/{id}/edit"),
        product: case.head.application.product.as_str().to_owned(),
        new: false,
        fields: shown(written, None),
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

pub(crate) async fn keep(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let at = kiban_journeys::keep_working_copy(ctx.on(), ctx.actor()?, id, &content(&ctx)).await?;
    let say = format!(
        "自動保存しました（{}）。申請に反映するには「保存する」を押してください。",
        moment(at)
    );
    Ok(Answer::done(say, format!("/applications/{id}/edit")))
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

/// The next dataset of the same cohort: a draft in the same project line.
pub(crate) async fn follow_up(ctx: Ctx) -> Result<Answer, Fault> {
    let earlier: ApplicationId = ctx.id("id")?;
    let id = kiban_journeys::follow_up::draft_follow_up(ctx.on(), ctx.actor()?, earlier).await?;
    Ok(Answer::Done {
        say: "同じ研究の系列で、続きの申請の下書きを作りました。期間などを書き直して提出してください。".to_owned(),
        to: format!("/applications/{id}/edit"),
        data: json!({ "id": id.to_string() }),
    })
}
