//! `kiban mapping masters | list | preview`: what is on record, and what a mapping changes.

use std::{collections::BTreeMap, path::PathBuf};

use kiban_journeys::map_codes::{
    Mapping, MappingId, Standing, effect_ja, mappings, masters as all_masters, preview_mapping,
    standing_ja, write_csv,
};

use super::{By, items::names_of, open};
use crate::{
    mapping_page,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    by: By,
    /// 承認を待つ提案だけ
    #[arg(long)]
    proposed: bool,
    /// すべての操作を CSV に書きます（誰が、いつ、何を）
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Preview {
    #[command(flatten)]
    by: By,
    /// 番号
    id: u64,
    /// HTML の書き先（分布の図）
    #[arg(long)]
    html: Option<PathBuf>,
}

pub(super) async fn masters(by: &By) -> Outcome {
    let (on, actor) = open(by).await?;
    let all = all_masters(&on, &actor).await?;
    if all.is_empty() {
        say::line("取り込んだマスターはありません。");
    }
    for m in all {
        say::line(&format!(
            "{}  {}  {} 件（使わなかった行 {}）  {}  {}  SHA-256 {}",
            m.layout, m.edition, m.entries, m.dropped, m.imported_at, m.source, m.digest
        ));
    }
    Ok(())
}

fn line(m: &Mapping, names: &BTreeMap<String, String>) -> String {
    let holder = names.get(&m.key.holder).map_or(m.key.holder.as_str(), String::as_str);
    let unit = m.meaning.unit.as_ref();
    let unit = unit.map(|u| format!("  {} → {}", u.from, u.to)).unwrap_or_default();
    let until = m.until.map(|d| d.to_string()).unwrap_or_default();
    format!(
        "{}  {}  {holder}  {} → {} {}{unit}  {}〜{until}",
        m.id.0,
        standing_ja(m),
        m.key.local,
        m.key.system,
        m.meaning.code,
        m.from
    )
}

pub(super) async fn list(args: List) -> Outcome {
    let (on, actor) = open(&args.by).await?;
    let set = mappings(&on, &actor).await?;
    if let Some(path) = &args.csv {
        Output::write(path, write_csv(&set).as_bytes())?;
        say::line(&format!("操作 {} 件：{}", set.version(), path.display()));
        return Ok(());
    }
    let names = names_of(&on).await?;
    let waits = |m: &&Mapping| !args.proposed || matches!(m.standing, Standing::Proposed { .. });
    let shown: Vec<&Mapping> = set.mappings().iter().filter(waits).collect();
    if shown.is_empty() {
        say::line("該当する対応付けはありません。");
    }
    for mapping in shown {
        say::line(&line(mapping, &names));
    }
    Ok(())
}

pub(super) async fn preview(args: Preview) -> Outcome {
    let (on, actor) = open(&args.by).await?;
    let effect = preview_mapping(&on, &actor, MappingId(args.id)).await?;
    let names = names_of(&on).await?;
    say::line(&line(&effect.mapping, &names));
    for text in effect_ja(&effect, &names) {
        say::line(&text);
    }
    if let Some(path) = &args.html {
        let page = mapping_page::page(&effect, &names)
            .map_err(|e| Failure::new("報告を作れません。", &e))?;
        Output::write(path, page.as_bytes())?;
        say::line(&format!("報告：{}", path.display()));
    }
    Ok(())
}
