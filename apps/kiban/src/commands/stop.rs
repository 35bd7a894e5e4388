//! `kiban stop`: requests to stop, from the holder's receipt to the signed sheet; stores, withdrawals, rates, backups.

mod backup;
mod watch;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{
    Actor, Deployment, StopRequest, StopRow, World, actor_named,
    kernel::{Bases, Date, Id, Regime, kinds},
    organization_named,
    stop::{Applied, Requester, Scope, Withdrawal},
    store_ja,
};

use crate::{
    At,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 提供元が交付した書面に基づき、提供停止の求めを記録して反映します
    Record(Record),
    /// 求めの一覧：保管先ごとの状況、経過日数、期限
    List {
        #[command(flatten)]
        who: Who,
        /// 完了していないものだけ
        #[arg(long)]
        open: bool,
    },
    /// 未完了の求めを、応答していない保管先にもう一度反映します
    Retry {
        #[command(flatten)]
        who: Who,
    },
    /// 一件の求め：保管先、関係するデータセット、処理完了証
    Show {
        #[command(flatten)]
        who: Who,
        /// 求めの番号（stp_…）
        stop: String,
        /// 処理完了証の書き先
        #[arg(long)]
        proof: Option<PathBuf>,
    },
    /// 日次証（その日の終わりに未完了のもの、その日に完了したもの）を発行します
    DaySheet {
        #[command(flatten)]
        who: Who,
        /// 日（省略時は今日）
        #[arg(long)]
        day: Option<Date>,
        /// 書き先
        #[arg(long)]
        out: PathBuf,
    },
    /// 求めの撤回を記録します（その後の新しい通知と待機期間を経た情報だけが対象になります）
    Withdraw(Withdraw),
    /// 提供元・月ごとの率と、外れた値の警告
    Rates {
        #[command(flatten)]
        who: Who,
    },
    /// 保管先を保守のため止めます。理由を付けないと再開します
    Store {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "security")]
        actor: String,
        /// 保管先の名（省略時は止まっているものの一覧）
        store: Option<String>,
        /// 止める理由
        #[arg(long)]
        off: Option<String>,
    },
    /// 複製（バックアップ）の記録と、復元後の再消去
    #[command(subcommand)]
    Backup(backup::Command),
}

#[derive(Args)]
pub(crate) struct Who {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "intake")]
    actor: String,
}

