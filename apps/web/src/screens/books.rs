//! The statutory books: yearly figures from the event log, each with the events it counts.

use askama::Template;
use kiban_journeys::{BookLine, Books, StoredEvent};
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    document::{self, Sheet},
    fault::Fault,
    japanese::{era_day, moment, number},
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

async fn view(ctx: &Ctx) -> Result<Page, Fault> {
    let names = ctx.names().await?;
    let books = read(ctx).await?;
    let system = kiban_journeys::system_actor(ctx.on()).await?;
    Ok(Page {
        year: books.year,
        years: books.years.clone(),
        producer: names.organization(system.organization),
        lines: books.lines.iter().map(|(line, events)| line_view(*line, events, &names)).collect(),
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let page = view(&ctx).await?;
    let title = format!("帳簿（{}年度）", page.year);
    Ok(Answer::page(page)?.titled(title))
}

/// The books with their yearly figures, as a document to be kept and handed to the ministers.
pub(crate) async fn show_pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = view(&ctx).await?;
    let today = ctx.on().today();
    let figures = of
        .lines
        .iter()
        .map(|l| vec![l.ja.to_owned(), l.kind.to_owned(), l.count.clone(), l.sum.clone()]);
    let mut blocks = vec![
        Block::Right(format!("{}作成", era_day(today))),
        Block::Title(format!("帳簿及び年度の実績（{}年度）", of.year)),
        Block::Right(of.producer.clone()),
        Block::Text(format!(
            "　{}年4月1日から{}年3月31日までの事象を数えたものである。手で書いた数字はない。",
            of.year,
            of.year + 1
        )),
        Block::Heading("1　年度の実績".to_owned()),
        Block::Table(Table {
            summary: "項目ごとの件数と合計".to_owned(),
            columns: vec![
                Column::text("項目", 4),
                Column::text("数えた事象の符号", 3),
                Column::number("件数", 1),
                Column::text("合計", 3),
            ],
            rows: figures.collect(),
            empty: "ありません。".to_owned(),
        }),
        Block::Heading("2　帳簿（明細）".to_owned()),
    ];
    for line in of.lines.iter().filter(|l| !l.events.is_empty()) {
        let rows = line
            .events
            .iter()
            .map(|e| vec![e.index.to_string(), e.at.clone(), e.who.clone(), e.subject.clone()]);
        blocks.push(Block::Heading(format!("{}（{}件）", line.ja, line.count)));
        blocks.push(Block::Table(Table {
            summary: format!("{}の明細", line.ja),
            columns: vec![
                Column::number("番号", 1),
                Column::text("日時", 3),
                Column::text("だれが", 3),
                Column::text("対象", 4),
            ],
            rows: rows.collect(),
            empty: String::new(),
        }));
    }
    let sheet = Sheet {
        file: format!("帳簿_{}年度", of.year),
        title: format!("帳簿及び年度の実績（{}年度）", of.year),
        footer: of.producer.clone(),
        made: today,
    };
    document::pdf(&ctx, sheet, None, blocks).await
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
