//! `kiban link`: who is the same person; pairs that wait for readers; why, since when, and what has to be made anew.

mod bias;
mod keys;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{
    Actor, AfterAnswer, Deployment, LinkAnswer, Why, World, actor_named,
    kernel::{Id, kinds},
    organization_named, person_sources,
};

use crate::{
    At,
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 名寄せを行い、判断の付かない組を確認待ちに加えます
    Run {
        #[command(flatten)]
        who: Processor,
    },
    /// 自分が回答できる確認待ちの組（効き目の大きい順。他の人の回答は表示しません）
    Queue {
        #[command(flatten)]
        who: Reader,
        /// 件数
        #[arg(long, default_value_t = 20)]
        most: usize,
    },
    /// 組を読みます：両方の記載、違い、得点の内訳（閲覧は記録されます）
    Read {
        #[command(flatten)]
        who: Reader,
        /// 組の番号（queue で表示されるもの）
        case: String,
    },
    /// 組に回答します（二人が一致すれば決まり、割れたら三人目に回ります）
    Decide {
        #[command(flatten)]
        who: Reader,
        /// 組の番号
        case: String,
        /// 回答
        #[arg(value_enum)]
        answer: Answer,
        /// 理由
        #[arg(long)]
        reason: String,
    },
    /// 回答の一覧（自分が回答した組、または決まった組だけ）
    Answers {
        #[command(flatten)]
        who: Reader,
        /// 組の番号
        case: String,
    },
    /// 二つの番号がなぜ同じ人（別の人）とされるか：得点の内訳
    Explain {
        #[command(flatten)]
        who: Processor,
        /// 一方の提供元（parties.toml の名）と番号
        #[arg(long, num_args = 2, value_names = ["提供元", "番号"])]
        left: Vec<String>,
        /// 他方の提供元と番号
        #[arg(long, num_args = 2, value_names = ["提供元", "番号"])]
        right: Vec<String>,
    },
    /// 判断を取り消します（次の名寄せで元に戻り、関係するデータセットは要再作成になります）
    Undo {
        #[command(flatten)]
        at: At,
        /// 操作する人（parties.toml のアカウント名）
        #[arg(long = "as", default_value = "manager")]
        actor: String,
        /// 組の番号
        case: String,
        /// 理由
        #[arg(long)]
        reason: String,
    },
    /// 名寄せの偏り：性別・年齢・外国人名・提供元ごとの再現率（弱い順）
    Bias {
        #[command(flatten)]
        who: Processor,
        /// 報告の書き先（JSON）
        #[arg(long)]
        json: Option<PathBuf>,
        /// 報告の書き先（HTML）
        #[arg(long)]
        html: Option<PathBuf>,
    },
    /// 一人を図にします：番号を点、得点を線とし、弱いつなぎを示します（氏名は出しません）
    Graph {
        #[command(flatten)]
        who: Processor,
        /// 提供元（parties.toml の名）
        #[arg(long)]
        holder: String,
        /// 提供元での番号
        #[arg(long)]
        local_id: String,
        /// 書き先（.svg または .json）
        #[arg(long)]
        out: PathBuf,
    },
    /// 人の記録の変遷：新規・追加・統合・分割・移動・消去
    Log {
        #[command(flatten)]
        who: Processor,
        /// この回以後
        #[arg(long, default_value_t = 0)]
        since: u64,
    },
    /// 名寄せの変更により要再作成となったデータセット
    Remake {
        #[command(flatten)]
        who: Processor,
    },
    /// 他のデータベースとの連結キー（定義・作成・引継ぎ・到達度）
    #[command(subcommand)]
    Key(keys::Command),
    /// 被保険者番号の履歴照会の依頼ファイルを書きます（様式は本基盤のもの）
    HistoryRequest {
        #[command(flatten)]
        who: Officer,
        /// 確認待ちの組に限らず全員について照会します
        #[arg(long)]
        everybody: bool,
        /// 書き先
        #[arg(long)]
        out: PathBuf,
    },
    /// 被保険者番号の履歴照会の回答ファイルを取り込みます
    HistoryAnswer {
        #[command(flatten)]
        who: Officer,
        /// 回答のファイル
        file: PathBuf,
    },
}

macro_rules! actors {
    ($($name:ident $default:literal),+) => { $(
        #[derive(Args)]
        pub(crate) struct $name {
            #[command(flatten)]
            at: At,
            /// 操作する人（parties.toml のアカウント名）
            #[arg(long = "as", default_value = $default)]
            actor: String,
        }

        impl $name {
            async fn open(&self) -> Result<(Deployment, Actor), Failure> {
                let on = Deployment::open(&self.at.dir, World::real()).await?;
                let actor = actor_named(&on, &self.actor).await?;
                Ok((on, actor))
            }
        }
    )+ };
}

actors!(Processor "processor", Reader "examiner", Officer "intake");

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Answer {
    /// 同じ人
    Same,
    /// 別の人
    Different,
    /// 判断できない
    Unsure,
}

fn case_id(text: &str) -> Result<Id<kinds::Event>, Failure> {
    text.parse().map_err(|e| {
        Failure::new("組の番号ではありません。kiban link queue で確かめてください。", &e)
    })
}

