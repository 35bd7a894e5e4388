//! A whole cluster on one machine: the scheduler in this process, workers as its children.

use std::process::Stdio;

use kiban_lake::ClusterKey;
use tokio::process::{Child, Command};

use crate::{Node, say, scheduler};

#[derive(clap::Args, Clone)]
pub(crate) struct Args {
    #[command(flatten)]
    scheduler: scheduler::Args,
    /// 作業ノードの数
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// 作業ノードごとに同時に行う作業の数
    #[arg(long, default_value_t = 1)]
    cores: u16,
    /// 作業ノードごとのメモリ（MiB）
    #[arg(long, default_value_t = 1024)]
    memory: u32,
}

pub(crate) async fn run(args: Args) -> Result<(), say::Failure> {
    let node = &args.scheduler.node;
    if !node.key.exists() {
        ClusterKey::create(&node.key)?;
        say::line("鍵ファイルを作りました。");
    }
    let running = scheduler::start(args.scheduler.clone()).await?;
    let gateway = running.gateway;
    let mut workers = Vec::new();
    for _ in 0..args.workers {
        workers.push(worker(node, &args, &gateway.to_string())?);
    }
    say::line(&format!("クラスタの受付: {gateway}"));
    say::line("Ctrl-C で止めます。");
    let outcome = tokio::select! {
        ended = running.ended() => match ended {
            Ok(never) => match never {},
            Err(failure) => Err(failure),
        },
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    // On Ctrl-C children hear the signal too, and leave in order.
    for mut worker in workers {
        if outcome.is_err() {
            let _ = worker.start_kill();
        }
        let _ = worker.wait().await;
    }
    outcome
}

fn worker(node: &Node, args: &Args, gateway: &str) -> Result<Child, say::Failure> {
    let failed = |e: std::io::Error| say::Failure::new("作業ノードを起動できません。", &e);
    Command::new(std::env::current_exe().map_err(failed)?)
        .arg("worker")
        .arg("--dir")
        .arg(&node.dir)
        .arg("--key")
        .arg(&node.key)
        .args(["--scheduler", gateway])
        .args(["--cores", &args.cores.to_string(), "--memory", &args.memory.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)
}
