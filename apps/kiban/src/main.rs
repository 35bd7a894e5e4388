//! `kiban`: the one binary of the platform.

mod commands;
mod delivery_page;
mod demo;
mod import_page;
mod link_page;
mod mapping_page;
mod output;
mod risk_page;
mod say;
mod svg;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// 次世代医療基盤法の認定作成事業者の基盤（Kiban）
#[derive(Parser)]
#[command(name = "kiban", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 模擬の国で一連の業務をすべて実行し、report.html を書きます
    Demo(demo::Args),
    /// 医療情報取扱事業者の端末（封緘・状況）
    #[command(subcommand)]
    Holder(commands::holder::Command),
    /// 封緘された納品を受け取り、検収報告と品質の閾値を扱います
    #[command(subcommand)]
    Intake(commands::intake::Command),
    /// 院内コードと標準コードの対応付け（マスター・候補・提案・承認）
    #[command(subcommand)]
    Mapping(commands::mapping::Command),
    /// 提供停止の求め：記録・反映・証・撤回・率・複製
    #[command(subcommand)]
    Stop(commands::stop::Command),
    /// 通知文書の版と変更、返送、通知が必要な人の数
    #[command(subcommand)]
    Notice(commands::notice::Command),
    /// 登録簿：引継ぎ、一人の状況、保存期限、公開用の一覧
    #[command(subcommand)]
    Register(commands::register::Command),
    /// 名寄せ：実行・確認待ち・判断・説明・取消し・履歴照会
    #[command(subcommand)]
    Link(commands::persons::Command),
    /// 監査：事象・表・包みの検証（鍵は不要）
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// 提供された包みを開きます
    #[command(subcommand)]
    Package(commands::package::Command),
    /// データセットを記録どおりに作り直します
    Rebuild(commands::rebuild::Args),
    /// 加工仕様書の検査とスキーマ
    #[command(subcommand)]
    Spec(commands::spec::Command),
    /// 基盤の外の表に使う道具
    #[command(subcommand)]
    Tool(commands::tool::Command),
    /// アカウントの一覧と、パスキーの登録コードの発行
    #[command(subcommand)]
    Account(commands::account::Command),
    /// 画面を公開します（TLS、またはこの機器の中だけ）
    Serve(commands::serve::Args),
    /// 基盤を新しく作り、関係者を登録します
    Init(commands::init::Args),
}

/// Where a deployment is.
#[derive(clap::Args)]
pub(crate) struct At {
    /// 基盤のフォルダ
    #[arg(long, default_value = "kiban-demo")]
    pub(crate) dir: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The engine's recursion is deep: threads get room, above all in unoptimised builds.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => {
            say::failure(&format!("エラー：処理を始められません（{e}）。"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match tokio::spawn(run(cli.command)).await {
            Ok(outcome) => outcome,
            Err(e) => Err(say::Failure::new(
                "予期しない誤りで処理が止まりました。記録済みの内容は失われていません。",
                &e,
            )),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&format!("エラー：{}\n  ({})", failure.ja, failure.cause));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> say::Outcome {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Holder(command) => commands::holder::run(command),
        Command::Intake(command) => commands::intake::run(command).await,
        Command::Mapping(command) => Box::pin(commands::mapping::run(command)).await,
        Command::Stop(command) => Box::pin(commands::stop::run(command)).await,
        Command::Notice(command) => Box::pin(commands::notice::run(command)).await,
        Command::Register(command) => Box::pin(commands::register::run(command)).await,
        Command::Link(command) => Box::pin(commands::persons::run(command)).await,
        Command::Audit(command) => commands::audit::run(command).await,
        Command::Package(command) => commands::package::run(command),
        Command::Rebuild(args) => commands::rebuild::run(args).await,
        Command::Spec(command) => commands::spec::run(command),
        Command::Tool(command) => commands::tool::run(command).await,
        Command::Account(command) => commands::account::run(command).await,
        Command::Serve(args) => commands::serve::run(args).await,
        Command::Init(args) => commands::init::run(args).await,
    }
}
