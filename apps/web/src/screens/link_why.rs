//! Why two sources are, or are not, one person: the bars that sum to the score. Nobody is named.

use askama::Template;
use kiban_journeys::Why;
use serde::Serialize;

use super::links::probability;
use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    waterfall::{bits, waterfall},
};

/// Reasons that add up, as drawing and as table.
#[derive(Serialize)]
pub(super) struct WhyView {
    pub(super) bars: Vec<(String, String, String)>,
    pub(super) score: String,
    pub(super) probability: String,
    #[serde(skip)]
    pub(super) drawing: String,
}

pub(super) fn why_view(why: &Why) -> WhyView {
    let mut sum = 0.0;
    let bars = why.bars.iter().map(|(words, step)| {
        sum += step;
        (words.clone(), bits(*step), bits(sum))
    });
    WhyView {
        bars: bars.collect(),
        score: bits(why.score),
        probability: probability(why.score),
        drawing: waterfall(&why.bars, why.score),
    }
}

#[derive(Template, Serialize)]
#[template(path = "link_explain.html")]
struct Explain {
    holders: Vec<(String, String)>,
    why: Option<WhyView>,
    #[serde(skip)]
    form: FormToken,
}

async fn explain_page(ctx: &Ctx, why: Option<WhyView>) -> Result<Answer, Fault> {
    let holders = kiban_journeys::holders(ctx.on()).await?;
    let holders = holders.into_iter().map(|h| (h.organization.id.to_string(), h.organization.name));
    Answer::page(Explain { holders: holders.collect(), why, form: ctx.form.clone() })
}

pub(crate) async fn explain(ctx: Ctx) -> Result<Answer, Fault> {
    explain_page(&ctx, None).await
}

pub(crate) async fn explain_of(ctx: Ctx) -> Result<Answer, Fault> {
    let mut sources = Vec::new();
    for (holder, local) in [("holder_1", "local_1"), ("holder_2", "local_2")] {
        let holder = ctx.chosen(holder, "提供元")?;
        let local = ctx.input.text(local);
        sources.extend(kiban_journeys::person_sources(ctx.on(), holder, [local]).await?);
    }
    let why = kiban_journeys::explain_link(ctx.on(), ctx.actor()?, [sources[0], sources[1]]).await;
    let why = why.map_err(|e| match e {
        kiban_journeys::Error::Unknown { .. } => {
            let ja = "どちらかの番号の記録がありません。提供元と番号を確かめてください。";
            Fault::fields(vec![("local_1".to_owned(), ja.to_owned())])
        }
        other => other.into(),
    })?;
    explain_page(&ctx, Some(why_view(&why))).await
}
