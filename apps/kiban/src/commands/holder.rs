//! `kiban holder`: the data holder's client.

mod letters;

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use kiban_journeys::{
    govern_reason_ja,
    holder::{self, Phase, SealRequest, SentState},
    kernel::{Clock as _, Date, NoSteps, OsEntropy, Regime, Rules, SystemClock},
    rule_ja,
};

use crate::say::{self, Failure, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 送付できる人の記録だけを封緘します（停止の求め・未通知・待機中の人は除かれます）
    Seal {
        /// 設定ファイル profile.toml（そのフォルダが端末の作業場所になります）
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 送付するファイルとフォルダ（取消・訂正の一覧だけを送るときは省略できます）
        inputs: Vec<PathBuf>,
        /// 判断の基準日（省略時は今日）
        #[arg(long)]
        on: Option<Date>,
    },
    /// 通知書の印刷・発送・返送（氏名と住所は提供元の端末だけで扱います）
    #[command(subcommand)]
    Letters(letters::Command),
    /// 送付の状況と提供の記録
    Status {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
    },
    /// 受領書を確かめて保管します
    Accept {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 受領書
        receipt: PathBuf,
        /// 認定作成事業者の検証鍵のファイル（基盤の audit/key）
        #[arg(long, value_name = "KEY")]
        producer: PathBuf,
    },
}

fn failed(e: holder::SealError) -> Failure {
    Failure::new(e.ja(), &e)
}

fn home(profile: &Path) -> PathBuf {
    let parent = profile.parent().filter(|p| !p.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

pub(crate) fn run(command: Command) -> Outcome {
    match command {
        Command::Seal { profile, inputs, on } => seal(&profile, inputs, on),
        Command::Letters(command) => letters::run(command),
        Command::Status { profile } => status(&profile),
        Command::Accept { profile, receipt, producer } => accept(&profile, &receipt, &producer),
    }
}

fn seal(profile: &Path, inputs: Vec<PathBuf>, on: Option<Date>) -> Outcome {
    let rules = Rules::built_in().map_err(|e| Failure::new("規則を読み取れません。", &e))?;
    let clock = SystemClock;
    let today = clock.today();
    if on.is_some_and(|on| on > today) {
        return Err(Failure::plain(
            "基準日に将来の日は指定できません。待機期間が終わってから送付してください。",
            "the day to judge by lies in the future",
        ));
    }
    let request =
        SealRequest::from_home(home(profile), inputs, on.unwrap_or(today)).map_err(failed)?;
    let bar = ProgressBar::new(0).with_style(bar_style());
    let report = holder::seal(&request, &rules, &clock, &OsEntropy, &NoSteps, &mut |p| {
        bar.set_length(p.files_total);
        bar.set_position(p.files);
        bar.set_message(match p.phase {
            Phase::Reading => "読取り",
            Phase::Sealing => "封緘",
        });
    })
    .map_err(failed)?;
    bar.finish_and_clear();
    say::line(&format!("封緘しました：{}", report.path.display()));
    say::line(&format!(
        "  送付 {} 人、{} 断片、{} ファイル（納品番号 {}）",
        report.kept_persons, report.kept_segments, report.files, report.delivery
    ));
    for (regime, reasons) in &report.withheld_by_regime {
        for (reason, persons) in reasons {
            say::line(&format!(
                "  保留 {} 人：{}、{}",
                persons,
                regime.label_ja(),
                govern_reason_ja(reason)
            ));
        }
    }
    if report.retractions + report.corrections > 0 {
        say::line(&format!(
            "  取消 {} 行、本人の訂正 {} 行",
            report.retractions, report.corrections
        ));
    }
    for (why, rows) in &report.kept_back {
        say::line(&format!("  送付しない取消・訂正 {rows} 行：{}", rule_ja(why)));
    }
    for (rule, segments) in &report.withheld_segments {
        say::line(&format!("  送付しない断片 {segments}：{}", rule_ja(rule)));
    }
    for (file, why) in &report.left_out {
        say::line(&format!("  対象外のファイル {file}：{}", rule_ja(why)));
    }
    for (name, count) in &report.unread {
        say::line(&format!("  読み取らない部分 {name}（{count}）"));
    }
    Ok(())
}

fn status(profile: &Path) -> Outcome {
    let folder = home(profile);
    let status = holder::status(&folder).map_err(failed)?;
    let rules = Rules::built_in().map_err(|e| Failure::new("規則を読み取れません。", &e))?;
    let slot = holder::Profile::load(&folder).map_err(failed)?.slot(SystemClock.today(), &rules);
    for line in slot_lines(&slot) {
        say::line(&line);
    }
    for (record, state) in &status.deliveries {
        let state = match state {
            SentState::Sealed => "封緘済み・受領書待ち",
            SentState::Receipted => "受領書あり",
        };
        say::line(&format!("{}  {state}", record.delivery));
    }
    let kept = holder::kept_provisions(&folder, SystemClock.today(), &rules).map_err(failed)?;
    for k in &kept {
        let state = if k.due { "期限到来" } else { "保存中" };
        say::line(&format!("提供の記録 {}  {state}（{}まで）", k.record.delivery, k.until));
    }
    say::line(&format!(
        "納品 {} 件、提供の記録 {} 件",
        status.deliveries.len(),
        status.provisions.len()
    ));
    Ok(())
}

/// The delivery slot, one line for each regime.
pub(crate) fn slot_lines(slot: &holder::Slot) -> Vec<String> {
    let line = |(regime, lock): (Regime, Option<holder::Lock>)| match lock {
        None => format!("提供の枠 {}：開いています", regime.label_ja()),
        Some(lock) => format!("提供の枠 {}：閉じています。{}", regime.label_ja(), lock.ja()),
    };
    slot.regimes().map(line).collect()
}

fn accept(profile: &Path, receipt: &Path, producer: &Path) -> Outcome {
    let read =
        |path: &Path| std::fs::read_to_string(path).map_err(Failure::io("ファイルを読めません。"));
    let key = read(producer)?.trim().parse().map_err(|e| {
        Failure::new("検証鍵のファイルを解釈できません。", &e as &kiban_journeys::NoteError)
    })?;
    let text = holder::accept_receipt(&home(profile), &read(receipt)?, &key).map_err(failed)?;
    say::line(&format!("受領書を確かめました：納品 {}、事象 {}", text.delivery, text.event_index));
    Ok(())
}

/// The one look of progress bars.
pub(crate) fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:<12} [{bar:32}] {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
