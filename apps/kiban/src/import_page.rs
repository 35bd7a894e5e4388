//! The reconciliation report of a predecessor's register, as a page.

use askama::Template;
use kiban_journeys::{ImportCounts, ImportReport, import_rule_ja};

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    files: Vec<FileRows>,
}

struct FileRows {
    name: String,
    report: ImportReport,
    adds_up: bool,
    refused: Vec<Rule>,
    remarks: Vec<Rule>,
    kinds: Vec<(String, u64)>,
    stops: bool,
}

struct Rule {
    code: String,
    text: &'static str,
    rows: u64,
    positions: String,
}

fn rules(of: &std::collections::BTreeMap<String, kiban_journeys::RuleCount>) -> Vec<Rule> {
    of.iter()
        .map(|(code, count)| {
            let shown: Vec<String> = count.positions.iter().take(30).map(u64::to_string).collect();
            let more = if count.rows > 30 { " …" } else { "" };
            Rule {
                code: code.clone(),
                text: import_rule_ja(code),
                rows: count.rows,
                positions: format!("{}{more}", shown.join(", ")),
            }
        })
        .collect()
}

fn kinds(counts: &ImportCounts) -> Vec<(String, u64)> {
    let name = |regime: &str| match regime {
        "anon52" => "匿名加工（法52条）",
        "pseudo57" => "仮名加工（法57条）",
        _ => "その他",
    };
    let notices = counts.notices.iter().map(|(r, n)| (format!("通知 {}", name(r)), *n));
    let stops = counts.stops.iter().map(|(r, n)| (format!("停止の求め {}", name(r)), *n));
    notices.chain(stops).collect()
}

pub(crate) fn page(reports: &[(String, ImportReport)]) -> Result<String, askama::Error> {
    let files = reports
        .iter()
        .map(|(name, report)| FileRows {
            name: name.clone(),
            adds_up: report.counts.adds_up(),
            refused: rules(&report.counts.refused),
            remarks: rules(&report.counts.remarks),
            kinds: kinds(&report.counts),
            stops: report.kind == kiban_journeys::ImportKind::Stops,
            report: report.clone(),
        })
        .collect();
    Page { files }.render()
}
