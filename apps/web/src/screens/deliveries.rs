//! S3: what a holder sent, what was kept, and what the checks say.

use askama::Template;
use kiban_journeys::{DeliveryReport, DeliveryRow};
use kiban_kernel::{Date, jst_date};
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::{day, era_day, moment, number},
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    id: String,
    holder: String,
    received: String,
    persons: String,
    segments: String,
    quarantined: u64,
    receipt: bool,
}

#[derive(Template, Serialize)]
#[template(path = "deliveries.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
}

fn row_view(r: &DeliveryRow, names: &Names) -> RowView {
    RowView {
        id: r.id.to_string(),
        holder: names.organization(r.holder),
        received: day(jst_date(r.received_at)),
        persons: number(r.counts.accepted_persons),
        segments: number(r.counts.accepted_segments),
        quarantined: r.counts.quarantined_segments.values().sum(),
        receipt: r.receipt.is_some(),
    }
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let rows = kiban_journeys::deliveries(ctx.on(), ctx.actor()?).await?;
    let (rows, paging) = paged(&ctx, rows)?;
    Answer::page(List { rows: rows.iter().map(|r| row_view(r, &names)).collect(), paging })
}

#[derive(Serialize)]
struct GridRow {
    table: String,
    check: String,
    aspect: &'static str,
    failed: String,
    checked: String,
    percent: String,
}

#[derive(Serialize)]
struct RuleRow {
    ja: String,
    count: String,
}

#[derive(Template, Serialize)]
#[template(path = "delivery.html")]
struct Show {
    delivery: RowView,
    sealed_at: String,
    received_at: String,
    digest: String,
    files: String,
    rows: Vec<(String, String)>,
    refused: Vec<(String, String)>,
    withheld: Vec<(String, String)>,
    rules: Vec<RuleRow>,
    grid: Vec<GridRow>,
    unread: Vec<(String, String)>,
    receipt: String,
    #[serde(skip)]
    made: Date,
}

fn grid(report: &DeliveryReport) -> Vec<GridRow> {
    report
        .grid
        .iter()
        .map(|cell| GridRow {
            table: cell.table.clone(),
            check: cell.check.clone(),
            aspect: cell.aspect.label_ja(),
            failed: number(cell.failed),
            checked: number(cell.checked),
            percent: if cell.checked == 0 {
                "対象なし".to_owned()
            } else {
                format!("{:.2} %", cell.percent())
            },
        })
        .collect()
}

fn reasons(of: &std::collections::BTreeMap<String, u64>) -> Vec<(String, String)> {
    of.iter()
        .map(|(code, n)| (kiban_journeys::govern_reason_ja(code).to_owned(), number(*n)))
        .collect()
}

async fn read(ctx: &Ctx) -> Result<Show, Fault> {
    let names = ctx.names().await?;
    let (row, report) = kiban_journeys::delivery(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let counted = |of: &std::collections::BTreeMap<String, u64>| {
        of.iter().map(|(name, n)| (name.clone(), number(*n))).collect::<Vec<_>>()
    };
    Ok(Show {
        made: jst_date(row.received_at),
        sealed_at: moment(row.sealed_at),
        received_at: moment(row.received_at),
        digest: row.sealed_sha256.to_string(),
        files: number(report.files_total),
        rows: report
            .counts
            .rows
            .iter()
            .map(|(table, n)| {
                (format!("{}（{table}）", kiban_journeys::table_ja(table)), number(*n))
            })
            .collect(),
        refused: reasons(&report.counts.refused_persons),
        withheld: reasons(&report.counts.withheld_by_holder),
        rules: report
            .rules
            .iter()
            .map(|(rule, count)| RuleRow {
                ja: kiban_journeys::rule_ja(rule).to_owned(),
                count: number(count.count),
            })
            .collect(),
        grid: grid(&report),
        unread: counted(&report.unread),
        receipt: row.receipt.clone().unwrap_or_default(),
        delivery: row_view(&row, &names),
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let page = read(&ctx).await?;
    let title = format!("{}からの提供（{}）", page.delivery.holder, page.delivery.received);
    Ok(Answer::page(page)?.titled(title))
}

/// The receipt as a document for the holder's files.
pub(crate) async fn receipt_pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    if of.receipt.is_empty() {
        return Err(Fault::not_found());
    }
    let pairs = |head: [&str; 2], rows: &[(String, String)], empty: &str| {
        Block::Table(Table {
            summary: head.join("と"),
            columns: vec![Column::text(head[0], 4), Column::number(head[1], 1)],
            rows: rows.iter().map(|(name, n)| vec![name.clone(), n.clone()]).collect(),
            empty: empty.to_owned(),
        })
    };
    let reasons: Vec<(String, String)> = of
        .withheld
        .iter()
        .map(|(ja, n)| (format!("提供元の端末で：{ja}"), n.clone()))
        .chain(of.refused.iter().map(|(ja, n)| (format!("受入れの際に：{ja}"), n.clone())))
        .collect();
    let rules: Vec<(String, String)> =
        of.rules.iter().map(|r| (r.ja.clone(), r.count.clone())).collect();
    let blocks = vec![
        Block::Right(era_day(of.made)),
        Block::Title("医療情報の受領書".to_owned()),
        Block::Text(format!("{}　御中", of.delivery.holder)),
        Block::Seal(vec![document::producer(&ctx).await?]),
        Block::Text("　次のとおり、医療情報を受領しました。".to_owned()),
        Block::Facts(vec![
            fact("提供の番号", of.delivery.id.as_str()),
            fact("封緘した日時", of.sealed_at.as_str()),
            fact("受領した日時", of.received_at.as_str()),
            fact("封緘ファイルのSHA-256", of.digest.as_str()),
            fact("ファイルの数", of.files.as_str()),
            fact("受け入れた人の数", of.delivery.persons.as_str()),
        ]),
        Block::Heading("1　受け入れた行".to_owned()),
        pairs(["表", "行"], &of.rows, "受け入れた行はありません。"),
        Block::Heading("2　受け入れなかった人".to_owned()),
        pairs(["理由", "人数"], &reasons, "受け入れなかった人はいません。"),
        Block::Heading("3　検査の指摘".to_owned()),
        pairs(["指摘", "件数"], &rules, "指摘はありません。"),
        Block::Heading("4　署名つきの受領の記録".to_owned()),
        Block::Text(
            "　次の記録は電子署名されており、これを添えて監査の検証を求めることができます。"
                .to_owned(),
        ),
        Block::Note(of.receipt.clone()),
    ];
    let sheet = Sheet {
        file: "受領書".to_owned(),
        title: "医療情報の受領書".to_owned(),
        footer: format!("提供 {}", of.delivery.id),
        made: of.made,
    };
    document::pdf(&ctx, sheet, None, blocks).await
}

pub(crate) async fn show_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let (_, report) = kiban_journeys::delivery(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let head = ["表", "検査", "観点", "該当", "検査した数", "割合"].map(str::to_owned);
    let rows = grid(&report)
        .into_iter()
        .map(|g| [g.table, g.check, g.aspect.to_owned(), g.failed, g.checked, g.percent]);
    Ok(Answer::csv("delivery.csv", csv(std::iter::once(head).chain(rows))))
}
