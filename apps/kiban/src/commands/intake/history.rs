//! `kiban intake slot | history | corrections`: what may come, what became of what came, whom it touches.

use std::collections::BTreeSet;

use kiban_journeys::{
    Deployment, RecordValue, RecordVersion, RecordsOf, World,
    kernel::{Id, kinds},
    organization_named,
};

use super::super::holder::slot_lines;
use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct History {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名。--values には照会対応の担当者を指定します）
    #[arg(long = "as", default_value = "intake")]
    actor: String,
    /// 提供元（parties.toml の名）
    #[arg(long)]
    holder: String,
    /// 記録の番号（rec_…）、または原本での名前（SS-MIX2のファイル名、FHIRの「種類/id」、レセプトの名前）
    #[arg(long, required_unless_present = "patient", conflicts_with = "patient")]
    record: Option<String>,
    /// 原本での名前の形式
    #[arg(long, default_value = "fhir_ndjson")]
    format: String,
    /// 提供元での患者番号（その人の記録を一覧にします）
    #[arg(long)]
    patient: Option<String>,
    /// 各版の値も表示します（閲覧は監査ログに残ります）
    #[arg(long, requires = "record")]
    values: bool,
}

pub(super) async fn slot(at: At, holder: &str) -> Outcome {
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let holder = organization_named(&deployment, holder).await?;
    for line in slot_lines(&kiban_journeys::delivery_slot(&deployment, holder).await?) {
        say::line(&line);
    }
    Ok(())
}

pub(super) async fn history(h: History) -> Outcome {
    let deployment = Deployment::open(&h.at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, &h.actor).await?;
    let holder = organization_named(&deployment, &h.holder).await?;
    let format = kiban_formats::Format::of_name(&h.format).ok_or_else(|| {
        Failure::plain("形式の名前が分かりません。", "the format has no such name")
    })?;
    let of = match (&h.record, &h.patient) {
        (Some(record), _) => match record.parse::<Id<kinds::Record>>() {
            Ok(id) => RecordsOf::Record(id),
            Err(_) => RecordsOf::Named(format, record),
        },
        (None, patient) => RecordsOf::Person(patient.as_deref().unwrap_or_default()),
    };
    let versions = kiban_journeys::record_history(&deployment, &actor, holder, of).await?;
    if versions.is_empty() {
        say::line("該当する原本の記録はありません。");
        return Ok(());
    }
    if !h.values {
        let mut record = None;
        for version in &versions {
            if record.replace(version.record) != Some(version.record) {
                say::line(&format!("{}", version.record));
            }
            say::line(&line(version));
        }
        return Ok(());
    }
    let record = versions[0].record;
    say::line(&format!("{record}"));
    let read = kiban_journeys::record_values(&deployment, &actor, holder, record).await?;
    let mut before: BTreeSet<(String, String)> = BTreeSet::new();
    for one in &read {
        say::line(&line(&one.version));
        let Some((path, values)) = &one.content else {
            say::line("    原本は保管されていません。");
            continue;
        };
        say::line(&format!("    {path}"));
        let mut now = BTreeSet::new();
        for value in values {
            let pair = (name(value), value.value.clone());
            let mark = if before.is_empty() || before.contains(&pair) { ' ' } else { '*' };
            say::line(&format!("  {mark} {} = {}", pair.0, pair.1));
            now.insert(pair);
        }
        before = now;
    }
    say::line("（* は前の版と異なる値）");
    Ok(())
}

fn name(value: &RecordValue) -> String {
    format!("{}[{}].{}", value.table, value.row, value.column)
}

fn line(v: &RecordVersion) -> String {
    let segment = v.segment.map_or_else(|| "-".to_owned(), |s| s.to_string());
    format!(
        "  {}{}  {}（{}）  納品 {}  封緘 {}  {} {}  {segment}  ファイル {}",
        if v.in_use { "▶" } else { " " },
        v.no,
        v.state.label_ja(),
        v.cause.label_ja(),
        v.delivery,
        v.stated_at,
        v.format,
        v.position,
        v.file_sha256
    )
}

pub(super) async fn corrections(at: At, actor: &str) -> Outcome {
    let deployment = Deployment::open(&at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, actor).await?;
    let all = kiban_journeys::corrections(&deployment, &actor).await?;
    if all.is_empty() {
        say::line("本人の訂正はありません。");
    }
    for one in all {
        let c = &one.correction;
        say::line(&format!(
            "{}  {}  {}  納品 {}  提供元の訂正日 {}",
            c.no,
            c.applied_at,
            one.kind.label_ja(),
            c.delivery,
            c.made_on
        ));
        say::line(&format!("    {} → {}", c.from, c.to));
        say::line(&format!("    理由：{}", c.reason));
        if c.stopped {
            say::line(
                "    どちらかの番号に提供停止の求めがあります。もう一方の番号の停止も記録してください。",
            );
        }
        if one.datasets.is_empty() {
            say::line("    関係するデータセットはありません。");
        }
        for (dataset, rows) in &one.datasets {
            say::line(&format!("    関係するデータセット {dataset}（{rows} 行）"));
        }
    }
    Ok(())
}
