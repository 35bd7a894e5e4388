//! S16: a random sample of cases, and the evidence of one on a page and as a document.

use askama::Template;
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use super::applications::state_ja;
use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    event_names::event_ja,
    fault::Fault,
    japanese::{era_day, moment, number},
};

/// Cases of a sample if no number is given.
const USUAL: usize = 5;

#[derive(Serialize)]
struct Sampled {
    id: String,
    title: String,
    applicant: String,
    state: &'static str,
}

#[derive(Template, Serialize)]
#[template(path = "audit_sample.html")]
struct Sample {
    seed: u64,
    count: usize,
    rows: Vec<Sampled>,
}

pub(crate) async fn sample(ctx: Ctx) -> Result<Answer, Fault> {
    // Without a seed: that of the day, so that two auditors see the same.
    let today = ctx.on().today();
    let of_day = format!("{:04}{:02}{:02}", today.year(), today.month(), today.day());
    let seed = ctx.input.text("seed").parse().or_else(|_| of_day.parse()).unwrap_or_default();
    let count = ctx.input.text("count").parse().unwrap_or(USUAL);
    let count = count.clamp(1, kiban_journeys::MOST_SAMPLED);
    let names = ctx.names().await?;
    let cases = kiban_journeys::sample_cases(ctx.on(), ctx.actor()?, seed, count).await?;
    let rows = cases
        .iter()
        .map(|case| Sampled {
            id: case.application.id.to_string(),
            title: case.content.title.clone(),
            applicant: names.organization(case.application.applicant),
            state: state_ja(&case.application.state),
        })
        .collect();
    Answer::page(Sample { seed, count, rows })
}

#[derive(Serialize)]
struct EventLine {
    index: u64,
    at: String,
    kind: String,
    /// Japanese name of the kind.
    ja: String,
    law: String,
    /// Article and title.
    law_ja: String,
    who: String,
    subject: String,
    body: String,
}

#[derive(Template, Serialize)]
#[template(path = "audit_case.html")]
struct Evidence {
    id: String,
    title: String,
    applicant: String,
    product: &'static str,
    state: &'static str,
    contracts: Vec<String>,
    datasets: Vec<String>,
    events: Vec<EventLine>,
    size: String,
    checkpoint: String,
}

/// 「法57条 仮名加工医療情報の…」
fn law_ja(key: &str) -> String {
    kiban_kernel::LawKey::new(key)
        .map_or_else(|_| key.to_owned(), |law| format!("{}　{}", law.article(), law.title_ja()))
}

async fn read(ctx: &Ctx) -> Result<Evidence, Fault> {
    let of = kiban_journeys::evidence(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let names = ctx.names().await?;
    let head = &of.case.head;
    let empty = |body: &serde_json::Value| body.as_object().is_some_and(|b| b.is_empty());
    Ok(Evidence {
        id: head.application.id.to_string(),
        title: head.content.title.clone(),
        applicant: names.organization(head.application.applicant),
        product: head.application.product.label_ja(),
        state: state_ja(&head.application.state),
        contracts: of.case.contracts.iter().map(|c| c.id.to_string()).collect(),
        datasets: of.datasets.iter().map(ToString::to_string).collect(),
        events: of
            .events
            .iter()
            .map(|e| EventLine {
                index: e.index,
                at: moment(e.at),
                kind: e.kind.clone(),
                ja: event_ja(&e.kind).to_owned(),
                law: e.law.clone().unwrap_or_default(),
                law_ja: e.law.as_deref().map(law_ja).unwrap_or_default(),
                who: names.account_text(&e.actor),
                subject: e.subject.clone(),
                body: if empty(&e.body) { String::new() } else { e.body.to_string() },
            })
            .collect(),
        size: number(of.size),
        checkpoint: of.checkpoint,
    })
}

pub(crate) async fn case(ctx: Ctx) -> Result<Answer, Fault> {
    let page = read(&ctx).await?;
    let title = format!("証跡：{}", page.title);
    Ok(Answer::page(page)?.titled(title))
}

pub(crate) async fn case_pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let today = ctx.on().today();
    let listed = |ids: &[String]| {
        if ids.is_empty() { "なし".to_owned() } else { ids.join("\n") }
    };
    let rows = of.events.iter().map(|e| {
        let law = if e.law_ja.is_empty() { String::new() } else { format!("\n{}", e.law_ja) };
        let kind = format!("{}\n{}{law}", e.ja, e.kind);
        let about = if e.body.is_empty() {
            e.subject.clone()
        } else {
            format!("{}\n{}", e.subject, e.body)
        };
        vec![e.index.to_string(), e.at.clone(), kind, e.who.clone(), about]
    });
    let blocks = vec![
        Block::Right(format!("{}作成", era_day(today))),
        Block::Title("監査証跡".to_owned()),
        Block::Facts(vec![
            fact("申請", of.id.as_str()),
            fact("題名", of.title.as_str()),
            fact("申請者", of.applicant.as_str()),
            fact("情報の種類", of.product),
            fact("状態", of.state),
            fact("契約", listed(&of.contracts)),
            fact("データセット", listed(&of.datasets)),
            fact("事象の数", format!("{}件（全{}件のうち）", of.events.len(), of.size)),
        ]),
        Block::Heading("1　事象".to_owned()),
        Block::Table(Table {
            summary: "この申請、その契約とデータセットについてのすべての事象".to_owned(),
            columns: vec![
                Column::number("番号", 2),
                Column::text("日時", 5),
                Column::text("事象（根拠）", 8),
                Column::text("だれが", 6),
                Column::text("対象と内容（記録のまま）", 11),
            ],
            rows: rows.collect(),
            empty: "事象はありません。".to_owned(),
        }),
        Block::Heading("2　署名つきの検査点".to_owned()),
        Block::Text(
            "　次の検査点は、上の事象をすべて含む。手元の受領書などの検査点と照らし合わせれば、巻戻しや分岐が分かる。"
                .to_owned(),
        ),
        Block::Note(of.checkpoint.clone()),
        Block::Heading("3　確認".to_owned()),
        Block::Room("確認した者の所見".to_owned(), 4),
    ];
    let sheet = Sheet {
        file: "監査証跡".to_owned(),
        title: format!("監査証跡（{}）", of.title),
        footer: format!("申請 {}", of.id),
        made: today,
    };
    document::pdf(&ctx, sheet, None, blocks).await
}
