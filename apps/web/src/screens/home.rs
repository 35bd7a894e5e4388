//! Where a signed-in visitor begins: what waits for him or her, oldest first, with the day it has reached.

use askama::Template;
use kiban_govern::{Act, Actor, Role};
use kiban_journeys::{CaseHead, Standing, release::application::State};
use kiban_kernel::Timestamp;
use serde::Serialize;

use super::waiting;
use crate::{answer::Answer, ctx::Ctx, fault::Fault, japanese::day_count};

/// Something that waits.
#[derive(Serialize)]
pub(super) struct Task {
    what: String,
    about: String,
    path: String,
    days: String,
    pub(super) late: bool,
    #[serde(skip)]
    since: Timestamp,
}

#[derive(Template, Serialize)]
#[template(path = "home.html")]
struct Home {
    tasks: Vec<Task>,
    /// What the visitor's role is for, in a sentence.
    purpose: String,
}

pub(super) fn may(actor: &Actor, act: Act) -> bool {
    kiban_govern::permit(actor, act).is_ok()
}

fn purpose(role: Role) -> &'static str {
    match role {
        Role::HolderStaff => "提供停止の求めを受け付け、送った記録の検査報告を確かめます。",
        Role::Registrar => "事業者、認定、届出、通知文書を登録します。",
        Role::IntakeOfficer => "医療情報を受け入れ、提供停止をすべての保管先に反映します。",
        Role::Processor => "契約の加工仕様書に従って加工を実行します。",
        Role::Examiner => {
            "組合せから本人が分かるおそれのある所見を判断し、持ち出される出力を検査します。"
        }
        Role::ReleaseApprover => "リスクを確かめ、もう一人と別々に提供を承認します。",
        Role::DeliveryOfficer => "承認されたデータを封緘して提供します。",
        Role::CommitteeSecretary => "申請を受け付け、審査委員会に付議し、議事録を確定します。",
        Role::CommitteeMember => "利益相反を申告し、審査して評決します。",
        Role::GeneralManager => "審査委員会の意見を踏まえて提供の可否を決め、契約を結びます。",
        Role::SecurityOfficer => "停止の伝わりと証跡を確かめ、鍵とアカウントを管理します。",
        Role::EnquiryOfficer => "承認審査機関等の照会に、もう一人とともに対応します。",
        Role::RegulatorOfficer => "提出されたデータを確かめ、行について照会し、回答を閲覧します。",
        Role::Auditor => "証跡を検証し、だれがだれを見たかを調べます。",
        Role::Researcher => "データカタログを見て利用を申請し、契約を結び、データを受け取ります。",
        _ => "",
    }
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let mut tasks = Vec::new();
    for case in kiban_journeys::cases(ctx.on(), actor).await? {
        of_case(&ctx, actor, &case, &mut tasks).await?;
    }
    for dataset in kiban_journeys::datasets(ctx.on(), actor).await? {
        let done = dataset.approvals.iter().any(|a| a.account == actor.account);
        let what = match dataset.standing {
            Standing::Findings { .. } if may(actor, Act::DecideFinding) => "組合せの所見を判断する",
            Standing::Decided if may(actor, Act::ProduceDataset) => "判断を反映して加工し直す",
            Standing::Produced { approvals }
                if approvals < 2 && !done && may(actor, Act::ApproveRelease) =>
            {
                "提供を承認する"
            }
            Standing::Produced { approvals }
                if approvals >= 2 && may(actor, Act::DeliverDataset) =>
            {
                "データを提供する"
            }
            _ => continue,
        };
        tasks.push(task(
            &ctx,
            what,
            &dataset.application.content.title,
            format!("/datasets/{}", dataset.id),
            dataset.at,
        ));
    }
    if may(actor, Act::AnswerStopRequest) {
        for request in kiban_journeys::stop_requests(ctx.on(), actor).await? {
            if request.answered_at.is_none() {
                let path = format!("/desk/requests/{}", request.id);
                let about = request.requester.label_ja();
                tasks.push(task(&ctx, "提供停止の求めに答える", about, path, request.asked_at));
            }
        }
    }
    if may(actor, Act::ApplyStop) {
        for row in kiban_journeys::stops(ctx.on(), actor).await? {
            if row.stop.closed_at.is_none() {
                let about = format!("受付番号 {}", row.stop.receipt_number);
                let mut task = task(
                    &ctx,
                    "停止を保管先に反映する",
                    &about,
                    "/stops".into(),
                    row.stop.received_at,
                );
                task.late = row.overdue;
                tasks.push(task);
            }
        }
    }
    waiting::of_uses(&ctx, actor, &mut tasks).await?;
    waiting::of_recalls(&ctx, actor, &mut tasks).await?;
    waiting::of_incidents(&ctx, actor, &mut tasks).await?;
    waiting::of_links(&ctx, actor, &mut tasks).await?;
    waiting::of_outputs(&ctx, actor, &mut tasks).await?;
    waiting::of_enquiries(&ctx, actor, &mut tasks).await?;
    tasks.sort_by_key(|t| t.since);
    let purposes: Vec<&str> = actor.roles.iter().map(|r| purpose(*r)).collect();
    Answer::page(Home { tasks, purpose: purposes.join("") })
}

