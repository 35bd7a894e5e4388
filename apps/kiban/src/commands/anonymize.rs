//! `kiban tool anonymize` and `kiban tool risk`: the anonymization engine on a CSV file and ARX-style hierarchies.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use kiban_anonymity::{
    Aggregate, Control, Measure, Population, Recoding, SearchKind, Settings,
    tool::{self, Options, RiskOptions},
};

use crate::{
    output::{Output, part_of},
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Anonymize {
    #[command(flatten)]
    table: Table,
    /// 階層ファイル（属性名.csv）のフォルダ
    #[arg(long)]
    hierarchies: PathBuf,
    /// 抑制してよい行の割合（0〜1）
    #[arg(long, default_value_t = 0.0)]
    suppression: f64,
    /// 最小にする損失
    #[arg(long, value_enum, default_value_t = MeasureName::Loss)]
    measure: MeasureName,
    /// 属性ごとの損失のまとめ方（gm：幾何平均、am：算術平均）
    #[arg(long, value_enum, default_value_t = AggregateName::Gm)]
    aggregate: AggregateName,
    /// 一般化と抑制の重み（0：抑制を優先、1：一般化を優先）
    #[arg(long, default_value_t = 0.5)]
    gs_factor: f64,
    /// 探索（省略時は大きさで選びます）
    #[arg(long, value_enum)]
    search: Option<SearchName>,
    /// 発見的探索で調べる節の上限（省略時は1000、--seconds があれば上限なし）
    #[arg(long)]
    checks: Option<u64>,
    /// 探索の時間の上限（秒）。過ぎたら、それまでの最良の解を書きます
    #[arg(long)]
    seconds: Option<f64>,
    /// 母集団の表のうち、入力に含まれない行（kmap、presence のとき）。準識別子の列が必要です
    #[arg(long)]
    population_table: Option<PathBuf>,
    /// 再符号化
    #[arg(long, value_enum, default_value_t = RecodingName::FullDomain)]
    recoding: RecodingName,
    /// 並列数（省略時は全ての核）
    #[arg(long)]
    threads: Option<usize>,
    /// 出力
    #[arg(long)]
    out: PathBuf,
    /// 報告（JSON）
    #[arg(long)]
    report: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Risk {
    #[command(flatten)]
    table: Table,
    /// 階層ファイルのフォルダ（必要なモデルのとき）
    #[arg(long)]
    hierarchies: Option<PathBuf>,
    /// 母集団の人数（推定のため）
    #[arg(long)]
    population: Option<u64>,
    /// この値を超えるリスクの行を数えます
    #[arg(long, default_value_t = 0.2)]
    threshold: f64,
    /// 報告（JSON）の書き先。省略時は画面
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Table {
    /// 入力（UTF-8 の CSV、見出し行つき）
    #[arg(long)]
    data: PathBuf,
    /// 区切り文字
    #[arg(long, default_value_t = ';')]
    delimiter: char,
    /// 準識別子（コンマ区切り）
    #[arg(long, value_delimiter = ',', required = true)]
    qi: Vec<String>,
    /// 要配慮の属性
    #[arg(long)]
    sensitive: Option<String>,
    /// モデル。例：k=5、l=3,kind=entropy、t=0.2,kind=hierarchical
    #[arg(long)]
    model: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MeasureName {
    Loss,
    Precision,
    Entropy,
    Discernibility,
    DiscernibilityMonotonic,
    ClassSize,
    Ambiguity,
}

impl From<MeasureName> for Measure {
    fn from(name: MeasureName) -> Self {
        match name {
            MeasureName::Loss => Self::Loss,
            MeasureName::Precision => Self::Precision,
            MeasureName::Entropy => Self::Entropy,
            MeasureName::Discernibility => Self::Discernibility,
            MeasureName::DiscernibilityMonotonic => Self::DiscernibilityMonotonic,
            MeasureName::ClassSize => Self::ClassSize,
            MeasureName::Ambiguity => Self::Ambiguity,
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum AggregateName {
    Gm,
    Am,
    Sum,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SearchName {
    Optimal,
    Heuristic,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RecodingName {
    FullDomain,
    Local,
}

/// Shows progress, and ends the search with the best found so far when asked to.
struct Watch {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
    until: Option<Instant>,
    late: AtomicBool,
}

impl Control for Watch {
    #[expect(clippy::disallowed_methods, reason = "a time limit is what was asked for")]
    fn stop(&self) -> bool {
        // Once it is late it stays late, and no clock is asked.
        if self
            .until
            .is_some_and(|until| !self.late.load(Ordering::Relaxed) && Instant::now() >= until)
        {
            self.late.store(true, Ordering::Relaxed);
        }
        self.stop.load(Ordering::Relaxed) || self.late.load(Ordering::Relaxed)
    }
    fn progress(&self, checked: u64, best: f64) {
        self.bar.set_position(checked);
        if best.is_finite() {
            self.bar.set_message(format!("最良 {best:.6}"));
        }
    }
}

pub(super) fn failed(e: tool::ToolError) -> Failure {
    Failure::new(e.ja(), &e)
}

pub(super) fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path)
        .map(BufReader::new)
        .map_err(Failure::io("入力を読めません。場所と権限を確かめてください。"))
}

pub(super) fn hierarchies(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let unreadable = || {
        Failure::io("階層ファイルを読めません。フォルダと文字コード（UTF-8）を確かめてください。")
    };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(unreadable())? {
        let path = entry.map_err(unreadable())?.path();
        let name = path.file_stem().and_then(|s| s.to_str());
        if let Some(name) = name.filter(|_| path.extension().is_some_and(|e| e == "csv")) {
            found.insert(name.to_owned(), fs::read_to_string(&path).map_err(unreadable())?);
        }
    }
    Ok(found)
}

pub(super) fn write_json(path: &Path, value: &impl serde::Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new("報告を書き出せません。", &e))?;
    fs::write(path, text).map_err(Failure::io("報告を書けません。書き先を確かめてください。"))
}

#[expect(clippy::disallowed_methods, reason = "how long a run took is part of its report")]
pub(crate) fn anonymize(args: &Anonymize) -> Outcome {
    let begun = Instant::now();
    let mut settings = Settings::new(
        tool::parse_models(&args.table.model, args.table.sensitive.as_deref()).map_err(failed)?,
        args.suppression,
    );
    settings.measure = args.measure.into();
    settings.aggregate = match args.aggregate {
        AggregateName::Gm => Aggregate::GeometricMean,
        AggregateName::Am => Aggregate::ArithmeticMean,
        AggregateName::Sum => Aggregate::Sum,
    };
    settings.gs_factor = args.gs_factor;
    let checks = args.checks.unwrap_or(if args.seconds.is_some() { u64::MAX } else { 1_000 });
    settings.search = match args.search {
        None if args.seconds.is_some() => SearchKind::Anytime,
        None => SearchKind::Automatic,
        Some(SearchName::Optimal) => SearchKind::Optimal,
        Some(SearchName::Heuristic) => SearchKind::Heuristic { checks },
    };
    settings.recoding = match args.recoding {
        RecodingName::FullDomain => Recoding::FullDomain,
        RecodingName::Local => Recoding::LOCAL,
    };
    let options = Options {
        delimiter: args.table.delimiter,
        hierarchies: hierarchies(&args.hierarchies)?,
        quasi: args.table.qi.clone(),
        sensitive: args.table.sensitive.iter().cloned().collect(),
        identifying: Vec::new(),
        settings,
    };
    let style = ProgressStyle::with_template("{spinner} {pos} 節 {msg} {elapsed}");
    let bar = ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let until = match args.seconds.map(Duration::try_from_secs_f64) {
        None => None,
        Some(Ok(limit)) => begun.checked_add(limit),
        Some(Err(e)) => {
            return Err(Failure::new("--seconds は0以上の秒数で指定してください。", &e));
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let leftover = part_of(&args.out);
    tokio::spawn(async move {
        // The first time the search ends with the best it has; the second time nothing is kept.
        while tokio::signal::ctrl_c().await.is_ok() {
            if asked.swap(true, Ordering::Relaxed) {
                let _ = fs::remove_file(&leftover);
                std::process::exit(130);
            }
        }
    });
    let watch = Watch { bar, stop, until, late: AtomicBool::new(false) };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or_default())
        .build()
        .map_err(|e| Failure::new("並列処理を始められません。", &e))?;
    let data = open(&args.table.data)?;
    let population = args.population_table.as_deref().map(open).transpose()?;
    // Other tasks, such as the one that waits for Ctrl-C, move to another thread.
    let mut run = tokio::task::block_in_place(|| {
        pool.install(|| tool::run_with_population(data, population, &options, &watch))
    })
    .map_err(failed)?;
    let mut out = Output::create(&args.out)?;
    run.write(open(&args.table.data)?, &mut out).map_err(failed)?;
    out.finish()?;
    watch.bar.finish_and_clear();
    run.report.seconds = Some(begun.elapsed().as_secs_f64());
    run.report.peak_rss_bytes = peak_rss_bytes();
    write_json(&args.report, &run.report)?;
    if watch.stop() && !run.report.optimal {
        say::line("探索を途中で終えました。それまでに見つかった最良の解を書きました。");
    }
    if !run.report.optimal {
        say::line(&match run.report.gap {
            Some(gap) => format!("最適とは限りません（損失は最良でも {gap:.6} 下がるだけです）。"),
            None => "最適とは限りません。".to_owned(),
        });
    }
    if run.report.suppressed == run.report.rows {
        say::line("全ての行が抑制されました。k などの基準か階層を見直してください。");
    }
    say::line(&format!("匿名化しました：{}（報告 {}）", args.out.display(), args.report.display()));
    Ok(())
}

pub(crate) fn risk(args: &Risk) -> Outcome {
    let options = RiskOptions {
        delimiter: args.table.delimiter,
        quasi: args.table.qi.clone(),
        sensitive: args.table.sensitive.iter().cloned().collect(),
        hierarchies: args.hierarchies.as_deref().map(hierarchies).transpose()?.unwrap_or_default(),
        models: tool::parse_models(&args.table.model, args.table.sensitive.as_deref())
            .map_err(failed)?,
        population: args.population.map(Population::Size),
        threshold: args.threshold,
    };
    let report = tool::risk(open(&args.table.data)?, &options).map_err(failed)?;
    if let Some(path) = &args.report {
        return write_json(path, &report);
    }
    let text = serde_json::to_string_pretty(&report)
        .map_err(|e| Failure::new("報告を書き出せません。", &e))?;
    say::line(&text);
    Ok(())
}

/// Peak resident memory of this process, where the system tells it.
pub(super) fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
