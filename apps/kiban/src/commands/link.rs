//! `kiban tool link`: which records of a person list are of one person.

use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use kiban_linkage::{
    ColumnMap, Model, Stage, State, read_constraints,
    tool::{self, Options, Updated},
};

use super::anonymize::{open, peak_rss_bytes, write_json};
use crate::{
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Link {
    /// 人の一覧（CSV、UTF-8 または CP932、見出し行つき）
    #[arg(long, required_unless_present = "state", conflicts_with = "state")]
    data: Option<PathBuf>,
    /// 名寄せ済みの状態。これに加えるか、これから消すとき
    #[arg(long)]
    state: Option<PathBuf>,
    /// 一覧全体を、この状態の学習内容（モデル・名前の辞書・値の頻度）で名寄せします。追加を重ねた結果との突合に
    #[arg(long, requires = "data", conflicts_with_all = ["state", "model"])]
    like: Option<PathBuf>,
    /// 状態に加える記録（CSV）。同じ record_id の記録は置き換えます
    #[arg(long, requires = "state")]
    add: Option<PathBuf>,
    /// 状態から消す記録の record_id（1行に1つ）
    #[arg(long, requires = "state")]
    erase: Option<PathBuf>,
    /// 出力：後から加えるための状態（氏名などを含みます。一覧と同じように守ってください）
    #[arg(long)]
    state_out: Option<PathBuf>,
    /// 外から分かっている組（CSV：record_id_l,record_id_r,kind,reason）
    #[arg(long)]
    constraints: Option<PathBuf>,
    /// 出力：記録ごとの人の番号（record_id,cluster_id）
    #[arg(long)]
    out: PathBuf,
    /// 出力：見る価値のある組とその得点（対数オッズ、底 2）
    #[arg(long)]
    pairs: Option<PathBuf>,
    /// モデル（JSON）。あれば使い、なければ推定したものを書きます
    #[arg(long)]
    model: Option<PathBuf>,
    /// 列の対応（JSON）。見出しが通常と異なる一覧のとき
    #[arg(long)]
    map: Option<PathBuf>,
    /// 報告（JSON）
    #[arg(long)]
    report: Option<PathBuf>,
    /// 並列数（省略時は全ての核）
    #[arg(long)]
    threads: Option<usize>,
}

fn failed(e: tool::ToolError) -> Failure {
    Failure::new(e.ja(), &e)
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::io(
        "JSON ファイルを読めません。場所・権限・文字コード（UTF-8）を確かめてください。",
    ))
}

#[expect(clippy::disallowed_methods, reason = "how long a run took is part of its report")]
pub(crate) fn link(args: &Link) -> Outcome {
    let begun = Instant::now();
    let mut options = Options { threads: args.threads, ..Options::default() };
    if let Some(path) = &args.map {
        options.map = ColumnMap::from_json(&read(path)?).ok_or_else(|| {
            Failure::plain(
                "列の対応を読み取れません。{\"項目\": \"見出し\"} の形の JSON にしてください。",
                "not a mapping",
            )
        })?;
    }
    let known = args.model.as_ref().filter(|path| path.exists());
    if let Some(path) = known {
        options.model = Some(Model::from_json(&read(path)?).map_err(|e| Failure::new(e.ja(), &e))?);
    }
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    if let Some(path) = &args.constraints {
        options.constraints =
            read_constraints(open(path)?).map_err(|e| Failure::new(e.ja(), &e))?;
    }
    let told = |stage: Stage| {
        bar.set_message(match stage {
            Stage::Read(n) => format!("読み込み {n} 件"),
            Stage::Type => "値をそろえています".to_owned(),
            Stage::Candidates => "候補を作っています".to_owned(),
            Stage::Compare(n) => format!("比較 {n} 組"),
            Stage::Fit => "モデルを推定しています".to_owned(),
            Stage::Resolve => "人をまとめています".to_owned(),
        });
        bar.tick();
    };
    let (run, changed) = match (&args.state, &args.data) {
        (Some(state), _) => {
            let Updated { run, report } = update(args, state, &options, &told)?;
            (run, Some(report))
        }
        (None, Some(data)) => {
            let run = match &args.like {
                Some(like) => tool::link_like(&read_state(like)?, open(data)?, &options, &told),
                None => tool::link(open(data)?, &options, &told),
            };
            (run.map_err(failed)?, None)
        }
        (None, None) => {
            return Err(Failure::plain("人の一覧（--data）を指定してください。", "no list"));
        }
    };
    bar.finish_and_clear();
    if let Some(path) = &args.state_out {
        let mut out = Output::create(path)?;
        run.state().write(&mut out).map_err(|e| Failure::new(e.ja(), &e))?;
        out.finish()?;
    }
    let mut out = Output::create(&args.out)?;
    run.write_clusters(&mut out).map_err(failed)?;
    out.finish()?;
    if let Some(path) = &args.pairs {
        let mut out = Output::create(path)?;
        run.write_pairs(&mut out).map_err(failed)?;
        out.finish()?;
    }
    if let Some(path) = args.model.as_ref().filter(|_| known.is_none()) {
        Output::write(path, run.model().to_json().as_bytes())?;
    }
    let mut report = serde_json::to_value(run.report())
        .map_err(|e| Failure::new("報告を書き出せません。", &e))?;
    report["seconds"] = begun.elapsed().as_secs_f64().into();
    report["peak_rss_bytes"] = peak_rss_bytes().into();
    // Pairs and joins so near a threshold that another order of sums might decide otherwise.
    report["ties"] =
        run.ties().iter().map(|t| serde_json::json!([t.record_l, t.record_r, t.score])).collect();
    if let Some(changed) = &changed {
        report["change"] = serde_json::to_value(changed)
            .map_err(|e| Failure::new("報告を書き出せません。", &e))?;
        say::line(&format!(
            "追加 {} 件、置換 {} 件、消去 {} 件",
            changed.added, changed.corrected, changed.erased
        ));
    }
    if let Some(path) = &args.report {
        write_json(path, &report)?;
    }
    say::line(&format!(
        "名寄せしました：{} 件の記録を {} 人にまとめました（{}）",
        report["records"],
        report["persons"],
        args.out.display()
    ));
    Ok(())
}

fn read_state(path: &Path) -> Result<State, Failure> {
    let file = File::open(path)
        .map_err(Failure::io("状態を読めません。場所・権限を確かめてください。"))?;
    State::read(BufReader::with_capacity(1 << 20, file)).map_err(|e| Failure::new(e.ja(), &e))
}

/// Changes a linked list.
fn update(
    args: &Link,
    state: &Path,
    options: &Options,
    told: &(dyn Fn(Stage) + Sync),
) -> Result<Updated, Failure> {
    let state = read_state(state)?;
    let erase: Vec<String> = match &args.erase {
        Some(path) => read(path)?.lines().map(|l| l.trim().to_owned()).collect(),
        None => Vec::new(),
    };
    let mut add = args.add.as_deref().map(open).transpose()?;
    let add = add.as_mut().map(|f| f as &mut (dyn Read + Send));
    tool::update(state, add, &erase, options, told).map_err(failed)
}
