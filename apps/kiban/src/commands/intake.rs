//! `kiban intake receive`: a sealed delivery comes in.

use std::path::PathBuf;

use kiban_journeys::{Deployment, Received, World, govern_reason_ja, rule_ja};

use crate::{
    At,
    say::{self, Outcome},
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
}

pub(crate) async fn run(command: Command) -> Outcome {
    let Command::Receive { at, actor, file, receipt } = command;
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, &actor).await?;
    let received = kiban_journeys::receive_delivery(&deployment, &actor, &file).await?;
    kiban_journeys::link_persons(&deployment, &kiban_journeys::system_actor(&deployment).await?)
        .await?;
    describe(&received);
    let path = receipt.unwrap_or_else(|| file.with_extension("receipt.note"));
    std::fs::write(&path, &received.receipt)
        .map_err(say::Failure::io("受領書を書けません。書き先と空き容量を確かめてください。"))?;
    say::line(&format!("受領書：{}", path.display()));
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
    for (table, rows) in &counts.rows {
        say::line(&format!("  {table} {rows} 行"));
    }
    for (reason, persons) in &counts.refused_persons {
        say::line(&format!("  受け入れない {} 人：{}", persons, govern_reason_ja(reason)));
    }
    for (rule, segments) in &counts.quarantined_segments {
        say::line(&format!("  隔離 {segments} 断片：{}", rule_ja(rule)));
    }
}