impl Who {
    async fn open(&self) -> Result<(Deployment, Actor), Failure> {
        let on = Deployment::open(&self.at.dir, World::real()).await?;
        let actor = actor_named(&on, &self.actor).await?;
        Ok((on, actor))
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// 本人
    Person,
    /// 保護者・代理人
    Guardian,
    /// 遺族
    Family,
}

impl By {
    fn requester(self) -> Requester {
        match self {
            Self::Person => Requester::Person,
            Self::Guardian => Requester::Guardian,
            Self::Family => Requester::BereavedFamily,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Regimes {
    /// 匿名加工・仮名加工の両方
    Both,
    /// 匿名加工（法52条）だけ
    Anon52,
    /// 仮名加工（法57条）だけ
    Pseudo57,
}

impl Regimes {
    fn bases(self) -> Bases {
        match self {
            Self::Both => Bases::BOTH,
            Self::Anon52 => Bases::NONE.with(Regime::Anon52),
            Self::Pseudo57 => Bases::NONE.with(Regime::Pseudo57),
        }
    }
}

#[derive(Args)]
pub(crate) struct Record {
    #[command(flatten)]
    who: Who,
    /// 提供元（parties.toml の名）
    #[arg(long)]
    holder: String,
    /// 提供元での番号（記録には鍵付きの符号だけが残ります）
    #[arg(long)]
    local_id: String,
    /// 書面の番号
    #[arg(long)]
    receipt: String,
    /// 求めの日
    #[arg(long)]
    on: Date,
    /// 求めた人
    #[arg(long, value_enum, default_value = "person")]
    by: By,
    /// 資格（本人・続柄）を確認した資料の番号
    #[arg(long)]
    evidence: String,
    /// 対象の制度
    #[arg(long, value_enum, default_value = "both")]
    regimes: Regimes,
    /// すべての提供元に取り次ぎます（任意の取扱い）
    #[arg(long)]
    all_holders: bool,
    /// 記録だけして、反映は後で行います
    #[arg(long)]
    later: bool,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    who: Who,
    /// 求めの番号（stp_…）
    stop: String,
    /// 撤回の日
    #[arg(long)]
    on: Date,
    /// 撤回の書面の番号
    #[arg(long)]
    receipt: String,
    /// 撤回した人
    #[arg(long, value_enum, default_value = "person")]
    by: By,
    /// 資格を確認した資料の番号
    #[arg(long)]
    evidence: String,
}

fn stop_id(text: &str) -> Result<Id<kinds::Stop>, Failure> {
    text.parse().map_err(|e| {
        Failure::new("求めの番号ではありません。kiban stop list で確かめてください。", &e)
    })
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Record(args) => record(args).await,
        Command::List { who, open } => list(&who, open).await,
        Command::Retry { who } => {
            let (on, actor) = who.open().await?;
            let applied = kiban_journeys::retry_stops(&on, &actor).await?;
            if applied.is_empty() {
                say::line("未完了の求めはありません。");
            }
            applied.iter().for_each(describe);
            Ok(())
        }
        Command::Show { who, stop, proof } => show(&who, &stop, proof).await,
        Command::DaySheet { who, day, out } => {
            let (on, actor) = who.open().await?;
            let day = day.unwrap_or_else(|| on.today());
            let sheet = kiban_journeys::stop_day_sheet(&on, &actor, day).await?;
            Output::write(&out, sheet.as_bytes())?;
            say::line(&format!("日次証：{}", out.display()));
            Ok(())
        }
        Command::Withdraw(args) => {
            let (on, actor) = args.who.open().await?;
            let withdrawal = Withdrawal {
                stop: stop_id(&args.stop)?,
                withdrawn_on: args.on,
                receipt_number: args.receipt,
                requester: args.by.requester(),
                evidence: args.evidence,
            };
            kiban_journeys::withdraw_stop(&on, &actor, &withdrawal).await?;
            say::line(&format!(
                "撤回を記録しました（{}）。この日以後の新しい通知と待機期間を経た情報だけが対象になります。",
                args.on
            ));
            Ok(())
        }
        Command::Rates { who } => watch::rates(&who).await,
        Command::Store { at, actor, store, off } => watch::switch(at, &actor, store, off).await,
        Command::Backup(command) => backup::run(command).await,
    }
}

async fn record(args: Record) -> Outcome {
    let (on, actor) = args.who.open().await?;
    let request = StopRequest {
        holder: organization_named(&on, &args.holder).await?,
        local_id: args.local_id,
        regimes: args.regimes.bases(),
        requested_on: args.on,
        receipt_number: args.receipt,
        requester: args.by.requester(),
        evidence: args.evidence,
        scope: if args.all_holders { Scope::AllHolders } else { Scope::Holder },
        identities: Vec::new(),
    };
    let received = kiban_journeys::record_stop(&on, &actor, &request).await?;
    if !received.new {
        say::line("この書面の求めは記録済みです。");
    }
    say::line(&format!(
        "求め {}（番号の数 {}）を記録しました。以後、この方の情報は受け入れません。",
        received.stop.id,
        received.stop.persons.len()
    ));
    if !args.later {
        describe(&kiban_journeys::apply_stop(&on, &actor, received.stop.id).await?);
    }
    Ok(())
}

/// What became of a stop in each store.
pub(crate) fn describe(applied: &Applied) {
    say::line(&format!("求め {}", applied.stop.id));
    for (store, ack) in &applied.acknowledged {
        let counts: Vec<String> =
            ack.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let counts = if counts.is_empty() { "保管なし".to_owned() } else { counts.join("、") };
        say::line(&format!("  済　{}：{counts}", store_ja(store)));
    }
    for (store, why) in &applied.open {
        say::line(&format!("  未　{}：応答がありません（{why}）", store_ja(store)));
    }
    say::line(if applied.open.is_empty() {
        "  すべての保管先に反映しました。処理完了証を発行できます。"
    } else {
        "  未完了です。保管先を確かめ、kiban stop retry で反映し直してください。"
    });
}

fn line(row: &StopRow) -> String {
    let done = row.stores.iter().filter(|s| s.acknowledged_at.is_some()).count();
    let state = match (row.stop.closed_at, row.overdue) {
        (Some(_), _) => "完了".to_owned(),
        (None, late) => {
            let waiting: Vec<&str> = row
                .stores
                .iter()
                .filter(|s| s.acknowledged_at.is_none())
                .map(|s| store_ja(&s.store))
                .collect();
            let late = if late { "（期限超過）" } else { "" };
            format!("未完了{late}：{}", waiting.join("、"))
        }
    };
    let withdrawn = row.withdrawn_on.map(|on| format!("　撤回 {on}")).unwrap_or_default();
    format!(
        "{}  受付 {}  {}日目（期限 {}）  {done}/{}  {state}{withdrawn}",
        row.stop.id,
        row.stop.receipt_number,
        row.days,
        row.due,
        row.stores.len()
    )
}

async fn list(who: &Who, open: bool) -> Outcome {
    let (on, actor) = who.open().await?;
    let rows = kiban_journeys::stops(&on, &actor).await?;
    let rows: Vec<_> = rows.iter().filter(|r| !open || r.stop.closed_at.is_none()).collect();
    if rows.is_empty() {
        say::line("該当する求めはありません。");
    }
    for row in rows {
        say::line(&line(row));
    }
    Ok(())
}

async fn show(who: &Who, stop: &str, proof: Option<PathBuf>) -> Outcome {
    let (on, actor) = who.open().await?;
    let id = stop_id(stop)?;
    let rows = kiban_journeys::stops(&on, &actor).await?;
    let Some(row) = rows.iter().find(|r| r.stop.id == id) else {
        return Err(Failure::plain("該当する求めがありません。", "no such stop"));
    };
    say::line(&line(row));
    for store in &row.stores {
        let counts: Vec<String> =
            store.ack.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let at = match store.acknowledged_at {
            Some(at) => format!("済 {at}"),
            None => format!("未（{}回）", store.attempts),
        };
        say::line(&format!("  {}  {at}  {}", store_ja(&store.store), counts.join("、")));
    }
    for (dataset, fate) in kiban_journeys::datasets_of_stop(&on, id).await? {
        say::line(&format!("  データセット {dataset}：{}", fate.label_ja()));
    }
    if let Some(path) = proof {
        let Some(sheet) = &row.stop.proof else {
            return Err(Failure::plain(
                "まだすべての保管先に反映されていないため、処理完了証はありません。",
                "the stop is open",
            ));
        };
        Output::write(&path, sheet.as_bytes())?;
        say::line(&format!("処理完了証：{}", path.display()));
    }
    Ok(())
}
