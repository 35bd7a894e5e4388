//! The contract of an accepted application: drawn up, agreed to, signed.

use kiban_journeys::release::contract::Terms;
use kiban_kernel::{Id, kinds};

use crate::{answer::Answer, ctx::Ctx, fault::Fault};

pub(crate) async fn draw(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let application: Id<kinds::Application> = ctx.id("id")?;
    let case = kiban_journeys::case(ctx.on(), actor, application).await?;
    let text = ctx.input.text("specification").replace("\r\n", "\n");
    // A browser takes the last line feed of a text; a specification is the same with and without it only if it has one.
    let text = format!("{}\n", text.trim_end());
    let product = case.head.application.product;
    let specification =
        kiban_journeys::propose_specification(ctx.on(), actor, product, &text).await?;
    let missing = || Fault::malformed("契約の期間を書いてください。");
    let terms = Terms {
        application,
        recipient: case.head.application.applicant,
        specification,
        from: ctx.day("from").ok_or_else(missing)?,
        until: ctx.day("until").ok_or_else(missing)?,
        text: ctx.input.text("text").to_owned(),
    };
    kiban_journeys::draw_contract(ctx.on(), actor, &terms).await?;
    Ok(Answer::done(
        "契約案を作りました。利用者の同意を待ちます。",
        format!("/applications/{application}"),
    ))
}

pub(crate) async fn accept(ctx: Ctx) -> Result<Answer, Fault> {
    kiban_journeys::accept_contract(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Ok(Answer::done("契約に同意しました。作成事業者の締結を待ちます。", "/home"))
}

pub(crate) async fn sign(ctx: Ctx) -> Result<Answer, Fault> {
    kiban_journeys::sign_contract(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Ok(Answer::done("契約を締結しました。", "/home"))
}
