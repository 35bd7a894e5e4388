//! Parts of a case page: track and clock of the review, what is changed, the conditions of the decision.

use kiban_journeys::{conditions::Condition, review_track::Progress, track::Track};
use kiban_kernel::{Digest, Id, kinds};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    japanese::{day, moment},
    names::Names,
};

/// The review, as the case shows it to applicant and staff alike.
#[derive(Serialize)]
pub(crate) struct TrackView {
    pub(super) track: &'static str,
    pub(super) code: &'static str,
    /// 「2日目（0日目から数えて）」; empty before the committee has it.
    pub(super) day: String,
    pub(super) due: String,
    pub(super) late: bool,
    pub(super) next: String,
    /// Changes against what was approved before, a line each; empty for a first application.
    pub(super) changes: Vec<String>,
    pub(super) amendment: bool,
    pub(super) expedited: bool,
    pub(super) not_expedited: Vec<String>,
    pub(super) tracks: Vec<(&'static str, &'static str)>,
}

pub(crate) fn track_view(p: &Progress) -> TrackView {
    TrackView {
        track: p.track.label_ja(),
        code: p.track.as_str(),
        day: p.clock.map(|c| format!("{}日目", c.day)).unwrap_or_default(),
        due: p.clock.map(|c| day(c.due)).unwrap_or_default(),
        late: p.clock.is_some_and(|c| c.overdue),
        next: p.next.label_ja(),
        changes: p.changes.iter().flatten().map(|c| c.line_ja()).collect(),
        amendment: p.changes.is_some(),
        expedited: p.not_expedited.is_empty(),
        not_expedited: p.not_expedited.iter().map(|n| n.ja()).collect(),
        tracks: Track::ALL.into_iter().map(|t| (t.as_str(), t.label_ja())).collect(),
    }
}

/// A condition, as the case shows it.
#[derive(Serialize)]
pub(crate) struct ConditionView {
    pub(super) key: String,
    pub(super) text: String,
    pub(super) enforced: bool,
    /// When and by whom it was recorded as fulfilled; empty while it is open.
    pub(super) closed: String,
    pub(super) note: String,
}

pub(crate) fn condition_view(c: &Condition, names: &Names) -> ConditionView {
    ConditionView {
        key: c.digest.to_string(),
        text: c.text.clone(),
        enforced: c.enforced,
        closed: c
            .closed
            .as_ref()
            .map(|(at, who, _)| format!("{}・{}", moment(*at), names.account(*who)))
            .unwrap_or_default(),
        note: c.closed.as_ref().map(|(.., note)| note.clone()).unwrap_or_default(),
    }
}

pub(crate) async fn choose(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Application> = ctx.id("id")?;
    let chosen = ctx.input.text("track");
    let track = Track::ALL.into_iter().find(|t| t.as_str() == chosen);
    let track = track.ok_or_else(|| Fault::malformed("審査の方法を選んでください。"))?;
    kiban_journeys::review_track::choose_track(ctx.on(), ctx.actor()?, id, track).await?;
    let say = format!("審査の方法を「{}」にしました。", track.label_ja());
    Ok(Answer::done(say, format!("/applications/{id}")))
}

pub(crate) async fn close_condition(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Application> = ctx.id("id")?;
    let key: Digest = ctx.input.text("condition").parse().map_err(|_| Fault::not_found())?;
    let note = ctx.input.text("note");
    kiban_journeys::conditions::close_condition(ctx.on(), ctx.actor()?, id, key, note).await?;
    Ok(Answer::done("条件が満たされたことを記録しました。", format!("/applications/{id}")))
}
