//! The register of certified bodies: kind, number, whether the certification holds today, until when.

use askama::Template;
use kiban_govern::{
    Act,
    certification::{State, Step},
};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::day,
};

#[derive(Serialize)]
struct RowView {
    id: String,
    organization: String,
    kind: &'static str,
    number: String,
    state: String,
    effective: bool,
    expires: String,
}

#[derive(Template, Serialize)]
#[template(path = "users.html")]
struct Page {
    rows: Vec<RowView>,
    may_step: bool,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let today = ctx.on().today();
    let mut rows: Vec<RowView> = kiban_journeys::certify::certifications_by_id(ctx.on())
        .await?
        .iter()
        .map(|(id, c)| {
            let expires = c.history().iter().rev().find_map(|step| match &step.state {
                State::Certified { expires, .. } => Some(*expires),
                _ => None,
            });
            RowView {
                id: id.to_string(),
                organization: names.organization(c.organization()),
                kind: c.kind().label_ja(),
                number: c.effective(today).unwrap_or("—").to_owned(),
                effective: c.effective(today).is_ok(),
                state: c.state(today).map(|s| s.label_ja().to_owned()).unwrap_or_default(),
                expires: expires.flatten().map(day).unwrap_or_else(|| "期限なし".to_owned()),
            }
        })
        .collect();
    rows.sort_by(|a, b| (a.kind, &a.organization).cmp(&(b.kind, &b.organization)));
    let may_step = kiban_govern::permit(ctx.actor()?, Act::RegisterCertification).is_ok();
    Answer::page(Page { rows, may_step, form: ctx.form.clone() })
}

/// A further step, from today.
pub(crate) async fn step(ctx: Ctx) -> Result<Answer, Fault> {
    let state = match ctx.input.text("state") {
        "certified" => State::Certified {
            number: ctx.input.text("number").to_owned(),
            expires: ctx.day("expires"),
        },
        "abolished" => State::Abolished,
        "dissolved" => State::Dissolved,
        _ => State::Revoked,
    };
    let say = format!("認定の状態を「{}」にしました。", state.label_ja());
    let step = Step { on: ctx.on().today(), state };
    kiban_journeys::certify::step_certification(ctx.on(), ctx.actor()?, ctx.id("id")?, step)
        .await?;
    Ok(Answer::done(say, "/users"))
}
