//! `kiban register import`: the files one after the other, stops first; the report as JSON and as a page.

use std::{fs::File, io::Read as _, path::PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kiban_journeys::{ImportKind, ImportReport, ImportRequest};
use serde_json::json;

use crate::{
    At, import_page,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "registrar")]
    actor: String,
    /// 停止を保管先に反映する人
    #[arg(long = "apply-as", default_value = "intake")]
    apply: String,
    /// 登録簿のファイル（CSV）。停止の求めのファイルから先に取り込みます
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// 突合報告の書き先（JSON）
    #[arg(long)]
    json: Option<PathBuf>,
    /// 突合報告の書き先（HTML）
    #[arg(long)]
    html: Option<PathBuf>,
    /// 停止は記録だけして、反映は後で行います（kiban stop retry）
    #[arg(long)]
    later: bool,
}

/// Files of stops first: their header names the receipt.
fn is_stops(path: &PathBuf) -> bool {
    let mut head = [0; 512];
    let n = File::open(path).and_then(|mut f| f.read(&mut head)).unwrap_or(0);
    let line = String::from_utf8_lossy(&head[..n]);
    line.lines().next().is_some_and(|l| l.contains("receipt_no"))
}

pub(crate) async fn run(args: Import) -> Outcome {
    let (on, actor) = super::open(&args.at, &args.actor).await?;
    let mut files = args.files.clone();
    files.sort_by_key(|path| !is_stops(path));
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let mut reports: Vec<(String, ImportReport)> = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of = ImportRequest::of(path);
        let told = &mut |rows: u64| bar.set_message(format!("{name}：{rows} 行"));
        let mut report = kiban_journeys::import_register(&on, &actor, &of, told).await?;
        if report.kind == ImportKind::Stops && !args.later && report.stops_open > 0 {
            let who = kiban_journeys::actor_named(&on, &args.apply).await?;
            bar.set_message("停止を保管先に反映しています");
            kiban_journeys::retry_stops(&on, &who).await?;
            // Once they are in effect everywhere, what was taken back can be recorded.
            let again = kiban_journeys::import_register(&on, &actor, &of, &mut |_| {}).await?;
            report.stops_open = again.stops_open;
            report.withdrawals_waiting = again.withdrawals_waiting;
        }
        reports.push((name, report));
    }
    bar.finish_and_clear();
    let all: Vec<_> =
        reports.iter().map(|(name, r)| json!({ "file": name, "report": r })).collect();
    if let Some(path) = &args.json {
        let text = serde_json::to_vec_pretty(&all)
            .map_err(|e| Failure::new("報告を書き出せません。", &e))?;
        Output::write(path, &text)?;
    }
    if let Some(path) = &args.html {
        let page =
            import_page::page(&reports).map_err(|e| Failure::new("報告を書き出せません。", &e))?;
        Output::write(path, page.as_bytes())?;
    }
    for (name, r) in &reports {
        let c = &r.counts;
        say::line(&format!(
            "{name}：読取り {} 行、引継ぎ {} 行、登録済み {} 行、不受理 {} 行（バッチ {}、前回まで {}）",
            c.read,
            c.accepted,
            c.known,
            c.refused_rows(),
            r.batches,
            r.batches_before
        ));
        for (rule, count) in &c.refused {
            let first: Vec<String> = count.positions.iter().take(5).map(u64::to_string).collect();
            say::line(&format!(
                "  不受理 {} 行（行 {}…）：{}",
                count.rows,
                first.join("、"),
                kiban_journeys::import_rule_ja(rule)
            ));
        }
        for (rule, count) in &c.remarks {
            say::line(&format!(
                "  注意 {} 行：{}",
                count.rows,
                kiban_journeys::import_rule_ja(rule)
            ));
        }
        say::line(&format!(
            "  通知のある人　匿名加工 {} → {}、仮名加工 {} → {}",
            r.before.anon52, r.after.anon52, r.before.pseudo57, r.after.pseudo57
        ));
        if r.kind == ImportKind::Stops {
            say::line(&format!(
                "  停止の求め：未反映 {} 件、撤回の記録待ち {} 件",
                r.stops_open, r.withdrawals_waiting
            ));
        }
    }
    let lost: u64 = reports
        .iter()
        .filter(|(_, r)| r.kind == ImportKind::Stops)
        .map(|(_, r)| r.counts.refused_rows())
        .sum();
    if lost > 0 {
        return Err(Failure::plain(
            format!(
                "引き継げない停止の求めが {lost} 行あります。提供元に確かめ、直したファイルで引き継いでください。"
            ),
            "stops could not be carried over",
        ));
    }
    Ok(())
}
