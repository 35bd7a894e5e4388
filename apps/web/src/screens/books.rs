//! The statutory books: yearly figures from the event log, each with the events it counts.

use askama::Template;
use kiban_journeys::{BookLine, Books, StoredEvent};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    fault::Fault,
    japanese::{moment, number},
    names::Names,
};

#[derive(Serialize)]
struct EventView {
    index: u64,
    at: String,
    who: String,
    subject: String,
}

#[derive(Serialize)]
struct LineView {
    kind: &'static str,
    ja: &'static str,
    count: String,
    sum: String,
    events: Vec<EventView>,
}

#[derive(Template, Serialize)]
#[template(path = "books.html")]
struct Page {
    year: i16,
    years: Vec<i16>,
    producer: String,
    lines: Vec<LineView>,
}

fn total(line: BookLine, events: &[StoredEvent]) -> Option<u64> {
    let (field, _) = line.sum;
    (!field.is_empty()).then(|| events.iter().filter_map(|e| e.body.get(field)?.as_u64()).sum())
}

fn line_view(line: BookLine, events: &[StoredEvent], names: &Names) -> LineView {
    LineView {
        kind: line.kind,
        ja: line.ja,
        count: number(events.len() as u64),
        sum: total(line, events)
            .map(|n| format!("{} {}", line.sum.1, number(n)))
            .unwrap_or_default(),
        events: events
            .iter()
            .map(|e| EventView {
                index: e.index,
                at: moment(e.at),
                who: names.account_text(&e.actor),
                subject: e.subject.clone(),
            })
            .collect(),
    }
}

async fn read(ctx: &Ctx) -> Result<Books, Fault> {
    let year = ctx.input.text("year");
    let year = if year.is_empty() { None } else { year.parse().ok() };
    Ok(kiban_journeys::books(ctx.on(), ctx.actor()?, year).await?)
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let books = read(&ctx).await?;
    let system = kiban_journeys::system_actor(ctx.on()).await?;
    let page = Page {
        year: books.year,
        years: books.years.clone(),
        producer: names.organization(system.organization),
        lines: books.lines.iter().map(|(line, events)| line_view(*line, events, &names)).collect(),
    };
    Ok(Answer::page(page)?.titled(format!("帳簿（{}年度）", books.year)))
}

pub(crate) async fn show_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let books = read(&ctx).await?;
    let head = ["年度", "項目", "事象の種類", "件数", "合計"].map(str::to_owned);
    let rows = books.lines.iter().map(|(line, events)| {
        [
            books.year.to_string(),
            line.ja.to_owned(),
            line.kind.to_owned(),
            events.len().to_string(),
            total(*line, events).map(|n| n.to_string()).unwrap_or_default(),
        ]
    });
    Ok(Answer::csv("books.csv", csv(std::iter::once(head).chain(rows))))
}
