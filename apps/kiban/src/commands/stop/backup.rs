//! `kiban stop backup`: where copies are and when they end; erasing again after one was restored.

use std::path::PathBuf;

use clap::Subcommand;
use kiban_journeys::{Actor, Deployment, World, actor_named, kernel::Date};

use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 複製を作ったことを記録します
    Made {
        #[command(flatten)]
        officer: Officer,
        /// 保管場所
        #[arg(long)]
        place: String,
        /// 廃棄する期限の日
        #[arg(long)]
        keep_until: Date,
    },
    /// 複製の一覧
    List {
        #[command(flatten)]
        officer: Officer,
    },
    /// 複製を廃棄したことを記録します
    Destroyed {
        #[command(flatten)]
        officer: Officer,
        /// 複製の番号（list で表示されるもの）
        backup: String,
    },
    /// 復元した後、消去の一覧（erasures.note）にある停止をもう一度反映します
    EraseAgain {
        #[command(flatten)]
        officer: Officer,
        /// 消去の一覧
        list: PathBuf,
    },
}

#[derive(clap::Args)]
pub(crate) struct Officer {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "security")]
    actor: String,
}

impl Officer {
    async fn open(&self) -> Result<(Deployment, Actor), Failure> {
        let on = Deployment::open(&self.at.dir, World::real()).await?;
        let actor = actor_named(&on, &self.actor).await?;
        Ok((on, actor))
    }
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Made { officer, place, keep_until } => {
            let (on, actor) = officer.open().await?;
            let made = kiban_journeys::record_backup(&on, &actor, &place, keep_until).await?;
            say::line(&format!("複製 {} を記録しました（期限 {}）。", made.id, made.keep_until));
            say::line(&format!(
                "消去の一覧（{}）は複製とは別の場所に保管してください。",
                on.dir().join(kiban_journeys::ERASURES).display()
            ));
        }
        Command::List { officer } => {
            let (on, actor) = officer.open().await?;
            for b in kiban_journeys::backups(&on, &actor).await? {
                let state = match b.destroyed_at {
                    Some(at) => format!("廃棄 {at}"),
                    None => format!("期限 {}", b.keep_until),
                };
                say::line(&format!("{}  {}  {}  {state}", b.id, b.made_at, b.place));
            }
        }
        Command::Destroyed { officer, backup } => {
            let (on, actor) = officer.open().await?;
            let id = backup.parse().map_err(|e| Failure::new("複製の番号ではありません。", &e))?;
            kiban_journeys::destroy_backup(&on, &actor, id).await?;
            say::line("廃棄を記録しました。");
        }
        Command::EraseAgain { officer, list } => {
            let (on, actor) = officer.open().await?;
            let applied = kiban_journeys::erase_again(&on, &actor, &list).await?;
            if applied.is_empty() {
                say::line("復元した基盤に欠けている停止はありません。");
            }
            applied.iter().for_each(super::describe);
        }
    }
    Ok(())
}
