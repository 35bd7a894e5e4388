//! Parts of a case page: the files that go with an application, the estimate and the quote.

use kiban_govern::{Act, Actor};
use kiban_journeys::{Attachment, FileKind, Pricing};
use kiban_kernel::{Id, jst_date, kinds};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    japanese::{day, moment, yen},
    names::Names,
};

/// A file, as the case shows it.
#[derive(Serialize)]
pub(crate) struct FileView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) size: String,
    pub(super) digest: String,
    pub(super) added: String,
}

pub(crate) fn file_view(a: &Attachment) -> FileView {
    FileView {
        id: a.id.to_string(),
        name: a.name.clone(),
        kind: match a.kind {
            FileKind::Pdf => "PDF",
            FileKind::Png => "PNG",
            FileKind::Jpeg => "JPEG",
            FileKind::Text => "テキスト",
            FileKind::Document => "Word 文書",
            FileKind::Sheet => "Excel ブック",
            FileKind::Slides => "PowerPoint スライド",
        },
        size: size(a.size),
        digest: a.digest.to_string(),
        added: moment(a.added_at),
    }
}

/// 「1.2MB」, 「35KB」: rounded up, so that nothing has no size.
fn size(bytes: u64) -> String {
    let kilo = bytes.div_ceil(1_000);
    if kilo < 1_000 {
        format!("{kilo}KB")
    } else {
        let tenths = bytes.div_ceil(100_000);
        format!("{}.{}MB", tenths / 10, tenths % 10)
    }
}

/// Estimate and quote, as the case shows them.
#[derive(Serialize)]
pub(crate) struct PriceView {
    pub(super) lines: Vec<(&'static str, i64, String)>,
    pub(super) yen: String,
    pub(super) days: i64,
    pub(super) tariff_of: String,
    pub(super) quoted: String,
    pub(super) quoted_days: i64,
    pub(super) quoted_by: String,
    /// How the quote differs from the estimate; empty without a quote.
    pub(super) difference: String,
    /// What became of the lead time; empty before the submission.
    pub(super) actual: String,
    pub(super) may_quote: bool,
    /// For the form: the estimate in figures.
    pub(super) yen_figure: i64,
}

pub(crate) fn price_view(actor: &Actor, p: &Pricing, names: &Names) -> PriceView {
    let quote = p.quote.as_ref();
    let difference = quote.map(|q| q.yen - p.estimate.yen).map(|d| match d {
        0 => "計算と同額".to_owned(),
        d if d > 0 => format!("計算より{}高い", yen(d)),
        d => format!("計算より{}安い", yen(-d)),
    });
    let promised = quote.map_or(p.estimate.days, |q| q.days);
    let actual = match (p.delivered_after, p.running) {
        (Some(days), _) if days <= promised => {
            format!("提出から{days}日で提供（見込み{promised}日以内）")
        }
        (Some(days), _) => {
            format!("提出から{days}日で提供（見込み{promised}日を{}日超過）", days - promised)
        }
        (None, Some(days)) if days > promised => {
            format!("提出から{days}日、未提供（見込み{promised}日を{}日超過）", days - promised)
        }
        (None, Some(days)) => format!("提出から{days}日、未提供（見込み{promised}日）"),
        (None, None) => String::new(),
    };
    PriceView {
        lines: p.estimate.lines.iter().map(|l| (l.what, l.count, yen(l.yen))).collect(),
        yen: yen(p.estimate.yen),
        days: p.estimate.days,
        tariff_of: day(p.estimate.on),
        quoted: quote.map(|q| yen(q.yen)).unwrap_or_default(),
        quoted_days: quote.map(|q| q.days).unwrap_or_default(),
        quoted_by: quote
            .map(|q| format!("{}・{}", day(jst_date(q.at)), names.account(q.account)))
            .unwrap_or_default(),
        difference: difference.unwrap_or_default(),
        may_quote: p.running.is_some()
            && kiban_govern::permit(actor, Act::QuoteApplication).is_ok(),
        yen_figure: p.estimate.yen,
        actual,
    }
}

type ApplicationId = Id<kinds::Application>;

pub(crate) async fn attach(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let bytes = ctx.input.file("file").ok_or_else(Fault::not_found)?;
    let name = ctx.input.text("name");
    let file = kiban_journeys::attach(ctx.on(), ctx.actor()?, id, name, &bytes).await?;
    Ok(Answer::Done {
        say: "添付しました。".to_owned(),
        to: format!("/applications/{id}"),
        data: json!({ "id": file.to_string() }),
    })
}

pub(crate) async fn attachment(ctx: Ctx) -> Result<Answer, Fault> {
    let (id, file) = (ctx.id("id")?, ctx.id("attachment")?);
    let (found, bytes) = kiban_journeys::open_attachment(ctx.on(), ctx.actor()?, id, file).await?;
    Ok(Answer::Bytes { name: found.name, bytes })
}

pub(crate) async fn detach(ctx: Ctx) -> Result<Answer, Fault> {
    let (id, file): (ApplicationId, _) = (ctx.id("id")?, ctx.id("attachment")?);
    kiban_journeys::detach(ctx.on(), ctx.actor()?, id, file).await?;
    Ok(Answer::done("添付を外しました。", format!("/applications/{id}")))
}

pub(crate) async fn quote(ctx: Ctx) -> Result<Answer, Fault> {
    let id: ApplicationId = ctx.id("id")?;
    let figure = |name: &str| ctx.input.text(name).parse::<i64>().unwrap_or(-1);
    kiban_journeys::quote(ctx.on(), ctx.actor()?, id, figure("yen"), figure("days")).await?;
    Ok(Answer::done("見積りを提示しました。", format!("/applications/{id}")))
}
