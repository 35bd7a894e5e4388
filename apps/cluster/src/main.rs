//! `kiban-cluster`: the distributed engine, a binary of its own so that `kiban` builds without it.

mod identity;
mod room;
mod say;
mod scheduler;
mod trial;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use kiban_lake::{ClusterKey, KeyRing};

/// 大きな基盤のための計算クラスタ（Kiban）
#[derive(Parser)]
#[command(name = "kiban-cluster", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// クラスタの鍵ファイルを作ります（すべてのノードに同じものを置きます）
    Key(KeyArgs),
    /// 要求を受け付け、作業を割り振ります（クラスタに一つ）
    Scheduler(scheduler::Args),
    /// 割り振られた作業を行います（いくつでも）
    Worker(worker::Args),
    /// この機械の上で、受付と作業ノードをまとめて動かします（試用）
    Start(trial::Args),
}

#[derive(clap::Args)]
struct KeyArgs {
    /// 作る鍵ファイル
    #[arg(long)]
    key: PathBuf,
}

/// What every node needs.
#[derive(clap::Args, Clone)]
pub(crate) struct Node {
    /// 基盤のフォルダ（表と鍵を読みます）
    #[arg(long, default_value = "kiban-demo")]
    pub(crate) dir: PathBuf,
    /// クラスタの鍵ファイル
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// 待ち受けるアドレス（IPv4）
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) bind: std::net::Ipv4Addr,
}

impl Node {
    pub(crate) fn cluster_key(&self) -> Result<ClusterKey, say::Failure> {
        Ok(ClusterKey::read(&self.key)?)
    }

    /// The deployment's sealed files.
    pub(crate) fn store(&self) -> Result<std::sync::Arc<kiban_lake::SealedStore>, say::Failure> {
        let ring = KeyRing::open(&self.dir.join("keys"))?;
        Ok(kiban_lake::remote::node::store(&self.dir.join("lake"), ring)?)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Two providers are linked; nodes use this one.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        say::failure("エラー：暗号の部品を用意できません。");
        return ExitCode::FAILURE;
    }
    // The engine's recursion is deep: threads get room, above all in unoptimised builds.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            // A task, because the main thread's stack is small.
            let done = runtime.block_on(async { tokio::spawn(run(cli.command)).await });
            runtime.shutdown_background();
            done.unwrap_or_else(|e| {
                Err(say::Failure::new("予期しない誤りで処理が止まりました。", &e))
            })
        }
        Err(e) => Err(say::Failure::new("処理を始められません。", &e)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&format!("エラー：{}\n  ({})", failure.ja, failure.cause));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), say::Failure> {
    match command {
        Command::Key(args) => {
            ClusterKey::create(&args.key)?;
            say::line(
                "鍵ファイルを作りました。すべてのノードに、所有者だけが読める形で置いてください。",
            );
            Ok(())
        }
        Command::Scheduler(args) => scheduler::run(args).await,
        Command::Worker(args) => worker::run(args).await,
        Command::Start(args) => trial::run(args).await,
    }
}
