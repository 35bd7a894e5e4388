//! `kiban notice`: versions of a holder's notice with their changes, letters that came back, what is due.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{
    ReturnedLetter,
    kernel::{Bases, Date, Regime},
    organization_named, organizations,
};

use super::register::open;
use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(Args)]
pub(crate) struct Who {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "registrar")]
    actor: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Under {
    /// 匿名加工（法52条）
    Anon52,
    /// 仮名加工（法57条）
    Pseudo57,
}

impl Under {
    fn regime(self) -> Regime {
        match self {
            Self::Anon52 => Regime::Anon52,
            Self::Pseudo57 => Regime::Pseudo57,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 新しい版を登録し、前の版から何が変わったか、何が要るかを示します
    Add {
        #[command(flatten)]
        who: Who,
        /// 提供元（parties.toml の名）
        #[arg(long)]
        holder: String,
        /// 制度
        #[arg(long, value_enum)]
        regime: Under,
        /// 版の内容（TOML：version、effective_from、kinds と法定の項目）
        file: PathBuf,
    },
    /// 変更の一覧と、残っている手続き
    Changes {
        #[command(flatten)]
        who: Who,
    },
    /// 変更を本人に通知し、主務大臣に届け出たことを記録します
    Told {
        #[command(flatten)]
        who: Who,
        /// 提供元（parties.toml の名）
        #[arg(long)]
        holder: String,
        /// 制度
        #[arg(long, value_enum)]
        regime: Under,
        /// 版
        #[arg(long)]
        version: String,
        /// 本人に通知した日
        #[arg(long)]
        persons_on: Date,
        /// 主務大臣に届け出た日
        #[arg(long)]
        ministers_on: Date,
        /// 変更の届出の番号
        #[arg(long)]
        reference: String,
    },
    /// 返送された通知を記録します（通知したことにならず、以後その通知では受け入れません）
    Returned {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
        /// 提供元（parties.toml の名）
        #[arg(long)]
        holder: String,
        /// 一覧（CSV：local_id、notice_version、notified_on、returned_on。提供元の returned.csv）
        file: PathBuf,
    },
    /// 有効な通知のないまま受け入れていた情報（通知の返送、待機期間の不足）を数え、--erase で消去します
    Unnotified {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "manager")]
        actor: String,
        /// 提供元（parties.toml の名）
        #[arg(long)]
        holder: String,
        /// すべての保管先から消去します（戻せません。処理完了証は kiban stop show）
        #[arg(long, requires = "reference")]
        erase: bool,
        /// 決定の番号（半角英数字）
        #[arg(long = "ref")]
        reference: Option<String>,
    },
    /// 提供元ごとの状況：法52条だけの人、16歳に達した人、返送
    Due {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
    },
}