pub(super) fn task(ctx: &Ctx, what: &str, about: &str, path: String, since: Timestamp) -> Task {
    Task {
        what: what.to_owned(),
        about: about.to_owned(),
        path,
        days: day_count(since, ctx.on().today()),
        late: false,
        since,
    }
}

async fn of_case(
    ctx: &Ctx,
    actor: &Actor,
    case: &CaseHead,
    tasks: &mut Vec<Task>,
) -> Result<(), Fault> {
    let since = case.steps.last().map_or_else(|| ctx.app.now(), |s| s.at);
    let own = actor.organization == case.application.applicant;
    let path = format!("/applications/{}", case.application.id);
    let title = &case.content.title;
    let mut add = |what: &str, path: String| tasks.push(task(ctx, what, title, path, since));
    match &case.application.state {
        State::Draft { .. } if own && may(actor, Act::SubmitApplication) => {
            add("申請を書き上げて提出する", format!("{path}/edit"));
        }
        State::Submitted { .. } if may(actor, Act::ScreenApplication) => {
            add("申請を確かめて付議する", path);
        }
        State::UnderReview { .. } => {
            let review = kiban_journeys::review(ctx.on(), actor, case.application.id).await?;
            let me = review.seats.iter().find(|s| s.account == actor.account);
            if review.closed.is_some() && may(actor, Act::RecordSession) {
                add("議事録を確定する", format!("{path}/review"));
            } else if review.closed.is_none() && me.is_some_and(|s| !s.recused && !s.voted) {
                add("審査して評決する", format!("{path}/review"));
            } else if review.closed.is_none() && review.presiding == Some(actor.account) {
                add("評決を締め切る", format!("{path}/review"));
            }
        }
        State::Advised { .. } if may(actor, Act::DecideApplication) => {
            add("提供の可否を決定する", path);
        }
        State::Accepted { .. } => accepted(ctx, actor, case, own, &path, &mut add).await?,
        _ => {}
    }
    Ok(())
}

async fn accepted(
    ctx: &Ctx,
    actor: &Actor,
    case: &CaseHead,
    own: bool,
    path: &str,
    add: &mut impl FnMut(&str, String),
) -> Result<(), Fault> {
    use kiban_journeys::release::contract::State as Contract;
    let contracts = kiban_journeys::case(ctx.on(), actor, case.application.id).await?.contracts;
    let has = |wanted: fn(&Contract) -> bool| contracts.iter().any(|c| wanted(&c.state));
    if contracts.is_empty() && may(actor, Act::SignContract) {
        add("契約案を作る", path.to_owned());
    }
    if has(|s| matches!(s, Contract::Drawn)) && own && may(actor, Act::AcceptContract) {
        add("契約に同意する", path.to_owned());
    }
    if has(|s| matches!(s, Contract::AcceptedByUser { .. })) && may(actor, Act::SignContract) {
        add("契約を締結する", path.to_owned());
    }
    if has(|s| matches!(s, Contract::Signed { .. })) && may(actor, Act::ProduceDataset) {
        let datasets = kiban_journeys::datasets(ctx.on(), actor).await?;
        if datasets.iter().all(|d| d.application.application.id != case.application.id) {
            add("加工を実行する", path.to_owned());
        }
    }
    Ok(())
}
