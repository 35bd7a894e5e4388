//! `kiban holder letters`: who is to be written to, batches of letters, what was posted, what came back.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use kiban_journeys::{
    holder::{self, LetterKind},
    kernel::{Clock as _, Date, Rules, SystemClock},
};

use super::{failed, home};
use crate::say::{self, Failure, Outcome};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// はじめての通知
    First,
    /// 法52条だけの人への法57条の通知
    Upgrade57,
    /// 16歳に達した人への本人通知
    At16,
    /// 返送後の再通知
    Again,
}

impl Kind {
    fn kind(self) -> LetterKind {
        match self {
            Self::First => LetterKind::First,
            Self::Upgrade57 => LetterKind::Upgrade57,
            Self::At16 => LetterKind::At16,
            Self::Again => LetterKind::Again,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 通知すべき人の数と理由（宛先の一覧 recipients.csv から）
    Due {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 基準日（省略時は今日）
        #[arg(long)]
        on: Option<Date>,
    },
    /// 印刷用の通知書（HTML）と宛先の一覧（CSV）を一束作ります
    Make {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 通知の種類
        #[arg(value_enum)]
        kind: Kind,
        /// 通知文書の版
        #[arg(long)]
        version: String,
        /// 基準日（省略時は今日）
        #[arg(long)]
        on: Option<Date>,
    },
    /// 束の一覧
    List {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
    },
    /// 束を発送したことを記録します（待機期間はこの日から数えます）
    Sent {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 束の番号
        batch: String,
        /// 発送の日
        #[arg(long)]
        on: Date,
    },
    /// 返送を記録します（通知したことになりません）
    Returned {
        /// 設定ファイル profile.toml
        #[arg(long, value_name = "P.toml")]
        profile: PathBuf,
        /// 束の番号
        batch: String,
        /// 返送の日
        #[arg(long)]
        on: Date,
        /// 通知書の番号または提供元での番号
        #[arg(required = true)]
        letters: Vec<String>,
    },
}

fn rules() -> Result<Rules, Failure> {
    Rules::built_in().map_err(|e| Failure::new("規則を読み取れません。", &e))
}

fn due(folder: &Path, on: Date) -> Outcome {
    let due = holder::due(folder, on, &rules()?).map_err(failed)?;
    for kind in LetterKind::ALL {
        let n = due.lists.get(&kind).map_or(0, Vec::len);
        say::line(&format!("{}：{n} 人", kind.label_ja()));
    }
    for (rule, n) in &due.left_out {
        let why = holder::left_out_ja(rule).unwrap_or_default();
        say::line(&format!("  通知できない {n} 人：{why}"));
    }
    say::line(&format!("通知済み {} 人、宛先の一覧にない通知 {} 人", due.settled, due.unlisted));
    Ok(())
}

pub(crate) fn run(command: Command) -> Outcome {
    let today = SystemClock.today();
    match command {
        Command::Due { profile, on } => due(&home(&profile), on.unwrap_or(today)),
        Command::Make { profile, kind, version, on } => {
            let on = on.unwrap_or(today);
            let made = holder::make_letters(&home(&profile), kind.kind(), &version, on, &rules()?)
                .map_err(failed)?;
            say::line(&format!(
                "通知書 {} 通を作りました（束 {}）。",
                made.batch.persons(),
                made.batch.id
            ));
            say::line(&format!("  印刷用：{}", made.pages.display()));
            say::line(&format!("  宛先：{}", made.addresses.display()));
            say::line("発送したら kiban holder letters sent で発送の日を記録してください。");
            Ok(())
        }
        Command::List { profile } => {
            for b in holder::batches(&home(&profile)).map_err(failed)? {
                let sent = b.sent_on.map_or_else(|| "未発送".to_owned(), |d| format!("{d} 発送"));
                say::line(&format!(
                    "{}  {}  版 {}  {} 人  {sent}",
                    b.id,
                    b.kind.label_ja(),
                    b.version,
                    b.persons()
                ));
            }
            Ok(())
        }
        Command::Sent { profile, batch, on } => {
            let sent = holder::record_sent(&home(&profile), &batch, on, today).map_err(failed)?;
            say::line(&format!("{} 人への通知を記録しました（{on}）。", sent.persons()));
            Ok(())
        }
        Command::Returned { profile, batch, on, letters } => {
            let done = holder::mark_letters_returned(&home(&profile), &batch, &letters, on, today)
                .map_err(failed)?;
            say::line(&format!(
                "返送を記録しました：{} 人（記録済み {} 人）。returned.csv を認定作成事業者にも渡してください（kiban notice returned）。",
                done.marked, done.known
            ));
            Ok(())
        }
    }
}
