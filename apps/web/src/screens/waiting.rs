//! What waits because a day comes near: ends of uses, reports of incidents.

use kiban_govern::{Act, Actor};
use kiban_journeys::{end_of_use::EndState, incidents::Stage};

use super::home::{Task, may, task};
use crate::{ctx::Ctx, fault::Fault, japanese::day};

/// Reminders for the user, proofs for the producer.
pub(super) async fn of_uses(ctx: &Ctx, actor: &Actor, tasks: &mut Vec<Task>) -> Result<(), Fault> {
    if !may(actor, Act::ReportErasure) && !may(actor, Act::ConfirmErasure) {
        return Ok(());
    }
    for end in kiban_journeys::end_of_use::ends_of_use(ctx.on(), actor).await? {
        let user = may(actor, Act::ReportErasure);
        let (what, late) = match &end.state {
            EndState::InUse { soon: true } if user => ("利用がまもなく終わります", false),
            EndState::Awaited { overdue } | EndState::SentBack { overdue, .. } if user => {
                ("提供データを消去して報告する", *overdue)
            }
            EndState::Reported if !user => ("消去の報告を確かめる", false),
            _ => continue,
        };
        let since = end.proof.as_ref().map_or(end.delivery.at, |p| p.at);
        let about = format!("{}（期限 {}）", end.title, day(end.due));
        let mut task = task(ctx, what, &about, "/uses".to_owned(), since);
        task.late = late;
        tasks.push(task);
    }
    Ok(())
}

/// Copies of recalled datasets: to be erased, to be checked.
pub(super) async fn of_recalls(
    ctx: &Ctx,
    actor: &Actor,
    tasks: &mut Vec<Task>,
) -> Result<(), Fault> {
    for recall in kiban_journeys::recall::recalls(ctx.on(), actor).await? {
        for copy in &recall.tasks {
            let own = copy.organization == actor.organization && may(actor, Act::ReportErasure);
            let what = if own && !copy.done() && !copy.waits() {
                "回収されたデータの写しを消去して証拠を提出する"
            } else if copy.waits() && may(actor, Act::ConfirmErasure) {
                "回収した写しの消去を確かめる"
            } else {
                continue;
            };
            let about = format!("{}（期限 {}）", recall.title, day(recall.due));
            let mut task = task(ctx, what, &about, format!("/recalls/{}", recall.id), recall.at);
            task.late = copy.overdue;
            tasks.push(task);
        }
    }
    Ok(())
}

/// Pairs that wait for this reader.
pub(super) async fn of_links(ctx: &Ctx, actor: &Actor, tasks: &mut Vec<Task>) -> Result<(), Fault> {
    if !may(actor, Act::ReviewLinks) {
        return Ok(());
    }
    let queue = kiban_journeys::link_queue(ctx.on(), actor).await?;
    if let Some(oldest) = queue.iter().map(|c| c.opened_at).min() {
        let about = format!("{}組", queue.len());
        tasks.push(task(ctx, "名寄せの組を確かめる", &about, "/links".to_owned(), oldest));
    }
    Ok(())
}

/// Outputs: to be checked, or sent back.
pub(super) async fn of_outputs(
    ctx: &Ctx,
    actor: &Actor,
    tasks: &mut Vec<Task>,
) -> Result<(), Fault> {
    use kiban_govern::output_check::State;
    let (checks, asks) = (may(actor, Act::CheckOutput), may(actor, Act::AskOutput));
    if !checks && !asks {
        return Ok(());
    }
    for output in kiban_journeys::output_check::outputs(ctx.on(), actor).await? {
        let own = output.organization == actor.organization && asks;
        let what = match output.state {
            State::Checking if checks => {
                let id = output.id;
                if kiban_journeys::output_check::why_no_vote(ctx.on(), actor, id).await?.is_some() {
                    continue;
                }
                "出力を検査する"
            }
            State::Returned if own => "差し戻された出力を直す",
            _ => continue,
        };
        let path = format!("/outputs/{}", output.id);
        tasks.push(task(ctx, what, &output.title, path, output.turned_at));
    }
    Ok(())
}

/// Enquiries: to be opened, to be answered, answered; charts that a holder must look at.
pub(super) async fn of_enquiries(
    ctx: &Ctx,
    actor: &Actor,
    tasks: &mut Vec<Task>,
) -> Result<(), Fault> {
    let (opens, asks) = (may(actor, Act::OpenIdentified), may(actor, Act::AskEnquiry));
    if opens || asks {
        for of in kiban_journeys::enquiry::enquiries(ctx.on(), actor).await? {
            let seated = of.seats.iter().any(|(account, _)| *account == actor.account);
            let full = of.seats.len() >= kiban_journeys::enquiry::KEYS;
            let (what, since) = match &of.answer {
                None if opens && full => ("照会に回答する", of.at),
                None if opens && !seated => ("照会された行の開封に同意する", of.at),
                Some(answer) if asks && !answer.expired => ("照会への回答を読む", answer.at),
                _ => continue,
            };
            let path = format!("/enquiries/{}", of.id);
            tasks.push(task(ctx, what, &of.submission.title, path, since));
        }
    }
    for (id, answer) in kiban_journeys::enquiry::charts_to_see(ctx.on(), actor).await? {
        let about = format!("照会の番号 {id}（{}まで）", day(answer.last_day));
        let path = format!("/enquiries/{id}/charts");
        tasks.push(task(ctx, "照会のために診療録を確かめる", &about, path, answer.at));
    }
    Ok(())
}

/// Reports that are due.
pub(super) async fn of_incidents(
    ctx: &Ctx,
    actor: &Actor,
    tasks: &mut Vec<Task>,
) -> Result<(), Fault> {
    if !may(actor, Act::ReportIncident) {
        return Ok(());
    }
    for incident in kiban_journeys::incidents::incidents(ctx.on(), actor).await? {
        let Some(next) = incident.next() else { continue };
        let what = match next {
            Stage::Prompt => "漏えい等の速報を行う",
            Stage::Full => "漏えい等の確報を行う",
            Stage::Closed => "漏えい等の事態を終結させる",
        };
        let due = incident.due();
        let about = due.map(|d| format!("期限 {}", day(d))).unwrap_or_default();
        let path = format!("/incidents/{}", incident.id);
        let mut task = task(ctx, what, &about, path, incident.recorded_at);
        task.late = due.is_some_and(|d| ctx.on().today() > d);
        tasks.push(task);
    }
    Ok(())
}
