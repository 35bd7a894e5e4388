//! Outputs that are to be taken out of the producer's environment, and their blind check (S14).

use askama::Template;
use kiban_govern::{
    Act, Actor,
    output_check::{CHECKERS, State, Verdict},
};
use kiban_journeys::output_check::{Asked, Mark, Output, OutputVersion};
use kiban_kernel::{Id, kinds};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day_count, moment, number},
    names::Names,
    paging::{Paging, paged},
};

type OutputId = Id<kinds::Event>;

#[derive(Serialize)]
struct RowView {
    id: String,
    title: String,
    project: String,
    dataset: String,
    who: String,
    asked: String,
    state: &'static str,
    turn: &'static str,
    days: String,
    version: u64,
    given: usize,
    checkers: usize,
    done: bool,
}

fn row_view(ctx: &Ctx, o: &Output, names: &Names) -> RowView {
    let newest = o.versions.last();
    RowView {
        id: o.id.to_string(),
        title: o.title.clone(),
        project: o.project.clone(),
        dataset: o.dataset.to_string(),
        who: names.organization(o.organization),
        asked: moment(o.asked_at),
        state: o.state.label_ja(),
        turn: o.state.turn_ja(),
        days: if o.state.is_final() {
            String::new()
        } else {
            day_count(o.turned_at, ctx.on().today())
        },
        version: newest.map_or(0, |v| v.no),
        given: newest.map_or(0, |v| v.given),
        checkers: CHECKERS,
        done: o.state.is_final(),
    }
}

#[derive(Serialize)]
struct SourceView {
    dataset: String,
    title: String,
}

#[derive(Template, Serialize)]
#[template(path = "outputs.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    /// Datasets of which outputs may be asked for.
    sources: Vec<SourceView>,
    may_ask: bool,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let names = ctx.names().await?;
    let all = kiban_journeys::output_check::outputs(on, actor).await?;
    let (all, paging) = paged(&ctx, all)?;
    let mut sources = Vec::new();
    for (row, title) in kiban_journeys::output_check::output_sources(on, actor).await? {
        sources.push(SourceView { dataset: row.dataset.to_string(), title });
    }
    Answer::page(List {
        rows: all.iter().map(|o| row_view(&ctx, o, &names)).collect(),
        paging,
        sources,
        may_ask: kiban_govern::permit(actor, Act::AskOutput).is_ok(),
        form: ctx.form.clone(),
    })
}

#[derive(Serialize)]
struct VoteView {
    seat: u64,
    /// 「あなた」, or the number of the seat alone: who it was is not told to the other side.
    who: String,
    verdict: &'static str,
    reason: String,
    at: String,
}

#[derive(Serialize)]
struct VersionView {
    no: u64,
    at: String,
    name: String,
    size: String,
    digest: String,
    context: String,
    exception: String,
    marks: Vec<String>,
    found: usize,
    given: usize,
    /// Both have voted.
    complete: bool,
    votes: Vec<VoteView>,
}

fn version_view(v: &OutputVersion, actor: &Actor, smallest: i64) -> VersionView {
    VersionView {
        no: v.no,
        at: moment(v.at),
        name: v.name.clone(),
        size: number(v.size),
        digest: v.digest.to_string(),
        context: v.context.clone(),
        exception: v.exception.clone(),
        marks: v.marks.iter().map(|m| m.ja(smallest)).collect(),
        found: v.marks.iter().filter(|m| **m != Mark::Unread).count(),
        given: v.given,
        complete: v.given >= CHECKERS,
        votes: v
            .votes
            .iter()
            .map(|vote| VoteView {
                seat: vote.seat,
                who: if vote.account == actor.account {
                    "あなた".to_owned()
                } else {
                    format!("検査者{}", vote.seat)
                },
                verdict: vote.verdict.label_ja(),
                reason: vote.reason.clone(),
                at: moment(vote.at),
            })
            .collect(),
    }
}

#[derive(Serialize)]
struct TurnView {
    at: String,
    what: String,
    who: String,
}

#[derive(Serialize)]
struct EarlierView {
    id: String,
    title: String,
    state: &'static str,
    asked: String,
}

#[derive(Template, Serialize)]
#[template(path = "output.html")]
struct Show {
    output: RowView,
    versions: Vec<VersionView>,
    newest: u64,
    log: Vec<TurnView>,
    /// Other outputs of the same dataset: what can be told apart from both.
    earlier: Vec<EarlierView>,
    may_check: bool,
    /// Why the visitor, a checker, may not vote now.
    why_not: String,
    may_open: bool,
    may_take: bool,
    may_again: bool,
    #[serde(skip)]
    form: FormToken,
}

