//! The receipt of a request to stop: on a page to be printed, and as a document for the person.

use askama::Template;
use kiban_kernel::{Date, jst_date};
use kiban_paper::Block;
use serde::Serialize;

use super::desk::regimes_ja;
use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::era_day,
};

#[derive(Template, Serialize)]
#[template(path = "desk_receipt.html")]
struct Handed {
    request: String,
    holder: String,
    address: String,
    representative: String,
    receipt_number: String,
    requested: String,
    issued: String,
    requester: &'static str,
    regimes: String,
    electronic: bool,
    #[serde(skip)]
    made: Date,
}

async fn read(ctx: &Ctx) -> Result<Handed, Fault> {
    let actor = ctx.actor()?;
    let request = kiban_journeys::stop_request_at_desk(ctx.on(), actor, ctx.id("id")?).await?;
    let id = request.stop.ok_or_else(Fault::not_found)?;
    let stops = kiban_journeys::stops(ctx.on(), actor).await?;
    let row = stops.iter().find(|s| s.stop.id == id).ok_or_else(Fault::not_found)?;
    let names = ctx.names().await?;
    let holder = names.all().find(|o| o.id == request.holder).ok_or_else(Fault::not_found)?;
    Ok(Handed {
        request: request.id.to_string(),
        holder: holder.name.clone(),
        address: holder.address.clone(),
        representative: holder.representative.clone(),
        receipt_number: row.stop.receipt_number.clone(),
        requested: era_day(row.stop.requested_on),
        issued: request.answered_at.map(|at| era_day(jst_date(at))).unwrap_or_default(),
        requester: request.requester.label_ja(),
        regimes: regimes_ja(row.stop.regimes),
        electronic: request.electronic,
        made: request.answered_at.map_or(row.stop.requested_on, jst_date),
    })
}

pub(crate) async fn page(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(read(&ctx).await?)
}

pub(crate) async fn pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let how = if of.electronic { "電磁的方法（同意あり）" } else { "書面" };
    let blocks = vec![
        Block::Right(format!("受付番号　{}", of.receipt_number)),
        Block::Right(of.issued.clone()),
        Block::Title("医療情報の提供停止の求めの受付書面".to_owned()),
        Block::Seal(vec![of.holder.clone(), of.address.clone(), of.representative.clone()]),
        Block::Text(
            "　次のとおり、医療情報の提供を停止する求めを受け付けました。".to_owned(),
        ),
        Block::Facts(vec![
            fact("受付番号", of.receipt_number.as_str()),
            fact("求めのあった日", of.requested.as_str()),
            fact("書面を交付した日", of.issued.as_str()),
            fact("求めた方", of.requester),
            fact("停止する提供", of.regimes.as_str()),
            fact("交付の方法", how),
        ]),
        Block::Text(
            "　この書面は、停止が済んだことの確認にも使えます。大切に保管してください。写しは当方でも保管します。"
                .to_owned(),
        ),
        Block::Note(
            "医療分野の研究開発に資するための匿名加工医療情報及び仮名加工医療情報に関する法律に基づき交付する書面です。"
                .to_owned(),
        ),
    ];
    let sheet = Sheet {
        file: "提供停止の受付書面".to_owned(),
        title: "医療情報の提供停止の求めの受付書面".to_owned(),
        footer: format!("受付番号 {}", of.receipt_number),
        made: of.made,
    };
    document::pdf(&ctx, sheet, Some(&of.holder), blocks).await
}
