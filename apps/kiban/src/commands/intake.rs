//! `kiban intake`: a sealed delivery comes in; what came of it, and how good it is.

mod history;

use std::path::PathBuf;

use kiban_journeys::{
    Deployment, NewReference, NewThreshold, Received, World, govern_reason_ja,
    kernel::{Id, kinds},
    quality::{Aspect, Context},
    rule_ja,
    thresholds::{Limit, Scope},
    validation,
};

use crate::{
    At, delivery_page,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 封緘された納品を検証して受け取り、受領書を書きます
    Receive {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
        /// 封緘された納品
        file: PathBuf,
        /// 受領書の書き先（省略時は納品の横）
        #[arg(long)]
        receipt: Option<PathBuf>,
    },
    /// 受領した納品の一覧
    List {
        #[command(flatten)]
        at: At,
    },
    /// 納品の検収報告：受領・隔離・不備・品質の格子（閾値による判定は見るたびに行います）
    Report {
        #[command(flatten)]
        at: At,
        /// 納品の番号（list で表示されるもの）
        delivery: String,
        /// HTML の書き先
        #[arg(long)]
        html: Option<PathBuf>,
        /// CSV の書き先
        #[arg(long)]
        csv: Option<PathBuf>,
    },
    /// 提供の枠：届出・通知の不足がないか（不足があるあいだは受領できません）
    Slot {
        #[command(flatten)]
        at: At,
        /// 提供元（parties.toml の名）
        holder: String,
    },
    /// 原本の記録の履歴：訂正・取消のすべての版（値は --values を付けたときだけ、権限のある人に表示します）
    History(history::History),
    /// 提供元から届いた本人の訂正と、関係するデータセット
    Corrections {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
    },
    /// 照合の基準（性別・年齢階級の構成）を定めます（定めないときは、その提供元の過去の納品と比べます）
    Reference {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
        /// 提供元（parties.toml の名。省略時はすべて）
        #[arg(long)]
        holder: Option<String>,
        /// 基準の表（CSV：sex,age_from,age_to,persons）
        file: PathBuf,
        /// 出典
        #[arg(long)]
        source: String,
        /// 責任者
        #[arg(long)]
        owner: String,
    },
    /// 品質の閾値を定めます（過去の閾値は履歴に残ります。受領し直しは不要です）
    Threshold(Threshold),
}

#[derive(clap::Args)]
pub(crate) struct Threshold {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "intake")]
    actor: String,
    /// 観点
    #[arg(long, value_parser = ["conformance", "completeness", "plausibility"])]
    aspect: String,
    /// 外部の基準との照合についての閾値です（観点は plausibility）
    #[arg(long)]
    validation: bool,
    /// 提供元（parties.toml の名。省略時はすべて）
    #[arg(long)]
    holder: Option<String>,
    /// 表（省略時はすべて）
    #[arg(long)]
    table: Option<String>,
    /// 列、または妥当性の規則（省略時はすべて）
    #[arg(long)]
    check: Option<String>,
    /// 許す割合（％）
    #[arg(long)]
    max_percent: Option<f64>,
    /// 許す件数
    #[arg(long)]
    max_count: Option<u64>,
    /// 判定をやめます
    #[arg(long, conflicts_with_all = ["max_percent", "max_count"])]
    withdraw: bool,
    /// 責任者
    #[arg(long)]
    owner: String,
    /// 理由
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Receive { at, actor, file, receipt } => receive(at, &actor, file, receipt).await,
        Command::List { at } => list(at).await,
        Command::Report { at, delivery, html, csv } => report(at, &delivery, html, csv).await,
        Command::Slot { at, holder } => history::slot(at, &holder).await,
        Command::History(history) => history::history(history).await,
        Command::Corrections { at, actor } => history::corrections(at, &actor).await,
        Command::Reference { at, actor, holder, file, source, owner } => {
            let deployment = Deployment::open(&at.dir, World::real()).await?;
            let actor = kiban_journeys::actor_named(&deployment, &actor).await?;
            let bytes = std::fs::read(&file).map_err(Failure::io("基準の表を読めません。"))?;
            let persons =
                validation::parse_reference(&bytes).map_err(|e| Failure::new(e.ja(), &e))?;
            let holder = holder_named(&deployment, holder).await?;
            let new = NewReference { persons, holder, source, owner };
            let set = kiban_journeys::set_reference(&deployment, &actor, new).await?;
            say::line(&format!("照合の基準を定めました（{}、責任者 {}）。", set.set_at, set.owner));
            Ok(())
        }
        Command::Threshold(threshold) => set(threshold).await,
    }
}

