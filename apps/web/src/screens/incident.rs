//! An incident: its clock, whom it touches, what was reported, and the draft of the next report.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::incidents::{Incident, Stage};
use kiban_kernel::jst_date;
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use super::incidents::{RowView, kind_ja, row_view};
use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::{day, era_day, moment, number},
    names::Names,
};

#[derive(Serialize)]
struct StageView {
    stage: &'static str,
    at: String,
    who: String,
    text: String,
    late: bool,
}

#[derive(Template, Serialize)]
#[template(path = "incident.html")]
struct Show {
    incident: RowView,
    summary: String,
    recorded: String,
    prompt_due: String,
    full_due: String,
    dataset: String,
    persons: String,
    user: String,
    holders: Vec<String>,
    stages: Vec<StageView>,
    /// The stage that may be recorded now.
    next: &'static str,
    may_report: bool,
    /// A draft of the report, from what is known.
    draft: String,
    #[serde(skip)]
    form: FormToken,
}

async fn read(ctx: &Ctx) -> Result<Show, Fault> {
    let actor = ctx.actor()?;
    let incident = kiban_journeys::incidents::incident(ctx.on(), actor, ctx.id("id")?).await?;
    let names = ctx.names().await?;
    let affected = kiban_journeys::incidents::affected(ctx.on(), &incident).await?;
    let row = row_view(&incident, ctx.on().today());
    let holders: Vec<String> =
        affected.iter().flat_map(|a| a.holders.iter().map(|h| names.organization(*h))).collect();
    let user = affected.as_ref().and_then(|a| a.user).map(|u| names.organization(u));
    let persons = affected.as_ref().map(|a| number(a.persons)).unwrap_or_default();
    let next = incident.next();
    Ok(Show {
        summary: incident.recorded.summary.clone(),
        recorded: format!("{}・{}", moment(incident.recorded_at), names.account(incident.account)),
        prompt_due: day(incident.prompt_due),
        full_due: day(incident.full_due),
        dataset: incident.recorded.dataset.map(|d| d.to_string()).unwrap_or_default(),
        draft: draft(&incident, &persons, user.as_deref(), &holders),
        persons,
        user: user.unwrap_or_default(),
        holders,
        stages: stages(&incident, &names),
        next: next.map(Stage::as_str).unwrap_or_default(),
        may_report: next.is_some() && kiban_govern::permit(actor, Act::ReportIncident).is_ok(),
        incident: row,
        form: ctx.form.clone(),
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let page = read(&ctx).await?;
    let title = format!("{}（{}に把握）", page.incident.kind, page.incident.noticed);
    Ok(Answer::page(page)?.titled(title))
}

/// The report of an incident as a document: what is known filled in, the rest left to be written.
pub(crate) async fn report_pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let (producer, today) = (document::producer(&ctx).await?, ctx.on().today());
    let stage = match of.incident.next {
        "" => "終結",
        next => next,
    };
    let known = |text: &str| if text.is_empty() { "確認中".to_owned() } else { text.to_owned() };
    let persons = if of.persons.is_empty() { String::new() } else { format!("{}人", of.persons) };
    let mut blocks = vec![
        Block::Right(era_day(today)),
        Block::Title(format!("医療情報等の漏えい等に関する報告書（案・{stage}）")),
        Block::Text("主務大臣　殿".to_owned()),
        Block::Seal(vec![producer]),
        Block::Facts(vec![
            fact("1　事態の種類", of.incident.kind),
            fact("2　知った日", of.incident.noticed.as_str()),
            fact("3　不正の目的のおそれ", if of.incident.malicious { "あり" } else { "なし" }),
            fact("4　概要", of.summary.as_str()),
            fact("5　対象のデータセット", known(&of.dataset)),
            fact("6　対象者の数", known(&persons)),
            fact("7　提供先", known(&of.user)),
            fact("8　関係する医療情報取扱事業者", known(&of.holders.join("、"))),
            fact("9　報告の期限", format!("速報 {}　確報 {}", of.prompt_due, of.full_due)),
        ]),
    ];
    for label in ["10　原因", "11　二次被害のおそれ", "12　本人への対応", "13　再発防止の措置"]
    {
        blocks.push(Block::Room(label.to_owned(), 3));
    }
    blocks.push(Block::Heading("これまでの報告".to_owned()));
    let rows = of.stages.iter().map(|s| {
        let late = if s.late { "（期限後）" } else { "" };
        vec![format!("{}{late}", s.stage), s.at.clone(), s.who.clone(), s.text.clone()]
    });
    blocks.push(Block::Table(Table {
        summary: "これまでの報告の段階と内容".to_owned(),
        columns: vec![
            Column::text("段階", 1),
            Column::text("日時", 2),
            Column::text("だれが", 2),
            Column::text("内容", 5),
        ],
        rows: rows.collect(),
        empty: "まだ報告していません。".to_owned(),
    }));
    let sheet = Sheet {
        file: "漏えい等報告書案".to_owned(),
        title: "医療情報等の漏えい等に関する報告書（案）".to_owned(),
        footer: format!("事態 {}", of.incident.id),
        made: today,
    };
    document::pdf(&ctx, sheet, None, blocks).await
}

fn stages(incident: &Incident, names: &Names) -> Vec<StageView> {
    let due = |stage| match stage {
        Stage::Prompt => Some(incident.prompt_due),
        Stage::Full => Some(incident.full_due),
        Stage::Closed => None,
    };
    incident
        .reached
        .iter()
        .map(|r| StageView {
            stage: r.stage.label_ja(),
            at: moment(r.at),
            who: names.account(r.account),
            text: r.text.clone(),
            late: due(r.stage).is_some_and(|d| jst_date(r.at) > d),
        })
        .collect()
}

/// The items of a report as far as the register knows them; the rest is left to be written.
fn draft(incident: &Incident, persons: &str, user: Option<&str>, holders: &[String]) -> String {
    let of = &incident.recorded;
    let known = |text: &str| if text.is_empty() { "確認中".to_owned() } else { text.to_owned() };
    [
        format!("1 事態の種類：{}", kind_ja(&of.kind)),
        format!("2 知った日：{}", day(of.noticed_on)),
        format!("3 概要：{}", of.summary),
        format!(
            "4 対象のデータセット：{}",
            known(&of.dataset.map(|d| d.to_string()).unwrap_or_default())
        ),
        format!("5 対象者の数：{}", known(persons)),
        format!("6 提供先：{}", known(user.unwrap_or_default())),
        format!("7 関係する医療情報取扱事業者：{}", known(&holders.join("、"))),
        "8 原因：".to_owned(),
        "9 二次被害のおそれ：".to_owned(),
        "10 本人への対応：".to_owned(),
        "11 再発防止の措置：".to_owned(),
    ]
    .join("\n")
}