fn turn_ja(kind: &str, body: &serde_json::Value) -> String {
    let version = body["version"].as_u64().unwrap_or_default();
    match kind {
        "output.asked" => "申請した（検査者の番へ）".to_owned(),
        "output.asked_again" => format!("第{version}版を提出した（検査者の番へ）"),
        "output.checked" => {
            let state = body["state"].as_str().and_then(State::named);
            match state {
                Some(State::Checking) | None => {
                    format!("第{version}版を1人目が検査した（もう1人の番へ）")
                }
                Some(state) => {
                    format!("第{version}版を2人目が検査した（結果：{}）", state.label_ja())
                }
            }
        }
        "output.viewed" => format!("第{version}版のファイルを検査者が開いた"),
        "output.taken" => "持ち出した".to_owned(),
        other => other.to_owned(),
    }
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let id: OutputId = ctx.id("id")?;
    let all = kiban_journeys::output_check::outputs(on, actor).await?;
    let of = all.iter().find(|o| o.id == id).ok_or_else(Fault::not_found)?;
    let names = ctx.names().await?;
    let smallest = on.rules().int("output.smallest_shown", on.today());
    let smallest = smallest.map_err(kiban_journeys::Error::from)?;
    let own = of.organization == actor.organization;
    let checker = kiban_govern::permit(actor, Act::CheckOutput).is_ok();
    let asks = kiban_govern::permit(actor, Act::AskOutput).is_ok();
    let why = if checker {
        kiban_journeys::output_check::why_no_vote(on, actor, id).await?
    } else {
        None
    };
    let author = of.versions.iter().any(|v| v.account == actor.account);
    let events = on.log().about(&id.to_string()).await.map_err(kiban_journeys::Error::from)?;
    let page = Show {
        versions: of.versions.iter().rev().map(|v| version_view(v, actor, smallest)).collect(),
        newest: of.versions.last().map_or(0, |v| v.no),
        log: events
            .iter()
            .map(|e| TurnView {
                at: moment(e.at),
                what: turn_ja(&e.kind, &e.body),
                // Which of the checkers it was says nothing of the vote; staff see the accounts.
                who: if own
                    && !checker
                    && e.actor != actor.account.to_string()
                    && e.organization != actor.organization.to_string()
                {
                    "検査者".to_owned()
                } else {
                    names.account_text(&e.actor)
                },
            })
            .collect(),
        earlier: all
            .iter()
            .filter(|o| o.dataset == of.dataset && o.id != id)
            .map(|o| EarlierView {
                id: o.id.to_string(),
                title: o.title.clone(),
                state: o.state.label_ja(),
                asked: moment(o.asked_at),
            })
            .collect(),
        may_check: checker && why.is_none(),
        why_not: why.map(|w| w.ja()).unwrap_or_default(),
        may_open: checker && !author,
        may_take: own && asks && !checker && of.state == State::Released,
        may_again: own && asks && of.state == State::Returned,
        output: row_view(&ctx, of, &names),
        form: ctx.form.clone(),
    };
    let title = format!("出力：{}", of.title);
    Ok(Answer::page(page)?.titled(title).banded(Band::Pseudonymized))
}

fn asked<'a>(ctx: &'a Ctx, bytes: &'a [u8]) -> Asked<'a> {
    Asked {
        context: ctx.input.text("context"),
        exception: ctx.input.text("exception"),
        name: ctx.input.text("name"),
        bytes,
    }
}

pub(crate) async fn ask(ctx: Ctx) -> Result<Answer, Fault> {
    let bytes = ctx.input.file("file").ok_or_else(Fault::not_found)?;
    let dataset = ctx.chosen("dataset", "データセット")?;
    let (on, actor, title) = (ctx.on(), ctx.actor()?, ctx.input.text("title"));
    let asked = asked(&ctx, &bytes);
    let id = kiban_journeys::output_check::ask_output(on, actor, dataset, title, &asked).await?;
    Ok(Answer::Done {
        say: "持出しを申請しました。2人の検査者がそれぞれ検査します。".to_owned(),
        to: format!("/outputs/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

pub(crate) async fn again(ctx: Ctx) -> Result<Answer, Fault> {
    let id: OutputId = ctx.id("id")?;
    let bytes = ctx.input.file("file").ok_or_else(Fault::not_found)?;
    let asked = asked(&ctx, &bytes);
    kiban_journeys::output_check::ask_output_again(ctx.on(), ctx.actor()?, id, &asked).await?;
    let say = "新しい版を提出しました。2人の検査者があらためて検査します。";
    Ok(Answer::done(say, format!("/outputs/{id}")))
}

pub(crate) async fn check(ctx: Ctx) -> Result<Answer, Fault> {
    let id: OutputId = ctx.id("id")?;
    let verdict = Verdict::named(ctx.input.text("verdict")).ok_or_else(Fault::not_found)?;
    let reason = ctx.input.text("reason");
    let state =
        kiban_journeys::output_check::check_output(ctx.on(), ctx.actor()?, id, verdict, reason)
            .await?;
    let say = match state {
        State::Checking => {
            "検査の結果を記録しました。もう1人の検査者の判断を待っています。".to_owned()
        }
        state => format!("検査の結果を記録しました。結果：{}", state.label_ja()),
    };
    Ok(Answer::Done { say, to: format!("/outputs/{id}"), data: json!({ "state": state.as_str() }) })
}

pub(crate) async fn file(ctx: Ctx) -> Result<Answer, Fault> {
    let version = ctx.input.text("version").parse().map_err(|_| Fault::not_found())?;
    let (on, actor, id) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let (name, bytes) = kiban_journeys::output_check::open_output(on, actor, id, version).await?;
    Ok(Answer::Bytes { name, bytes })
}
