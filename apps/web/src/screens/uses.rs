//! The ends of uses: what runs out when, the user's report of erasure with its proof, the producer's check.

use askama::Template;
use kiban_govern::{Act, Actor};
use kiban_journeys::end_of_use::{EndState, UseEnd};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment},
    names::Names,
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RowView {
    dataset: String,
    title: String,
    user: String,
    ends_on: String,
    due: String,
    state: String,
    late: bool,
    soon: bool,
    sent_back: String,
    method: String,
    proof: String,
    proof_digest: String,
    reported: String,
    may_report: bool,
    may_check: bool,
}

fn row_view(actor: &Actor, end: &UseEnd, names: &Names) -> RowView {
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    let (state, late, soon, sent_back) = match &end.state {
        EndState::InUse { soon: true } => ("まもなく終了", false, true, String::new()),
        EndState::InUse { soon: false } => ("利用中", false, false, String::new()),
        EndState::Awaited { overdue: true } => ("消去の報告が期限超過", true, false, String::new()),
        EndState::Awaited { overdue: false } => ("消去の報告待ち", false, true, String::new()),
        EndState::Reported => ("報告済み（確認待ち）", false, false, String::new()),
        EndState::SentBack { reason, overdue } => ("差戻し", *overdue, true, reason.clone()),
        EndState::Closed { .. } => ("消去を確認済み", false, false, String::new()),
    };
    let closed = match &end.state {
        EndState::Closed { at } => Some(*at),
        _ => None,
    };
    let proof = end.proof.as_ref();
    RowView {
        dataset: end.delivery.dataset.to_string(),
        title: end.title.clone(),
        user: names.organization(end.delivery.recipient),
        ends_on: day(end.ends_on),
        due: day(end.due),
        state: closed.map_or_else(|| state.to_owned(), |at| format!("{state}（{}）", moment(at))),
        late,
        soon,
        sent_back,
        method: proof.map(|p| p.method.clone()).unwrap_or_default(),
        proof: proof.map(|p| p.name.clone()).unwrap_or_default(),
        proof_digest: proof.map(|p| p.digest.to_string()).unwrap_or_default(),
        reported: proof
            .map(|p| format!("{}・{}", moment(p.at), names.account(p.account)))
            .unwrap_or_default(),
        may_report: closed.is_none()
            && actor.organization == end.delivery.recipient
            && can(Act::ReportErasure),
        may_check: end.state == EndState::Reported && can(Act::ConfirmErasure),
    }
}

#[derive(Template, Serialize)]
#[template(path = "uses.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    overdue: usize,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let names = ctx.names().await?;
    let ends = kiban_journeys::end_of_use::ends_of_use(ctx.on(), actor).await?;
    let rows: Vec<RowView> = ends.iter().map(|e| row_view(actor, e, &names)).collect();
    let overdue = rows.iter().filter(|r| r.late).count();
    let (rows, paging) = paged(&ctx, rows)?;
    Answer::page(List { rows, paging, overdue, form: ctx.form.clone() })
}

pub(crate) async fn report(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor, id) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let bytes = ctx.input.file("file").ok_or_else(Fault::not_found)?;
    let (method, name) = (ctx.input.text("method"), ctx.input.text("name"));
    kiban_journeys::end_of_use::report_erasure(on, actor, id, method, name, &bytes).await?;
    Ok(Answer::done("消去を報告しました。提供担当者が確かめます。", "/uses"))
}

pub(crate) async fn check(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor, id) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let accept = ctx.input.text("accept") == "yes";
    let reason = ctx.input.text("reason");
    kiban_journeys::end_of_use::check_erasure(on, actor, id, accept, reason).await?;
    let say = if accept {
        "消去を確認しました。"
    } else {
        "利用者に差し戻しました。"
    };
    Ok(Answer::done(say, "/uses"))
}

pub(crate) async fn proof(ctx: Ctx) -> Result<Answer, Fault> {
    let (name, bytes) =
        kiban_journeys::end_of_use::open_proof(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Ok(Answer::Bytes { name, bytes })
}
