//! The steps of a dataset: run, findings decided, run again, approved twice, handed over, fetched.

use kiban_journeys::{
    ProduceRequest, Produced, Route, Standing,
    release::{contract, finding::Decision},
};
use kiban_kernel::{Id, kinds};
use serde_json::json;

use crate::{answer::Answer, ctx::Ctx, fault::Fault, japanese::number};

type DatasetId = Id<kinds::Dataset>;

/// What is typed before an approval: the last letters of the id.
pub(super) fn last_letters(id: DatasetId) -> String {
    let text = id.to_string();
    text[text.len() - 4..].to_owned()
}

fn produced(p: &Produced) -> Answer {
    let say = if !p.over_risk.is_empty() {
        "加工しましたが、リスクが上限を超えるため提供できません。".to_owned()
    } else if p.undecided.is_empty() {
        "加工しました。承認を待ちます。".to_owned()
    } else {
        format!("加工しました。組合せの所見{}件の判断を待ちます。", p.undecided.len())
    };
    Answer::Done {
        say,
        to: format!("/datasets/{}", p.dataset),
        data: json!({ "dataset": p.dataset.to_string() }),
    }
}

/// The text of the specification that the contract in force names.
async fn specification(ctx: &Ctx, application: Id<kinds::Application>) -> Result<String, Fault> {
    let case = kiban_journeys::case(ctx.on(), ctx.actor()?, application).await?;
    let today = ctx.on().today();
    let in_force = |c: &&contract::Contract| c.in_force(today);
    let digest = case
        .contracts
        .iter()
        .find(in_force)
        .map(|c| c.terms.specification.to_string())
        .ok_or_else(|| Fault::refused("効力のある契約がありません。"))?;
    kiban_journeys::specifications(ctx.on())
        .await?
        .into_iter()
        .find(|(known, _)| *known == digest)
        .map(|(_, text)| text)
        .ok_or_else(|| Fault::refused("契約の加工仕様書の本文が登録されていません。"))
}

pub(crate) async fn produce(ctx: Ctx) -> Result<Answer, Fault> {
    let application = ctx.id("id")?;
    let specification = specification(&ctx, application).await?;
    let request = ProduceRequest { application, specification, dataset: None };
    let made = kiban_journeys::produce_dataset(ctx.on(), ctx.actor()?, &request).await?;
    Ok(produced(&made))
}

pub(crate) async fn again(ctx: Ctx) -> Result<Answer, Fault> {
    let id: DatasetId = ctx.id("id")?;
    let d = kiban_journeys::dataset(ctx.on(), ctx.actor()?, id).await?;
    if !matches!(d.standing, Standing::Decided) {
        return Err(Fault::refused("所見がすべて判断されてから、加工し直してください。"));
    }
    let application = d.application.application.id;
    let specification = specification(&ctx, application).await?;
    let request = ProduceRequest { application, specification, dataset: Some(id) };
    let made = kiban_journeys::produce_dataset(ctx.on(), ctx.actor()?, &request).await?;
    Ok(produced(&made))
}

pub(crate) async fn decide(ctx: Ctx) -> Result<Answer, Fault> {
    let (id, finding): (DatasetId, Id<kinds::Finding>) = (ctx.id("id")?, ctx.id("finding")?);
    let chosen = ctx.input.text("decision");
    let decision = Decision::ALL.into_iter().find(|d| d.as_str() == chosen);
    let decision = decision.ok_or_else(|| Fault::malformed("判断を選んでください。"))?;
    let reason = ctx.input.text("reason");
    kiban_journeys::decide_finding(ctx.on(), ctx.actor()?, id, finding, decision, reason).await?;
    Ok(Answer::done("所見を判断しました。", format!("/datasets/{id}")))
}

fn route_of(ctx: &Ctx) -> Result<Route, Fault> {
    let wrong = || Fault::malformed("提供の方法を選んでください。");
    ctx.input.text("route").parse().map_err(|_| wrong())
}

pub(crate) async fn approve(ctx: Ctx) -> Result<Answer, Fault> {
    let id: DatasetId = ctx.id("id")?;
    if ctx.input.text("confirm") != last_letters(id) {
        let ja = "データセットの番号の最後の4文字を入力してください。".to_owned();
        return Err(Fault::fields(vec![("confirm".to_owned(), ja)]));
    }
    kiban_journeys::approve_release(ctx.on(), ctx.actor()?, id, route_of(&ctx)?).await?;
    Ok(Answer::done("提供を承認しました。", format!("/datasets/{id}")))
}

pub(crate) async fn deliver(ctx: Ctx) -> Result<Answer, Fault> {
    let id: DatasetId = ctx.id("id")?;
    kiban_journeys::deliver_dataset(ctx.on(), ctx.actor()?, id, route_of(&ctx)?).await?;
    Ok(Answer::done("封緘して提供しました。", format!("/datasets/{id}")))
}

pub(crate) async fn package(ctx: Ctx) -> Result<Answer, Fault> {
    let id: DatasetId = ctx.id("id")?;
    let path = kiban_journeys::fetch_package(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::File { name: format!("{id}.age"), path })
}

pub(crate) async fn continuity(ctx: Ctx) -> Result<Answer, Fault> {
    let id: DatasetId = ctx.id("id")?;
    let of = kiban_journeys::follow_up::record_continuity(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::Done {
        say: format!(
            "前回の提供との重なりを数えました（同じ識別子で続く人 {}人）。",
            number(of.continued)
        ),
        to: format!("/datasets/{id}"),
        data: json!({
            "earlier": of.earlier.to_string(),
            "before": of.persons_before,
            "stopped": of.stopped,
            "continued": of.continued,
            "left": of.left,
            "added": of.added,
        }),
    })
}
