//! The minutes of the committee: on a page to be printed, and as a document.

use askama::Template;
use kiban_kernel::Date;
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use super::{
    committee::{categories_ja, office_ja},
    review::tally_of,
};
use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::era_day,
};

#[derive(Serialize)]
struct Attendee {
    who: String,
    office: &'static str,
    categories: String,
    recused: bool,
    vote: String,
    reason: String,
    conditions: String,
}

#[derive(Template, Serialize)]
#[template(path = "minutes.html")]
struct Minutes {
    id: String,
    session: String,
    title: String,
    applicant: String,
    product: &'static str,
    held: String,
    content: String,
    roster: i64,
    attendees: Vec<Attendee>,
    absent: Vec<String>,
    outcome: String,
    tally: Vec<(&'static str, usize)>,
    conditions: Vec<String>,
    producer: String,
    #[serde(skip)]
    made: Date,
}

async fn read(ctx: &Ctx) -> Result<Minutes, Fault> {
    let actor = ctx.actor()?;
    let case = kiban_journeys::case(ctx.on(), actor, ctx.id("id")?).await?;
    let held = case.session.as_ref().ok_or_else(Fault::not_found)?;
    let names = ctx.names().await?;
    let judged = kiban_journeys::judge(ctx.on(), held);
    let (recused, opinion) = judged.map_err(Fault::refused)?;
    // A recused member has no part in the deliberation, and none in its minutes.
    if recused.contains(&actor.account) {
        return Err(Fault::refused(
            "利益相反により、この申請の審議には加わらないため、議事録は表示しません。",
        ));
    }
    let minutes = &held.minutes;
    let attends = |m: &&kiban_journeys::committee::Member| {
        minutes.attendance.contains(&m.account) || recused.contains(&m.account)
    };
    let bodies = kiban_journeys::committee::Bodies {
        producer: minutes.producer,
        trustees: minutes.trustees.clone(),
    };
    let attendees = held
        .members
        .iter()
        .filter(attends)
        .map(|m| {
            let ballot = minutes.ballots.get(&m.account);
            Attendee {
                who: names.account(m.account),
                office: office_ja(m.office),
                categories: categories_ja(&m.categories, m.is_outsider(&bodies)),
                recused: recused.contains(&m.account),
                vote: ballot.map(|b| b.vote.label_ja().to_owned()).unwrap_or_default(),
                reason: ballot.map(|b| b.reason.clone()).unwrap_or_default(),
                conditions: ballot.map(|b| b.conditions.join("、")).unwrap_or_default(),
            }
        })
        .collect();
    let absent =
        held.members.iter().filter(|m| !attends(m)).map(|m| names.account(m.account)).collect();
    Ok(Minutes {
        id: case.head.application.id.to_string(),
        session: held.id.to_string(),
        title: case.head.content.title.clone(),
        applicant: names.organization(case.head.application.applicant),
        product: case.head.application.product.label_ja(),
        held: era_day(minutes.held_on),
        content: minutes.content.to_string(),
        roster: minutes.roster,
        attendees,
        absent,
        outcome: opinion.outcome().label_ja().to_owned(),
        tally: tally_of(&opinion),
        conditions: opinion.conditions().to_vec(),
        producer: names.organization(minutes.producer),
        made: minutes.held_on,
    })
}

/// What stands in the brackets of a member's label: office, categories, last letters of the account.
fn inner(who: &str) -> &str {
    who.split_once('（').map_or(who, |(_, rest)| rest.trim_end_matches('）'))
}

pub(crate) async fn page(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(read(&ctx).await?)
}

pub(crate) async fn pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let tally: Vec<String> = of.tally.iter().map(|(name, n)| format!("{name} {n}票")).collect();
    let rows = of.attendees.iter().map(|a| {
        let vote = if a.recused {
            "利益相反により、審議・議決に加わらない".to_owned()
        } else {
            a.vote.clone()
        };
        let conditions = if a.conditions.is_empty() {
            String::new()
        } else {
            format!("\n条件：{}", a.conditions)
        };
        vec![
            inner(&a.who).to_owned(),
            a.categories.clone(),
            vote,
            format!("{}{conditions}", a.reason),
        ]
    });
    let absent = if of.absent.is_empty() {
        "なし".to_owned()
    } else {
        of.absent.iter().map(|a| inner(a)).collect::<Vec<_>>().join("、")
    };
    let mut blocks = vec![
        Block::Right(of.held.clone()),
        Block::Title("審査委員会議事録".to_owned()),
        Block::Facts(vec![
            fact("開催日", of.held.as_str()),
            fact("認定作成事業者", of.producer.as_str()),
            fact("審査した課題", of.title.as_str()),
            fact("申請者", of.applicant.as_str()),
            fact("情報の種類", of.product),
            fact("申請内容のダイジェスト", of.content.as_str()),
            fact("委員名簿", format!("第{}版", of.roster)),
        ]),
        Block::Heading("1　出席した委員と評決".to_owned()),
        Block::Table(Table {
            summary: "出席した委員の区分、評決とその理由".to_owned(),
            columns: vec![
                Column::text("委員", 4),
                Column::text("区分", 3),
                Column::text("評決", 3),
                Column::text("理由・条件", 5),
            ],
            rows: rows.collect(),
            empty: "出席した委員はありません。".to_owned(),
        }),
        Block::Text(format!("欠席した委員：{absent}")),
        Block::Heading("2　審査の結果".to_owned()),
        Block::Text(format!(
            "　審査委員会の意見は「{}」である（{}）。",
            of.outcome,
            tally.join("、")
        )),
    ];
    if !of.conditions.is_empty() {
        blocks.push(Block::Text("　意見に付す条件は、次のとおりである。".to_owned()));
        blocks.push(Block::Items(of.conditions.clone()));
    }
    blocks.push(Block::Note(
        "この議事録は、記録された事実から作成した。票は、開催日の規則であらためて数え直したものである。"
            .to_owned(),
    ));
    blocks.push(Block::Seal(vec!["議長".to_owned()]));
    let sheet = Sheet {
        file: "審査委員会議事録".to_owned(),
        title: format!("審査委員会議事録（{}）", of.title),
        footer: format!("審議 {}", of.session),
        made: of.made,
    };
    document::pdf(&ctx, sheet, Some(&of.producer), blocks).await
}
