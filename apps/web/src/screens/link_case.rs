//! A pair of records: why it scores as it does (nobody named), then, opened on the record, both records side by side with
//! what differs marked, the answer, and the undo.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::{AfterAnswer, LinkAnswer, LinkStanding, Side, SideMark, SidePiece};
use kiban_kernel::{Id, kinds};
use serde::Serialize;

use super::{
    home::may,
    link_why::{WhyView, why_view},
    links::{Touched, probability, touched},
};
use crate::{
    access::opens,
    answer::{Answer, Band},
    cluster::cluster,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::moment,
    waterfall::bits,
};

type CaseId = Id<kinds::Event>;

#[derive(Serialize)]
struct PieceView {
    text: String,
    mark: &'static str,
    /// Id and name of each rule, for the letters that are the same by a rule.
    rules: String,
}

#[derive(Serialize)]
struct FieldView {
    field: &'static str,
    state: &'static str,
    same: bool,
    rules: Vec<String>,
    left: Vec<PieceView>,
    right: Vec<PieceView>,
}

fn pieces(of: &[SidePiece]) -> Vec<PieceView> {
    of.iter()
        .map(|p| PieceView {
            text: p.text.clone(),
            mark: match p.mark {
                SideMark::Same => "same",
                SideMark::Equated => "equated",
                SideMark::Differs => "differs",
                SideMark::Silent => "silent",
            },
            rules: p.rules.iter().map(|(_, ja)| *ja).collect::<Vec<_>>().join("、"),
        })
        .collect()
}

fn field_view(side: &Side) -> FieldView {
    let mut rules: Vec<String> = side
        .pieces
        .iter()
        .flatten()
        .flat_map(|p| p.rules.iter().map(|(id, ja)| format!("{id}：{ja}")))
        .collect();
    rules.sort();
    rules.dedup();
    let empty = |n: usize| side.values[n].is_empty();
    FieldView {
        field: side.field,
        state: match (side.same, empty(0), empty(1)) {
            (_, true, true) => "どちらにもない",
            (_, true, false) | (_, false, true) => "一方にない",
            (false, ..) => "≠ 違う",
            (true, ..) if rules.is_empty() => "＝ 同じ",
            (true, ..) => "≒ 規則により同じ",
        },
        same: side.same,
        rules,
        left: pieces(&side.pieces[0]),
        right: pieces(&side.pieces[1]),
    }
}

