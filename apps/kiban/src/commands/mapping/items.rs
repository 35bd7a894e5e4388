//! `kiban mapping items | candidates`: what is to be mapped, and to what it may be mapped.

use std::{collections::BTreeMap, path::PathBuf};

use kiban_journeys::{
    Deployment,
    map_codes::{Candidate, CodeItem, MappedTable, candidates as rank, caution_ja, code_items},
};

use super::{By, holder_id, open};
use crate::{
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    by: By,
    /// 表（measurement、checkup、medication、condition。省略時はすべて）
    #[arg(long)]
    table: Option<String>,
    /// 提供元（parties.toml の名。省略時はすべて）
    #[arg(long)]
    holder: Option<String>,
    /// 標準コードのない行があるものだけ
    #[arg(long)]
    unmapped: bool,
    /// CSV の書き先（省略時は画面）
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Items {
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
pub(crate) struct Candidates {
    #[command(flatten)]
    which: Which,
    /// 対応先のコード体系
    #[arg(long)]
    system: String,
    /// 院内コード（省略時は該当するすべて）
    #[arg(long)]
    local: Option<String>,
    /// 候補の数
    #[arg(long, default_value_t = 5)]
    most: usize,
}

fn table_named(name: Option<&str>) -> Result<Option<&'static MappedTable>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let unknown = || {
        Failure::plain(
            "表は measurement、checkup、medication、condition のいずれかです。",
            "no table of this name is mapped",
        )
    };
    MappedTable::of(name).ok_or_else(unknown).map(Some)
}

impl Which {
    fn takes(&self, item: &CodeItem) -> bool {
        let holder = self.holder.as_deref().map(holder_id);
        holder.is_none_or(|h| item.holder.to_string() == h)
            && (!self.unmapped || item.standard < item.rows)
    }
}

pub(super) async fn names_of(on: &Deployment) -> Result<BTreeMap<String, String>, Failure> {
    let all = kiban_journeys::organizations(on).await?;
    Ok(all.into_iter().map(|o| (o.id.to_string(), o.name)).collect())
}

pub(super) async fn items(args: Items) -> Outcome {
    let which = args.which;
    let (on, actor) = open(&which.by).await?;
    let table = table_named(which.table.as_deref())?;
    let found = code_items(&on, &actor, table, None).await?;
    let names = names_of(&on).await?;
    let shown: Vec<&CodeItem> = found.items.iter().filter(|i| which.takes(i)).collect();
    if let Some(path) = &which.csv {
        let mut out = csv::Writer::from_writer(Vec::new());
        let heading = [
            "table",
            "holder",
            "holder_name",
            "local",
            "name",
            "unit",
            "specimen",
            "rows",
            "persons",
            "first",
            "last",
            "standard_rows",
        ];
        let unwritten = |e: csv::Error| Failure::new("CSV を作れません。", &e);
        out.write_record(heading).map_err(unwritten)?;
        for item in &shown {
            let holder = item.holder.to_string();
            let day = |last: bool| {
                item.days.map(|d| if last { d.1 } else { d.0 }.to_string()).unwrap_or_default()
            };
            let cells = [
                item.table.to_owned(),
                holder.clone(),
                names.get(&holder).cloned().unwrap_or_default(),
                item.local.clone(),
                item.item.names.join(" / "),
                item.item.unit.clone().unwrap_or_default(),
                item.item.specimen.clone().unwrap_or_default(),
                item.rows.to_string(),
                item.persons.to_string(),
                day(false),
                day(true),
                item.standard.to_string(),
            ];
            out.write_record(cells).map_err(unwritten)?;
        }
        let bytes = out.into_inner().map_err(|e| Failure::new("CSV を作れません。", e.error()))?;
        Output::write(path, &bytes)?;
        say::line(&format!("{} 件：{}", shown.len(), path.display()));
    } else {
        for item in &shown {
            say::line(&line(item, &names));
        }
        say::line(&format!("{} 件", shown.len()));
    }
    if found.hidden_rows > 0 {
        say::line(&format!(
            "コードがなく名称の人数が少ないため表示しない行：{}",
            found.hidden_rows
        ));
    }
    Ok(())
}

fn line(item: &CodeItem, names: &BTreeMap<String, String>) -> String {
    let holder = item.holder.to_string();
    let mark = match item.standard {
        0 => "未",
        n if n == item.rows => "済",
        _ => "一部",
    };
    format!(
        "[{mark}] {}  {}  {}  {}  {}  {} 行  {} 人",
        item.table,
        names.get(&holder).map_or(holder.as_str(), String::as_str),
        item.local,
        item.item.names.join(" / "),
        item.item.unit.as_deref().unwrap_or("単位なし"),
        item.rows,
        item.persons
    )
}

pub(super) async fn candidates(args: Candidates) -> Outcome {
    let which = &args.which;
    let (on, actor) = open(&which.by).await?;
    let table = table_named(which.table.as_deref())?;
    let found = code_items(&on, &actor, table, None).await?;
    let takes = |i: &&CodeItem| {
        let of = MappedTable::of(i.table);
        of.is_some_and(|t| t.targets.contains(&args.system.as_str()))
            && which.takes(i)
            && args.local.as_ref().is_none_or(|local| i.local == *local)
    };
    let items: Vec<CodeItem> = found.items.iter().filter(takes).cloned().collect();
    let ranked = rank(&on, &actor, &args.system, &items, &found.items, args.most).await?;
    let names = names_of(&on).await?;
    if let Some(path) = &which.csv {
        let bytes = csv_of(&items, &ranked)?;
        Output::write(path, &bytes)?;
        say::line(&format!("{} 件の院内コードの候補：{}", items.len(), path.display()));
        return Ok(());
    }
    if items.is_empty() {
        say::line("該当する院内コードはありません。kiban mapping items で確かめてください。");
    }
    for (item, candidates) in items.iter().zip(&ranked) {
        say::line(&line(item, &names));
        if candidates.is_empty() {
            say::line("    候補はありません。");
        }
        for candidate in candidates {
            say::line(&format!(
                "    {:>5}  {}  {}",
                candidate.score, candidate.code, candidate.name
            ));
            for feature in &candidate.features {
                say::line(&format!("           {:+}  {}", feature.points, feature.note));
            }
            if let Some(caution) = caution_ja(candidate) {
                say::line(&format!("           注意：{caution}"));
            }
        }
    }
    Ok(())
}

fn csv_of(items: &[CodeItem], ranked: &[Vec<Candidate>]) -> Result<Vec<u8>, Failure> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let unwritten = |e: csv::Error| Failure::new("CSV を作れません。", &e);
    out.write_record([
        "holder",
        "local",
        "name",
        "rows",
        "persons",
        "rank",
        "code",
        "code_name",
        "score",
        "reasons",
        "caution",
    ])
    .map_err(unwritten)?;
    for (item, candidates) in items.iter().zip(ranked) {
        for (candidate, rank) in candidates.iter().zip(1..) {
            let reasons: Vec<String> =
                candidate.features.iter().map(|f| format!("{:+} {}", f.points, f.note)).collect();
            out.write_record([
                item.holder.to_string(),
                item.local.clone(),
                item.item.names.join(" / "),
                item.rows.to_string(),
                item.persons.to_string(),
                rank.to_string(),
                candidate.code.clone(),
                candidate.name.clone(),
                candidate.score.to_string(),
                reasons.join("；"),
                caution_ja(candidate).unwrap_or_default(),
            ])
            .map_err(unwritten)?;
        }
    }
    out.into_inner().map_err(|e| Failure::new("CSV を作れません。", e.error()))
}
