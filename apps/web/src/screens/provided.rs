//! B10: who gave, for what, which projects used it. Open to everybody; no counts of persons.

use askama::Template;
use kiban_journeys::ProvidedBy;
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    fault::Fault,
    japanese::day,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct ProjectView {
    number: usize,
    title: String,
    purpose: String,
    from: String,
    until: String,
    datasets: u64,
    holders: Vec<String>,
}

fn view(one: &ProvidedBy) -> ProjectView {
    ProjectView {
        number: one.number,
        title: one.title.clone(),
        purpose: one.purpose.clone(),
        from: day(one.period.0),
        until: day(one.period.1),
        datasets: one.datasets,
        holders: one.holders.clone(),
    }
}

#[derive(Template, Serialize)]
#[template(path = "provided.html")]
struct Page {
    projects: Vec<ProjectView>,
    paging: Paging,
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let all = ctx.app.provided().await?;
    let (some, paging) = paged(&ctx, all.iter().collect::<Vec<_>>())?;
    Answer::page(Page { projects: some.into_iter().map(view).collect(), paging })
}

pub(crate) async fn show_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let head = ["番号", "課題名", "目的", "情報の期間の始め", "情報の期間の終わり", "提供元"];
    let all = ctx.app.provided().await?;
    let rows = all.iter().map(|p| {
        [
            p.number.to_string(),
            p.title.clone(),
            p.purpose.clone(),
            p.period.0.to_string(),
            p.period.1.to_string(),
            p.holders.join("、"),
        ]
    });
    let body = csv(std::iter::once(head.map(str::to_owned)).chain(rows));
    Ok(Answer::csv("provided.csv", body))
}