fn bars(why: &Why) {
    for (words, bits) in &why.bars {
        say::line(&format!("  {bits:+8.2}  {words}"));
    }
    say::line(&format!("  {:+8.2}  合計（対数オッズ、2を底とする）", why.score));
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Bias { who, json, html } => {
            let (on, actor) = who.open().await?;
            bias::bias(&on, &actor, json, html).await?;
        }
        Command::Graph { who, holder, local_id, out } => {
            let (on, actor) = who.open().await?;
            bias::graph(&on, &actor, (&holder, &local_id), &out).await?;
        }
        Command::Run { who } => {
            let (on, actor) = who.open().await?;
            let report = kiban_journeys::link_persons(&on, &actor).await?;
            say::line(&format!(
                "番号 {} 件、人 {} 人（うち提供元をまたぐ人 {} 人）。新規 {}、統合 {}、分割 {}。",
                report.person_sources,
                report.persons,
                report.across_holders,
                report.created,
                report.merged,
                report.split
            ));
            for (rule, pairs) in &report.pairs {
                say::line(&format!("  {rule}：{pairs} 組"));
            }
        }
        Command::Queue { who, most } => {
            let (on, actor) = who.open().await?;
            let queue = kiban_journeys::link_queue(&on, &actor).await?;
            say::line(&format!("確認待ち {} 組", queue.len()));
            for case in queue.iter().take(most) {
                let third = if case.third { "  三人目" } else { "" };
                say::line(&format!(
                    "{}  得点 {:+.2}  情報 {:.2} ビット  優先度 {:.2}{third}",
                    case.id, case.score, case.information, case.priority
                ));
            }
        }
        Command::Read { who, case } => {
            let (on, actor) = who.open().await?;
            let reading = kiban_journeys::read_link_case(&on, &actor, case_id(&case)?).await?;
            for side in &reading.fields {
                let mark = if side.same { "　" } else { "≠" };
                let rules = if side.rules.is_empty() {
                    String::new()
                } else {
                    format!("（{}）", side.rules.join("、"))
                };
                say::line(&format!(
                    "{mark} {}：{}｜{}{rules}",
                    side.field, side.values[0], side.values[1]
                ));
            }
            if let Some(why) = &reading.why {
                bars(why);
            }
        }
        Command::Decide { who, case, answer, reason } => {
            let (on, actor) = who.open().await?;
            let answer = match answer {
                Answer::Same => LinkAnswer::Same,
                Answer::Different => LinkAnswer::Different,
                Answer::Unsure => LinkAnswer::Unsure,
            };
            let id = case_id(&case)?;
            let after = kiban_journeys::answer_link_case(&on, &actor, id, answer, &reason).await?;
            say::line(&match after {
                AfterAnswer::Waits => "回答しました。ほかの確認者の回答を待ちます。".to_owned(),
                AfterAnswer::Decided(answer) => {
                    format!("「{}」に決まりました。次の名寄せで反映します。", answer.label_ja())
                }
                AfterAnswer::Unsettled => {
                    "三人の回答が分かれたため、別の人のままとします。".to_owned()
                }
            });
        }
        Command::Answers { who, case } => {
            let (on, actor) = who.open().await?;
            let answers =
                kiban_journeys::answers_of_link_case(&on, &actor, case_id(&case)?).await?;
            if answers.is_empty() {
                say::line("表示できる回答はありません。先に自分の回答をしてください。");
            }
            for (answer, reason) in answers {
                say::line(&format!("{}：{reason}", answer.label_ja()));
            }
        }
        Command::Explain { who, left, right } => {
            let (on, actor) = who.open().await?;
            let mut sources = Vec::new();
            for side in [&left, &right] {
                let [holder, local] = side.as_slice() else {
                    return Err(Failure::plain(
                        "提供元と番号を指定してください。",
                        "two values needed",
                    ));
                };
                let holder = organization_named(&on, holder).await?;
                sources.extend(person_sources(&on, holder, [local.as_str()]).await?);
            }
            let why = kiban_journeys::explain_link(&on, &actor, [sources[0], sources[1]]).await?;
            bars(&why);
        }
        Command::Undo { at, actor, case, reason } => {
            let on = Deployment::open(&at.dir, World::real()).await?;
            let actor = actor_named(&on, &actor).await?;
            kiban_journeys::undo_link_case(&on, &actor, case_id(&case)?, &reason).await?;
            say::line("判断を取り消しました。kiban link run で反映してください。");
        }
        Command::Log { who, since } => {
            let (on, actor) = who.open().await?;
            for e in kiban_journeys::link_log(&on, &actor, since).await? {
                let from = e.event.from.map(|p| format!("  前 {p}")).unwrap_or_default();
                say::line(&format!(
                    "{}回  {}  {}  {}  番号 {} 件{from}",
                    e.step,
                    e.at,
                    e.event.change.label_ja(),
                    e.event.person,
                    e.event.count
                ));
            }
        }
        Command::Remake { who } => {
            let (on, actor) = who.open().await?;
            let remakes = kiban_journeys::datasets_to_remake(&on, &actor).await?;
            if remakes.is_empty() {
                say::line("要再作成のデータセットはありません。");
            }
            for r in remakes {
                say::line(&format!(
                    "要再作成：{}（{}回の名寄せ、{} 行）",
                    r.dataset, r.step, r.rows
                ));
            }
        }
        Command::Key(command) => keys::run(command).await?,
        Command::HistoryRequest { who, everybody, out } => {
            let (on, actor) = who.open().await?;
            let text = kiban_journeys::history_request(&on, &actor, everybody).await?;
            Output::write(&out, text.as_bytes())?;
            say::line(&format!("履歴照会の依頼：{}", out.display()));
        }
        Command::HistoryAnswer { who, file } => {
            let (on, actor) = who.open().await?;
            let text = std::fs::read_to_string(&file)
                .map_err(Failure::io("回答のファイルを読めません。"))?;
            let taken = kiban_journeys::take_history(&on, &actor, &text).await?;
            say::line(&format!(
                "回答 {} 件、同じ人の組 {}（新規 {}）、照会していないもの {} 件、読めない行 {} 行。kiban link run で反映してください。",
                taken.queries, taken.pairs, taken.new, taken.unknown, taken.unread
            ));
        }
    }
    Ok(())
}
