//! S3: what a holder sent, what was kept, and what the checks say.

use askama::Template;
use kiban_journeys::{DeliveryReport, DeliveryRow};
use kiban_kernel::jst_date;
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    fault::Fault,
    japanese::{day, moment, number},
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

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let (row, report) = kiban_journeys::delivery(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let counted = |of: &std::collections::BTreeMap<String, u64>| {
        of.iter().map(|(name, n)| (name.clone(), number(*n))).collect::<Vec<_>>()
    };
    let page = Show {
        sealed_at: moment(row.sealed_at),
        received_at: moment(row.received_at),
        digest: row.sealed_sha256.to_string(),
        files: number(report.files_total),
        rows: counted(&report.counts.rows),
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
    };
    let title = format!("{}からの提供（{}）", page.delivery.holder, page.delivery.received);
    Ok(Answer::page(page)?.titled(title))
}

pub(crate) async fn show_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let (_, report) = kiban_journeys::delivery(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let head = ["表", "検査", "観点", "該当", "検査した数", "割合"].map(str::to_owned);
    let rows = grid(&report)
        .into_iter()
        .map(|g| [g.table, g.check, g.aspect.to_owned(), g.failed, g.checked, g.percent]);
    Ok(Answer::csv("delivery.csv", csv(std::iter::once(head).chain(rows))))
}