async fn receive(at: At, actor: &str, file: PathBuf, receipt: Option<PathBuf>) -> Outcome {
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, actor).await?;
    let received = kiban_journeys::receive_delivery(&deployment, &actor, &file).await?;
    kiban_journeys::link_persons(&deployment, &kiban_journeys::system_actor(&deployment).await?)
        .await?;
    describe(&received);
    let path = receipt.unwrap_or_else(|| file.with_extension("receipt.note"));
    std::fs::write(&path, &received.receipt)
        .map_err(Failure::io("受領書を書けません。書き先と空き容量を確かめてください。"))?;
    say::line(&format!("受領書：{}", path.display()));
    Ok(())
}

async fn list(at: At) -> Outcome {
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let deliveries = kiban_journeys::deliveries_of(&deployment, None).await?;
    if deliveries.is_empty() {
        say::line("受領した納品はありません。");
    }
    for d in deliveries {
        let c = &d.counts;
        let quarantined: u64 = c.quarantined_segments.values().sum();
        say::line(&format!(
            "{}  {}  {} 人  {} 断片  隔離 {quarantined}",
            d.id, d.received_at, c.accepted_persons, c.accepted_segments
        ));
    }
    Ok(())
}

async fn report(at: At, delivery: &str, html: Option<PathBuf>, csv: Option<PathBuf>) -> Outcome {
    let id: Id<kinds::Delivery> = delivery.parse().map_err(|e| {
        Failure::new("納品の番号ではありません。kiban intake list で確かめてください。", &e)
    })?;
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let report = kiban_journeys::report_of(&deployment, id).await?;
    let thresholds = kiban_journeys::quality_thresholds(&deployment).await?;
    let page = delivery_page::Judgement::new(&report, &thresholds);
    for line in page.lines() {
        say::line(&line);
    }
    if let Some(path) = html {
        let text = page.render().map_err(|e| Failure::new("報告を作れません。", &e))?;
        Output::write(&path, text.as_bytes())?;
        say::line(&format!("報告：{}", path.display()));
    }
    if let Some(path) = csv {
        Output::write(&path, page.to_csv().as_bytes())?;
        say::line(&format!("報告：{}", path.display()));
    }
    Ok(())
}

/// The holder of that name, if one was named.
async fn holder_named(
    on: &Deployment,
    name: Option<String>,
) -> Result<Option<Id<kinds::Organization>>, Failure> {
    match name {
        Some(name) => Ok(Some(kiban_journeys::organization_named(on, &name).await?)),
        None => Ok(None),
    }
}

async fn set(t: Threshold) -> Outcome {
    let deployment = Deployment::open(&t.at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, &t.actor).await?;
    let aspect = match t.aspect.as_str() {
        "conformance" => Aspect::Conformance,
        "completeness" => Aspect::Completeness,
        _ => Aspect::Plausibility,
    };
    let context = if t.validation { Context::Validation } else { Context::Verification };
    let limit = Limit { share: t.max_percent.map(|p| p / 100.0), count: t.max_count };
    let holder = holder_named(&deployment, t.holder).await?;
    let new = NewThreshold {
        scope: Scope { holder, table: t.table, check: t.check, aspect, context },
        limit: (!t.withdraw).then_some(limit),
        owner: t.owner,
        reason: t.reason,
    };
    let set = kiban_journeys::set_quality_threshold(&deployment, &actor, new).await?;
    say::line(&format!("閾値を定めました（{}、責任者 {}）。", set.set_at, set.owner));
    Ok(())
}

/// What became of a delivery, in words.
pub(crate) fn describe(received: &Received) {
    let counts = &received.report.counts;
    if received.known {
        say::line("この納品は受領済みです。何も変わっていません。");
    }
    say::line(&format!(
        "受領 {}：{} 人、{} 断片（重複 {}）",
        received.report.delivery,
        counts.accepted_persons,
        counts.accepted_segments,
        counts.duplicate_segments
    ));
    for (n, what) in [
        (counts.superseded_segments, "断片を新しい版に置き換えました"),
        (counts.withdrawn_records, "件の記録が取り消されました"),
        (counts.history_segments, "断片は履歴だけに保存しました"),
        (counts.idle_revisions, "行の取消・訂正は適用するものがありませんでした"),
    ] {
        if n > 0 {
            say::line(&format!("  {n} {what}"));
        }
    }
    for (table, rows) in &counts.rows {
        say::line(&format!("  {table} {rows} 行"));
    }
    for (rule, persons) in &counts.register_differences {
        say::line(&format!(
            "  要確認　引き継いだ登録簿と異なる人 {persons} 人：{}",
            kiban_journeys::rule_ja(rule)
        ));
    }
    for (reason, persons) in &counts.refused_persons {
        say::line(&format!("  受け入れない {} 人：{}", persons, govern_reason_ja(reason)));
    }
    for (rule, segments) in &counts.quarantined_segments {
        say::line(&format!("  隔離 {segments} 断片：{}", rule_ja(rule)));
    }
}
