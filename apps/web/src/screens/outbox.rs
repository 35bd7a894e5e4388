//! Mail that is to be sent: reminders and escalations, by the number of a case alone.

use askama::Template;
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{Answer, csv},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::moment,
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    at: String,
    to: String,
    account: String,
    level: &'static str,
    about: String,
    body: String,
}

#[derive(Template, Serialize)]
#[template(path = "outbox.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    #[serde(skip)]
    form: FormToken,
}

async fn read(ctx: &Ctx, names: &Names) -> Result<Vec<RowView>, Fault> {
    let mails = kiban_journeys::reminders::outbox(ctx.on(), ctx.actor()?).await?;
    Ok(mails
        .iter()
        .map(|m| RowView {
            at: moment(m.at),
            to: names.account(m.account),
            account: m.account.to_string(),
            level: m.level.label_ja(),
            about: m.about.clone(),
            body: m.body.clone(),
        })
        .collect())
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let rows = read(&ctx, &names).await?;
    let (rows, paging) = paged(&ctx, rows)?;
    Answer::page(List { rows, paging, form: ctx.form.clone() })
}

/// For the gateway that sends them.
pub(crate) async fn list_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let head = ["日時", "宛先", "種類", "番号", "本文"].map(str::to_owned);
    let rows = read(&ctx, &names).await?;
    let rows = rows.into_iter().map(|r| [r.at, r.account, r.level.to_owned(), r.about, r.body]);
    Ok(Answer::csv("outbox.csv", csv(std::iter::once(head).chain(rows))))
}

pub(crate) async fn queue(ctx: Ctx) -> Result<Answer, Fault> {
    let queued = kiban_journeys::reminders::queue_reminders(ctx.on(), ctx.actor()?).await?;
    Ok(Answer::Done {
        say: format!("{queued}通の連絡を作りました。"),
        to: "/outbox".to_owned(),
        data: json!({ "queued": queued }),
    })
}
