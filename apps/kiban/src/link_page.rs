//! The bias report of linkage as a page.

use askama::Template;
use kiban_journeys::LinkBias;

#[derive(Template)]
#[template(path = "bias.html")]
struct Page<'a> {
    report: &'a LinkBias,
    rows: Vec<Row>,
}

struct Row {
    group: &'static str,
    value: String,
    records: u64,
    known: u64,
    recall: String,
    interval: String,
    precision: String,
    alone: String,
    unsure: String,
}

/// What a group's value is called.
pub(crate) fn value_ja(value: &str) -> &str {
    match value {
        "male" => "男",
        "female" => "女",
        "unknown" => "不明",
        "yes" => "はい",
        "no" => "いいえ",
        other => other,
    }
}

pub(crate) fn bias(report: &LinkBias) -> Result<String, askama::Error> {
    let rows = report
        .groups
        .iter()
        .map(|g| Row {
            group: g.group.ja(),
            value: value_ja(&g.value).to_owned(),
            records: g.records,
            known: g.known,
            recall: format!("{:.3}", g.recall.value),
            interval: format!("{:.3}〜{:.3}", g.recall.low, g.recall.high),
            precision: format!("{:.3}", g.precision),
            alone: format!("{:.3}", g.alone.value),
            unsure: format!("{:.3}", g.unsure),
        })
        .collect();
    Page { report, rows }.render()
}
