//! The register of certified bodies: kind, number, whether the certification holds today, until when.

use askama::Template;
use kiban_govern::certification::State;
use serde::Serialize;

use crate::{answer::Answer, ctx::Ctx, fault::Fault, japanese::day};

#[derive(Serialize)]
struct RowView {
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
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let today = ctx.on().today();
    let mut rows: Vec<RowView> = kiban_journeys::certifications(ctx.on())
        .await?
        .iter()
        .map(|c| {
            let expires = c.history().iter().rev().find_map(|step| match &step.state {
                State::Certified { expires, .. } => Some(*expires),
                _ => None,
            });
            RowView {
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
    Answer::page(Page { rows })
}
