//! `kiban tool attack`: the attacker on an original file and what was made of it.

use std::path::PathBuf;

use kiban_anonymity::tool::{self, AttackOptions};

use super::anonymize::{failed, hierarchies, open, write_json};
use crate::say::{self, Failure, Outcome};

#[derive(clap::Args)]
pub(crate) struct Attack {
    /// 元データ（UTF-8 の CSV、見出し行つき）
    #[arg(long)]
    original: PathBuf,
    /// 加工データ
    #[arg(long)]
    released: PathBuf,
    /// 人の対応表（1行に「元の番号;加工後の番号」）。省略時は行の順で対応づけます
    #[arg(long)]
    truth: Option<PathBuf>,
    /// 区切り文字
    #[arg(long, default_value_t = ';')]
    delimiter: char,
    /// 人の番号の列（省略時は1行を1人とします）
    #[arg(long)]
    person: Option<String>,
    /// 攻撃者が知る属性（コンマ区切り）
    #[arg(long, value_delimiter = ',', required = true)]
    qi: Vec<String>,
    /// 推定を試みる属性（コンマ区切り）
    #[arg(long, value_delimiter = ',')]
    sensitive: Vec<String>,
    /// 日付（受診日など）の列
    #[arg(long)]
    dates: Option<String>,
    /// 日付をずらした日数の上限
    #[arg(long, default_value_t = 0)]
    max_shift: u16,
    /// 集合（病名など）の列
    #[arg(long)]
    items: Option<String>,
    /// 階層ファイル（属性名.csv）のフォルダ。ない属性は数値・日付・文字として比べます
    #[arg(long)]
    hierarchies: Option<PathBuf>,
    /// 攻撃の種類ごとの回数
    #[arg(long, default_value_t = 2_000)]
    attacks: usize,
    /// 乱数の種
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 基準を上回ってよい割合の上限（0〜1）
    #[arg(long, default_value_t = 0.05)]
    limit: f64,
    /// 報告（JSON）
    #[arg(long)]
    report: PathBuf,
}

pub(crate) fn attack(args: &Attack) -> Outcome {
    let options = AttackOptions {
        delimiter: args.delimiter,
        person: args.person.clone(),
        quasi: args.qi.clone(),
        sensitive: args.sensitive.clone(),
        dates: args.dates.clone(),
        max_shift: args.max_shift,
        items: args.items.clone(),
        hierarchies: args.hierarchies.as_deref().map(hierarchies).transpose()?.unwrap_or_default(),
        attacks: args.attacks,
        seed: args.seed,
        limit: args.limit,
    };
    let truth = args.truth.as_deref().map(open).transpose()?;
    let report = tool::attack_files(open(&args.original)?, open(&args.released)?, truth, &options)
        .map_err(failed)?;
    write_json(&args.report, &report)?;
    for trial in &report.trials {
        say::line(&trial.sentence_ja());
    }
    if report.blocks {
        return Err(Failure::plain(report.verdict_ja(), "an attack gains more than the limit"));
    }
    say::line(&report.verdict_ja());
    Ok(())
}
