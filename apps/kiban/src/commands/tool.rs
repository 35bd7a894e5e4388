//! `kiban tool`: the toolkit on plain files, outside any deployment.

use std::path::PathBuf;

use kiban_journeys::{
    deid::tool,
    kernel::{Clock as _, OsEntropy, Rules, SystemClock},
};

use super::spec::Mode;
use crate::say::{self, Failure, Outcome};

#[derive(clap::Args)]
pub(crate) struct Deid {
    /// 加工仕様書（TOML）
    #[arg(long)]
    spec: PathBuf,
    /// 加工の種類
    #[arg(long, value_enum)]
    mode: Mode,
    /// 入力（.csv は UTF-8 と見出し行、または .parquet）
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// 出力（.csv または .parquet）
    #[arg(long)]
    out: PathBuf,
    /// 変更・リスクの報告（JSON）
    #[arg(long)]
    report: Option<PathBuf>,
    /// リスクと有用性の報告（HTML）
    #[arg(long)]
    page: Option<PathBuf>,
    /// 仮名化の鍵のファイル（省略時はその回限りの乱数）
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// 例示用：ただ一人の人の番号を固定します
    #[arg(long)]
    fixed_id: Option<String>,
    /// 例示用：日付のずらしを固定します（日）
    #[arg(long, allow_hyphen_values = true)]
    fixed_offset: Option<i32>,
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 一つの表を加工仕様書どおりに加工します
    Deid(Deid),
    /// 一般化と抑制の最適な組合せを探して匿名化します（ARX 形式の階層）
    Anonymize(super::anonymize::Anonymize),
    /// 表のリスクとモデルの成否を測ります
    Risk(super::anonymize::Risk),
    /// 列を摂動します（ミクロ集計・入れ替え・PRAM・雑音・丸め・標本・局所的な抑制）
    Perturb(super::perturb::Perturb),
    /// 人ごとの項目の集合を k^m 匿名にします
    Km(super::perturb::Km),
    /// 組合せごとの人数を差分プライバシーで数えます
    DpCount(super::perturb::DpCount),
    /// 人の一覧の記録を、同じ人ごとにまとめます（名寄せ。正解データは不要）
    Link(super::link::Link),
    /// 加工データを攻撃し、人が特定・連結・推定されないかを確かめます
    Attack(super::attack::Attack),
    /// 医療データのファイルに何が入っているかを調べます
    Inspect(super::inspect::Inspect),
    /// 医療データのファイルを、標準の表（Parquet）・OMOP・FHIR・XPORT に変換します
    Convert(super::convert::Convert),
}

pub(crate) async fn run(command: Command) -> Outcome {
    let args = match command {
        Command::Anonymize(args) => return super::anonymize::anonymize(&args),
        Command::Risk(args) => return super::anonymize::risk(&args),
        Command::Perturb(args) => return super::perturb::perturb(&args),
        Command::Km(args) => return super::perturb::km(&args),
        Command::DpCount(args) => return super::perturb::dp_count(&args),
        Command::Link(args) => return super::link::link(&args),
        Command::Deid(args) => args,
        Command::Attack(args) => return super::attack::attack(&args),
        Command::Inspect(args) => return super::inspect::inspect(&args),
        Command::Convert(args) => return super::convert::convert(&args),
    };
    let rules = Rules::built_in().map_err(|e| Failure::new("規則を読み取れません。", &e))?;
    let request = tool::Request {
        spec: args.spec,
        product: args.mode.product(),
        input: args.input,
        output: args.out.clone(),
        report: args.report,
        key_file: args.key_file,
        fixed_id: args.fixed_id,
        fixed_offset: args.fixed_offset,
        on: SystemClock.today(),
    };
    let produced =
        tool::deid(&request, &rules, &OsEntropy).await.map_err(|e| Failure::new(e.ja(), &e))?;
    if let Some(path) = args.page {
        let title =
            args.out.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let text = crate::risk_page::render(&title, &produced)
            .map_err(|e| Failure::new("報告を作れません。", &e))?;
        std::fs::write(&path, text)
            .map_err(Failure::io("報告を書けません。書き先を確かめてください。"))?;
    }
    let risk = produced.risk();
    say::line(&format!(
        "{}を作成しました：{}（{} 人、k の目標 {} に満たず除いた人 {}）",
        args.mode.product().label_ja(),
        args.out.display(),
        risk.persons_out,
        risk.target_k,
        risk.persons_suppressed
    ));
    for sentence in risk.over_limits_ja() {
        say::line(&format!("  上限超過：{sentence}"));
    }
    for finding in produced.undecided() {
        say::line(&format!("  要判断：{}", finding.ja()));
    }
    for withheld in &produced.changes().withheld {
        say::line(&format!(
            "  出力しない列：{}.{}（{}）",
            withheld.table,
            withheld.column,
            withheld.reason.ja()
        ));
    }
    Ok(())
}
