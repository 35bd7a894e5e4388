//! S5: linkage. The pairs that wait, those decided, what has to be made anew, the log of persons. Nobody is named here.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::LinkStanding;
use kiban_kernel::{Id, kinds};
use serde::Serialize;

use super::home::may;
use crate::{
    access::opens,
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{moment, number},
    paging::{Paging, paged},
    waterfall::bits,
};

#[derive(Serialize)]
struct WaitingView {
    id: String,
    score: String,
    probability: String,
    information: String,
    priority: String,
    opened: String,
    third: bool,
}

#[derive(Serialize)]
struct ClosedView {
    id: String,
    score: String,
    outcome: &'static str,
    closed: String,
    undone: String,
}

fn closed_view(s: &LinkStanding) -> ClosedView {
    ClosedView {
        id: s.case.id.to_string(),
        score: bits(s.case.score),
        outcome: s.outcome.map(|o| o.label_ja()).unwrap_or_default(),
        closed: s.closed_at.map(moment).unwrap_or_default(),
        undone: s.undone.as_ref().map(|u| moment(u.at)).unwrap_or_default(),
    }
}

/// A dataset that a change of persons touched.
#[derive(Serialize)]
pub(super) struct Touched {
    pub(super) id: String,
    pub(super) rows: String,
    pub(super) step: String,
}

/// 「97.3%」 from log2 odds; never a whole number that says "certain".
pub(super) fn probability(score: f64) -> String {
    let p = 1.0 / (1.0 + (-score).exp2());
    match p * 100.0 {
        p if p > 99.9 => "99.9%超".to_owned(),
        p if p < 0.1 => "0.1%未満".to_owned(),
        p => format!("{p:.1}%"),
    }
}

#[derive(Template, Serialize)]
#[template(path = "links.html")]
struct List {
    may_review: bool,
    may_run: bool,
    may_open_datasets: bool,
    waiting: Vec<WaitingView>,
    paging: Paging,
    closed: Vec<ClosedView>,
    remake: Vec<Touched>,
    #[serde(skip)]
    form: FormToken,
}

/// Most decided pairs shown; all of them are in the log.
const MOST_CLOSED: usize = 50;

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let may_review = may(actor, Act::ReviewLinks);
    let queue =
        if may_review { kiban_journeys::link_queue(ctx.on(), actor).await? } else { Vec::new() };
    let (queue, paging) = paged(&ctx, queue)?;
    let waiting = queue
        .iter()
        .map(|c| WaitingView {
            id: c.id.to_string(),
            score: bits(c.score),
            probability: probability(c.score),
            information: format!("{:.2}", c.information),
            priority: format!("{:.2}", c.priority),
            opened: moment(c.opened_at),
            third: c.third,
        })
        .collect();
    let closed = kiban_journeys::closed_link_cases(ctx.on(), actor).await?;
    let remake = kiban_journeys::datasets_to_remake(ctx.on(), actor).await?;
    Answer::page(List {
        may_review,
        may_run: may(actor, Act::LinkPersons),
        may_open_datasets: opens(actor, "dataset"),
        waiting,
        paging,
        closed: closed.iter().take(MOST_CLOSED).map(closed_view).collect(),
        remake: remake
            .iter()
            .rev()
            .map(|r| Touched {
                id: r.dataset.to_string(),
                rows: number(r.rows),
                step: number(r.step),
            })
            .collect(),
        form: ctx.form.clone(),
    })
}

pub(crate) async fn run(ctx: Ctx) -> Result<Answer, Fault> {
    let report = kiban_journeys::link_persons(ctx.on(), ctx.actor()?).await?;
    let say = format!(
        "名寄せを行いました。提供元での番号{}件、人{}人（提供元をまたぐ人{}人）。新規{}、統合{}、分割{}。",
        number(report.person_sources),
        number(report.persons),
        number(report.across_holders),
        number(report.created),
        number(report.merged),
        number(report.split)
    );
    Ok(Answer::Done {
        say,
        to: "/links".to_owned(),
        data: serde_json::to_value(&report).unwrap_or_default(),
    })
}

#[derive(Serialize)]
struct EventView {
    step: String,
    at: String,
    change: &'static str,
    person: String,
    from: String,
    count: String,
}

#[derive(Template, Serialize)]
#[template(path = "link_events.html")]
struct Events {
    rows: Vec<EventView>,
    paging: Paging,
}

pub(crate) async fn events(ctx: Ctx) -> Result<Answer, Fault> {
    let mut log = kiban_journeys::link_log(ctx.on(), ctx.actor()?, 0).await?;
    log.reverse();
    let (log, paging) = paged(&ctx, log)?;
    let rows = log
        .iter()
        .map(|e| EventView {
            step: number(e.step),
            at: moment(e.at),
            change: e.event.change.label_ja(),
            person: e.event.person.to_string(),
            from: e.event.from.map(|p| p.to_string()).unwrap_or_default(),
            count: number(e.event.count),
        })
        .collect();
    Answer::page(Events { rows, paging })
}

pub(super) fn touched(of: Vec<(Id<kinds::Dataset>, u64)>) -> Vec<Touched> {
    let view = |(id, rows): (Id<kinds::Dataset>, u64)| Touched {
        id: id.to_string(),
        rows: number(rows),
        step: String::new(),
    };
    of.into_iter().map(view).collect()
}
