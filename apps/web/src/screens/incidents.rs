//! The register of incidents, with the clock of the reports and whom each touches.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::incidents::{INCIDENT_KINDS, Incident, NewIncident, Stage};
use kiban_kernel::Date;
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::day,
    paging::{Paging, paged},
};

#[derive(Serialize)]
pub(super) struct RowView {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) noticed: String,
    pub(super) malicious: bool,
    /// What comes next; empty once closed.
    pub(super) next: &'static str,
    pub(super) due: String,
    /// 「あと3日」 or 「2日超過」
    pub(super) clock: String,
    pub(super) late: bool,
}

pub(super) fn kind_ja(kind: &str) -> &'static str {
    INCIDENT_KINDS.iter().find(|(code, _)| *code == kind).map_or("", |(_, ja)| ja)
}

pub(super) fn row_view(i: &Incident, today: Date) -> RowView {
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
