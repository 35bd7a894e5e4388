//! Datasets that their users handed to a regulator (S15).

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::enquiry::Submission;
use kiban_kernel::{Id, kinds};
use serde::Serialize;
use serde_json::json;

use super::home::may as can;
use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{moment, number},
    names::Names,
    paging::{Paging, paged},
};

type Subject = Id<kinds::Event>;

#[derive(Serialize)]
struct SubmissionView {
    id: String,
    dataset: String,
    title: String,
    user: String,
    regulator: String,
    at: String,
    purpose: String,
    payload: String,
    /// The payload is the delivered one.
    same: bool,
    package: String,
    bytes: String,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct TableView {
    name: String,
    ja: String,
    rows: String,
}

fn submission_view(s: &Submission, names: &Names) -> SubmissionView {
    SubmissionView {
        id: s.id.to_string(),
        dataset: s.dataset.to_string(),
        title: s.title.clone(),
        user: names.organization(s.user),
        regulator: names.organization(s.regulator),
        at: moment(s.at),
        purpose: s.purpose.clone(),
        payload: s.payload.to_string(),
        same: s.payload == s.delivered,
        package: s.package.to_string(),
        bytes: number(s.bytes),
        tables: s
            .tables
            .iter()
            .map(|t| TableView {
                name: t.name.clone(),
                ja: kiban_journeys::table_ja(&t.name).to_owned(),
                rows: number(t.rows),
            })
            .collect(),
    }
}

#[derive(Serialize)]
struct Choice {
    id: String,
    name: String,
}

#[derive(Template, Serialize)]
#[template(path = "submissions.html")]
struct Submissions {
    rows: Vec<SubmissionView>,
    paging: Paging,
    may_submit: bool,
    datasets: Vec<Choice>,
    regulators: Vec<Choice>,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn submissions(ctx: Ctx) -> Result<Answer, Fault> {
    use kiban_kernel::Product;
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let names = ctx.names().await?;
    let all = kiban_journeys::enquiry::submissions(on, actor).await?;
    let (all, paging) = paged(&ctx, all)?;
    let may_submit = can(actor, Act::SubmitToRegulator);
    let mut datasets = Vec::new();
    let mut regulators = Vec::new();
    if may_submit {
        for dataset in kiban_journeys::datasets(on, actor).await? {
            let row = dataset.delivery.filter(|row| {
                row.recipient == actor.organization
                    && row.product == Product::Pseudonymized
                    && row.erased_at.is_none()
            });
            if row.is_some() {
                let name = dataset.application.content.title.clone();
                datasets.push(Choice { id: dataset.id.to_string(), name });
            }
        }
        for body in kiban_journeys::enquiry::regulators(on).await? {
            regulators.push(Choice { id: body.id.to_string(), name: body.name });
        }
    }
    Answer::page(Submissions {
        rows: all.iter().map(|s| submission_view(s, &names)).collect(),
        paging,
        may_submit,
        datasets,
        regulators,
        form: ctx.form.clone(),
    })
}

pub(crate) async fn submit(ctx: Ctx) -> Result<Answer, Fault> {
    let dataset = ctx.chosen("dataset", "データセット")?;
    let regulator = ctx.chosen("regulator", "提出先")?;
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let purpose = ctx.input.text("purpose");
    let work = kiban_journeys::enquiry::submit_to_regulator(on, actor, dataset, regulator, purpose);
    let id = Box::pin(work).await?;
    Ok(Answer::Done {
        say: "提出しました。提供されたものと同じ内容であることを確かめ、提出先の鍵で封緘しました。"
            .to_owned(),
        to: format!("/submissions/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

#[derive(Template, Serialize)]
#[template(path = "submission.html")]
struct ShowSubmission {
    submission: SubmissionView,
    may_fetch: bool,
    may_ask: bool,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn submission(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let of = kiban_journeys::enquiry::submission(ctx.on(), actor, ctx.id("id")?).await?;
    let title = format!("提出：{}", of.title);
    let page = ShowSubmission {
        submission: submission_view(&of, &ctx.names().await?),
        may_fetch: can(actor, Act::SeeSubmission),
        may_ask: can(actor, Act::AskEnquiry),
        form: ctx.form.clone(),
    };
    Ok(Answer::page(page)?.titled(title).banded(Band::Pseudonymized))
}

pub(crate) async fn package(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Subject = ctx.id("id")?;
    let path = kiban_journeys::enquiry::fetch_submission(ctx.on(), ctx.actor()?, id).await?;
    Ok(Answer::File { name: format!("{id}.age"), path })
}
