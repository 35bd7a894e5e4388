//! `kiban register`: a predecessor's register taken over, one person's state, records that fall due, who gave for what.

mod import;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{
    Actor, Deployment, LookUpPurpose, Parties, PersonState, World, actor_named,
    kernel::{Bases, Regime},
};

use crate::{
    At,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 前の事業者の登録簿（通知・制度・停止の求め）を引き継ぎ、突合報告を書きます
    Import(import::Import),
    /// 一人の状況：通知、待機、停止の求め、制度ごとの可否と理由、利用の件数（診療情報は出しません。照会は記録されます）
    Person(Person),
    /// 保存期限のある記録と、期限の来たもの
    Retention {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
        /// 期限の来たものだけ
        #[arg(long)]
        due: bool,
        /// 一覧の書き先（JSON）
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// 公開用：だれの情報が、何のために、どの研究で使われたか
    Provided {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Why {
    /// 苦情の処理
    Complaint,
    /// 電話等の問合せ
    Call,
    /// 停止の求めの受付
    StopDesk,
    /// 検査への対応
    Inspection,
}

#[derive(Args)]
pub(crate) struct Person {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "intake")]
    actor: String,
    /// 提供元（parties.toml の名）
    #[arg(long)]
    holder: String,
    /// 提供元での番号
    #[arg(long)]
    local_id: String,
    /// 照会の目的
    #[arg(long = "for", value_enum)]
    why: Why,
    /// 受付簿の番号（半角英数字）
    #[arg(long = "ref")]
    reference: String,
}

pub(crate) async fn open(at: &At, actor: &str) -> Result<(Deployment, Actor), Failure> {
    let on = Deployment::open(&at.dir, World::real()).await?;
    let actor = actor_named(&on, actor).await?;
    Ok((on, actor))
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Import(args) => import::run(args).await,
        Command::Person(args) => person(args).await,
        Command::Retention { at, actor, due, json } => {
            let (on, actor) = open(&at, &actor).await?;
            let mut all = kiban_journeys::retained_records(&on, &actor).await?;
            all.retain(|r| !due || r.due);
            if let Some(path) = json {
                let text = serde_json::to_vec_pretty(&all)
                    .map_err(|e| Failure::new("一覧を書き出せません。", &e))?;
                Output::write(&path, &text)?;
            }
            for r in &all {
                let state = if r.due { "期限到来" } else { "保存中" };
                say::line(&format!(
                    "{state}  {}  {}  {}から{}年、{}まで",
                    r.kind.label_ja(),
                    r.id,
                    r.from,
                    r.years,
                    r.until
                ));
            }
            let due = all.iter().filter(|r| r.due).count();
            say::line(&format!("記録 {} 件、うち期限到来 {due} 件", all.len()));
            Ok(())
        }
        Command::Provided { at } => {
            let on = Deployment::open(&at.dir, World::real()).await?;
            for one in kiban_journeys::provided_by(&on).await? {
                let holders = if one.holders.is_empty() {
                    "まだ提供していません".to_owned()
                } else {
                    one.holders.join("、")
                };
                say::line(&format!("{}. {}", one.number, one.title));
                say::line(&format!("   目的：{}", one.purpose));
                say::line(&format!("   期間：{} から {}", one.period.0, one.period.1));
                say::line(&format!("   提供元：{holders}"));
            }
            Ok(())
        }
    }
}

async fn person(args: Person) -> Outcome {
    let (on, actor) = open(&args.at, &args.actor).await?;
    let purpose = match args.why {
        Why::Complaint => LookUpPurpose::Complaint,
        Why::Call => LookUpPurpose::Call,
        Why::StopDesk => LookUpPurpose::StopDesk,
        Why::Inspection => LookUpPurpose::Inspection,
    };
    let holder = Parties::organization_id(&args.holder);
    let about = (purpose, args.reference.as_str());
    let state = kiban_journeys::look_up_person(&on, &actor, holder, &args.local_id, about).await?;
    for line in lines(&state) {
        say::line(&line);
    }
    Ok(())
}

fn regimes_ja(bases: Bases) -> String {
    let names: Vec<&str> =
        Regime::ALL.into_iter().filter(|r| bases.contains(*r)).map(Regime::label_ja).collect();
    names.join("・")
}

/// A person's state in sentences.
fn lines(state: &PersonState) -> Vec<String> {
    if !state.known {
        return vec!["この番号の方の通知・情報・停止の求めは登録されていません。".to_owned()];
    }
    let mut out = vec!["通知".to_owned()];
    if state.notices.is_empty() {
        out.push("  通知の記録はありません（停止により消去された場合を含む）。".to_owned());
    }
    for n in &state.notices {
        let guardian = if n.guardian { "、保護者等にも通知" } else { "" };
        let back = n.returned_on.map(|d| format!("、{d}に返送（無効）")).unwrap_or_default();
        let age = n.of_age_on.map(|d| format!("、{d}に16歳")).unwrap_or_default();
        out.push(format!(
            "  {}  {}  版 {}（{}{guardian}{back}{age}）　待機 {} まで",
            n.notified_on,
            n.regime.label_ja(),
            n.version,
            n.channel,
            n.wait_until
        ));
    }
    out.push("制度ごとの可否".to_owned());
    for b in &state.bases {
        let why = b.reason.map_or_else(|| "受け入れられます。".to_owned(), |r| r.ja());
        out.push(format!(
            "  {}：{why}　保有 {} 件、使われたデータセット {} 件",
            b.regime.label_ja(),
            b.records,
            b.datasets
        ));
    }
    out.push(format!("受け入れた提供の回数：{}", state.deliveries));
    for s in &state.stops {
        let end = match (s.closed_at, s.open_stores) {
            (Some(at), _) => format!("完了 {at}"),
            (None, n) => format!("未完了（応答のない保管先 {n}）"),
        };
        let back = s.withdrawn_on.map(|d| format!("、{d}に撤回")).unwrap_or_default();
        out.push(format!(
            "停止の求め {}  受付 {}  {}（{}、{}）  {end}{back}",
            s.id,
            s.receipt_number,
            s.requested_on,
            s.requester.label_ja(),
            regimes_ja(s.regimes)
        ));
        for (fate, n) in &s.datasets {
            out.push(format!("  データセット {n} 件：{fate}"));
        }
    }
    out
}
