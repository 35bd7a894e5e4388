//! A regulator's enquiries about rows, the opening by two, the answer (S15).

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::enquiry::{AnswerGiven, Enquiry, KEYS, OpenedRow, RowAsked};
use kiban_kernel::{Id, kinds};
use serde::Serialize;
use serde_json::json;

use super::{
    home::may as can,
    opened_rows::{OpenedView, opened_view},
};
use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment, number},
    names::Names,
    paging::{Paging, paged},
};

type Subject = Id<kinds::Event>;

/// 「表の名前 行の番号」, one to a line.
fn rows(lines: &[String]) -> Result<Vec<RowAsked>, Fault> {
    let wrong = || {
        let ja = "照会する行は、1行に1つ、「表の名前 行の番号」の形で書いてください（例：condition 12）。";
        Fault::fields(vec![("rows".to_owned(), ja.to_owned())])
    };
    lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (table, row) = line.rsplit_once([' ', '\u{3000}', ',']).ok_or_else(wrong)?;
            let row = row.trim().parse().map_err(|_| wrong())?;
            Ok(RowAsked { table: table.trim().to_owned(), row })
        })
        .collect()
}

pub(crate) async fn ask(ctx: Ctx) -> Result<Answer, Fault> {
    let rows = rows(&ctx.input.lines("rows"))?;
    let (on, actor, about) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let question = ctx.input.text("question");
    let id = kiban_journeys::enquiry::ask_enquiry(on, actor, about, question, &rows).await?;
    Ok(Answer::Done {
        say: "照会しました。作成事業者の2人が同意すると、照会した行だけが開封されます。".to_owned(),
        to: format!("/enquiries/{id}"),
        data: json!({ "id": id.to_string() }),
    })
}

#[derive(Serialize)]
struct RowView {
    id: String,
    title: String,
    regulator: String,
    at: String,
    rows: usize,
    seats: usize,
    keys: usize,
    state: &'static str,
}

fn state(e: &Enquiry) -> &'static str {
    match &e.answer {
        Some(a) if a.erased => "回答済み（提供停止により消去）",
        Some(a) if a.expired => "回答済み（閲覧期限切れ）",
        Some(_) => "回答済み",
        None if e.seats.len() >= KEYS => "開封できます（回答待ち）",
        None => "開封の同意待ち",
    }
}

fn row_view(e: &Enquiry, names: &Names) -> RowView {
    RowView {
        id: e.id.to_string(),
        title: e.submission.title.clone(),
        regulator: names.organization(e.submission.regulator),
        at: moment(e.at),
        rows: e.rows.len(),
        seats: e.seats.len(),
        keys: KEYS,
        state: state(e),
    }
}

#[derive(Template, Serialize)]
#[template(path = "enquiries.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let all = kiban_journeys::enquiry::enquiries(ctx.on(), ctx.actor()?).await?;
    let (all, paging) = paged(&ctx, all)?;
    Answer::page(List { rows: all.iter().map(|e| row_view(e, &names)).collect(), paging })
}

#[derive(Serialize)]
struct SeatView {
    who: String,
    at: String,
}

#[derive(Serialize)]
struct AnswerView {
    at: String,
    who: String,
    last_day: String,
    expired: bool,
    holders: Vec<String>,
}

#[derive(Serialize)]
struct LogView {
    at: String,
    what: String,
    who: String,
}

#[derive(Template, Serialize)]
#[template(path = "enquiry.html")]
struct Show {
    enquiry: RowView,
    submission: String,
    question: String,
    asked: Vec<String>,
    seats: Vec<SeatView>,
    answer: Option<AnswerView>,
    log: Vec<LogView>,
    /// The rows, once opened in this very answer.
    opened: Vec<OpenedView>,
    may_unlock: bool,
    may_open: bool,
    may_answer: bool,
    may_read: bool,
    /// An enquiry officer who has agreed waits for the second.
    waits: bool,
    #[serde(skip)]
    form: FormToken,
}

fn log_ja(kind: &str) -> &'static str {
    match kind {
        "enquiry.asked" => "照会した",
        "enquiry.unlocked" => "開封に同意した",
        "identified.opened" => "照会された行を開いた",
        "enquiry.answered" => "回答した",
        "enquiry.answer_viewed" => "回答を閲覧した",
        "enquiry.chart_viewed" => "提供元が診療録の場所を閲覧した",
        _ => "記録",
    }
}

