//! `kiban init --dir D --parties parties.toml`: a new deployment for real parties.

use std::{fs, path::PathBuf};

use kiban_journeys::{Deployment, Parties, World};

use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    /// 関係者の記述（apps/kiban/data/parties.toml が例です）
    #[arg(long)]
    parties: PathBuf,
    /// 監査ログの名
    #[arg(long, default_value = "kiban.example/audit")]
    origin: String,
}

pub(crate) async fn run(args: Args) -> Outcome {
    let text = fs::read_to_string(&args.parties)
        .map_err(Failure::io("関係者の記述を読めません。場所を確かめてください。"))?;
    let parties = Parties::parse(&text)?;
    let deployment = Deployment::create(&args.at.dir, &args.origin, World::real()).await?;
    let registrar = parties.account_with(kiban_journeys::Role::Registrar)?;
    kiban_journeys::register_parties(&deployment, &registrar, &parties).await?;
    let secretary = parties.account_with(kiban_journeys::Role::CommitteeSecretary)?;
    kiban_journeys::keep_roster(&deployment, &secretary, &parties.members()).await?;
    for key in parties.holders() {
        let home = args.at.dir.join("holders").join(key);
        kiban_journeys::set_up_holder(&deployment, &registrar, &parties, key, &home).await?;
        say::line(&format!("取扱事業者の端末の設定：{}", home.join("profile.toml").display()));
    }
    say::line(&format!("基盤を作りました：{}", args.at.dir.display()));
    Ok(())
}
