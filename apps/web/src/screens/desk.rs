//! The holder's desk: requests to stop, opened on the record, answered with a receipt or declined.

use askama::Template;
use kiban_journeys::{Receipting, Waiting};
use kiban_kernel::{Id, Regime, jst_date, kinds};
use serde::Serialize;

use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, day_count, moment},
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    id: String,
    asked: String,
    days: String,
    requester: &'static str,
    regimes: String,
    electronic: bool,
    state: &'static str,
    answered: String,
    declined: String,
    open: bool,
    stop: String,
}

pub(super) fn regimes_ja(of: kiban_kernel::Bases) -> String {
    let named: Vec<&str> =
        Regime::ALL.into_iter().filter(|r| of.contains(*r)).map(Regime::label_ja).collect();
    named.join("、")
}

fn row_view(ctx: &Ctx, w: &Waiting) -> RowView {
    RowView {
        id: w.id.to_string(),
        asked: day(jst_date(w.asked_at)),
        days: day_count(w.asked_at, ctx.on().today()),
        requester: w.requester.label_ja(),
        regimes: regimes_ja(w.regimes),
        electronic: w.electronic,
        state: match (w.answered_at, &w.stop) {
            (None, _) => "未回答",
            (Some(_), Some(_)) => "受付済み",
            (Some(_), None) => "受付できないと回答",
        },
        answered: w.answered_at.map(moment).unwrap_or_default(),
        declined: w.declined.clone().unwrap_or_default(),
        open: w.answered_at.is_none(),
        stop: w.stop.map(|s| s.to_string()).unwrap_or_default(),
    }
}

#[derive(Template, Serialize)]
#[template(path = "desk.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let requests = kiban_journeys::stop_requests(ctx.on(), ctx.actor()?).await?;
    let (requests, paging) = paged(&ctx, requests.into_iter().rev().collect())?;
    Answer::page(List { rows: requests.iter().map(|w| row_view(&ctx, w)).collect(), paging })
}

#[derive(Template, Serialize)]
#[template(path = "desk_request.html")]
struct Show {
    request: RowView,
    /// What the person wrote, once opened.
    opened: bool,
    name: String,
    birth: String,
    local_id: String,
    contact: String,
    suggested: String,
    #[serde(skip)]
    form: FormToken,
}

fn closed_page(ctx: &Ctx, w: &Waiting) -> Show {
    Show {
        request: row_view(ctx, w),
        opened: false,
        name: String::new(),
        birth: String::new(),
        local_id: String::new(),
        contact: String::new(),
        suggested: String::new(),
        form: ctx.form.clone(),
    }
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let request =
        kiban_journeys::stop_request_at_desk(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Answer::page(closed_page(&ctx, &request))
}

/// Opening is an act on the record: it is asked for, not done by looking.
pub(crate) async fn open(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Event> = ctx.id("id")?;
    let actor = ctx.actor()?;
    let request = kiban_journeys::stop_request_at_desk(ctx.on(), actor, id).await?;
    let written = kiban_journeys::open_stop_request(ctx.on(), actor, id).await?;
    let text = id.to_string();
    let suggested =
        format!("停-{}-{}", jst_date(request.asked_at), text[text.len() - 4..].to_uppercase());
    let page = Show {
        opened: true,
        name: written.name.clone(),
        birth: written.birth.clone(),
        local_id: written.local_id.clone(),
        contact: written.contact.clone(),
        suggested,
        ..closed_page(&ctx, &request)
    };
    Ok(Answer::page(page)?.titled("提供停止の求め（内容）").banded(Band::Named))
}

pub(crate) async fn receipt(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Event> = ctx.id("id")?;
    let text = |name: &str| ctx.input.text(name).to_owned();
    let receipting = Receipting {
        local_id: text("local_id"),
        receipt_number: text("receipt_number"),
        evidence: text("evidence"),
    };
    kiban_journeys::issue_receipt(ctx.on(), ctx.actor()?, id, &receipting).await?;
    Ok(Answer::done(
        "受付書面を作りました。印刷してお渡しください。作成事業者への停止の連絡も済みました。",
        format!("/desk/requests/{id}/receipt"),
    ))
}

pub(crate) async fn decline(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Event> = ctx.id("id")?;
    let reason = ctx.input.text("reason");
    kiban_journeys::decline_stop_request(ctx.on(), ctx.actor()?, id, reason).await?;
    Ok(Answer::done("受付できないと回答しました。", "/desk"))
}
