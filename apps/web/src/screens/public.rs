//! S1: what the public sees: what is collected, by whom it is used, which hospitals take part.

use askama::Template;
use kiban_journeys::Project;
use kiban_kernel::{Regime, jst_date};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    ctx::Ctx,
    fault::Fault,
    japanese::day,
    names::Names,
    paging::{Paging, paged},
};

#[derive(Template, Serialize)]
#[template(path = "top.html")]
struct Top {
    holders: usize,
    projects: usize,
}

pub(crate) async fn top(ctx: Ctx) -> Result<Answer, Fault> {
    let holders = kiban_journeys::holders(ctx.on()).await?.len();
    let projects = kiban_journeys::projects(ctx.on()).await?.len();
    Answer::page(Top { holders, projects })
}

#[derive(Serialize)]
struct ProjectRow {
    number: usize,
    approved_on: String,
    approved_ja: String,
    title: String,
    product: &'static str,
    data_kinds: String,
    user: String,
    user_class: String,
}

#[derive(Template, Serialize)]
#[template(path = "projects.html")]
struct Projects {
    projects: Vec<ProjectRow>,
    paging: Paging,
}

/// Kinds of data as the public list names them, by table.
const KINDS: [(&str, &[&str]); 6] = [
    (
        "電子カルテ",
        &[
            "person",
            "encounter",
            "condition",
            "medication",
            "procedure",
            "measurement",
            "note",
            "allergy",
            "imaging_study",
            "family_history",
            "service_order",
            "document",
            "death",
        ],
    ),
    ("レセプト", &["claim", "claim_payer", "claim_item", "coverage"]),
    ("DPC調査データ", &["dpc_stay", "survey"]),
    ("健診", &["checkup"]),
    ("予防接種", &["vaccination"]),
    ("介護", &["care_service", "care_certification"]),
];

pub(crate) fn data_kinds(tables: &[String]) -> String {
    let kinds: Vec<&str> = KINDS
        .iter()
        .filter(|(_, of)| tables.iter().any(|t| of.contains(&t.as_str())))
        .map(|(ja, _)| *ja)
        .collect();
    kinds.join("、")
}

async fn rows(ctx: &Ctx) -> Result<Vec<ProjectRow>, Fault> {
    let names = ctx.names().await?;
    let projects = kiban_journeys::projects(ctx.on()).await?;
    Ok(projects.into_iter().map(|p| project_row(p, &names)).collect())
}

fn project_row(p: Project, names: &Names) -> ProjectRow {
    let on = jst_date(p.decided_at);
    ProjectRow {
        number: p.number,
        approved_on: on.to_string(),
        approved_ja: day(on),
        data_kinds: data_kinds(&p.tables),
        title: p.title,
        product: p.product.label_ja(),
        user: names.organization(p.user),
        user_class: p.user_class.unwrap_or_else(|| "未登録".to_owned()),
    }
}

pub(crate) async fn projects(ctx: Ctx) -> Result<Answer, Fault> {
    let (projects, paging) = paged(&ctx, rows(&ctx).await?)?;
    Answer::page(Projects { projects, paging })
}

pub(crate) async fn projects_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let head = ["番号", "承認日", "課題名", "利用データの種類", "利用者の区分"].map(str::to_owned);
    let body = rows(&ctx)
        .await?
        .into_iter()
        .map(|p| [p.number.to_string(), p.approved_on, p.title, p.data_kinds, p.user_class]);
    Ok(Answer::csv("projects.csv", csv(std::iter::once(head).chain(body))))
}

#[derive(Serialize)]
struct HolderRow {
    id: String,
    name: String,
    address: String,
    desk: String,
    items: String,
    since: String,
    regimes: String,
}

#[derive(Template, Serialize)]
#[template(path = "hospitals.html")]
struct Hospitals {
    holders: Vec<HolderRow>,
    paging: Paging,
}

pub(crate) async fn hospitals(ctx: Ctx) -> Result<Answer, Fault> {
    let today = ctx.on().today();
    let (holders, paging) = paged(&ctx, kiban_journeys::holders(ctx.on()).await?)?;
    let holders = holders
        .into_iter()
        .map(|h| {
            let notice = h.notices.last();
            let in_effect = |regime: Regime| {
                let filings = h.filings.iter().filter(|f| f.regime == regime);
                filings.filter(|f| f.ended_on.is_none_or(|end| today < end)).count() > 0
            };
            HolderRow {
                id: h.organization.id.to_string(),
                name: h.organization.name.clone(),
                address: h.organization.address.clone(),
                desk: notice.map(|n| n.items.request_desk.clone()).unwrap_or_default(),
                items: notice.map(|n| n.items.data_items.clone()).unwrap_or_default(),
                since: notice.map(|n| day(n.effective_from)).unwrap_or_default(),
                regimes: Regime::ALL
                    .into_iter()
                    .filter(|r| in_effect(*r))
                    .map(Regime::label_ja)
                    .collect::<Vec<_>>()
                    .join("、"),
            }
        })
        .collect();
    Answer::page(Hospitals { holders, paging })
}