async fn add(who: &Who, holder: &str, regime: Regime, file: &PathBuf) -> Outcome {
    let (on, actor) = open(&who.at, &who.actor).await?;
    let text =
        std::fs::read_to_string(file).map_err(Failure::io("版の内容のファイルを読めません。"))?;
    let holder = organization_named(&on, holder).await?;
    let new = kiban_journeys::notice_version_of(&on, holder, regime, &text)?;
    let added = kiban_journeys::add_notice_version(&on, &actor, &new).await?;
    match added.follows {
        None => say::line("最初の版を登録しました。"),
        Some(old) => {
            say::line(&format!("版 {} を登録しました（前の版 {old}）。", new.version));
            for c in &added.changes {
                say::line(&format!("  第{}号 {}：{}", c.item, c.name, c.class.ja()));
            }
            say::line(added.class.ja());
        }
    }
    Ok(())
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Add { who, holder, regime, file } => {
            add(&who, &holder, regime.regime(), &file).await
        }
        Command::Changes { who } => {
            let (on, actor) = open(&who.at, &who.actor).await?;
            let today = on.today();
            let changes = kiban_journeys::notice_changes(&on, &actor).await?;
            if changes.is_empty() {
                say::line("変更はありません。");
            }
            for c in &changes {
                let items: Vec<String> = c.items.iter().map(|i| format!("第{i}号")).collect();
                say::line(&format!(
                    "{}  {}  {} → {}（{}から）  {}  {}",
                    c.holder,
                    c.regime.label_ja(),
                    c.from_version,
                    c.to_version,
                    c.effective_from,
                    items.join("・"),
                    c.open_ja(today).unwrap_or("手続きは済んでいます。")
                ));
            }
            Ok(())
        }
        Command::Told { who, holder, regime, version, persons_on, ministers_on, reference } => {
            let (on, actor) = open(&who.at, &who.actor).await?;
            let holder = organization_named(&on, &holder).await?;
            let of = (holder, regime.regime(), version.as_str());
            let days = (persons_on, ministers_on);
            kiban_journeys::tell_notice_change(&on, &actor, of, days, &reference).await?;
            say::line("変更の通知と届出を記録しました。その翌日からこの版で受け入れます。");
            Ok(())
        }
        Command::Returned { at, actor, holder, file } => {
            let (on, actor) = open(&at, &actor).await?;
            let bytes = std::fs::read(&file).map_err(Failure::io("返送の一覧を読めません。"))?;
            let rows = kiban_journeys::holder::parse_returned(&bytes).map_err(|e| {
                Failure::new("返送の一覧を読み取れません。見出しと日付を確かめてください。", &e)
            })?;
            let letters: Vec<ReturnedLetter> = rows
                .into_iter()
                .map(|r| ReturnedLetter {
                    local_id: r.local_id,
                    version: r.notice_version,
                    regimes: Bases::BOTH,
                    notified_on: r.notified_on,
                    returned_on: r.returned_on,
                })
                .collect();
            let holder = organization_named(&on, &holder).await?;
            let done =
                kiban_journeys::record_returned_letters(&on, &actor, holder, &letters).await?;
            say::line(&format!(
                "返送を記録しました：通知 {} 件（記録済み {} 件）。既に情報を受け入れている人 {} 人。",
                done.new, done.known, done.taken_in
            ));
            if done.taken_in > 0 {
                say::line(
                    "　有効な通知のない情報は持ち続けられません。kiban notice unnotified で数え、--erase で消去してください。",
                );
            }
            Ok(())
        }
        Command::Unnotified { at, actor, holder, erase, reference } => {
            let (on, actor) = open(&at, &actor).await?;
            let holder = organization_named(&on, &holder).await?;
            let found = kiban_journeys::unnotified(&on, &actor, holder).await?;
            let by: Vec<String> = found
                .by_regime
                .iter()
                .map(|(regime, n)| format!("{} {n}", regime.label_ja()))
                .collect();
            say::line(&format!(
                "返送のあった人 {} 人、うち有効な通知のない情報がある人 {} 人（{}）、関係するデータセット {} 件",
                found.returned,
                found.persons,
                by.join("、"),
                found.datasets
            ));
            if let (true, Some(reference)) = (erase, reference) {
                let done =
                    kiban_journeys::erase_unnotified(&on, &actor, holder, &reference).await?;
                done.iter().for_each(super::stop::describe);
                say::line(&format!(
                    "消去を決定しました：{} 人。あらためて通知し、待機期間を経た情報は受け入れられます。",
                    done.len()
                ));
            }
            Ok(())
        }
        Command::Due { at, actor } => {
            let (on, actor) = open(&at, &actor).await?;
            let names = organizations(&on).await?;
            for (holder, d) in kiban_journeys::notices_due(&on, &actor).await? {
                let name = names
                    .iter()
                    .find(|o| o.id == holder)
                    .map_or_else(|| holder.to_string(), |o| o.name.clone());
                say::line(&format!(
                    "{name}：通知した人 {}（うち待機中 {}）、法52条だけ {}、16歳に達し本人への通知が必要 {}、90日以内に16歳 {}、返送 {}",
                    d.told, d.waiting, d.only52, d.at16, d.soon16, d.returned
                ));
            }
            Ok(())
        }
    }
}
