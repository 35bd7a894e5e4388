//! `kiban rebuild --dir D DATASET --out DIR [--without-stopped]`

use std::path::PathBuf;

use kiban_journeys::{Deployment, World};

use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    /// データセットの番号（dst_…）
    dataset: String,
    /// 書き先の新しいフォルダ
    #[arg(long)]
    out: PathBuf,
    /// 作成後に停止した人を除いて作り直します
    #[arg(long)]
    without_stopped: bool,
}

pub(crate) async fn run(args: Args) -> Outcome {
    let dataset = args.dataset.parse().map_err(|e| {
        Failure::new(
            "データセットの番号の形が正しくありません（dst_…）。",
            &e as &kiban_journeys::kernel::IdError,
        )
    })?;
    let deployment = Deployment::open(&args.at.dir, World::real()).await?;
    let actor = kiban_journeys::system_actor(&deployment).await?;
    let rebuilt = kiban_journeys::rebuild_dataset(
        &deployment,
        &actor,
        dataset,
        &args.out,
        args.without_stopped,
    )
    .await?;
    if rebuilt.identical {
        say::line(&format!(
            "同じ内容を作り直しました：{}（要約値 {}）",
            args.out.display(),
            rebuilt.payload
        ));
    } else {
        say::line(&format!(
            "停止した人を除いて作り直しました：{}（停止 {} 件、{} 人の差。要約値 {}）",
            args.out.display(),
            rebuilt.stops,
            rebuilt.persons_before.saturating_sub(rebuilt.persons),
            rebuilt.payload
        ));
    }
    Ok(())
}
