//! Recalls: who holds a copy of a dataset that is taken back, what each was asked, what came, what is overdue.

use askama::Template;
use kiban_govern::{Act, Actor};
use kiban_journeys::recall::{CopyTask, Recall};
use kiban_kernel::{Id, kinds};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment},
    names::Names,
    paging::{Paging, paged},
};

type RecallId = Id<kinds::Event>;
type Organization = Id<kinds::Organization>;

#[derive(Serialize)]
struct RowView {
    id: String,
    dataset: String,
    title: String,
    recalled: String,
    due: String,
    done: usize,
    copies: usize,
    late: bool,
    state: String,
}

fn row_view(r: &Recall) -> RowView {
    let done = r.tasks.iter().filter(|t| t.done()).count();
    RowView {
        id: r.id.to_string(),
        dataset: r.dataset.to_string(),
        title: r.title.clone(),
        recalled: moment(r.at),
        due: day(r.due),
        done,
        copies: r.tasks.len(),
        late: r.tasks.iter().any(|t| t.overdue),
        state: match r.closed_at {
            Some(at) => format!("すべて消去を確認（{}）", moment(at)),
            None if done == r.tasks.len() => "消去を確認済み".to_owned(),
            None => "回収中".to_owned(),
        },
    }
}

#[derive(Template, Serialize)]
#[template(path = "recalls.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    overdue: usize,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let recalls = kiban_journeys::recall::recalls(ctx.on(), ctx.actor()?).await?;
    let overdue = recalls.iter().filter(|r| r.tasks.iter().any(|t| t.overdue)).count();
    let (recalls, paging) = paged(&ctx, recalls)?;
    Answer::page(List { rows: recalls.iter().map(row_view).collect(), paging, overdue })
}

#[derive(Serialize)]
struct TaskView {
    organization: String,
    holder: String,
    copy: &'static str,
    state: &'static str,
    late: bool,
    /// What came last: by whom, how it was erased.
    proved: String,
    method: String,
    proof: String,
    proof_digest: String,
    sent_back: String,
    may_prove: bool,
    may_prove_for: bool,
    may_check: bool,
}

fn task_view(actor: &Actor, t: &CopyTask, names: &Names) -> TaskView {
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    let proof = t.proof.as_ref();
    let sent_back = proof.and_then(|p| p.checked.as_ref()).and_then(|c| c.as_ref().err());
    let own = actor.organization == t.organization && can(Act::ReportErasure);
    TaskView {
        organization: t.organization.to_string(),
        holder: names.organization(t.organization),
        copy: t.copy.label_ja(),
        state: match (t.done(), t.waits(), t.overdue) {
            (true, ..) => "消去を確認済み",
            (false, true, _) => "証拠の確認待ち",
            (false, false, true) => "期限超過",
            (false, false, false) if sent_back.is_some() => "差戻し",
            (false, false, false) => "消去の証拠を待っています",
        },
        late: t.overdue,
        proved: proof
            .map(|p| format!("{}・{}", moment(p.at), names.account(p.account)))
            .unwrap_or_default(),
        method: proof.map(|p| p.method.clone()).unwrap_or_default(),
        proof: proof.map(|p| p.name.clone()).unwrap_or_default(),
        proof_digest: proof.map(|p| p.digest.to_string()).unwrap_or_default(),
        sent_back: sent_back.cloned().unwrap_or_default(),
        may_prove: !t.done() && own,
        may_prove_for: !t.done() && can(Act::RecallDataset),
        may_check: t.waits()
            && proof.is_some_and(|p| p.account != actor.account)
            && can(Act::ConfirmErasure),
    }
}

#[derive(Template, Serialize)]
#[template(path = "recall.html")]
struct Show {
    recall: RowView,
    reason: String,
    who: String,
    tasks: Vec<TaskView>,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let recall = kiban_journeys::recall::recall(ctx.on(), actor, ctx.id("id")?).await?;
    let names = ctx.names().await?;
    let page = Show {
        reason: recall.reason.clone(),
        who: names.account(recall.account),
        tasks: recall.tasks.iter().map(|t| task_view(actor, t, &names)).collect(),
        recall: row_view(&recall),
        form: ctx.form.clone(),
    };
    let title = format!("回収：{}", recall.title);
    Ok(Answer::page(page)?.titled(title))
}

pub(crate) async fn begin(ctx: Ctx) -> Result<Answer, Fault> {
    let (dataset, reason) = (ctx.id("id")?, ctx.input.text("reason"));
    let id =
        kiban_journeys::recall::recall_dataset(ctx.on(), ctx.actor()?, dataset, reason).await?;
    Ok(Answer::Done {
        say: "回収を始めました。写しを持つすべての事業者に、消去と証拠の提出を求めています。"
            .to_owned(),
        to: format!("/recalls/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

fn holder(ctx: &Ctx) -> Result<Organization, Fault> {
    ctx.chosen("organization", "写しを持つ事業者")
}

/// Of one's own copy.
pub(crate) async fn prove(ctx: Ctx) -> Result<Answer, Fault> {
    let of = ctx.actor()?.organization;
    take(&ctx, of).await
}

/// Of the copy of somebody who proved it on paper.
pub(crate) async fn prove_for(ctx: Ctx) -> Result<Answer, Fault> {
    take(&ctx, holder(&ctx)?).await
}

async fn take(ctx: &Ctx, of: Organization) -> Result<Answer, Fault> {
    let id: RecallId = ctx.id("id")?;
    let bytes = ctx.input.file("file").ok_or_else(Fault::not_found)?;
    let (method, name) = (ctx.input.text("method"), ctx.input.text("name"));
    let (on, actor) = (ctx.on(), ctx.actor()?);
    kiban_journeys::recall::prove_copy_erased(on, actor, id, of, method, name, &bytes).await?;
    Ok(Answer::done("消去の証拠を提出しました。提供担当者が確かめます。", format!("/recalls/{id}")))
}

pub(crate) async fn check(ctx: Ctx) -> Result<Answer, Fault> {
    let id: RecallId = ctx.id("id")?;
    let accept = ctx.input.text("accept") == "yes";
    let (on, actor, of) = (ctx.on(), ctx.actor()?, holder(&ctx)?);
    let reason = ctx.input.text("reason");
    kiban_journeys::recall::check_copy_erased(on, actor, id, of, accept, reason).await?;
    let say = if accept { "消去を確認しました。" } else { "差し戻しました。" };
    Ok(Answer::done(say, format!("/recalls/{id}")))
}

pub(crate) async fn proof(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor, of) = (ctx.on(), ctx.actor()?, holder(&ctx)?);
    let (name, bytes) =
        kiban_journeys::recall::open_copy_proof(on, actor, ctx.id("id")?, of).await?;
    Ok(Answer::Bytes { name, bytes })
}
