//! How often people ask to stop, by holder and month, with what is out of line (B9).

use askama::Template;
use kiban_journeys::{StopRate, stop::rates::Outlier};
use serde::Serialize;

use crate::{
    answer::{Answer, csv},
    columns::{Column, columns},
    ctx::Ctx,
    fault::Fault,
    japanese::{number, persons},
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct RateView {
    holder: String,
    /// 「2026年4月」; empty for all months together.
    month: String,
    stops: String,
    persons: String,
    rate: String,
    expected: String,
    warning: &'static str,
    chance: String,
}

/// `0.123%`.
fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}

fn view(rate: &StopRate, holder: String) -> RateView {
    let few = (1..kiban_journeys::SMALLEST_SHOWN).contains(&rate.count.persons);
    let count = (!few).then_some(rate.count.persons);
    let warning = rate.judged.outlier.map(Outlier::label_ja).unwrap_or_default();
    RateView {
        holder,
        month: rate.month.map(|m| format!("{}年{}月", m.year(), m.month())).unwrap_or_default(),
        stops: number(rate.count.stops),
        persons: persons(count),
        // A rate of few persons would say how many they are.
        rate: if few { "—".to_owned() } else { percent(rate.count.rate()) },
        expected: percent(rate.judged.expected),
        warning,
        chance: if warning.is_empty() {
            String::new()
        } else {
            format!("{:.1e}", rate.judged.chance)
        },
    }
}

#[derive(Template, Serialize)]
#[template(path = "stop_rates.html")]
struct Rates {
    warnings: usize,
    totals: Vec<RateView>,
    months: Vec<RateView>,
    paging: Paging,
    #[serde(skip)]
    drawing: String,
}

async fn rates(ctx: &Ctx) -> Result<Vec<(StopRate, String)>, Fault> {
    let names = ctx.names().await?;
    let rates = kiban_journeys::stop_rates(ctx.on(), ctx.actor()?).await?;
    Ok(rates
        .into_iter()
        .map(|r| {
            let name = names.organization(r.holder);
            (r, name)
        })
        .collect())
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let rates = rates(&ctx).await?;
    let warnings = rates.iter().filter(|(r, _)| r.judged.outlier.is_some()).count();
    let (totals, mut months): (Vec<_>, Vec<_>) =
        rates.into_iter().partition(|(r, _)| r.month.is_none());
    // What is out of line first, then the newest month.
    months.sort_by_key(|(r, _)| (r.judged.outlier.is_none(), std::cmp::Reverse(r.month)));
    let drawn: Vec<Column> = totals
        .iter()
        .filter(|(r, _)| r.count.persons >= kiban_journeys::SMALLEST_SHOWN)
        .map(|(r, name)| Column {
            name: name.clone(),
            value: r.count.rate() * 100.0,
            usual: r.judged.expected * 100.0,
            warned: r.judged.outlier.is_some(),
        })
        .collect();
    let (months, paging) = paged(&ctx, months)?;
    let views = |of: Vec<(StopRate, String)>| -> Vec<RateView> {
        of.into_iter().map(|(r, name)| view(&r, name)).collect()
    };
    Answer::page(Rates {
        warnings,
        drawing: columns("提供元ごとの停止の割合（%）", &drawn),
        totals: views(totals),
        months: views(months),
        paging,
    })
}

pub(crate) async fn show_csv(ctx: Ctx) -> Result<Answer, Fault> {
    let head = ["提供元", "月", "求め（件）", "対象者（人）", "割合", "目安", "警告", "確率"];
    let rows = rates(&ctx).await?.into_iter().map(|(rate, name)| {
        let v = view(&rate, name);
        let month = if v.month.is_empty() { "全期間".to_owned() } else { v.month };
        [v.holder, month, v.stops, v.persons, v.rate, v.expected, v.warning.to_owned(), v.chance]
    });
    let body = csv(std::iter::once(head.map(str::to_owned)).chain(rows));
    Ok(Answer::csv("stop-rates.csv", body))
}
