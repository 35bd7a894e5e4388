//! The register of incidents, with the clock of the reports and whom each touches.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::incidents::{INCIDENT_KINDS, Incident, NewIncident, Stage};
use kiban_kernel::{Date, jst_date};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment, number},
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    id: String,
    kind: &'static str,
    noticed: String,
    malicious: bool,
    /// What comes next; empty once closed.
    next: &'static str,
    due: String,
    /// 「あと3日」 or 「2日超過」
    clock: String,
    late: bool,
}

fn kind_ja(kind: &str) -> &'static str {
    INCIDENT_KINDS.iter().find(|(code, _)| *code == kind).map_or("", |(_, ja)| ja)
}

fn row_view(i: &Incident, today: Date) -> RowView {
    let due = i.due();
    let left = due.and_then(|d| today.until(d).ok()).map(|span| span.get_days());
    RowView {
        id: i.id.to_string(),
        kind: kind_ja(&i.recorded.kind),
        noticed: day(i.recorded.noticed_on),
        malicious: i.recorded.malicious,
        next: i.next().map(Stage::label_ja).unwrap_or_default(),
        due: due.map(day).unwrap_or_default(),
        clock: match left {
            Some(0) => "今日まで".to_owned(),
            Some(n) if n > 0 => format!("あと{n}日"),
            Some(n) => format!("{}日超過", -n),
            None => String::new(),
        },
        late: left.is_some_and(|n| n < 0),
    }
}

#[derive(Template, Serialize)]
#[template(path = "incidents.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    open: usize,
    may_record: bool,
    kinds: Vec<(&'static str, &'static str)>,
    today: String,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let incidents = kiban_journeys::incidents::incidents(ctx.on(), actor).await?;
    let open = incidents.iter().filter(|i| i.next().is_some()).count();
    let (incidents, paging) = paged(&ctx, incidents)?;
    let today = ctx.on().today();
    Answer::page(List {
        rows: incidents.iter().map(|i| row_view(i, today)).collect(),
        paging,
        open,
        may_record: kiban_govern::permit(actor, Act::RecordIncident).is_ok(),
        kinds: INCIDENT_KINDS.to_vec(),
        today: today.to_string(),
        form: ctx.form.clone(),
    })
}

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

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
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
    let title = format!("{}（{}に把握）", row.kind, row.noticed);
    let page = Show {
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
    };
    Ok(Answer::page(page)?.titled(title))
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

pub(crate) async fn record(ctx: Ctx) -> Result<Answer, Fault> {
    let dataset = ctx.input.text("dataset");
    let new = NewIncident {
        kind: ctx.input.text("kind").to_owned(),
        noticed_on: ctx.day("noticed_on").ok_or_else(Fault::not_found)?,
        malicious: ctx.input.tick("malicious"),
        dataset: if dataset.is_empty() {
            None
        } else {
            Some(ctx.chosen("dataset", "データセットの番号")?)
        },
        summary: ctx.input.text("summary").to_owned(),
    };
    let id = kiban_journeys::incidents::record_incident(ctx.on(), ctx.actor()?, &new).await?;
    Ok(Answer::Done {
        say: "記録しました。期限までに報告してください。".to_owned(),
        to: format!("/incidents/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

pub(crate) async fn report(ctx: Ctx) -> Result<Answer, Fault> {
    let id = ctx.id("id")?;
    let asked = ctx.input.text("stage");
    let stage = Stage::ALL.into_iter().find(|s| s.as_str() == asked);
    let stage = stage.ok_or_else(Fault::not_found)?;
    let text = ctx.input.text("text");
    kiban_journeys::incidents::report_incident(ctx.on(), ctx.actor()?, id, stage, text).await?;
    Ok(Answer::done(format!("{}を記録しました。", stage.label_ja()), format!("/incidents/{id}")))
}
