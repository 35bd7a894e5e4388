//! `kiban tool perturb`, `kiban tool km` and `kiban tool dp-count`: perturbation, sets of items and noisy counts on CSV
//! files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kiban_anonymity::{
    Chance,
    sheet::{self, CountOptions, KmOptions, Method, PerturbOptions, SheetError},
};

use super::anonymize::write_json;
use crate::{
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Perturb {
    #[command(flatten)]
    files: Files,
    /// 方法
    #[arg(long, value_enum)]
    method: MethodName,
    /// 対象の列（コンマ区切り。local-suppression では重要な列から）
    #[arg(long, value_delimiter = ',', required = true)]
    columns: Vec<String>,
    /// 個人の番号の列（同じ人の行に同じ乱数を使います）
    #[arg(long)]
    person: Option<String>,
    /// 群の最小の人数（mdav、local-suppression）
    #[arg(long, default_value_t = 5)]
    k: u32,
    /// 入れ替える順位の幅（rank-swap）、雑音の分散（noise）、最も稀な区分が変わる確率（pram）、いずれも％
    #[arg(long, default_value_t = 5.0)]
    percent: f64,
    /// 丸めの単位（round）
    #[arg(long, default_value_t = 10.0)]
    base: f64,
    /// 偏りのない確率的な丸めにします（round）
    #[arg(long)]
    random: bool,
    /// 残す割合（sample）
    #[arg(long, default_value_t = 0.1)]
    fraction: f64,
    #[command(flatten)]
    seed: Seed,
}

#[derive(clap::Args)]
pub(crate) struct Km {
    #[command(flatten)]
    files: Files,
    /// 個人の番号の列
    #[arg(long)]
    person: String,
    /// 項目（傷病名など）の列
    #[arg(long)]
    item: String,
    /// 最小の人数
    #[arg(long, default_value_t = 5)]
    k: u32,
    /// 攻撃者が知り得る項目の数
    #[arg(long, default_value_t = 2)]
    m: usize,
    /// 項目の階層ファイル（ARX 形式）
    #[arg(long)]
    hierarchy: Option<PathBuf>,
    /// 削除する項目をまとめる名前（省略時は行を除きます）
    #[arg(long)]
    residual: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct DpCount {
    #[command(flatten)]
    files: Files,
    /// 集計する列（コンマ区切り）
    #[arg(long, value_delimiter = ',', required = true)]
    by: Vec<String>,
    /// 個人の番号の列（省略時は1行を1人とします）
    #[arg(long)]
    person: Option<String>,
    /// ε
    #[arg(long)]
    epsilon: f64,
    /// δ
    #[arg(long)]
    delta: f64,
    /// 1人が数えられる組合せの上限
    #[arg(long, default_value_t = 1)]
    contributions: u32,
    #[command(flatten)]
    seed: Seed,
}

#[derive(clap::Args)]
struct Files {
    /// 入力（UTF-8 の CSV、見出し行つき）
    #[arg(long)]
    data: PathBuf,
    /// 区切り文字
    #[arg(long, default_value_t = ';')]
    delimiter: char,
    /// 出力
    #[arg(long)]
    out: PathBuf,
    /// 報告（JSON）
    #[arg(long)]
    report: PathBuf,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Seed {
    /// 乱数の種のファイル（32バイト、秘密。差分プライバシーでは公表ごとに新しいもの）
    #[arg(long)]
    seed_file: Option<PathBuf>,
    /// 乱数の種の番号（試験用。秘密になりません）
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MethodName {
    Mdav,
    RankSwap,
    Pram,
    Noise,
    Round,
    Sample,
    LocalSuppression,
}

fn failed(e: SheetError) -> Failure {
    Failure::new(e.ja(), &e)
}

impl Files {
    fn read(&self) -> Result<String, Failure> {
        read(&self.data)
    }

    fn write(&self, text: &str, report: &impl serde::Serialize) -> Outcome {
        Output::write(&self.out, text.as_bytes())?;
        write_json(&self.report, report)?;
        say::line(&format!("書きました：{}（報告 {}）", self.out.display(), self.report.display()));
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::io(
        "入力を読めません。場所・権限・文字コード（UTF-8）を確かめてください。",
    ))
}

impl Seed {
    fn chance(&self) -> Result<Chance, Failure> {
        if let Some(number) = self.seed {
            return Ok(Chance::numbered(number));
        }
        let unreadable = "乱数の種のファイルを読めません。32バイトのファイルを指定してください。";
        let path = self.seed_file.as_deref().unwrap_or(Path::new(""));
        let bytes = fs::read(path).map_err(Failure::io(unreadable))?;
        let seed: [u8; 32] =
            bytes.as_slice().try_into().map_err(|e| Failure::new(unreadable, &e))?;
        Ok(Chance::seeded(seed))
    }
}

pub(crate) fn perturb(args: &Perturb) -> Outcome {
    let method = match args.method {
        MethodName::Mdav => Method::Mdav { k: args.k as usize },
        MethodName::RankSwap => Method::RankSwap { percent: args.percent },
        MethodName::Pram => Method::Pram { theta: args.percent / 100.0 },
        MethodName::Noise => Method::Noise { percent: args.percent },
        MethodName::Round => Method::Round { base: args.base, random: args.random },
        MethodName::Sample => Method::Sample { fraction: args.fraction },
        MethodName::LocalSuppression => Method::LocalSuppression { k: args.k },
    };
    let options = PerturbOptions {
        delimiter: args.files.delimiter,
        method,
        columns: args.columns.clone(),
        person: args.person.clone(),
    };
    let chance = args.seed.chance()?;
    let (text, report) = sheet::perturb(&args.files.read()?, &options, &chance).map_err(failed)?;
    args.files.write(&text, &report)
}

pub(crate) fn km(args: &Km) -> Outcome {
    let options = KmOptions {
        delimiter: args.files.delimiter,
        person: args.person.clone(),
        item: args.item.clone(),
        k: args.k,
        m: args.m,
        hierarchy: args.hierarchy.as_deref().map(read).transpose()?,
        residual: args.residual.clone(),
    };
    let (text, report) = sheet::km(&args.files.read()?, &options).map_err(failed)?;
    args.files.write(&text, &report)
}

pub(crate) fn dp_count(args: &DpCount) -> Outcome {
    let options = CountOptions {
        delimiter: args.files.delimiter,
        by: args.by.clone(),
        person: args.person.clone(),
        epsilon: args.epsilon,
        delta: args.delta,
        contributions: args.contributions,
    };
    let chance = args.seed.chance()?;
    let (text, report) = sheet::dp_count(&args.files.read()?, &options, &chance).map_err(failed)?;
    args.files.write(&text, &report)
}
