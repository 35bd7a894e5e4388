//! S10: one application before the committee: seats, declarations, votes, closing, minutes; then the decision.

use askama::Template;
use kiban_govern::{Act, Actor, Role};
use kiban_journeys::{
    Seat,
    committee::{Ballot, Outcome},
    release::application::State,
};
use kiban_kernel::{Id, kinds};
use serde::Serialize;

use super::{
    application_form::{Shown, read_out, shown},
    applications::state_ja,
    committee::{categories_ja, office_ja},
    tracks::{TrackView, track_view},
};
use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day_count, moment},
    names::Names,
};

type ApplicationId = Id<kinds::Application>;

pub(crate) fn may_look(actor: &Actor) -> bool {
    [Role::CommitteeSecretary, Role::CommitteeMember, Role::GeneralManager, Role::Auditor]
        .iter()
        .any(|role| actor.has(*role))
}

#[derive(Serialize)]
struct SeatView {
    who: String,
    me: bool,
    office: &'static str,
    categories: String,
    employers: String,
    recused: bool,
    declared: String,
    voted: bool,
    vote: String,
    reason: String,
    conditions: Vec<String>,
}

#[derive(Template, Serialize)]
#[template(path = "review.html")]
struct Page {
    id: String,
    title: String,
    applicant: String,
    product: &'static str,
    state: &'static str,
    days: String,
    fields: Vec<Shown>,
    track: TrackView,
    seats: Vec<SeatView>,
    voted: usize,
    entitled: usize,
    closed: String,
    lacks: String,
    outcome: String,
    tally: Vec<(&'static str, usize)>,
    may_declare: bool,
    may_vote: bool,
    may_close: bool,
    may_minute: bool,
    recused: bool,
    declared: bool,
    has_minutes: bool,
    #[serde(skip)]
    form: FormToken,
}

fn seat_view(seat: &Seat, me: bool, names: &Names) -> SeatView {
    let ballot = seat.ballot.as_ref();
    SeatView {
        who: names.account(seat.account),
        me,
        office: office_ja(seat.office),
        categories: categories_ja(&seat.categories, seat.outsider),
        employers: seat
            .employers
            .iter()
            .map(|o| names.organization(*o))
            .collect::<Vec<_>>()
            .join("、"),
        recused: seat.recused,
        declared: match &seat.declared {
            Some(d) if d.interest => format!("利益相反あり：{}", d.reason),
            Some(_) => "利益相反なし".to_owned(),
            None => String::new(),
        },
        voted: seat.voted,
        vote: ballot.map(|b| b.vote.label_ja().to_owned()).unwrap_or_default(),
        reason: ballot.map(|b| b.reason.clone()).unwrap_or_default(),
        conditions: ballot.map(|b| b.conditions.clone()).unwrap_or_default(),
    }
}

pub(super) fn tally_of(opinion: &kiban_journeys::committee::Opinion) -> Vec<(&'static str, usize)> {
    let t = opinion.tally();
    vec![
        (Outcome::Approve.label_ja(), t.approve),
        (Outcome::ApproveWithConditions.label_ja(), t.approve_with_conditions),
        (Outcome::Revise.label_ja(), t.revise),
        (Outcome::Reject.label_ja(), t.reject),
    ]
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let id: ApplicationId = ctx.id("id")?;
    let case = kiban_journeys::case(ctx.on(), actor, id).await?;
    let review = kiban_journeys::review(ctx.on(), actor, id).await?;
    let progress = kiban_journeys::review_track::progress(ctx.on(), actor, id).await?;
    let names = ctx.names().await?;
    let head = &case.head;
    let open = matches!(head.application.state, State::UnderReview { .. });
    let me = review.seats.iter().find(|s| s.account == actor.account);
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    let recused = me.is_some_and(|s| s.recused);
    let voting = open && review.closed.is_none() && me.is_some();
    let declared = me.is_some_and(|s| s.declared.is_some());
    let since = head.steps.last().map(|s| day_count(s.at, ctx.on().today()));
    let page = Page {
        id: id.to_string(),
        title: head.content.title.clone(),
        applicant: names.organization(head.application.applicant),
        product: head.application.product.label_ja(),
        state: state_ja(&head.application.state),
        days: since.unwrap_or_default(),
        fields: {
            let mut fields = shown(&head.content, case.earlier.as_ref());
            read_out(&mut fields, &names);
            fields
        },
        track: track_view(&progress),
        voted: review.seats.iter().filter(|s| s.voted).count(),
        entitled: review.seats.iter().filter(|s| !s.recused).count(),
        closed: review
            .closed
            .map(|(who, at)| format!("{} {}", moment(at), names.account(who)))
            .unwrap_or_default(),
        lacks: review.lacks.clone().filter(|_| open).unwrap_or_default(),
        outcome: review
            .opinion
            .as_ref()
            .map(|o| o.outcome().label_ja().to_owned())
            .unwrap_or_default(),
        tally: review.opinion.as_ref().map(tally_of).unwrap_or_default(),
        may_declare: voting && !me.is_some_and(|s| s.voted) && can(Act::Vote),
        may_vote: voting && declared && !recused && !me.is_some_and(|s| s.voted) && can(Act::Vote),
        may_close: voting && review.presiding == Some(actor.account) && can(Act::CloseVotes),
        may_minute: open && review.closed.is_some() && can(Act::RecordSession),
        recused,
        declared,
        has_minutes: case.session.is_some(),
        seats: review
            .seats
            .iter()
            .map(|s| seat_view(s, s.account == actor.account, &names))
            .collect(),
        form: ctx.form.clone(),
    };
    let title = format!("審査：{}", head.content.title);
    Ok(Answer::page(page)?.titled(title).banded(Band::of(head.application.product)))
}

fn back(say: &str, id: ApplicationId) -> Answer {
    Answer::done(say, format!("/applications/{id}/review"))
}

pub(crate) async fn interest(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let has = ctx.input.text("interest") == "yes";
    let reason = ctx.input.text("reason");
    kiban_journeys::declare_interest(ctx.on(), ctx.actor()?, id, has, reason).await?;
    Ok(back(
        if has {
            "利益相反ありと申告しました。この審議には加わりません。"
        } else {
            "利益相反なしと申告しました。"
        },
        id,
    ))
}

pub(crate) async fn vote(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let chosen = ctx.input.text("vote");
    let vote = Outcome::ALL.into_iter().find(|o| o.as_str() == chosen);
    let ballot = Ballot {
        vote: vote.ok_or_else(|| Fault::malformed("評決を選んでください。"))?,
        reason: ctx.input.text("reason").to_owned(),
        conditions: ctx.input.lines("conditions"),
    };
    kiban_journeys::cast_vote(ctx.on(), ctx.actor()?, id, &ballot).await?;
    Ok(back("評決しました。", id))
}

pub(crate) async fn close(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let opinion = kiban_journeys::close_votes(ctx.on(), ctx.actor()?, id).await?;
    let say = format!("評決を締め切りました。意見：{}", opinion.outcome().label_ja());
    Ok(back(&say, id))
}

pub(crate) async fn minutes(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let opinion = kiban_journeys::record_minutes(ctx.on(), ctx.actor()?, id).await?;
    let say = format!("議事録を確定しました。意見：{}", opinion.outcome().label_ja());
    Ok(Answer::done(say, format!("/applications/{id}")))
}

pub(crate) async fn decide(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let accept = ctx.input.text("accept") == "yes";
    let (reason, conditions) = (ctx.input.text("reason"), ctx.input.lines("conditions"));
    kiban_journeys::decide(ctx.on(), ctx.actor()?, id, accept, reason, &conditions).await?;
    let say = if accept {
        "提供を決定しました。"
    } else {
        "提供しないことを決定しました。"
    };
    Ok(Answer::done(say, format!("/applications/{id}")))
}