#[derive(Template, Serialize)]
#[template(path = "link_case.html")]
struct Show {
    id: String,
    score: String,
    probability: String,
    opened: String,
    third: bool,
    /// Empty while it is open.
    outcome: &'static str,
    closed: String,
    undone: String,
    own: &'static str,
    /// What others answered, as far as the reader may know it.
    answers: Vec<(&'static str, String)>,
    why: Option<WhyView>,
    /// The persons the two belong to, drawn; empty where nothing is known of them any more.
    #[serde(skip)]
    drawing: String,
    /// Datasets that hold rows of the two.
    touched: Vec<Touched>,
    may_open_datasets: bool,
    may_read: bool,
    may_answer: bool,
    may_undo: bool,
    /// The records, once opened.
    read: bool,
    holders: [String; 2],
    fields: Vec<FieldView>,
    #[serde(skip)]
    form: FormToken,
}

async fn closed_page(ctx: &Ctx, s: &LinkStanding) -> Result<Show, Fault> {
    let actor = ctx.actor()?;
    let may_read = may(actor, Act::ReviewLinks);
    let may_undo = s.is_binding() && may(actor, Act::UndoLink);
    let why = kiban_journeys::why_of_link_case(ctx.on(), actor, s.case.id).await?;
    let answers = if may_read {
        kiban_journeys::answers_of_link_case(ctx.on(), actor, s.case.id).await?
    } else {
        Vec::new()
    };
    // Which datasets a decision reaches is asked for when there is one.
    let touched = if s.outcome.is_some() {
        touched(kiban_journeys::datasets_of_link_case(ctx.on(), actor, s.case.id).await?)
    } else {
        Vec::new()
    };
    // Who answers blind sees the scores of the machine and nothing that another reader said.
    let drawing = if may(actor, Act::SeeLinks) {
        let drawn = kiban_journeys::link_pair_graph(ctx.on(), actor, s.case.sources).await;
        drawn.map(|graph| cluster(&graph)).unwrap_or_default()
    } else {
        String::new()
    };
    let names = ctx.names().await?;
    let undone = s.undone.as_ref();
    Ok(Show {
        id: s.case.id.to_string(),
        score: bits(s.case.score),
        probability: probability(s.case.score),
        opened: moment(s.case.opened_at),
        third: s.case.third && s.outcome.is_none(),
        outcome: s.outcome.map(|o| o.label_ja()).unwrap_or_default(),
        closed: s.closed_at.map(moment).unwrap_or_default(),
        undone: undone
            .map(|u| format!("{}・{}：{}", moment(u.at), names.account(u.by), u.why))
            .unwrap_or_default(),
        own: s.own.map(|a| a.label_ja()).unwrap_or_default(),
        answers: answers.into_iter().map(|(a, reason)| (a.label_ja(), reason)).collect(),
        why: why.as_ref().map(why_view),
        drawing,
        touched,
        may_open_datasets: opens(actor, "dataset"),
        may_read,
        may_answer: may_read && s.outcome.is_none() && s.own.is_none(),
        may_undo,
        read: false,
        holders: [String::new(), String::new()],
        fields: Vec::new(),
        form: ctx.form.clone(),
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let standing = kiban_journeys::link_case(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    Answer::page(closed_page(&ctx, &standing).await?)
}

/// Reading names somebody and is on the record: it is asked for, not done by looking.
pub(crate) async fn read(ctx: Ctx) -> Result<Answer, Fault> {
    let (actor, id): (_, CaseId) = (ctx.actor()?, ctx.id("id")?);
    let standing = kiban_journeys::link_case(ctx.on(), actor, id).await?;
    let page = closed_page(&ctx, &standing).await?;
    let names = ctx.names().await?;
    let reading = kiban_journeys::read_link_case(ctx.on(), actor, id).await?;
    let holder = |of: Option<_>| {
        of.map_or_else(|| "（記録がありません）".to_owned(), |id| names.organization(id))
    };
    let page = Show {
        read: true,
        holders: reading.holders.map(holder),
        fields: reading.fields.iter().map(field_view).collect(),
        ..page
    };
    Ok(Answer::page(page)?.banded(Band::Named))
}

pub(crate) async fn answer(ctx: Ctx) -> Result<Answer, Fault> {
    let id: CaseId = ctx.id("id")?;
    let given = match ctx.input.text("answer") {
        "same" => LinkAnswer::Same,
        "different" => LinkAnswer::Different,
        _ => LinkAnswer::Unsure,
    };
    let reason = ctx.input.text("reason");
    let after = kiban_journeys::answer_link_case(ctx.on(), ctx.actor()?, id, given, reason).await?;
    let say = match after {
        AfterAnswer::Waits => "回答しました。ほかの確認者の回答を待ちます。".to_owned(),
        AfterAnswer::Decided(of) => {
            format!("「{}」に決まりました。次の名寄せで反映します。", of.label_ja())
        }
        AfterAnswer::Unsettled => "三人の回答が分かれたため、別の人のままとします。".to_owned(),
    };
    Ok(Answer::done(say, format!("/links/cases/{id}")))
}

pub(crate) async fn undo(ctx: Ctx) -> Result<Answer, Fault> {
    let id: CaseId = ctx.id("id")?;
    // As with every act that reaches what was made before: the end of the case's number is typed.
    if ctx.input.text("confirm") != last(&id.to_string()) {
        let ja = "組の番号の末尾6文字を、画面のとおりに書いてください。";
        return Err(Fault::fields(vec![("confirm".to_owned(), ja.to_owned())]));
    }
    kiban_journeys::undo_link_case(ctx.on(), ctx.actor()?, id, ctx.input.text("reason")).await?;
    let say =
        "判断を取り消しました。次の名寄せで元に戻り、関係するデータセットは要再作成になります。";
    Ok(Answer::done(say, format!("/links/cases/{id}")))
}

fn last(id: &str) -> &str {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id)
}

impl Show {
    fn tail(&self) -> &str {
        last(&self.id)
    }
}