async fn page(ctx: &Ctx, of: &Enquiry, opened: &[OpenedRow]) -> Result<Show, Fault> {
    let actor = ctx.actor()?;
    let names = ctx.names().await?;
    let seated = of.seats.iter().any(|(account, _)| *account == actor.account);
    let (open, full) = (of.answer.is_none(), of.seats.len() >= KEYS);
    let events =
        ctx.on().log().about(&of.id.to_string()).await.map_err(kiban_journeys::Error::from)?;
    let opens = can(actor, Act::OpenIdentified);
    Ok(Show {
        submission: of.submission.id.to_string(),
        question: of.question.clone(),
        asked: of
            .rows
            .iter()
            .map(|r| {
                format!(
                    "{}（{}）の{}行目",
                    kiban_journeys::table_ja(&r.table),
                    r.table,
                    number(r.row)
                )
            })
            .collect(),
        seats: of
            .seats
            .iter()
            .map(|(account, at)| SeatView {
                who: if *account == actor.account {
                    "あなた".to_owned()
                } else {
                    names.account(*account)
                },
                at: moment(*at),
            })
            .collect(),
        answer: of.answer.as_ref().map(|a| AnswerView {
            at: moment(a.at),
            who: names.account(a.account),
            last_day: day(a.last_day),
            expired: !a.readable(),
            holders: a.holders.iter().map(|h| names.organization(*h)).collect(),
        }),
        log: events
            .iter()
            .map(|e| LogView {
                at: moment(e.at),
                what: log_ja(&e.kind).to_owned(),
                who: names.account_text(&e.actor),
            })
            .collect(),
        opened: opened.iter().map(|r| opened_view(r, &names)).collect(),
        may_unlock: open && !full && !seated && opens,
        may_open: full && seated && opens,
        may_answer: open && full && can(actor, Act::AnswerEnquiry),
        may_read: of.answer.as_ref().is_some_and(AnswerGiven::readable)
            && can(actor, Act::AskEnquiry),
        waits: open && !full && seated,
        enquiry: row_view(of, &names),
        form: ctx.form.clone(),
    })
}

fn title(of: &Enquiry) -> String {
    format!("照会：{}", of.submission.title)
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let of = kiban_journeys::enquiry::enquiry(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Ok(Answer::page(page(&ctx, &of, &[]).await?)?.titled(title(&of)))
}

pub(crate) async fn unlock(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Subject = ctx.id("id")?;
    let seats = kiban_journeys::enquiry::unlock_enquiry(ctx.on(), ctx.actor()?, id).await?;
    let say = if seats >= KEYS {
        "開封に同意しました。2人の同意がそろいました。"
    } else {
        "開封に同意しました。もう1人の同意がそろうまで、だれも開封できません。"
    };
    Ok(Answer::done(say, format!("/enquiries/{id}")))
}

/// The rows are in this answer alone: they stand at no address.
pub(crate) async fn open(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor, id) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let rows = Box::pin(kiban_journeys::enquiry::open_enquiry(on, actor, id)).await?;
    let of = kiban_journeys::enquiry::enquiry(on, actor, id).await?;
    let page = page(&ctx, &of, &rows).await?;
    Ok(Answer::page(page)?.titled(title(&of)).banded(Band::Named))
}

pub(crate) async fn answer(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let id: Subject = ctx.id("id")?;
    let (text, charts) = (ctx.input.text("text"), ctx.input.tick("charts"));
    Box::pin(kiban_journeys::enquiry::answer_enquiry(on, actor, id, text, charts)).await?;
    Ok(Answer::done(
        "回答しました。閲覧期限まで、照会した機関だけが閲覧できます。",
        format!("/enquiries/{id}"),
    ))
}

#[derive(Template, Serialize)]
#[template(path = "enquiry_answer.html")]
struct Read {
    enquiry: RowView,
    text: String,
    last_day: String,
    opened: Vec<OpenedView>,
}

pub(crate) async fn read(ctx: Ctx) -> Result<Answer, Fault> {
    let (on, actor, id) = (ctx.on(), ctx.actor()?, ctx.id("id")?);
    let found = kiban_journeys::enquiry::read_answer(on, actor, id).await?;
    let of = kiban_journeys::enquiry::enquiry(on, actor, id).await?;
    let names = ctx.names().await?;
    let page = Read {
        text: found.text,
        last_day: of.answer.as_ref().map(|a| day(a.last_day)).unwrap_or_default(),
        opened: found.rows.iter().map(|r| opened_view(r, &names)).collect(),
        enquiry: row_view(&of, &names),
    };
    Ok(Answer::page(page)?
        .titled(format!("照会への回答：{}", of.submission.title))
        .banded(Band::Named))
}

#[derive(Serialize)]
struct ChartView {
    table: String,
    place: String,
}

#[derive(Template, Serialize)]
#[template(path = "enquiry_charts.html")]
struct Charts {
    id: String,
    rows: Vec<ChartView>,
}

pub(crate) async fn charts(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Subject = ctx.id("id")?;
    let charts = kiban_journeys::enquiry::read_charts(ctx.on(), ctx.actor()?, id).await?;
    let page = Charts {
        id: id.to_string(),
        rows: charts
            .into_iter()
            .map(|c| ChartView {
                table: kiban_journeys::table_ja(&c.table).to_owned(),
                place: c.place,
            })
            .collect(),
    };
    Ok(Answer::page(page)?.banded(Band::Named))
}
