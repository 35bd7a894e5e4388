//! S6: every stop against every store, with what is overdue and the proofs.

use askama::Template;
use kiban_govern::{Act, Actor, Employer};
use kiban_kernel::{Id, Regime, jst_date, kinds};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, day_count, moment},
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct Cell {
    acknowledged: String,
    counts: String,
}

#[derive(Serialize)]
struct RowView {
    id: String,
    receipt_number: String,
    holder: String,
    regimes: String,
    received: String,
    days: String,
    due: String,
    overdue: bool,
    closed: String,
    cells: Vec<Cell>,
}

#[derive(Template, Serialize)]
#[template(path = "stops.html")]
struct Matrix {
    stores: Vec<String>,
    rows: Vec<RowView>,
    paging: Paging,
    open: usize,
    overdue: usize,
    may_apply: bool,
    may_review: bool,
    /// Rates of the visitor's own holder that are out of line.
    warnings: Vec<String>,
    #[serde(skip)]
    form: FormToken,
}

pub(crate) fn store_ja(store: &str) -> String {
    kiban_journeys::store_ja(store).to_owned()
}

fn count_ja(name: &str, n: u64) -> String {
    let ja = match name {
        "rows" => "行",
        "files" => "ファイル",
        "keys" => "鍵",
        "segments" => "断片",
        "containers" => "原本の容器",
        other => other,
    };
    format!("{ja} {n}")
}

pub(crate) async fn matrix(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let names = ctx.names().await?;
    let stops = kiban_journeys::stops(ctx.on(), actor).await?;
    let today = ctx.on().today();
    let mut stores: Vec<String> =
        stops.iter().flat_map(|s| s.stores.iter().map(|store| store.store.clone())).collect();
    stores.sort();
    stores.dedup();
    let rows: Vec<RowView> = stops
        .iter()
        .map(|s| RowView {
            id: s.stop.id.to_string(),
            receipt_number: s.stop.receipt_number.clone(),
            holder: names.organization(s.stop.holder),
            regimes: Regime::ALL
                .into_iter()
                .filter(|r| s.stop.regimes.contains(*r))
                .map(Regime::label_ja)
                .collect::<Vec<_>>()
                .join("、"),
            received: day(jst_date(s.stop.received_at)),
            days: day_count(s.stop.received_at, today),
            due: day(s.due),
            overdue: s.overdue,
            closed: s.stop.closed_at.map(moment).unwrap_or_default(),
            cells: stores
                .iter()
                .map(|name| {
                    let state = s.stores.iter().find(|x| x.store == *name);
                    let counts = state.map(|x| {
                        let counts: Vec<String> =
                            x.ack.counts.iter().map(|(n, c)| count_ja(n, *c)).collect();
                        counts.join("、")
                    });
                    Cell {
                        acknowledged: state
                            .and_then(|x| x.acknowledged_at)
                            .map(moment)
                            .unwrap_or_default(),
                        counts: counts.unwrap_or_default(),
                    }
                })
                .collect(),
        })
        .collect();
    let (open, overdue) = (
        rows.iter().filter(|r| r.closed.is_empty()).count(),
        rows.iter().filter(|r| r.overdue).count(),
    );
    let (rows, paging) = paged(&ctx, rows)?;
    let warnings =
        if actor.employer == Employer::Holder { warnings(&ctx, actor).await? } else { Vec::new() };
    Answer::page(Matrix {
        warnings,
        open,
        overdue,
        paging,
        stores: stores.iter().map(|s| store_ja(s)).collect(),
        rows,
        may_apply: kiban_govern::permit(actor, Act::ApplyStop).is_ok(),
        may_review: kiban_govern::permit(actor, Act::SeeStopRates).is_ok(),
        form: ctx.form.clone(),
    })
}

/// What the holder is to look into: 「2026年4月：ほかより多い」.
async fn warnings(ctx: &Ctx, actor: &Actor) -> Result<Vec<String>, Fault> {
    let rates = kiban_journeys::stop_rates(ctx.on(), actor).await?;
    Ok(rates
        .iter()
        .filter_map(|r| {
            let when = r
                .month
                .map_or_else(|| "全期間".to_owned(), |m| format!("{}年{}月", m.year(), m.month()));
            Some(format!("{when}：{}", r.judged.outlier?.label_ja()))
        })
        .collect())
}

pub(crate) async fn proof(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Stop> = ctx.id("id")?;
    let stops = kiban_journeys::stops(ctx.on(), ctx.actor()?).await?;
    let row = stops.into_iter().find(|s| s.stop.id == id).ok_or_else(Fault::not_found)?;
    let body = row.stop.proof.ok_or_else(Fault::not_found)?;
    Ok(Answer::Text { kind: "text/plain; charset=utf-8", name: None, body })
}

pub(crate) async fn apply(ctx: Ctx) -> Result<Answer, Fault> {
    let applied = kiban_journeys::apply_stop(ctx.on(), ctx.actor()?, ctx.id("id")?).await?;
    let say = if applied.open.is_empty() {
        "すべての保管先が停止を確認しました。処理完了証ができました。"
    } else {
        "応答しない保管先があります。停止は終わっていません。"
    };
    Ok(Answer::done(say, "/stops"))
}
