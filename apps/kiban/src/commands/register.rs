//! `kiban register`: a predecessor's register taken over, one person's state, records that fall due, who gave for what.

mod import;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{
    Actor, Deployment, Described, Kept, LookUpPurpose, PersonState, World, actor_named,
    kernel::{Bases, Date, Regime},
    organization_named,
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
    /// 記録の保存期限の進行を止めます（命令・検査・苦情など）。--release で再開します
    Hold {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "manager")]
        actor: String,
        /// 記録の種類（receipt・verification・stop_receipt・books）
        #[arg(long)]
        kind: String,
        /// 記録の番号（kiban register retention の一覧のもの）
        #[arg(long)]
        record: String,
        /// 理由
        #[arg(long, required_unless_present = "release")]
        reason: Option<String>,
        /// 命令・事件の番号（半角英数字）
        #[arg(long = "ref", required_unless_present = "release")]
        reference: Option<String>,
        /// 再開します
        #[arg(long)]
        release: bool,
    },
    /// 通知の記録が、引き継いだ登録簿と異なる人のいる提供
    Differences {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "intake")]
        actor: String,
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
    /// 本人のカナ氏名。情報のない番号でも、すべての提供元に取り次いだ停止の求めが分かります（記録しません）
    #[arg(long, requires = "birth", requires = "sex")]
    kana: Option<String>,
    /// 本人の生年月日
    #[arg(long, requires = "kana")]
    birth: Option<Date>,
    /// 本人の性別（1・2、男・女）
    #[arg(long, requires = "kana")]
    sex: Option<String>,
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
                let state = match (&r.hold, r.due) {
                    (Some(_), _) => "停止中",
                    (None, true) => "期限到来",
                    (None, false) => "保存中",
                };
                let hold = r
                    .hold
                    .as_ref()
                    .map(|h| format!("　{}から進行停止（{}、{}）", h.since, h.reference, h.reason))
                    .unwrap_or_default();
                say::line(&format!(
                    "{state}  {}  {}  {}から{}年、{}まで{hold}",
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
        Command::Hold { at, actor, kind, record, reason, reference, release } => {
            let (on, actor) = open(&at, &actor).await?;
            let Some(kind) = Kept::ALL.into_iter().find(|k| k.as_str() == kind) else {
                return Err(Failure::plain(
                    "記録の種類は receipt・verification・stop_receipt・books のいずれかです。",
                    "no such kind of record",
                ));
            };
            let of = (kind, record.as_str());
            if release {
                kiban_journeys::release_record(&on, &actor, of).await?;
                say::line("保存期限の進行を再開しました。止めていた日数だけ期限が延びます。");
            } else {
                let (reason, reference) =
                    (reason.unwrap_or_default(), reference.unwrap_or_default());
                kiban_journeys::hold_record(&on, &actor, of, &reason, &reference).await?;
                say::line("保存期限の進行を止めました。再開するまで期限は来ません。");
            }
            Ok(())
        }
        Command::Differences { at, actor } => {
            let (on, actor) = open(&at, &actor).await?;
            let rows = kiban_journeys::register_differences(&on, &actor).await?;
            if rows.is_empty() {
                say::line("引き継いだ登録簿と異なる提供はありません。");
            }
            for d in rows {
                say::line(&format!("{}  受領 {}", d.id, d.received_at));
                for (rule, persons) in &d.counts.register_differences {
                    say::line(&format!("  {persons} 人：{}", kiban_journeys::rule_ja(rule)));
                }
            }
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
    let holder = organization_named(&on, &args.holder).await?;
    let about = (purpose, args.reference.as_str());
    let described = match (args.kana, args.birth, args.sex) {
        (Some(name_kana), Some(birth_on), Some(sex)) => {
            Some(Described { name_kana, birth_on, sex })
        }
        _ => None,
    };
    let state = kiban_journeys::look_up_described(
        &on,
        &actor,
        holder,
        &args.local_id,
        described.as_ref(),
        about,
    )
    .await?;
    let names: BTreeMap<_, _> = kiban_journeys::organizations(&on)
        .await?
        .into_iter()
        .map(|o| (o.id.to_string(), o.name))
        .collect();
    for line in lines(&state, on.today(), &names) {
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
fn lines(state: &PersonState, today: Date, names: &BTreeMap<String, String>) -> Vec<String> {
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
        let from = if n.taken_over { "、前の登録簿から引継ぎ" } else { "" };
        let wait = if today <= n.wait_until {
            format!("待機中（{}まで。翌日から受け入れられます）", n.wait_until)
        } else {
            format!("待機は{}に終了", n.wait_until)
        };
        out.push(format!(
            "  {}  {}  版 {}（{}{guardian}{back}{from}）　{wait}",
            n.notified_on,
            n.regime.label_ja(),
            n.version,
            n.channel,
        ));
        out.extend(n.age_ja(&state.notices, today).map(|text| format!("    {text}")));
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
        let what = if s.requester.is_request() {
            "停止の求め"
        } else {
            "有効な通知を欠く情報の消去"
        };
        let elsewhere = if s.passed_on {
            let id = s.holder.to_string();
            format!("　{}での求め（すべての提供元に取次ぎ）", names.get(&id).unwrap_or(&id))
        } else {
            String::new()
        };
        out.push(format!(
            "{what} {}  受付 {}  {}（{}、{}）  {end}{back}{elsewhere}",
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
