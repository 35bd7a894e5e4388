//! Joint uses of which the visitor's organization is a partner: their scope, as it is to be known.

use askama::Template;
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    japanese::day,
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    application: String,
    title: String,
    user: String,
    partners: Vec<String>,
    purpose: String,
    items: Vec<String>,
    period: String,
}

#[derive(Template, Serialize)]
#[template(path = "joint_uses.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
}

fn row_view(of: &kiban_journeys::joint_use::JointUse, names: &Names) -> RowView {
    RowView {
        application: of.application.to_string(),
        title: of.title.clone(),
        user: names.organization(of.user),
        partners: of.partners.iter().map(|p| names.organization(*p)).collect(),
        purpose: of.purpose.clone(),
        items: of.items.clone(),
        period: format!("{}から{}まで", day(of.use_from), day(of.use_until)),
    }
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let uses = kiban_journeys::joint_use::joint_uses(ctx.on(), ctx.actor()?).await?;
    let (uses, paging) = paged(&ctx, uses)?;
    Answer::page(List { rows: uses.iter().map(|u| row_view(u, &names)).collect(), paging })
}
